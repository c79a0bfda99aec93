//! Zones within zones, all of them here: the deepest answers, but for DS (RFC 4035 section 3.1.4.1);
//! delegations with more glue than fits; zones whose names are unusual.

use std::fmt::Write as _;

use hickory_proto::rr::RecordType::{self, A, AAAA, ANY, DS, MX, NS, SOA, TXT};
use rstest::rstest;

use crate::example::everywhere;
use crate::harness::{Question, Server, Site};

const PARENT: &str = "$TTL 300
@ 3600 SOA ns h 1 2 3 4 60
@ NS ns
ns A 192.0.2.53
sub NS ns.sub
sub DS 1 13 2 00ff
ns.sub A 192.0.2.54
hidden.sub TXT \"the parent's\"
bare NS ns.bare
ns.bare A 192.0.2.55
away NS ns.away
ns.away A 192.0.2.56
down CNAME www.sub
cross NS www.sub
cut NS ns.inner.cut
ns.inner.cut A 192.0.2.59
*.wild.sub A 192.0.2.57
";
const CHILD: &str = "$TTL 300
@ 3600 SOA ns h 1 2 3 4 60
@ NS ns
ns A 192.0.2.54
www A 192.0.2.80
up CNAME ns.example.test.
out CNAME app.bare.example.test.
self CNAME @
alias CNAME app
third CNAME bare.example.test.
deep NS ns.deep
ns.deep A 192.0.2.58
";
const RECORDS: &str = r#"
[zones."example.test"]
file = "parent"
[zones."sub.example.test"]
file = "child"
[zones."bare.example.test"]
nameservers = { "ns.bare.example.test" = ["192.0.2.55"] }
[zones."below.away.example.test"]
nameservers = { "ns.elsewhere.test" = [] }
[zones."x.undelegated.example.test"]
nameservers = { "ns.elsewhere.test" = [] }
[zones."inner.cut.example.test"]
nameservers = { "ns.inner.cut.example.test" = ["192.0.2.60"] }
[regions.solo]
addresses = ["192.0.2.100"]
[[records]]
name = "app.sub.example.test"
policy = "solo"
ttl = 30
[[records]]
name = "*.y.sub.example.test"
policy = "solo"
ttl = 30
[[records]]
name = "bare.example.test"
policy = "solo"
ttl = 90
"#;

fn server() -> Server {
    let site = Site::new(RECORDS);
    site.write("parent", PARENT);
    site.write("child", CHILD);
    site.serve()
}

/// Asks in every way; the lines of the reply without the zones' common part, SOA data left out.
#[track_caller]
fn assert_answered(server: &Server, name: &str, rtype: RecordType, wanted: &str) {
    for (way, reply) in everywhere(server, &Question::new(name, rtype)) {
        let text = reply.text().replace(".example.test.", "").replace("example.test.", "@");
        let lines = text.lines().map(|line| line.split(" SOA ").next().unwrap_or_default());
        assert_eq!(lines.collect::<Vec<_>>().join(" | "), wanted, "{way}");
    }
}

