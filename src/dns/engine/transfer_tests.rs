//! Who gets whole zones, and how signed requests are answered; read by another implementation.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests"
)]

use std::net::IpAddr;
use std::sync::Arc;

use domain::base::Message;
use domain::base::iana::{Rcode, TsigRcode};
use domain::rdata::tsig::{Time48, Tsig};
use domain::tsig::{self as peer, ValidationError};
use rstest::rstest;

use super::tests::{query, snapshot, worker};
use super::*;
use crate::metrics::{Metrics, Proto};
use crate::model::Family;
use crate::routing::{Dynamic, Networks, RateLimit, Transfers};
use crate::wire::{Name, rtype, tsig};

const NEAR: [u8; 4] = [192, 0, 2, 7];
const FAR: [u8; 4] = [198, 51, 100, 7];
const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

/// One who gives zones to 192.0.2.0/24 and to the key `holder`, and who knows `other` as well.
pub(in crate::dns) fn open(dynamic: Dynamic) -> Snapshot {
    let key = |name: &str| {
        let name = Name::from_text(name).unwrap();
        Arc::new(tsig::Key::new(name, tsig::Algorithm::Sha256, SECRET))
    };
    let keys = vec![key("holder"), key("other")];
    let transfers = Transfers {
        allow: vec!["192.0.2.0/24".parse().unwrap()],
        holders: vec![Arc::clone(&keys[0])],
        keys,
        dynamic,
    };
    let mut snapshot = snapshot();
    snapshot.options.transfers = Arc::new(transfers);
    snapshot
}

/// An IXFR's octets, by a client that has this serial.
pub(in crate::dns) fn ixfr(name: &str, serial: u32) -> Vec<u8> {
    let mut octets = query(name, rtype::IXFR, None);
    octets[9] = 1;
    octets.extend([0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 0, 0, 22, 0, 0]);
    octets.extend(serial.to_be_bytes());
    octets.extend([0; 16]);
    octets
}

/// What becomes of a request that comes from there.
fn asked(snapshot: &Snapshot, from: [u8; 4], transport: Transport, request: &[u8]) -> String {
    let (verdict, reply, worker) = finished(snapshot, from, transport, request);
    match verdict {
        Verdict::Transfer => {
            let transfer = worker.transfer.unwrap();
            let signed = if transfer.signer.is_some() { " signed" } else { "" };
            format!("the zone{signed}")
        }
        Verdict::Nothing => "nothing".into(),
        Verdict::Reply(_) => {
            let message = Message::from_octets(&*reply).unwrap();
            let counts = message.header_counts();
            let aa = if message.header().aa() { " aa" } else { "" };
            let ede = message.opt().and_then(|opt| {
                opt.opt().iter::<domain::base::opt::ExtendedError<_>>().next()?.ok()
            });
            let ede = ede.map_or(String::new(), |ede| format!(" EDE {}", ede.code().to_int()));
            format!("{}{aa} {}{ede}", message.header().rcode(), counts.ancount())
        }
    }
}

fn finished(
    snapshot: &Snapshot,
    from: [u8; 4],
    transport: Transport,
    request: &[u8],
) -> (Verdict, Vec<u8>, Worker) {
    let block = Metrics::new().block(Proto::Udp, Family::V4, false);
    let mut worker = worker(block, 7);
    let (verdict, reply) = finished_by(&mut worker, snapshot, from, transport, request);
    (verdict, reply, worker)
}

fn finished_by(
    worker: &mut Worker,
    snapshot: &Snapshot,
    from: [u8; 4],
    transport: Transport,
    request: &[u8],
) -> (Verdict, Vec<u8>) {
    let mut at = Located::default();
    locate(snapshot, IpAddr::from(from), request, &mut at);
    let mut buffer = vec![0; reply_max(transport, 4096)];
    buffer[..request.len()].copy_from_slice(request);
    let verdict = finish(snapshot, &at, transport, &mut buffer, worker);
    let len = if let Verdict::Reply(len) = verdict { len } else { 0 };
    buffer.truncate(len);
    (verdict, buffer)
}

