//! Tests of what a good configuration becomes. What is wrong with bad ones is tested by their
//! reports, in `tests/config_reports.rs`.

use std::sync::Arc;
use std::time::Duration;

use super::{Parts, probed, resolve};
use crate::config;
use crate::model::{
    Member, MissingFamily, Node, NodeId, OnAllDown, PoolId, RegionId, Slot, Tree, TreeId, Weight,
};
use crate::problem::{Problems, Source};

const REGIONS: &str = r#"
version = 1
zones."example.com".file = "example.com.zone"
checks.web = { type = "http" }
checks.slow = { type = "tcp", port = 25, interval = "1m", timeout = "10s", fall = 2 }
regions.a = { addresses = ["192.0.2.1", "192.0.2.2"], weight = 70, check = "web" }
regions.b = { addresses = ["192.0.2.3"], weight = 30, check = ["web", "slow"] }
regions.c = { addresses = ["192.0.2.4"], weight = 0 }
"#;

fn resolved(text: &str) -> Parts {
    let text = format!("{REGIONS}{text}");
    let (config, mut problems) = config::parse(&Arc::new(Source { path: "t.toml".into(), text }));
    let resolved = resolve(&config, &mut problems);
    assert_eq!(problems, Problems::default(), "{}", problems.render(false));
    resolved
}

/// A tree as text: `failover(tier [a*70 b*30], tier [c*0])`.
fn show(tree: &Tree, id: NodeId) -> String {
    let members = |members: &[Member]| {
        let show = |m: &Member| format!("{}*{}", show(tree, m.node), m.weight.0);
        members.iter().map(show).collect::<Vec<_>>().join(" ")
    };
    let name = tree.nodes[id.index()].name.as_deref().unwrap();
    match tree.node(id) {
        Node::Region(slot) => format!("{name}@{}", slot.0),
        Node::Weighted { members: m } => format!("{name}({})", members(m)),
        Node::Failover { tiers, spill, missing } => {
            let tiers = tiers.iter().map(|t| members(t)).collect::<Vec<_>>().join(" | ");
            let spill = if *spill { ", spill" } else { "" };
            let skip = if *missing == MissingFamily::Skip { ", skip" } else { "" };
            format!("{name}({tiers}{spill}{skip})")
        }
        other => unreachable!("{other:?}"),
    }
}

impl NodeId {
    fn index(self) -> usize {
        self.0 as usize
    }
}

#[test]
fn regions_keep_their_order_and_have_the_first_pools() {
    let r = resolved("[[records]]\nname = \"app.example.com\"\npolicy = \"weighted\"\n");
    let names: Vec<_> = r.regions.iter().map(|region| &*region.name).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(r.regions[1].pool, PoolId(1));
    assert_eq!(r.regions[0].weight, Weight(70));
    let [a, b, c] = &r.pools[..] else { panic!("{:?}", r.pools) };
    assert_eq!((a.region, a.v4.len(), a.v6.len(), a.record.as_deref()), (RegionId(0), 2, 0, None));
    assert!(Arc::ptr_eq(&a.checks[0], &b.checks[0]), "a check is shared");
    assert!(c.checks.is_empty());
}

#[test]
fn weighted_takes_every_region_at_its_own_weight() {
    let r = resolved("[[records]]\nname = \"app.example.com\"\npolicy = \"weighted\"\n");
    let tree = &r.trees[0];
    assert_eq!(show(tree, tree.root), "weighted(a@0*70 b@1*30 c@2*0)");
    assert_eq!(tree.slots, [RegionId(0), RegionId(1), RegionId(2)]);
    assert_eq!(tree.on_all_down, OnAllDown::Open);
    assert_eq!(r.bindings[0].pools, [Some(PoolId(0)), Some(PoolId(1)), Some(PoolId(2))]);
    let record = &r.records[0];
    assert_eq!((record.ttl, record.ttl_min, record.max_answers), (60, 10, 8));
}

#[test]
fn weights_are_the_policy_s_own_else_the_region_s_else_a_hundred() {
    let r = resolved(
        r#"
        [policies.share]
        type = "weighted"
        weights = { b = 5, inner = 7, c = 1 }
        [policies.inner]
        type = "weighted"
        [policies.main]
        type = "failover"
        order = [["b", "share"], "a"]
        spill = true
        missing_family = "skip"
        [[records]]
        name = "app.example.com"
        policy = "main"
        "#,
    );
    let tree = &r.trees[0];
    let inner = "inner(a@1*70 b@0*30 c@2*0)";
    let share = format!("share(b@0*5 {inner}*7 c@2*1)");
    let main = format!("main(b@0*30 {share}*100 | a@1*70, spill, skip)");
    assert_eq!(show(tree, tree.root), main);
    assert_eq!(tree.slots, [RegionId(1), RegionId(0), RegionId(2)]);
    // Each region and each policy stands once, however often it is named.
    assert_eq!(tree.nodes.len(), 6);
}

