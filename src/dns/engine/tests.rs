//! The engine by itself: bytes in, and the reply read by another codec.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests"
)]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{RData, RecordType};
use rstest::rstest;

use super::*;
use crate::metrics::{Metrics, Proto};
use crate::model::*;
use crate::problem::{Place, Problems};
use crate::routing::{Assembly, Inputs, Options, Parts, PoolStanding, Secret, compile};
use crate::wire::{Name, rtype};
use crate::zone::{self, Names};

const FROM: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
pub(super) const ZONE: &str = "\
$TTL 3600
@ SOA ns1 hostmaster 1 7200 900 1209600 60
@ NS ns1
ns1 A 192.0.2.53
www A 192.0.2.1
*.wild A 192.0.2.2
host.wild TXT x
x.ent A 192.0.2.3
sub NS ns.sub
sub NS ns.elsewhere.test.
ns.sub A 192.0.2.54
c1 CNAME c2
c2 CNAME www
gone CNAME nowhere
out CNAME www.elsewhere.test.
below CNAME a.sub
loop CNAME loop
toapp CNAME app
d DNAME e
x.e A 192.0.2.4
";

/// What workers have in common.
pub(in crate::dns) fn shared() -> Arc<Shared> {
    Arc::new(Shared::with_secret(Secret([9; 16])))
}

/// A worker that has nothing in common with another.
pub(in crate::dns) fn worker(block: Arc<Block>, seed: u64) -> Worker {
    Worker::new(block, seed, shared())
}

/// The zone `example.test` with dynamic names beside it, of the records in their order.
pub(super) fn names(zone: &str, dynamic: &[&str]) -> Names {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("example.test.zone");
    std::fs::write(&path, zone).unwrap();
    let mut problems = Problems::default();
    let loaded = zone::load(&path, &Name::from_text("example.test").unwrap(), &mut problems);
    let dynamic: Vec<_> = (dynamic.iter().zip(0..))
        .map(|(name, id)| (name_of(name), RecordId(id), Place::File(path.clone())))
        .collect();
    let names = Names::build(vec![loaded], &dynamic, &mut problems);
    assert!(!problems.any_error(), "{problems}");
    names
}

/// A name below `example.test`.
pub(super) fn name_of(name: &str) -> Name {
    Name::from_text(&format!("{name}.example.test")).unwrap()
}

/// A region and its pool, with one address of each family wanted that ends in its number.
pub(super) fn region(n: u8, v6: bool) -> (Region, Pool) {
    let region = Region {
        name: format!("r{n}").into(),
        weight: Weight::DEFAULT,
        location: None,
        capacity: None,
        pool: PoolId(u32::from(n)),
    };
    let pool = Pool {
        region: RegionId(u16::from(n)),
        record: None,
        endpoint: Endpoint::Given,
        v4: vec![Ipv4Addr::new(198, 51, 100, n)],
        v6: v6.then(|| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, n.into())).into_iter().collect(),
        checks: Vec::new(),
        min_healthy: MinHealthy::Count(1),
        calm: Calm::default(),
    };
    (region, pool)
}

/// A record of what is bound to it, with TTLs of 60 and 10 seconds.
pub(super) fn record(name: &str, binding: u32) -> Record {
    let place = Place::File("example.test.zone".into());
    let (ttl, ttl_min, max_answers) = (60, 10, 8);
    Record { name: name_of(name), place, ttl, ttl_min, max_answers, binding: BindingId(binding) }
}

/// A server of `example.test` with the record `app` over two pools, the second down.
pub(in crate::dns) fn snapshot() -> Snapshot {
    let big: String = (0..40).map(|n| format!("big TXT \"{n:0>30}\"\n")).collect();
    let wide: String =
        (10..40).map(|n| format!("wide NS ns{n}.wide\nns{n}.wide A 192.0.2.{n}\n")).collect();
    let names = names(&format!("{ZONE}{big}{wide}"), &["app"]);
    let (regions, pools) = [region(0, false), region(1, false)].into_iter().unzip();
    let node = |node| PolicyNode { name: None, node, min_up: 0 };
    let member = |n| Member { weight: Weight::DEFAULT, node: NodeId(n) };
    let tree = Tree {
        nodes: vec![
            node(Node::Region(Slot(0))),
            node(Node::Region(Slot(1))),
            node(Node::Weighted { members: vec![member(0), member(1)] }),
        ],
        root: NodeId(2),
        on_all_down: OnAllDown::Open,
        slots: vec![RegionId(0), RegionId(1)],
        sticky: false,
    };
    let binding = Binding { tree: TreeId(0), pools: vec![Some(PoolId(0)), Some(PoolId(1))] };
    let parts = Parts {
        regions,
        pools,
        trees: vec![tree],
        bindings: vec![binding],
        records: vec![record("app", 0)],
        judging: Judging::default(),
        planning: Default::default(),
        foresight: Default::default(),
    };
    let standings = vec![
        Arc::new(PoolStanding::assumed(&parts.pools[0], true)),
        Arc::new(PoolStanding::assumed(&parts.pools[1], false)),
    ];
    let options = Options::default();
    let assembly = Assembly::new(parts, Arc::new(names), Arc::default(), options, |_, _| 0);
    compile(None, &Arc::new(assembly), &Inputs::of(standings))
}

