//! The tables of the routing rules, as tests; and small trees to write them with.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rstest::rstest;

use super::levels::{Health, Reading};
use super::offer::Walk;
use super::*;
use crate::model::{
    Calm, Endpoint, Family, Member, MinHealthy, MissingFamily, Node, NodeId, OnAllDown, PolicyNode,
    Pool, RegionId, Slot, Tree, Weight,
};

/// A tree in the short form of tests; regions are numbered from 0.
#[derive(Debug, Clone)]
pub(super) enum Spec {
    Region(u16),
    Weighted(Vec<(u16, Spec)>),
    Failover(Vec<Vec<(u16, Spec)>>, bool),
    /// Geolocation: the chain of matches, then the default.
    Chain(Vec<Spec>, bool),
    /// Geolocation: rules, the positions of those that match, the default.
    Geo {
        rules: Vec<Spec>,
        matching: Vec<usize>,
        default: Option<Box<Spec>>,
        fence: bool,
    },
    /// Latency: regions in bands.
    Bands(Vec<Vec<(u16, u16)>>),
    /// Geoproximity: regions in bands.
    Near(Vec<Vec<(u16, u16)>>),
    Ring(Vec<u16>),
}

/// A tree over so many regions, and the class for which its chains and bands hold.
pub(super) fn plant(spec: &Spec, regions: u16, on_all_down: OnAllDown) -> (Tree, Class) {
    let slots = (0..regions).map(RegionId).collect();
    let mut tree = Tree { nodes: Vec::new(), root: NodeId(0), on_all_down, slots, sticky: false };
    let mut class = Class::default();
    tree.root = add(spec, &mut tree, &mut class);
    (tree, class)
}

fn push(tree: &mut Tree, node: Node) -> NodeId {
    tree.nodes.push(PolicyNode { name: None, node, min_up: 0 });
    NodeId(tree.nodes.len() as u32 - 1)
}

fn add(spec: &Spec, tree: &mut Tree, class: &mut Class) -> NodeId {
    let mut member = |weight: u16, spec: &Spec, tree: &mut Tree| Member {
        weight: Weight(weight),
        node: add(spec, tree, class),
    };
    let missing = MissingFamily::Nodata;
    let node = match spec {
        Spec::Region(slot) => Node::Region(Slot(*slot)),
        Spec::Weighted(members) => Node::Weighted {
            members: members.iter().map(|(w, spec)| member(*w, spec, tree)).collect(),
        },
        Spec::Failover(tiers, spill) => {
            let tier = |tier: &Vec<(u16, Spec)>| {
                tier.iter().map(|(w, spec)| member(*w, spec, tree)).collect()
            };
            Node::Failover { tiers: tiers.iter().map(tier).collect(), spill: *spill, missing }
        }
        Spec::Chain(to, fence) => {
            let (default, rules) = to.split_last().expect("a default");
            let spec = Spec::Geo {
                rules: rules.to_vec(),
                matching: (0..rules.len()).collect(),
                default: Some(Box::new(default.clone())),
                fence: *fence,
            };
            return add(&spec, tree, class);
        }
        Spec::Geo { rules, matching, default, fence } => {
            let mut to = |spec: &Spec| member(1, spec, tree).node;
            let keys = crate::model::GeoKeys::default;
            let rules: Vec<_> = (rules.iter())
                .map(|rule| crate::model::GeoRule { keys: keys(), to: to(rule) })
                .collect();
            let default = default.as_deref().map(to);
            let id = push(tree, Node::Geolocation { rules, default, fence: *fence, missing });
            class.chains.push((id, matching.clone()));
            return id;
        }
        Spec::Bands(bands) | Spec::Near(bands) => {
            let region = |&(w, slot): &(u16, u16), tree: &mut Tree| Member {
                weight: Weight(w),
                node: push(tree, Node::Region(Slot(slot))),
            };
            let members: Vec<Member> = bands.iter().flatten().map(|m| region(m, tree)).collect();
            let mut at = 0..members.len();
            let bands = bands.iter().map(|band| at.by_ref().take(band.len()).collect()).collect();
            let node = if let Spec::Bands(_) = spec {
                Node::Latency { members, tolerance: std::time::Duration::ZERO, missing }
            } else {
                let members = members.into_iter().map(|member| (member, 0)).collect();
                Node::Geoproximity { members, tolerance_km: 0.0, missing }
            };
            let id = push(tree, node);
            class.bands.push((id, bands));
            return id;
        }
        Spec::Ring(members) => Node::Multivalue {
            members: members.iter().map(|&slot| Slot(slot)).collect(),
            ring: Slot((tree.slots.len() + rings(tree)) as u16),
            max_answers: None,
        },
    };
    push(tree, node)
}

