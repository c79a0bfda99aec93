//! Shifts, in all trees: against trees whose configuration has the other region in the place, and a walk
//! by hand of each part of the answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use rstest::rstest;

use super::classes::Walked;
use super::compiling::{assemble, pool};
use super::properties::spec;
use super::sight::Sight;
use super::tables::{Spec, plant};
use super::*;
use crate::model::{
    BindingId, Family, Forcing, OnAllDown, Pool, RecordId, RegionId, Shifted, Slot, Tree, Weight,
};

/// Those that trees are made of, and one more that is in none.
const REGIONS: usize = 7;
const ROUNDING: f64 = 1e-9;

/// What can be drawn: by the regions whose addresses it has; a ring begins with one that there is not.
type Shares = BTreeMap<Vec<u16>, f64>;

/// A world without shifts, or with them.
#[derive(Debug, Clone)]
struct World {
    tree: Tree,
    class: Class,
    pools: Vec<Pool>,
    h: Vec<f64>,
    forced: Vec<Forcing>,
}

impl World {
    fn new(spec: &Spec, h: &[f64], on_all_down: OnAllDown) -> Self {
        let (tree, class) = plant(spec, h.len() as u16, on_all_down);
        let pools = (0..h.len() as u16).map(|n| pool(n, 1, 1)).collect();
        let forced = vec![Forcing::default(); h.len()];
        Self { tree, class, pools, h: h.to_vec(), forced }
    }

    fn shifted(mut self, from: usize, to: u16, part: f64) -> Self {
        self.forced[from].shifted = Some(Shifted { to: RegionId(to), part });
        self
    }

    fn inputs(&self) -> Inputs {
        let stand = |(pool, h): (&Pool, &f64)| {
            Arc::new(PoolStanding::new(Family::BOTH.map(|family| {
                let live = pool.addresses(family).filter(|_| *h > 0.0).collect();
                Standing::new(pool, family, *h, live, None)
            })))
        };
        let mut forces = Forces::default();
        for (region, forcing) in (0..).map(RegionId).zip(&self.forced) {
            if !forcing.is_none() {
                *forces.on_region(region) = *forcing;
            }
        }
        let pools = self.pools.iter().zip(&self.h).map(stand).collect();
        Inputs { forces: Arc::new(forces), ..Inputs::of(pools) }
    }

    fn compiled(&self) -> Snapshot {
        let class = self.class.clone();
        let assembly = assemble(self.tree.clone(), vec![class], self.pools.clone());
        compile(None, &assembly, &self.inputs())
    }

    fn shares(&self, family: Family) -> (Shares, Reason) {
        let snapshot = self.compiled();
        let (_, side) = snapshot.side(RecordId(0), family).unwrap();
        let class = side.class(0).unwrap();
        let mut shares = Shares::new();
        for (group, share) in &class.distribution.shares {
            let key = match group {
                Group::Slot(slot) if slot.index() < self.pools.len() => vec![slot.0],
                Group::Slot(slot) => {
                    let answer = side.answer(class, *slot).expect("there is something behind it");
                    let mut members: Vec<u16> = vec![u16::MAX];
                    members.extend(answer.regions(0, u16::MAX).map(|slot| slot.0));
                    members[1..].sort_unstable();
                    members
                }
                Group::Nodata => vec![],
            };
            *shares.entry(key).or_default() += share;
        }
        (shares, class.distribution.reason)
    }

    /// Whether the root is all down, where no part of anything is forced.
    fn is_all_down(&self, family: Family) -> bool {
        let snapshot = self.compiled();
        let inputs = snapshot.inputs();
        let sides = Sight::new(&snapshot.assembly, BindingId(0), &inputs).sides(family);
        assert_eq!(sides.len(), 1);
        let health = &sides[0].health;
        Walked::new(&self.tree, family, &self.class, health, &mut ()).is_all_down()
    }

    fn percent(&self, family: Family) -> Vec<i64> {
        let (shares, _) = self.shares(family);
        let share = |n: usize| shares.get(&vec![n as u16]).copied().unwrap_or_default();
        (0..self.pools.len()).map(|n| (share(n) * 100.0).round() as i64).collect()
    }
}

