//! What a compile makes of whole assemblies; and small assemblies to see it with.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::properties::spec;
use super::tables::{Spec, plant};
use super::*;
use crate::model::{
    Binding, BindingId, Calm, Endpoint, Family, Forcing, Judging, MinHealthy, Node, NodeId,
    OnAllDown, Pool, PoolId, Record, RecordId, Region, RegionId, Shifted, Slot, Tree, TreeId,
    Weight,
};
use crate::problem::{Place, Problems};
use crate::wire::Name;
use crate::zone::Names;

/// A pool with so many addresses of each family, the last octets of which count from 1.
pub(super) fn pool(region: u16, v4: u8, v6: u16) -> Pool {
    let [_, low] = region.to_be_bytes();
    Pool {
        region: RegionId(region),
        record: None,
        endpoint: Endpoint::Given,
        v4: (1..=v4).map(|n| Ipv4Addr::new(192, 0, low, n)).collect(),
        v6: (1..=v6).map(|n| Ipv6Addr::new(0x2001, 0xdb8, region, 0, 0, 0, 0, n)).collect(),
        checks: Vec::new(),
        min_healthy: MinHealthy::Count(1),
        calm: Calm::default(),
    }
}

/// One record over a tree whose slots have these pools and classes; regions are named `r0`, `r1`…
pub(super) fn assemble(tree: Tree, classes: Vec<Class>, pools: Vec<Pool>) -> Arc<Assembly> {
    let names: Vec<String> = (0..pools.len()).map(|n| format!("r{n}")).collect();
    assemble_named(tree, classes, pools, &names)
}

pub(super) fn assemble_named(
    tree: Tree,
    classes: Vec<Class>,
    pools: Vec<Pool>,
    names: &[String],
) -> Arc<Assembly> {
    let region = |(n, name): (usize, &String)| Region {
        name: name.as_str().into(),
        weight: Weight::DEFAULT,
        location: None,
        capacity: None,
        pool: PoolId(n as u32),
    };
    let slots = tree.slots.iter().map(|region| Some(PoolId(u32::from(region.0)))).collect();
    let parts = Parts {
        regions: names.iter().enumerate().map(region).collect(),
        pools,
        trees: vec![tree],
        bindings: vec![Binding { tree: TreeId(0), pools: slots }],
        records: vec![Record {
            name: Name::from_text("app.test").unwrap(),
            place: Place::File("test".into()),
            ttl: 60,
            ttl_min: 10,
            max_answers: 8,
            binding: BindingId(0),
        }],
        judging: Judging::default(),
        planning: Default::default(),
        foresight: Default::default(),
    };
    let places = Places::for_tests(vec![classes]);
    let names = Names::build(Vec::new(), &[], &mut Problems::default());
    let options = Options::default();
    Arc::new(Assembly::new(parts, Arc::new(names), Arc::new(places), options, |_, _| 0))
}

/// A pool of which so many addresses of each family are up; the factor is 1 if any is.
pub(super) fn stand(pool: &Pool, up: [usize; 2], flip: Option<Duration>) -> Arc<PoolStanding> {
    Arc::new(PoolStanding::new(Family::BOTH.map(|family| {
        let live: Vec<_> = pool.addresses(family).take(up[family.index()]).collect();
        let h = f64::from(u8::from(!live.is_empty()));
        Standing::new(pool, family, h, live, flip)
    })))
}

/// All of a pool's addresses up, or none.
pub(super) fn all_or_none(assembly: &Assembly, up: &[bool]) -> Inputs {
    let pools = assembly.pools.iter().zip(up);
    Inputs::of(pools.map(|(pool, up)| Arc::new(PoolStanding::assumed(pool, *up))).collect())
}

/// A class that knows nothing but its chain of a geolocation.
fn chain(node: NodeId, rules: &[usize]) -> Class {
    Class { chains: vec![(node, rules.to_vec())], bands: Vec::new() }
}

fn region(n: u16) -> Spec {
    Spec::Region(n)
}

fn side(snapshot: &Snapshot) -> &Side {
    snapshot.side(RecordId(0), Family::V4).unwrap().1
}

