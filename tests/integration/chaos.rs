//! What the server says of itself: class CH, NSID, and the time-out of connections.

use rstest::rstest;

use crate::harness::{Question, Server, Site, Via, exchange, option};

const NSID: u16 = 3;
const KEEPALIVE: u16 = 11;
const TXT: u16 = 16;

/// A server that tells who it is, or one that does not.
fn server(tells: bool) -> Server {
    let keys = if tells { "nsid = \"ns1.example.test\"\nversion_bind = \"a text\"" } else { "" };
    Site::of_server(keys, "[server.tcp]\nidle_timeout = \"2500ms\"\n").serve()
}

/// A question of any class, in every way.
fn asked(server: &Server, name: &str, rtype: u16, class: u16) -> Vec<Vec<u8>> {
    let mut request = Question::new(name, rtype.into()).edns(1232).wire(9);
    let class_at = 12 + name.len() + 2 + 2;
    request[class_at..class_at + 2].copy_from_slice(&class.to_be_bytes());
    let ways =
        [Via::Udp, Via::Tcp].into_iter().flat_map(|via| [(via, server.v4), (via, server.v6)]);
    ways.map(|(via, to)| crate::harness::exchange_octets(via, to, &request)).collect()
}

#[rstest]
#[case::rfc4892_version_bind("version.bind", "a text")]
#[case::version_server("version.server", "a text")]
#[case::rfc4892_id_server("id.server", "ns1.example.test")]
#[case::rfc4892_hostname_bind("hostname.bind", "ns1.example.test")]
#[case::rfc4343_in_any_case("VERSION.Bind", "a text")]
fn rfc4892_what_is_configured_is_told(#[case] name: &str, #[case] text: &str) {
    let server = server(true);
    for octets in asked(&server, name, TXT, 3) {
        // AA, NOERROR, and one TXT of class CH that is not to be kept.
        assert_eq!((octets[2] & 0x04, octets[3] & 0x0f), (4, 0));
        assert_eq!(octets[6..12], [0, 1, 0, 0, 0, 1]);
        let len = u8::try_from(text.len()).unwrap();
        let head = [0xc0, 12, 0, 16, 0, 3, 0, 0, 0, 0, 0, len + 1, len];
        let record = [&head[..], text.as_bytes()].concat();
        assert_eq!(octets[12 + name.len() + 2 + 4..][..record.len()], record);
    }
    // RFC 8482 section 4.1: ANY is answered with the one RRset that there is.
    for octets in asked(&server, name, 255, 3) {
        assert_eq!((octets[3] & 0x0f, &octets[6..12]), (0, &[0, 1, 0, 0, 0, 1][..]));
    }
    // A type that there is not: no data, and no SOA to go with it.
    for octets in asked(&server, name, 1, 3) {
        assert_eq!((octets[3] & 0x0f, &octets[6..12]), (0, &[0, 0, 0, 0, 0, 1][..]));
    }
}

/// EDE 18, Prohibited, and 20, Not Authoritative (RFC 8914 sections 4.19 and 4.21).
#[rstest]
#[case::not_configured(false, "version.bind", 3, 18)]
#[case::id_not_configured(false, "id.server", 3, 18)]
#[case::another_name(true, "authors.bind", 3, 20)]
#[case::our_zone_in_ch(true, "site.test", 3, 20)]
#[case::hesiod(true, "site.test", 4, 20)]
#[case::rfc2136_none(true, "site.test", 254, 20)]
#[case::any_class(true, "site.test", 255, 20)]
#[case::class_0(true, "site.test", 0, 20)]
#[case::version_bind_in_in(true, "version.bind", 1, 20)]
fn rfc4892_another_class_never_gets_data(
    #[case] tells: bool,
    #[case] name: &str,
    #[case] class: u16,
    #[case] error: u8,
) {
    let server = server(tells);
    for octets in asked(&server, name, TXT, class) {
        assert_eq!((octets[2] & 0x04, octets[3] & 0x0f), (0, 5), "REFUSED without AA");
        assert_eq!(octets[6..12], [0, 0, 0, 0, 0, 1]);
        assert!(octets.ends_with(&[0, 15, 0, 2, 0, error]), "{octets:?}");
    }
}

#[test]
fn rfc5001_nsid_is_told_to_whom_asks() {
    let [teller, other] = [true, false].map(server);
    for (via, to) in [(Via::Udp, teller.v4), (Via::Tcp, teller.v6)] {
        let asks = Question::a("ns1.site.test").options(option(NSID, b""));
        let opt = exchange(via, to, &asks.wire(1)).opt().unwrap();
        assert_eq!(opt.options, [(NSID, b"ns1.example.test".to_vec())], "{via:?}");
        let silent = Question::a("ns1.site.test").edns(1232);
        assert_eq!(exchange(via, to, &silent.wire(1)).opt().unwrap().options, []);
        // Errors are told by somebody, too.
        let refused = Question::a("elsewhere.example").options(option(NSID, b""));
        let opt = exchange(via, to, &refused.wire(1)).opt().unwrap();
        assert_eq!(opt.option(NSID), Some(&b"ns1.example.test"[..]), "{via:?}");
    }
    let asks = Question::a("ns1.site.test").options(option(NSID, b""));
    assert_eq!(other.client().ask(&asks).opt().unwrap().options, [], "not configured");
}

#[test]
fn rfc7828_3_the_time_out_is_told_over_tcp_only() {
    let server = server(false);
    let asks = Question::a("ns1.site.test").options(option(KEEPALIVE, b""));
    let told = |via, to| exchange(via, to, &asks.wire(1)).opt().unwrap().options;
    assert_eq!(told(Via::Tcp, server.v4), [(KEEPALIVE, vec![0, 25])], "in units of 100 ms");
    assert_eq!(told(Via::Udp, server.v4), []);
    let silent = Question::a("ns1.site.test").edns(1232);
    assert_eq!(exchange(Via::Tcp, server.v4, &silent.wire(1)).opt().unwrap().options, []);
}
