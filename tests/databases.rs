//! Real geolocation databases: DB-IP's lite databases as packaged by ip-location-db, and mmdblookup
//! as the judge.
//!
//! Not part of `cargo test`, which needs nothing but the toolchain: `just databases` fetches the
//! files and runs it. They are looked for below the directory that `TRIMTAB_DATABASES` names.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::process::Command;

use fastrand::Rng;
use trimtab::geo::{Database, Geo, LatencyTable};
use trimtab::model::{
    Country, Family, GeoKeys, GeoRule, MissingFamily, Node, NodeId, OnAllDown, PolicyNode,
    RegionId, Slot, Tree, TreeId,
};
use trimtab::routing::{Asker, Parts, Places};

fn file(name: &str) -> PathBuf {
    let dir =
        std::env::var_os("TRIMTAB_DATABASES").map_or("target/databases".into(), PathBuf::from);
    let path = dir.join(name);
    assert!(path.is_file(), "{} is missing; `just databases` fetches it", path.display());
    path
}

/// The files of one kind, IPv4 and IPv6.
fn files(kind: &str) -> [PathBuf; 2] {
    ["ipv4", "ipv6"].map(|family| file(&format!("dbip-{kind}-{family}.mmdb")))
}

fn geo(paths: &[PathBuf]) -> Geo {
    let databases = paths.iter().map(|path| Database::open(path).expect("a database"));
    Geo { networks: Vec::new(), databases: databases.collect() }
}

fn address(family: Family, bits: u128) -> IpAddr {
    match family {
        Family::V4 => Ipv4Addr::from(bits as u32).into(),
        Family::V6 => Ipv6Addr::from(bits).into(),
    }
}

/// Addresses in ranges of the database, each range as likely as the other, and a tenth of them
/// anywhere.
fn random(rng: &mut Rng, database: &Database, family: Family, count: usize) -> Vec<IpAddr> {
    let starts: Vec<u128> =
        database.ranges(family).map(|range| range.expect("a sound database").0).collect();
    let any = |rng: &mut Rng| match family {
        Family::V4 => rng.u32(..).into(),
        Family::V6 => rng.u128(..) >> 3 | 1 << 125,
    };
    (0..count)
        .map(|n| {
            let at = rng.usize(..starts.len() - 1);
            let inside = starts[at] + rng.u128(..) % (starts[at + 1] - starts[at]);
            address(family, if n % 10 == 0 { any(rng) } else { inside })
        })
        .collect()
}

/// What mmdblookup says of one key, by address; no entry where it says nothing.
fn judge(path: &Path, addresses: &[IpAddr], key: &str) -> HashMap<IpAddr, String> {
    let ask = |address: &IpAddr| {
        let output = Command::new("mmdblookup")
            .args(["--file".as_ref(), path.as_os_str(), "--ip".as_ref()])
            .args([&address.to_string(), key])
            .output()
            .expect("mmdblookup, of Debian's package mmdb-bin");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let (value, _) = text.trim().rsplit_once(" <")?;
        Some((*address, value.trim_matches('"').to_owned()))
    };
    std::thread::scope(|scope| {
        let parts = addresses.chunks(addresses.len().div_ceil(4).max(1));
        let parts: Vec<_> = parts
            .map(|part| scope.spawn(move || part.iter().filter_map(ask).collect::<Vec<_>>()))
            .collect();
        parts.into_iter().flat_map(|part| part.join().expect("no panic")).collect()
    })
}

/// A tree that tells every country apart: each leads to a region of its own, at the position of its
/// code in the list.
fn by_country() -> (Tree, Vec<Country>) {
    let letters = || b'A'..=b'Z';
    let countries: Vec<Country> = letters()
        .flat_map(|a| letters().map(move |b| String::from_utf8(vec![a, b]).expect("ASCII")))
        .map(|code| code.parse().expect("two letters"))
        .collect();
    let count = countries.len() as u16;
    let rules = countries.iter().zip(0..).map(|(country, region)| GeoRule {
        keys: GeoKeys { country: vec![*country], ..GeoKeys::default() },
        to: NodeId(region),
    });
    let geolocation = Node::Geolocation {
        rules: rules.collect(),
        default: None,
        fence: false,
        missing: MissingFamily::Nodata,
    };
    let nodes = (0..count).map(|slot| Node::Region(Slot(slot))).chain([geolocation]);
    let tree = Tree {
        nodes: nodes.map(|node| PolicyNode { name: None, node, min_up: 0 }).collect(),
        root: NodeId(u32::from(count)),
        on_all_down: OnAllDown::Open,
        slots: (0..count).map(RegionId).collect(),
        sticky: false,
    };
    (tree, countries)
}

