//! Damaged files: refused, or read with other values, but never a panic, and always an end.

use std::io::Write;

use super::super::octets::Octets;
use super::super::tree::Tree;
use super::{open, write};
use crate::geo::support::mmdb::{Client, Data, Mmdb};
use crate::geo::{Database, DatabaseError};
use crate::model::Family;

fn small(record_size: u16) -> Vec<u8> {
    let mmdb = Mmdb { record_size, aliases: true, ..Mmdb::default() };
    let client = |asn, country| Client {
        continent: Some("EU"),
        country: Some(country),
        subdivision: Some(("BE", "Berlin")),
        location: Some((52.5, 13.4)),
        asn: Some(asn),
    };
    let entries = [
        ("10.0.0.0/8", client(1, "DE").nested()),
        ("10.1.0.0/16", client(2, "DE").flat()),
        ("2a00::/12", client(3, "FR").nested()),
        ("2a01:4f8::/32", client(4, "FR").flat()),
        ("2b00::/16", client(5, "GB").nested()),
    ];
    write(&mmdb, &entries)
}

/// Reads all that is in it.
fn read(database: &Database) -> Result<usize, DatabaseError> {
    let mut count = 0;
    for family in Family::BOTH {
        for range in database.ranges(family) {
            let (_, record) = range?;
            record.map(|record| database.attributes(record)).transpose()?;
            count += 1;
        }
    }
    for address in ["10.1.2.3", "2a01:4f8::1", "::1"] {
        database.find(address.parse().expect("an address"))?;
    }
    Ok(count)
}

#[test]
fn a_file_cut_off_anywhere_is_refused() {
    let whole = small(28);
    for length in 0..whole.len() {
        let error = open(&whole[..length]).expect_err("cut off");
        assert!(!error.what.is_empty());
    }
}

#[test]
fn flipped_bits_never_panic_nor_hang() {
    let mut random = fastrand::Rng::with_seed(20);
    let mut refused = 0;
    const TIMES: usize = 4000;
    for _ in 0..TIMES {
        let mut octets = small([24, 28, 32][random.usize(..3)]);
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..octets.len());
            octets[at] ^= 1 << random.u8(..8);
        }
        refused += usize::from(open(&octets).and_then(|database| read(&database)).is_err());
    }
    // Some damage only changes a name; some hits what must be as it is.
    assert!(refused > TIMES / 10 && refused < TIMES, "{refused} of {TIMES} refused");
}

#[test]
fn lost_and_changed_octets_never_panic_nor_hang() {
    let mut random = fastrand::Rng::with_seed(21);
    for _ in 0..2000 {
        let mut octets = small(24);
        let at = random.usize(..octets.len());
        let length = random.usize(..octets.len() - at).min(64);
        if random.bool() {
            octets.drain(at..at + length);
        } else {
            octets[at..at + length].fill_with(|| random.u8(..));
        }
        let _ = open(&octets).and_then(|database| read(&database));
    }
}

/// A file with this tree, of records of 32 bits, and one record behind it.
fn with_tree(nodes: &[[u32; 2]]) -> Vec<u8> {
    let mmdb = Mmdb { record_size: 32, ..Mmdb::default() };
    let whole = write(&mmdb, &[("::/0", Data::map([("country_code", Data::text("DE"))]))]);
    // One node of eight octets, whose count is in the metadata.
    let text: String = whole[8..].iter().map(|&octet| char::from(octet)).collect();
    let count = u8::try_from(nodes.len()).expect("few nodes");
    let text =
        text.replace("node_count\u{C1}\u{1}", &format!("node_count\u{C1}{}", char::from(count)));
    let tree = nodes.iter().flatten().flat_map(|branch| branch.to_be_bytes());
    tree.chain(text.chars().map(|c| c as u8)).collect()
}

#[test]
fn a_tree_that_runs_in_circles_is_refused() {
    let circles = "is broken: its search tree runs in circles";
    // Each node leads to itself, or back to the first.
    for nodes in [&[[0, 0]][..], &[[1, 1], [0, 0]], &[[1, 1], [1, 1]], &[[2, 1], [1, 2]]] {
        let error = open(&with_tree(nodes)).expect_err("a circle");
        assert_eq!(error.what, circles, "{nodes:?}");
    }
}

#[test]
fn a_tree_whose_branches_are_shared_again_and_again_is_refused() {
    // 2 to the 100th leaves.
    let shared = |i: u32| if i < 100 { [i + 1, i + 1] } else { [101, 101] };
    let nodes: Vec<_> = (0..101).map(shared).collect();
    let error = open(&with_tree(&nodes)).expect_err("too many leaves");
    assert_eq!(error.what, "is broken: its search tree runs in circles");
}

#[test]
fn a_tree_that_points_outside_the_file_is_refused() {
    for outside in [2, 16, 100_000, u32::MAX] {
        let error = open(&with_tree(&[[outside, 1]])).expect_err("outside");
        assert_eq!(error.what, "is broken: its search tree points outside the file");
    }
    assert!(open(&with_tree(&[[17, 1]])).is_ok_and(|database| read(&database) == Ok(3)));
}

/// The octet in the middle of a node of seven holds the highest bits of both branches; only files of
/// 16 MiB and more have any there, so that here such a branch leads outside.
#[test]
fn the_highest_bits_of_both_branches_are_told_apart() {
    let mmdb = Mmdb { ip_version: 4, record_size: 28, ..Mmdb::default() };
    let system = |asn| Client { asn: Some(asn), ..Client::default() }.nested();
    let whole = write(&mmdb, &[("0.0.0.0/1", system(1)), ("128.0.0.0/1", system(2))]);
    for (both, is_left_lost) in [(0x10, true), (0x01, false)] {
        let mut octets = whole.clone();
        octets[3] = both;
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(&octets).expect("room for it");
        let octets = Octets::read(file.path()).expect("a file");
        let reader = maxminddb::Reader::from_source(octets.clone()).expect("sound metadata");
        let tree = Tree::new(octets, reader.metadata()).expect("a tree");
        let is_lost = |address: [u8; 4]| tree.find(address.into()).is_err();
        let lost = (is_lost([1, 0, 0, 0]), is_lost([129, 0, 0, 0]));
        assert_eq!(lost, (is_left_lost, !is_left_lost));
    }
}