/// The configuration with another region in the place of one: in each place, but in a ring once.
fn replaced(spec: &Spec, from: u16, to: u16) -> Spec {
    let by = |region: &u16| if *region == from { to } else { *region };
    let inner = |spec: &Spec| replaced(spec, from, to);
    let members = |all: &Vec<(u16, Spec)>| all.iter().map(|(w, s)| (*w, inner(s))).collect();
    let bands = |all: &Vec<Vec<(u16, u16)>>| {
        let band = |band: &Vec<(u16, u16)>| band.iter().map(|(w, r)| (*w, by(r))).collect();
        all.iter().map(band).collect()
    };
    match spec {
        Spec::Region(region) => Spec::Region(by(region)),
        Spec::Weighted(all) => Spec::Weighted(members(all)),
        Spec::Failover(tiers, spill) => Spec::Failover(tiers.iter().map(members).collect(), *spill),
        Spec::Chain(to, fence) => Spec::Chain(to.iter().map(inner).collect(), *fence),
        Spec::Geo { rules, matching, default, fence } => Spec::Geo {
            rules: rules.iter().map(inner).collect(),
            matching: matching.clone(),
            default: default.as_deref().map(|spec| Box::new(inner(spec))),
            fence: *fence,
        },
        Spec::Bands(all) => Spec::Bands(bands(all)),
        Spec::Near(all) => Spec::Near(bands(all)),
        Spec::Ring(all) => {
            let mut ring: Vec<u16> = Vec::new();
            for region in all.iter().map(by) {
                if !ring.contains(&region) {
                    ring.push(region);
                }
            }
            Spec::Ring(ring)
        }
    }
}

/// The configuration with these weights for regions, wherever they stand.
fn weighing(spec: &Spec, weights: &[Option<Weight>]) -> Spec {
    let inner = |spec: &Spec| weighing(spec, weights);
    let weigh = |own: u16, region: u16| weights[usize::from(region)].map_or(own, |w| w.0);
    let members = |all: &Vec<(u16, Spec)>| {
        let member = |(own, spec): &(u16, Spec)| match spec {
            Spec::Region(region) => (weigh(*own, *region), spec.clone()),
            _ => (*own, inner(spec)),
        };
        all.iter().map(member).collect()
    };
    let bands = |all: &Vec<Vec<(u16, u16)>>| {
        let band = |band: &Vec<(u16, u16)>| band.iter().map(|(w, r)| (weigh(*w, *r), *r)).collect();
        all.iter().map(band).collect()
    };
    match spec {
        Spec::Region(_) | Spec::Ring(_) => spec.clone(),
        Spec::Weighted(all) => Spec::Weighted(members(all)),
        Spec::Failover(tiers, spill) => Spec::Failover(tiers.iter().map(members).collect(), *spill),
        Spec::Chain(to, fence) => Spec::Chain(to.iter().map(inner).collect(), *fence),
        Spec::Geo { rules, matching, default, fence } => Spec::Geo {
            rules: rules.iter().map(inner).collect(),
            matching: matching.clone(),
            default: default.as_deref().map(|spec| Box::new(inner(spec))),
            fence: *fence,
        },
        Spec::Bands(all) => Spec::Bands(bands(all)),
        Spec::Near(all) => Spec::Near(bands(all)),
    }
}

/// What the rules say of a world in which a region is shifted: the mixture of worlds in which nothing is
/// forced in part, and no weight at all. And whether the region is in its place in any of them.
fn by_the_rules(
    spec: &Spec,
    world: &World,
    (from, to, f): (u16, u16, f64),
    family: Family,
) -> (Shares, bool) {
    let weights: Vec<Option<Weight>> = world.forced.iter().map(|forcing| forcing.weight).collect();
    let spec = weighing(spec, &weights);
    let other = replaced(&spec, from, to);
    let partly = world.forced.iter().map(|forcing| forcing.drained).chain([f]);
    let mut cuts: Vec<f64> = partly.filter(|part| *part > 0.0 && *part < 1.0).collect();
    cuts.extend([0.0, 1.0]);
    cuts.sort_by(f64::total_cmp);
    cuts.dedup();
    let side = |spec: &Spec, cut: f64| {
        let mut side = World::new(spec, &world.h, world.tree.on_all_down);
        for (node, own) in side.tree.nodes.iter_mut().zip(&world.tree.nodes) {
            node.min_up = own.min_up;
        }
        side.pools.clone_from(&world.pools);
        for (forcing, own) in side.forced.iter_mut().zip(&world.forced) {
            let drained = if own.drained > cut { 1.0 } else { 0.0 };
            *forcing = Forcing { weight: None, shifted: None, drained, ..*own };
        }
        side
    };
    // From least to most.
    let mut sides: Vec<(f64, bool, World)> = (cuts.windows(2).rev())
        .map(|ends| {
            let shifted = f > ends[0];
            (ends[1] - ends[0], !shifted, side(if shifted { &other } else { &spec }, ends[0]))
        })
        .collect();
    let all_down = |world: &World| world.is_all_down(family);
    if sides.iter().all(|(.., side)| all_down(side)) {
        let as_it_is = side(&spec, 0.999_999);
        let none = f < 1.0 || all_down(&as_it_is);
        sides = vec![if none { sides.remove(0) } else { (1.0, true, as_it_is) }];
    } else {
        sides.retain(|(.., side)| !all_down(side));
    }
    let total: f64 = sides.iter().map(|(share, ..)| share).sum();
    let in_place = sides.iter().any(|(_, in_place, _)| *in_place);
    let mut mix = Shares::new();
    for (part, _, side) in sides {
        for (key, share) in answered(side.shares(family).0) {
            *mix.entry(key).or_default() += share * part / total;
        }
    }
    (mix, in_place)
}

