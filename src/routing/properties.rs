//! What holds for every tree, all weights and any health.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::classes::flatten;
use super::levels::Health;
use super::sight::Side;
use super::tables::{Both, Spec, plant, standings};
use super::*;
use crate::model::{Family, Node, OnAllDown, Slot};

const REGIONS: u16 = 6;

/// Trees of all kinds of policy over the regions, each of which may stand in several places; and what
/// some class is to them.
pub(super) fn spec() -> impl Strategy<Value = Spec> {
    let region = (0..REGIONS).prop_map(Spec::Region);
    region.prop_recursive(3, 16, 3, |inner| {
        let member = (0_u16..4, inner.clone());
        let tier = prop::collection::vec(member.clone(), 1..3);
        let band = prop::collection::vec((0_u16..4, 0..REGIONS), 1..3);
        let bands = prop::collection::vec(band, 1..3);
        prop_oneof![
            2 => prop::collection::vec(member, 1..4).prop_map(Spec::Weighted),
            2 => (prop::collection::vec(tier, 1..4), any::<bool>())
                .prop_map(|(tiers, spill)| Spec::Failover(tiers, spill)),
            2 => geo(inner.boxed()),
            1 => bands.clone().prop_map(Spec::Bands),
            1 => bands.prop_map(Spec::Near),
            1 => prop::sample::subsequence((0..REGIONS).collect::<Vec<_>>(), 1..4)
                .prop_shuffle()
                .prop_map(Spec::Ring),
        ]
    })
}

/// Rules, any of which may match, in any order.
fn geo(inner: BoxedStrategy<Spec>) -> impl Strategy<Value = Spec> {
    let rules = prop::collection::vec(inner.clone(), 1..4);
    let default = prop::option::weighted(0.8, inner.prop_map(Box::new));
    (rules, default, any::<bool>())
        .prop_flat_map(|(rules, default, fence)| {
            let all: Vec<usize> = (0..rules.len()).collect();
            let matching = prop::sample::subsequence(all, 0..=rules.len()).prop_shuffle();
            (Just(rules), matching, Just(default), Just(fence))
        })
        .prop_map(|(rules, matching, default, fence)| Spec::Geo { rules, matching, default, fence })
}

/// Renumbers the regions of a tree so that each place has one of its own; returns how many.
fn each_once(spec: &mut Spec, next: &mut u16) {
    let mut fresh = |slot: &mut u16| {
        *slot = *next;
        *next += 1;
    };
    match spec {
        Spec::Region(slot) => fresh(slot),
        Spec::Ring(slots) => slots.iter_mut().for_each(fresh),
        Spec::Bands(bands) | Spec::Near(bands) => {
            bands.iter_mut().flatten().for_each(|(_, slot)| fresh(slot));
        }
        Spec::Weighted(members) => members.iter_mut().for_each(|(_, s)| each_once(s, next)),
        Spec::Failover(tiers, _) => {
            tiers.iter_mut().flatten().for_each(|(_, s)| each_once(s, next));
        }
        Spec::Chain(to, _) => to.iter_mut().for_each(|s| each_once(s, next)),
        Spec::Geo { rules, default, .. } => {
            rules.iter_mut().for_each(|s| each_once(s, next));
            if let Some(default) = default {
                each_once(default, next);
            }
        }
    }
}

/// What can be drawn: a region, a ring of some regions, or an empty answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Drawn {
    Region(u16),
    /// Its regions as configured, in ascending order; rings of the same ones are not told apart.
    Ring(Vec<u16>),
    Nodata,
}

impl Drawn {
    fn ring(members: impl IntoIterator<Item = u16>) -> Self {
        let mut members: Vec<u16> = members.into_iter().collect();
        members.sort_unstable();
        Self::Ring(members)
    }

    fn has(&self, region: usize) -> bool {
        match self {
            Self::Region(own) => usize::from(*own) == region,
            Self::Ring(members) => members.iter().any(|own| usize::from(*own) == region),
            Self::Nodata => false,
        }
    }
}

fn pools(healths: &[f64]) -> Vec<PoolStanding> {
    standings(&healths.iter().map(|&h| [Some(h), None]).collect::<Vec<Both>>())
}

