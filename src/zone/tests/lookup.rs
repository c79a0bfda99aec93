//! The rules of lookup, as tables: RFC 1034 section 4.3.2, RFC 4592, RFC 6672, RFC 4035.

use rstest::rstest;

use super::{exact, find, index, index_with, name, show};
use crate::model::RecordId;
use crate::wire::rtype;
use crate::zone::{Found, Names, ZoneId};

/// The zone of the protocol table.
const EXAMPLE: &str = "\
www A 192.0.2.1
*.wild A 192.0.2.2
host.wild TXT hello
x.ent A 192.0.2.3
sub NS ns.sub
ns.sub A 192.0.2.4
c1 CNAME c2
c2 CNAME www
d DNAME e
deep.er NS ns.other.
f.*.e A 192.0.2.5
";

fn example() -> Names {
    index(&[("example.test", EXAMPLE)], &[])
}

/// `= NAME` for an exact match, `< NAME` for the closest encloser; then what is special about it.
fn told(names: &Names, asked: &str) -> String {
    let (sign, id) = match find(names, asked) {
        Found::Outside => return "outside".into(),
        Found::Exact(id) => ('=', id),
        Found::Below { encloser, labels } => {
            assert_eq!(labels, names.entry(encloser).labels());
            ('<', encloser)
        }
    };
    let entry = names.entry(id);
    let mut told = format!("{sign} {}", show(names, id));
    for (is_set, word) in [
        (entry.is_apex(), "apex"),
        (entry.is_cut(), "cut"),
        (entry.has_dname(), "dname"),
        (entry.is_cname(), "cname"),
        (entry.is_empty_non_terminal(), "empty"),
    ] {
        if is_set {
            told += &format!(" {word}");
        }
    }
    if let Some(cut) = entry.cut().filter(|&cut| cut != id) {
        told += &format!(" cut={}", show(names, cut));
    }
    if let Some(wildcard) = entry.wildcard() {
        told += &format!(" wildcard={}", show(names, wildcard));
    }
    if let Some(RecordId(record)) = entry.record() {
        told += &format!(" record={record}");
    }
    told
}

#[rstest]
#[case::row_1_apex("example.test", "= example.test apex")]
#[case::row_2_outside("example.com", "outside")]
#[case::row_2_above("test", "outside")]
#[case::row_2_same_octets("xexample.test", "outside")]
#[case::row_2_root(".", "outside")]
#[case::row_3_absent("nope.example.test", "< example.test apex")]
#[case::row_3_absent_deep("a.b.c.nope.example.test", "< example.test apex")]
#[case::row_4_present("www.example.test", "= www.example.test")]
#[case::row_4_below_a_leaf("x.www.example.test", "< www.example.test")]
#[case::row_5_ent("ent.example.test", "= ent.example.test empty")]
#[case::row_6_ent_of_a_delegation("er.example.test", "= er.example.test empty")]
#[case::row_6_ent_of_a_star("e.example.test", "= e.example.test empty wildcard=*.e.example.test")]
#[case::row_6_star_is_an_ent("*.e.example.test", "= *.e.example.test empty")]
#[case::row_7_wild(
    "a.b.c.wild.example.test",
    "< wild.example.test empty wildcard=*.wild.example.test"
)]
#[case::row_8_host_blocks("x.host.wild.example.test", "< host.wild.example.test")]
#[case::row_9_wild("a.wild.example.test", "< wild.example.test empty wildcard=*.wild.example.test")]
#[case::row_10_star_itself("*.wild.example.test", "= *.wild.example.test")]
#[case::row_10_below_a_star("a.*.wild.example.test", "< *.wild.example.test")]
#[case::row_11_cname("c1.example.test", "= c1.example.test cname")]
#[case::row_17_dname_itself("d.example.test", "= d.example.test dname")]
#[case::row_17_below_a_dname("a.y.d.example.test", "< d.example.test dname")]
#[case::row_18_cut("sub.example.test", "= sub.example.test cut")]
#[case::row_18_below_a_cut("a.b.sub.example.test", "< sub.example.test cut")]
#[case::row_18_glue("ns.sub.example.test", "= ns.sub.example.test cut=sub.example.test")]
#[case::row_54_case("wWw.ExAmPlE.tEsT", "= www.example.test")]
fn protocol_rows(#[case] asked: &str, #[case] expected: &str) {
    assert_eq!(told(&example(), asked), expected);
}

