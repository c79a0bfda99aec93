//! What operators force, in all trees: against the rules as they are written, and against a walk by
//! hand of each part of a gradual move.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use rstest::rstest;

use super::compiling::{all_or_none, assemble, pool};
use super::properties::spec;
use super::tables::{Spec, plant};
use super::*;
use crate::model::{Family, Forcing, OnAllDown, RecordId, RegionId, Slot, Weight};

const REGIONS: u16 = 6;

const DRAINED: Forcing =
    Forcing { up: false, drained: 1.0, down: false, weight: None, shifted: None, flip: None };
const DOWN: Forcing =
    Forcing { up: false, drained: 0.0, down: true, weight: None, shifted: None, flip: None };
const UP: Forcing =
    Forcing { up: true, drained: 0.0, down: false, weight: None, shifted: None, flip: None };
const NO: Forcing =
    Forcing { up: false, drained: 0.0, down: false, weight: None, shifted: None, flip: None };

fn partly(drained: f64) -> Forcing {
    Forcing { drained, ..NO }
}

/// What is served for the only class of a tree.
struct Served {
    /// What can be drawn, by the addresses in it.
    shares: BTreeMap<Vec<u16>, f64>,
    reason: Reason,
}

impl Served {
    fn percent(&self, regions: u16) -> Vec<i64> {
        let share = |n| self.shares.get(&vec![n]).copied().unwrap_or_default();
        (0..regions).map(|n| (share(n) * 100.0).round() as i64).collect()
    }
}

fn serve(spec: &Spec, up: &[bool], forced: &[Forcing], on_all_down: OnAllDown) -> Served {
    let (tree, class) = plant(spec, up.len() as u16, on_all_down);
    let pools = (0..up.len() as u16).map(|n| pool(n, 1, 0)).collect();
    let assembly = assemble(tree, vec![class], pools);
    let mut forces = Forces::default();
    for (region, forcing) in (0..).map(RegionId).zip(forced) {
        *forces.on_region(region) = *forcing;
    }
    let inputs = Inputs { forces: Arc::new(forces), ..all_or_none(&assembly, up) };
    read(&compile(None, &assembly, &inputs), up.len())
}