#[test]
fn the_same_policy_with_the_same_fallback_is_one_tree() {
    let r = resolved(
        r#"
        [policies.main]
        type = "failover"
        order = ["a", "b"]
        [[records]]
        name = "one.example.com"
        policy = "main"
        [[records]]
        name = "two.example.com"
        policy = "main"
        on_all_down = "open"
        ttl = 5
        [[records]]
        name = "three.example.com"
        policy = "main"
        on_all_down = "c"
        [[records]]
        name = "four.example.com"
        policy = "c"
        on_all_down = "closed"
        "#,
    );
    let trees: Vec<_> = r.records.iter().map(|x| r.bindings[x.binding.index()].tree).collect();
    assert_eq!(trees, [TreeId(0), TreeId(0), TreeId(1), TreeId(2)]);
    assert_eq!(r.records[0].binding, r.records[1].binding);
    assert_eq!((r.records[1].ttl, r.records[1].ttl_min), (5, 5), "a lower TTL lowers the least");
    let OnAllDown::Instead(node) = r.trees[1].on_all_down else { panic!("not a name") };
    assert_eq!(*r.trees[1].node(node), Node::Region(Slot(2)));
    assert_eq!(r.trees[1].slots.len(), 3, "what is used instead has a slot, too");
    assert_eq!(r.trees[2].on_all_down, OnAllDown::Closed);
    assert_eq!(*r.trees[2].node(r.trees[2].root), Node::Region(Slot(0)));
}

#[test]
fn a_record_s_own_endpoints_and_checks_make_pools_of_its_own() {
    let r = resolved(
        r#"
        [[records]]
        name = "pinned.example.com"
        policy = "weighted"
        [records.endpoints]
        a = ["192.0.2.11"]
        c = ["192.0.2.14"]
        [[records]]
        name = "slow.example.com"
        policy = "b"
        check = "slow"
        [[records]]
        name = "same.example.com"
        policy = "a"
        check = "web"
        "#,
    );
    let pools = |record: usize| &r.bindings[r.records[record].binding.index()].pools;
    let [Some(a), None, Some(c)] = pools(0)[..] else { panic!("{:?}", pools(0)) };
    let (a, c) = (&r.pools[a.index()], &r.pools[c.index()]);
    assert_eq!(a.v4, ["192.0.2.11".parse::<std::net::Ipv4Addr>().unwrap()]);
    assert_eq!(a.record.as_deref(), Some("pinned.example.com"));
    assert_eq!(&*a.checks[0].name, "web", "the region's checks, unless the record has its own");
    assert!(c.checks.is_empty());
    let own = &r.pools[pools(1)[0].unwrap().index()];
    assert_eq!(own.v4, r.pools[1].v4, "the region's addresses");
    assert_eq!(own.checks.len(), 1);
    assert_eq!(pools(2)[0], Some(PoolId(0)), "nothing of its own after all");
}

#[test]
fn ways_that_multiply_are_refused() {
    let mut text = REGIONS.to_owned();
    for level in 0..14 {
        let to = if level == 13 { "a".into() } else { format!("p{}", level + 1) };
        text += &format!("policies.p{level} = {{ type = \"weighted\", weights = {{ ");
        text += &(0..4).map(|n| format!("q{level}-{n} = 1")).collect::<Vec<_>>().join(", ");
        text += " } }\n";
        for n in 0..4 {
            text +=
                &format!("policies.q{level}-{n} = {{ type = \"failover\", order = [\"{to}\"] }}\n");
        }
    }
    text += "[[records]]\nname = \"a.example.com\"\npolicy = \"p0\"\n";
    let (config, mut problems) = config::parse(&Arc::new(Source { path: "t.toml".into(), text }));
    let _ = resolve(&config, &mut problems);
    assert_eq!(problems.errors(), 1, "{problems}");
    assert!(problems.to_string().contains("policies.p0"), "{problems}");
}

