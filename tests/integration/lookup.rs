//! What is answered to which question, over UDP and TCP, IPv4 and IPv6, with EDNS and without.
//!
//! A row is a name and a type, and the reply as text: the header's rcode and flags, then a line
//! for each record: `an`, `ns` or `ar`, owner, TTL, type, data.

use hickory_proto::rr::RecordType::{self, A, AAAA, CNAME, DS, NS, SOA, TXT};
use rstest::rstest;

use crate::example::{everywhere, example};
use crate::harness::Question;

/// The SOA of example.test in a negative answer: TTL min(SOA TTL, MINIMUM) (RFC 2308 section 5).
const NEGATIVE: &str = "ns example.test. 60 SOA ns1.example.test. hostmaster.example.test. \
                        2025010101 7200 900 1209600 60";
const NODATA: &str = "NoError aa\nNEGATIVE";
const NXDOMAIN: &str = "NXDomain aa\nNEGATIVE";
const REFERRAL: &str = "NoError
    ns sub.example.test. 300 NS ns.sub.example.test.
    ar ns.sub.example.test. 300 A 192.0.2.54
    ar ns.sub.example.test. 300 AAAA 2001:db8::54";

#[rstest]
#[case::rfc1035_apex_soa("", SOA,
    "NoError aa
    an example.test. 3600 SOA ns1.example.test. hostmaster.example.test. 2025010101 7200 900 1209600 60")]
#[case::rfc1035_apex_ns(
    "",
    NS,
    "NoError aa
    an example.test. 300 NS ns1.example.test."
)]
#[case::rfc2308_2_1_a_name_that_does_not_exist("nosuch", A, NXDOMAIN)]
#[case::rfc2308_2_1_below_a_name_that_exists("nosuch.www", A, NXDOMAIN)]
#[case::rfc2308_2_2_a_type_that_the_name_lacks("www", TXT, NODATA)]
#[case::rfc8020_2_an_empty_non_terminal("ent", A, NODATA)]
#[case::rfc4592_2_2_2_beside_the_name_that_makes_it("y.ent", A, NXDOMAIN)]
#[case::rfc4592_2_2_2_made_by_a_delegation("del", A, NODATA)]
#[case::rfc4592_2_2_2_made_by_a_wildcard_label("e", A, NODATA)]
#[case::rfc4592_2_2_2_the_wildcard_itself("*.e", A, NODATA)]
#[case::rfc4592_4_a_wildcard_without_data("z.e", A, NODATA)]
#[case::rfc4592_3_3_1_synthesis(
    "a.b.c.wild",
    A,
    "NoError aa
    an a.b.c.wild.example.test. 300 A 192.0.2.1"
)]
#[case::rfc4592_2_2_1_a_closer_encloser("x.host.wild", A, NXDOMAIN)]
#[case::rfc4592_2_2_1_the_encloser_itself("host.wild", A, NODATA)]
#[case::rfc4592_2_2_1_a_type_that_the_wildcard_lacks("a.wild", TXT, NODATA)]
#[case::rfc4592_2_1_1_the_wildcards_own_name(
    "*.wild",
    A,
    "NoError aa
    an *.wild.example.test. 300 A 192.0.2.1"
)]
#[case::rfc4592_2_1_3_below_a_wildcard("a.*.wild", A, NXDOMAIN)]
#[case::rfc1034_4_3_2_every_cname_in_order(
    "c1",
    A,
    "NoError aa
    an c1.example.test. 300 CNAME c2.example.test.
    an c2.example.test. 300 CNAME www.example.test.
    an www.example.test. 300 A 192.0.2.80"
)]
#[case::rfc1034_4_3_2_ipv6_likewise(
    "c2",
    AAAA,
    "NoError aa
    an c2.example.test. 300 CNAME www.example.test.
    an www.example.test. 300 AAAA 2001:db8::80"
)]
#[case::rfc6604_3_the_last_name_decides_the_rcode(
    "gone",
    A,
    "NXDomain aa
    an gone.example.test. 300 CNAME nothing.here.example.test.
    NEGATIVE"
)]
#[case::rfc2308_2_2_nodata_behind_a_cname(
    "half",
    A,
    "NoError aa
    an half.example.test. 300 CNAME ent.example.test.
    NEGATIVE"
)]
#[case::rfc1034_4_3_2_out_of_the_zone(
    "out",
    A,
    "NoError aa
    an out.example.test. 300 CNAME www.example.net."
)]
#[case::rfc1034_4_3_2_into_another_zone_served_here(
    "across",
    A,
    "NoError aa
    an across.example.test. 300 CNAME www.second.test."
)]
#[case::rfc1034_4_3_2_to_below_a_cut(
    "under",
    A,
    "NoError aa
    an under.example.test. 300 CNAME a.sub.example.test.
    ns sub.example.test. 300 NS ns.sub.example.test.
    ar ns.sub.example.test. 300 A 192.0.2.54
    ar ns.sub.example.test. 300 AAAA 2001:db8::54"
)]
#[case::a_loop_of_one(
    "self",
    A,
    "NoError aa
    an self.example.test. 300 CNAME self.example.test."
)]
#[case::a_loop_of_two(
    "ping",
    A,
    "NoError aa
    an ping.example.test. 300 CNAME pong.example.test.
    an pong.example.test. 300 CNAME ping.example.test."
)]
#[case::rfc1034_3_6_2_the_cname_itself(
    "c1",
    CNAME,
    "NoError aa
    an c1.example.test. 300 CNAME c2.example.test."
)]
#[case::rfc1034_4_2_1_the_cut_itself("sub", NS, REFERRAL)]
#[case::rfc1034_4_2_1_below_the_cut("a.sub", A, REFERRAL)]
#[case::rfc2181_6_1_glue_is_no_answer("ns.sub", A, REFERRAL)]
// The codec does not know DS and shows its data in base 64.
#[case::rfc4035_3_1_4_1_ds_of_a_delegation(
    "sub",
    DS,
    "NoError aa
    an sub.example.test. 300 DS AAENAgD/"
)]
#[case::rfc4035_3_1_4_1_no_ds_of_a_delegation("below.del", DS, NODATA)]
#[case::rfc4035_3_1_4_1_ds_below_a_delegation("a.sub", DS, REFERRAL)]
#[case::rfc3597_3_an_unknown_type("www", RecordType::Unknown(666), NODATA)]
#[case::rfc3597_3_the_last_type("www", RecordType::Unknown(65535), NODATA)]
#[case::rfc1034_4_3_2_a_chain_to_a_dynamic_record(
    "c3",
    A,
    "NoError aa
    an c3.example.test. 300 CNAME app.example.test.
    an app.example.test. 30 A 192.0.2.100"
)]
// For the least of the SOA's TTL, its MINIMUM and the record's own TTL (docs/health-and-routing.md).
#[case::rfc2308_2_2_a_chain_to_a_family_that_it_lacks("c3", AAAA,
    "NoError aa
    an c3.example.test. 300 CNAME app.example.test.
    ns example.test. 30 SOA ns1.example.test. hostmaster.example.test. 2025010101 7200 900 1209600 60")]
