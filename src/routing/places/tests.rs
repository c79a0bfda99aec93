//! Tables against a direct evaluation of every prefix, by brute force.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use fastrand::Rng;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::address::{Block, Subject, all, carriers, mask, special, special_block, width};
use super::*;
use crate::geo::support::mmdb::{Client as Said, Mmdb};
use crate::geo::{Database, Geo, LatencyTable, Network};
use crate::model::*;
use crate::problem::Problems;
use crate::routing::{Class, Parts};

/// Any client is one of these as far as a table may tell.
#[derive(Debug, Clone, PartialEq)]
enum Outcome {
    /// For each geolocation where it leads to, and for each node with figures the bands.
    Class(Vec<(NodeId, Vec<NodeId>)>, Vec<(NodeId, Vec<Vec<usize>>)>),
    /// The source address decides.
    Source,
}

impl Outcome {
    fn of(tree: &Tree, rules: &[(NodeId, Vec<usize>)], class: &Class) -> Self {
        let lead = |(node, chain): &(NodeId, Vec<usize>)| {
            let Node::Geolocation { rules, .. } = tree.node(*node) else { panic!("rules") };
            (*node, chain.iter().map(|&rule| rules[rule].to).collect())
        };
        Self::Class(rules.iter().map(lead).collect(), class.bands.clone())
    }
}

struct World {
    parts: Parts,
    geo: Geo,
    latency: LatencyTable,
    places: Places,
    /// Where any source may change its mind, by family.
    borders: [BTreeSet<u128>; 2],
}

/// Few enough bits that prefixes meet: they stand at the front, in the middle and at the end.
fn bits(rng: &mut Rng, family: Family) -> u128 {
    let start = match family {
        Family::V4 => {
            *rng.choice(&[0x0a00_0000, 0x0b00_0000, 0xc000_0200, 0, 0x5db8_0000]).unwrap()
        }
        Family::V6 => {
            let starts = [0x2001_0db8_u128 << 96, 0x2a00_u128 << 112, 0x2003_u128 << 112, 0];
            *rng.choice(&starts).unwrap()
        }
    };
    let free = u32::from(width(family)) - 8;
    let noise = (0..3).map(|_| 1_u128 << rng.u32(..free)).fold(0, |a, b| a | b);
    start ^ noise
}

fn address(family: Family, bits: u128) -> IpAddr {
    match family {
        Family::V4 => Ipv4Addr::from(bits as u32).into(),
        Family::V6 => Ipv6Addr::from(bits).into(),
    }
}

/// A prefix as a configuration may have it: IPv4 in the form of IPv6 is refused there.
fn net(rng: &mut Rng) -> IpNet {
    loop {
        let net = any_net(rng);
        match net {
            IpNet::V6(v6) if embedded(v6).is_some() => {}
            _ => return net,
        }
    }
}

fn any_net(rng: &mut Rng) -> IpNet {
    let net = match rng.bool() {
        true => {
            let len = if rng.u8(..20) == 0 { 0 } else { rng.u8(4..=32) };
            Ipv4Net::new((bits(rng, Family::V4) as u32).into(), len).unwrap().into()
        }
        false => {
            let len = if rng.u8(..20) == 0 { 0 } else { rng.u8(4..=128) };
            Ipv6Net::new(bits(rng, Family::V6).into(), len).unwrap().into()
        }
    };
    IpNet::trunc(&net)
}

fn some<T: std::str::FromStr>(rng: &mut Rng, of: &[&str]) -> Option<T> {
    rng.choice(of).and_then(|text| text.parse().ok()).filter(|_| rng.bool())
}

fn few<T: std::str::FromStr>(rng: &mut Rng, of: &[&str]) -> Vec<T> {
    if rng.u8(..3) > 0 {
        return Vec::new();
    }
    of.iter().filter(|_| rng.bool()).filter_map(|text| text.parse().ok()).collect()
}

const CONTINENTS: [&str; 2] = ["EU", "NA"];
const COUNTRIES: [&str; 3] = ["DE", "FR", "US"];
const SUBDIVISIONS: [&str; 2] = ["US-CA", "DE-BE"];
const ASNS: [&str; 2] = ["64500", "64501"];

fn attributes(rng: &mut Rng) -> Attributes {
    let place = |rng: &mut Rng| Location {
        latitude: f64::from(rng.i8(-80..80)),
        longitude: f64::from(rng.i8(..)),
    };
    Attributes {
        continent: some(rng, &CONTINENTS),
        country: some(rng, &COUNTRIES),
        subdivision: some(rng, &SUBDIVISIONS),
        location: rng.bool().then(|| place(rng)),
        asn: some(rng, &ASNS),
    }
}

