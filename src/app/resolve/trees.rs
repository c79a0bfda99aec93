//! Tests of the trees that policies become which look at the client, or answer with several regions.

use std::sync::Arc;
use std::time::Duration;

use super::{Parts, resolve};
use crate::config;
use crate::model::{
    Continent, Country, GeoKeys, MissingFamily, Node, NodeId, OnAllDown, RegionId, Slot, Tree,
};
use crate::problem::{Problems, Source};

const REGIONS: &str = r#"
version = 1
zones."example.com".file = "example.com.zone"
regions.a = { addresses = ["192.0.2.1"], location = "aws:us-east-1", weight = 70 }
regions.b = { addresses = ["192.0.2.2"], location = { latitude = 50, longitude = 8 } }
regions.c = { addresses = ["192.0.2.3"], location = { latitude = 1, longitude = 2 }, weight = 0 }
"#;

fn resolved(text: &str) -> Parts {
    let text = format!("{REGIONS}{text}");
    let (config, mut problems) = config::parse(&Arc::new(Source { path: "t.toml".into(), text }));
    let resolved = resolve(&config, &mut problems);
    assert_eq!(problems, Problems::default(), "{}", problems.render(false));
    resolved
}

/// The only tree of records that have each one line.
fn tree(policies: &str, record: &str) -> Tree {
    let r = resolved(&format!("{policies}\n[[records]]\nname = \"app.example.com\"\n{record}\n"));
    r.trees.into_iter().next().unwrap()
}

fn region(tree: &Tree, id: NodeId) -> RegionId {
    let Node::Region(slot) = tree.node(id) else { panic!("{:?}", tree.node(id)) };
    tree.slots[slot.index()]
}

#[test]
fn geolocation_keeps_its_rules_in_order_with_all_their_keys() {
    let tree = tree(
        r#"
        geo.networks = [
            { prefix = "192.0.2.0/24", country = "DE", subdivision = "BE", asn = 1 },
        ]
        [policies.main]
        type = "geolocation"
        rules = [
            { continent = "eu", to = "inner" },
            { country = ["DE", "FR"], subdivision = ["DE-BE", "DE-BY"], asn = 64500, to = "b" },
            { country = "US", subdivision = "ca", to = "a" },
            { prefix = ["2001:db8::1", "10.0.0.0/8"], to = "a" },
        ]
        default = "c"
        when_down = "fence"
        missing_family = "skip"
        [policies.inner]
        type = "failover"
        order = ["b", "a"]
        "#,
        "policy = \"main\"",
    );
    let Node::Geolocation { rules, default, fence: true, missing } = tree.node(tree.root) else {
        panic!("{tree:?}");
    };
    assert_eq!(*missing, MissingFamily::Skip);
    assert_eq!(region(&tree, default.unwrap()), RegionId(2));
    let [first, second, third, fourth] = &rules[..] else { panic!("{rules:?}") };
    assert_eq!(first.keys, GeoKeys { continent: vec![Continent::Europe], ..GeoKeys::default() });
    assert!(matches!(tree.node(first.to), Node::Failover { .. }));
    let countries: Vec<Country> = vec!["DE".parse().unwrap(), "FR".parse().unwrap()];
    assert_eq!((&second.keys.country, &second.keys.asn), (&countries, &vec![64500]));
    let subdivisions: Vec<_> = second.keys.subdivision.iter().map(ToString::to_string).collect();
    assert_eq!(subdivisions, ["DE-BE", "DE-BY"]);
    assert_eq!(third.keys.subdivision, ["US-CA".parse().unwrap()]);
    assert_eq!(third.keys.country, ["US".parse().unwrap()]);
    let prefixes: Vec<_> = fourth.keys.prefix.iter().map(ToString::to_string).collect();
    assert_eq!(prefixes, ["10.0.0.0/8", "2001:db8::1/128"], "ascending, however they are written");
    assert_eq!(tree.slots.len(), 3, "each region once");
    assert!(!tree.sticky);
}

#[test]
fn nodata_is_a_default_that_leads_nowhere() {
    let tree = tree(
        r#"
        [policies.main]
        type = "geolocation"
        rules = [
            { prefix = "10.0.0.0/8", to = "a" },
            { prefix = "10.1.0.0/16", to = "b" },
            { prefix = "10.1.0.0/17", to = "c" },
        ]
        default = "nodata"
        "#,
        "policy = \"main\"",
    );
    let Node::Geolocation { default: None, fence: false, missing, .. } = tree.node(tree.root)
    else {
        panic!("{tree:?}");
    };
    assert_eq!(*missing, MissingFamily::Nodata);
}