#[test]
fn classes_that_come_to_the_same_share_it() {
    let spec = Spec::Chain(vec![region(0), region(1), region(0), region(2)], false);
    let (tree, _) = plant(&spec, 3, OnAllDown::Open);
    let classes = [&[0][..], &[1], &[2, 1], &[]].map(|rules| chain(tree.root, rules));
    let pools = (0..3).map(|n| pool(n, 1, 1)).collect();
    let assembly = assemble(tree, classes.to_vec(), pools);
    let snapshot = compile(None, &assembly, &all_or_none(&assembly, &[true; 3]));
    let side = side(&snapshot);
    let slot = |class| match side.class(class)?.distribution.pick {
        Pick::One(slot) => Some(slot.0),
        _ => None,
    };
    assert_eq!([0, 1, 2, 3].map(slot), [Some(0), Some(1), Some(0), Some(2)]);
    assert_eq!(side.classes().len(), 3);
    assert!(side.class(4).is_none());
    // The most specific rule's region goes down: its class alone follows the chain.
    let snapshot =
        compile(Some(&snapshot), &assembly, &all_or_none(&assembly, &[false, true, true]));
    let side = self::side(&snapshot);
    let slot = |class| side.class(class)?.distribution.slots().next();
    assert_eq!([0, 1, 2, 3].map(slot), [2, 1, 1, 2].map(|n| Some(Slot(n))));
}

#[test]
fn a_fence_that_is_all_down_is_all_down_for_its_class() {
    let spec = Spec::Chain(vec![region(0), region(1), region(1)], true);
    let (tree, _) = plant(&spec, 2, OnAllDown::Open);
    let classes = [&[0][..], &[1]].map(|rules| chain(tree.root, rules));
    let assembly = assemble(tree, classes.to_vec(), vec![pool(0, 1, 0), pool(1, 1, 0)]);
    let snapshot = compile(None, &assembly, &all_or_none(&assembly, &[false, true]));
    let (record, side) = snapshot.side(RecordId(0), Family::V4).unwrap();
    let told = |class| {
        let class = side.class(class).unwrap();
        (class.distribution.reason, record.ttl(class))
    };
    assert_eq!(told(0), (Reason::Open, 10));
    assert_eq!(told(1), (Reason::Available, 60));
}

#[test]
fn a_ring_tells_whose_addresses_it_has() {
    let (mut tree, class) = plant(&Spec::Ring(vec![0, 1, 2]), 3, OnAllDown::Open);
    let Node::Multivalue { max_answers, .. } = &mut tree.nodes[0].node else { panic!("a ring") };
    *max_answers = Some(3);
    let pools = vec![pool(0, 2, 0), pool(1, 2, 0), pool(2, 1, 0)];
    let assembly = assemble(tree, vec![class], pools.clone());
    let standings = [[2, 0], [0, 0], [1, 0]];
    let standings = pools.iter().zip(standings).map(|(pool, up)| stand(pool, up, None)).collect();
    let snapshot = compile(None, &assembly, &Inputs::of(standings));
    let side = side(&snapshot);
    let class = side.class(0).unwrap();
    let answer = side.answer(class, class.distribution.pick.draw(7, 0).unwrap()).unwrap();
    assert_eq!((answer.tail.count(), answer.most), (3, 3));
    // First of r0, first of r2, second of r0.
    let regions = |start, count| answer.regions(start, count).map(|s| s.0).collect::<Vec<_>>();
    assert_eq!(regions(0, 1), [0]);
    assert_eq!(regions(0, 3), [0, 2]);
    assert_eq!(regions(1, 1), [2]);
    assert_eq!(regions(2, 2), [0]);
    assert_eq!(regions(1, 9), [2, 0]);
    assert_eq!(regions(9, 1), Vec::<u16>::new());
    assert!(side.answer(class, Slot(4)).is_none());
}

#[test]
fn a_region_answers_for_itself() {
    let (tree, class) = plant(&region(0), 1, OnAllDown::Open);
    let assembly = assemble(tree, vec![class], vec![pool(0, 3, 0)]);
    let snapshot = compile(None, &assembly, &all_or_none(&assembly, &[true]));
    let side = side(&snapshot);
    let answer = side.answer(side.class(0).unwrap(), Slot(0)).unwrap();
    assert_eq!(answer.regions(1, 3).collect::<Vec<_>>(), [Slot(0)]);
    assert_eq!(answer.most, u16::MAX);
}

/// Whatever rule decided, a ring that has a share has addresses.
#[test]
fn a_ring_inside_a_fence_is_never_empty() {
    let spec = Spec::Chain(vec![Spec::Ring(vec![0, 1]), region(2)], true);
    for all_down in ["open", "instead"] {
        let (mut tree, class) = plant(&spec, 3, OnAllDown::Open);
        if all_down == "instead" {
            let ring = NodeId(0);
            assert!(matches!(tree.node(ring), Node::Multivalue { .. }));
            tree.on_all_down = OnAllDown::Instead(ring);
        }
        let assembly = assemble(tree, vec![class], (0..3).map(|n| pool(n, 1, 0)).collect());
        let snapshot = compile(None, &assembly, &all_or_none(&assembly, &[false, false, true]));
        let side = side(&snapshot);
        let class = side.class(0).unwrap();
        let answer = side.answer(class, class.distribution.pick.draw(7, 0).unwrap()).unwrap();
        assert_eq!(answer.tail.count(), 2, "{all_down}");
    }
}

