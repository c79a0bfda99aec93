//! The readers of files: whatever is in them, there is a report, and what is taken can be served.

use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use tempfile::TempDir;
use trimtab::app;
use trimtab::app::resolve::resolve;
use trimtab::config;
use trimtab::dns::engine::Transport;
use trimtab::geo::{Database, LatencyTable};
use trimtab::model::Family;
use trimtab::problem::{Place, Problems, Source};
use trimtab::routing::{Assembly, Inputs, Parts, compile};
use trimtab::wire::Name;
use trimtab::zone::{self, Names};

use super::ask::{NOW, Way};
use super::reply::holds;
use super::world::{Health, WORLDS, owners, serve};

static DIR: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

/// A file of this thread with such contents.
fn file(name: &str, octets: &[u8]) -> PathBuf {
    let thread = format!("{:?}", std::thread::current().id());
    let dir = DIR.path().join(thread.replace(['(', ')'], "-"));
    let path = dir.join(name);
    if fs::write(&path, octets).is_err() {
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("other.zone"), "other A 192.0.2.9\n$ORIGIN below\n@ TXT x\n").unwrap();
        fs::write(&path, octets).unwrap();
    }
    path
}

/// A report says what is wrong in lines that can be shown.
fn told(problems: &Problems) {
    for colour in [false, true] {
        let text = problems.render(colour);
        assert!(text.is_empty() == problems.0.is_empty(), "{} problems", problems.0.len());
    }
}

const WAYS: [Way; 2] = [
    Way {
        transport: Transport::Udp,
        from: IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8)),
        seed: 3,
        unix_secs: NOW,
    },
    Way {
        transport: Transport::Tcp,
        from: IpAddr::V4(Ipv4Addr::new(2, 16, 8, 1)),
        seed: 5,
        unix_secs: NOW,
    },
];

/// A query without EDNS.
fn query(owner: &[u8], qtype: u16) -> Vec<u8> {
    let mut octets = vec![0, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    octets.extend(owner);
    octets.extend(qtype.to_be_bytes());
    octets.extend([0, 1]);
    octets
}

/// The names of a snapshot, and one below each, are answered soundly.
fn all_answered(snapshot: &trimtab::routing::Snapshot) {
    for owner in owners(snapshot).into_iter().take(24) {
        let below = [&b"\x01x"[..], &owner].concat();
        for qtype in [1, 2, 43, 255] {
            for way in WAYS {
                holds(snapshot, way, &query(&owner, qtype));
            }
        }
        holds(snapshot, WAYS[0], &query(&below, 1));
    }
}

/// A master file of `example.test`, which may include `other.zone`.
pub(crate) fn zone(input: &[u8]) {
    let path = file("example.test.zone", input);
    let apex = Name::from_text("example.test").unwrap();
    let mut problems = Problems::default();
    let loaded = zone::load(&path, &apex, &mut problems);
    let names = Names::build(vec![loaded], &[], &mut problems);
    told(&problems);
    if problems.any_error() {
        return;
    }
    let options = WORLDS[0].snapshot.options.clone();
    let assembly =
        Assembly::new(Parts::default(), Arc::new(names), Arc::default(), options, |_, _| 0);
    all_answered(&compile(None, &Arc::new(assembly), &Inputs::default()));
}

/// A configuration; one that needs no other file is served, in every health.
pub(crate) fn config(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let source = Source { path: Path::new("trimtab.toml").into(), text: text.into() };
    let (config, mut problems) = config::parse(&Arc::new(source));
    let refused = problems.any_error();
    let _ = resolve(&config, &mut problems);
    assert!(problems.any_error() >= refused);
    told(&problems);
    let is_alone = !text.contains("file") && !text.contains("table");
    if problems.any_error() || !is_alone || !config.geo.databases.is_empty() {
        return;
    }
    let path = file("trimtab.toml", input);
    match app::load(&path, &Default::default(), &mut |_, _| 0) {
        Ok(loaded) => {
            told(&loaded.warnings);
            for health in [Health::Up, Health::Some, Health::Down] {
                all_answered(&serve(&loaded, health));
            }
        }
        Err(problems) => told(&problems),
    }
}

/// A table of round-trip times to two regions.
pub(crate) fn latency(input: &[u8]) {
    let path = file("latency.csv", input);
    let mut problems = Problems::default();
    let table = LatencyTable::read(&path, &["eu".into(), "us".into()], &mut problems);
    told(&problems);
    assert!(table.regions().len() <= 2 && table.keys().count() <= table.len());
    let mut keys = String::new();
    for prefix in table.prefixes() {
        write!(keys, "{prefix}").unwrap();
        assert_eq!(prefix, prefix.trunc(), "bits behind the length");
    }
    for problem in &problems.0 {
        assert!(!matches!(&problem.place, Place::Span(source, span)
            if source.text.get(span.clone()).is_none()));
    }
}

/// A database: all its ranges are in order, and a range has the record that its first address has.
pub(crate) fn mmdb(input: &[u8]) {
    /// More are not looked at.
    const MOST: usize = 4096;
    let path = file("fuzz.mmdb", input);
    let Ok(database) = Database::open(&path) else { return };
    for family in Family::BOTH {
        let mut last = None;
        for range in database.ranges(family).take(MOST) {
            let Ok((start, record)) = range else { break };
            assert!(last.is_none_or(|last| last < start), "ranges are not in order");
            last = Some(start);
            let address = match family {
                Family::V4 => IpAddr::V4((start as u32).into()),
                Family::V6 => IpAddr::V6(start.into()),
            };
            let Ok(found) = database.find(address) else { continue };
            assert_eq!(found.map(|(record, _)| record), record, "at {address}");
            if let Some(record) = record {
                let _ = database.attributes(record);
            }
        }
    }
}