/// A geolocation policy over a region, a latency and a geoproximity policy, and regions.
fn tree(rng: &mut Rng, nets: &[IpNet]) -> Tree {
    let members: Vec<Member> =
        (0..3).map(|n| Member { weight: Weight(1), node: NodeId(n) }).collect();
    let mut nodes: Vec<Node> = (0..3).map(|n| Node::Region(Slot(n))).collect();
    let missing = MissingFamily::Nodata;
    let tolerance = std::time::Duration::from_millis(rng.u64(..60));
    nodes.push(Node::Latency { members: members.clone(), tolerance, missing });
    let biased = members.iter().map(|member| (*member, rng.i8(-99..100))).collect();
    let tolerance_km = f64::from(rng.u16(..5000));
    nodes.push(Node::Geoproximity { members: biased, tolerance_km, missing });
    let rules = (0..rng.usize(..6)).map(|_| GeoRule {
        keys: GeoKeys {
            prefix: {
                let many = if rng.bool() { rng.usize(1..4) } else { 0 };
                let some: BTreeSet<_> =
                    (0..many).filter_map(|_| rng.choice(nets).copied()).collect();
                some.into_iter().collect()
            },
            asn: few(rng, &ASNS),
            subdivision: few(rng, &SUBDIVISIONS),
            country: few(rng, &COUNTRIES),
            continent: few(rng, &CONTINENTS),
        },
        to: NodeId(rng.u32(..5)),
    });
    let rules = rules.collect();
    let default = rng.bool().then(|| NodeId(rng.u32(..5)));
    nodes.push(Node::Geolocation { rules, default, fence: rng.bool(), missing });
    let sticky = rng.u8(..4) == 0;
    Tree {
        nodes: nodes.into_iter().map(|node| PolicyNode { name: None, node, min_up: 0 }).collect(),
        root: NodeId(rng.u32(3..=5)),
        on_all_down: OnAllDown::Open,
        slots: (0..3).map(RegionId).collect(),
        sticky,
    }
}

/// A database of few prefixes, in one schema or the other.
fn database(rng: &mut Rng, dir: &Path, nets: &mut Vec<IpNet>) -> Database {
    let said = |rng: &mut Rng| Said {
        continent: rng.choice(CONTINENTS).filter(|_| rng.bool()),
        country: rng.choice(COUNTRIES).filter(|_| rng.bool()),
        subdivision: rng.bool().then_some(("CA", "California")),
        location: rng.bool().then(|| (f64::from(rng.i8(-80..80)), f64::from(rng.i8(..)))),
        asn: rng.bool().then_some(64500),
    };
    let is_nested = rng.bool();
    let of = |said: Said| if is_nested { said.nested() } else { said.flat() };
    let entries: Vec<_> = (0..rng.usize(1..12)).map(|_| (net(rng), of(said(rng)))).collect();
    nets.extend(entries.iter().map(|(net, _)| *net));
    let path = dir.join(format!("{}.mmdb", rng.u64(..)));
    let aliases = rng.bool();
    std::fs::write(&path, Mmdb { aliases, ..Mmdb::default() }.write(&entries)).unwrap();
    Database::open(&path).unwrap()
}

/// Rows for some clients and regions; for some clients all regions are known.
fn table(rng: &mut Rng, dir: &Path, nets: &[IpNet]) -> LatencyTable {
    let mut rows = BTreeSet::new();
    for _ in 0..rng.usize(..8) {
        let client = match (rng.u8(..6), rng.choice(nets)) {
            (0 | 1, Some(net)) => net.to_string(),
            (2, _) => "US-CA".into(),
            (3, _) => rng.choice(COUNTRIES).unwrap().into(),
            (4, _) => format!("continent:{}", rng.choice(CONTINENTS).unwrap()),
            (5, _) => "AS64500".into(),
            _ => "*".into(),
        };
        let known = if rng.bool() { 3 } else { rng.u8(1..3) };
        rows.extend((0..known).map(|region| (client.clone(), region)));
    }
    let rows: String = (rows.into_iter())
        .map(|(client, region)| format!("{client},r{region},{}\n", rng.u8(..)))
        .collect();
    let path = dir.join(format!("{}.csv", rng.u64(..)));
    std::fs::write(&path, rows).unwrap();
    let mut problems = Problems::default();
    let regions: Vec<_> = (0..3).map(|n| format!("r{n}").into()).collect();
    let table = LatencyTable::read(&path, &regions, &mut problems);
    assert!(!problems.any_error(), "{problems}");
    table
}

