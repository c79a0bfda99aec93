//! What databases cost: reading them, compiling tables from them, replacing them, and looking a client
//! up, beside `maxminddb` on the same files.
//!
//! `cargo bench --bench places -- FILE.mmdb…`. The trees: one of rules for countries, one that prefers
//! what is near, ten of each with 250 classes or more. Addresses are drawn so that each range of the
//! databases is as likely as the other (the worst), or each address that they know (the internet), or
//! from a thousand of those (resolvers). Wants a quiet machine.

use std::fs;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::Duration;

use fastrand::Rng;
use serde::Deserialize;
use trimtab::clock;
use trimtab::geo::{Database, DatabaseError, Geo, LatencyTable};
use trimtab::model::{
    Country, Family, GeoKeys, GeoRule, Location, Member, MissingFamily, Node, NodeId, OnAllDown,
    PolicyNode, PoolId, Region, RegionId, Slot, Tree, TreeId, Weight,
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
const CLIENTS: usize = 1 << 18;
const RESOLVERS: usize = 1000;
/// How often each lookup is timed.
const ROUNDS: usize = 12;
/// How many lookups are timed at once.
const CHUNK: usize = 1024;

/// A figure of `/proc/self/status` in MiB.
fn memory_mib(figure: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(figure)?.strip_prefix(':'));
    let kib: Option<u64> = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.unwrap_or(0) >> 10
}

/// Forgets the most memory that there was up to now.
fn forget_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

fn tree(root: Node) -> Tree {
    let regions = (0..REGIONS.len() as u16).map(|n| Node::Region(Slot(n)));
    let nodes = regions.chain([root]).map(|node| PolicyNode { name: None, node, min_up: 0 });
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

/// What is near first; `turn` makes trees differ in what is near enough.
fn by_distance(turn: u32) -> Tree {
    let members =
        (0..REGIONS.len() as u32).map(|n| Member { weight: Weight::DEFAULT, node: NodeId(n) });
    tree(Node::Latency {
        members: members.collect(),
        tolerance: Duration::from_millis(10 + u64::from(turn)),
        missing: MissingFamily::Nodata,
    })
}

/// A rule for each country that leads to a node of its own, so that there are as many classes.
fn by_each_country(turn: u32) -> Tree {
    let letters = || 'A'..='Z';
    let codes = letters().flat_map(|a| letters().map(move |b| format!("{a}{b}")));
    let countries: Vec<Country> = codes.filter_map(|code| code.parse().ok()).collect();
    let regions = REGIONS.len() as u32;
    let to = |n: u32| Member { weight: Weight::DEFAULT, node: NodeId((n + turn) % regions) };
    let mut tree = by_distance(turn);
    tree.nodes.pop();
    let rules = countries.into_iter().zip(0..).map(|(country, n)| {
        let node = Node::Weighted { members: vec![to(n), to(n + 1 + n / regions)] };
        tree.nodes.push(PolicyNode { name: None, node, min_up: 0 });
        let keys = GeoKeys { country: vec![country], ..GeoKeys::default() };
        GeoRule { keys, to: NodeId(regions + n) }
    });
    let rules: Vec<_> = rules.collect();
    tree.root = NodeId(tree.nodes.len() as u32);
    let (default, missing) = (Some(NodeId(turn % regions)), MissingFamily::Nodata);
    let node = Node::Geolocation { rules, default, fence: false, missing };
    tree.nodes.push(PolicyNode { name: None, node, min_up: 0 });
    tree
}

fn parts(trees: Vec<Tree>) -> Parts {
    let regions = REGIONS.iter().zip(0..).map(|(&(latitude, longitude), n)| Region {
        name: format!("r{n}").into(),
        weight: Weight::DEFAULT,
        capacity: None,
        location: Some(Location { latitude, longitude }),
        pool: PoolId(n),
    });
    Parts { regions: regions.collect(), trees, ..Parts::default() }
}

/// How addresses are drawn.
#[derive(Clone, Copy, Debug)]
enum Draw {
    Ranges,
    Addresses,
    Resolvers,
}

/// Addresses that the databases know.
fn clients(geo: &Geo, family: Family, draw: Draw) -> Vec<IpAddr> {
    let last = if family == Family::V4 { u128::from(u32::MAX) } else { u128::MAX };
    // Where each range that has a record begins, and how many addresses there are up to its end.
    let (mut ranges, mut total) = (Vec::new(), 0);
    for database in &geo.databases {
        let mut known = None;
        let found = database.ranges(family).filter_map(Result::ok);
        for (at, record) in found.map(|(at, record)| (at, record.is_some())).chain([(last, false)])
        {
            if let Some(start) = known.filter(|start| *start < at) {
                total += at - start;
                ranges.push((start, total));
            }
            known = record.then_some(at);
        }
    }
    if ranges.is_empty() {
        return Vec::new();
    }
    let rng = &mut Rng::with_seed(1);
    let mut any = |draw| {
        let range = match draw {
            Draw::Ranges => rng.usize(..ranges.len()),
            _ => {
                let place = rng.u128(..total);
                ranges.partition_point(|(_, upto)| *upto <= place)
            }
        };
        let (start, upto) = ranges[range];
        let before = range.checked_sub(1).map_or(0, |before| ranges[before].1);
        let bits = start + rng.u128(..upto - before);
        match family {
            Family::V4 => Ipv4Addr::from(bits as u32).into(),
            Family::V6 => Ipv6Addr::from(bits).into(),
        }
    };
    match draw {
        Draw::Resolvers => {
            let few: Vec<IpAddr> = (0..RESOLVERS).map(|_| any(draw)).collect();
            let rng = &mut Rng::with_seed(2);
            (0..CLIENTS).filter_map(|_| rng.choice(&few).copied()).collect()
        }
        _ => (0..CLIENTS).map(|_| any(draw)).collect(),
    }
}

/// Nanoseconds for one of `items`. Each chunk counts with its fastest round, so that what else runs on
/// the machine counts little, and each round goes through all chunks, so that caches do not help.
fn nanos<T: Copy, R>(items: &[T], mut work: impl FnMut(T) -> R) -> f64 {
    let mut best = vec![Duration::MAX; items.len().div_ceil(CHUNK)];
    for _ in 0..ROUNDS {
        for (chunk, best) in items.chunks(CHUNK).zip(&mut best) {
            let start = clock::now();
            for item in chunk {
                black_box(work(black_box(*item)));
            }
            *best = start.elapsed().min(*best);
        }
    }
    best.iter().sum::<Duration>().as_nanos() as f64 / items.len().max(1) as f64
}

fn open(files: &[String]) -> Result<Geo, DatabaseError> {
    let databases = files.iter().map(|file| Database::open(Path::new(file)));
    Ok(Geo { networks: Vec::new(), databases: databases.collect::<Result<_, _>>()? })
}

/// Compiles tables, says what that costs, and how lookups in the first do.
fn compile(name: &str, trees: Vec<Tree>, geo: &Geo) -> Result<(), DatabaseError> {
    let parts = parts(trees);
    let before = memory_mib("VmRSS");
    forget_peak();
    let start = clock::now();
    let places = Places::build(&parts, geo, &LatencyTable::default())?;
    let took = start.elapsed().as_secs_f64();
    let most = memory_mib("VmHWM").saturating_sub(before);
    let tables = (0..parts.trees.len() as u32).filter_map(|at| places.table(TreeId(at)));
    let octets: usize = tables.map(|table| table.octets()).sum();
    let Some(table) = places.table(TreeId(0)) else { return Ok(()) };
    println!(
        "{name:14} {:3} trees: {took:6.2} s, tables {:4} MiB, most beside the databases {most:4} MiB; the \
         first: {} classes, {} ranges",
        parts.trees.len(),
        octets >> 20,
        table.classes().len(),
        table.ranges(),
    );
    if parts.trees.len() > 1 {
        return Ok(());
    }
    for family in Family::BOTH {
        for draw in [Draw::Ranges, Draw::Addresses, Draw::Resolvers] {
            let clients = clients(geo, family, draw);
            let len = if family == Family::V4 { 24 } else { 48 };
            let by_source = nanos(&clients, |source| table.find(&Asker { source, subnet: None }));
            let by_subnet =
                nanos(&clients, |at| table.find(&Asker { source: at, subnet: Some((at, len)) }));
            println!(
                "{name:14} {family:?} by {draw:9?}: source {by_source:6.1} ns, subnet and scope \
                 {by_subnet:6.1} ns"
            );
        }
    }
    Ok(())
}

/// What a policy by distance needs of a record.
#[derive(Deserialize)]
struct Record<'a> {
    country_code: Option<&'a str>,
    latitude: Option<f64>,
    longitude: Option<f64>,
}