/// The same memory for both families.
fn remembered(h: &[f64]) -> Option<Arc<Remembered>> {
    Some(Arc::new(Remembered { family: [Some(h.into()), Some(h.into())] }))
}

fn shares(side: &Side, class: u32) -> (Vec<(u16, i64)>, Reason) {
    let distribution = &side.class(class).unwrap().distribution;
    let percent = |&(group, share): &(Group, f64)| match group {
        Group::Slot(slot) => (slot.0, (share * 100.0).round() as i64),
        Group::Nodata => (u16::MAX, (share * 100.0).round() as i64),
    };
    (distribution.shares.iter().map(percent).collect(), distribution.reason)
}

#[test]
fn all_down_goes_back_to_what_is_remembered() {
    let two = Spec::Weighted(vec![(1, region(0)), (1, region(1))]);
    // Inside a fence, and at the root for those whom no rule matches.
    let spec = Spec::Chain(vec![two.clone(), Spec::Weighted(vec![(1, two), (1, region(2))])], true);
    let (tree, class) = plant(&spec, 3, OnAllDown::LastGood);
    let pools = (0..3).map(|n| pool(n, 1, 1)).collect();
    let assembly = assemble(tree, vec![class, Class::default()], pools);
    let down = all_or_none(&assembly, &[false; 3]);
    let with = |h: &[f64]| Inputs { last_good: Arc::new(vec![remembered(h)]), ..down.clone() };

    let snapshot = compile(None, &assembly, &with(&[0.0, 1.0, 1.0]));
    assert_eq!(shares(side(&snapshot), 0), (vec![(1, 100)], Reason::LastGood));
    assert_eq!(shares(side(&snapshot), 1), (vec![(1, 50), (2, 50)], Reason::LastGood));
    // What is remembered now is another: engaged rules follow.
    let snapshot = compile(Some(&snapshot), &assembly, &with(&[1.0, 0.0, 0.0]));
    assert_eq!(shares(side(&snapshot), 0), (vec![(0, 100)], Reason::LastGood));
    // Nothing that stands inside the fence, or nothing at all, is left.
    let snapshot = compile(Some(&snapshot), &assembly, &with(&[0.0, 0.0, 1.0]));
    assert_eq!(shares(side(&snapshot), 0), (vec![(0, 50), (1, 50)], Reason::Open));
    assert_eq!(shares(side(&snapshot), 1), (vec![(2, 100)], Reason::LastGood));
    let snapshot = compile(Some(&snapshot), &assembly, &down);
    assert_eq!(shares(side(&snapshot), 1), (vec![(0, 25), (1, 25), (2, 50)], Reason::Open));
}

#[test]
fn own_round_trips_stand_in_where_the_class_has_no_bands() {
    let spec = Spec::Bands(vec![vec![(1, 0)], vec![(1, 1), (1, 2)]]);
    let (mut tree, class) = plant(&spec, 3, OnAllDown::Open);
    let root = tree.root.0 as usize;
    let Node::Latency { tolerance, .. } = &mut tree.nodes[root].node else { panic!("latency") };
    *tolerance = Duration::from_millis(10);
    let pools = (0..3).map(|n| pool(n, 1, 1)).collect();
    let assembly = assemble(tree, vec![class, Class::default()], pools);
    let timed = assembly.timed().unwrap();
    assert_eq!(timed.tolerance, Duration::from_millis(10));
    let up = all_or_none(&assembly, &[true; 3]);
    let with = |ms: [u64; 3]| {
        // 0 is not known.
        let rtts = ms.map(|ms| (ms > 0).then(|| Duration::from_millis(ms)));
        Inputs { rtts: rtts.into(), ..up.clone() }
    };
    let snapshot = compile(None, &assembly, &with([30, 20, 80]));
    assert_eq!(shares(side(&snapshot), 0).0, [(0, 100)], "by its own bands");
    assert_eq!(shares(side(&snapshot), 1).0, [(0, 50), (1, 50)]);
    let snapshot = compile(Some(&snapshot), &assembly, &with([31, 20, 80]));
    assert_eq!(shares(side(&snapshot), 1).0, [(1, 100)]);
    let snapshot = compile(Some(&snapshot), &assembly, &with([31, 20, 0]));
    assert_eq!(shares(side(&snapshot), 1).0, [(0, 33), (1, 33), (2, 33)]);
}

#[test]
fn nothing_is_timed_where_every_class_has_bands() {
    let (tree, class) = plant(&Spec::Bands(vec![vec![(1, 0)]]), 1, OnAllDown::Open);
    assert!(assemble(tree, vec![class], vec![pool(0, 1, 0)]).timed().is_none());
}

