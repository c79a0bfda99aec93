//! Master files: every type, every way to write it, includes, and what garbage does.

use proptest::prelude::*;
use rstest::rstest;

use super::{exact, index, name, read};
use crate::problem::Problems;
use crate::wire::{Name, rtype};
use crate::zone::{Names, load};

/// Every type that zones must take, as written and as kept, in hexadecimal.
#[rstest]
#[case::a("A 192.0.2.1", 1, "c0000201")]
#[case::ns("NS Ns.Other.", 2, "024e73054f7468657200")]
#[case::cname("CNAME Www", 5, "0357777704746573740 0")]
#[case::rfc1035_5_1_cname_to_the_origin("CNAME @", 5, "047465737400")]
#[case::rfc1035_5_1_mx_of_the_origin("60 IN MX 10 @", 15, "000a047465737400")]
#[case::txt_that_is_an_at_sign("TXT @", 16, "0140")]
#[case::ptr("PTR host.example.", 12, "04686f7374076578616d706c6500")]
#[case::mx("MX 10 mail", 15, "000a046d61696c047465737400")]
#[case::txt("TXT a \"b c\" \"\"", 16, "016103622063 00")]
#[case::txt_escapes("TXT \"\\\"\\\\\\065\"", 16, "03225c41")]
#[case::aaaa("AAAA 2001:db8::1", 28, "20010db8000000000000000000000001")]
#[case::srv("SRV 1 2 443 x.", 33, "0001000201bb017800")]
#[case::naptr(
    "NAPTR 100 10 \"S\" \"SIP+D2U\" \"\" _sip.x.",
    35,
    "0064000a0153075349502b44325500045f736970017800"
)]
#[case::dname("DNAME x.", 39, "017800")]
#[case::ds(
    "DS 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118",
    43,
    "ec4505012bb183af5f22588179a53b0a98631fad1a292118"
)]
#[case::sshfp("SSHFP 4 2 00ff", 44, "040200ff")]
#[case::dnskey("DNSKEY 256 3 8 AQID", 48, "01000308010203")]
#[case::tlsa("TLSA 3 1 1 0123", 52, "0301010123")]
#[case::svcb("SVCB 0 svc.", 64, "00000373766300")]
#[case::https(
    "HTTPS 1 . alpn=\"h2,h3\" port=8443 ipv4hint=192.0.2.1",
    65,
    "00010000010006026832026833000300 0220fb00040004c0000201"
)]
#[case::caa("CAA 0 issue \"ca.example\"", 257, "0005697373756563612e6578616d706c65")]
#[case::hinfo("HINFO a b", 13, "01610162")]
#[case::generic("TYPE65280 \\# 3 010203", 65280, "010203")]
#[case::generic_empty("TYPE65280 \\# 0", 65280, "")]
#[case::generic_split("TYPE65280 ( \\# 4 0102\n 0304 )", 65280, "01020304")]
#[case::generic_of_known("TYPE1 \\# 4 c0000201", 1, "c0000201")]
#[case::known_as_generic("A \\# 4 c0000201", 1, "c0000201")]
#[case::loc("LOC \\# 16 00121613000000000000000000989680", 29, "00121613000000000000000000989680")]
#[case::uri("TYPE256 \\# 9 000a000168747470 3a", 256, "000a0001687474703a")]
fn types(#[case] text: &str, #[case] rtype: u16, #[case] hex: &str) {
    let (zone, problems) = read("test", &format!("x {text}\n"));
    assert!(!problems.any_error(), "{problems}");
    let record = zone.find(name("x.test").as_wire()).next().expect("the record");
    assert_eq!(record.rtype, rtype);
    let told: String = zone.rdata(&record).iter().map(|octet| format!("{octet:02x}")).collect();
    assert_eq!(told, hex.replace(' ', ""));
    // And it is served as it was read.
    let names = Names::build(vec![zone], &[], &mut Problems::default());
    let tail = names.rrset(exact(&names, "x.test"), rtype).expect("the RRset");
    assert_eq!((tail.count, tail.rdata().count()), (1, 1));
}