type Shares = BTreeMap<Drawn, f64>;

/// What a tree flattens to, and the rings with a share as they are answered.
fn flat(spec: &Spec, healths: &[f64]) -> (Shares, Distribution) {
    flat_of(spec, &pools(healths))
}

fn flat_of(spec: &Spec, healths: &[PoolStanding]) -> (Shares, Distribution) {
    let (tree, class) = plant(spec, healths.len() as u16, OnAllDown::Open);
    let standings = healths;
    let standings: Vec<Option<&PoolStanding>> = standings.iter().map(Some).collect();
    let sides = [Side { share: 1.0, cut: 0.0, health: Health::new(&standings, Vec::new()) }];
    let distribution = flatten(&tree, Family::V4, &class, &sides);
    let ring = |slot: Slot| {
        let mut rings = tree.nodes.iter().filter_map(|node| match &node.node {
            Node::Multivalue { members, ring, .. } if *ring == slot => Some(members),
            _ => None,
        });
        let members = rings.next().expect("there is no other slot");
        Drawn::ring(members.iter().map(|slot| slot.0))
    };
    let mut shares = Shares::new();
    for &(group, share) in &distribution.shares {
        let drawn = match group {
            Group::Slot(slot) if slot.index() < healths.len() => Drawn::Region(slot.0),
            Group::Slot(slot) => ring(slot),
            Group::Nodata => Drawn::Nodata,
        };
        *shares.entry(drawn).or_default() += share;
    }
    (shares, distribution)
}

fn shares(spec: &Spec, healths: &[f64]) -> (Shares, Reason) {
    let (shares, distribution) = flat(spec, healths);
    (shares, distribution.reason)
}

fn share(shares: &Shares, region: usize) -> f64 {
    shares.get(&Drawn::Region(region as u16)).copied().unwrap_or_default()
}

fn any_health() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(1.0), 0.01..1.0]
}

fn binary(up: &[bool]) -> Vec<f64> {
    up.iter().map(|&up| f64::from(u8::from(up))).collect()
}

const ROUNDING: f64 = 1e-9;