/// The zone of RFC 4592 section 2.2.1, and the questions that it answers there.
#[rstest]
#[case("host3.example", "< example apex wildcard=*.example")]
#[case("foo.bar.example", "< example apex wildcard=*.example")]
#[case("host1.example", "= host1.example")]
#[case("sub.*.example", "= sub.*.example")]
#[case("_telnet._tcp.host1.example", "< _tcp.host1.example empty")]
#[case("host.subdel.example", "< subdel.example cut")]
#[case("ghost.*.example", "< *.example")]
fn rfc_4592_section_2_2_1(#[case] asked: &str, #[case] expected: &str) {
    let zone = "\
* TXT \"this is a wildcard\"
* MX 10 host1
sub.* TXT \"this is not a wildcard\"
host1 A 192.0.2.1
_ssh._tcp.host1 SRV 0 0 22 host1
_ssh._tcp.host2 SRV 0 0 22 host1
subdel NS ns.example.com.
subdel NS ns.example.net.
";
    let names = index(&[("example", zone)], &[]);
    assert_eq!(told(&names, asked), expected);
}

#[test]
fn rrsets_are_found_by_type_and_in_order() {
    let zone = "www TXT b\nwww A 192.0.2.2\nwww A 192.0.2.1\nwww 60 A 192.0.2.2\n";
    let names = index(&[("example.test", zone)], &[]);
    let www = exact(&names, "www.example.test");
    let types: Vec<_> = names.rrsets(www).map(|tail| (tail.rtype, tail.count)).collect();
    assert_eq!(types, [(rtype::A, 2), (16, 1)]);
    let a = names.rrset(www, rtype::A).unwrap();
    // A repeated record counts once, the order is that of the file, the smallest TTL wins.
    assert_eq!(a.rdata().collect::<Vec<_>>(), [[192, 0, 2, 2], [192, 0, 2, 1]]);
    assert_eq!(a.ttl, 60);
    assert_eq!(names.rrset(www, rtype::AAAA), None);
    assert_eq!(names.rrset(www, 0), None);
}

#[test]
fn negative_answers_have_the_smaller_ttl() {
    for (soa, negative) in [("30 SOA a. b. 7 1 1 1 60", 30), ("90 SOA a. b. 7 1 1 1 60", 60)] {
        let mut problems = crate::problem::Problems::default();
        let text = format!("@ {soa}\n@ NS a.\n");
        let zone = crate::zone::master::load_text(&text, &name("z"), &mut problems);
        assert_eq!(zone.serial(), 7);
        let names = Names::build(vec![zone], &[], &mut problems);
        assert_eq!(problems.0, []);
        let zone = names.zone(ZoneId(0));
        assert_eq!((zone.negative_ttl, zone.serial(), zone.apex_labels), (negative, 7, 1));
        assert_eq!(names.rrset(zone.apex, rtype::SOA), Some(zone.soa()));
        assert_eq!(zone.soa().count, 1);
    }
}

#[test]
fn only_addresses_stay_below_a_delegation() {
    let zone = "\
sub NS ns.sub
sub MX 1 x
sub DS 1 8 2 00
sub A 192.0.2.1
ns.sub A 192.0.2.2
ns.sub TXT hidden
a.b.sub AAAA ::1
t.sub TXT hidden
low.sub NS ns.low.sub
ns.low.sub A 192.0.2.3
";
    let (names, problems) = index_with(&[("example.test", zone)], &[]);
    assert_eq!(problems.errors(), 0, "{problems}");
    assert_eq!(problems.warnings(), 4, "{problems}");
    let types =
        |asked: &str| names.rrsets(exact(&names, asked)).map(|tail| tail.rtype).collect::<Vec<_>>();
    assert_eq!(types("sub.example.test"), [1, 2, 43]);
    assert_eq!(types("ns.sub.example.test"), [1]);
    for (asked, expected) in [
        ("a.b.sub.example.test", "= a.b.sub.example.test cut=sub.example.test"),
        ("b.sub.example.test", "= b.sub.example.test empty cut=sub.example.test"),
        ("t.sub.example.test", "< sub.example.test cut"),
        ("low.sub.example.test", "= low.sub.example.test empty cut=sub.example.test"),
        ("ns.low.sub.example.test", "= ns.low.sub.example.test cut=sub.example.test"),
    ] {
        assert_eq!(told(&names, asked), expected);
    }
}

