//! Explanations against what is served, and the words for what hand-built trees do.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::path::Path;
use super::recorder::Recorder;
use super::*;
use crate::geo::ClientKey;
use crate::model::{
    Family, GeoKeys, GeoRule, Location, Member, MissingFamily, Node, NodeId, OnAllDown, PolicyNode,
    PoolId, RegionId, Slot, Tree, Weight,
};
use crate::routing::classes::{Walked, flatten};
use crate::routing::levels::{Health as Levels, Stands};
use crate::routing::places::{Classified, FigureSource, Figures};
use crate::routing::sight::Side;
use crate::routing::tables::{Both, Spec, plant, standings};
use crate::routing::{Class, Distribution, Group, PoolStanding};

const REGIONS: u16 = 6;

fn names(count: u16) -> Vec<crate::model::Region> {
    let region = |n: u16| crate::model::Region {
        name: format!("r{n}").into(),
        weight: Weight::DEFAULT,
        capacity: None,
        location: Some(Location { latitude: 0.0, longitude: 10.0 * f64::from(n) }),
        pool: PoolId(u32::from(n)),
    };
    (0..count).map(region).collect()
}

/// A degree of the equator, in km.
const DEGREE_KM: f64 = 111.195;

/// What is served, and the path that led to it.
fn explained(
    tree: &Tree,
    class: &Class,
    classified: Option<&Classified>,
    pools: &[PoolStanding],
    family: Family,
) -> (Distribution, Option<Step>) {
    let pools: Vec<Option<&PoolStanding>> = pools.iter().map(Some).collect();
    let mut recorder = Recorder::new();
    let sides = [Side { share: 1.0, cut: 0.0, health: Levels::new(&pools, Vec::new()) }];
    let served = flatten(tree, family, class, &sides);
    Walked::new(tree, family, class, &sides[0].health, &mut recorder);
    let path = Path {
        tree,
        family,
        class,
        classified,
        endpoints: &[],
        pools: &pools,
        rtts: &[],
        forcings: &[],
        cut: 0.0,
        stands: &Stands::default(),
        rings: &served.rings,
        regions: &names(REGIONS),
    };
    let root = path.root(&recorder.finish(), 1.0);
    (served, root)
}

/// Trees of all kinds, fences and rings among them.
fn spec() -> impl Strategy<Value = Spec> {
    let ring = prop::sample::subsequence((0..REGIONS).collect::<Vec<_>>(), 1..4);
    let leaf =
        prop_oneof![4 => (0..REGIONS).prop_map(Spec::Region), 1 => ring.prop_map(Spec::Ring)];
    leaf.prop_recursive(3, 16, 3, |inner| {
        let member = (0_u16..4, inner.clone());
        let tier = prop::collection::vec(member.clone(), 1..3);
        prop_oneof![
            prop::collection::vec(member, 1..4).prop_map(Spec::Weighted),
            (prop::collection::vec(tier, 1..4), any::<bool>())
                .prop_map(|(tiers, spill)| Spec::Failover(tiers, spill)),
            (prop::collection::vec(inner, 1..4), any::<bool>())
                .prop_map(|(to, fence)| Spec::Chain(to, fence)),
            prop::collection::vec(prop::collection::vec((0_u16..4, 0..REGIONS), 1..3), 1..3)
                .prop_map(Spec::Bands),
        ]
    })
}

fn health() -> impl Strategy<Value = Both> {
    let family = || prop_oneof![2 => Just(None), 4 => Just(Some(0.0)), 4 => Just(Some(1.0)), 2 => (0.01..1.0).prop_map(Some)];
    [family(), family()]
}

/// Rings get slots of their own, one each.
fn number_rings(tree: &mut Tree) {
    let mut next = tree.slots.len() as u16;
    for node in &mut tree.nodes {
        if let Node::Multivalue { ring, .. } = &mut node.node {
            *ring = Slot(next);
            next += 1;
        }
    }
}

