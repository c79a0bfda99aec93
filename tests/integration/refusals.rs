//! Messages that are not answered with data, and how they are refused: the header's code, and an
//! OPT record where one came.

use rstest::rstest;

use crate::harness::{Client, Question, Reply, Server, Site, TcpClient, Via, exchange, option};

const NOERROR: u16 = 0;
const FORMERR: u16 = 1;
const NOTIMP: u16 = 4;
const BADVERS: u16 = 16;
const COOKIE: u16 = 10;

fn server() -> Server {
    Site::new("").serve()
}

/// A query for `ns1.site.test`, with an OPT of these options if there are any.
fn query(options: Option<&[u8]>) -> Vec<u8> {
    let question = Question { rd: true, ..Question::a("ns1.site.test") };
    match options {
        Some(options) => question.options(options.to_vec()).wire(0x5454),
        None => question.wire(0x5454),
    }
}

/// What comes back, in every way, when a query is spoilt; with an OPT in it, and without.
fn spoilt(server: &Server, spoil: fn(&mut Vec<u8>)) -> Vec<(bool, Reply)> {
    let mut replies = Vec::new();
    for options in [None, Some(&[][..])] {
        let mut request = query(options);
        spoil(&mut request);
        for (via, to) in [(Via::Udp, server.v4), (Via::Udp, server.v6), (Via::Tcp, server.v4)] {
            let reply = exchange(via, to, &request);
            assert_eq!(reply.octets[..2], request[..2], "the id");
            assert_eq!(reply.octets[2] & 0x80, 0x80, "QR");
            assert_eq!(reply.octets[2] & 0x79, request[2] & 0x79, "opcode and RD");
            assert_eq!(reply.octets[3] & 0x80, 0, "RA");
            replies.push((options.is_some(), reply));
        }
    }
    replies
}

/// Nothing but a header, and an OPT where one came.
#[rstest]
#[case::rfc9619_two_questions(|q: &mut Vec<u8>| {
    q[5] = 2;
    q.splice(12..12, [1, b'x', 0, 0, 1, 0, 1]);
}, FORMERR)]
#[case::rfc9619_no_question(|q: &mut Vec<u8>| {
    q[5] = 0;
    q.splice(12..12 + 19, []);
}, FORMERR)]
#[case::rfc8906_a_record_in_answer(|q: &mut Vec<u8>| {
    q[7] = 1;
    q.splice(31..31, [0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4]);
}, FORMERR)]
#[case::rfc8906_two_records_in_authority(|q: &mut Vec<u8>| {
    q[9] = 2;
    let record = [0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4];
    q.splice(31..31, [record, record].concat());
}, FORMERR)]
#[case::rfc8906_opcode_1(|q: &mut Vec<u8>| q[2] |= 1 << 3, NOTIMP)]
#[case::rfc8906_opcode_2(|q: &mut Vec<u8>| q[2] |= 2 << 3, NOTIMP)]
#[case::rfc8906_opcode_3(|q: &mut Vec<u8>| q[2] |= 3 << 3, NOTIMP)]
#[case::rfc1996_notify(|q: &mut Vec<u8>| q[2] |= 4 << 3, NOTIMP)]
#[case::rfc2136_update(|q: &mut Vec<u8>| q[2] |= 5 << 3, NOTIMP)]
#[case::rfc8490_dso(|q: &mut Vec<u8>| q[2] |= 6 << 3, NOTIMP)]
#[case::rfc8906_opcode_15(|q: &mut Vec<u8>| q[2] |= 15 << 3, NOTIMP)]
fn rfc8906_3_a_message_is_refused_as_a_whole(#[case] spoil: fn(&mut Vec<u8>), #[case] rcode: u16) {
    let server = server();
    for (edns, reply) in spoilt(&server, spoil) {
        let counts = [0, 0, 0, u16::from(edns)];
        assert_eq!(reply.header(), (rcode, false, false, counts));
        let opt = reply.opt().map(|opt| (opt.version, opt.options));
        // EDE 21, Not Supported (RFC 8914 section 4.22).
        let error = if rcode == NOTIMP { vec![(15, vec![0, 21])] } else { vec![] };
        assert_eq!(opt, edns.then_some((0, error)), "RFC 6891 section 7");
    }
}

#[test]
fn rfc1995_3_a_record_in_authority_is_for_ixfr_alone() {
    let spoil = |q: &mut Vec<u8>| {
        q[9] = 1;
        q.splice(31..31, [0, 0, 6, 0, 1, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4]);
    };
    for (edns, reply) in spoilt(&server(), spoil) {
        assert_eq!(reply.header(), (FORMERR, false, false, [1, 0, 0, u16::from(edns)]));
    }
}

