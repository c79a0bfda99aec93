//! The single writer's part of a server, without sockets, and what it costs.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use trimtab::clock;
use trimtab::control::{Control, Event, State, Wiring, apply};
use trimtab::geo::{Geo, LatencyTable};
use trimtab::health::{Health, Observation, Outcome, Phases, Report, Vantage};
use trimtab::metrics::Metrics;
use trimtab::model::{Check, Destination, TargetId};
use trimtab::problem::Problems;
use trimtab::routing::{Assembly, Options, Parts, Places, Publisher, compile};
use trimtab::zone::Names;

fn nothing(_: &Check, _: &Destination) -> Option<Health> {
    None
}

/// What is configured, ready to be compiled.
pub(super) fn assembly(parts: Parts, geo: &Geo) -> Arc<Assembly> {
    let places = Places::build(&parts, geo, &LatencyTable::default()).unwrap();
    let names = Names::build(Vec::new(), &[], &mut Problems::default());
    let options = Options::default();
    Arc::new(Assembly::new(parts, Arc::new(names), Arc::new(places), options, |_, _| 0))
}

fn observation(target: TargetId, up: bool) -> Observation {
    let outcome = if up { Outcome::Pass } else { Outcome::Fail("connect: refused".into()) };
    let (at, phases, vantage) = (clock::now(), Phases::default(), Vantage::Here);
    let (report, gap) = (Report::default(), Duration::from_secs(10));
    Observation { target, at, outcome, report, phases, gap, vantage }
}

/// How long something took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Took {
    /// By the clock.
    pub(super) wall: Duration,
    /// On a core, which is the same on a machine that does much else.
    pub(super) cpu: Duration,
}

/// Starts a measurement.
struct Started(Instant, Duration);

impl Started {
    fn now() -> Self {
        Self(clock::now(), on_core())
    }

    fn took(&self) -> Took {
        Took { wall: clock::now() - self.0, cpu: on_core() - self.1 }
    }
}

/// The time that this thread has had a core.
fn on_core() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.try_into().unwrap_or_default())
}

/// Judges, compiles and publishes.
pub(super) struct Writer {
    state: State,
    publisher: Publisher,
    up: bool,
}

impl Writer {
    /// With everything up.
    pub(super) fn new(assembly: Arc<Assembly>) -> Self {
        let state = State::new(assembly, &nothing, clock::now());
        let publisher = Publisher::new(compile(None, &state.assembly, &state.inputs()));
        let mut writer = Self { state, publisher, up: true };
        // From unknown to up, which is no change to those who are answered.
        let all = writer.targets(|_| true);
        writer.observe(&all, true);
        writer.publish();
        writer
    }

    /// The targets of which `which` says so by their position.
    pub(super) fn targets(&self, which: impl Fn(usize) -> bool) -> Vec<TargetId> {
        let all = self.state.probe_list();
        all.iter().enumerate().filter(|(at, _)| which(*at)).map(|(_, target)| target.id).collect()
    }

    fn observe(&mut self, targets: &[TargetId], up: bool) {
        for &target in targets {
            let seen = observation(target, up);
            let at = seen.at;
            apply(&mut self.state, Event::Observed(seen), at);
        }
    }

    fn publish(&mut self) {
        let before = self.publisher.handle().current();
        let snapshot = compile(Some(&before), &self.state.assembly, &self.state.inputs());
        drop(before);
        self.publisher.swap(black_box(snapshot));
    }

    /// Down and up again, so often: what judging took, and from the last verdict until all is published.
    pub(super) fn flips(&mut self, turns: usize, targets: &[TargetId]) -> (Vec<Took>, Vec<Took>) {
        let (mut judged, mut published) = (Vec::new(), Vec::new());
        for _ in 0..turns {
            self.up = !self.up;
            let started = Started::now();
            self.observe(targets, self.up);
            judged.push(started.took());
            let started = Started::now();
            self.publish();
            published.push(started.took());
            // What was published before is freed when the new one already answers.
            self.publisher.sweep();
        }
        (judged, published)
    }
}

/// The loop of a server that observes a change now and then: from the moment at which a result is handed
/// to it until it has published what follows, by the clock.
pub(super) fn end_to_end(assembly: Arc<Assembly>, turns: usize) -> Vec<Duration> {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (targets, probed) = watch::channel(Arc::default());
    let (settled, _settled) = watch::channel(false);
    let (observed, observations) = mpsc::channel(4096);
    let (_reloads, reloaded) = mpsc::channel(1);
    let wiring = Wiring {
        metrics: Metrics::new(),
        store: None,
        targets,
        settled,
        requests: mpsc::channel(1).1,
        events: watch::Sender::new(0),
        wall: Box::new(clock::wall),
        alive: watch::Sender::new(clock::now()),
        aliases: watch::Sender::default(),
        looked: mpsc::channel(1).1,
    };
    let control = Control::new(assembly, &nothing, wiring);
    let (handle, stop) = (control.handle(), CancellationToken::new());
    let running = runtime.spawn(control.run(observations, reloaded, stop.clone()));
    let all: Vec<TargetId> = probed.borrow().iter().map(|target| target.id).collect();
    for &target in &all {
        observed.blocking_send(observation(target, true)).unwrap();
    }
    let flip = |turn: usize| {
        // Longer than the least time between two publications.
        std::thread::sleep(Duration::from_millis(150));
        let before = handle.current().generation;
        let start = clock::now();
        observed.blocking_send(observation(all[0], turn % 2 == 1)).unwrap();
        while handle.current().generation == before {
            std::hint::spin_loop();
        }
        clock::now() - start
    };
    let took = (0..turns).map(flip).collect();
    stop.cancel();
    runtime.block_on(running).unwrap();
    took
}
