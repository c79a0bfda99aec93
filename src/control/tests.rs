//! The single writer on paused time: what is observed, and what is published, told and stored.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{advance, sleep};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::clock;
use crate::health::{Health, Observation, Outcome, Phases, Report, State as Judged, Vantage};
use crate::metrics::Metrics;
use crate::model::*;
use crate::routing::{Assembly, Handle, Options, Parts, Reason};
use crate::wire::Name;
use crate::zone::Names;

pub(super) const TIMING: Timing = Timing {
    interval: Duration::from_secs(10),
    fast: None,
    timeout: Duration::from_secs(2),
    fall: 3,
    rise: 2,
};

pub(super) fn check(name: &str) -> Arc<Check> {
    let (name, probe) = (name.into(), Probe::Tcp);
    Arc::new(Check::new(name, probe, 80, TIMING))
}

/// Regions r0, r1 and so on with so many addresses each, shared by weight, behind one record
/// without a zone.
fn assembly(addresses: &[u8], check: &Arc<Check>) -> Arc<Assembly> {
    let regions: Vec<(u8, u8)> = (0..).zip(addresses.iter().copied()).collect();
    assembly_of(&regions, check, OnAllDown::Open, None)
}

/// Regions of these numbers with so many addresses each, of which the first is 192.0.NUMBER.1;
/// with a tolerance by latency, else by weight.
pub(super) fn assembly_of(
    regions: &[(u8, u8)],
    check: &Arc<Check>,
    on_all_down: OnAllDown,
    tolerance: Option<Duration>,
) -> Arc<Assembly> {
    let number = |n: usize| u16::try_from(n).unwrap();
    let pool = |(n, &(third, count)): (usize, &(u8, u8))| Pool {
        region: RegionId(number(n)),
        record: None,
        endpoint: Endpoint::Given,
        v4: (1..=count).map(|last| Ipv4Addr::new(192, 0, third, last)).collect(),
        v6: Vec::new(),
        checks: vec![Arc::clone(check)],
        min_healthy: MinHealthy::Count(1),
        calm: Calm::default(),
    };
    let region = |(n, (name, _)): (usize, &(u8, u8))| Region {
        name: format!("r{name}").into(),
        weight: Weight::DEFAULT,
        location: None,
        capacity: None,
        pool: PoolId(n as u32),
    };
    let leaf = |n| PolicyNode { name: None, node: Node::Region(Slot(number(n))), min_up: 0 };
    let all = 0..regions.len();
    let member = |n| Member { weight: Weight::DEFAULT, node: NodeId(n as u32) };
    let members = all.clone().map(member).collect();
    let root = match tolerance {
        None => Node::Weighted { members },
        Some(tolerance) => Node::Latency { members, tolerance, missing: MissingFamily::Nodata },
    };
    let mut nodes: Vec<PolicyNode> = all.clone().map(leaf).collect();
    nodes.push(PolicyNode { name: None, node: root, min_up: 0 });
    let parts = Parts {
        regions: regions.iter().enumerate().map(region).collect(),
        pools: regions.iter().enumerate().map(pool).collect(),
        trees: vec![Tree {
            root: NodeId(nodes.len() as u32 - 1),
            nodes,
            on_all_down,
            slots: all.clone().map(|n| RegionId(number(n))).collect(),
            sticky: false,
        }],
        bindings: vec![Binding {
            tree: TreeId(0),
            pools: all.map(|n| Some(PoolId(n as u32))).collect(),
        }],
        records: vec![Record {
            name: Name::from_text("app.test").unwrap(),
            place: crate::problem::Place::File("test".into()),
            ttl: 60,
            ttl_min: 10,
            max_answers: 8,
            binding: BindingId(0),
        }],
        judging: Judging::default(),
        planning: Default::default(),
        foresight: Default::default(),
    };
    let mut problems = crate::problem::Problems::default();
    let names = Names::build(Vec::new(), &[], &mut problems);
    let options = Options::default();
    Arc::new(Assembly::new(parts, Arc::new(names), Arc::default(), options, |_, _| 0))
}

/// A wall clock that goes on with the paused one, and can be set.
fn wall_beside(from: Instant, set_by: Arc<AtomicI64>) -> Wall {
    let start = clock::wall();
    Box::new(move || {
        let wall = start + (clock::now() - from);
        let by = set_by.load(Ordering::Relaxed);
        let span = Duration::from_secs(by.unsigned_abs());
        if by < 0 { wall - span } else { wall + span }
    })
}

