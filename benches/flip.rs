//! From a change of health to the published snapshot, on a thread that answers nobody.
//!
//! What is to be reached: 100,000 records on shared pools behind 10 trees of 250 classes each: 2 ms.
//! 100,000 records with pools of their own: one changes 5 ms, all change 100 ms.
//!
//! `cargo bench --bench flip`

use std::hint::black_box;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use trimtab::clock;
use trimtab::control::{Event, State, apply};
use trimtab::geo::{Geo, LatencyTable};
use trimtab::health::{Health, Observation, Outcome, Phases, Vantage};
use trimtab::model::*;
use trimtab::problem::{Place, Problems};
use trimtab::routing::{Assembly, Options, Parts, Places, Publisher, compile};
use trimtab::wire::Name;
use trimtab::zone::Names;

const RECORDS: u32 = 100_000;
const TREES: u32 = 10;
const RULES: u16 = 249;
const REGIONS: u16 = 12;

/// One failure is enough, and one success, so that each observation is a flip.
fn check() -> Arc<Check> {
    let second = Duration::from_secs(1);
    let timing = Timing { interval: 10 * second, timeout: second, fall: 1, rise: 1 };
    Arc::new(Check { name: "web".into(), probe: Probe::Tcp, port: 80, target: None, timing })
}

fn pool(number: u32, region: RegionId, check: &Arc<Check>) -> Pool {
    Pool {
        region,
        record: None,
        v4: vec![Ipv4Addr::from_bits(0x0a00_0000 + number)],
        v6: vec![Ipv6Addr::from_bits((0x2001_0db8_u128 << 96) + u128::from(number))],
        checks: vec![Arc::clone(check)],
        min_healthy: MinHealthy::Count(1),
    }
}

fn regions(count: u16) -> Vec<Region> {
    let region = |n: u16| Region {
        name: format!("region-{n}").into(),
        weight: Weight::DEFAULT,
        location: None,
        pool: PoolId(u32::from(n)),
    };
    (0..count).map(region).collect()
}

fn record(number: u32, binding: u32) -> Record {
    Record {
        name: Name::from_text(&format!("r{number}.example.com")).unwrap(),
        place: Place::File("bench".into()),
        ttl: 60,
        ttl_min: 10,
        max_answers: 8,
        binding: BindingId(binding),
    }
}

fn node(node: Node) -> PolicyNode {
    PolicyNode { name: None, node }
}

/// Every region by weight, or two of them as a failover, for each of a few hundred networks.
fn geolocation(number: u32) -> Tree {
    let mut nodes: Vec<PolicyNode> = (0..REGIONS).map(|n| node(Node::Region(Slot(n)))).collect();
    let weight = |n: u32| Weight(u16::try_from(1 + (n + number) % 7).unwrap());
    let member = |n: u32| Member { weight: weight(n), node: NodeId(n) };
    let every = (0..u32::from(REGIONS)).map(member).collect();
    nodes.push(node(Node::Weighted { members: every }));
    let default = Some(NodeId(nodes.len() as u32 - 1));
    let missing = MissingFamily::Nodata;
    let rules = (0..RULES).map(|rule| {
        let first = u32::from(rule) % u32::from(REGIONS);
        let order = [first, (first + 1 + number) % u32::from(REGIONS)];
        let tiers = order.into_iter().map(|n| vec![member(n)]).collect();
        nodes.push(node(Node::Failover { tiers, spill: false, missing }));
        let prefix = format!("10.{rule}.0.0/16").parse().unwrap();
        let keys = GeoKeys { prefix: vec![prefix], ..GeoKeys::default() };
        GeoRule { keys, to: NodeId(nodes.len() as u32 - 1) }
    });
    let rules = rules.collect();
    nodes.push(node(Node::Geolocation { rules, default, fence: false, missing }));
    Tree {
        root: NodeId(nodes.len() as u32 - 1),
        nodes,
        on_all_down: OnAllDown::Open,
        slots: (0..REGIONS).map(RegionId).collect(),
        sticky: false,
    }
}

/// 100,000 records behind ten trees over the regions' own pools.
fn shared() -> Parts {
    let check = check();
    let every = (0..u32::from(REGIONS)).map(|n| Some(PoolId(n)));
    let binding = |n| Binding { tree: TreeId(n), pools: every.clone().collect() };
    Parts {
        regions: regions(REGIONS),
        pools: (0..REGIONS).map(|n| pool(n.into(), RegionId(n), &check)).collect(),
        trees: (0..TREES).map(geolocation).collect(),
        bindings: (0..TREES).map(binding).collect(),
        records: (0..RECORDS).map(|n| record(n, n % TREES)).collect(),
    }
}

