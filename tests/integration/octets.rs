//! Names and record data that come back octet for octet, whatever is in them, and what is left out
//! where there is no room.

use hickory_proto::rr::RecordType;
use rstest::rstest;

use crate::harness::{
    Client, Question, Reply, Server, Site, TcpClient, Via, exchange, exchange_octets, option,
};

const FILE: &str = "[zones.\"octets.test\"]\nfile = \"octets.zone\"\n";

fn server(zone: &str) -> Server {
    let site = Site::new(FILE);
    site.write(
        "octets.zone",
        &format!("$TTL 300\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.53\n{zone}"),
    );
    site.serve()
}

/// A name in wire form below octets.test.
fn name(labels: &[&[u8]]) -> Vec<u8> {
    let labels = labels.iter().copied().chain([&b"octets"[..], b"test", b""]);
    labels.flat_map(|label| [&[u8::try_from(label.len()).unwrap()][..], label].concat()).collect()
}

/// A query for a name in wire form.
fn query(name: &[u8], rtype: u16) -> Vec<u8> {
    [&[0x77, 0x77, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0][..], name, &rtype.to_be_bytes(), &[0, 1]].concat()
}

/// The replies to a query in every way.
fn everywhere(server: &Server, request: &[u8]) -> Vec<Vec<u8>> {
    let ways =
        [Via::Udp, Via::Tcp].into_iter().flat_map(|via| [(via, server.v4), (via, server.v6)]);
    ways.map(|(via, to)| exchange_octets(via, to, request)).collect()
}

#[track_caller]
fn assert_contains(octets: &[u8], part: &[u8]) {
    assert!(octets.windows(part.len()).any(|window| window == part), "{part:?} in {octets:?}");
}

/// RFC 2181 section 11: a label may hold any octets.
#[rstest]
#[case::a_zero(r"a\000b", b"a\0b")]
#[case::a_dot(r"a\.b", b"a.b")]
#[case::a_dot_by_its_number(r"a\046b", b"a.b")]
#[case::the_last_octet(r"\255\254", b"\xff\xfe")]
#[case::a_blank(r"a\ b", b"a b")]
#[case::an_octet_that_looks_like_a_length(r"\003www", b"\x03www")]
#[case::a_label_of_63(
    "a23456789012345678901234567890123456789012345678901234567890123",
    b"a23456789012345678901234567890123456789012345678901234567890123"
)]
#[case::no_wildcard_by_its_number(r"\042\042", b"**")]
fn rfc2181_11_any_label(#[case] text: &str, #[case] label: &[u8]) {
    let server = server(&format!("{text} A 192.0.2.7\n"));
    let asked = name(&[label]);
    for reply in everywhere(&server, &query(&asked, 1)) {
        assert_eq!((reply[3] & 0x0f, &reply[6..8]), (0, &[0, 1][..]), "{reply:?}");
        assert_eq!(reply[12..12 + asked.len()], asked);
        assert!(reply.ends_with(&[192, 0, 2, 7]));
    }
}

/// What differs by an octet is another name: `a.b` of two labels is not `a\.b`.
#[test]
fn rfc2181_11_labels_are_not_text() {
    let server = server("a\\.b A 192.0.2.7\n");
    for reply in everywhere(&server, &query(&name(&[b"a", b"b"]), 1)) {
        assert_eq!(reply[3] & 0x0f, 3, "NXDOMAIN");
    }
}

/// A name of 255 octets, and an answer that is a name of 255 octets.
#[test]
fn rfc1035_2_3_4_the_longest_name() {
    let labels: [&[u8]; 4] = [&[b'a'; 63], &[b'b'; 63], &[b'c'; 63], &[b'd'; 49]];
    let longest = name(&labels);
    assert_eq!(longest.len(), 255);
    let text = labels.map(|label| String::from_utf8(label.to_vec()).unwrap()).join(".");
    let server = server(&format!("{text} A 192.0.2.7\nto CNAME {text}\n*.{} TXT x\n", &text[64..]));
    for reply in everywhere(&server, &query(&longest, 1)) {
        assert_eq!(reply[12..12 + 255], longest);
        assert!(reply.ends_with(&[192, 0, 2, 7]));
    }
    for reply in everywhere(&server, &query(&name(&[b"to"]), 1)) {
        assert_contains(&reply, &longest);
        assert!(reply.ends_with(&[192, 0, 2, 7]), "behind an alias, by pointer");
    }
    // As long, below a wildcard, and with 127 labels.
    let mut other = longest.clone();
    other[1] = b'x';
    for reply in everywhere(&server, &query(&other, 16)) {
        assert_eq!((reply[3] & 0x0f, &reply[6..8]), (0, &[0, 1][..]));
    }
    let many = [[1, b'x'].repeat(120), name(&[b"y"])].concat();
    assert_eq!(many.len(), 255);
    for reply in everywhere(&server, &query(&many, 1)) {
        assert_eq!(reply[3] & 0x0f, 3, "NXDOMAIN");
        assert_eq!(reply[12..12 + 255], many);
    }
}