/// How many rings a tree has so far.
fn rings(tree: &Tree) -> usize {
    tree.nodes.iter().filter(|node| matches!(node.node, Node::Multivalue { .. })).count()
}

/// A pool's health by family: `None` has no address of it.
pub(super) type Both = [Option<f64>; 2];

pub(super) fn standings(pools: &[Both]) -> Vec<PoolStanding> {
    pools.iter().enumerate().map(|(n, both)| standing(n as u16, *both)).collect()
}

fn standing(number: u16, both: Both) -> PoolStanding {
    let [_, low] = number.to_be_bytes();
    let pool = Pool {
        region: RegionId(number),
        record: None,
        endpoint: Endpoint::Given,
        v4: both[0].map(|_| Ipv4Addr::new(192, 0, 2, low)).into_iter().collect(),
        v6: both[1]
            .map(|_| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, number))
            .into_iter()
            .collect(),
        checks: Vec::new(),
        min_healthy: MinHealthy::Count(1),
        calm: Calm::default(),
    };
    PoolStanding::new(Family::BOTH.map(|family| {
        let h = both[family.index()].unwrap_or_default();
        let live: Vec<IpAddr> = pool.addresses(family).filter(|_| h > 0.0).collect();
        Standing::new(&pool, family, h, live, None)
    }))
}

pub(super) fn settle(
    tree: &Tree,
    class: &Class,
    pools: &[PoolStanding],
    family: Family,
) -> Settled {
    let pools: Vec<Option<&PoolStanding>> = pools.iter().map(Some).collect();
    let health = Health::new(&pools, Vec::new());
    let walk = Walk { tree, family, class, health: &health, reading: Reading::Judged };
    walk.settle(tree.root, &mut ())
}

/// The shares of each region in percent, and of nodata last.
pub(super) fn percent(settled: &Settled, regions: u16) -> Vec<i64> {
    let mut groups: Vec<Group> = (0..regions).map(|n| Group::Slot(Slot(n))).collect();
    groups.push(Group::Nodata);
    let share = |group: &Group| settled.offer.shares.iter().find(|(g, _)| g == group);
    groups.iter().map(|g| share(g).map_or(0, |(_, s)| (s * 100.0).round() as i64)).collect()
}

fn region(n: u16) -> Spec {
    Spec::Region(n)
}

fn v4(healths: &[f64]) -> Vec<PoolStanding> {
    standings(&healths.iter().map(|&h| [Some(h), None]).collect::<Vec<_>>())
}

const UP: f64 = 1.0;
const DOWN: f64 = 0.0;

#[rstest]
#[case([DOWN, DOWN, UP], [0, 0, 100])]
#[case([DOWN, DOWN, DOWN], [50, 50, 0])]
#[case([DOWN, UP, DOWN], [0, 100, 0])]
#[case([UP, UP, DOWN], [50, 50, 0])]
#[case([UP, UP, UP], [50, 50, 0])]
#[case([DOWN, UP, UP], [0, 100, 0])]
fn weighted_with_a_standby(#[case] health: [f64; 3], #[case] want: [i64; 3]) {
    let spec = Spec::Weighted(vec![(1, region(0)), (1, region(1)), (0, region(2))]);
    let (tree, class) = plant(&spec, 3, OnAllDown::Open);
    let settled = settle(&tree, &class, &v4(&health), Family::V4);
    assert_eq!(percent(&settled, 3)[..3], want);
    assert_eq!(settled.reason.is_all_down(), health == [DOWN; 3]);
}

#[rstest]
#[case([UP, UP], [100, 0])]
#[case([DOWN, UP], [0, 100])]
#[case([DOWN, DOWN], [100, 0])]
#[case([0.3, UP], [100, 0])]
fn failover_of_two(#[case] health: [f64; 2], #[case] want: [i64; 2]) {
    let spec = Spec::Failover(vec![vec![(100, region(0))], vec![(100, region(1))]], false);
    let (tree, class) = plant(&spec, 2, OnAllDown::Open);
    assert_eq!(percent(&settle(&tree, &class, &v4(&health), Family::V4), 2)[..2], want);
}