/// Where there is nothing to draw from the answer is empty.
fn answered(shares: Shares) -> Shares {
    if shares.is_empty() { [(vec![], 1.0)].into() } else { shares }
}

fn alike(one: &Shares, other: &Shares) -> bool {
    one.len() == other.len()
        && (one.iter()).all(|(key, share)| {
            other.get(key).is_some_and(|other| (other - share).abs() < ROUNDING)
        })
}

fn region(n: u16) -> Spec {
    Spec::Region(n)
}

fn weighted(weights: &[u16]) -> Spec {
    Spec::Weighted((0..).zip(weights).map(|(n, weight)| (*weight, region(n))).collect())
}

/// Of three by weight, the first is shifted; the fourth is in no policy.
#[rstest]
#[case::a_quarter(3, 0.25, [1.0; 4], [45, 40, 0, 15])]
#[case::all(3, 1.0, [1.0; 4], [0, 40, 0, 60])]
#[case::none(3, 0.0, [1.0; 4], [60, 40, 0, 0])]
#[case::to_one_that_is_there(1, 0.5, [1.0; 4], [30, 70, 0, 0])]
#[case::to_a_standby(2, 0.5, [1.0; 4], [30, 40, 30, 0])]
#[case::the_other_is_down(3, 0.5, [1.0, 1.0, 1.0, 0.0], [30, 70, 0, 0])]
#[case::it_is_down_itself(3, 0.5, [0.0, 1.0, 1.0, 1.0], [0, 70, 0, 30])]
#[case::all_but_the_other_are_down(3, 0.25, [0.0, 0.0, 0.0, 1.0], [0, 0, 0, 100])]
#[case::all_of_it_to_what_is_down(3, 1.0, [1.0, 0.0, 0.0, 0.0], [100, 0, 0, 0])]
#[case::all_are_down(3, 0.5, [0.0; 4], [60, 40, 0, 0])]
#[case::all_are_down_and_it_is_shifted(3, 1.0, [0.0; 4], [0, 40, 0, 60])]
fn by_weight(#[case] to: u16, #[case] part: f64, #[case] h: [f64; 4], #[case] want: [i64; 4]) {
    let world = World::new(&weighted(&[60, 40, 0]), &h, OnAllDown::Open).shifted(0, to, part);
    assert_eq!(world.percent(Family::V4), want);
    assert_eq!(world.percent(Family::V6), want);
}

#[rstest]
#[case(0.25, [1.0; 3], [75, 0, 25])]
#[case::the_other_is_down(0.25, [1.0, 1.0, 0.0], [75, 25, 0])]
#[case::it_is_down_itself(0.25, [0.0, 1.0, 1.0], [0, 75, 25])]
fn in_a_tier(#[case] part: f64, #[case] h: [f64; 3], #[case] want: [i64; 3]) {
    let spec = Spec::Failover(vec![vec![(1, region(0))], vec![(1, region(1))]], false);
    let world = World::new(&spec, &h, OnAllDown::Open).shifted(0, 2, part);
    assert_eq!(world.percent(Family::V4), want);
}

#[test]
fn a_weight_is_of_the_place_and_a_state_of_the_region() {
    let mut world = World::new(&weighted(&[50, 50]), &[1.0; 3], OnAllDown::Open).shifted(0, 2, 0.5);
    world.forced[0].weight = Some(Weight(150));
    world.forced[2].weight = Some(Weight(1));
    assert_eq!(world.percent(Family::V4), [38, 25, 38]);
    world.forced[2].drained = 1.0;
    assert_eq!(world.percent(Family::V4), [38, 63, 0]);
    world.forced[2] = Forcing { up: true, ..Forcing::default() };
    world.h[2] = 0.0;
    assert_eq!(world.percent(Family::V4), [38, 25, 38]);
}

