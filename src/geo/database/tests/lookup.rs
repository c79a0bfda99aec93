//! Ranges and look-ups against a search through the list that the file was written from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use proptest::prelude::*;

use super::{open, write};
use crate::geo::support::mmdb::{Client, Data, Mmdb};
use crate::geo::{Database, Record};
use crate::model::Family;

fn system(asn: u32) -> Data {
    Client { asn: Some(asn), ..Client::default() }.nested()
}

fn address(family: Family, key: u128) -> IpAddr {
    match family {
        Family::V4 => Ipv4Addr::from(key as u32).into(),
        Family::V6 => Ipv6Addr::from(key).into(),
    }
}

fn asn(database: &Database, record: Option<Record>) -> Option<u32> {
    record.and_then(|record| database.attributes(record).expect("a sound record").asn)
}

/// By reading the list: the longest prefix that has the address; of equal ones the last.
fn expected(entries: &[(IpNet, u32)], address: IpAddr) -> Option<(u32, u8)> {
    let covering = entries.iter().filter(|(prefix, _)| prefix.contains(&address));
    covering.max_by_key(|(prefix, _)| prefix.prefix_len()).map(|(p, asn)| (*asn, p.prefix_len()))
}

/// Prefixes near each other, so that many nest.
fn prefixes(with_v6: bool) -> impl Strategy<Value = Vec<(IpNet, u32)>> {
    let v4 = (0_u32..64, 0_u8..=32).prop_map(|(bits, length)| {
        let spread = bits << 26 | bits << 13 | bits;
        IpNet::V4(Ipv4Net::new_assert(spread.into(), length).trunc())
    });
    let v6 = (0_u128..64, 8_u8..=128).prop_map(|(bits, length)| {
        let spread = 0x2A << 120 | bits << 110 | bits << 64 | bits;
        IpNet::V6(Ipv6Net::new_assert(spread.into(), length).trunc())
    });
    let prefix = if with_v6 { prop_oneof![v4, v6].boxed() } else { v4.boxed() };
    proptest::collection::vec((prefix, 1_u32..9), 0..24)
}

fn file() -> impl Strategy<Value = (Mmdb, Vec<(IpNet, u32)>)> {
    let record_size = prop_oneof![Just(24_u16), Just(28), Just(32)];
    (record_size, any::<bool>(), any::<bool>()).prop_flat_map(|(record_size, is_v6, aliases)| {
        let ip_version = if is_v6 { 6 } else { 4 };
        let mmdb = Mmdb { ip_version, record_size, aliases, ..Mmdb::default() };
        (Just(mmdb), prefixes(is_v6))
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 600,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(20),
        ..ProptestConfig::default()
    })]

    #[test]
    fn ranges_and_look_ups_agree_with_the_list((mmdb, entries) in file(), keys: [u128; 8]) {
        let data: Vec<_> = entries.iter().map(|(prefix, asn)| (*prefix, system(*asn))).collect();
        let database = open(&mmdb.write(&data)).expect("a sound file");
        for family in Family::BOTH {
            let ranges: Vec<_> = database.ranges(family).map(|r| r.expect("a sound tree")).collect();
            prop_assert_eq!(ranges[0].0, 0);
            for pair in ranges.windows(2) {
                prop_assert!(pair[0].0 < pair[1].0 && pair[0].1 != pair[1].1);
            }
            // The ends of all ranges and of all prefixes, and some others.
            let edges = ranges.iter().flat_map(|(start, _)| [start.wrapping_sub(1), *start]);
            let all = edges.chain(keys).chain(entries.iter().map(|(prefix, _)| match prefix {
                IpNet::V4(v4) => u128::from(u32::from(v4.broadcast())),
                IpNet::V6(v6) => u128::from(v6.broadcast()),
            }));
            for key in all {
                let key = if family == Family::V4 { key & 0xFFFF_FFFF } else { key };
                let address = address(family, key);
                let at = ranges.partition_point(|(start, _)| *start <= key) - 1;
                let found = database.find(address).expect("a sound tree");
                prop_assert_eq!(asn(&database, ranges[at].1), asn(&database, found.map(|f| f.0)));
                let wanted = expected(&entries, address);
                let found_asn = asn(&database, found.map(|f| f.0));
                prop_assert_eq!(found_asn, wanted.map(|w| w.0), "{}", address);
                // Prefixes inside may cut the one that was meant, so that it is found in parts.
                if let (Some((_, length)), Some((_, wanted))) = (found, wanted) {
                    prop_assert!(length >= wanted, "{} has /{} of /{}", address, length, wanted);
                }
            }
        }
    }
}

