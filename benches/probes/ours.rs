//! The server's own way: prober, single writer, store and metrics as `serve` has them. Between prober
//! and writer somebody notes when each probe started.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_util::sync::CancellationToken;
use trimtab::app::{self, Threads};
use trimtab::clock;
use trimtab::control::store::Store;
use trimtab::control::{Control, Wiring};
use trimtab::health::{Health, Observation, Outcome, State};
use trimtab::metrics::Metrics;
use trimtab::model::{Check, Destination};
use trimtab::probe::{Prober, Roots, Schedule, Settings};

use super::case::{Asks, CHECKS, Case, HOST, INTERVAL, TIMEOUT, Targets};
use super::usage;

/// Any; the same in each run.
const SEED: u64 = 5;

/// What one run came to; a child prints it, and its parent reads it.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// CPU time of a probe.
    pub(super) cpu_ns: u64,
    /// Resident memory before the first probe, in the end, and at most, in octets.
    pub(super) memory: [u64; 3],
    /// How late probes started: p50, p99 and the worst, in microseconds.
    pub(super) late_us: [u64; 3],
    /// Results in the time measured, and as many as there should be.
    pub(super) results: [u64; 2],
    /// Results that were not what the targets are.
    pub(super) wrong: u64,
    /// Probes that this host could not make.
    pub(super) abstained: u64,
    /// The time of a scrape in microseconds, and its octets.
    pub(super) scrape: [u64; 2],
}

impl Report {
    fn numbers(&mut self) -> [&mut u64; 13] {
        let Self { cpu_ns, memory, late_us, results, wrong, abstained, scrape } = self;
        let [m0, m1, m2] = memory;
        let [l0, l1, l2] = late_us;
        let ([r0, r1], [s0, s1]) = (results, scrape);
        [cpu_ns, m0, m1, m2, l0, l1, l2, r0, r1, wrong, abstained, s0, s1]
    }

    /// From the line that a child has printed.
    pub(super) fn read(line: &str) -> Self {
        let mut report = Self::default();
        let numbers = line.split_whitespace().map(|number| number.parse().expect("a number"));
        report.numbers().into_iter().zip(numbers).for_each(|(to, number)| *to = number);
        report
    }

    fn line(mut self) -> String {
        self.numbers().map(|number| number.to_string()).join(" ")
    }
}

/// Probes until all is steady, and then measures for `time`.
pub(super) fn run(
    case: Case,
    port: u16,
    certificate: Option<CertificateDer<'static>>,
    time: Duration,
) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("trimtab.toml");
    std::fs::write(&path, config(case, port)).expect("a file");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let roots = certificate.map_or(Roots::Native, |one| Roots::Given(vec![one]));
    let report = runtime.expect("a runtime").block_on(measure(case, &path, roots, time));
    println!("{}", report.line());
}

/// A region for each target, and a record for every hundred of them.
fn config(case: Case, port: u16) -> String {
    let asks = match case.asks {
        Asks::Tcp => "type = \"tcp\"".to_owned(),
        Asks::Http => "type = \"http\"\npath = \"/healthz\"".to_owned(),
        Asks::Https => format!("type = \"https\"\npath = \"/healthz\"\nhost = \"{HOST}\""),
    };
    let mut text = String::from("version = 1\n[server]\nlisten = [\"127.0.0.1:0\"]\n");
    let mut check = |name: &str, target: &str| {
        let _ = writeln!(text, "[checks.{name}]\n{asks}\nport = {port}\n{target}");
    };
    let one = case.targets == Targets::One;
    match one {
        false => check("c", ""),
        // A check each, or else they would be one.
        true => (0..CHECKS).for_each(|n| check(&format!("c{n}"), "target = \"::1\"")),
    }
    for n in 0..CHECKS {
        let [.., high, low] = n.to_be_bytes();
        let check = if one { format!("c{n}") } else { "c".to_owned() };
        let _ = writeln!(text, "[regions.r{n}]\naddresses = [\"127.1.{high}.{low}\"]");
        let _ = writeln!(text, "check = \"{check}\"");
    }
    text.push_str(
        "[zones.\"probes.test\"]\nnameservers = { \"ns.probes.test\" = [\"192.0.2.1\"] }\n",
    );
    for from in (0..CHECKS).step_by(100) {
        let weights = (from..from + 100).map(|n| format!("r{n} = 1"));
        let weights = weights.collect::<Vec<_>>().join(", ");
        let _ =
            writeln!(text, "[policies.p{from}]\ntype = \"weighted\"\nweights = {{ {weights} }}");
        let _ = writeln!(text, "[[records]]\nname = \"n{from}.probes.test\"\npolicy = \"p{from}\"");
    }
    text
}

