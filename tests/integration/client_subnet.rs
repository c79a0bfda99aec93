//! Whom an answer is for: the client subnet of a query or its source address, and the scope that goes
//! back, over UDP and TCP, IPv4 and IPv6.
//!
//! The client and the reader of replies are hickory's; what it would not send is written by hand.

use std::net::IpAddr;

use hickory_proto::rr::RecordType::{self, A, AAAA, AXFR, TXT};
use hickory_proto::rr::rdata::opt::ClientSubnet;
use rstest::rstest;

use crate::harness::{
    Question, Server, Site, Via, everywhere, exchange, exchange_octets, sent, subnet,
    subnet_option, subnets,
};

/// Germany is 81.2.0.0/16 but for a French part of it, 2a02:100::/32, and whoever asks from this
/// machine over IPv4; over IPv6 nothing is known of it. Region `de` has no IPv6.
const WORLD: &str = r#"
[[geo.networks]]
prefix = "81.2.0.0/16"
country = "DE"
[[geo.networks]]
prefix = "81.2.64.0/18"
country = "FR"
[[geo.networks]]
prefix = "2a02:100::/32"
country = "DE"
[[geo.networks]]
prefix = "127.0.0.0/8"
country = "DE"

[regions.de]
addresses = ["192.0.2.1"]
[regions.else]
addresses = ["192.0.2.2", "2001:db8::2"]

[policies.main]
type = "geolocation"
rules = [{ country = "DE", to = "de" }]
default = "else"
[policies.germans]
type = "geolocation"
rules = [{ country = "DE", to = "de" }]
default = "nodata"

[zones."world.test"]
file = "world.test.zone"
[[records]]
name = "app.world.test"
policy = "main"
[[records]]
name = "germans.world.test"
policy = "germans"
[[records]]
name = "plain.world.test"
policy = "else"
"#;

const ZONE: &str = "\
$TTL 300
@ SOA ns1 hostmaster 1 7200 900 1209600 60
@ NS ns1
ns1 A 192.0.2.53
www A 192.0.2.80
sub NS ns.sub
ns.sub A 192.0.2.54
to-app CNAME app
to-to-app CNAME to-app
to-plain CNAME plain
d DNAME e
x.e CNAME app
";

/// A server of that, with more in its `[geo]`.
fn world(geo: &str) -> Server {
    let site = Site::new(&format!("[geo]\n{geo}\n{WORLD}"));
    site.write("world.test.zone", ZONE);
    site.serve()
}

/// What is answered to whoever asks without a subnet in this way.
fn by_source(way: &str) -> IpAddr {
    IpAddr::from(if way.contains("127.0.0.1") { [192, 0, 2, 1] } else { [192, 0, 2, 2] })
}

/// The name and type; the subnet; the addresses, or `-` for none; the scope.
#[rstest]
#[case::rfc7871_7_2_1_the_network("app", A, "81.2.3.0/24", "192.0.2.1", 18)]
#[case::rfc7871_7_2_1_a_network_beside_it("app", A, "81.3.1.0/24", "192.0.2.2", 16)]
#[case::rfc7871_7_2_1_a_part_of_it("app", A, "81.2.65.0/24", "192.0.2.2", 18)]
#[case::rfc7871_7_2_1_a_single_address("app", A, "81.2.3.4/32", "192.0.2.1", 18)]
#[case::rfc7871_7_2_1_less_than_is_needed("app", A, "81.0.0.0/8", "192.0.2.2", 15)]
#[case::rfc7871_7_2_1_an_odd_length("app", A, "81.2.0.0/17", "192.0.2.1", 18)]
#[case::rfc7871_7_2_1_ipv6("app", A, "2a02:100:7::/48", "192.0.2.1", 32)]
#[case::rfc7871_7_2_1_ipv6_beside_it("app", AAAA, "2a02:101::/56", "2001:db8::2", 32)]
#[case::rfc7871_7_2_1_nodata_of_a_class("app", AAAA, "81.2.3.0/24", "-", 18)]
#[case::rfc7871_7_2_1_nodata_by_default("germans", A, "81.3.1.0/24", "-", 16)]
#[case::rfc7871_7_2_1_nodata_for_all("germans", AAAA, "81.2.3.0/24", "-", 0)]
#[case::rfc7871_7_2_1_a_policy_that_does_not_look("plain", A, "81.2.3.0/24", "192.0.2.2", 0)]
#[case::rfc7871_7_2_1_a_static_record("www", A, "81.2.3.0/24", "192.0.2.80", 0)]
#[case::rfc7871_7_4_static_nodata("www", TXT, "81.2.3.0/24", "-", 0)]
#[case::rfc7871_7_4_nodata_of_another_type("app", TXT, "81.2.3.0/24", "-", 0)]
#[case::rfc7871_7_4_nxdomain("nosuch", A, "81.2.3.0/24", "-", 0)]
#[case::rfc7871_7_4_a_referral("a.sub", A, "81.2.3.0/24", "-", 0)]
#[case::rfc7871_7_2_1_refused("app", AXFR, "81.2.3.0/24", "-", 0)]
fn a_subnet_and_its_scope(
    #[case] name: &str,
    #[case] rtype: RecordType,
    #[case] prefix: &str,
    #[case] wanted: &str,
    #[case] scope: u8,
) {
    let server = world("");
    let question = Question::new(&format!("{name}.world.test"), rtype).options(sent(prefix));
    for (way, reply) in everywhere(&server, &question) {
        let wanted: Vec<IpAddr> = wanted.parse().into_iter().collect();
        assert_eq!(reply.addresses(), wanted, "{way}");
        assert_eq!(subnets(&reply), [subnet(prefix, scope)], "{way}");
        let echo = [&question.options[..7], &[scope], &question.options[8..]].concat();
        let is_there = reply.octets.windows(echo.len()).any(|part| part == echo);
        assert!(is_there, "octet by octet: {way}");
    }
}