#[test]
fn the_prefix_is_that_of_the_family() {
    let entries = [("10.0.0.0/8", system(1)), ("2a00::/12", system(2))];
    let database = open(&write(&Mmdb::default(), &entries)).expect("sound");
    let length = |address: &str| {
        let found = database.find(address.parse().expect("an address")).expect("sound");
        found.map(|(_, length)| length)
    };
    assert_eq!(length("10.1.2.3"), Some(8));
    assert_eq!(length("2a00::1"), Some(12));
    assert_eq!(length("::10.1.2.3"), None);
}

#[test]
fn ways_into_the_ipv4_part_are_nothing_for_ipv6() {
    let entries = [("10.0.0.0/8", system(1)), ("2a00::/12", system(2))];
    for aliases in [false, true] {
        let mmdb = Mmdb { aliases, ..Mmdb::default() };
        let database = open(&write(&mmdb, &entries)).expect("sound");
        for address in ["::10.1.2.3", "::ffff:10.1.2.3", "2002:a01:203::", "2001:0:a01:203::"] {
            let address: IpAddr = address.parse().expect("an address");
            assert_eq!(database.find(address), Ok(None), "{address}");
        }
        let ranges: Result<Vec<_>, _> = database.ranges(Family::V6).collect();
        let ranges = ranges.expect("sound");
        let starts: Vec<_> =
            ranges.iter().map(|(start, record)| (*start, record.is_some())).collect();
        assert_eq!(starts, [(0, false), (0x2A << 120, true), (0x2A1 << 116, false)]);
    }
}

#[test]
fn a_family_that_is_not_there_is_nothing() {
    let v4 = Mmdb { ip_version: 4, ..Mmdb::default() };
    let database = open(&write(&v4, &[("10.0.0.0/8", system(1))])).expect("sound");
    let ranges: Vec<_> = database.ranges(Family::V6).collect();
    assert_eq!(ranges, [Ok((0, None))]);
    assert_eq!(database.find("2a00::1".parse().expect("an address")), Ok(None));

    let database = open(&write(&Mmdb::default(), &[("2a00::/12", system(1))])).expect("sound");
    let ranges: Vec<_> = database.ranges(Family::V4).collect();
    assert_eq!(ranges, [Ok((0, None))]);
    assert_eq!(database.find("10.0.0.1".parse().expect("an address")), Ok(None));
}

/// Here the leaf above ::/96 has the same record as others, which are no ways into it.
#[test]
fn a_record_that_covers_all_of_ipv4_is_kept_elsewhere() {
    let entries = [("::/8", system(7)), ("2a00::/12", system(7)), ("2b00::/12", system(8))];
    let database = open(&write(&Mmdb::default(), &entries)).expect("sound");
    let of = |address: &str| {
        let found = database.find(address.parse().expect("an address")).expect("sound");
        asn(&database, found.map(|(record, _)| record))
    };
    assert_eq!((of("10.1.2.3"), of("2a00::1"), of("2b00::1")), (Some(7), Some(7), Some(8)));
    let ranges: Vec<_> = database.ranges(Family::V6).map(|r| r.expect("sound")).collect();
    let with: Vec<_> = ranges.iter().map(|(_, record)| asn(&database, *record)).collect();
    assert_eq!(with, [Some(7), None, Some(7), None, Some(8), None]);
}

#[test]
fn a_record_of_another_database_is_refused() {
    let one = open(&write(&Mmdb::default(), &[("2a00::/12", system(1))])).expect("sound");
    let other = open(&write(&Mmdb::default(), &[("2b00::/12", system(1))])).expect("sound");
    let found = one.find("2a00::1".parse().expect("an address")).expect("sound");
    let (record, _) = found.expect("a record");
    assert!(one.attributes(record).is_ok());
    assert!(other.attributes(record).is_err());
}