#[rstest]
#[case([0.25, UP, UP], [25, 75, 0])]
#[case([0.25, 0.5, UP], [25, 37, 38])]
#[case([0.25, DOWN, DOWN], [100, 0, 0])]
#[case([0.25, DOWN, UP], [25, 0, 75])]
fn spilling_failover_fills(#[case] health: [f64; 3], #[case] want: [i64; 3]) {
    let tier = |n| vec![(100, region(n))];
    let spec = Spec::Failover(vec![tier(0), tier(1), tier(2)], true);
    let (tree, class) = plant(&spec, 3, OnAllDown::Open);
    let got = percent(&settle(&tree, &class, &v4(&health), Family::V4), 3);
    for (got, want) in got.iter().zip(want) {
        assert!((got - want).abs() <= 1, "{got} for {want}");
    }
}

#[test]
fn a_tier_is_shared_by_weight_and_a_pool_offers_once() {
    let tier = vec![(75, region(0)), (25, region(1))];
    let spec = Spec::Failover(vec![tier.clone(), vec![(100, region(2))]], false);
    let (tree, class) = plant(&spec, 3, OnAllDown::Open);
    let shares = |h: [f64; 3]| percent(&settle(&tree, &class, &v4(&h), Family::V4), 3);
    assert_eq!(shares([UP, UP, UP])[..3], [75, 25, 0]);
    assert_eq!(shares([DOWN, UP, UP])[..3], [0, 100, 0]);
    assert_eq!(shares([DOWN, DOWN, UP])[..3], [0, 0, 100]);

    // The rule's region stands in the default as well: there its part goes to the others.
    let default = Spec::Weighted(vec![(1, region(0)), (1, region(1)), (1, region(2))]);
    let (tree, class) = plant(&Spec::Chain(vec![region(0), default], false), 3, OnAllDown::Open);
    let settled = settle(&tree, &class, &v4(&[0.5, UP, UP]), Family::V4);
    assert_eq!(percent(&settled, 3), [50, 25, 25, 0]);
}

#[test]
fn a_fence_is_never_left() {
    let spec = |fence| Spec::Chain(vec![region(0), region(1)], fence);
    let (tree, class) = plant(&spec(false), 2, OnAllDown::Open);
    let health = v4(&[DOWN, UP]);
    assert_eq!(percent(&settle(&tree, &class, &health, Family::V4), 2), [0, 100, 0]);
    let (tree, class) = plant(&spec(true), 2, OnAllDown::Open);
    assert_eq!(percent(&settle(&tree, &class, &health, Family::V4), 2), [100, 0, 0]);
    let (tree, class) = plant(&spec(true), 2, OnAllDown::Closed);
    assert_eq!(percent(&settle(&tree, &class, &health, Family::V4), 2), [0, 0, 100]);
}

#[test]
fn bands_fill_nearest_first() {
    let spec = Spec::Bands(vec![vec![(70, 0), (30, 1)], vec![(100, 2)]]);
    let (tree, class) = plant(&spec, 3, OnAllDown::Open);
    let shares = |h: [f64; 3]| percent(&settle(&tree, &class, &v4(&h), Family::V4), 3);
    assert_eq!(shares([UP, UP, UP]), [70, 30, 0, 0]);
    assert_eq!(shares([0.5, DOWN, UP]), [50, 0, 50, 0]);
    assert_eq!(shares([DOWN, DOWN, UP]), [0, 0, 100, 0]);
    // Without figures for the client, all share by weight.
    let settled = settle(&tree, &Class::default(), &v4(&[UP, UP, UP]), Family::V4);
    assert_eq!(percent(&settled, 3), [35, 15, 50, 0]);
}

#[test]
fn a_ring_is_one_group() {
    let (tree, class) = plant(&Spec::Ring(vec![0, 1]), 2, OnAllDown::Open);
    let settled = settle(&tree, &class, &v4(&[DOWN, 0.5]), Family::V4);
    assert_eq!(settled.offer.shares, [(Group::Slot(Slot(2)), 1.0)]);
}