/// The source address is German over IPv4, and unknown over IPv6.
#[rstest]
#[case::no_subnet(vec![], None)]
#[case::rfc7871_7_1_2_length_0(sent("0.0.0.0/0"), Some(0))]
#[case::rfc7871_7_1_2_length_0_of_ipv6(sent("::/0"), Some(0))]
#[case::rfc7871_10_a_private_network(sent("10.20.30.0/24"), Some(8))]
#[case::rfc7871_10_unique_local_addresses(sent("fd00:1:2::/48"), Some(7))]
fn the_source_address_decides(#[case] options: Vec<u8>, #[case] scope: Option<u8>) {
    let server = world("");
    let before = server.metrics();
    for (way, reply) in everywhere(&server, &Question::a("app.world.test").options(options.clone()))
    {
        assert_eq!(reply.addresses(), [by_source(&way)], "{way}");
        let found: Vec<u8> = subnets(&reply).iter().map(ClientSubnet::scope_prefix).collect();
        assert_eq!(found, Vec::from_iter(scope), "{way}");
    }
    let name = "trimtab_dns_client_subnet_total";
    let counted = scope.map(|_| (format!("{name}{{used=\"no\"}}"), 4.0));
    assert_eq!(server.metrics().growth(&before, name), Vec::from_iter(counted));
}

/// Some clients leave out the family to say that their address is not to be used.
#[test]
fn neither_family_nor_address_is_length_0() {
    let server = world("");
    for (via, to) in [(Via::Udp, server.v4), (Via::Tcp, server.v6)] {
        let request = Question::a("app.world.test").options(subnet_option(&[0; 4])).wire(7);
        // hickory does not read such an option.
        let octets = exchange_octets(via, to, &request);
        assert_eq!((octets[3] & 0x0f, octets[7]), (0, 1), "one answer");
        assert!(octets.ends_with(&subnet_option(&[0; 4])), "{octets:?}");
    }
}

/// Family, length, scope, address.
#[rstest]
#[case::rfc7871_6_family_3(subnet_option(&[0, 3, 0, 0]))]
#[case::rfc7871_6_family_0_with_a_length(subnet_option(&[0, 0, 8, 0, 10]))]
#[case::rfc7871_6_family_0_with_an_address(subnet_option(&[0, 0, 0, 0, 0]))]
#[case::rfc7871_6_ipv4_over_32(subnet_option(&[0, 1, 33, 0, 81, 2, 3, 4, 0]))]
#[case::rfc7871_6_ipv6_over_128(subnet_option(&[&[0, 2, 129, 0][..], &[0; 17]].concat()))]
#[case::rfc7871_6_a_scope(subnet_option(&[0, 1, 24, 24, 81, 2, 3]))]
#[case::rfc7871_6_too_few_octets(subnet_option(&[0, 1, 24, 0, 81, 2]))]
#[case::rfc7871_6_too_many_octets(subnet_option(&[0, 1, 24, 0, 81, 2, 3, 4]))]
#[case::rfc7871_6_a_bit_behind_the_prefix(subnet_option(&[0, 1, 23, 0, 81, 2, 3]))]
#[case::rfc7871_6_a_bit_behind_in_ipv6(subnet_option(&[0, 2, 31, 0, 0x2a, 2, 1, 1]))]
#[case::rfc7871_6_no_data(subnet_option(&[]))]
#[case::rfc7871_6_half_of_the_head(subnet_option(&[0, 1, 0]))]
#[case::two_subnets([sent("81.2.3.0/24"), sent("81.2.3.0/24")].concat())]
fn what_is_malformed_is_told(#[case] options: Vec<u8>) {
    let server = world("");
    for name in ["app.world.test", "www.world.test"] {
        for (way, reply) in everywhere(&server, &Question::a(name).options(options.clone())) {
            assert_eq!(reply.text(), "FormErr", "{way}");
            assert_eq!(subnets(&reply), [], "{way}");
        }
    }
}

