//! Files that are no database.

use std::fs;

use rstest::rstest;

use super::{open, write};
use crate::geo::Database;
use crate::geo::support::mmdb::{Data, Mmdb};

fn small() -> Vec<u8> {
    write(&Mmdb::default(), &[("2001:db8::/32", Data::map([("country_code", Data::text("DE"))]))])
}

fn patched(of: &str, with: &str) -> Vec<u8> {
    let octets = small();
    let text: String = octets.iter().map(|&octet| char::from(octet)).collect();
    assert!(text.contains(of), "nothing to patch");
    text.replace(of, with).chars().map(|c| c as u8).collect()
}

#[rstest]
#[case::empty(Vec::new(), "is empty")]
#[case::text(b"client,region,rtt_ms\n".to_vec(), "is no MMDB file, or cut off")]
#[case::gzip(vec![0x1F, 0x8B, 8, 0], "is compressed with gzip; unpack it")]
#[case::zip(b"PK\x03\x04".to_vec(), "is a zip archive; unpack it")]
#[case::metadata_cut(small()[..small().len() - 10].to_vec(), "is broken, or cut off")]
#[case::cut(small()[..50].to_vec(), "is no MMDB file, or cut off")]
#[case::marker_alone(b"\xAB\xCD\xEFMaxMind.com".to_vec(), "is broken, or cut off")]
#[case::record_size(patched("record_size\u{A1}\u{18}", "record_size\u{A1}\u{19}"), "Actual: 25")]
#[case::version(patched("major_version\u{A1}\u{2}", "major_version\u{A1}\u{3}"), "Actual: 3")]
#[case::ip_version(patched("ip_version\u{A1}\u{6}", "ip_version\u{A1}\u{7}"), "Actual: 7")]
#[case::more_nodes(patched("node_count\u{C1}\u{20}", "node_count\u{C1}\u{FF}"), "search tree")]
fn a_file_that_is_no_database_is_refused(#[case] octets: Vec<u8>, #[case] what: &str) {
    let error = open(&octets).expect_err("no database");
    assert!(error.what.contains(what), "{error}");
}

#[test]
fn the_small_file_is_sound_unless_patched() {
    assert!(open(&small()).is_ok());
}

#[test]
fn what_cannot_be_read_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let missing = dir.path().join("missing.mmdb");
    let error = Database::open(&missing).expect_err("missing");
    assert_eq!(error.path, missing);
    assert!(error.to_string().contains("missing.mmdb: cannot be read: No such file"), "{error}");
    let error = Database::open(dir.path()).expect_err("a directory");
    assert_eq!(error.what, "is a directory, not an MMDB file");
    let error = Database::open("/dev/zero".as_ref()).expect_err("a device");
    assert_eq!(error.what, "is not a plain file");
}

#[test]
fn a_database_overwritten_in_place_stays_as_it_was_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a.mmdb");
    fs::write(&path, small()).expect("written");
    let database = Database::open(&path).expect("a database");
    fs::write(&path, b"gone").expect("overwritten");
    let found = database.find("2001:db8::1".parse().expect("an address")).expect("sound");
    let (record, length) = found.expect("a record");
    assert_eq!(length, 32);
    assert!(database.attributes(record).is_ok_and(|of| of.country.is_some()));
}