/// A running writer, and the ends that it is connected to.
pub(super) struct Running {
    observations: mpsc::Sender<Observation>,
    reloads: mpsc::Sender<Reloaded>,
    targets: watch::Receiver<Arc<[Arc<Target>]>>,
    settled: watch::Receiver<bool>,
    alive: watch::Receiver<Instant>,
    pub(super) aliases: watch::Receiver<Arc<[Name]>>,
    pub(super) looks: mpsc::Sender<Looked>,
    pub(super) handle: Handle,
    pub(super) helm: Helm,
    pub(super) metrics: Arc<Metrics>,
    /// By so many seconds the wall clock was set.
    set_by: Arc<AtomicI64>,
    writing: tokio::task::JoinHandle<()>,
    _stop: tokio_util::sync::DropGuard,
}

fn start(assembly: Arc<Assembly>, past: &dyn Past) -> Running {
    start_with(assembly, past, None)
}

pub(super) fn start_with(
    assembly: Arc<Assembly>,
    past: &dyn Past,
    store: Option<store::Store>,
) -> Running {
    let (targets, targets_seen) = watch::channel(Arc::default());
    let (settled_told, settled) = watch::channel(false);
    let (observations, observed) = mpsc::channel(64);
    let (reloads, reloaded) = mpsc::channel(1);
    let metrics = Metrics::new();
    let (asks, requests) = mpsc::channel(16);
    let (events, events_seen) = watch::channel(0);
    let metrics_too = Arc::clone(&metrics);
    let set_by = Arc::new(AtomicI64::new(0));
    let (alive_told, alive) = watch::channel(clock::now());
    let (aliases_told, aliases) = watch::channel(Arc::default());
    let (looks, looked) = mpsc::channel(16);
    let wiring = Wiring {
        metrics: metrics_too,
        store,
        targets,
        settled: settled_told,
        requests,
        events,
        wall: wall_beside(clock::now(), Arc::clone(&set_by)),
        alive: alive_told,
        aliases: aliases_told,
        looked,
    };
    let control = Control::new(assembly, past, wiring);
    let (handle, stop) = (control.handle(), CancellationToken::new());
    let writing = tokio::spawn(control.run(observed, reloaded, stop.clone()));
    Running {
        observations,
        reloads,
        targets: targets_seen,
        settled,
        alive,
        aliases,
        looks,
        handle,
        helm: Helm::new(asks, events_seen),
        metrics,
        set_by,
        writing,
        _stop: stop.drop_guard(),
    }
}

impl Running {
    /// What a probe of an address saw; returns when what follows from it is published.
    pub(super) async fn seen(&self, address: [u8; 4], pass: bool) {
        self.timed(address, pass, None).await;
    }

    /// The same with the time that it took to connect.
    pub(super) async fn timed(&self, address: [u8; 4], pass: bool, connect: Option<Duration>) {
        self.told(address, pass, connect).await;
        sleep(Duration::from_millis(101)).await;
    }

    /// The same without waiting for what follows.
    pub(super) async fn told(&self, address: [u8; 4], pass: bool, connect: Option<Duration>) {
        let destination = Destination::Address(address.into());
        let target = self.targets.borrow().iter().find(|t| t.destination == destination).cloned();
        let outcome = if pass { Outcome::Pass } else { Outcome::Fail("HTTP 503".into()) };
        let observation = Observation {
            target: target.expect("it is probed").id,
            at: clock::now(),
            outcome,
            report: Report::default(),
            gap: TIMING.interval,
            phases: Phases { connect, ..Phases::default() },
            vantage: Vantage::Here,
        };
        self.observations.send(observation).await.unwrap();
    }

    pub(super) async fn reload(&self, assembly: Arc<Assembly>) {
        let (done, published) = oneshot::channel();
        let origin = Origin { text: "loaded again".into(), ..Origin::default() };
        self.reloads.send(Reloaded { assembly, origin, done }).await.unwrap();
        published.await.unwrap();
    }

    /// Stops, and waits until all is stored.
    pub(super) async fn stop(self) {
        drop(self._stop);
        self.writing.await.unwrap();
    }

