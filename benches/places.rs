//! What databases cost: reading them, compiling tables from them, and looking a client up.
//!
//! `cargo bench --bench places -- FILE.mmdb…`; a line for each figure. The trees are those of a country's
//! rules and of ten regions by distance. Wants a quiet machine.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::Duration;

use trimtab::clock;
use trimtab::geo::{Database, Geo, LatencyTable};
use trimtab::model::{
    Family, GeoKeys, GeoRule, Location, Member, MissingFamily, Node, NodeId, OnAllDown, PolicyNode,
    PoolId, Region, RegionId, Slot, Tree, TreeId, Weight,
};
use trimtab::routing::{Asker, Parts, Places};

/// Where the regions are: Virginia, California, São Paulo, Dublin, Frankfurt, Stockholm, Mumbai, Tokyo,
/// Singapore, Sydney.
const REGIONS: [(f64, f64); 10] = [
    (38.9, -77.5),
    (37.4, -121.9),
    (-23.5, -46.6),
    (53.3, -6.3),
    (50.1, 8.7),
    (59.3, 18.1),
    (19.1, 72.9),
    (35.7, 139.7),
    (1.3, 103.8),
    (-33.9, 151.2),
];
const CLIENTS: usize = 1 << 16;

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn tree(root: Node) -> Tree {
    let regions = (0..REGIONS.len() as u16).map(|n| Node::Region(Slot(n)));
    let nodes = regions.chain([root]).map(|node| PolicyNode { name: None, node });
    Tree {
        nodes: nodes.collect(),
        root: NodeId(REGIONS.len() as u32),
        on_all_down: OnAllDown::Open,
        slots: (0..REGIONS.len() as u16).map(RegionId).collect(),
        sticky: false,
    }
}

/// Eight countries each to a region of its own, Europe to another, and a default.
fn by_country() -> Tree {
    let countries = ["US", "CA", "BR", "GB", "DE", "IN", "JP", "AU"];
    let keys = countries.map(|country| GeoKeys {
        country: country.parse().into_iter().collect(),
        ..GeoKeys::default()
    });
    let europe = GeoKeys { continent: "EU".parse().into_iter().collect(), ..GeoKeys::default() };
    let rules =
        keys.into_iter().chain([europe]).zip(0..).map(|(keys, n)| GeoRule { keys, to: NodeId(n) });
    tree(Node::Geolocation {
        rules: rules.collect(),
        default: Some(NodeId(9)),
        fence: false,
        missing: MissingFamily::Nodata,
    })
}

fn by_distance() -> Tree {
    let members =
        (0..REGIONS.len() as u32).map(|n| Member { weight: Weight::DEFAULT, node: NodeId(n) });
    tree(Node::Latency {
        members: members.collect(),
        tolerance: Duration::from_millis(10),
        missing: MissingFamily::Nodata,
    })
}

fn parts(tree: Tree) -> Parts {
    let regions = REGIONS.iter().zip(0..).map(|(&(latitude, longitude), n)| Region {
        name: format!("r{n}").into(),
        weight: Weight::DEFAULT,
        location: Some(Location { latitude, longitude }),
        pool: PoolId(n),
    });
    Parts { regions: regions.collect(), trees: vec![tree], ..Parts::default() }
}

/// Addresses that the databases know, each range as likely as the other.
fn clients(geo: &Geo, family: Family) -> Vec<IpAddr> {
    let mut rng = fastrand::Rng::with_seed(1);
    let ranges = geo.databases.iter().flat_map(|database| database.ranges(family));
    let starts: Vec<u128> = ranges
        .filter_map(|range| range.ok().filter(|(_, record)| record.is_some()))
        .map(|(at, _)| at)
        .collect();
    let address = |at: u128| match family {
        Family::V4 => Ipv4Addr::from(at as u32).into(),
        Family::V6 => Ipv6Addr::from(at).into(),
    };
    (0..CLIENTS).filter_map(|_| Some(address(*rng.choice(&starts)?))).collect()
}

fn main() {
    let files: Vec<String> =
        std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    if files.is_empty() {
        println!("places: no database given: cargo bench --bench places -- FILE.mmdb…");
        return;
    }
    let before = resident_kib();
    let start = clock::now();
    let databases = files.iter().map(|file| Database::open(Path::new(file)));
    let databases = databases.collect::<Result<Vec<_>, _>>();
    let geo = match databases {
        Ok(databases) => Geo { networks: Vec::new(), databases },
        Err(e) => return eprintln!("places: {e}"),
    };
    println!(
        "read: {:.2} s, {} MiB",
        start.elapsed().as_secs_f64(),
        (resident_kib() - before) >> 10
    );
    for (name, tree) in [("countries", by_country()), ("distances", by_distance())] {
        let parts = parts(tree);
        let before = resident_kib();
        let start = clock::now();
        let places = match Places::build(&parts, &geo, &LatencyTable::default()) {
            Ok(places) => places,
            Err(e) => return eprintln!("places: {e}"),
        };
        let took = start.elapsed().as_secs_f64();
        let Some(table) = places.table(TreeId(0)) else { return };
        let grown = resident_kib().saturating_sub(before) >> 10;
        let (classes, ranges) = (table.classes().len(), table.ranges());
        println!(
            "{name}: compiled in {took:.2} s: {classes} classes, {ranges} ranges, {grown} MiB more"
        );
        for family in Family::BOTH {
            let clients = clients(&geo, family);
            let start = clock::now();
            const ROUNDS: usize = 64;
            for _ in 0..ROUNDS {
                for &source in &clients {
                    black_box(table.find(black_box(&Asker { source, subnet: None })));
                }
            }
            let nanos = start.elapsed().as_nanos() as f64 / (ROUNDS * clients.len().max(1)) as f64;
            println!("{name}: {family:?}: {nanos:.1} ns a lookup");
        }
    }
}
