//! `simulate --replay`: what it says of 100,000 queries is what two servers really answer them, one with
//! the configuration in use, which logs them, and one with the other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, Ipv6Addr, UdpSocket};
use std::time::Duration;

use hickory_proto::rr::RecordType::{self, A, AAAA};
use serde_json::Value;

use crate::harness::{HEADER, Question, Server, Site, regions, sent, simulate, until};

const QUERIES: usize = 100_000;
/// So many wait for their answers at a time, which every receive buffer has room for.
const AT_ONCE: usize = 100;
/// So many lines have room in the queue of the query log.
const LOGGED_AT_ONCE: usize = 5_000;
/// How many standard deviations what is drawn may be off: once in 500 million times for each figure.
const DEVIATIONS: f64 = 6.0;

/// In use.
const BEFORE: &str = r#"
[policies.european]
type = "weighted"
weights = { a = 60, b = 40 }
[policies.drawn]
type = "geolocation"
rules = [{ continent = "EU", to = "european" }, { country = "JP", to = "d" }]
default = "c"
[policies.kept]
type = "weighted"
weights = { a = 50, b = 30, c = 20 }
sticky = "client"
[[records]]
name = "drawn.site.test"
policy = "drawn"
[[records]]
name = "kept.site.test"
policy = "kept"
[[records]]
name = "gone.site.test"
policy = "a"
"#;

/// The other: Britain leaves, Japan shares, and one record is gone.
const AFTER: &str = r#"
[policies.european]
type = "weighted"
weights = { a = 30, b = 40, c = 30 }
[policies.eastern]
type = "weighted"
weights = { d = 3, c = 1 }
[policies.drawn]
type = "geolocation"
rules = [
  { continent = "EU", to = "european" },
  { country = "GB", to = "b" },
  { country = "JP", to = "eastern" },
]
default = "c"
[policies.spread]
type = "weighted"
weights = { a = 30, b = 30, c = 20, d = 20 }
sticky = "client"
[policies.kept]
type = "geolocation"
rules = [{ country = "US", to = "d" }]
default = "spread"
[[records]]
name = "drawn.site.test"
policy = "drawn"
[[records]]
name = "kept.site.test"
policy = "kept"
"#;

/// Where clients are, and what makes up to a hundred: the prefixes of `tests/support/world.rs`.
const CLIENTS: [(&str, &str, u32); 7] = [
    ("DE", "2.20.0.0/14", 30),
    ("GB", "5.10.0.0/16", 15),
    ("US", "8.8.0.0/16", 20),
    ("JP", "126.0.0.0/8", 15),
    ("JP", "2400:4000::/28", 5),
    ("ZA", "41.0.0.0/11", 10),
    ("?", "60.0.0.0/12", 5),
];

/// A query, and the number of the region that each server answered; 0 is NXDOMAIN.
struct Query {
    name: &'static str,
    rtype: RecordType,
    country: &'static str,
    network: String,
    wire: Vec<u8>,
    answered: [u8; 2],
}

fn queries() -> Vec<Query> {
    let mut rng = fastrand::Rng::with_seed(25);
    let mut one = || {
        let mut at = rng.u32(..100);
        let &(country, prefix, _) = CLIENTS
            .iter()
            .find(|(.., part)| at.checked_sub(*part).map(|rest| at = rest).is_none())
            .unwrap();
        let network = network(&mut rng, prefix);
        let name = match rng.u32(..20) {
            0 => "gone.site.test",
            1..=9 => "kept.site.test",
            _ => "drawn.site.test",
        };
        let rtype = if rng.u32(..4) == 0 { AAAA } else { A };
        let wire = Question::new(name, rtype).options(sent(&network)).wire(0);
        Query { name, rtype, country, network, wire, answered: [0; 2] }
    };
    (0..QUERIES).map(|_| one()).collect()
}

/// A /24 or /56 of a prefix.
fn network(rng: &mut fastrand::Rng, prefix: &str) -> String {
    let (address, len) = prefix.split_once('/').unwrap();
    let len: u32 = len.parse().unwrap();
    // Few enough for most to ask several times.
    match address.parse::<Ipv4Addr>() {
        Ok(v4) => {
            let within = rng.u32(..1 << (24 - len).min(10));
            format!("{}/24", Ipv4Addr::from(u32::from(v4) | within << 8))
        }
        Err(_) => {
            let bits = u128::from(address.parse::<Ipv6Addr>().unwrap());
            format!("{}/56", Ipv6Addr::from(bits | u128::from(rng.u32(..1000)) << 72))
        }
    }
}