#[test]
fn in_a_ring_nobody_stands_twice() {
    let world = World::new(&Spec::Ring(vec![0, 1, 2]), &[1.0; 4], OnAllDown::Open);
    let ring = |members: [u16; 3]| [&[u16::MAX][..], &members].concat();
    let (shares, _) = world.clone().shifted(0, 3, 0.25).shares(Family::V4);
    assert_eq!(shares, [(ring([0, 1, 2]), 0.75), (ring([1, 2, 3]), 0.25)].into());
    let (shares, _) = world.shifted(0, 1, 0.25).shares(Family::V4);
    assert_eq!(shares, [(ring([0, 1, 2]), 0.75), (vec![u16::MAX, 1, 2], 0.25)].into());
}

#[test]
fn two_shifts_and_a_drain_are_in_the_same_answers() {
    let spec = Spec::Weighted(vec![(60, region(0)), (30, region(1)), (10, region(2))]);
    let mut world = World::new(&spec, &[1.0; 5], OnAllDown::Open);
    world = world.shifted(0, 3, 0.25).shifted(1, 4, 0.5);
    assert_eq!(world.percent(Family::V4), [45, 15, 10, 15, 15]);
    world.forced[2].drained = 0.25;
    // A quarter of 3 and 4 as 2 to 1, a quarter of 0, 4 and 2, and a half of none.
    assert_eq!(world.percent(Family::V4), [45, 15, 8, 17, 16]);
    // They may even be each other's.
    let world = World::new(&weighted(&[60, 40]), &[1.0; 2], OnAllDown::Open);
    let world = world.shifted(0, 1, 1.0).shifted(1, 0, 1.0);
    assert_eq!(world.percent(Family::V4), [40, 60]);
}

#[test]
fn who_takes_no_part_is_not_shifted_and_stands_in_for_nobody() {
    let world = World::new(&weighted(&[1, 1]), &[1.0; 3], OnAllDown::Open);
    for without in [0, 2] {
        let assembly = assemble(world.tree.clone(), vec![world.class.clone()], world.pools.clone());
        let mut parts = (**assembly).clone();
        parts.bindings[0].pools[without] = None;
        let (names, places) = (Arc::clone(&assembly.names), Arc::clone(&assembly.places));
        let assembly = Assembly::new(parts, names, places, Options::default(), |_, _| 0);
        let assembly = Arc::new(assembly);
        let before = compile(None, &assembly, &world.inputs());
        let shifted = compile(None, &assembly, &world.clone().shifted(0, 2, 0.5).inputs());
        assert_eq!(before.bindings, shifted.bindings);
    }
}

/// What is going to be forced shortens every class's answers, but never below the least TTL; nothing
/// is in doubt for it.
#[test]
fn answers_are_kept_no_longer_than_until_something_is_forced() {
    let mut world = World::new(&weighted(&[1, 0]), &[1.0; 3], OnAllDown::Open);
    let told = |snapshot: &Snapshot| {
        let (record, side) = snapshot.side(RecordId(0), Family::V4).unwrap();
        let class = side.class(0).unwrap();
        (record.ttl(class), class.in_doubt)
    };
    let mut snapshot = world.compiled();
    let assembly = Arc::clone(&snapshot.assembly);
    assert_eq!(told(&snapshot), (60, false));
    let pools = Arc::clone(&snapshot.pools);
    // Also that of a standby, which has no share: it may get one.
    for (region, secs, ttl) in [(0, 35, 35), (1, 20, 20), (0, 3, 10), (1, 900, 10), (0, 900, 60)] {
        world.forced[region].flip = Some(Duration::from_secs(secs));
        let inputs = Inputs { pools: Arc::clone(&pools), ..world.inputs() };
        snapshot = compile(Some(&snapshot), &assembly, &inputs);
        assert_eq!(told(&snapshot), (ttl, false));
        assert_eq!(snapshot.bindings, compile(None, &assembly, &inputs).bindings);
    }
}