#[rstest]
#[case::rfc5936_4_2_never_over_udp(NEAR, Transport::Udp, "example.test", "FORMERR 0")]
#[case::rfc5936_5_a_stranger(FAR, Transport::Tcp, "example.test", "REFUSED 0 EDE 18")]
#[case::a_stranger_who_asks_for_another(FAR, Transport::Tcp, "other.test", "REFUSED 0 EDE 18")]
#[case::an_allowed_network(NEAR, Transport::Tcp, "Example.Test", "the zone")]
#[case::rfc5936_2_2_1_another_zone(NEAR, Transport::Tcp, "other.test", "NOTAUTH 0 EDE 20")]
#[case::rfc5936_2_2_1_below_the_apex(NEAR, Transport::Tcp, "www.example.test", "NOTAUTH 0 EDE 20")]
#[case::rfc5936_2_2_1_no_such_name(NEAR, Transport::Tcp, "x.example.test", "NOTAUTH 0 EDE 20")]
fn axfr(
    #[case] from: [u8; 4],
    #[case] transport: Transport,
    #[case] name: &str,
    #[case] wanted: &str,
) {
    let request = query(name, rtype::AXFR, Some(1232));
    assert_eq!(asked(&open(Dynamic::Omit), from, transport, &request), wanted);
}

#[test]
fn zones_with_dynamic_names_are_refused_if_that_is_said() {
    let request = query("example.test", rtype::AXFR, Some(1232));
    let snapshot = open(Dynamic::Refuse);
    assert_eq!(asked(&snapshot, NEAR, Transport::Tcp, &request), "REFUSED 0 EDE 21");
}

#[rstest]
#[case::rfc1995_2_the_current_version(NEAR, Transport::Tcp, 1, "NOERROR aa 1")]
#[case::rfc1995_2_a_later_version(NEAR, Transport::Tcp, 2, "NOERROR aa 1")]
#[case::rfc1995_4_an_older_version(NEAR, Transport::Tcp, 0, "the zone")]
#[case::rfc1982_one_before_the_turn(NEAR, Transport::Tcp, u32::MAX, "the zone")]
#[case::rfc1995_2_over_udp(NEAR, Transport::Udp, 0, "NOERROR aa 1")]
#[case::a_stranger_over_udp(FAR, Transport::Udp, 0, "REFUSED 0")]
#[case::a_stranger(FAR, Transport::Tcp, 0, "REFUSED 0")]
fn ixfr_is_answered_as_axfr(
    #[case] from: [u8; 4],
    #[case] transport: Transport,
    #[case] serial: u32,
    #[case] wanted: &str,
) {
    let request = ixfr("example.test", serial);
    assert_eq!(asked(&open(Dynamic::Omit), from, transport, &request), wanted);
}

#[test]
fn rfc1995_3_an_ixfr_tells_its_serial() {
    let snapshot = open(Dynamic::Omit);
    for transport in [Transport::Udp, Transport::Tcp] {
        let without = query("example.test", rtype::IXFR, None);
        assert_eq!(asked(&snapshot, NEAR, transport, &without), "FORMERR 0");
        let mut short = ixfr("example.test", 1);
        let len = short.len();
        short[len - 22 - 1] = 19;
        short.truncate(len - 3);
        assert_eq!(asked(&snapshot, NEAR, transport, &short), "FORMERR 0");
        let mut other = ixfr("example.test", 1);
        other[len - 22 - 9] = 16;
        assert_eq!(asked(&snapshot, NEAR, transport, &other), "FORMERR 0", "a TXT record");
    }
}

/// The peer's key of this name and secret.
fn key(name: &str, secret: &[u8]) -> peer::Key {
    peer::Key::new(peer::Algorithm::Sha256, secret, name.parse().unwrap(), None, None).unwrap()
}

/// A request that the peer signs at that time.
fn sign(
    request: &[u8],
    key: peer::Key,
    secs: u64,
) -> (Vec<u8>, peer::ClientTransaction<peer::Key>) {
    use domain::base::MessageBuilder;
    let mut builder = MessageBuilder::new_vec().question();
    let message = Message::from_octets(request).unwrap();
    *builder.header_mut() = message.header();
    builder.push(message.sole_question().unwrap()).unwrap();
    let mut builder = builder.authority();
    for record in message.authority().unwrap().limit_to::<domain::rdata::Soa<_>>() {
        builder.push(record.unwrap()).unwrap();
    }
    let mut builder = builder.additional();
    if let Some(opt) = message.opt() {
        let payload = opt.udp_payload_size();
        builder
            .opt(|to| {
                to.set_udp_payload_size(payload);
                Ok(())
            })
            .unwrap();
    }
    let signed = peer::ClientTransaction::request(key, &mut builder, Time48::from_u64(secs));
    (builder.finish(), signed.unwrap())
}