/// Asks all of them, `AT_ONCE` at a time, and notes who is answered from where.
fn ask_all(server: &Server, queries: &mut [Query], which: usize, mut between: impl FnMut(usize)) {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.connect(server.v4).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut buffer = [0; 4096];
    let mut done = 0;
    for lot in queries.chunks_mut(AT_ONCE) {
        for (id, query) in lot.iter_mut().enumerate() {
            query.wire[..2].copy_from_slice(&u16::try_from(id).unwrap().to_be_bytes());
            socket.send(&query.wire).unwrap();
        }
        let mut seen = vec![false; lot.len()];
        for _ in 0..lot.len() {
            let len = socket.recv(&mut buffer).expect("an answer within 10 s");
            let id = usize::from(u16::from_be_bytes([buffer[0], buffer[1]]));
            lot[id].answered[which] = region(lot[id].name, &buffer[..len]);
            assert!(!std::mem::replace(&mut seen[id], true), "answered twice");
        }
        done += lot.len();
        if done.is_multiple_of(LOGGED_AT_ONCE) || done == QUERIES {
            between(done);
        }
    }
}

/// The last octet of the one address in a reply, which is its region's number; 0 for NXDOMAIN.
#[track_caller]
fn region(name: &str, reply: &[u8]) -> u8 {
    let (rcode, answers) = (reply[3] & 15, u16::from_be_bytes([reply[6], reply[7]]));
    if (rcode, answers) == (3, 0) {
        return 0;
    }
    assert_eq!((rcode, answers), (0, 1), "{reply:?}");
    // Behind header and question: a pointer, type, class, TTL, length, data.
    let record = HEADER + name.len() + 2 + 4;
    let len = usize::from(reply[record + 11]);
    reply[record + 11 + len]
}

type Counts = BTreeMap<String, f64>;

/// What a goal or region is called here.
fn goal(of: &Value) -> String {
    of["region"].as_str().or(of.as_str()).unwrap().to_owned()
}

fn letter(number: u8) -> String {
    match number {
        0 => "no_such_name".into(),
        number => char::from(b'a' + number - 1).to_string(),
    }
}

/// The queries of a part of a report by where they lead.
fn goals(part: &Value, when: &str) -> Counts {
    let each = part[when].as_array().unwrap().iter();
    each.map(|to| (goal(&to["to"]), to["queries"].as_f64().unwrap())).collect()
}

/// From where to where they go.
fn moves(part: &Value) -> Counts {
    let each = part["moves"].as_array().unwrap().iter();
    let name = |flow: &Value| format!("{}>{}", goal(&flow["from"]), goal(&flow["to"]));
    each.map(|flow| (name(flow), flow["queries"].as_f64().unwrap())).collect()
}

fn counted<'a>(queries: impl Iterator<Item = &'a Query>, by: impl Fn(&Query) -> String) -> Counts {
    let mut counts = Counts::new();
    queries.for_each(|query| *counts.entry(by(query)).or_default() += 1.0);
    counts
}

/// What was really answered, when each query is the same for both servers whenever it is asked.
#[track_caller]
fn agrees_exactly(part: &Value, queries: &[&Query], what: &str) {
    let of = |which: usize| counted(queries.iter().copied(), |query| letter(query.answered[which]));
    assert_eq!(goals(part, "before"), of(0), "{what}");
    assert_eq!(goals(part, "after"), of(1), "{what}");
    let moved = queries.iter().copied().filter(|query| query.answered[0] != query.answered[1]);
    let moved = counted(moved, |Query { answered: [from, to], .. }| {
        format!("{}>{}", letter(*from), letter(*to))
    });
    assert_eq!(moves(part), moved, "{what}");
}