/// A query's octets: header, question, and an OPT with a payload size if one is given.
pub(in crate::dns) fn query(name: &str, qtype: u16, payload: Option<u16>) -> Vec<u8> {
    let mut octets = vec![0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    octets[11] = u8::from(payload.is_some());
    for label in name.split('.').filter(|label| !label.is_empty()) {
        octets.push(label.len() as u8);
        octets.extend(label.as_bytes());
    }
    octets.push(0);
    octets.extend(qtype.to_be_bytes());
    octets.extend([0, 1]);
    if let Some(payload) = payload {
        octets.extend([0, 0, 41]);
        octets.extend(payload.to_be_bytes());
        octets.extend([0; 6]);
    }
    octets
}

fn reply_to(request: &[u8], transport: Transport) -> Option<Vec<u8>> {
    reply_of(&snapshot(), request, transport)
}

fn reply_of(snapshot: &Snapshot, request: &[u8], transport: Transport) -> Option<Vec<u8>> {
    let metrics = Metrics::new();
    let block = metrics.block(Proto::Udp, Family::V4, false);
    let mut worker = worker(block, 7);
    let mut at = Located::default();
    locate(snapshot, FROM, request, &mut at);
    let mut buffer = vec![0; reply_max(transport, 4096)];
    buffer[..request.len()].copy_from_slice(request);
    match finish(snapshot, &at, transport, &mut buffer, &mut worker) {
        Verdict::Reply(len) => Some(buffer[..len].to_vec()),
        Verdict::Nothing | Verdict::Transfer => None,
    }
}

fn ask(name: &str, qtype: u16) -> Message {
    let request = query(name, qtype, None);
    let reply = reply_to(&request, Transport::Udp).expect("a reply");
    // The id and the question's octets come back as they were, upper case too.
    assert_eq!(reply[..2], request[..2]);
    assert_eq!(reply[12..request.len()], request[12..]);
    Message::from_vec(&reply).expect("another codec reads it")
}

pub(super) fn section(records: &[hickory_proto::rr::Record]) -> String {
    let one = |record: &hickory_proto::rr::Record| {
        format!("{} {} {} {}", record.name, record.ttl, record.record_type(), record.data)
    };
    records.iter().map(one).collect::<Vec<_>>().join(" | ")
}

const SOA: &str =
    "example.test. 60 SOA ns1.example.test. hostmaster.example.test. 1 7200 900 1209600 60";

#[rstest]
#[case::rfc1035_apex(
    "example.test",
    rtype::SOA,
    "NoError",
    "example.test. 3600 SOA ns1.example.test. hostmaster.example.test. 1 7200 900 1209600 60",
    "",
    ""
)]
#[case::rfc2308_nxdomain("nope.example.test", rtype::A, "NXDomain", "", SOA, "")]
// Its names end where the question's does, in the case of that (RFC 4343 section 4.1).
#[case::rfc2308_nxdomain_without_case(
    "nOpe.ExAmPlE.tEsT",
    rtype::A,
    "NXDomain",
    "",
    "ExAmPlE.tEsT. 60 SOA ns1.ExAmPlE.tEsT. hostmaster.ExAmPlE.tEsT. 1 7200 900 1209600 60",
    ""
)]
#[case::rfc2308_nodata("www.example.test", 16, "NoError", "", SOA, "")]
#[case::rfc8020_empty_non_terminal("ent.example.test", rtype::A, "NoError", "", SOA, "")]
#[case::rfc4592_wildcard(
    "a.b.c.wild.example.test",
    rtype::A,
    "NoError",
    "a.b.c.wild.example.test. 3600 A 192.0.2.2",
    "",
    ""
)]
#[case::rfc4592_closest_encloser("x.host.wild.example.test", rtype::A, "NXDomain", "", SOA, "")]
#[case::rfc4592_wildcard_nodata("a.wild.example.test", 16, "NoError", "", SOA, "")]
#[case::rfc1034_cname_chain(
    "c1.example.test",
    rtype::A,
    "NoError",
    "c1.example.test. 3600 CNAME c2.example.test. | c2.example.test. 3600 CNAME www.example.test. | www.example.test. 3600 A 192.0.2.1",
    "",
    ""
)]
#[case::rfc6604_cname_to_nothing(
    "gone.example.test",
    rtype::A,
    "NXDomain",
    "gone.example.test. 3600 CNAME nowhere.example.test.",
    SOA,
    ""
)]
#[case::rfc1034_cname_out_of_the_zone(
    "out.example.test",
    rtype::A,
    "NoError",
    "out.example.test. 3600 CNAME www.elsewhere.test.",
    "",
    ""
)]
#[case::rfc1034_cname_below_a_cut(
    "below.example.test",
    rtype::A,
    "NoError",
    "below.example.test. 3600 CNAME a.sub.example.test.",
    "sub.example.test. 3600 NS ns.sub.example.test. | sub.example.test. 3600 NS ns.elsewhere.test.",
    "ns.sub.example.test. 3600 A 192.0.2.54"
)]
#[case::cname_loop(
    "loop.example.test",
    rtype::A,
    "NoError",
    "loop.example.test. 3600 CNAME loop.example.test.",
    "",
    ""
)]
#[case::rfc1034_cname_itself(
    "c1.example.test",
    rtype::CNAME,
    "NoError",
    "c1.example.test. 3600 CNAME c2.example.test.",
    "",
    ""
)]
// The codec does not know DNAME and shows its data, `e.example.test.`, in base 64.
#[case::rfc6672_dname(
    "x.d.example.test",
    rtype::A,
    "NoError",
    "d.example.test. 3600 DNAME AWUHZXhhbXBsZQR0ZXN0AA== | x.d.example.test. 3600 CNAME x.e.example.test. | x.e.example.test. 3600 A 192.0.2.4",
    "",
    ""
)]
#[case::rfc3597_unknown_type("www.example.test", 65535, "NoError", "", SOA, "")]
#[case::rfc4035_ds_at_a_cut("sub.example.test", rtype::DS, "NoError", "", SOA, "")]
#[case::dynamic(
    "app.example.test",
    rtype::A,
    "NoError",
    "app.example.test. 60 A 198.51.100.0",
    "",
    ""
)]
#[case::dynamic_at_the_end_of_a_chain(
    "toapp.example.test",
    rtype::A,
    "NoError",
    "toapp.example.test. 3600 CNAME app.example.test. | app.example.test. 60 A 198.51.100.0",
    "",
    ""
)]
#[case::dynamic_without_the_family("app.example.test", rtype::AAAA, "NoError", "", SOA, "")]
#[case::dynamic_without_the_type("app.example.test", 16, "NoError", "", SOA, "")]
#[case::without_case(
    "wWw.ExAmPlE.tEsT",
    rtype::A,
    "NoError",
    "wWw.ExAmPlE.tEsT. 3600 A 192.0.2.1",
    "",
    ""
)]
fn answers(
    #[case] name: &str,
    #[case] qtype: u16,
    #[case] rcode: &str,
    #[case] answer: &str,
    #[case] authority: &str,
    #[case] additional: &str,
) {
    let reply = ask(name, qtype);
    assert_eq!(format!("{:?}", reply.response_code), rcode);
    assert_eq!(section(&reply.answers), answer);
    // Owners are compressed against the question, so its case shows in them.
    assert_eq!(section(&reply.authorities), authority);
    assert_eq!(section(&reply.additionals), additional);
    assert!(reply.metadata.authoritative && !reply.metadata.truncation);
    assert!(!reply.metadata.recursion_available && reply.metadata.recursion_desired);
}