proptest! {
    #[test]
    fn shares_sum_to_one_and_the_dead_have_none(
        spec in spec(),
        healths in prop::collection::vec(any_health(), REGIONS as usize),
    ) {
        let (shares, distribution) = flat(&spec, &healths);
        prop_assert!((shares.values().sum::<f64>() - 1.0).abs() < ROUNDING);
        // Whatever rule decided, a ring with a share has someone in it, and one without nobody.
        let rings = (REGIONS..).map(Slot).zip(&distribution.rings);
        for (slot, ring) in rings {
            let has = distribution.slots().any(|drawn| drawn == slot);
            prop_assert_eq!(has, !ring.members.is_empty());
        }
        if !distribution.reason.is_all_down() {
            for (region, &h) in healths.iter().enumerate() {
                prop_assert!(h > 0.0 || share(&shares, region) == 0.0);
                let in_ring = |ring: &RingOf| ring.members.contains(&Slot(region as u16));
                prop_assert!(h > 0.0 || !distribution.rings.iter().any(in_ring));
            }
        }
    }

    #[test]
    fn what_is_held_back_comes_behind_all_that_is_up(
        spec in spec(),
        healths in prop::collection::vec(any_health(), REGIONS as usize),
        held in prop::collection::vec(any::<bool>(), REGIONS as usize),
    ) {
        let as_it_is: Vec<f64> =
            healths.iter().zip(&held).map(|(h, held)| if *held { 0.0 } else { *h }).collect();
        let back = |(pool, held): (PoolStanding, &bool)| {
            let spare = f64::from(u8::from(*held));
            PoolStanding::new(Family::BOTH.map(|f| {
                let standing = pool.family(f).clone();
                let spare = if standing.count > 0 { spare } else { 0.0 };
                let h = standing.h;
                standing.held_back(h.max(spare))
            }))
        };
        let standings: Vec<PoolStanding> =
            pools(&as_it_is).into_iter().zip(&held).map(back).collect();
        let (with, distribution) = flat_of(&spec, &standings);
        let (without, _) = flat(&spec, &as_it_is);
        prop_assert!((with.values().sum::<f64>() - 1.0).abs() < ROUNDING);
        if !distribution.reason.is_all_down() {
            // It is as if they were down.
            prop_assert_eq!(&with, &without);
            prop_assert!((0..held.len()).all(|n| !held[n] || share(&with, n) == 0.0));
        }
    }

    #[test]
    fn a_standby_stands_by(
        weights in prop::collection::vec(0_u16..3, REGIONS as usize),
        healths in prop::collection::vec(any_health(), REGIONS as usize),
    ) {
        let members = (0..REGIONS).map(|n| (weights[n as usize], Spec::Region(n))).collect();
        let (shares, _) = shares(&Spec::Weighted(members), &healths);
        let active = weights.iter().zip(&healths).any(|(&w, &h)| w > 0 && h > 0.0);
        for (region, &weight) in weights.iter().enumerate() {
            prop_assert!(!active || weight > 0 || share(&shares, region) == 0.0);
        }
    }

    #[test]
    fn taking_a_pool_down_only_helps_the_others(
        spec in spec(),
        up in prop::collection::vec(any::<bool>(), REGIONS as usize),
        victim in 0..REGIONS as usize,
    ) {
        let mut after = up.clone();
        after[victim] = false;
        let (before, _) = shares(&spec, &binary(&up));
        let (after, reason) = shares(&spec, &binary(&after));
        let of = |shares: &Shares, drawn| shares.get(drawn).copied().unwrap_or_default();
        // Inside a fence in which nothing else is up it may earn more: there the all-down rules decide.
        let earns = share(&after, victim) > share(&before, victim) + ROUNDING;
        prop_assert!(!earns || reason.is_all_down());
        for other in before.keys().filter(|drawn| !drawn.has(victim) && **drawn != Drawn::Nodata) {
            prop_assert!(of(&after, other) >= of(&before, other) - ROUNDING, "{:?}", other);
        }
    }

    #[test]
    fn getting_worse_never_earns_more(
        mut spec in spec(),
        seed in prop::collection::vec(any_health(), 64),
        victim in 0_usize..64,
        factor in 0.0..1.0,
    ) {
        let mut places = 0;
        each_once(&mut spec, &mut places);
        let victim = victim % usize::from(places);
        let mut healths: Vec<f64> = seed.into_iter().cycle().take(usize::from(places)).collect();
        let (before, _) = shares(&spec, &healths);
        healths[victim] *= factor;
        let (after, _) = shares(&spec, &healths);
        for (drawn, after) in after.iter().filter(|(drawn, _)| drawn.has(victim)) {
            let before = before.get(drawn).copied().unwrap_or_default();
            prop_assert!(*after <= before + ROUNDING, "{:?}", drawn);
        }
    }

    #[test]
    fn all_up_is_exactly_as_configured(weights in prop::collection::vec(1_u16.., 1..8)) {
        let members: Vec<_> =
            (0_u16..).zip(&weights).map(|(n, &w)| (w, Spec::Region(n))).collect();
        let (shares, _) = shares(&Spec::Weighted(members), &vec![1.0; weights.len()]);
        let total: f64 = weights.iter().map(|&w| f64::from(w)).sum();
        for (region, &weight) in weights.iter().enumerate() {
            prop_assert!((share(&shares, region) - f64::from(weight) / total).abs() < ROUNDING);
        }
    }

    #[test]
    fn the_same_input_settles_the_same(
        spec in spec(),
        healths in prop::collection::vec(any_health(), REGIONS as usize),
    ) {
        prop_assert_eq!(flat(&spec, &healths), flat(&spec, &healths));
    }
}

/// The rules of offers once more, as a person would follow them with dice: written apart from
/// the algebra, which it checks.
struct Dice<'a> {
    h: &'a [f64],
    rng: fastrand::Rng,
}