#[case::rfc2308_2_2_a_dynamic_name_and_another_type("app", TXT, NODATA)]
#[case::rfc2308_2_2_a_dynamic_name_and_an_unknown_type("app", RecordType::Unknown(666), NODATA)]
#[case::rfc4592_a_dynamic_wildcard(
    "x.y.dynamic",
    A,
    "NoError aa
    an x.y.dynamic.example.test. 30 A 192.0.2.100"
)]
fn a_question_and_its_answer(#[case] name: &str, #[case] rtype: RecordType, #[case] wanted: &str) {
    let server = example();
    let name =
        if name.is_empty() { "example.test.".into() } else { format!("{name}.example.test.") };
    let wanted: Vec<&str> = wanted
        .lines()
        .map(|line| if line.trim() == "NEGATIVE" { NEGATIVE } else { line.trim() })
        .collect();
    for (via, reply) in everywhere(&server, &Question::new(&name, rtype)) {
        assert_eq!(reply.text(), wanted.join("\n"), "{via}");
    }
}

#[rstest]
#[case::another_name("www.example.net.")]
#[case::the_parent("test.")]
#[case::the_root(".")]
#[case::a_name_that_only_ends_alike("notexample.test.")]
fn rfc8906_3_1_4_outside_all_zones(#[case] name: &str) {
    let server = example();
    for (way, reply) in everywhere(&server, &Question::a(name)) {
        assert_eq!(reply.text(), "Refused", "{way}");
        // RFC 8914 section 4.21: Not Authoritative, when the client has said that it can read it.
        let error = [0, 15, 0, 2, 0, 20];
        assert_eq!(reply.octets.ends_with(&error), reply.message.edns.is_some(), "{way}");
    }
}

#[test]
fn a_loop_of_a_hundred_is_bounded() {
    let server = example();
    for (way, reply) in everywhere(&server, &Question::a("loop7.example.test")) {
        if way.starts_with("Udp") {
            assert_eq!(reply.text(), "NoError aa tc", "{way}");
            continue;
        }
        assert!(reply.text().starts_with("NoError aa\n"), "{way}");
        let owners: Vec<_> = reply.message.answers.iter().map(|r| r.name.to_string()).collect();
        let wanted: Vec<_> =
            (0..100).map(|n| format!("loop{}.example.test.", (n + 7) % 100)).collect();
        assert_eq!(owners, wanted, "each alias once: {way}");
    }
}

#[test]
fn rfc4343_case_is_kept_and_does_not_matter() {
    let server = example();
    for (way, reply) in everywhere(&server, &Question::a("wWw.ExAmPlE.tEsT.")) {
        let wanted = "NoError aa\nan wWw.ExAmPlE.tEsT. 300 A 192.0.2.80";
        assert_eq!(reply.text(), wanted, "{way}");
    }
    for (way, reply) in everywhere(&server, &Question::a("X.wiLD.eXample.test.")) {
        let wanted = "NoError aa\nan X.wiLD.eXample.test. 300 A 192.0.2.1";
        assert_eq!(reply.text(), wanted, "{way}");
    }
}