#[test]
fn nothing_stays_below_a_dname_and_it_may_be_at_the_apex() {
    let (names, problems) = index_with(
        &[
            ("a.test", "d DNAME e\nx.d A 192.0.2.1\ny.x.d NS n.\n"),
            ("b.test", "@ DNAME c.test.\nx A 192.0.2.1\n"),
        ],
        &[],
    );
    assert_eq!((problems.errors(), problems.warnings()), (0, 3), "{problems}");
    assert_eq!(told(&names, "y.x.d.a.test"), "< d.a.test dname");
    assert_eq!(told(&names, "x.b.test"), "< b.test apex dname");
}

#[test]
fn of_nested_zones_the_deepest_answers() {
    let (names, problems) = index_with(
        &[
            (
                "test",
                "a.b NS ns.a.b\nns.a.b A 192.0.2.1\na.b DS 1 8 2 00\nx.a.b TXT left\nc NS n.\n",
            ),
            ("a.b.test", "www A 192.0.2.2\n"),
            ("lone.e.test", "www A 192.0.2.3\n"),
            ("deep.c.test", "www A 192.0.2.4\n"),
        ],
        &[],
    );
    assert_eq!((problems.errors(), problems.warnings()), (0, 1), "{problems}");
    for (asked, expected, zone) in [
        ("a.b.test", "= a.b.test apex", 1),
        ("ns.a.b.test", "< a.b.test apex", 1),
        ("x.a.b.test", "< a.b.test apex", 1),
        ("www.a.b.test", "= www.a.b.test", 1),
        ("b.test", "= b.test empty", 0),
        ("z.b.test", "< b.test empty", 0),
        ("www.lone.e.test", "= www.lone.e.test", 2),
        ("e.test", "= e.test empty", 0),
        ("c.test", "= c.test cut", 0),
        ("x.c.test", "< c.test cut", 0),
        ("x.deep.c.test", "< deep.c.test apex", 3),
    ] {
        assert_eq!(told(&names, asked), expected);
        let (Found::Exact(id) | Found::Below { encloser: id, .. }) = find(&names, asked) else {
            panic!("{asked}")
        };
        assert_eq!(names.entry(id).zone(), ZoneId(zone), "{asked}");
    }
    // DS at a child's apex is the parent's (row 20, 21), unless that delegated a name between.
    assert_eq!(names.parent_ds(ZoneId(1)).map(|tail| (tail.rtype, tail.count)), Some((43, 1)));
    let parents: Vec<_> = names.zones().iter().map(|zone| zone.parent).collect();
    assert_eq!(parents, [None, Some(ZoneId(0)), Some(ZoneId(0)), None]);
    assert_eq!(names.parent_ds(ZoneId(2)), None);
    // In any order of the configuration.
    let names =
        index(&[("a.b.test", "www A 192.0.2.2\n"), ("test", "a.b DS 1 8 2 00\na.b NS n.\n")], &[]);
    assert_eq!(told(&names, "b.test"), "= b.test empty");
    assert!(names.parent_ds(ZoneId(0)).is_some());
}