/// Every region's own round-trip time, also of one that stands in.
#[test]
fn bands_by_own_round_trips_are_by_those_of_who_stands_there() {
    let (mut tree, _) = plant(&Spec::Bands(vec![vec![(1, 0), (1, 1)]]), 2, OnAllDown::Open);
    let root = tree.root.0 as usize;
    if let crate::model::Node::Latency { tolerance, .. } = &mut tree.nodes[root].node {
        *tolerance = Duration::from_millis(10);
    }
    let pools: Vec<Pool> = (0..3).map(|n| pool(n, 1, 1)).collect();
    let assembly = assemble(tree, vec![Class::default()], pools.clone());
    let assembly = Arc::new(assembly.with_place(RegionId(0), RegionId(2), None).unwrap());
    assert!(assembly.timed().unwrap().region(RegionId(2)));
    assert!(
        assembly.with_places(Arc::clone(&assembly.places)).timed().unwrap().region(RegionId(2))
    );
    let world = World {
        tree: assembly.trees[0].clone(),
        class: Class::default(),
        pools,
        h: vec![1.0; 3],
        forced: vec![Forcing::default(); 3],
    };
    let rtts = [20, 20, 80].map(|ms| Some(Duration::from_millis(ms)));
    let inputs = Inputs { rtts: rtts.into(), ..world.shifted(0, 2, 0.5).inputs() };
    let snapshot = compile(None, &assembly, &inputs);
    let (_, side) = snapshot.side(RecordId(0), Family::V4).unwrap();
    // Half of the answers are 0's and 1's; the other half 1's alone, for 2 is far away.
    let shares = &side.class(0).unwrap().distribution.shares;
    assert_eq!(*shares, [(Group::Slot(Slot(0)), 0.25), (Group::Slot(Slot(1)), 0.75)]);
}

fn any_forcing() -> impl Strategy<Value = Forcing> {
    let no = Forcing::default();
    prop_oneof![
        4 => Just(no),
        1 => Just(Forcing { up: true, ..no }),
        1 => Just(Forcing { drained: 1.0, ..no }),
        1 => Just(Forcing { drained: 0.5, ..no }),
        1 => Just(Forcing { down: true, ..no }),
        1 => (0_u16..4).prop_map(move |weight| Forcing { weight: Some(Weight(weight)), ..no }),
    ]
}

fn any_part() -> impl Strategy<Value = f64> {
    prop_oneof![1 => Just(0.0), 2 => Just(1.0), 1 => Just(0.5), 4 => 0.01..0.99]
}

fn any_family() -> impl Strategy<Value = [u8; 2]> {
    prop_oneof![4 => Just([1, 1]), 1 => Just([1, 0]), 1 => Just([0, 1])]
}

proptest! {
    /// Of the answers, 1 − f are those of the tree as it is, and f those of the tree in which the
    /// configuration has the other region in its place; a side that is all down gives way.
    #[test]
    fn a_shift_is_made_of_both_configurations(
        spec in spec(),
        h in prop::collection::vec(prop_oneof![2 => Just(1.0), 1 => Just(0.5), 2 => Just(0.0)], REGIONS),
        families in prop::collection::vec(any_family(), REGIONS),
        forced in prop::collection::vec(any_forcing(), REGIONS),
        min_up in prop::collection::vec(prop_oneof![4 => Just(0_u16), 1 => Just(2)], 8),
        closed in any::<bool>(),
        from in 0..REGIONS - 1,
        to in 1..REGIONS,
        f in any_part(),
    ) {
        let to = (from + to) % REGIONS;
        let on_all_down = if closed { OnAllDown::Closed } else { OnAllDown::Open };
        let mut world = World::new(&spec, &h, on_all_down);
        world.forced = forced;
        world.pools = (0..).zip(&families).map(|(n, [v4, v6])| pool(n, *v4, u16::from(*v6))).collect();
        for (node, least) in world.tree.nodes.iter_mut().zip(min_up.iter().cycle()) {
            node.min_up = *least;
        }
        let shifted = world.clone().shifted(from, to as u16, f);
        for family in Family::BOTH {
            let shares = answered(shifted.shares(family).0);
            let (want, in_place) = by_the_rules(&spec, &world, (from as u16, to as u16, f), family);
            prop_assert!(alike(&want, &shares), "wanted {want:?}, is {shares:?}");
            prop_assert!((shares.values().sum::<f64>() - 1.0).abs() < ROUNDING);
            if !in_place {
                prop_assert!(!shares.keys().any(|key| key.contains(&(from as u16))), "{shares:?}");
            }
        }
        if f == 0.0 {
            prop_assert_eq!(&shifted.compiled().bindings, &world.compiled().bindings);
        }
    }
}