fn now() -> u64 {
    worker(Metrics::new().block(Proto::Udp, Family::V4, false), 0).now.unix_secs.into()
}

#[rstest]
#[case::any_query("www.example.test", rtype::A, None, 1)]
#[case::with_edns("www.example.test", rtype::A, Some(1232), 1)]
#[case::rfc1034_4_3_5_a_refresh("example.test", rtype::SOA, None, 1)]
#[case::a_dynamic_name("app.example.test", rtype::A, Some(512), 1)]
#[case::no_such_name("nope.example.test", rtype::A, None, 0)]
#[case::outside("www.elsewhere.test", rtype::A, None, 0)]
#[case::another_class_of_question("example.test", rtype::TSIG, None, 0)]
#[case::refused("example.test", rtype::AXFR, Some(1232), 0)]
fn rfc8945_5_3_every_reply_to_a_signed_request_is_signed(
    #[case] name: &str,
    #[case] qtype: u16,
    #[case] payload: Option<u16>,
    #[case] answers: u16,
) {
    let snapshot = open(Dynamic::Omit);
    for transport in [Transport::Udp, Transport::Tcp] {
        let (request, client) = sign(&query(name, qtype, payload), key("other.", SECRET), now());
        let (verdict, reply, worker) = finished(&snapshot, FAR, transport, &request);
        assert!(matches!(verdict, Verdict::Reply(_)) && worker.transfer.is_none());
        assert_eq!(reply[12..12 + name.len() + 6], request[12..12 + name.len() + 6]);
        let mut reply = Message::from_octets(reply).unwrap();
        assert!(reply.opt().is_some() == payload.is_some(), "OPT as ever");
        client.answer(&mut reply, Time48::from_u64(now())).unwrap();
        assert_eq!(reply.header_counts().ancount(), answers);
    }
}

#[test]
fn rfc8945_5_3_a_truncated_reply_is_signed_and_within_the_limit() {
    let snapshot = open(Dynamic::Omit);
    for (name, tc) in [("www.example.test", false), ("big.example.test", true)] {
        let (request, client) = sign(&query(name, 16, Some(1232)), key("other.", SECRET), now());
        let (_, reply, _) = finished(&snapshot, FAR, Transport::Udp, &request);
        assert!(reply.len() <= 1232);
        let mut reply = Message::from_octets(reply).unwrap();
        client.answer(&mut reply, Time48::from_u64(now())).unwrap();
        assert_eq!(reply.header().tc(), tc);
    }
    // What just fits without the record does not fit with it.
    let mut snapshot = snapshot;
    snapshot.options.udp_payload_max = 4096;
    let (_, plain, _) =
        finished(&snapshot, FAR, Transport::Udp, &query("big.example.test", 16, Some(4096)));
    assert!(plain.len() > 1232 && plain[2] & 2 == 0);
    for (room, tc) in [(0, true), (77, true), (78, false)] {
        let payload = u16::try_from(plain.len() + room).unwrap();
        let exact = query("big.example.test", 16, Some(payload));
        let (request, client) = sign(&exact, key("other.", SECRET), now());
        let (_, signed, _) = finished(&snapshot, FAR, Transport::Udp, &request);
        assert!(signed.len() <= usize::from(payload));
        let mut signed = Message::from_octets(signed).unwrap();
        client.answer(&mut signed, Time48::from_u64(now())).unwrap();
        assert_eq!(signed.header().tc(), tc, "{room} octets more");
    }
}

#[test]
fn a_key_gets_zones_from_anywhere_if_it_is_named_for_that() {
    let snapshot = open(Dynamic::Omit);
    let request = query("example.test", rtype::AXFR, None);
    for (name, from, wanted) in [
        ("holder.", FAR, "the zone signed"),
        ("HOLDER.", FAR, "the zone signed"),
        ("other.", FAR, "REFUSED 0"),
        ("other.", NEAR, "the zone signed"),
    ] {
        let (signed, _) = sign(&request, key(name, SECRET), now());
        assert_eq!(asked(&snapshot, from, Transport::Tcp, &signed), wanted, "{name} {from:?}");
    }
    let (signed, client) = sign(&ixfr("example.test", 1), key("holder.", SECRET), now());
    let (_, reply, _) = finished(&snapshot, FAR, Transport::Udp, &signed);
    let mut reply = Message::from_octets(reply).unwrap();
    client.answer(&mut reply, Time48::from_u64(now())).unwrap();
    assert_eq!(reply.header_counts().ancount(), 1);
}