/// Owners, TTLs and classes as RFC 1035 section 5.1 has them, and what BIND added.
#[test]
fn inheritance() {
    let text = "\
$TTL 1h
a IN 5 A 192.0.2.1
  5 IN AAAA ::1
b A 192.0.2.1 ; a comment (
$ORIGIN sub
@ TXT sub
c 1h30m TXT ( one ; here
\t\ttwo )
\tMX 1 d
$TTL 60
e.test. TXT e\r
f TXT last";
    let (zone, problems) = read("test", text);
    assert_eq!(problems.0, []);
    let told = |owner: &str| {
        let owner = name(owner);
        let found = zone.find(owner.as_wire());
        found.map(|r| (r.rtype, r.ttl, zone.rdata(&r).len())).collect::<Vec<_>>()
    };
    assert_eq!(told("a.test"), [(1, 5, 4), (28, 5, 16)]);
    assert_eq!(told("b.test"), [(1, 3600, 4)]);
    assert_eq!(told("sub.test"), [(16, 3600, 4)]);
    assert_eq!(told("c.sub.test"), [(15, 3600, 14), (16, 5400, 8)]);
    assert_eq!(told("e.test"), [(16, 60, 2)]);
    assert_eq!(told("f.sub.test"), [(16, 60, 5)]);
    assert_eq!(zone.records(), 10);
}

#[test]
fn ttls_without_directive_are_those_of_the_record_before() {
    let (zone, problems) = read("test", "a TXT x\nb 7 TXT x\nc TXT x\nd 4294967295 TXT x\n");
    assert_eq!(problems.errors(), 0, "{problems}");
    assert_eq!(problems.0.len(), 1, "{problems}");
    let ttl = |owner: &str| zone.find(name(owner).as_wire()).next().map(|record| record.ttl);
    assert_eq!(
        ["a.test", "b.test", "c.test", "d.test"].map(ttl),
        [Some(3600), Some(7), Some(7), Some(0)]
    );
}

#[test]
fn soa_times_may_have_units() {
    let mut problems = Problems::default();
    let text =
        "@ 1D IN SOA ns host (\n 5 ; serial\n 2h 15m 2w ; times\n 1m )\n@ NS ns\nns A 192.0.2.1\n";
    let zone = crate::zone::master::load_text(text, &name("test"), &mut problems);
    assert_eq!(problems.0, []);
    assert_eq!(zone.serial(), 5);
    let names = Names::build(vec![zone], &[], &mut problems);
    assert_eq!(problems.0, []);
    let soa = names.zones()[0].soa();
    let numbers: Vec<u32> = soa.bytes[soa.bytes.len() - 20..]
        .chunks(4)
        .map(|four| u32::from_be_bytes(four.try_into().unwrap()))
        .collect();
    assert_eq!((soa.ttl, numbers), (86400, vec![5, 7200, 900, 1_209_600, 60]));
}

/// After an entry that cannot be read, the next ones inherit what they would have.
#[test]
fn reading_goes_on_after_an_error() {
    let text = "\
$TTL 30
$ORIGIN sub.test.
good A 192.0.2.1
bad A nonsense
    TXT of-bad
..worse A 192.0.2.1
    TXT of-worse
good2 TXT \"open
good3 A 192.0.2.3
";
    let (zone, problems) = read("test", text);
    assert_eq!(problems.errors(), 3, "{problems}");
    let types = |owner: &str| {
        let owner = name(owner);
        let found = zone.find(owner.as_wire());
        found.map(|record| (record.rtype, record.ttl)).collect::<Vec<_>>()
    };
    assert_eq!(types("good.sub.test"), [(1, 30)]);
    assert_eq!(types("bad.sub.test"), [(16, 30)]);
    assert_eq!(types("good3.sub.test"), [(1, 30)]);
    assert_eq!(zone.records(), 5);
}

/// Texts at which the reader itself would panic.
#[rstest]
#[case("$INCLUDE \"a\"b.\n")]
#[case("x TXT a\"b\"\n")]
#[case("a(TXT")]
#[case("a (\n")]
#[case("x TXT \"")]
#[case("..\n TXT x\n")]
#[case("a..b A 192.0.2.1\n TXT x\nc A x\nd TXT y\n")]
#[case("\\")]
fn what_the_reader_cannot_take_is_reported(#[case] text: &str) {
    let (_, problems) = read("test", text);
    assert!(problems.any_error(), "{text}");
}

#[test]
fn included_files_start_where_they_are_and_leave_nothing_behind() {
    let mut problems = Problems::default();
    let path = "tests/fixtures/zones/including.zone";
    let zone = load(path.as_ref(), &name("test"), &mut problems);
    assert_eq!(problems.0, []);
    let files: Vec<_> = zone.files().iter().map(|file| file.to_str().unwrap()).collect();
    assert_eq!(
        files,
        [path, "tests/fixtures/zones/parts/hosts.inc", "tests/fixtures/zones/parts/more.inc"]
            .map(|file| file.replace('/', std::path::MAIN_SEPARATOR_STR))
    );
    let names = Names::build(vec![zone], &[], &mut problems);
    assert_eq!(problems.0, []);
    for (owner, ttl) in [
        ("test", 300),
        ("before.test", 300),
        ("h1.hosts.test", 300),    // inherits $TTL, has its own origin
        ("h2.hosts.test", 20),     // its own $TTL
        ("m.deep.hosts.test", 20), // included by the included one
        ("after.test", 300),       // nothing of it is left
    ] {
        let txt = names.rrset(exact(&names, owner), 16).unwrap_or_else(|| panic!("{owner}"));
        assert_eq!(txt.ttl, ttl, "{owner}");
    }
    // A line without an owner belongs to the last one before the $INCLUDE.
    assert_eq!(names.rrset(exact(&names, "before.test"), 16).map(|t| t.count), Some(2));
}

#[test]
fn the_example_zones_are_free_of_problems() {
    for (file, apex, dynamic) in [
        ("zones/example.com.zone", "example.com", "app.example.com"),
        ("zones/demo.test.zone", "demo.test", "app.demo.test"),
    ] {
        let mut problems = Problems::default();
        let zone = load(file.as_ref(), &name(apex), &mut problems);
        let place = crate::problem::Place::File("trimtab.toml".into());
        let dynamic = [(name(dynamic), crate::model::RecordId(0), place)];
        let names = Names::build(vec![zone], &dynamic, &mut problems);
        assert_eq!(problems.0, [], "{file}");
        assert_eq!(names.zones()[0].negative_ttl, 60);
        for wanted in [rtype::SOA, rtype::NS, 15, 16] {
            assert!(names.rrset(names.zones()[0].apex, wanted).is_some(), "{file} {wanted}");
        }
    }
}

#[test]
fn a_zone_without_a_file() {
    let mut problems = Problems::default();
    let place = crate::problem::Place::File("trimtab.toml".into());
    let servers = [
        (
            name("ns1.gslb.test"),
            vec!["192.0.2.53".parse().unwrap(), "2001:db8::53".parse().unwrap()],
        ),
        (name("ns2.other"), vec!["192.0.2.54".parse().unwrap()]),
    ];
    let apex = name("gslb.test");
    let zone = crate::zone::synthesize(
        &apex,
        &servers,
        &name("ops.x.test"),
        30,
        77,
        &place,
        &mut problems,
    );
    assert_eq!((zone.serial(), zone.files().len()), (77, 0));
    let names = Names::build(vec![zone], &[], &mut problems);
    assert_eq!(problems.0, []);
    let (zone, ns1) = (&names.zones()[0], exact(&names, "ns1.gslb.test"));
    assert_eq!((zone.negative_ttl, zone.serial()), (30, 77));
    assert_eq!(names.rrset(zone.apex, rtype::NS).map(|tail| tail.count), Some(2));
    let types: Vec<_> = names.rrsets(ns1).map(|tail| (tail.rtype, tail.count)).collect();
    assert_eq!(types, [(1, 1), (28, 1)]);
    let soa = zone.soa().rdata().next().unwrap();
    let start = b"\x03ns1\x04gslb\x04test\x00\x03ops\x01x\x04test\x00";
    assert!(soa.starts_with(start), "{soa:?}");
    assert_eq!(names.len(), 2);
}

/// Words that master files are made of, and some that they are not.
fn word() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] = &[
        "a",
        "@",
        "*",
        "60",
        "1h",
        "IN",
        "CH",
        "A",
        "AAAA",
        "TXT",
        "SOA",
        "NS",
        "MX",
        "CNAME",
        "DNAME",
        "SRV",
        "HTTPS",
        "NAPTR",
        "CAA",
        "DS",
        "DNSKEY",
        "NSEC",
        "RRSIG",
        "TYPE1",
        "TYPE99",
        "\\#",
        "4",
        "c0000201",
        "192.0.2.1",
        "::1",
        "x.test.",
        "..",
        ".",
        "\"q\"",
        "\"",
        "\"\"",
        "(",
        ")",
        ";",
        "\n",
        "\n",
        "\n",
        " ",
        "\t",
        "\\",
        "\\065",
        "\\999",
        "$TTL",
        "$ORIGIN",
        "$INCLUDE",
        "alpn=h2",
        "alpn=\"h2\"",
        "key9=x",
        "\u{e9}",
        "\0",
        "\r",
        "a\"b\"c",
        "\"\"x.",
    ];
    prop_oneof![9 => prop::sample::select(KNOWN).prop_map(str::to_owned), 1 => "\\PC{0,70}"]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1500,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(1035),
        ..ProptestConfig::default()
    })]

    /// Whatever the text is, it is read or complained about, and the index can be built.
    #[test]
    fn garbage_is_reported_and_does_no_harm(
        words in prop::collection::vec((word(), prop::bool::weighted(0.8)), 0..60)
    ) {
        let text: String =
            words.iter().map(|(word, gap)| format!("{word}{}", if *gap { " " } else { "" })).collect();
        let (zone, mut problems) = read("test", &text);
        let names = Names::build(vec![zone], &[], &mut problems);
        for id in names.of_zone(crate::zone::ZoneId(0)) {
            let owner = Name::from_wire(names.owner(id)).unwrap();
            prop_assert!(owner.is_within(&name("test")));
            prop_assert!(names.rrsets(id).all(|tail| tail.rdata().count() == usize::from(tail.count)));
        }
        let _ = problems.render(false);
    }
}

#[test]
fn many_names_are_all_found() {
    let text: String = (0..3000).map(|n| format!("n{n}.{} A 192.0.2.1\n", n % 7)).collect();
    let names = index(&[("test", &text)], &[]);
    assert_eq!(names.len(), 1 + 3000 + 7);
    for n in 0..3000 {
        exact(&names, &format!("n{n}.{}.test", n % 7));
    }
}