impl World {
    fn new(seed: u64, dir: &Path) -> Self {
        let rng = &mut Rng::with_seed(seed);
        let rule_nets: Vec<IpNet> = (0..rng.usize(..6)).map(|_| net(rng)).collect();
        let mut networks: Vec<Network> = (0..rng.usize(..10))
            .map(|_| Network { prefix: net(rng), attributes: attributes(rng) })
            .collect();
        networks.dedup_by_key(|network| network.prefix);
        let mut seen = BTreeSet::new();
        networks.retain(|network| seen.insert(network.prefix));
        let region = |n: u8| Region {
            name: format!("r{n}").into(),
            weight: Weight::DEFAULT,
            capacity: None,
            location: Some(Location {
                latitude: f64::from(n) * 30.0,
                longitude: f64::from(n) * 50.0,
            }),
            pool: PoolId(u32::from(n)),
        };
        let parts = Parts {
            regions: (0..3).map(region).collect(),
            trees: (0..2).map(|_| tree(rng, &rule_nets)).collect(),
            ..Parts::default()
        };
        let mut database_nets = Vec::new();
        let databases = (0..rng.usize(..3)).map(|_| database(rng, dir, &mut database_nets));
        let geo = Geo { databases: databases.collect(), networks };
        let latency = table(rng, dir, &rule_nets);
        let places = Places::build(&parts, &geo, &latency).unwrap();
        let mut borders = [BTreeSet::new(), BTreeSet::new()];
        let mut border = |family: Family, bits: u128, len: u8| {
            let set = &mut borders[family.index()];
            set.insert(bits);
            let behind = bits | (all(family) & !mask(family, len));
            if behind < all(family) {
                set.insert(behind + 1);
            }
        };
        let configured = build::prefixes(&parts.trees, &geo, &latency);
        for net in configured.into_iter().chain(database_nets) {
            let bits = match net {
                IpNet::V4(net) => u128::from(net.network().to_bits()),
                IpNet::V6(net) => net.network().to_bits(),
            };
            border(Family::of(net.addr()), bits, net.prefix_len());
            // Databases keep IPv4 in the first 2^32 addresses of IPv6, and here some have more there.
            if let (IpNet::V6(_), 0, Some(len)) =
                (net, bits >> 32, net.prefix_len().checked_sub(96))
            {
                border(Family::V4, bits, len);
            }
        }
        for family in Family::BOTH {
            special(family).iter().for_each(|block| border(family, block.bits, block.len));
        }
        carriers().for_each(|block| border(Family::V6, block.bits, block.len));
        // Where databases keep IPv4, they say nothing of IPv6.
        border(Family::V6, 0, 96);
        Self { parts, geo, latency, places, borders }
    }

    /// What the sources say themselves.
    fn direct(&self, tree: &Tree, asker: &Asker) -> Outcome {
        let client = Client::of(asker, &self.parts.trees, &self.geo, &self.latency).unwrap();
        if !client.by_subnet {
            return Outcome::Source;
        }
        let (attributes, covering) = (&client.attributed.attributes, &client.covering);
        let classified =
            Classifier::new(&self.parts, tree, &self.latency).classify(attributes, covering);
        Outcome::of(tree, &classified.matched, &classified.class)
    }

    /// One address of each stretch of a prefix in which no source changes its mind.
    fn samples(&self, family: Family, bits: u128, len: u8) -> Vec<u128> {
        let bits = bits & mask(family, len);
        let last = bits | (all(family) & !mask(family, len));
        let inside = self.borders[family.index()].range(bits..=last).copied();
        std::iter::once(bits).chain(inside).collect()
    }

    /// Whether all addresses of a prefix come to the same, and to what.
    fn uniform(&self, tree: &Tree, subject: Subject, len: u8, source: IpAddr) -> Option<Outcome> {
        let family = subject.family;
        let exhaustive = width(family) - len <= 6;
        let first = subject.bits & mask(family, len);
        let samples = match exhaustive {
            true => (0..1 << (width(family) - len)).map(|n| first + n).collect(),
            false => self.samples(family, first, len),
        };
        let mut outcomes = samples.into_iter().map(|bits| {
            // What stands within a form is looked up as what it carries.
            let subnet = Some((address(family, bits), width(family)));
            self.direct(tree, &Asker { source, subnet })
        });
        let outcome = outcomes.next()?;
        outcomes.all(|other| other == outcome).then_some(outcome)
    }
}

/// What was looked at, in all.
#[derive(Debug, Default)]
struct Counts {
    askers: u32,
    dependent: u32,
    by_source: u32,
    short: u32,
    scopes: u32,
    widest: u32,
}