#[rstest]
// An IPv4-only primary keeps its place for AAAA, with the health of its IPv4.
#[case([[Some(UP), None], [Some(UP), Some(UP)]], [0, 0, 100])]
#[case([[Some(DOWN), None], [Some(UP), Some(UP)]], [0, 100, 0])]
#[case([[None, None], [Some(UP), Some(UP)]], [0, 100, 0])]
#[case([[Some(DOWN), None], [Some(DOWN), Some(DOWN)]], [0, 0, 100])]
fn a_missing_family_keeps_its_place_in_a_failover(
    #[case] pools: [Both; 2],
    #[case] want: [i64; 3],
) {
    let spec = Spec::Failover(vec![vec![(100, region(0))], vec![(100, region(1))]], false);
    let (tree, class) = plant(&spec, 2, OnAllDown::Open);
    let settled = settle(&tree, &class, &standings(&pools), Family::V6);
    assert_eq!(percent(&settled, 2), want);
}

#[test]
fn a_missing_family_is_left_out_of_groups_and_tiers() {
    let pools = standings(&[[Some(UP), None], [Some(UP), Some(UP)]]);
    let members = vec![(90, region(0)), (10, region(1))];
    for spec in [Spec::Weighted(members.clone()), Spec::Failover(vec![members], false)] {
        let (tree, class) = plant(&spec, 2, OnAllDown::Open);
        assert_eq!(percent(&settle(&tree, &class, &pools, Family::V6), 2), [0, 100, 0]);
        assert_eq!(percent(&settle(&tree, &class, &pools, Family::V4), 2), [90, 10, 0]);
    }
}

#[test]
fn a_policy_without_the_family_is_left_out_as_its_regions_are() {
    let pools = standings(&[[Some(UP), None], [Some(UP), Some(UP)]]);
    let nested = Spec::Failover(vec![vec![(100, region(0))]], false);
    let members = vec![(90, nested), (10, region(1))];
    for spec in [Spec::Weighted(members.clone()), Spec::Failover(vec![members], false)] {
        let (tree, class) = plant(&spec, 2, OnAllDown::Open);
        assert_eq!(percent(&settle(&tree, &class, &pools, Family::V6), 2), [0, 100, 0]);
        assert_eq!(percent(&settle(&tree, &class, &pools, Family::V4), 2), [90, 10, 0]);
    }
}

#[test]
fn no_family_at_all_is_no_alarm() {
    let pools = standings(&[[Some(UP), None], [Some(DOWN), None]]);
    let spec = Spec::Weighted(vec![(1, region(0)), (1, region(1))]);
    let (tree, class) = plant(&spec, 2, OnAllDown::Open);
    let settled = settle(&tree, &class, &pools, Family::V6);
    assert_eq!((settled.offer.shares.len(), settled.reason), (0, Reason::NoFamily));
}

#[test]
fn all_down_does_as_it_is_told() {
    let pools = v4(&[DOWN, DOWN, DOWN]);
    let spec = Spec::Weighted(vec![(3, region(0)), (1, region(1))]);
    let (tree, class) = plant(&spec, 3, OnAllDown::Closed);
    let settled = settle(&tree, &class, &pools, Family::V4);
    assert_eq!((settled.offer.shares.len(), settled.reason), (0, Reason::Closed));

    let (mut tree, class) = plant(&spec, 3, OnAllDown::Open);
    let other = push(&mut tree, Node::Region(Slot(2)));
    tree.on_all_down = OnAllDown::Instead(other);
    let settled = settle(&tree, &class, &pools, Family::V4);
    assert_eq!((percent(&settled, 3), settled.reason), (vec![0, 0, 100, 0], Reason::Instead));
}

#[test]
fn open_prefers_what_is_alive() {
    // Region 1 is down by min_healthy, but one of its addresses answers.
    let mut pools = v4(&[DOWN, DOWN]);
    let alive = standing(1, [Some(UP), None]).family(Family::V4).live.clone();
    let count = 2;
    let family = |s: &Standing| Standing { live: alive.clone(), count, ..s.clone() };
    let was = pools[1].clone();
    pools[1] = PoolStanding::new([family(was.family(Family::V4)), was.family(Family::V6).clone()]);
    let spec = Spec::Weighted(vec![(1, region(0)), (1, region(1))]);
    let (tree, class) = plant(&spec, 2, OnAllDown::Open);
    let settled = settle(&tree, &class, &pools, Family::V4);
    assert_eq!((percent(&settled, 2), settled.reason), (vec![0, 100, 0], Reason::OpenLive));
}