#[rstest]
#[case::rfc8945_5_2_1_badkey("nobody.", SECRET, 0, TsigRcode::BADKEY)]
#[case::rfc8945_5_2_2_badsig("holder.", b"another secret", 0, TsigRcode::BADSIG)]
#[case::rfc8945_5_2_3_badtime("holder.", SECRET, 600, TsigRcode::BADTIME)]
fn a_signature_that_is_not_taken_is_told(
    #[case] name: &str,
    #[case] secret: &[u8],
    #[case] ago: u64,
    #[case] error: TsigRcode,
) {
    let snapshot = open(Dynamic::Omit);
    // Not even from where anybody may have the zone.
    for (qtype, transport) in
        [(rtype::AXFR, Transport::Tcp), (rtype::A, Transport::Tcp), (rtype::A, Transport::Udp)]
    {
        let query = query("example.test", qtype, Some(1232));
        let (request, client) = sign(&query, key(name, secret), now() - ago);
        let (_, reply, _) = finished(&snapshot, NEAR, transport, &request);
        let mut reply = Message::from_octets(reply).unwrap();
        assert_eq!(reply.header().rcode(), Rcode::NOTAUTH);
        assert_eq!(reply.header_counts().ancount(), 0);
        let copy = reply.clone();
        let additional = copy.additional().unwrap();
        let last = additional.limit_to::<Tsig<_, _>>().last().unwrap().unwrap();
        assert_eq!(last.data().error(), error);
        assert_eq!(last.data().mac().is_empty(), error != TsigRcode::BADTIME);
        let answer = client.answer(&mut reply, Time48::from_u64(now())).unwrap_err();
        match error {
            TsigRcode::BADKEY => assert!(matches!(answer, ValidationError::ServerBadKey)),
            TsigRcode::BADSIG => assert!(matches!(answer, ValidationError::ServerBadSig)),
            _ => {
                let time = last.data().other_time().map(u64::from).unwrap();
                assert!(now().abs_diff(time) < 60, "{time}");
            }
        }
    }
}

/// One reply a second of either kind, and all others without records.
fn one_a_second() -> RateLimit {
    RateLimit {
        responses_per_second: 1,
        errors_per_second: 1,
        slip: 1,
        dry_run: false,
        exempt: Networks::default(),
    }
}

/// A query for this name with a TSIG record that nobody has signed: its owner, its algorithm.
fn unsigned(question: &[u8], owner: &[u8], algorithm: &[u8], opt: &[u8]) -> Vec<u8> {
    let others = 1 + u8::from(!opt.is_empty());
    let len = [0, algorithm.len() as u8 + 16];
    let header = [0, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, others];
    let head = [&[0, 250, 0, 255, 0, 0, 0, 0][..], &len].concat();
    // Time, fudge, no MAC, id, no error, nothing else.
    let behind = [0, 0, 0, 0, 0, 0, 1, 44, 0, 0, 0, 9, 0, 0, 0, 0];
    [&header[..], question, &[0, 1, 0, 1], opt, owner, &head, algorithm, &behind].concat()
}