#[rstest]
#[case("sub.example.test", rtype::NS)]
#[case("a.sub.example.test", rtype::A)]
#[case("ns.sub.example.test", rtype::A)]
fn referrals_are_not_authoritative(#[case] name: &str, #[case] qtype: u16) {
    let reply = ask(name, qtype);
    assert_eq!(reply.response_code, ResponseCode::NoError);
    assert!(!reply.metadata.authoritative && reply.answers.is_empty());
    assert_eq!(reply.authorities.len(), 2);
    assert_eq!(section(&reply.additionals), "ns.sub.example.test. 3600 A 192.0.2.54");
}

#[rstest]
#[case(None, Transport::Udp, None)]
#[case(Some(512), Transport::Udp, None)]
#[case(Some(100), Transport::Udp, None)]
#[case(Some(65535), Transport::Udp, None)]
#[case(None, Transport::Tcp, Some(40))]
#[case(Some(512), Transport::Tcp, Some(40))]
fn what_does_not_fit_is_truncated(
    #[case] payload: Option<u16>,
    #[case] transport: Transport,
    #[case] whole: Option<usize>,
) {
    let request = query("big.example.test", 16, payload);
    let octets = reply_to(&request, transport).unwrap();
    let reply = Message::from_vec(&octets).unwrap();
    assert_eq!(reply.metadata.truncation, whole.is_none());
    assert_eq!(reply.answers.len(), whole.unwrap_or_default());
    assert_eq!(reply.edns.as_ref().map(|edns| edns.max_payload()), payload.map(|_| 1232));
    assert!(octets.len() <= 512 || whole.is_some());
}

