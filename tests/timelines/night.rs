//! The half of a server that judges, on paused time: the real prober, single writer and tables. Only what
//! probes see is made up.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};
use trimtab::app;
use trimtab::clock;
use trimtab::control::views::{EventKind, EventView, HealthWord, Page, RecordView, RegionView};
use trimtab::control::{Control, EventFilter, Helm, RecordFilter, Request, Wiring};
use trimtab::health::{Health, Outcome, Phases, Report};
use trimtab::metrics::Metrics;
use trimtab::model::{Check, Destination, Target};
use trimtab::probe::{Prober, Settings, Verdict};
use trimtab::routing::Handle;

/// What a probe comes to that begins so many seconds after the start.
pub(crate) type World = dyn Fn(&Target, f64) -> Saw + Send + Sync;

/// What a probe saw.
#[derive(Debug, Clone)]
pub(crate) enum Saw {
    /// A pass, with what the target says of itself.
    Well(Report),
    /// A failure at once.
    Ill(&'static str),
    /// Nothing, until the time-out.
    Nothing,
    /// What knows of the target cannot be asked.
    Missing(&'static str),
}

/// A plain pass.
pub(crate) fn well() -> Saw {
    Saw::Well(Report::default())
}

/// A night of a server.
pub(crate) struct Night {
    start: Instant,
    pub(crate) helm: Helm,
    pub(crate) handle: Handle,
    told: u64,
    _stop: DropGuard,
}

/// A moment of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Look {
    /// Seconds since the start.
    pub(crate) secs: u64,
    pub(crate) regions: Vec<RegionLook>,
    /// The TTL of the first record's IPv4 answers.
    pub(crate) ttl: u32,
    /// By which rule they are decided.
    pub(crate) reason: String,
    /// What has happened since the look before.
    pub(crate) events: Vec<String>,
}

/// A region at a moment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RegionLook {
    pub(crate) name: String,
    pub(crate) health: HealthWord,
    /// Its share of the first record's IPv4 answers.
    pub(crate) share: f64,
}

impl Night {
    /// Begins with a configuration, whose name is used for its file.
    pub(crate) fn begin(
        name: &str,
        configuration: &str,
        world: impl Fn(&Target, f64) -> Saw + Send + Sync + 'static,
    ) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.toml"));
        std::fs::write(&path, configuration).unwrap();
        let loaded = app::load(&path, &app::Serials::default(), &mut |_, _| 0);
        let loaded = loaded.unwrap_or_else(|problems| panic!("{}", problems.render(false)));
        let start = clock::now();
        let (targets, targets_seen) = watch::channel(Arc::default());
        let (observations, observed) = mpsc::channel(1024);
        let (_reloads, reloaded) = mpsc::channel(1);
        let (asks, requests) = mpsc::channel(16);
        let (events, events_seen) = watch::channel(0);
        let wall = clock::wall();
        let wiring = Wiring {
            metrics: Metrics::new(),
            store: None,
            targets,
            settled: watch::channel(false).0,
            requests,
            events,
            wall: Box::new(move || wall + (clock::now() - start)),
            alive: watch::channel(start).0,
            aliases: watch::Sender::default(),
            looked: mpsc::channel(1).1,
        };
        let nothing = |_: &Check, _: &Destination| None::<Health>;
        let control = Control::new(loaded.assembly, &nothing, wiring);
        let (handle, stop) = (control.handle(), CancellationToken::new());
        let world: Arc<World> = Arc::new(world);
        let probe = move |target: Arc<Target>| probe(target, Arc::clone(&world), start);
        let settings = Settings { seed: 1, ..Settings::default() };
        let prober = Prober::spawn_with(probe, targets_seen, observations, settings, stop.clone());
        tokio::spawn(prober.stopped());
        tokio::spawn(control.run(observed, reloaded, stop.clone()));
        let helm = Helm::new(asks, events_seen);
        Self { start, helm, handle, told: 1, _stop: stop.drop_guard() }
    }

    /// How things are so many seconds after the start, when all that belongs to that second is done.
    pub(crate) async fn at(&mut self, secs: u64) -> Look {
        let when = self.start + Duration::from_secs(secs) + Duration::from_millis(700);
        tokio::time::sleep_until(when.into()).await;
        // What is published follows what is judged by up to 100 ms: a moment without a change in between.
        let words = |regions: &[RegionView]| regions.iter().map(|r| r.health).collect::<Vec<_>>();
        let mut before: Vec<RegionView> = self.helm.ask(Request::Regions).await.unwrap();
        let regions: Vec<RegionView> = loop {
            tokio::time::sleep(Duration::from_millis(101)).await;
            let after: Vec<RegionView> = self.helm.ask(Request::Regions).await.unwrap();
            if words(&before) == words(&after) {
                break after;
            }
            before = after;
        };
        let filter = RecordFilter { limit: 1, ..RecordFilter::default() };
        let records: Page<RecordView> =
            self.helm.ask(|reply| Request::Records(filter, reply)).await.unwrap();
        let family = records.items[0].families.first().cloned().expect("it has addresses");
        let of = |region: &RegionView| RegionLook {
            name: region.name.clone(),
            health: region.health,
            share: (family.shares.iter().find(|s| s.region == region.name))
                .map_or(0.0, |s| s.share.most),
        };
        let events = self.events().await;
        Look {
            secs,
            regions: regions.iter().map(of).collect(),
            ttl: family.ttl[0],
            reason: family.reason.clone(),
            events: events.into_iter().map(|event| event.text).collect(),
        }
    }

    /// What has happened since it was last asked.
    pub(crate) async fn events(&mut self) -> Vec<EventView> {
        let filter = EventFilter { after: Some(self.told), limit: 5000, ..EventFilter::default() };
        let events: Vec<EventView> =
            self.helm.ask(|reply| Request::Events(filter, reply)).await.unwrap();
        self.told = events.last().map_or(self.told, |event| event.id);
        events.into_iter().filter(|event| event.kind != EventKind::Started).collect()
    }

    /// Each second up to one, inclusive.
    pub(crate) async fn until(&mut self, first: u64, last: u64) -> Vec<Look> {
        let mut all = Vec::new();
        for secs in first..=last {
            all.push(self.at(secs).await);
        }
        all
    }
}