/// An address near a border, or any; carried in a form now and then.
fn client(rng: &mut Rng, world: &World) -> IpAddr {
    let family = if rng.bool() { Family::V4 } else { Family::V6 };
    let near: Vec<u128> = world.borders[family.index()].iter().copied().collect();
    let at = match (rng.choice(&near), rng.u8(..4)) {
        (Some(near), 0) => near.saturating_sub(1),
        (Some(near), 1) => *near,
        (Some(near), 2) => {
            near | rng.u128(..) & !mask(family, rng.u8(..width(family))) & all(family)
        }
        _ => bits(rng, family),
    };
    match (address(family, at), rng.u8(..6)) {
        (IpAddr::V4(v4), 0) => v4.to_ipv6_mapped().into(),
        (IpAddr::V4(v4), 1) => Ipv6Addr::from((0x64_ff9b << 96) | u128::from(v4.to_bits())).into(),
        (IpAddr::V4(v4), 2) => {
            let rest = u128::from(rng.u64(..));
            Ipv6Addr::from((0x2002 << 112) | u128::from(v4.to_bits()) << 80 | rest).into()
        }
        (IpAddr::V4(v4), 3) => {
            let (server, port) = (u128::from(rng.u32(..)), u128::from(rng.u32(..)));
            let carried = u128::from(!v4.to_bits());
            Ipv6Addr::from((0x2001_0000 << 96) | server << 64 | port << 32 | carried).into()
        }
        (plain, _) => plain,
    }
}

fn check(world: &World, id: TreeId, asker: &Asker, counts: &mut Counts) {
    let tree = &world.parts.trees[id.index()];
    let Some(table) = world.places.table(id) else { panic!("it looks at the client") };
    let found = table.find(asker);
    let class = &table.classes()[found.class as usize];
    let class = Outcome::of(tree, &class.chains, class);
    counts.askers += 1;
    if table.classes().len() == 1 && !tree.sticky {
        assert_eq!(found, Found::default());
        return;
    }
    counts.dependent += 1;
    let (sent, len) = asker.subnet.unwrap();
    let subject = Subject::of_prefix(sent, len);
    let say = || format!("{asker:?} found {found:?} as {subject:?}\n{:#?}\n{:#?}", tree, world.geo);
    let expected = world.direct(tree, asker);
    let whole = world.uniform(tree, subject, subject.len, asker.source);
    let cut_short = subject.family == Family::V6
        && carriers().any(|block| block.len <= len && block.has(subject.bits, Family::V6));
    // A block of IPv6 that carries IPv4 is no part of what is around it, and has more to tell than the
    // samples of it.
    let meets_carrier = |len: u8| {
        let meets =
            |block: Block| (block.bits ^ subject.bits) & mask(Family::V6, block.len.min(len)) == 0;
        subject.family == Family::V6 && carriers().any(meets)
    };
    let expected = match meets_carrier(subject.len) {
        true => expected,
        false => whole.clone().unwrap_or(expected),
    };
    if expected == Outcome::Source {
        counts.by_source += 1;
        let asker = Asker { subnet: None, ..*asker };
        assert!(!found.by_subnet, "{}", say());
        assert_eq!((found.class, found.network), {
            let by_source = table.find(&asker);
            (by_source.class, by_source.network)
        });
    } else {
        assert!(found.by_subnet, "{}", say());
        assert_eq!(class, expected, "{}", say());
    }
    if cut_short {
        assert!(found.scope > len, "{}", say());
        return;
    }
    if whole.is_none() {
        counts.short += 1;
        assert!(found.scope > len, "{}", say());
    }
    // Every address within the scope comes to the same.
    let scope = found.scope - subject.outer;
    let within = world.uniform(tree, subject, scope, asker.source);
    counts.scopes += 1;
    assert!(within.is_some(), "too wide: {}", say());
    // A scope one bit shorter would not hold, but where it is the widest that is allowed.
    let least = match expected {
        Outcome::Source => special_block(subject.bits, subject.family).unwrap().len,
        Outcome::Class(..) if tree.sticky => {
            if subject.family == Family::V4 {
                24
            } else {
                56
            }
        }
        Outcome::Class(..) => 0,
    };
    assert!(scope >= least, "{}", say());
    if scope == least {
        counts.widest += 1;
        return;
    }
    let shorter = world.uniform(tree, subject, scope - 1, asker.source);
    assert!(shorter.is_none() || meets_carrier(scope - 1), "too narrow: {}", say());
}

#[test]
fn tables_agree_with_a_direct_evaluation() {
    let mut counts = Counts::default();
    let dir = tempfile::tempdir().unwrap();
    for seed in 0..160 {
        let world = World::new(seed, dir.path());
        let rng = &mut Rng::with_seed(seed);
        for _ in 0..30 {
            let sent = client(rng, &world);
            let most = width(Family::of(sent));
            let len = if rng.bool() { most } else { rng.u8(1..=most) };
            let asker = Asker { source: client(rng, &world), subnet: Some((sent, len)) };
            for id in (0..2).map(TreeId) {
                check(&world, id, &asker, &mut counts);
            }
        }
    }
    println!("{counts:?}");
    assert!(counts.dependent > 6_000 && counts.by_source > 1_000, "{counts:?}");
    assert!(counts.short > 1_000 && counts.widest > 1_000, "{counts:?}");
}