#[test]
fn a_negative_answer_has_the_type_of_the_question() {
    let reply = ask("example.test", rtype::ANY);
    assert_eq!(reply.answers[0].record_type(), RecordType::HINFO);
    assert!(matches!(reply.answers[0].data, RData::HINFO(_)));
    assert_eq!(ask("ent.example.test", rtype::ANY).answers.len(), 0);
}

/// What is wrong with a request is answered by its header alone, or not at all.
#[rstest]
#[case::rfc8906_opcode(|q: &mut Vec<u8>| q[2] = 0x11, Some(4))]
#[case::rfc9619_two_questions(|q: &mut Vec<u8>| q[5] = 2, Some(1))]
#[case::no_question(|q: &mut Vec<u8>| q[5] = 0, Some(1))]
#[case::cut_short(|q: &mut Vec<u8>| q.truncate(20), Some(1))]
#[case::trailing(|q: &mut Vec<u8>| q.push(0), Some(1))]
#[case::another_class(|q: &mut Vec<u8>| { let at = q.len() - 1; q[at] = 3 }, Some(5))]
#[case::outside(|q: &mut Vec<u8>| q[13] = b'x', Some(5))]
#[case::a_response(|q: &mut Vec<u8>| q[2] |= 0x80, None)]
#[case::short(|q: &mut Vec<u8>| q.truncate(11), None)]
fn bad_requests(#[case] spoil: fn(&mut Vec<u8>), #[case] rcode: Option<u8>) {
    let mut request = query("test", rtype::A, None);
    spoil(&mut request);
    let reply = reply_to(&request, Transport::Udp);
    assert_eq!(reply.as_ref().map(|reply| reply[3] & 0x0f), rcode);
    if let Some(reply) = reply {
        assert_eq!(reply[2] & 0x86, 0x80, "QR, no AA, no TC");
        assert_eq!(reply[6..12], [0; 6], "no records");
        assert_eq!(reply[2] & 0x79, request[2] & 0x79, "opcode and RD are copied");
    }
}

#[test]
fn rfc6891_versions_and_options() {
    let mut request = query("www.example.test", rtype::A, Some(1232));
    let version = request.len() - 5;
    request[version] = 1;
    let reply = Message::from_vec(&reply_to(&request, Transport::Udp).unwrap()).unwrap();
    assert_eq!(u16::from(reply.response_code), Rcode::BADVERS.0);
    assert_eq!((reply.answers.len(), reply.edns.unwrap().version()), (0, 0));

    // An option that runs past the record, and a second OPT.
    let mut request = query("www.example.test", rtype::A, Some(1232));
    let len = request.len();
    request[len - 1] = 4;
    request.extend([0, 9, 0, 1]);
    assert_eq!(reply_to(&request, Transport::Udp).unwrap()[3] & 0x0f, 1);
    let mut request = query("www.example.test", rtype::A, Some(1232));
    request[11] = 2;
    request.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);
    assert_eq!(reply_to(&request, Transport::Udp).unwrap()[3] & 0x0f, 1);
}