#[rstest]
#[case::cut_in_the_name(|q: &mut Vec<u8>| q.truncate(20))]
#[case::cut_in_the_type(|q: &mut Vec<u8>| q.truncate(28))]
#[case::a_header_alone(|q: &mut Vec<u8>| q.truncate(12))]
#[case::a_compressed_question(|q: &mut Vec<u8>| { q.splice(12..27, [0xc0, 12]); })]
#[case::a_label_type_of_old(|q: &mut Vec<u8>| q[12] = 0x41)]
#[case::a_label_of_64(|q: &mut Vec<u8>| q[12] = 64)]
#[case::an_opt_that_is_not_there(|q: &mut Vec<u8>| { q.truncate(31); q[11] = 1; })]
#[case::a_record_that_is_not_there(|q: &mut Vec<u8>| q[11] += 1)]
fn rfc1035_4_what_cannot_be_read(#[case] spoil: fn(&mut Vec<u8>)) {
    let server = server();
    for (_, reply) in spoilt(&server, spoil) {
        let (rcode, aa, tc, [_, answers, authorities, _]) = reply.header();
        assert_eq!((rcode, aa, tc, answers, authorities), (FORMERR, false, false, 0, 0));
    }
}

#[test]
fn a_name_of_256_octets_and_what_is_behind_the_end() {
    let server = server();
    let long = [[&[63][..], &[b'a'; 63]].concat().repeat(4), vec![0, 0, 1, 0, 1]].concat();
    let long = [&[0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0][..], &long].concat();
    let trailing = [&query(None)[..], &[0]].concat();
    let owner = [[&[63][..], &[b'a'; 63]].concat().repeat(4), vec![0]].concat();
    let mut behind = [&query(None)[..], &owner, &[0, 1, 0, 1, 0, 0, 0, 0, 0, 0]].concat();
    behind[11] = 1;
    for request in [long, trailing, behind] {
        assert_eq!(exchange(Via::Udp, server.v4, &request).header().0, FORMERR);
        assert_eq!(exchange(Via::Tcp, server.v4, &request).header().0, FORMERR);
    }
}

/// Types that are no data: OPT, TSIG, NXNAME.
#[rstest]
#[case::rfc6891_6_1_1_opt(41)]
#[case::rfc8945_tsig(250)]
#[case::rfc9824_nxname(128)]
fn rfc6895_a_meta_type_is_asked_for(#[case] rtype: u16) {
    let server = server();
    for via in [Via::Udp, Via::Tcp] {
        let question = Question::new("site.test", rtype.into()).edns(1232);
        let reply = exchange(via, server.v4, &question.wire(3));
        assert_eq!((reply.header().0, reply.opt().map(|opt| opt.version)), (FORMERR, Some(0)));
    }
}

/// An OPT record: owner, type, payload, TTL, options.
fn opt(owner: &[u8], ttl: [u8; 4], len: u16, options: &[u8]) -> Vec<u8> {
    [owner, &[0, 41, 4, 208], &ttl, &len.to_be_bytes(), options].concat()
}

#[test]
fn rfc6891_6_1_1_an_opt_record_that_is_not_one() {
    let server = server();
    let one = opt(&[0], [0; 4], 0, &[]);
    // What follows the question, its count, and whether the reply has an OPT.
    let cases = [
        ("two of them", one.repeat(2), 2, true),
        ("not at the root", opt(&[1, b'x', 0], [0; 4], 0, &[]), 1, false),
        ("a pointer to the root", opt(&[0xc0, 26], [0; 4], 0, &[]), 1, false),
        ("an option past the end", opt(&[0], [0; 4], 4, &[0, 3, 0, 1]), 1, true),
        ("half an option", opt(&[0], [0; 4], 3, &[0, 3, 0]), 1, true),
        ("data past the end", opt(&[0], [0; 4], 9, &[0, 3, 0, 0]), 1, false),
    ];
    for (what, behind, count, told) in cases {
        let mut request = [query(None), behind].concat();
        request[11] = count;
        for via in [Via::Udp, Via::Tcp] {
            let reply = exchange(via, server.v4, &request);
            assert_eq!(reply.header().0, FORMERR, "{what}");
            assert_eq!(reply.opt().is_some(), told, "{what}");
        }
    }
}