/// RFC 8945 section 5.3.2: what is told without a signature costs those nothing whose addresses are
/// forged, whatever names it repeats.
#[test]
fn a_refusal_is_no_longer_than_the_request_and_keeps_its_opt() {
    let long = [[63].as_slice(), &[b'x'; 63]].concat();
    let longest = [&long.repeat(3)[..], &[61], &[b'y'; 61], &[0]].concat();
    let (pointer, plain) = ([0xc0, 12], b"\x06nobody\x00");
    let sha = b"\x0bhmac-sha256\x00";
    let opt = [0, 0, 41, 16, 0, 0, 0, 0, 0, 0, 0];
    let mut snapshot = open(Dynamic::Omit);
    snapshot.options.rate_limit = Some(one_a_second());
    for (question, owner, algorithm, rcode) in [
        (&b"\x01a\x00"[..], &plain[..], &sha[..], Rcode::NOTAUTH),
        (&longest, plain, sha, Rcode::NOTAUTH),
        (&longest, &pointer, sha, Rcode::FORMERR),
        (&longest, plain, &pointer, Rcode::FORMERR),
        (&longest, &pointer, &pointer, Rcode::FORMERR),
    ] {
        for opt in [&[][..], &opt] {
            let request = unsigned(question, owner, algorithm, opt);
            let mut worker = worker(Metrics::new().block(Proto::Udp, Family::V4, false), 7);
            // The second one is over the limit, and slips.
            for round in 0..2 {
                let (_, reply) = finished_by(&mut worker, &snapshot, FAR, Transport::Udp, &request);
                let message = Message::from_octets(&reply[..]).unwrap();
                assert!(reply.len() <= request.len(), "{} for {}", reply.len(), request.len());
                assert!(reply.len() <= if opt.is_empty() { 512 } else { 1232 });
                assert_eq!(message.header().rcode(), rcode, "{question:?}");
                assert_eq!(message.header().tc(), round == 1);
                assert_eq!(message.opt().is_some(), !opt.is_empty());
            }
        }
    }
    // Whole names may be as long as they like, but not longer than a reply may be.
    for (opt, rcode) in [(&[][..], Rcode::FORMERR), (&opt, Rcode::NOTAUTH)] {
        let request = unsigned(&longest, &longest, sha, opt);
        let (_, reply, _) = finished(&snapshot, FAR, Transport::Udp, &request);
        let message = Message::from_octets(&reply[..]).unwrap();
        assert!(reply.len() <= if opt.is_empty() { 512 } else { 1232 });
        assert_eq!(message.header().rcode(), rcode);
        assert_eq!(message.opt().is_some(), !opt.is_empty());
    }
}

/// A signature covers no address: it shows who made a message, and not who sent it.
#[test]
fn a_good_signature_lifts_no_limit() {
    let mut snapshot = open(Dynamic::Omit);
    snapshot.options.rate_limit = Some(one_a_second());
    let mut worker = worker(Metrics::new().block(Proto::Udp, Family::V4, false), 7);
    let question = query("www.example.test", rtype::A, None);
    let (request, client) = sign(&question, key("other.", SECRET), now());
    for (transport, tc, answers) in
        [(Transport::Udp, false, 1), (Transport::Udp, true, 0), (Transport::Tcp, false, 1)]
    {
        let (_, reply) = finished_by(&mut worker, &snapshot, FAR, transport, &request);
        let mut reply = Message::from_octets(reply).unwrap();
        assert_eq!((reply.header().tc(), reply.header_counts().ancount()), (tc, answers));
        client.answer(&mut reply, Time48::from_u64(now())).unwrap();
    }
}

#[test]
fn rfc8945_5_2_4_a_short_mac_is_told_and_that_is_signed() {
    let snapshot = open(Dynamic::Omit);
    let name = "holder.".parse().unwrap();
    let short = peer::Key::new(peer::Algorithm::Sha256, SECRET, name, Some(16), Some(16)).unwrap();
    let (request, _) = sign(&query("example.test", rtype::AXFR, None), short, now());
    let (_, reply, _) = finished(&snapshot, NEAR, Transport::Tcp, &request);
    let reply = Message::from_octets(reply).unwrap();
    assert_eq!(reply.header().rcode(), Rcode::NOTAUTH);
    let additional = reply.additional().unwrap();
    let last = additional.limit_to::<Tsig<_, _>>().last().unwrap().unwrap();
    assert_eq!((last.data().error(), last.data().mac().len()), (TsigRcode::BADTRUNC, 32));
}

#[test]
fn rfc8945_5_2_a_record_that_cannot_be_read_is_a_format_error() {
    let snapshot = open(Dynamic::Omit);
    let (request, _) =
        sign(&query("example.test", rtype::AXFR, None), key("holder.", SECRET), now());
    let class = request.windows(5).rposition(|w| w == [0, 250, 0, 255, 0]).unwrap() + 3;
    let mut wrong = request.clone();
    wrong[class] = 1;
    assert_eq!(asked(&snapshot, NEAR, Transport::Tcp, &wrong), "FORMERR 0");
    let mut twice = request.clone();
    let record = request[request.len() - 97..].to_vec();
    twice.extend(&record);
    twice[11] += 1;
    assert_eq!(asked(&snapshot, NEAR, Transport::Tcp, &twice), "FORMERR 0");
}