/// What was really answered, when each answer is drawn.
#[track_caller]
fn agrees_nearly(part: &Value, queries: &[&Query], what: &str) {
    let all = queries.len() as f64;
    let mut bound = 0.0;
    let [before, after] = [(0, "before"), (1, "after")].map(|(which, when)| {
        let found = counted(queries.iter().copied(), |query| letter(query.answered[which]));
        let expected = goals(part, when);
        for region in ["a", "b", "c", "d"] {
            let of = |counts: &Counts| counts.get(region).copied().unwrap_or_default();
            // The sum of draws that are not all alike varies no more than this.
            let p = of(&expected) / all;
            let deviation = (all * p * (1.0 - p)).sqrt();
            bound += DEVIATIONS * deviation;
            let off = (of(&found) - of(&expected)).abs();
            assert!(
                off <= DEVIATIONS * deviation + 1e-3,
                "{what}, {when}, {region}: {found:?}, not {expected:?}"
            );
        }
        found
    });
    let over = before.iter().map(|(region, n)| (n - after.get(region).unwrap_or(&0.0)).max(0.0));
    let (found, expected) = (over.sum::<f64>(), part["moved"].as_f64().unwrap());
    assert!((found - expected).abs() <= bound + 1e-3, "{what}: {found} moved, not {expected}");
}

#[test]
fn a_replay_of_100_000_queries_agrees_with_serving_both() {
    let log = "[query_log]\nfile = \"queries.jsonl\"\nclient = \"address\"\n";
    let site =
        |log: &str, more: &str| Site::of_world("", &format!("{log}{}{more}", regions(&[""; 4])));
    let (before, after) = (site(log, BEFORE), site("", AFTER));
    let mut queries = queries();
    let file = before.path("queries.jsonl");
    let server = before.serve();
    let mut log = BufReader::new(File::open(&file).unwrap());
    let (mut lines, mut line) = (0, Vec::new());
    ask_all(&server, &mut queries, 0, |done| {
        until(&format!("{done} lines of the query log"), || {
            while log.read_until(b'\n', &mut line).unwrap() > 0 && line.ends_with(b"\n") {
                lines += 1;
                line.clear();
            }
            (lines >= done).then_some(())
        });
    });
    assert!(server.stop().success());
    ask_all(&after.serve(), &mut queries, 1, |_| {});

    let replay = |name: &str| -> Value {
        let (log, new) = (before.path(name), after.config());
        let ended = simulate(
            &before,
            &["--json", "--replay", log.to_str().unwrap(), "--against", new.to_str().unwrap()],
        );
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
        serde_json::from_str(&ended.stdout).unwrap()
    };
    let of = |name: &str| queries.iter().filter(|query| query.name == name).collect::<Vec<_>>();

    // All of it, by record and type.
    let all = replay("queries.jsonl");
    assert_eq!(all["queries"], QUERIES);
    assert_eq!(all["read"]["lines"], QUERIES);
    let networks: BTreeSet<&str> = queries.iter().map(|query| &*query.network).collect();
    assert_eq!(all["networks"], networks.len());
    assert_eq!(all["lost"].as_f64().unwrap(), of("gone.site.test").len() as f64);
    let records = all["by_record"].as_array().unwrap();
    assert_eq!(records.len(), 6);
    for part in records {
        let name = part["old_record"].as_str().unwrap();
        let rtype = if part["type"] == "A" { A } else { AAAA };
        let mut asked = of(name);
        asked.retain(|query| query.rtype == rtype);
        let is_drawn = name == "drawn.site.test";
        let agrees = if is_drawn { agrees_nearly } else { agrees_exactly };
        agrees(part, &asked, &format!("{name} {rtype}"));
    }

    // Each record, by country.
    let text = fs::read_to_string(&file).unwrap();
    for name in ["kept.site.test", "drawn.site.test"] {
        let some = text.lines().filter(|line| line.contains(&format!("\"record\":\"{name}\"")));
        let some: String = some.map(|line| format!("{line}\n")).collect();
        before.write("some.jsonl", &some);
        let report = replay("some.jsonl");
        let countries = report["by_country"].as_array().unwrap();
        assert_eq!(countries.len(), 6, "{report:#}");
        for part in countries {
            let country = part["country"].as_str().unwrap_or("?");
            let mut asked = of(name);
            asked.retain(|query| query.country == country);
            assert_eq!(part["queries"], asked.len(), "{name} in {country}");
            let is_drawn = name == "drawn.site.test";
            let agrees = if is_drawn { agrees_nearly } else { agrees_exactly };
            agrees(part, &asked, &format!("{name} in {country}"));
        }
    }
}