/// The shares at the ends of a path: by region, by ring, and of empty answers.
fn ends(step: &Step, sum: &mut BTreeMap<String, f64>) {
    if ["region", "multivalue"].contains(&step.policy.as_str()) {
        let name = if step.policy == "region" {
            step.name.clone().unwrap_or_default()
        } else {
            format!("ring of {}", step.ring.join(" "))
        };
        *sum.entry(name).or_default() += step.share;
    }
    for part in &step.parts {
        if part.nodata > 0.0 {
            *sum.entry("nodata".into()).or_default() += part.nodata;
        }
        let below: f64 = part.members.iter().map(|member| member.share).sum();
        assert!((below + part.nodata - part.share).abs() < 1e-9, "{part:?}");
        part.members.iter().for_each(|member| ends(member, sum));
    }
    let parts: f64 = step.parts.iter().map(|part| part.share).sum();
    assert!(step.parts.is_empty() || (parts - step.share).abs() < 1e-9, "{step:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// The shares at the ends of the path are those that are served, exactly but for rounding.
    #[test]
    fn the_path_explains_what_is_served(
        spec in spec(),
        healths in prop::collection::vec(health(), REGIONS as usize),
        all_down in 0..3,
        v6 in any::<bool>(),
    ) {
        let (mut tree, class) = plant(&spec, REGIONS, OnAllDown::Open);
        number_rings(&mut tree);
        for node in &mut tree.nodes {
            if let Node::Region(slot) = node.node {
                node.name = Some(format!("r{}", slot.0).into());
            }
        }
        tree.on_all_down = match all_down {
            0 => OnAllDown::Open,
            1 => OnAllDown::Closed,
            _ => OnAllDown::Instead(NodeId(0)),
        };
        let family = if v6 { Family::V6 } else { Family::V4 };
        let (served, path) = explained(&tree, &class, None, &standings(&healths), family);
        let mut sum = BTreeMap::new();
        if let Some(path) = &path {
            ends(path, &mut sum);
        }
        let mut wanted: BTreeMap<String, f64> = BTreeMap::new();
        for (group, share) in &served.shares {
            let name = match group {
                Group::Nodata => "nodata".to_string(),
                Group::Slot(slot) if slot.0 < REGIONS => format!("r{}", slot.0),
                Group::Slot(ring) => {
                    let ring = &served.rings[usize::from(ring.0 - REGIONS)];
                    let names: Vec<_> = ring.members.iter().map(|slot| format!("r{}", slot.0)).collect();
                    format!("ring of {}", names.join(" "))
                }
            };
            *wanted.entry(name).or_default() += share;
        }
        let keys = sum.keys().chain(wanted.keys());
        for key in keys {
            let of = |sums: &BTreeMap<String, f64>| sums.get(key).copied().unwrap_or_default();
            prop_assert!(
                (of(&sum) - of(&wanted)).abs() < 1e-9,
                "{key}: {} explained, {} served\n{tree:?}\n{path:#?}", of(&sum), of(&wanted)
            );
        }
    }
}

fn named(name: &str, node: Node) -> PolicyNode {
    PolicyNode { name: Some(name.into()), node, min_up: 0 }
}

/// Three regions, and behind them a policy over them; that policy is the root.
fn over_three(policy: Node, fallback: Option<Node>) -> Tree {
    let mut nodes: Vec<_> =
        (0..3).map(|n| named(&format!("r{n}"), Node::Region(Slot(n)))).collect();
    nodes.extend(fallback.map(|node| named("fallback", node)));
    nodes.push(named("root", policy));
    Tree {
        root: NodeId(nodes.len() as u32 - 1),
        nodes,
        on_all_down: OnAllDown::Open,
        slots: (0..3).map(RegionId).collect(),
        sticky: false,
    }
}

fn member(node: u32) -> Member {
    Member { weight: Weight::DEFAULT, node: NodeId(node) }
}

fn v4(healths: &[f64]) -> Vec<PoolStanding> {
    standings(&healths.iter().map(|&h| [Some(h), None]).collect::<Vec<_>>())
}

#[test]
fn a_geolocation_tells_the_rules_that_match_and_the_chain_behind_them() {
    let rule = |keys: GeoKeys, to| GeoRule { keys, to: NodeId(to) };
    let country =
        |code: &str| GeoKeys { country: vec![code.parse().unwrap()], ..GeoKeys::default() };
    let subdivision = vec!["US-CA".parse().unwrap()];
    let rules = vec![
        rule(country("DE"), 2),
        rule(country("US"), 1),
        rule(GeoKeys { subdivision, ..country("US") }, 0),
    ];
    let policy = |default, fence| Node::Geolocation {
        rules: rules.clone(),
        default,
        fence,
        missing: MissingFamily::Nodata,
    };
    let failover = Node::Failover {
        tiers: vec![vec![member(2)]],
        spill: false,
        missing: MissingFamily::Nodata,
    };
    let tree = over_three(policy(Some(NodeId(3)), false), Some(failover.clone()));
    let class = Class { chains: vec![(NodeId(4), vec![2, 1])], bands: Vec::new() };
    let (_, path) = explained(&tree, &class, None, &v4(&[0.0, 1.0, 1.0]), Family::V4);
    let parts = path.unwrap().parts;
    let told: Vec<_> = parts.iter().map(|part| (part.outcome, part.share)).collect();
    use Outcome::{Down, NotNeeded, Used};
    assert_eq!(told, [(Down, 0.0), (Used, 1.0), (NotNeeded, 0.0)]);
    let keys = |subdivision: &[&str]| Keys {
        country: vec!["US".into()],
        subdivision: subdivision.iter().map(ToString::to_string).collect(),
        ..Keys::default()
    };
    assert_eq!(parts[0].part, Kind::Rule(keys(&["US-CA"])));
    assert_eq!(parts[1].part, Kind::Rule(keys(&[])));
    assert_eq!(parts[2].part, Kind::Default);
    assert_eq!(parts[2].members[0].name.as_deref(), Some("fallback"));

    // A fence has one link, and rules of its own inside.
    let tree = over_three(policy(Some(NodeId(3)), true), Some(failover));
    let (_, path) = explained(&tree, &class, None, &v4(&[0.0, 1.0, 1.0]), Family::V4);
    let parts = path.unwrap().parts;
    assert_eq!(parts.len(), 1);
    assert_eq!(parts[0].reason, Some(crate::routing::Reason::Open));
    let region = &parts[0].members[0];
    assert_eq!((region.name.as_deref(), region.health), (Some("r0"), Some(0.0)));

    // No rule matches, and the default is nothing.
    let mut tree = over_three(policy(None, false), None);
    tree.root = NodeId(3);
    let (served, path) = explained(&tree, &Class::default(), None, &v4(&[1.0; 3]), Family::V4);
    assert_eq!(served.shares, [(Group::Nodata, 1.0)]);
    let parts = path.unwrap().parts;
    assert_eq!((&parts[0].part, parts[0].nodata, parts[0].members.len()), (&Kind::Default, 1.0, 0));
}

#[test]
fn a_latency_tells_its_figures_and_their_source() {
    let policy = Node::Latency {
        members: vec![member(0), member(1), member(2)],
        tolerance: Duration::from_millis(10),
        missing: MissingFamily::Nodata,
    };
    let tree = over_three(policy, None);
    let root = NodeId(3);
    let class = Class { chains: Vec::new(), bands: vec![(root, vec![vec![2, 0], vec![1]])] };
    let of = vec![19e6, 150.5e6, 12e6];
    let rows = vec![ClientKey::All, ClientKey::All, ClientKey::Asn(64500)];
    let with = |source| {
        let figures = vec![(root, Figures { source, of: of.clone() })];
        Classified { class: class.clone(), matched: class.chains.clone(), figures }
    };
    let told = |classified: Option<&Classified>, class: &Class| {
        explained(&tree, class, classified, &v4(&[1.0, 1.0, 0.0]), Family::V4).1.unwrap()
    };

    let step = told(Some(&with(FigureSource::Table(rows))), &class);
    let compared = step.compared.unwrap();
    assert_eq!((compared.by, compared.tolerance), (ComparedBy::Table, 10.0));
    let band = &step.parts[0];
    assert_eq!((&band.part, band.outcome, band.share), (&Kind::Band(1), Outcome::Used, 1.0));
    let figures: Vec<_> = (band.members.iter())
        .map(|m| (m.figure.clone().unwrap(), m.share))
        .map(|(figure, share)| (figure.rtt_ms.unwrap(), figure.row.unwrap(), share))
        .collect();
    assert_eq!(figures, [(12.0, "AS64500".into(), 0.0), (19.0, "*".into(), 1.0)]);
    assert_eq!(step.parts[1].outcome, Outcome::NotNeeded);
    assert_eq!(step.parts[1].members[0].figure.as_ref().unwrap().rtt_ms, Some(150.5));

    // The regions stand on the equator, 10 degrees from one to the next.
    let from = Location { latitude: 0.0, longitude: 10.0 };
    let step = told(Some(&with(FigureSource::Distance { from, of_country: true })), &class);
    let compared = step.compared.unwrap();
    assert_eq!((compared.by, compared.from), (ComparedBy::Distance, Some((0.0, 10.0))));
    assert!(compared.of_country);
    let figure = step.parts[0].members[0].figure.as_ref().unwrap();
    assert_eq!(figure.rtt_ms, Some(12.0));
    assert!((figure.km.unwrap() - DEGREE_KM * 10.0).abs() < 1.0, "{figure:?}");

    // Where the sources say something else within the prefix, no figure is made up.
    let step = told(None, &class);
    assert_eq!(step.compared.unwrap().by, ComparedBy::Mixed);
    assert_eq!(step.parts[0].members[0].figure, None);

    // Nothing is known: all share by weight.
    let step = told(Some(&Classified::default()), &Class::default());
    assert_eq!(step.compared.unwrap().by, ComparedBy::Weight);
    let shares: Vec<_> = step.parts[0].members.iter().map(|m| (m.share, m.outcome)).collect();
    assert_eq!(shares, [(0.5, Outcome::Used), (0.5, Outcome::Used), (0.0, Outcome::Down)]);
}

#[test]
fn a_geoproximity_tells_distances_before_and_after_the_bias() {
    let policy = Node::Geoproximity {
        members: vec![(member(0), 0), (member(1), 50), (member(2), -50)],
        tolerance_km: 0.0,
        missing: MissingFamily::Nodata,
    };
    let tree = over_three(policy, None);
    let class =
        Class { chains: Vec::new(), bands: vec![(NodeId(3), vec![vec![1], vec![0], vec![2]])] };
    let source = FigureSource::Distance {
        from: Location { latitude: 0.0, longitude: 0.0 },
        of_country: false,
    };
    let of = vec![600e3, 500e3, 1000e3];
    let classified = Classified {
        class: class.clone(),
        matched: class.chains.clone(),
        figures: vec![(NodeId(3), Figures { source, of })],
    };
    let (_, path) = explained(&tree, &class, Some(&classified), &v4(&[1.0; 3]), Family::V4);
    let parts = path.unwrap().parts;
    let of = |at: usize| parts[at].members[0].figure.clone().unwrap();
    let km = |at: usize| (of(at).km.unwrap() / DEGREE_KM).round();
    assert_eq!((km(0), of(0).bias, of(0).biased_km), (10.0, Some(50), Some(500.0)));
    assert_eq!((km(1), of(1).bias, of(1).biased_km), (0.0, Some(0), Some(600.0)));
    assert_eq!((km(2), of(2).bias, of(2).biased_km), (20.0, Some(-50), Some(1000.0)));
}

#[test]
fn a_tier_without_the_family_keeps_its_place_in_words() {
    let tiers = vec![vec![member(0)], vec![member(1)]];
    let policy = |missing| Node::Failover { tiers: tiers.clone(), spill: false, missing };
    let pools = standings(&[[Some(1.0), None], [Some(1.0), Some(1.0)], [Some(1.0), Some(1.0)]]);
    let told = |missing| {
        let tree = over_three(policy(missing), None);
        explained(&tree, &Class::default(), None, &pools, Family::V6).1.unwrap().parts
    };
    let parts = told(MissingFamily::Nodata);
    assert_eq!((parts[0].outcome, parts[0].nodata), (Outcome::Used, 1.0));
    assert_eq!(parts[0].members[0].outcome, Outcome::NoAddress);
    assert_eq!(parts[1].outcome, Outcome::NotNeeded);
    let parts = told(MissingFamily::Skip);
    assert_eq!((parts[0].outcome, parts[0].share), (Outcome::NoAddress, 0.0));
    assert_eq!((parts[1].outcome, parts[1].share), (Outcome::Used, 1.0));
}

#[test]
fn the_rule_that_matched_is_told_and_not_another_that_leads_to_the_same() {
    let country = |code: &str| GeoRule {
        keys: GeoKeys { country: vec![code.parse().unwrap()], ..GeoKeys::default() },
        to: NodeId(1),
    };
    let policy = Node::Geolocation {
        rules: vec![country("DE"), country("FR")],
        default: Some(NodeId(0)),
        fence: false,
        missing: MissingFamily::Nodata,
    };
    let tree = over_three(policy, None);
    let class = Class { chains: vec![(NodeId(3), vec![0])], bands: Vec::new() };
    let matched = vec![(NodeId(3), vec![1])];
    let classified = Classified { class: class.clone(), matched, figures: Vec::new() };
    let (_, path) = explained(&tree, &class, Some(&classified), &v4(&[1.0; 3]), Family::V4);
    let rule = &path.unwrap().parts[0];
    let french = Keys { country: vec!["FR".into()], ..Keys::default() };
    assert_eq!((&rule.part, rule.share), (&Kind::Rule(french), 1.0));
}

#[test]
fn what_was_asked_before_says_so() {
    let to = |to| GeoRule { keys: GeoKeys::default(), to: NodeId(to) };
    let policy = Node::Geolocation {
        rules: vec![to(0)],
        default: Some(NodeId(3)),
        fence: false,
        missing: MissingFamily::Nodata,
    };
    let tree = over_three(policy, Some(Node::Weighted { members: vec![member(0), member(1)] }));
    let class = Class { chains: vec![(NodeId(4), vec![0])], bands: Vec::new() };
    let (_, path) = explained(&tree, &class, None, &v4(&[0.25, 1.0, 1.0]), Family::V4);
    let default = &path.unwrap().parts[1];
    assert_eq!((&default.part, default.share), (&Kind::Default, 0.75));
    let members = &default.members[0].parts[0].members;
    assert_eq!((members[0].outcome, members[0].share), (Outcome::OfferedBefore, 0.0));
    assert_eq!((members[1].outcome, members[1].share), (Outcome::Used, 0.75));
}