fn read(snapshot: &Snapshot, regions: usize) -> Served {
    let (_, side) = snapshot.side(RecordId(0), Family::V4).unwrap();
    let class = side.class(0).unwrap();
    let mut shares = BTreeMap::new();
    for (group, share) in &class.distribution.shares {
        let key = match group {
            Group::Slot(slot) if slot.index() < regions => vec![slot.0],
            // A ring is known by who is in it; what is behind the slot is what is answered.
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
    Served { shares, reason: class.distribution.reason }
}

fn region(n: u16) -> Spec {
    Spec::Region(n)
}

fn weighted(weights: &[u16]) -> Spec {
    Spec::Weighted((0..).zip(weights).map(|(n, weight)| (*weight, region(n))).collect())
}

fn failover(regions: &[u16]) -> Spec {
    Spec::Failover(regions.iter().map(|n| vec![(100, region(*n))]).collect(), false)
}

#[rstest]
#[case::a_drained_one_has_no_share([DRAINED, NO, NO], [true; 3], [0, 50, 50], Reason::Available)]
#[case::drained_before_dead([DRAINED, NO, NO], [true, false, false], [100, 0, 0], Reason::Drained)]
#[case::two_drained([DRAINED, DRAINED, NO], [true, true, false], [50, 50, 0], Reason::Drained)]
#[case::drained_and_dead([DRAINED, NO, NO], [false; 3], [33, 33, 33], Reason::Open)]
#[case::forced_down([DOWN, NO, NO], [true; 3], [0, 50, 50], Reason::Available)]
#[case::forced_down_stays_out([DOWN, NO, NO], [true, false, false], [0, 50, 50], Reason::Open)]
#[case::all_forced_down([DOWN, DOWN, DOWN], [true; 3], [0, 0, 0], Reason::Nothing)]
#[case::forced_up([UP, NO, NO], [false, true, false], [50, 50, 0], Reason::Available)]
#[case::forced_up_alone([UP, NO, NO], [false; 3], [100, 0, 0], Reason::Available)]
#[case::a_quarter_drained([partly(0.25), NO, NO], [true; 3], [25, 38, 38], Reason::Available)]
#[case::in_part_and_alone([partly(0.9), NO, NO], [true, false, false], [100, 0, 0], Reason::Available)]
#[case::two_in_part([partly(0.5), partly(0.5), NO], [true; 3], [17, 17, 67], Reason::Available)]
#[case::drained_and_in_part([DRAINED, partly(0.5), NO], [true; 3], [0, 25, 75], Reason::Available)]
#[case::gives_way([DRAINED, partly(0.5), NO], [true, true, false], [0, 100, 0], Reason::Available)]
fn by_weight(
    #[case] forced: [Forcing; 3],
    #[case] up: [bool; 3],
    #[case] want: [i64; 3],
    #[case] reason: Reason,
) {
    let served = serve(&weighted(&[1, 1, 1]), &up, &forced, OnAllDown::Open);
    assert_eq!((served.percent(3), served.reason), (want.to_vec(), reason));
}

#[rstest]
#[case::next_tier([DRAINED, NO, NO], [true; 3], [0, 100, 0])]
#[case::partial_although_it_does_not_spill([partly(0.3), NO, NO], [true; 3], [70, 30, 0])]
#[case::two_in_part([partly(0.6), partly(0.2), NO], [true; 3], [40, 40, 20])]
#[case::forced_up([UP, NO, NO], [false, true, true], [100, 0, 0])]
fn by_failover(#[case] forced: [Forcing; 3], #[case] up: [bool; 3], #[case] want: [i64; 3]) {
    let served = serve(&failover(&[0, 1, 2]), &up, &forced, OnAllDown::Open);
    assert_eq!(served.percent(3), want);
}

#[test]
fn drained_comes_before_what_on_all_down_says() {
    let forced = [DRAINED, NO];
    let served = serve(&weighted(&[1, 1]), &[true, false], &forced, OnAllDown::Closed);
    assert_eq!((served.percent(2), served.reason), (vec![100, 0], Reason::Drained));
    let served = serve(&weighted(&[1, 1]), &[false, false], &forced, OnAllDown::Closed);
    assert_eq!((served.shares.len(), served.reason), (0, Reason::Closed));
}

#[test]
fn inside_a_fence_a_drained_one_is_used_before_leaving_it() {
    let spec = Spec::Chain(vec![region(0), region(1)], true);
    let served = serve(&spec, &[true, true], &[DRAINED, NO], OnAllDown::Open);
    assert_eq!((served.percent(2), served.reason), (vec![100, 0], Reason::Drained));
}

#[test]
fn forced_weights_count_in_place_of_any_other() {
    let weigh = |weight| Forcing { weight: Some(Weight(weight)), ..NO };
    let up = [true; 3];
    let spec = weighted(&[70, 30, 0]);
    for (forced, want) in [
        ([weigh(30), NO, NO], [50, 50, 0]),
        ([weigh(0), NO, NO], [0, 100, 0]),
        ([NO, NO, weigh(100)], [35, 15, 50]),
    ] {
        assert_eq!(serve(&spec, &up, &forced, OnAllDown::Open).percent(3), want);
    }
    // Bands and tiers share by weight as well.
    let bands = Spec::Bands(vec![vec![(1, 0), (1, 1)], vec![(1, 2)]]);
    assert_eq!(serve(&bands, &up, &[weigh(3), NO, NO], OnAllDown::Open).percent(3), [75, 25, 0]);
}

#[test]
fn a_ring_without_the_drained_one_is_another_answer() {
    let spec = Spec::Ring(vec![0, 1, 2]);
    let served = serve(&spec, &[true; 3], &[partly(0.25), NO, NO], OnAllDown::Open);
    let ring = |members: &[u16]| {
        let key: Vec<u16> = [u16::MAX].iter().chain(members).copied().collect();
        served.shares.get(&key).copied().unwrap_or_default()
    };
    assert_eq!((ring(&[0, 1, 2]), ring(&[1, 2])), (0.75, 0.25));
}

#[test]
fn a_record_apart_is_forced_alone() {
    let (tree, class) = plant(&weighted(&[1, 1]), 2, OnAllDown::Open);
    let one = assemble(tree, vec![class], vec![pool(0, 1, 0), pool(1, 1, 0)]);
    let mut parts = (**one).clone();
    parts.records.push(parts.records[0].clone());
    let (names, places) = (Arc::clone(&one.names), Arc::clone(&one.places));
    let both = Arc::new(Assembly::new(parts, names, places, Options::default(), |_, _| 0));
    assert_eq!(both.bindings.len(), 1);
    let assembly = Arc::new(both.separated(&[RecordId(0)].into()));
    assert_eq!(assembly.bindings.len(), 2);
    let apart = assembly.records[0].binding;
    assert_ne!(apart, assembly.records[1].binding);
    assert_eq!(assembly.records_of(apart).len(), 1);
    assert_eq!(assembly.bindings_of(crate::model::PoolId(0)).len(), 2);
    let mut forces = Forces::default();
    *forces.in_binding(apart, RegionId(0)) = DRAINED;
    let calm = all_or_none(&assembly, &[true, true]);
    let before = compile(None, &assembly, &calm);
    let inputs = Inputs { forces: Arc::new(forces), ..calm };
    let after = compile(Some(&before), &assembly, &inputs);
    let share = |record: u32| {
        let (_, side) = after.side(RecordId(record), Family::V4).unwrap();
        side.class(0).unwrap().distribution.slots().collect::<Vec<_>>()
    };
    assert_eq!((share(0), share(1)), (vec![Slot(1)], vec![Slot(0), Slot(1)]));
    // What is not concerned is taken over.
    assert!(Arc::ptr_eq(&before.bindings[0], &after.bindings[0]));
    // The one that is left has the first binding to itself: it need not be apart.
    assert_eq!(both.separated(&[RecordId(0), RecordId(1)].into()).bindings.len(), 2);
}

const ROUNDING: f64 = 1e-9;

fn any_forcing() -> impl Strategy<Value = Forcing> {
    prop_oneof![
        4 => Just(NO),
        1 => Just(UP),
        1 => Just(DRAINED),
        1 => Just(DOWN),
        1 => (1_u16..4).prop_map(|weight| Forcing { weight: Some(Weight(weight)), ..NO }),
    ]
}

proptest! {
    /// Of the answers, 1 − f are those of the tree as it is, and f those of the tree with the region
    /// drained; a side that is all down gives way.
    #[test]
    fn a_partial_move_is_made_of_both_sides(
        spec in spec(),
        up in prop::collection::vec(any::<bool>(), REGIONS as usize),
        forced in prop::collection::vec(any_forcing(), REGIONS as usize),
        victim in 0..REGIONS as usize,
        f in 0.01..0.99,
    ) {
        let with = |drained: f64| {
            let mut forced = forced.clone();
            forced[victim].drained = drained;
            serve(&spec, &up, &forced, OnAllDown::Open)
        };
        let (as_is, drained, partly) = (with(0.0), with(1.0), with(f));
        prop_assert!((partly.shares.values().sum::<f64>() - 1.0).abs() < ROUNDING
            || partly.shares.is_empty());
        // Of trees with fences, a part may be all down where the root is not: then nothing gives way.
        let part = match (as_is.reason.is_all_down(), drained.reason.is_all_down()) {
            (false, false) => Some(f),
            _ => None,
        };
        let parts = match part {
            Some(f) => vec![f],
            // Either all of one side, or both.
            None => vec![0.0, f, 1.0],
        };
        let mix = |f: f64| {
            let mut mix: BTreeMap<Vec<u16>, f64> = BTreeMap::new();
            for (shares, part) in [(&as_is.shares, 1.0 - f), (&drained.shares, f)] {
                for (key, share) in shares {
                    *mix.entry(key.clone()).or_default() += share * part;
                }
            }
            mix.retain(|_, share| *share > 0.0);
            mix
        };
        let alike = |mix: BTreeMap<Vec<u16>, f64>| {
            mix.len() == partly.shares.len()
                && mix.iter().all(|(key, share)| {
                    partly.shares.get(key).is_some_and(|own| (own - share).abs() < ROUNDING)
                })
        };
        prop_assert!(parts.into_iter().any(|f| alike(mix(f))), "{:?}", partly.shares);
    }

    /// The more of a region is drained, the less its share: also where several are.
    #[test]
    fn draining_more_never_earns_more(
        spec in spec(),
        forced in prop::collection::vec(prop_oneof![Just(NO), Just(partly(0.5))], REGIONS as usize),
        victim in 0..REGIONS,
        (less, more) in (0.01..0.99, 0.01..0.99),
    ) {
        let share = |drained: f64| {
            let mut forced = forced.clone();
            forced[usize::from(victim)].drained = drained;
            let served = serve(&spec, &[true; REGIONS as usize], &forced, OnAllDown::Open);
            (served.shares.get(&vec![victim]).copied().unwrap_or_default(), served.reason)
        };
        let (one, other): (f64, f64) = if less < more { (less, more) } else { (more, less) };
        let ((before, was), (after, is)) = (share(one), share(other));
        // What is all down gives way, and then the others' parts grow.
        prop_assume!(!was.is_all_down() && !is.is_all_down());
        prop_assert!(after <= before + ROUNDING, "{before} {after}");
    }

    /// What is forced down has no share, whatever else there is.
    #[test]
    fn forced_down_is_never_served(
        spec in spec(),
        up in prop::collection::vec(any::<bool>(), REGIONS as usize),
        mut forced in prop::collection::vec(any_forcing(), REGIONS as usize),
        victim in 0..REGIONS,
    ) {
        forced[usize::from(victim)].down = true;
        let served = serve(&spec, &up, &forced, OnAllDown::Open);
        let has = |key: &Vec<u16>| key.contains(&victim);
        prop_assert!(!served.shares.keys().any(has), "{:?}", served.shares);
    }
}