#[test]
fn rows_27_29_dynamic_names_are_names_like_any() {
    let zone = "app TXT beside\ntxt.lower.low TXT x\n";
    let dynamic = [
        "app.example.test",
        "*.wild.example.test",
        "example.test",
        "a.b.example.test",
        "LOWER.low.example.test",
        "inner.example.test",
    ];
    let names = index(&[("example.test", zone), ("inner.example.test", "")], &dynamic);
    for (asked, expected) in [
        ("app.example.test", "= app.example.test record=0"),
        ("x.wild.example.test", "< wild.example.test empty wildcard=*.wild.example.test"),
        ("*.wild.example.test", "= *.wild.example.test record=1"),
        ("example.test", "= example.test apex record=2"),
        ("b.example.test", "= b.example.test empty"),
        ("a.b.example.test", "= a.b.example.test record=3"),
        ("lower.low.example.test", "= lower.low.example.test record=4"),
        ("inner.example.test", "= inner.example.test apex record=5"),
    ] {
        assert_eq!(told(&names, asked), expected);
    }
    assert_eq!(names.rrsets(exact(&names, "app.example.test")).count(), 1);
    assert_eq!(names.rrsets(exact(&names, "a.b.example.test")).count(), 0);
    assert_eq!(names.entry(exact(&names, "inner.example.test")).zone(), ZoneId(1));
}

#[test]
fn glue_is_found_in_any_case() {
    let zone = "sub NS ns.sub\nns.sub A 192.0.2.4\nempty.x TXT x\n";
    let names = index(&[("example.test", zone)], &["dyn.example.test"]);
    let glue = |asked: &[u8]| names.glue(asked).map(|id| show(&names, id));
    let wire = b"\x02nS\x03SUB\x07example\x04test\x00";
    assert_eq!(glue(wire), Some("ns.sub.example.test".into()));
    assert_eq!(glue(name("dyn.example.test").as_wire()), Some("dyn.example.test".into()));
    for none in ["sub.example.test", "empty.x.example.test", "ns.other", "a.ns.sub.example.test"] {
        assert_eq!(glue(name(none).as_wire()), None);
    }
    assert_eq!(glue(b"\x09short\x00"), None);
}

#[test]
fn names_of_a_zone_are_all_there() {
    let names = example();
    let mut all: Vec<_> = names.of_zone(ZoneId(0)).map(|id| show(&names, id)).collect();
    all.sort();
    let mut expected: Vec<String> = [
        "",
        "www.",
        "wild.",
        "*.wild.",
        "host.wild.",
        "ent.",
        "x.ent.",
        "sub.",
        "ns.sub.",
        "c1.",
        "c2.",
        "d.",
        "er.",
        "deep.er.",
        "e.",
        "*.e.",
        "f.*.e.",
    ]
    .map(|label| format!("{label}example.test"))
    .into();
    expected.sort();
    assert_eq!(all, expected);
    assert_eq!((names.len(), names.is_empty()), (all.len(), false));
    assert!(names.octets() > names.len() * 32);
    assert_eq!(names.of_zone(ZoneId(1)).count(), 0);
}

#[test]
fn an_id_of_another_index_does_no_harm() {
    let (big, empty) = (example(), index(&[], &[]));
    let id = exact(&big, "www.example.test");
    assert_eq!((empty.owner(id), empty.rrsets(id).count()), (&[][..], 0));
    assert_eq!(empty.zone(ZoneId(0)).soa().count, 0);
    assert_eq!(find(&empty, "www.example.test"), Found::Outside);
    assert!(empty.is_empty());
}

#[test]
fn names_of_every_length_are_found() {
    let longest = format!("{0}.{0}.{0}.{1}", "x".repeat(63), "y".repeat(56)); // 255 with the apex
    let most = "a.".repeat(123);
    let zone = format!("{longest} A 192.0.2.1\n{most}b A 192.0.2.2\n\\000\\.\\255 A 192.0.2.3\n");
    let names = index(&[("test", &zone)], &[]);
    assert_eq!(names.rrsets(exact(&names, &format!("{longest}.test"))).count(), 1);
    assert_eq!(names.rrsets(exact(&names, &format!("{most}b.test"))).count(), 1);
    assert_eq!(
        told(&names, &format!("c.{}b.test", "a.".repeat(100))),
        format!("< {}b.test empty", "a.".repeat(100))
    );
    let mut key = crate::wire::Key::ROOT;
    key.read(b"\x03\x00.\xff\x04test\x00");
    assert!(matches!(names.find(&key), Found::Exact(_)));
}