impl Dice<'_> {
    fn of(&self, region: u16, used: &[u16]) -> f64 {
        if used.contains(&region) { 0.0 } else { self.h[usize::from(region)] }
    }

    /// What a node fills its answers from, one after the other.
    fn tiers(spec: &Spec) -> Vec<Spec> {
        match spec {
            Spec::Failover(tiers, _) => tiers.iter().cloned().map(Spec::Weighted).collect(),
            Spec::Chain(to, _) => to.clone(),
            Spec::Geo { rules, matching, default, .. } => {
                let rules = matching.iter().map(|&at| rules[at].clone());
                rules.chain(default.as_deref().cloned()).collect()
            }
            Spec::Bands(bands) | Spec::Near(bands) => bands
                .iter()
                .map(|b| Spec::Weighted(b.iter().map(|&(w, r)| (w, Spec::Region(r))).collect()))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// What is inside a node's fence, if it has one and somebody is in it.
    fn fenced(spec: &Spec) -> Option<Spec> {
        match spec {
            Spec::Chain(_, true) | Spec::Geo { fence: true, .. } => {
                Self::tiers(spec).into_iter().next()
            }
            _ => None,
        }
    }

    /// Whether a geolocation has nothing to say to the class.
    fn leaves_out(spec: &Spec) -> bool {
        matches!(spec, Spec::Geo { .. }) && Self::tiers(spec).is_empty()
    }

    /// The dice for what is inside a fence: where all is down, as if all were up.
    fn inside<T>(&mut self, inner: &Spec, with: impl FnOnce(&mut Dice<'_>) -> T) -> T {
        if self.availability(inner, &[]) > 0.0 {
            return with(self);
        }
        let up = vec![1.0; self.h.len()];
        let mut dice = Dice { h: &up, rng: self.rng.clone() };
        let result = with(&mut dice);
        self.rng = dice.rng;
        result
    }

    fn availability(&self, spec: &Spec, used: &[u16]) -> f64 {
        if Self::fenced(spec).is_some() || Self::leaves_out(spec) {
            return 1.0;
        }
        match spec {
            Spec::Region(region) => self.of(*region, used),
            Spec::Ring(members) => {
                members.iter().map(|&region| self.of(region, used)).fold(0.0, f64::max)
            }
            Spec::Weighted(_) => {
                let group = self.in_use(spec, used);
                group.iter().map(|(_, m)| self.availability(m, used)).fold(0.0, f64::max)
            }
            Spec::Failover(_, false) => {
                let any = Self::tiers(spec).iter().any(|t| self.availability(t, used) > 0.0);
                f64::from(u8::from(any))
            }
            _ => {
                let (mut left, mut used) = (1.0, used.to_vec());
                for tier in Self::tiers(spec) {
                    left *= 1.0 - self.availability(&tier, &used);
                    self.reach(&tier, &mut used);
                }
                1.0 - left
            }
        }
    }

    /// The members of a group that count: the weighted ones, or else the standbys.
    fn in_use<'s>(&self, spec: &'s Spec, used: &[u16]) -> Vec<(f64, &'s Spec)> {
        let Spec::Weighted(members) = spec else { return Vec::new() };
        let alive = |members: &Vec<(f64, &Spec)>| {
            members.iter().any(|(_, m)| self.availability(m, used) > 0.0)
        };
        let positive: Vec<(f64, &Spec)> =
            members.iter().filter(|(w, _)| *w > 0).map(|(w, m)| (f64::from(*w), m)).collect();
        if alive(&positive) {
            return positive;
        }
        members.iter().filter(|(w, _)| *w == 0).map(|(_, m)| (1.0, m)).collect()
    }

    /// Adds the regions that a node offers anything of.
    fn reach(&self, spec: &Spec, used: &mut Vec<u16>) {
        if let Some(inner) = Self::fenced(spec) {
            let mut dice = Dice { h: self.h, rng: self.rng.clone() };
            let mut mine = Vec::new();
            dice.inside(&inner, |dice| dice.reach(&inner, &mut mine));
            used.extend(mine);
            return;
        }
        let before = used.clone();
        match spec {
            Spec::Region(region) if self.of(*region, &before) > 0.0 => used.push(*region),
            Spec::Ring(members) if self.availability(spec, &before) > 0.0 => used.extend(members),
            Spec::Region(_) | Spec::Ring(_) => {}
            Spec::Weighted(_) => {
                for (_, member) in self.in_use(spec, &before) {
                    let mut mine = before.clone();
                    self.reach(member, &mut mine);
                    used.extend(mine);
                }
            }
            Spec::Failover(_, false) => {
                let tiers = Self::tiers(spec);
                if let Some(t) = tiers.iter().find(|t| self.availability(t, &before) > 0.0) {
                    self.reach(t, used);
                }
            }
            _ => {
                let mut left = 1.0;
                for tier in Self::tiers(spec) {
                    if left <= f64::EPSILON {
                        break;
                    }
                    left *= 1.0 - self.availability(&tier, used);
                    self.reach(&tier, used);
                }
            }
        }
    }

    /// Throws the dice down one path of a node that has something to offer.
    fn throw(&mut self, spec: &Spec, used: &[u16]) -> Drawn {
        if let Some(inner) = Self::fenced(spec) {
            return self.inside(&inner, |dice| dice.throw(&inner, &[]));
        }
        match spec {
            Spec::Region(region) => Drawn::Region(*region),
            Spec::Ring(members) => Drawn::ring(members.iter().copied()),
            _ if Self::leaves_out(spec) => Drawn::Nodata,
            Spec::Weighted(_) => {
                let group = self.in_use(spec, used);
                let weigh = |(w, m): &(f64, &Spec)| w * self.availability(m, used);
                let weights: Vec<f64> = group.iter().map(weigh).collect();
                let mut at = self.rng.f64() * weights.iter().sum::<f64>();
                let chosen = weights.iter().position(|w| {
                    at -= w;
                    at < 0.0
                });
                self.throw(group[chosen.expect("within the sum")].1, used)
            }
            Spec::Failover(_, false) => {
                let tiers = Self::tiers(spec);
                let first = tiers.iter().find(|t| self.availability(t, used) > 0.0);
                self.throw(first.expect("something is available"), used)
            }
            // Given that this node was chosen, the dice fall within what it offers.
            _ => loop {
                let mut used = used.to_vec();
                for tier in Self::tiers(spec) {
                    let a = self.availability(&tier, &used);
                    if self.rng.f64() < a {
                        return self.throw(&tier, &used);
                    }
                    self.reach(&tier, &mut used);
                }
            },
        }
    }
}

/// Flattening equals following the rules with dice: chi-square over 1,000 throws for each of some
/// hundred seeded trees with two outcomes or more. There are at most a dozen; with 11 degrees of
/// freedom 45 is exceeded with probability 5e-6 a tree. The seed is fixed, so the test is too.
#[test]
fn flattening_equals_a_walk() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
    let seed = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), seed);
    let strategy = (spec(), prop::collection::vec(any_health(), REGIONS as usize));
    let mut walked = [0; 4];
    for round in 0..1_000 {
        let (spec, healths) = strategy.new_tree(&mut runner).unwrap().current();
        let mut dice = Dice { h: &healths, rng: fastrand::Rng::with_seed(round) };
        if dice.availability(&spec, &[]) <= 0.0 {
            continue;
        }
        let (shares, reason) = shares(&spec, &healths);
        if shares.len() < 2 {
            continue;
        }
        const THROWS: u32 = 1_000;
        let mut seen = BTreeMap::<Drawn, u32>::new();
        for _ in 0..THROWS {
            *seen.entry(dice.throw(&spec, &[])).or_default() += 1;
        }
        assert!(shares.len() <= 12, "{shares:?}");
        let unexpected = seen.keys().find(|drawn| !shares.contains_key(drawn));
        assert_eq!(unexpected, None, "{spec:?} {healths:?} {shares:?}");
        let chi: f64 = shares
            .iter()
            .map(|(drawn, share)| {
                let wanted = share * f64::from(THROWS);
                let seen = seen.get(drawn).copied().unwrap_or_default();
                (f64::from(seen) - wanted).powi(2) / wanted
            })
            .sum();
        assert!(chi < 45.0, "{chi}: {spec:?} {healths:?} {seen:?} {shares:?}");
        walked[0] += 1;
        walked[1] += u32::from(shares.len() > 2);
        walked[2] += u32::from(reason.is_all_down());
        walked[3] += u32::from(shares.keys().any(|drawn| matches!(drawn, Drawn::Ring(_))));
    }
    // So many at all, with three outcomes or more, with a fence that is all down, with rings.
    assert!(walked[0] >= 100 && walked[1..].iter().all(|&n| n >= 5), "{walked:?}");
}