/// 100,000 records, each with two pools of its own.
fn own() -> Parts {
    let check = check();
    let leaf = |n| node(Node::Region(Slot(n)));
    let member = |n| Member { weight: Weight::DEFAULT, node: NodeId(n) };
    let root = node(Node::Weighted { members: vec![member(0), member(1)] });
    let tree = Tree {
        nodes: vec![leaf(0), leaf(1), root],
        root: NodeId(2),
        on_all_down: OnAllDown::Open,
        slots: vec![RegionId(0), RegionId(1)],
        sticky: false,
    };
    let binding = |n| Binding {
        tree: TreeId(0),
        pools: vec![Some(PoolId(2 + 2 * n)), Some(PoolId(3 + 2 * n))],
    };
    Parts {
        regions: regions(2),
        pools: (0..2 + 2 * RECORDS).map(|n| pool(n, RegionId((n % 2) as u16), &check)).collect(),
        trees: vec![tree],
        bindings: (0..RECORDS).map(binding).collect(),
        records: (0..RECORDS).map(|n| record(n, n)).collect(),
    }
}

fn nothing(_: &Check, _: &Destination) -> Option<Health> {
    None
}

/// The single writer's part of a server.
struct Writer {
    state: State,
    publisher: Publisher,
    up: bool,
}

impl Writer {
    fn new(parts: Parts) -> Self {
        let places = Places::build(&parts, &Geo::default(), &LatencyTable::default()).unwrap();
        let names = Names::build(Vec::new(), &[], &mut Problems::default());
        let options = Options::default();
        let assembly = Assembly::new(parts, Arc::new(names), Arc::new(places), options, |_, _| 0);
        let state = State::new(Arc::new(assembly), &nothing, clock::now());
        let publisher = Publisher::new(compile(None, &state.assembly, &state.inputs()));
        let mut writer = Self { state, publisher, up: true };
        // From unknown to up, which is no change to those who are answered.
        let all = writer.targets(|_| true);
        writer.observe(&all, true);
        writer.publish();
        writer
    }

    fn targets(&self, which: impl Fn(usize) -> bool) -> Vec<TargetId> {
        let all = self.state.probe_list();
        all.iter().enumerate().filter(|(at, _)| which(*at)).map(|(_, target)| target.id).collect()
    }

    fn observe(&mut self, targets: &[TargetId], up: bool) {
        let failure: Arc<str> = "connect: refused".into();
        for &target in targets {
            let outcome = if up { Outcome::Pass } else { Outcome::Fail(Arc::clone(&failure)) };
            let (at, phases, vantage) = (clock::now(), Phases::default(), Vantage::Here);
            let seen = Observation { target, at, outcome, phases, vantage };
            apply(&mut self.state, Event::Observed(seen), at);
        }
    }

    fn publish(&mut self) {
        let before = self.publisher.handle().current();
        let snapshot = compile(Some(&before), &self.state.assembly, &self.state.inputs());
        drop(before);
        self.publisher.swap(black_box(snapshot));
    }

    /// Down and up again, so often: the time from the last observation until all is published;
    /// `all`: from the first.
    fn measure(&mut self, turns: u64, targets: &[TargetId], all: bool) -> Duration {
        let mut took = Duration::ZERO;
        for _ in 0..turns {
            let mut start = clock::now();
            self.up = !self.up;
            self.observe(targets, self.up);
            if !all {
                start = clock::now();
            }
            self.publish();
            took += clock::now().saturating_duration_since(start);
            // What was published before is freed when the new one already answers.
            self.publisher.sweep();
        }
        took
    }
}

fn flips(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("flip");
    group.sample_size(10);
    let mut writer = Writer::new(shared());
    let classes = writer.publisher.handle().current();
    let (_, side) = classes.side(RecordId(0), Family::V4).unwrap();
    println!("distributions of the first tree: {}", side.classes().len());
    drop(classes);
    // A region's two addresses are the first two targets.
    let (both, one) = (writer.targets(|at| at < 2), writer.targets(|at| at < 1));
    group.bench_function("a shared region", |b| {
        b.iter_custom(|turns| writer.measure(turns, &both, true));
    });
    group.bench_function("one family of a shared region", |b| {
        b.iter_custom(|turns| writer.measure(turns, &one, true));
    });
    drop(writer);
    let mut writer = Writer::new(own());
    // One address of one of a record's pools; one pool of each record.
    let (one, half) = (writer.targets(|at| at == 1000), writer.targets(|at| at % 4 < 2));
    group.bench_function("one of 200,000 own pools", |b| {
        b.iter_custom(|turns| writer.measure(turns, &one, true));
    });
    group.bench_function("an own pool of each of 100,000 records", |b| {
        b.iter_custom(|turns| writer.measure(turns, &half, false));
    });
}

criterion_group!(benches, flips);
criterion_main!(benches);