#[rstest]
#[case::rfc1034_4_3_2_the_child_answers("www.sub", A, "NoError aa | an www.sub 300 A 192.0.2.80")]
#[case::its_own_name("sub", NS, "NoError aa | an sub 300 NS ns.sub")]
#[case::its_soa("sub", SOA, "NoError aa | an sub 3600")]
#[case::rfc2308_2_1_the_child_denies("nosuch.sub", A, "NXDomain aa | ns sub 60")]
#[case::what_the_parent_has_there("hidden.sub", TXT, "NXDomain aa | ns sub 60")]
#[case::a_wildcard_of_the_parent_there("x.wild.sub", A, "NXDomain aa | ns sub 60")]
#[case::rfc1034_4_2_1_a_delegation_of_the_child(
    "x.deep.sub",
    A,
    "NoError | ns deep.sub 300 NS ns.deep.sub | ar ns.deep.sub 300 A 192.0.2.58"
)]
// The codec does not know DS and shows its data in base 64.
#[case::rfc4035_3_1_4_1_ds_from_the_parent("sub", DS, "NoError aa | an sub 300 DS AAENAgD/")]
#[case::rfc4035_3_1_4_1_no_ds_from_the_parent("bare", DS, "NoError aa | ns @ 60")]
#[case::rfc4035_3_1_4_1_ds_at_a_cut("away", DS, "NoError aa | ns @ 60")]
#[case::rfc4035_3_1_4_1_the_parent_is_elsewhere("below.away", DS, "NoError aa | ns below.away 60")]
#[case::rfc8020_2_the_parent_does_not_delegate("x.undelegated", DS, "NoError aa | ns @ 60")]
#[case::rfc4035_3_1_4_1_no_parent_at_all("", DS, "NoError aa | ns @ 60")]
#[case::rfc8020_2_above_a_zone_nobody_delegates("undelegated", A, "NoError aa | ns @ 60")]
#[case::rfc9471_3_glue_that_a_zone_further_down_has(
    "x.cut",
    A,
    "NoError | ns cut 300 NS ns.inner.cut | ar ns.inner.cut 3600 A 192.0.2.60"
)]
#[case::rfc9471_2_2_no_glue_that_another_zone_has(
    "x.cross",
    A,
    "NoError | ns cross 300 NS www.sub"
)]
#[case::rfc1034_4_3_2_an_alias_into_the_child("down", A, "NoError aa | an down 300 CNAME www.sub")]
#[case::rfc1034_4_3_2_an_alias_into_the_parent("up.sub", A, "NoError aa | an up.sub 300 CNAME ns")]
#[case::rfc1034_4_3_2_an_alias_to_a_dynamic_record_of_another_zone(
    "out.sub",
    A,
    "NoError aa | an out.sub 300 CNAME app.bare"
)]
#[case::rfc4035_3_1_4_1_ds_behind_an_alias(
    "self.sub",
    DS,
    "NoError aa | an self.sub 300 CNAME sub | ns sub 60"
)]
#[case::rfc4035_3_1_4_1_ds_behind_an_alias_of_a_third_zone(
    "third.sub",
    DS,
    "NoError aa | an third.sub 300 CNAME bare"
)]
#[case::a_dynamic_record_of_the_child("app.sub", A, "NoError aa | an app.sub 30 A 192.0.2.100")]
#[case::rfc2308_2_2_a_family_that_it_lacks("app.sub", AAAA, "NoError aa | ns sub 30")]
#[case::rfc2308_2_2_a_type_that_it_lacks("app.sub", MX, "NoError aa | ns sub 60")]
#[case::rfc4592_2_2_2_a_name_that_it_makes("y.sub", A, "NoError aa | ns sub 60")]
#[case::rfc4592_3_3_1_a_dynamic_wildcard(
    "b.a.y.sub",
    A,
    "NoError aa | an b.a.y.sub 30 A 192.0.2.100"
)]
#[case::rfc4592_2_1_1_its_own_name("*.y.sub", A, "NoError aa | an *.y.sub 30 A 192.0.2.100")]
#[case::rfc4592_2_1_3_below_its_own_name("a.*.y.sub", A, "NXDomain aa | ns sub 60")]
#[case::rfc4592_2_2_1_a_type_that_it_lacks("a.y.sub", TXT, "NoError aa | ns sub 60")]
#[case::rfc1034_4_3_2_an_alias_to_a_dynamic_record(
    "alias.sub",
    A,
    "NoError aa | an alias.sub 300 CNAME app.sub | an app.sub 30 A 192.0.2.100"
)]
#[case::a_dynamic_record_at_a_zones_own_name("bare", A, "NoError aa | an bare 90 A 192.0.2.100")]
#[case::rfc8482_4_2_any("app.sub", ANY, "NoError aa | an app.sub 3600 HINFO RFC8482 ")]
#[case::rfc8482_4_2_any_of_an_empty_non_terminal("y.sub", ANY, "NoError aa | ns sub 60")]
#[case::rfc8482_4_2_any_of_no_name("nosuch", ANY, "NXDomain aa | ns @ 60")]
#[case::rfc8482_4_2_any_of_an_alias(
    "alias.sub",
    ANY,
    "NoError aa | an alias.sub 3600 HINFO RFC8482 "
)]
fn a_question_and_its_answer(#[case] name: &str, #[case] rtype: RecordType, #[case] wanted: &str) {
    let dot = if name.is_empty() { "" } else { "." };
    assert_answered(&server(), &format!("{name}{dot}example.test."), rtype, wanted);
}

/// A delegation to so many nameservers in it, each with both addresses.
fn delegation(nameservers: usize) -> Server {
    let mut zone = format!("{PARENT}\n");
    for number in 0..nameservers {
        let _ = writeln!(zone, "big NS n{number}.big\nn{number}.big A 192.0.2.9");
        let _ = writeln!(zone, "n{number}.big AAAA 2001:db8::9\nbig NS n{number}.elsewhere.test.");
    }
    let site = Site::new("[zones.\"example.test\"]\nfile = \"parent\"\n");
    site.write("parent", &zone);
    site.serve()
}