#[test]
fn rfc8914_a_name_outside_of_all_zones_has_an_extended_error() {
    let reply = reply_to(&query("www.elsewhere.test", rtype::A, Some(512)), Transport::Udp);
    let reply = reply.unwrap();
    assert_eq!((reply[3] & 0x0f, &reply[6..12]), (5, &[0, 0, 0, 0, 0, 1][..]));
    assert!(reply.ends_with(&[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 6, 0, 15, 0, 2, 0, 20]));
    assert!(Message::from_vec(&reply).is_ok());
    let reply = reply_to(&query("www.elsewhere.test", rtype::A, None), Transport::Udp).unwrap();
    assert_eq!((reply[3] & 0x0f, &reply[6..12]), (5, &[0; 6][..]));
}

#[test]
fn rfc9471_a_referral_that_does_not_fit_is_truncated_and_not_authoritative() {
    let reply = ask("wide.example.test", rtype::A);
    assert!(reply.metadata.truncation && !reply.metadata.authoritative);
    assert!(reply.authorities.is_empty() && reply.additionals.is_empty());
}

/// The second one's names take more octets than a compression pointer reaches (RFC 1035 section 4.1.4).
#[rstest]
#[case::after_128_names("", 128..=128)]
#[case::before_names_that_nothing_can_point_at(&format!(".{0}.{0}.{0}", "x".repeat(60)), 60..=90)]
fn long_chains_of_aliases_end(
    #[case] suffix: &str,
    #[case] names_wanted: std::ops::RangeInclusive<usize>,
) {
    let aliases: String =
        (0..200).map(|n| format!("n{n}{suffix} CNAME n{}{suffix}\n", n + 1)).collect();
    let mut snapshot = snapshot();
    snapshot.names = Arc::new(names(&format!("{ZONE}{aliases}"), &["app"]));
    let request = query(&format!("n0{suffix}.example.test"), rtype::A, None);
    let reply = reply_of(&snapshot, &request, Transport::Tcp).unwrap();
    let reply = Message::from_vec(&reply).unwrap();
    assert!(!reply.metadata.truncation && reply.metadata.authoritative);
    assert_eq!(reply.response_code, ResponseCode::NoError);
    assert!(names_wanted.contains(&reply.answers.len()), "{}", reply.answers.len());
    assert!(reply.authorities.is_empty(), "the rest is left to the resolver");
}

#[test]
fn the_soa_behind_a_long_chain_points_as_far_back() {
    let suffix = format!(".{0}.{0}", "x".repeat(60));
    let aliases: String =
        (0..100).map(|n| format!("n{n:0>2}{suffix} CNAME n{:0>2}{suffix}\n", n + 1)).collect();
    let mut snapshot = snapshot();
    snapshot.names = Arc::new(names(&format!("{ZONE}{aliases}"), &["app"]));
    let request = query(&format!("n00{suffix}.example.test"), rtype::A, None);
    let reply = reply_of(&snapshot, &request, Transport::Tcp).unwrap();
    assert!(reply.len() > 0x3b00, "{}", reply.len());
    let reply = Message::from_vec(&reply).unwrap();
    assert_eq!((reply.response_code, reply.answers.len()), (ResponseCode::NXDomain, 100));
    assert_eq!(section(&reply.authorities), SOA);
}

/// Whatever comes in, what goes out can be read and is within its limit.
#[test]
fn no_request_breaks_the_engine() {
    let mut rng = fastrand::Rng::with_seed(11);
    let seeds: Vec<Vec<u8>> = ["app", "a.sub", "c1", "big", "x.d", "", "loop"]
        .map(|name| query(&format!("{name}.example.test"), rtype::A, Some(1232)))
        .into();
    let snapshot = snapshot();
    let metrics = Metrics::new();
    let mut worker = worker(metrics.block(Proto::Udp, Family::V4, false), 7);
    let mut at = Located::default();
    let mut replies = 0;
    for round in 0..20_000 {
        let mut request = seeds[round % seeds.len()].clone();
        for _ in 0..rng.usize(0..4) {
            let position = rng.usize(..request.len());
            request[position] = rng.u8(..);
        }
        request.truncate(rng.usize(1..=request.len() * 4).min(request.len()));
        let mut buffer = vec![0; 4096];
        buffer[..request.len()].copy_from_slice(&request);
        locate(&snapshot, FROM, &request, &mut at);
        if let Verdict::Reply(len) =
            finish(&snapshot, &at, Transport::Udp, &mut buffer, &mut worker)
        {
            replies += 1;
            assert!((12..=1232).contains(&len));
            let reply = Message::from_vec(&buffer[..len]);
            assert!(reply.is_ok(), "{request:?}: {reply:?}");
        }
    }
    assert!(replies > 10_000, "{replies}");
}
