//! Configurations of 100,000 records: on shared pools behind ten trees, and with pools of their own.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use trimtab::atlas::Country;
use trimtab::model::*;
use trimtab::problem::Place;
use trimtab::routing::Parts;
use trimtab::wire::Name;

/// Dynamic records.
pub(super) const RECORDS: u32 = 100_000;
const TREES: u32 = 10;
const RULES: u16 = 249;
const REGIONS: u16 = 12;

/// One failure is enough, and one success, so that each observation is a flip.
fn check() -> Arc<Check> {
    let second = Duration::from_secs(1);
    let timing = Timing { interval: 10 * second, fast: None, timeout: second, fall: 1, rise: 1 };
    Arc::new(Check::new("web".into(), Probe::Tcp, 80, timing))
}

fn pool(number: u32, region: RegionId, check: &Arc<Check>) -> Pool {
    Pool {
        region,
        record: None,
        endpoint: Endpoint::Given,
        v4: vec![Ipv4Addr::from_bits(0x0a00_0000 + number)],
        v6: vec![Ipv6Addr::from_bits((0x2001_0db8_u128 << 96) + u128::from(number))],
        checks: vec![Arc::clone(check)],
        min_healthy: MinHealthy::Count(1),
        calm: Calm::default(),
    }
}

fn regions(count: u16) -> Vec<Region> {
    let region = |n: u16| Region {
        name: format!("region-{n}").into(),
        weight: Weight::DEFAULT,
        capacity: None,
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
    PolicyNode { name: None, node, min_up: 0 }
}

/// What tells 250 classes of clients apart, the default's among them.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rules {
    /// A network for each, so that no database is needed.
    Networks,
    /// A country for each.
    Countries,
}

impl Rules {
    fn keys(self) -> Vec<GeoKeys> {
        let network = |rule: u16| {
            let prefix = format!("10.{rule}.0.0/16").parse().unwrap();
            GeoKeys { prefix: vec![prefix], ..GeoKeys::default() }
        };
        let country = |country| GeoKeys { country: vec![country], ..GeoKeys::default() };
        match self {
            Self::Networks => (0..RULES).map(network).collect(),
            Self::Countries => Country::all().take(RULES.into()).map(country).collect(),
        }
    }
}

/// Every region by weight, or two of them as a failover, for each of a few hundred classes.
fn geolocation(number: u32, rules: Rules) -> Tree {
    let mut nodes: Vec<PolicyNode> = (0..REGIONS).map(|n| node(Node::Region(Slot(n)))).collect();
    let weight = |n: u32| Weight(u16::try_from(1 + (n + number) % 7).unwrap());
    let member = |n: u32| Member { weight: weight(n), node: NodeId(n) };
    let every = (0..u32::from(REGIONS)).map(member).collect();
    nodes.push(node(Node::Weighted { members: every }));
    let default = Some(NodeId(nodes.len() as u32 - 1));
    let missing = MissingFamily::Nodata;
    let rules = (0..RULES).zip(rules.keys()).map(|(rule, keys)| {
        let first = u32::from(rule) % u32::from(REGIONS);
        let order = [first, (first + 1 + number) % u32::from(REGIONS)];
        let tiers = order.into_iter().map(|n| vec![member(n)]).collect();
        nodes.push(node(Node::Failover { tiers, spill: false, missing }));
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
pub(super) fn shared(rules: Rules) -> Parts {
    let check = check();
    let every = (0..u32::from(REGIONS)).map(|n| Some(PoolId(n)));
    let binding = |n| Binding { tree: TreeId(n), pools: every.clone().collect() };
    Parts {
        regions: regions(REGIONS),
        pools: (0..REGIONS).map(|n| pool(n.into(), RegionId(n), &check)).collect(),
        trees: (0..TREES).map(|n| geolocation(n, rules)).collect(),
        bindings: (0..TREES).map(binding).collect(),
        records: (0..RECORDS).map(|n| record(n, n % TREES)).collect(),
        judging: Judging::default(),
        planning: Default::default(),
        foresight: Default::default(),
    }
}

/// 100,000 records, each with two pools of its own.
pub(super) fn own() -> Parts {
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
        judging: Judging::default(),
        planning: Default::default(),
        foresight: Default::default(),
    }
}