#[rstest]
#[case::it_fits(3, None)]
#[case::not_without_edns(6, Some(512))]
#[case::not_over_udp(14, Some(1232))]
fn rfc9471_3_in_domain_glue_is_not_left_out(
    #[case] nameservers: usize,
    #[case] too_small: Option<usize>,
) {
    let server = delegation(nameservers);
    for (way, reply) in everywhere(&server, &Question::a("x.big.example.test.")) {
        let room = match (way.starts_with("Tcp"), way.contains("EDNS None")) {
            (true, _) => usize::MAX,
            (_, true) => 512,
            (_, false) => 1232,
        };
        assert!(!reply.message.metadata.authoritative, "{way}");
        let is_cut = too_small.is_some_and(|size| room <= size);
        assert_eq!(reply.message.metadata.truncation, is_cut, "{way}: {}", reply.octets.len());
        let count = if is_cut { 0 } else { nameservers * 2 };
        assert_eq!(reply.message.authorities.len(), count, "{way}");
        assert_eq!(reply.message.additionals.len(), count, "{way}");
    }
}

#[test]
fn a_zone_at_the_root_holds_every_name() {
    let site = Site::new(
        r#"
[zones."."]
file = "root"
[regions.solo]
addresses = ["192.0.2.100"]
[[records]]
name = "*.dynamic"
policy = "solo"
ttl = 30
"#,
    );
    let zone = "$TTL 300\n. SOA ns h 1 2 3 4 60\n. NS ns\nns A 192.0.2.53\norg NS ns.org\nns.org A 192.0.2.1\n";
    site.write("root", zone);
    let server = site.serve();
    for (name, rtype, wanted) in [
        (".", NS, "NoError aa | an . 300 NS ns."),
        (".", A, "NoError aa | ns . 60"),
        (".", DS, "NoError aa | ns . 60"),
        ("ns.", A, "NoError aa | an ns. 300 A 192.0.2.53"),
        ("nosuch.", A, "NXDomain aa | ns . 60"),
        ("a.org.", A, "NoError | ns org. 300 NS ns.org. | ar ns.org. 300 A 192.0.2.1"),
        ("org.", DS, "NoError aa | ns . 60"),
        ("a.dynamic.", A, "NoError aa | an a.dynamic. 30 A 192.0.2.100"),
        ("dynamic.", A, "NoError aa | ns . 60"),
    ] {
        assert_answered(&server, name, rtype, wanted);
    }
}

#[test]
fn rfc4592_4_1_a_zone_whose_name_begins_with_an_asterisk() {
    let site = Site::new("[zones.'*.Wild.test']\nfile = \"wild\"\n");
    site.write(
        "wild",
        "$TTL 300\n@ SOA ns h 1 2 3 4 60\n@ NS ns\nns A 192.0.2.53\n* A 192.0.2.1\n",
    );
    let server = site.serve();
    for (name, rtype, wanted) in [
        ("*.wild.test.", NS, "NoError aa | an *.wild.test. 300 NS ns.*.wild.test."),
        ("a.*.wild.test.", A, "NoError aa | an a.*.wild.test. 300 A 192.0.2.1"),
        ("*.*.wild.test.", A, "NoError aa | an *.*.wild.test. 300 A 192.0.2.1"),
        ("a.wild.test.", A, "Refused"),
        ("wild.test.", A, "Refused"),
    ] {
        assert_answered(&server, name, rtype, wanted);
    }
}

#[test]
fn rfc1035_2_3_4_names_of_127_labels_and_of_255_octets() {
    // With the root's octet, two for each label.
    let most = format!("{}b.test", "a.".repeat(124));
    let most = most.replacen("test", "t", 1);
    let long = ["x".repeat(63), "y".repeat(63), "z".repeat(63), "w".repeat(59)].join(".") + ".t";
    let site = Site::new(&format!(
        "[zones.\"t\"]\nfile = \"zone\"\n[regions.solo]\naddresses = [\"192.0.2.100\"]\n\
         [[records]]\nname = \"a.{most}\"\npolicy = \"solo\"\nttl = 30\n"
    ));
    site.write(
        "zone",
        &format!(
            "$TTL 300\n@ SOA ns h 1 2 3 4 60\n@ NS ns.u.\nto CNAME {long}.\n{long}. A 192.0.2.1\n"
        ),
    );
    let server = site.serve();
    assert_eq!(most.matches('.').count() + 2, 127, "labels of the dynamic name");
    for (name, rtype, wanted) in [
        (format!("a.{most}."), A, format!("NoError aa | an a.{most}. 30 A 192.0.2.100")),
        (format!("b.{most}."), A, "NXDomain aa | ns t. 60".to_owned()),
        (format!("{most}."), A, "NoError aa | ns t. 60".to_owned()),
        (format!("{long}."), A, format!("NoError aa | an {long}. 300 A 192.0.2.1")),
        (
            "to.t.".to_owned(),
            A,
            format!("NoError aa | an to.t. 300 CNAME {long}. | an {long}. 300 A 192.0.2.1"),
        ),
    ] {
        assert_answered(&server, &name, rtype, &wanted);
    }
}