/// The same lookups without tables.
fn decode(files: &[String], geo: &Geo) {
    let readers = files.iter().filter_map(|file| maxminddb::Reader::open_readfile(file).ok());
    let readers: Vec<_> = readers.collect();
    for family in Family::BOTH {
        for draw in [Draw::Ranges, Draw::Addresses, Draw::Resolvers] {
            let clients = clients(geo, family, draw);
            let decoded = nanos(&clients, |address| {
                readers.iter().find_map(|reader| {
                    let record = reader.lookup(address).ok()?.decode::<Record<'_>>().ok()??;
                    Some((record.country_code?.len(), record.latitude, record.longitude))
                })
            });
            println!("maxminddb      {family:?} by {draw:9?}: {decoded:6.1} ns");
        }
    }
}

/// What the memory of a server with these trees is, and the most while the databases are replaced.
fn replace(trees: Vec<Tree>, files: &[String]) -> Result<(), DatabaseError> {
    let parts = parts(trees);
    let all = || -> Result<_, DatabaseError> {
        let geo = open(files)?;
        Places::build(&parts, &geo, &LatencyTable::default())
    };
    let old = all()?;
    let in_force = memory_mib("VmRSS");
    forget_peak();
    let start = clock::now();
    let new = all()?;
    let took = start.elapsed().as_secs_f64();
    println!(
        "replaced, {} trees: {took:.2} s; {in_force} MiB before, at most {} MiB meanwhile",
        parts.trees.len(),
        memory_mib("VmHWM")
    );
    drop((old, new));
    Ok(())
}

fn main() -> Result<(), DatabaseError> {
    let files: Vec<String> =
        std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    if files.is_empty() {
        println!("places: no database given: cargo bench --bench places -- FILE.mmdb…");
        return Ok(());
    }
    // First, for memory that was freed may stay resident.
    replace(vec![by_distance(0)], &files)?;
    let start = clock::now();
    let geo = open(&files)?;
    println!("read: {:.2} s", start.elapsed().as_secs_f64());
    compile("countries", vec![by_country()], &geo)?;
    compile("distances", vec![by_distance(0)], &geo)?;
    compile("each country", (0..10).map(by_each_country).collect(), &geo)?;
    compile("distances", (0..10).map(by_distance).collect(), &geo)?;
    decode(&files, &geo);
    Ok(())
}