async fn probe(target: Arc<Target>, world: Arc<World>, start: Instant) -> Verdict {
    let began = (clock::now() - start).as_secs_f64();
    let took = |ms| Phases { total: Duration::from_millis(ms), ..Phases::default() };
    match world(&target, began) {
        Saw::Well(report) => Verdict::Seen(Outcome::Pass, report, took(20)),
        Saw::Ill(why) => Verdict::Seen(Outcome::Fail(why.into()), Report::default(), took(20)),
        Saw::Missing(why) => {
            Verdict::Seen(Outcome::Missing(why.into()), Report::default(), took(20))
        }
        Saw::Nothing => {
            let timeout = target.check.timing.timeout;
            tokio::time::sleep(timeout).await;
            let why = format!("connect: timed out after {} s", timeout.as_secs());
            Verdict::Seen(Outcome::Fail(why.into()), Report::default(), took(2000))
        }
    }
}

/// Region r0, r1 … of a target's address 192.0.2.10, .11 …
pub(crate) fn number(target: &Target) -> Option<u8> {
    match target.destination {
        Destination::Address(std::net::IpAddr::V4(address)) => address.octets()[3].checked_sub(10),
        _ => None,
    }
}

/// The moments at which something is otherwise than before, as a table.
pub(crate) fn table(looks: &[Look]) -> String {
    let mut out = String::from("    s");
    for region in looks.first().map_or(&[][..], |look| &look.regions) {
        let _ = write!(out, "  {:<20}", region.name);
    }
    out += "  ttl\n";
    let mut before: Option<&Look> = None;
    for look in looks {
        let same = before.is_some_and(|was| {
            was.regions == look.regions && was.ttl == look.ttl && was.reason == look.reason
        });
        if !same {
            let _ = write!(out, "{:>5}", look.secs);
            for RegionLook { health, share, .. } in &look.regions {
                let word = format!("{health:?}");
                let _ = write!(out, "  {word:<9} {:>5.1} %   ", share * 100.0);
            }
            let reason = if look.reason == "available" { "" } else { &look.reason };
            let line = format!("  {:>3}  {reason}", look.ttl);
            out += line.trim_end();
            out.push('\n');
        }
        for event in &look.events {
            let _ = writeln!(out, "{:>5}  ! {event}", look.secs);
        }
        before = Some(look);
    }
    out
}

/// The share of a region in a moment.
pub(crate) fn share(look: &Look, region: &str) -> f64 {
    look.regions.iter().find(|one| one.name == region).map_or(0.0, |one| one.share)
}