/// RFC 7871 section 7.2.1, and RFC 6891 section 6.1.2: what is not supported is ignored.
#[rstest]
#[case::valid(sent("81.3.1.0/24"))]
#[case::malformed(subnet_option(&[0, 1, 33]))]
fn no_subnet_goes_back_while_they_are_off(#[case] options: Vec<u8>) {
    let server = world("client_subnet = false");
    let question = Question::a("to-app.world.test").options(options);
    for (way, reply) in everywhere(&server, &question) {
        assert_eq!(reply.addresses(), [by_source(&way)], "{way}");
        assert_eq!(subnets(&reply), [], "{way}");
    }
}

/// The name; the subnet, if any; the answer section.
#[rstest]
#[case::one("to-app", Some("81.2.3.0/24"), "to-app CNAME app")]
#[case::two("to-to-app", Some("81.3.1.0/24"), "to-to-app CNAME to-app, to-app CNAME app")]
#[case::behind_a_dname("x.d", Some("81.3.1.0/24"), "d DNAME e, x.d CNAME x.e, x.e CNAME app")]
#[case::to_what_is_for_all(
    "to-plain",
    Some("81.3.1.0/24"),
    "to-plain CNAME plain, plain A 192.0.2.2"
)]
#[case::the_source_address_decides("to-app", None, "to-app CNAME app, app A 192.0.2.1")]
#[case::length_0("to-app", Some("0.0.0.0/0"), "to-app CNAME app, app A 192.0.2.1")]
fn rfc7871_7_2_1_cnames_and_what_has_a_scope_go_apart(
    #[case] name: &str,
    #[case] prefix: Option<&str>,
    #[case] wanted: &str,
) {
    let server = world("");
    let question =
        Question::a(&format!("{name}.world.test")).options(prefix.map(sent).unwrap_or_default());
    for via in [Via::Udp, Via::Tcp] {
        let reply = exchange(via, server.v4, &question.wire(7));
        let metadata = &reply.message.metadata;
        assert!(metadata.authoritative && !metadata.truncation);
        // The codec knows no DNAME; its data is not looked at.
        let records = reply.message.answers.iter().map(|record| {
            let rtype = record.record_type();
            let data = if u16::from(rtype) == 39 { "e".into() } else { record.data.to_string() };
            let rtype = if u16::from(rtype) == 39 { "DNAME".into() } else { rtype.to_string() };
            format!("{} {rtype} {data}", record.name).replace(".world.test.", "")
        });
        assert_eq!(records.collect::<Vec<_>>().join(", "), wanted);
        assert!(reply.message.authorities.is_empty(), "the chain goes on elsewhere: no NODATA");
        assert_eq!(subnets(&reply), Vec::from_iter(prefix.map(|prefix| subnet(prefix, 0))));
    }
}

#[test]
fn queries_with_a_subnet_are_counted() {
    let server = world("");
    let before = server.metrics();
    for (name, prefix) in [
        ("app", "81.2.3.0/24"),
        ("app", "81.3.1.0/24"),
        ("app", "2a02:101::/56"),
        ("app", "0.0.0.0/0"),
        ("www", "81.2.3.0/24"),
    ] {
        let question = Question::a(&format!("{name}.world.test")).options(sent(prefix));
        exchange(Via::Udp, server.v4, &question.wire(7));
        exchange(Via::Tcp, server.v4, &question.wire(7));
    }
    exchange(Via::Udp, server.v4, &Question::a("app.world.test").edns(1232).wire(7));
    let growth = server.metrics().growth(&before, "trimtab_dns_client_subnet_total");
    let series = |used| format!("trimtab_dns_client_subnet_total{{used=\"{used}\"}}");
    assert_eq!(growth, [(series("no"), 4.0), (series("yes"), 6.0)]);
}