#[test]
fn a_fallback_that_takes_no_part_is_told() {
    let record = |name: &str, endpoints: &str| {
        format!(
            "[[records]]\nname = \"{name}.example.com\"\npolicy = \"a\"\non_all_down = \"c\"\n\
             [records.endpoints]\na = [\"192.0.2.11\"]\n{endpoints}\n"
        )
    };
    let records = record("bad", "") + &record("good", "c = [\"192.0.2.14\"]");
    let (regions, _) = REGIONS.split_once("regions.b").unwrap();
    let last = "regions.c = { addresses = [\"192.0.2.4\"] }\n";
    let text = format!("{}{last}{records}", regions.replace("checks.slow", "checks.unused"));
    let (config, mut problems) = config::parse(&Arc::new(Source { path: "t.toml".into(), text }));
    let _ = resolve(&config, &mut problems);
    let told: Vec<_> = problems.0.iter().filter(|p| p.key.ends_with("endpoints")).collect();
    assert_eq!(told.len(), 1, "{problems}");
    assert_eq!(told[0].key, "records.\"bad.example.com\".endpoints");
}

#[test]
fn a_ramp_that_nobody_notices_is_told() {
    let policies = |spill| {
        format!(
            "policies.main = {{ type = \"failover\", order = [\"a\", [\"b\", \"c\"]], spill = {spill} }}\n"
        )
    };
    let text = |spill| {
        let region = |name, last| {
            format!("regions.{name} = {{ addresses = [\"192.0.2.{last}\"], ramp = \"1m\" }}\n")
        };
        format!(
            "version = 1\nzones.\"example.com\" = {{ nameservers = {{ \"ns.example.net\" = [] }} }}\n{}{}{}{}\
             [[records]]\nname = \"app.example.com\"\npolicy = \"main\"\n",
            region("a", 1),
            region("b", 2),
            region("c", 3),
            policies(spill)
        )
    };
    let told = |spill| {
        let source = Source { path: "t.toml".into(), text: text(spill) };
        let (config, mut problems) = config::parse(&Arc::new(source));
        let _ = resolve(&config, &mut problems);
        assert_eq!(problems.errors(), 0, "{problems}");
        problems.0.iter().map(|problem| problem.key.clone()).collect::<Vec<_>>()
    };
    assert_eq!(told(false), ["regions.a.ramp"], "the others share their tier");
    assert_eq!(told(true), [""; 0]);
}

#[test]
fn the_worst_case_of_a_record_is_that_of_its_worst_check() {
    let r = resolved(
        r#"
        [[records]]
        name = "a.example.com"
        policy = "a"
        [[records]]
        name = "b.example.com"
        policy = "b"
        [[records]]
        name = "c.example.com"
        policy = "c"
        "#,
    );
    let secs = Duration::from_secs;
    assert_eq!(r.worst_case(&r.records[0]), Some((secs(32), secs(72))));
    // slow: 2 × 60 + 10; max(60 + 10 + 60, 130 + max(10, 60)).
    assert_eq!(r.worst_case(&r.records[1]), Some((secs(130), secs(190))));
    assert_eq!(r.worst_case(&r.records[2]), None);
}

#[test]
fn a_destination_is_probed_once_however_many_pools_share_it() {
    let r = resolved(
        r#"
        [[records]]
        name = "a.example.com"
        policy = "weighted"
        [records.endpoints]
        a = ["192.0.2.1"]
        b = ["192.0.2.3"]
        c = ["192.0.2.4"]
        "#,
    );
    let probed = probed(&r.regions, &r.pools);
    let probed: Vec<_> = probed.iter().map(|(c, to)| format!("{} {to}", c.name)).collect();
    assert_eq!(probed, ["web 192.0.2.1", "web 192.0.2.2", "web 192.0.2.3", "slow 192.0.2.3"]);
}

/// Endpoints in a region that the policy does not lead to: it may answer in another's place, and is
/// probed before that.
#[test]
fn endpoints_beyond_the_policy_make_pools_that_nothing_leads_to() {
    let text = format!(
        "{REGIONS}[[records]]\nname = \"a.example.com\"\npolicy = \"a\"\n[records.endpoints]\n\
         b = [\"192.0.2.13\"]\na = [\"192.0.2.11\"]\n"
    );
    let (config, mut problems) = config::parse(&Arc::new(Source { path: "t.toml".into(), text }));
    let r = resolve(&config, &mut problems);
    assert!(!problems.any_error());
    let own: Vec<_> = (r.pools.iter().filter(|pool| pool.record.is_some()))
        .map(|pool| (pool.region, pool.v4.iter().map(ToString::to_string).collect::<Vec<_>>()))
        .collect();
    let one = |address: &str| vec![address.to_string()];
    assert_eq!(own, [(RegionId(0), one("192.0.2.11")), (RegionId(1), one("192.0.2.13"))]);
    assert_eq!(r.bindings[0].pools, [Some(PoolId(3))]);
    let probed = probed(&r.regions, &r.pools);
    assert!(probed.iter().any(|(_, to)| to.to_string() == "192.0.2.13"));
}