async fn measure(case: Case, path: &Path, roots: Roots, time: Duration) -> Report {
    let metrics = Metrics::new();
    let column = &mut |region: &str, record: Option<&str>| metrics.column(region, record);
    let loaded = app::load(path, &Default::default(), column).unwrap_or_else(|problems| {
        panic!("the configuration is refused: {problems:?}");
    });
    let state = path.with_file_name("state");
    let (store, _) = Store::open(&state, Arc::clone(&metrics)).expect("a state");
    let (targets, seen) = watch::channel(Arc::default());
    let wiring = Wiring {
        metrics: Arc::clone(&metrics),
        store: Some(store),
        targets,
        settled: watch::Sender::new(false),
        requests: mpsc::channel(1).1,
        events: watch::Sender::new(0),
        wall: Box::new(clock::wall),
        alive: watch::Sender::new(clock::now()),
        aliases: watch::Sender::default(),
        looked: mpsc::channel(1).1,
    };
    // As after a restart: what is not known yet would be probed again at once, and what hangs would
    // for a while take more probes at once than there may be.
    let state = if case.passes() { State::Up } else { State::Down };
    let past = |_: &Check, _: &Destination| Some(Health { state, ..Health::unknown(clock::now()) });
    let control = Control::new(loaded.assembly, &past, wiring);
    let list = Arc::clone(&seen.borrow());
    let (_reloads, reloaded) = mpsc::channel(1);
    let (noted, observed) = mpsc::channel(4096);
    let (observations, mut notes) = mpsc::channel(4096);
    let stop = CancellationToken::new();
    let mut report = Report { memory: [usage::memory().0, 0, 0], ..Report::default() };
    let mut starts: Vec<(u32, Instant)> = Vec::with_capacity(CHECKS as usize * 8);

    let epoch = clock::now();
    let writer = tokio::spawn(control.run(observed, reloaded, stop.clone()));
    let settings = Settings { seed: SEED, roots, ..Settings::default() };
    let threads = Threads::probes().expect("a thread");
    let prober = {
        let _theirs = threads.enter();
        Prober::spawn(seen, observations, settings, stop.child_token())
    };
    let (begin, end) = (epoch + case.settling(), epoch + case.settling() + time);
    // Where the probes are, so that no result is handed to yet another thread.
    let theirs = threads.enter();
    let noting = tokio::spawn(async move {
        let mut wrong = 0;
        while let Some(observation) = notes.recv().await {
            let Observation { target, at, outcome, .. } = &observation;
            wrong += u64::from((*outcome == Outcome::Pass) != case.passes());
            starts.push((target.0, *at));
            if noted.send(observation).await.is_err() {
                break;
            }
        }
        (starts, wrong)
    });
    drop(theirs);
    tokio::time::sleep_until(begin.into()).await;
    let before = usage::cpu();
    tokio::time::sleep_until(end.into()).await;
    let used = usage::cpu() - before;
    let (now, peak) = usage::memory();
    report.memory = [report.memory[0], now, peak];
    let before_scrape = clock::now();
    let text = metrics.text();
    report.scrape =
        [clock::now().duration_since(before_scrape).as_micros() as u64, text.len() as u64];
    // What has begun is still to end.
    tokio::time::sleep(TIMEOUT + TIMEOUT / 4).await;
    report.abstained = prober.abstained();
    stop.cancel();
    prober.stopped().await;
    let (starts, wrong) = noting.await.expect("no panic");
    writer.await.expect("no panic");
    report.wrong = wrong;
    report.cpu_ns =
        (used / (CHECKS * time.as_secs() as u32 / INTERVAL.as_secs() as u32)).as_nanos() as u64;

    let schedules: HashMap<u32, Schedule> =
        list.iter().map(|target| (target.id.0, Schedule::new(target, epoch, SEED))).collect();
    let within = |at: &Instant| (begin..end).contains(at);
    let slot_of = |id: &u32, at: Instant| schedules[id].slot_after(at) - INTERVAL;
    // By slot, so that a late start counts where it belongs.
    let mut late: Vec<Duration> = (starts.iter())
        .map(|(id, at)| (slot_of(id, *at), at))
        .filter(|(slot, _)| within(slot))
        .map(|(slot, at)| at.duration_since(slot))
        .collect();
    late.sort_unstable();
    let due = |schedule: &Schedule| {
        let mut slot = schedule.slot_after(begin);
        let mut slots = 0;
        while slot < end {
            (slots, slot) = (slots + 1, slot + INTERVAL);
        }
        slots
    };
    report.results = [late.len() as u64, schedules.values().map(due).sum()];
    let at = |part: f64| late[((late.len() as f64 * part) as usize).min(late.len() - 1)];
    report.late_us = [at(0.5), at(0.99), at(1.0)].map(|late| late.as_micros() as u64);
    report
}