/// An IPv4-only region keeps its place for AAAA by what is remembered of its IPv4.
#[test]
fn a_missing_family_is_remembered_as_it_counted() {
    let spec = Spec::Failover(vec![vec![(1, region(0))], vec![(1, region(1))]], false);
    let (tree, class) = plant(&spec, 2, OnAllDown::LastGood);
    let assembly = assemble(tree, vec![class], vec![pool(0, 1, 0), pool(1, 1, 1)]);
    let up = all_or_none(&assembly, &[true, true]);
    let snapshot = compile(None, &assembly, &up);
    let good = snapshot.good(BindingId(0), Family::V6, |_, _| false).unwrap();
    assert_eq!(*good, [1.0, 1.0]);
    let doubtful = |pool: PoolId, family| pool == PoolId(0) && family == Family::V4;
    assert_eq!(snapshot.good(BindingId(0), Family::V6, doubtful), None);
    let down = all_or_none(&assembly, &[false, false]);
    let inputs = Inputs { last_good: Arc::new(vec![remembered(&good)]), ..down };
    let snapshot = compile(None, &assembly, &inputs);
    let (_, side) = snapshot.side(RecordId(0), Family::V6).unwrap();
    assert_eq!(shares(side, 0), (vec![(u16::MAX, 100)], Reason::LastGood));
    assert_eq!(snapshot.good(BindingId(0), Family::V6, |_, _| false), None);
}

/// A region, and what is forced on it: mostly that another answers in its place.
fn shift() -> impl Strategy<Value = (RegionId, Forcing)> {
    let part = prop_oneof![Just(0.0), Just(0.25), Just(0.5), Just(1.0)];
    let shifted = prop::option::weighted(0.8, (1..6_u16, part));
    (0..6_u16, shifted, prop::option::of(0..90_u64)).prop_map(|(from, shifted, secs)| {
        let to = |by: u16| RegionId((from + by) % 6);
        let shifted = shifted.map(|(by, part)| Shifted { to: to(by), part });
        let flip = secs.map(Duration::from_secs);
        (RegionId(from), Forcing { shifted, flip, ..Forcing::default() })
    })
}

fn step() -> impl Strategy<Value = (usize, [usize; 2], bool)> {
    (0..6_usize, [0..3_usize, 0..3_usize], any::<bool>())
}

proptest! {
    /// What is taken over from the snapshot before is what would have been made anew.
    #[test]
    fn the_way_to_a_health_leaves_no_trace(
        spec in spec(),
        steps in prop::collection::vec(prop::collection::vec(step(), 0..3), 1..6),
        families in prop::collection::vec([0..3_u8, 0..3_u8], 6),
        memories in prop::collection::vec([0..2_u8, 0..2, 0..2, 0..2, 0..2, 0..2], 6),
        start in any::<[bool; 6]>(),
        rtts in prop::collection::vec(prop::option::of([0..30_u64, 0..30, 0..30, 0..30, 0..30, 0..30]), 6),
        shifts in prop::collection::vec(prop::option::of(shift()), 6),
        sticky in any::<bool>(),
    ) {
        let (mut tree, class) = plant(&spec, 6, OnAllDown::LastGood);
        tree.sticky = sticky;
        let pools: Vec<Pool> =
            (0..6).zip(&families).map(|(n, [v4, v6])| pool(n, *v4, u16::from(*v6))).collect();
        let assembly = assemble(tree, vec![class, Class::default()], pools.clone());
        let mut inputs = all_or_none(&assembly, &start);
        let mut snapshot = compile(None, &assembly, &inputs);
        for (((changes, memory), rtts), shift) in steps.into_iter().zip(memories).zip(rtts).zip(shifts) {
            if let Some((from, forcing)) = shift {
                *Arc::make_mut(&mut inputs.forces).on_region(from) = forcing;
            }
            if let Some(rtts) = rtts {
                // Those above 25 are not known.
                let rtts = rtts.map(|ms| (ms <= 25).then(|| Duration::from_millis(ms)));
                inputs.rtts = rtts.into();
            }
            if memory[0] == 0 {
                inputs.last_good = Arc::new(vec![remembered(&memory.map(f64::from))]);
            }
            for (at, up, doubt) in changes {
                let flip = doubt.then_some(Duration::from_secs(7));
                Arc::make_mut(&mut inputs.pools)[at] = stand(&pools[at], up, flip);
            }
            snapshot = compile(Some(&snapshot), &assembly, &inputs);
            let anew = compile(None, &assembly, &inputs);
            prop_assert_eq!(&snapshot.bindings, &anew.bindings);
        }
    }
}