#[test]
fn latency_takes_every_region_at_its_own_weight_unless_told_otherwise() {
    let all = tree("", "policy = \"latency\"");
    let Node::Latency { members, tolerance, .. } = all.node(all.root) else { panic!("{all:?}") };
    assert_eq!(members.iter().map(|m| m.weight.0).collect::<Vec<_>>(), [70, 100, 0]);
    assert_eq!(*tolerance, Duration::from_millis(10));
    assert_eq!(all.nodes[all.root.0 as usize].name.as_deref(), Some("latency"));

    let policy = "[policies.near]\ntype = \"latency\"\nto = [\"c\", \"a\", \"b\"]\n\
                  tolerance = \"0ms\"";
    let some = tree(policy, "policy = \"near\"");
    let Node::Latency { members, tolerance, .. } = some.node(some.root) else { panic!("{some:?}") };
    let regions: Vec<_> = members.iter().map(|m| region(&some, m.node)).collect();
    assert_eq!(regions, [RegionId(2), RegionId(0), RegionId(1)]);
    assert_eq!(*tolerance, Duration::ZERO);
}

#[test]
fn geoproximity_has_a_bias_for_each_region() {
    let policy = "geo.networks = [{ prefix = \"10.0.0.0/8\", latitude = 1, longitude = 1 }]\n\
                  [policies.close]\ntype = \"geoproximity\"\nbias = { b = -20 }\ntolerance = 100";
    let tree = tree(policy, "policy = \"close\"");
    let Node::Geoproximity { members, tolerance_km, .. } = tree.node(tree.root) else {
        panic!("{tree:?}");
    };
    let biased: Vec<_> = members.iter().map(|(m, bias)| (region(&tree, m.node), *bias)).collect();
    assert_eq!(biased, [(RegionId(0), 0), (RegionId(1), -20), (RegionId(2), 0)]);
    assert!((tolerance_km - 100.0).abs() < f64::EPSILON);
}

#[test]
fn rings_have_the_slots_behind_all_regions_in_the_order_of_the_nodes() {
    let tree = tree(
        r#"
        [policies.main]
        type = "failover"
        order = ["some", "others", "b"]
        [policies.some]
        type = "multivalue"
        to = ["c", "a"]
        max_answers = 2
        [policies.others]
        type = "multivalue"
        to = ["a", "b"]
        "#,
        "policy = \"main\"",
    );
    assert_eq!(tree.slots, [RegionId(2), RegionId(0), RegionId(1)]);
    let rings: Vec<_> = (tree.nodes.iter())
        .filter_map(|node| match &node.node {
            Node::Multivalue { members, ring, max_answers } => {
                Some((node.name.as_deref(), members.clone(), *ring, *max_answers))
            }
            _ => None,
        })
        .collect();
    let some = (Some("some"), vec![Slot(0), Slot(1)], Slot(3), Some(2));
    let others = (Some("others"), vec![Slot(1), Slot(2)], Slot(4), None);
    assert_eq!(rings, [some, others]);
}

#[test]
fn one_sticky_policy_makes_its_tree_sticky_and_no_other() {
    let r = resolved(
        r#"
        [policies.main]
        type = "failover"
        order = ["shared", "c"]
        [policies.shared]
        type = "weighted"
        weights = { a = 1, b = 1 }
        sticky = "client"
        [[records]]
        name = "a.example.com"
        policy = "main"
        [[records]]
        name = "b.example.com"
        policy = "weighted"
        "#,
    );
    assert_eq!(r.trees.iter().map(|tree| tree.sticky).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn last_good_is_for_records_and_for_all() {
    let record = |name: &str, more: &str| {
        format!("[[records]]\nname = \"{name}.example.com\"\npolicy = \"multivalue\"\n{more}\n")
    };
    let own = record("a", "on_all_down = \"last_good\"") + &record("b", "");
    let r = resolved(&own);
    let downs: Vec<_> = r.trees.iter().map(|tree| tree.on_all_down).collect();
    assert_eq!(downs, [OnAllDown::LastGood, OnAllDown::Open]);
    let all = format!("defaults.on_all_down = \"last_good\"\n{}", record("a", ""));
    assert_eq!(resolved(&all).trees[0].on_all_down, OnAllDown::LastGood);
}
