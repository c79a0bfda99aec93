//! Cases worked out by hand, for facts that a comparison of two evaluations by the same rules cannot
//! find to be wrong.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::net::IpAddr;
use std::time::Duration;

use rstest::rstest;

use super::address::{Subject, all, special_block};
use super::*;
use crate::geo::support::mmdb;
use crate::geo::{Database, Geo, LatencyTable, Network};
use crate::model::*;
use crate::routing::Parts;

/// Nodes 0 and 1 are regions on the equator, 1000 km apart as it were; node 2 prefers the nearer one.
fn parts(more: Vec<Node>, sticky: bool, on_all_down: OnAllDown) -> Parts {
    let member = |n| Member { weight: Weight(1), node: NodeId(n) };
    let nearest = Node::Latency {
        members: vec![member(0), member(1)],
        tolerance: Duration::ZERO,
        missing: MissingFamily::Nodata,
    };
    let mut nodes = vec![Node::Region(Slot(0)), Node::Region(Slot(1)), nearest];
    nodes.extend(more);
    let root = NodeId(nodes.len() as u32 - 1);
    let nodes = nodes.into_iter().map(|node| PolicyNode { name: None, node, min_up: 0 }).collect();
    let slots = vec![RegionId(0), RegionId(1)];
    let region = |n: u8| Region {
        name: format!("r{n}").into(),
        weight: Weight::DEFAULT,
        capacity: None,
        location: Some(Location { latitude: 0.0, longitude: f64::from(n) * 9.0 }),
        pool: PoolId(u32::from(n)),
    };
    Parts {
        regions: (0..2).map(region).collect(),
        trees: vec![Tree { nodes, root, on_all_down, slots, sticky }],
        ..Parts::default()
    }
}

fn table(parts: &Parts, geo: &Geo) -> Places {
    Places::build(parts, geo, &LatencyTable::default()).unwrap()
}

/// 10.0.0.0/8 is at region 0, 11.0.0.0/8 at region 1, both in Germany.
fn located() -> Geo {
    let network = |prefix: &str, longitude| Network {
        prefix: prefix.parse().unwrap(),
        attributes: Attributes {
            country: "DE".parse().ok(),
            location: Some(Location { latitude: 0.0, longitude }),
            ..Attributes::default()
        },
    };
    let networks = vec![network("10.0.0.0/8", 0.0), network("11.0.0.0/8", 9.0)];
    Geo { networks, databases: Vec::new() }
}

/// The bands of the node that prefers the nearer region, for a client.
fn bands(parts: &Parts, client: &str) -> Option<Vec<Vec<usize>>> {
    let places = table(parts, &located());
    let table = places.table(TreeId(0)).unwrap();
    let found = table.find(&Asker { source: client.parse().unwrap(), subnet: None });
    let class = &table.classes()[found.class as usize];
    class.bands.iter().find(|(node, _)| *node == NodeId(2)).map(|(_, bands)| bands.clone())
}

#[test]
fn what_is_used_when_all_is_down_looks_at_the_client_too() {
    let root = Node::Weighted { members: vec![Member { weight: Weight(1), node: NodeId(0) }] };
    let parts = parts(vec![root], false, OnAllDown::Instead(NodeId(2)));
    assert_eq!(bands(&parts, "10.0.0.1"), Some(vec![vec![0], vec![1]]));
    assert_eq!(bands(&parts, "11.0.0.1"), Some(vec![vec![1], vec![0]]));
    assert_eq!(bands(&parts, "12.0.0.1"), None);
}

/// Clients without a rule come to the default within a fence as well, those with one do not.
#[test]
fn a_fence_has_a_default() {
    for (country, wanted) in [("FR", Some(vec![vec![1], vec![0]])), ("DE", None)] {
        let keys = GeoKeys { country: vec![country.parse().unwrap()], ..GeoKeys::default() };
        let geolocation = Node::Geolocation {
            rules: vec![GeoRule { keys, to: NodeId(0) }],
            default: Some(NodeId(2)),
            fence: true,
            missing: MissingFamily::Nodata,
        };
        let parts = parts(vec![geolocation], false, OnAllDown::Open);
        assert_eq!(bands(&parts, "11.0.0.1"), wanted, "{country}");
    }
}

/// 66 km are a round trip of 1 ms: 9 degrees of the equator, 1000.75 km, are 15.163 ms.
#[test]
fn a_distance_is_a_round_trip() {
    let parts = parts(Vec::new(), false, OnAllDown::Open);
    let attributes = located().networks[0].attributes;
    let latency = LatencyTable::default();
    let classified = Classifier::new(&parts, &parts.trees[0], &latency).classify(&attributes, &[]);
    let of = &classified.figures[0].1.of;
    assert!(of[0].abs() < 1.0 && (of[1] / 1e6 - 15.163).abs() < 0.02, "{of:?}");
}