    /// Sets the wall clock by so many seconds.
    pub(super) fn set_clock(&self, secs: i64) {
        self.set_by.store(secs, Ordering::Relaxed);
    }

    pub(super) fn has_settled(&self) -> bool {
        *self.settled.borrow()
    }

    pub(super) fn generation(&self) -> u64 {
        self.handle.current().generation
    }

    /// The shares of the regions in percent, the TTL, and whether all is down.
    pub(super) fn served(&self) -> (Vec<u32>, u32, bool) {
        let snapshot = self.handle.current();
        let (record, side) = snapshot.side(RecordId(0), Family::V4).unwrap();
        let class = side.class(0).unwrap();
        let share = |slot: usize| {
            let of = |(group, share): &(crate::routing::Group, f64)| match group {
                crate::routing::Group::Slot(s) if s.index() == slot => Some(*share),
                _ => None,
            };
            let share: f64 = class.distribution.shares.iter().filter_map(of).sum();
            (share * 100.0).round() as u32
        };
        let shares = (0..side.tails.len()).map(share).collect();
        (shares, record.ttl(class), class.distribution.reason == Reason::Open)
    }
}

pub(super) fn nothing(_: &Check, _: &Destination) -> Option<Health> {
    None
}

const EAST: [u8; 4] = [192, 0, 0, 1];
const WEST: [u8; 4] = [192, 0, 1, 1];