#[test]
fn ten_thousand_addresses_agree_with_mmdblookup() {
    let rng = &mut Rng::with_seed(3);
    let paths = files("country");
    let geo = geo(&paths);
    let (tree, countries) = by_country();
    let parts = Parts { trees: vec![tree], ..Parts::default() };
    let places = Places::build(&parts, &geo, &LatencyTable::default()).expect("sound databases");
    let table = places.table(TreeId(0)).expect("it looks at the client");
    let (mut known, mut seen) = (0, BTreeSet::new());
    for (family, (path, database)) in Family::BOTH.into_iter().zip(paths.iter().zip(&geo.databases))
    {
        let addresses = random(rng, database, family, 5_000);
        let judged = judge(path, &addresses, "country_code");
        for address in addresses {
            let wanted = judged.get(&address).and_then(|code| code.parse::<Country>().ok());
            let direct = geo.describe(address).expect("a sound database").attributes;
            assert_eq!(direct.country, wanted, "{address}");
            let found = table.find(&Asker { source: address, subnet: None });
            let chain = table.classes()[found.class as usize].chains.first();
            let country = chain.and_then(|(_, rules)| rules.first()).map(|rule| countries[*rule]);
            assert_eq!(country, wanted, "{address}");
            known += u32::from(wanted.is_some());
            seen.extend(wanted);
        }
    }
    println!("{known} of 10000 have a country, of {} countries", seen.len());
    assert!(known > 8_000 && seen.len() > 100, "{known} known, {} countries", seen.len());
}

#[test]
fn places_of_cities_agree_with_mmdblookup() {
    let rng = &mut Rng::with_seed(4);
    let paths = files("city");
    let geo = geo(&paths);
    let mut subdivisions = 0;
    for (family, (path, database)) in Family::BOTH.into_iter().zip(paths.iter().zip(&geo.databases))
    {
        let addresses = random(rng, database, family, 1_000);
        let (latitudes, longitudes) =
            (judge(path, &addresses, "latitude"), judge(path, &addresses, "longitude"));
        let states = judge(path, &addresses, "state1");
        for address in addresses {
            let attributes = geo.describe(address).expect("a sound database").attributes;
            match (latitudes.get(&address), longitudes.get(&address), attributes.location) {
                (Some(latitude), Some(longitude), Some(location)) => {
                    let near =
                        |text: &str, is: f64| (text.parse().unwrap_or(f64::NAN) - is).abs() < 1e-4;
                    assert!(near(latitude, location.latitude), "{address}: {location:?}");
                    assert!(near(longitude, location.longitude), "{address}: {location:?}");
                }
                (None, None, None) => {}
                other => panic!("{address}: {other:?}"),
            }
            let state = states.get(&address).map_or("", String::as_str);
            let known = attributes.subdivision.is_some();
            assert!(
                known
                    || attributes.country.map(|c| c.to_string()).as_deref() != Some("US")
                    || state.is_empty(),
                "{address}: {state} of the US is not mapped"
            );
            subdivisions += u32::from(known);
        }
    }
    println!("{subdivisions} of 2000 have a subdivision");
    assert!(subdivisions > 1_000, "{subdivisions}");
}

/// For random addresses: the country is the same throughout the scope, and not in one a bit wider.
#[test]
fn scopes_are_as_wide_as_the_database_allows() {
    let rng = &mut Rng::with_seed(5);
    let geo = geo(&files("country"));
    let (tree, _) = by_country();
    let parts = Parts { trees: vec![tree], ..Parts::default() };
    let places = Places::build(&parts, &geo, &LatencyTable::default()).expect("sound databases");
    let table = places.table(TreeId(0)).expect("it looks at the client");
    let mut checked = 0;
    for (family, database) in Family::BOTH.into_iter().zip(&geo.databases) {
        let width = if family == Family::V4 { 32 } else { 128 };
        // Where the country changes: databases have ranges that differ in nothing else.
        let mut borders: Vec<(u128, Option<Country>)> = Vec::new();
        for range in database.ranges(family) {
            let (start, record) = range.expect("a sound database");
            let country =
                record.and_then(|record| database.attributes(record).expect("sound").country);
            if borders.last().is_none_or(|(_, last)| *last != country) {
                borders.push((start, country));
            }
        }
        let bits = |address| match address {
            IpAddr::V4(v4) => u128::from(Ipv4Addr::to_bits(v4)),
            IpAddr::V6(v6) => Ipv6Addr::to_bits(v6),
        };
        let uniform = |at: u128, len: u8| {
            let free = width - len;
            let low = if free == 128 { 0 } else { at >> free << free };
            let high = low | if free == 128 { u128::MAX } else { (1 << free) - 1 };
            let first = borders.partition_point(|(start, _)| *start <= low);
            borders.get(first).is_none_or(|(next, _)| *next > high)
        };
        for address in random(rng, database, family, 20_000) {
            let asker = Asker { source: address, subnet: Some((address, width)) };
            let found = table.find(&asker);
            if !found.by_subnet || found.scope == 0 {
                continue;
            }
            assert!(uniform(bits(address), found.scope), "{address}: {found:?}");
            // A special-purpose block or one that carries IPv4 may stand beside it.
            if uniform(bits(address), found.scope - 1) {
                let special = |at: IpAddr| {
                    !table.find(&Asker { source: at, subnet: Some((at, width)) }).by_subnet
                };
                let free = width - (found.scope - 1);
                let low = bits(address) >> free << free;
                let neighbours = (0..=255_u128).map(|n| low + (n << (free.saturating_sub(8))));
                let beside = family == Family::V6
                    || neighbours.map(|n| crate::address(family, n)).any(special);
                assert!(beside, "{address}: {found:?} is too narrow");
            }
            checked += 1;
        }
    }
    println!("{checked} scopes");
    assert!(checked > 30_000, "{checked}");
}