#[test]
fn the_root_is_a_name_like_any_other() {
    let site = Site::new("[zones.\".\"]\nfile = \"root.zone\"\n");
    site.write("root.zone", "$TTL 300\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.53\n");
    for (served, rcode, answers) in [(true, 0, 1), (false, 5, 0)] {
        let server = if served { site.serve() } else { Site::new("").serve() };
        for reply in everywhere(&server, &query(&[0], 6)) {
            assert_eq!((reply[3] & 0x0f, reply[7]), (rcode, answers), "served: {served}");
        }
    }
}

/// RFC 3597 section 4: names in the data of types that RFC 1035 does not know are never compressed,
/// for whoever does not know the type could not read them.
#[rstest]
#[case::rfc2782_srv("SRV 1 2 80 octets.test.", 33, &[0, 1, 0, 2, 0, 80])]
#[case::rfc6672_dname("DNAME octets.test.", 39, &[])]
#[case::rfc3403_naptr("NAPTR 1 2 \"\" \"\" \"\" octets.test.", 35, &[0, 1, 0, 2, 0, 0, 0])]
#[case::rfc9460_svcb("SVCB 0 octets.test.", 64, &[0, 0])]
#[case::rfc9460_https("HTTPS 1 octets.test.", 65, &[0, 1])]
#[case::rfc4034_rrsig(
    "RRSIG A 8 3 300 20300101000000 20200101000000 1 octets.test. aaaa", 46,
    &[0, 1, 8, 3, 0, 0, 1, 44, 0x70, 0xdb, 0xd8, 0x80, 0x5e, 0x0b, 0xe1, 0, 0, 1])]
fn rfc3597_4_names_in_data_are_whole(#[case] data: &str, #[case] rtype: u16, #[case] head: &[u8]) {
    let server = server(&format!("x {data}\n"));
    let target = b"\x06octets\x04test\x00";
    for reply in everywhere(&server, &query(&name(&[b"x"]), rtype)) {
        assert_eq!(reply[7], 1, "{reply:?}");
        assert_contains(&reply, &[head, target].concat());
    }
}

/// RFC 2181 section 9: glue that is of use but not needed is dropped without TC, an RRset at a
/// time; the OPT stays.
#[test]
fn rfc2181_9_what_is_only_useful_is_left_out() {
    let mut zone = String::from("sub NS ns.sub\nns.sub A 192.0.2.1\n");
    for n in 0..16 {
        zone += &format!(
            "sub NS ns{n}.beside\nns{n}.beside A 192.0.2.{n}\nns{n}.beside AAAA 2001:db8::{n}\n"
        );
    }
    let server = server(&zone);
    let asks = |payload, options: Vec<u8>| Question {
        edns: Some(payload),
        ..Question::a("a.sub.octets.test").options(options)
    };
    let count = |reply: &Reply| {
        let records = &reply.message.additionals;
        let in_domain = records.iter().any(|r| r.name.to_string() == "ns.sub.octets.test.");
        assert!(!reply.message.metadata.truncation && in_domain, "{}", reply.text());
        assert_eq!(reply.message.authorities.len(), 17, "the whole RRset");
        records.len()
    };
    let whole = exchange(Via::Tcp, server.v4, &asks(1232, vec![]).wire(1));
    assert_eq!(count(&whole), 33);
    let mut least = usize::MAX;
    for (payload, options) in [(1232, vec![]), (900, vec![]), (900, option(10, b"a client"))] {
        let reply = exchange(Via::Udp, server.v4, &asks(payload, options.clone()).wire(1));
        assert!(reply.octets.len() <= usize::from(payload));
        let found = count(&reply);
        assert!(found < 33 && found <= least, "{found}");
        least = found;
        let opt = reply.opt().expect("OPT is kept");
        assert_eq!(opt.options.len(), usize::from(!options.is_empty()));
    }
}

/// RFC 1123 section 6.1.3.2, RFC 2181 section 4: the reply leaves from the address that was asked.
#[test]
fn rfc2181_4_the_address_that_was_asked_replies() {
    let site = Site::new("");
    let text = std::fs::read_to_string(site.config()).unwrap();
    let text = text.replace("\"127.0.0.1:0\", \"[::1]:0\"", "\"0.0.0.0:0\", \"[::]:0\"");
    site.write("trimtab.toml", &text);
    let server = site.serve();
    let question = Question::new("site.test", RecordType::NS);
    for ip in ["127.0.0.1", "127.0.0.2", "127.45.6.7", "127.255.255.254", "::1"] {
        let ip: std::net::IpAddr = ip.parse().unwrap();
        let port = if ip.is_ipv4() { server.v4.port() } else { server.v6.port() };
        // A connected socket takes nothing from another address.
        let reply = Client::new((ip, port).into()).ask(&question);
        assert_eq!(reply.message.answers.len(), 1, "{ip}");
        let mut tcp = TcpClient::new((ip, port).into());
        tcp.send(&[&question.wire(1)]);
        assert_eq!(tcp.receive().expect("an answer").message.answers.len(), 1, "{ip}");
    }
}