#[tokio::test(start_paused = true)]
async fn an_outage_and_a_recovery() {
    let server = start(assembly(&[1, 1], &check("web")), &nothing);
    assert_eq!(server.served(), (vec![50, 50], 60, false), "unknown serves as up");
    server.seen(EAST, true).await;
    assert!(!*server.settled.borrow());
    server.seen(WEST, true).await;
    assert!(*server.settled.borrow());

    // Each failure brings the flip nearer: 2 intervals, 1, down.
    for (ttl, shares) in [(20, vec![50, 50]), (10, vec![50, 50]), (60, vec![0, 100])] {
        advance(TIMING.interval).await;
        server.seen(EAST, false).await;
        assert_eq!(server.served(), (shares, ttl, false));
    }
    // The other one as well: fail open, and the least TTL.
    for _ in 0..3 {
        advance(TIMING.interval).await;
        server.seen(WEST, false).await;
    }
    assert_eq!(server.served(), (vec![50, 50], 10, true));
    assert!(server.metrics.text().contains("trimtab_record_all_down{record=\"app.test\"} 1"));

    for (shares, all_down) in [(vec![50, 50], true), (vec![100, 0], false)] {
        advance(TIMING.interval).await;
        server.seen(EAST, true).await;
        assert_eq!((server.served().0, server.served().2), (shares, all_down));
    }
    let text = server.metrics.text();
    assert!(text.contains("trimtab_record_all_down{record=\"app.test\"} 0"));
    assert!(text.contains("trimtab_region_transitions_total{region=\"r0\",to=\"down\"} 1"));
    assert!(text.contains("trimtab_region_transitions_total{region=\"r0\",to=\"up\"} 1"));
    assert!(text.contains("trimtab_region_up{region=\"r1\",family=\"ipv4\"} 0"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_first_change_is_published_at_once_and_a_burst_once() {
    let server = start(assembly(&[100, 1], &check("web")), &nothing);
    sleep(Duration::from_secs(1)).await;
    let before = server.generation();
    // Each of the hundred goes down with its third failure: so many changes in a row.
    for last in 1..=100 {
        let destination = Destination::Address([192, 0, 0, last].into());
        let targets = server.targets.borrow().clone();
        let target = targets.iter().find(|t| t.destination == destination).unwrap().id;
        for _ in 0..3 {
            let (at, outcome) = (clock::now(), Outcome::Fail("refused".into()));
            let (phases, vantage) = (Phases::default(), Vantage::Here);
            let seen = Observation {
                target,
                at,
                outcome,
                report: Report::default(),
                phases,
                gap: TIMING.interval,
                vantage,
            };
            server.observations.send(seen).await.unwrap();
        }
    }
    sleep(Duration::from_millis(50)).await;
    assert_eq!(server.generation(), before + 1, "the first at once, none within 100 ms of it");
    assert_eq!(server.served().0, [50, 50]);
    sleep(Duration::from_millis(60)).await;
    assert_eq!(server.generation(), before + 2, "all the others in one");
    assert_eq!(server.served().0, [0, 100]);
}

#[tokio::test(start_paused = true)]
async fn what_changes_nothing_publishes_nothing() {
    let server = start(assembly(&[1], &check("web")), &nothing);
    server.seen(EAST, true).await;
    advance(Duration::from_secs(1)).await;
    sleep(Duration::from_millis(1)).await;
    let before = server.generation();
    for _ in 0..50 {
        advance(TIMING.interval).await;
        server.seen(EAST, true).await;
    }
    assert_eq!(server.generation(), before);
}

#[tokio::test(start_paused = true)]
async fn a_reload_keeps_what_it_does_not_change() {
    let web = check("web");
    let server = start(assembly(&[1, 1], &web), &nothing);
    server.seen(WEST, true).await;
    for _ in 0..3 {
        advance(TIMING.interval).await;
        server.seen(EAST, false).await;
    }
    assert_eq!(server.served().0, [0, 100]);
    let ids = |server: &Running| -> Vec<TargetId> {
        server.targets.borrow().iter().map(|target| target.id).collect()
    };
    let before = ids(&server);

    // The same checks with another timing, and an address more: state, counters and ids stay.
    let mut slower = (*web).clone();
    slower.timing.interval = Duration::from_secs(20);
    server.reload(assembly(&[1, 2], &Arc::new(slower))).await;
    assert_eq!(server.served().0, [0, 100]);
    assert_eq!(ids(&server)[..2], before[..]);
    // One success is not enough, as before; the second is.
    server.seen(EAST, true).await;
    assert_eq!(server.served().0, [0, 100]);
    server.seen(EAST, true).await;
    assert_eq!(server.served().0, [50, 50]);

    // The newcomer joins its pool after its first success.
    let west = |server: &Running| {
        let snapshot = server.handle.current();
        snapshot.side(RecordId(0), Family::V4).unwrap().1.tails[1].count()
    };
    advance(Duration::from_secs(1)).await;
    assert_eq!(west(&server), 1);
    server.seen([192, 0, 1, 2], true).await;
    sleep(Duration::from_millis(110)).await;
    assert_eq!(west(&server), 2);

    // Another question under the same name is another target.
    let mut other = (*web).clone();
    other.port = 81;
    server.reload(assembly(&[1, 1], &Arc::new(other))).await;
    assert!(ids(&server).iter().all(|id| !before.contains(id)));
    // What is still under way for a target that has gone does no harm.
    let (at, outcome) = (clock::now(), Outcome::Fail("late".into()));
    let (phases, vantage) = (Phases::default(), Vantage::Here);
    let late = Observation {
        target: before[0],
        at,
        outcome,
        report: Report::default(),
        phases,
        gap: TIMING.interval,
        vantage,
    };
    server.observations.send(late).await.unwrap();
    sleep(Duration::from_millis(200)).await;
    assert_eq!(server.served().0, [50, 50]);
}

#[tokio::test(start_paused = true)]
async fn stored_health_stands_in_for_the_first_results() {
    let known = |_: &Check, destination: &Destination| {
        let east = *destination == Destination::Address(EAST.into());
        let state = if east { Judged::Down } else { Judged::Up };
        Some(Health { state, ..Health::unknown(clock::now()) })
    };
    let server = start(assembly(&[1, 1], &check("web")), &known);
    assert!(*server.settled.borrow());
    assert_eq!(server.served().0, [0, 100]);
    assert!(server.targets.borrow().iter().all(|target| target.settled));
}

#[tokio::test(start_paused = true)]
async fn series_of_what_is_gone_vanish() {
    let server = start(assembly(&[1, 1], &check("web")), &nothing);
    server.seen(EAST, true).await;
    server.seen(WEST, true).await;
    assert!(server.metrics.text().contains("region=\"r1\""));
    server.reload(assembly(&[1], &check("web"))).await;
    let text = server.metrics.text();
    assert!(text.contains("region=\"r0\"") && !text.contains("region=\"r1\""), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_loop_says_once_a_second_that_it_comes_round() {
    let server = start(assembly(&[1], &check("web")), &nothing);
    for _ in 0..5 {
        sleep(Duration::from_secs(1)).await;
        let ago = clock::now().saturating_duration_since(*server.alive.borrow());
        assert!(ago <= Duration::from_secs(1), "{ago:?}");
    }
    server.stop().await;
}