/// A network is 4 or 6 and the first 24 or 56 bits, whoever says it and in whatever form.
#[rstest]
#[case("192.0.2.77", None, 0x0400_0000_00c0_0002)]
#[case("::ffff:192.0.2.77", None, 0x0400_0000_00c0_0002)]
#[case("2001:db8:1:2::3", None, 0x0620_010d_b800_0100)]
#[case("192.0.2.77", Some(("81.2.3.0", 24)), 0x0400_0000_0051_0203)]
#[case("192.0.2.77", Some(("81.2.3.4", 32)), 0x0400_0000_0051_0203)]
#[case("192.0.2.77", Some(("81.2.0.0", 16)), 0x0400_0000_0051_0200)]
#[case("192.0.2.77", Some(("2a02:1:2:300::", 56)), 0x062a_0200_0100_0203)]
#[case("192.0.2.77", Some(("2002:5102:304::", 48)), 0x0400_0000_0051_0203)]
#[case("81.2.3.4", Some(("0.0.0.0", 0)), 0x0400_0000_0051_0203)]
#[case("81.2.3.4", Some(("192.168.1.0", 24)), 0x0400_0000_0051_0203)]
fn networks_of_a_sticky_tree(
    #[case] source: IpAddr,
    #[case] subnet: Option<(&str, u8)>,
    #[case] network: u64,
) {
    // Nothing in it looks at the client; that it is sticky is enough.
    let member = |n| Member { weight: Weight(1), node: NodeId(n) };
    let root = Node::Weighted { members: vec![member(0), member(1)] };
    let mut parts = parts(vec![root], true, OnAllDown::Open);
    parts.trees[0].nodes[2].node = Node::Region(Slot(1));
    let places = table(&parts, &Geo::default());
    let subnet = subnet.map(|(address, len)| (address.parse().unwrap(), len));
    let found = places.table(TreeId(0)).unwrap().find(&Asker { source, subnet });
    assert_eq!(found.network, network, "{:#018x}", found.network);
}

/// The first and the last address of each block, and those next to it.
#[rstest]
#[case("0.0.0.0", "0.255.255.255")]
#[case("10.0.0.0", "10.255.255.255")]
#[case("100.64.0.0", "100.127.255.255")]
#[case("127.0.0.0", "127.255.255.255")]
#[case("169.254.0.0", "169.254.255.255")]
#[case("172.16.0.0", "172.31.255.255")]
#[case("192.0.0.0", "192.0.0.255")]
#[case("192.0.2.0", "192.0.2.255")]
#[case("192.168.0.0", "192.168.255.255")]
#[case("198.18.0.0", "198.19.255.255")]
#[case("198.51.100.0", "198.51.100.255")]
#[case("203.0.113.0", "203.0.113.255")]
#[case("224.0.0.0", "255.255.255.255")]
#[case("::", "::1")]
#[case("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff")]
#[case("100::", "100::ffff:ffff:ffff:ffff")]
#[case("2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff")]
#[case("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff")]
#[case("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff")]
#[case("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff")]
#[case("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")]
#[case("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff")]
#[case("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")]
fn special_purpose_blocks(#[case] first: IpAddr, #[case] last: IpAddr) {
    let [first, last] = [first, last].map(Subject::of);
    let family = first.family;
    let block = special_block(first.bits, family).unwrap();
    assert_eq!((block.bits, block.last(family)), (first.bits, last.bits));
    let beside = [first.bits.checked_sub(1), last.bits.checked_add(1)];
    for bits in beside.into_iter().flatten().filter(|bits| *bits <= all(family)) {
        assert_eq!(special_block(bits, family), None, "{bits:x}");
    }
}

/// A company may have a database of its own networks. To a stranger's private subnet it says nothing.
#[test]
fn a_database_may_know_a_source_in_a_special_purpose_block() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("own.mmdb");
    let said = mmdb::Client { country: Some("DE"), ..mmdb::Client::default() };
    let entries = [("10.1.0.0/16".parse().unwrap(), said.nested())];
    std::fs::write(&path, mmdb::Mmdb::default().write(&entries)).unwrap();
    let geo = Geo { networks: Vec::new(), databases: vec![Database::open(&path).unwrap()] };
    let keys = GeoKeys { country: "DE".parse().into_iter().collect(), ..GeoKeys::default() };
    let geolocation = Node::Geolocation {
        rules: vec![GeoRule { keys, to: NodeId(0) }],
        default: Some(NodeId(1)),
        fence: false,
        missing: MissingFamily::Nodata,
    };
    let parts = parts(vec![geolocation], false, OnAllDown::Open);
    let places = table(&parts, &geo);
    let table = places.table(TreeId(0)).unwrap();
    let found = |source: &str, subnet| {
        let found = table.find(&Asker { source: source.parse().unwrap(), subnet });
        (!table.classes()[found.class as usize].chains.is_empty(), found.by_subnet, found.scope)
    };
    assert_eq!(found("10.1.2.3", None), (true, false, 0));
    let subnet = Some(("10.1.2.0".parse().unwrap(), 24));
    assert_eq!(found("81.2.3.4", subnet), (false, false, 8));
    assert_eq!(found("10.1.2.3", subnet), (true, false, 8));
}