#[test]
fn rfc6891_6_1_3_another_version() {
    let server = server();
    for version in [1, 2, 255] {
        // What its options mean is not known, not even of those that would be malformed.
        let options = option(COOKIE, &[1; 9]);
        let len = u16::try_from(options.len()).unwrap();
        let mut request = [query(None), opt(&[0], [0, version, 0x80, 0], len, &options)].concat();
        request[11] = 1;
        for via in [Via::Udp, Via::Tcp] {
            let reply = exchange(via, server.v4, &request);
            assert_eq!(reply.header(), (BADVERS, false, false, [1, 0, 0, 1]), "{version}");
            let opt = reply.opt().unwrap();
            assert_eq!((opt.version, opt.dnssec_ok, opt.options), (0, true, vec![]), "{version}");
        }
    }
}

#[test]
fn rfc6891_6_1_2_what_is_not_known_is_ignored() {
    let server = server();
    let unknown = [option(65_001, b"whatever"), option(0, b""), option(5, b"\x08")].concat();
    for via in [Via::Udp, Via::Tcp] {
        // All flags but DO, and an extended code that means nothing in a query.
        let len = u16::try_from(unknown.len()).unwrap();
        let mut request = [query(None), opt(&[0], [0xab, 0, 0x7f, 0xff], len, &unknown)].concat();
        request[11] = 1;
        let reply = exchange(via, server.v4, &request);
        assert_eq!((reply.header().0, reply.addresses().len()), (NOERROR, 1));
        let opt = reply.opt().unwrap();
        assert_eq!((opt.dnssec_ok, opt.options), (false, vec![]), "nothing is echoed");
        // RFC 3225 section 3: DO is copied.
        let mut request = [query(None), opt_with_do()].concat();
        request[11] = 1;
        assert!(exchange(via, server.v4, &request).opt().unwrap().dnssec_ok);
    }
}

fn opt_with_do() -> Vec<u8> {
    opt(&[0], [0, 0, 0x80, 0], 0, &[])
}

/// RFC 6891 section 6.1.1: an OPT may stand anywhere among the additional records.
#[test]
fn rfc6891_6_1_1_other_records_beside_it_are_stepped_over() {
    let server = server();
    let a = [1, b'x', 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4];
    // RFC 1035 section 4.1.4: of names that are compressed, and of one that is so in part.
    let whole = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4];
    let part = [1, b'x', 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4];
    let opt = opt(&[0], [0; 4], 0, &[]);
    let mut request = [&query(None)[..], &a, &whole, &opt, &part, &a].concat();
    request[11] = 5;
    for via in [Via::Udp, Via::Tcp] {
        let reply = exchange(via, server.v4, &request);
        assert_eq!((reply.header().0, reply.addresses().len()), (NOERROR, 1));
        assert!(reply.opt().is_some());
    }
}

#[test]
fn rfc8906_3_1_5_flags_in_a_query_are_ignored() {
    let server = server();
    for via in [Via::Udp, Via::Tcp] {
        for (high, low) in [(0x04, 0), (0x02, 0), (0, 0x80), (0, 0x40), (0, 0x20), (7, 0xf0)] {
            let mut request = query(Some(&[]));
            (request[2], request[3]) = (high, low);
            let reply = exchange(via, server.v4, &request);
            assert_eq!((reply.header().0, reply.addresses().len()), (NOERROR, 1));
            assert_eq!(reply.octets[2], 0x84 | (high & 1), "QR, AA, RD as it came");
            assert_eq!(reply.octets[3], low & 0x10, "no RA, Z, AD; CD as it came");
        }
    }
}

/// RFC 1035 section 7.3: what is no query gets no answer, whatever else it is.
#[test]
fn rfc1035_4_1_1_responses_and_scraps_get_no_answer() {
    let server = server();
    let before = server.metrics();
    let client = Client::new(server.v4);
    let mut sent = 0;
    for spoil in [0x80, 0x84, 0x88, 0xf8] {
        let mut response = query(Some(&[]));
        response[2] = spoil;
        client.send(&response);
        sent += 1;
    }
    let response_of_nothing = [0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    client.send(&response_of_nothing);
    for len in 0..12 {
        client.send(&query(None)[..len]);
    }
    // The one that is a query is the one that is answered.
    client.send(&query(None));
    assert_eq!(client.receive().octets[..2], [0x54, 0x54]);
    let dropped = server.metrics().growth(&before, "trimtab_dns_dropped_total");
    let of = |reason| format!("trimtab_dns_dropped_total{{reason=\"{reason}\"}}");
    assert_eq!(dropped, [(of("response"), f64::from(sent + 1)), (of("short"), 12.0)]);
    // Over TCP it ends the connection.
    let mut client = TcpClient::new(server.v4);
    client.send(&[&response_of_nothing]);
    assert!(client.receive().is_none());
}
