//! Whom an answer is for: EDNS Client Subnet in, and the scope out.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::net::IpAddr;
use std::sync::Arc;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::opt::{ClientSubnet, EdnsCode, EdnsOption};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rstest::rstest;

use super::tests::{ZONE, names, query, record, region, section, worker};
use super::*;
use crate::geo::{Geo, LatencyTable, Network};
use crate::metrics::{Metrics, Proto};
use crate::model::*;
use crate::routing::{Assembly, Inputs, Options, Parts, Places, PoolStanding, compile};
use crate::wire::rtype;

/// What of the world is known to be in Germany, and a part of that which is in France.
const NETWORKS: [(&str, &str); 3] =
    [("81.2.0.0/16", "DE"), ("81.2.64.0/18", "FR"), ("2a02:100::/32", "DE")];
const GERMAN: &str = "81.2.3.4";
const ELSEWHERE: &str = "9.9.9.9";

/// A tree with a rule for Germany.
fn german(to: Node, default: Option<Node>) -> Tree {
    let mut nodes = vec![to];
    nodes.extend(default);
    let keys = GeoKeys { country: vec!["DE".parse().unwrap()], ..GeoKeys::default() };
    let rules = vec![GeoRule { keys, to: NodeId(0) }];
    let default = (nodes.len() == 2).then_some(NodeId(1));
    let root = NodeId(nodes.len() as u32);
    let missing = MissingFamily::Nodata;
    nodes.push(Node::Geolocation { rules, default, fence: false, missing });
    tree(nodes, root)
}

fn tree(nodes: Vec<Node>, root: NodeId) -> Tree {
    let nodes = nodes.into_iter().map(|node| PolicyNode { name: None, node, min_up: 0 }).collect();
    let slots = vec![RegionId(0), RegionId(1)];
    Tree { nodes, root, on_all_down: OnAllDown::Open, slots, sticky: false }
}

/// `app`: Germans are answered by region 0, which has no IPv6, all others by region 1. `de`:
/// nobody but Germans, by region 0. `all`: region 1.
fn world(client_subnet: bool) -> Snapshot {
    let (regions, pools): (Vec<_>, Vec<_>) =
        [region(0, false), region(1, true)].into_iter().unzip();
    let [zero, one] = [0, 1].map(|slot| Node::Region(Slot(slot)));
    let trees = vec![
        german(zero.clone(), Some(one.clone())),
        german(zero, None),
        tree(vec![one], NodeId(0)),
    ];
    let binding = |tree| Binding {
        tree: TreeId(tree),
        pools: vec![Some(PoolId(0)), (tree != 1).then_some(PoolId(1))],
    };
    let records = vec![record("app", 0), record("de", 1), record("all", 2)];
    let parts = Parts {
        regions,
        pools,
        trees,
        bindings: (0..3).map(binding).collect(),
        records,
        judging: Judging::default(),
        planning: Default::default(),
        foresight: Default::default(),
    };
    let networks = NETWORKS.map(|(prefix, country)| Network {
        prefix: prefix.parse().unwrap(),
        attributes: Attributes { country: country.parse().ok(), ..Attributes::default() },
    });
    let geo = Geo { networks: networks.into(), databases: Vec::new() };
    let places = Places::build(&parts, &geo, &LatencyTable::default()).unwrap();
    let zone = format!("{ZONE}toall CNAME all\ntode CNAME de\ntoapp2 CNAME toapp\n");
    let names = names(&zone, &["app", "de", "all"]);
    let pools: Vec<_> =
        parts.pools.iter().map(|pool| Arc::new(PoolStanding::assumed(pool, true))).collect();
    let options = Options { client_subnet, ..Options::default() };
    let assembly = Assembly::new(parts, Arc::new(names), Arc::new(places), options, |_, _| 0);
    compile(None, &Arc::new(assembly), &Inputs::of(pools))
}

/// A client subnet option by hand.
fn ecs(family: u16, source: u8, scope: u8, address: &[u8]) -> Vec<u8> {
    let (len, family) = ((address.len() as u16 + 4).to_be_bytes(), family.to_be_bytes());
    [&[0, 8], &len[..], &family, &[source, scope], address].concat()
}

/// The option for a prefix, right in every way.
fn prefix(text: &str) -> Vec<u8> {
    let (address, len) = text.split_once('/').unwrap();
    let len: u8 = len.parse().unwrap();
    let (family, octets) = match address.parse().unwrap() {
        IpAddr::V4(v4) => (1, v4.octets().to_vec()),
        IpAddr::V6(v6) => (2, v6.octets().to_vec()),
    };
    ecs(family, len, 0, &octets[..usize::from(len).div_ceil(8)])
}

/// A query with these octets in its OPT record.
fn asking(name: &str, qtype: u16, payload: u16, options: &[u8]) -> Vec<u8> {
    let mut request = query(&format!("{name}.example.test"), qtype, Some(payload));
    let at = request.len() - 2;
    request[at..].copy_from_slice(&(options.len() as u16).to_be_bytes());
    request.extend(options);
    request
}

/// Queries to one engine, and what it counted of them.
struct Bench {
    snapshot: Snapshot,
    metrics: Arc<Metrics>,
    worker: Worker,
    transport: Transport,
}

impl Bench {
    fn new(client_subnet: bool) -> Self {
        let metrics = Metrics::new();
        let worker = worker(metrics.block(Proto::Udp, Family::V4, false), 7);
        let snapshot = world(client_subnet);
        Self { snapshot, metrics, worker, transport: Transport::Udp }
    }

    fn reply(&mut self, from: &str, request: &[u8]) -> Vec<u8> {
        let mut at = Located::default();
        locate(&self.snapshot, from.parse().unwrap(), request, &mut at);
        let mut buffer = vec![0; reply_max(self.transport, 4096).max(request.len())];
        buffer[..request.len()].copy_from_slice(request);
        match finish(&self.snapshot, &at, self.transport, &mut buffer, &mut self.worker) {
            Verdict::Reply(len) => buffer[..len].to_vec(),
            Verdict::Nothing | Verdict::Transfer => panic!("a reply"),
        }
    }

    /// The first answer, or the rcode; and the scope, if there is one.
    fn ask(&mut self, from: &str, name: &str, qtype: u16, options: &[u8]) -> (String, Option<u8>) {
        let octets = self.reply(from, &asking(name, qtype, 1232, options));
        let reply = Message::from_vec(&octets).expect("another codec reads it");
        let answer = match section(&reply.answers) {
            none if none.is_empty() => format!("{:?}", reply.response_code),
            answer => answer,
        };
        (answer, subnet_of(&reply).map(|subnet| subnet.scope_prefix()))
    }

    /// How many subnets were used, and how many were not.
    fn counted(&self) -> [u64; 2] {
        let text = self.metrics.text();
        ["yes", "no"].map(|used| {
            let series = format!("trimtab_dns_client_subnet_total{{used=\"{used}\"}} ");
            text.lines().find_map(|line| line.strip_prefix(&series)).unwrap().parse().unwrap()
        })
    }
}

/// The one option of a reply's OPT record, if it is a client subnet.
fn subnet_of(reply: &Message) -> Option<ClientSubnet> {
    let options = &reply.edns.as_ref().expect("an OPT").options().options;
    assert!(options.iter().filter(|(code, _)| *code == EdnsCode::Subnet).count() <= 1);
    options.iter().find_map(|(_, option)| match option {
        EdnsOption::Subnet(subnet) => Some(*subnet),
        _ => None,
    })
}

const R0: &str = "app.example.test. 60 A 198.51.100.0";
const R1: &str = "app.example.test. 60 A 198.51.100.1";

/// Who asks, for which subnet; what is answered, for whom, and whether the subnet decided.
#[rstest]
#[case::rfc7871_7_2_1_a_network("app", rtype::A, ELSEWHERE, "81.2.3.0/24", R0, 18, true)]
#[case::whoever_forwards_it("app", rtype::A, GERMAN, "81.3.1.0/24", R1, 16, true)]
#[case::within_another("app", rtype::A, GERMAN, "81.2.64.0/24", R1, 18, true)]
#[case::one_address("app", rtype::A, ELSEWHERE, "81.2.3.4/32", R0, 18, true)]
#[case::as_long_as_the_entry("app", rtype::A, ELSEWHERE, "81.2.0.0/18", R0, 18, true)]
#[case::shorter_than_the_entry("app", rtype::A, GERMAN, "81.0.0.0/8", R1, 15, true)]
#[case::ipv6("app", rtype::A, ELSEWHERE, "2a02:100:1::/48", R0, 32, true)]
#[case::ipv6_elsewhere("app", rtype::A, GERMAN, "2a02:101:1::/56", R1, 32, true)]
#[case::ipv6_over_a_bit_more("app", rtype::A, GERMAN, "2a02:101:8000::/33", R1, 32, true)]
#[case::rfc7871_7_1_2_nobody_from_germany("app", rtype::A, GERMAN, "0.0.0.0/0", R0, 0, false)]
#[case::rfc7871_7_1_2_nobody_from_elsewhere("app", rtype::A, ELSEWHERE, "::/0", R1, 0, false)]
#[case::rfc7871_10_a_private_one("app", rtype::A, GERMAN, "10.1.2.0/24", R0, 8, false)]
#[case::rfc7871_10_private_elsewhere("app", rtype::A, ELSEWHERE, "10.1.2.0/24", R1, 8, false)]
#[case::nodata_of_a_class("app", rtype::AAAA, ELSEWHERE, "81.2.3.0/24", "NoError", 18, true)]
#[case::nodata_by_default("de", rtype::A, GERMAN, "81.3.1.0/24", "NoError", 16, true)]
#[case::nodata_for_all("de", rtype::AAAA, GERMAN, "81.2.3.0/24", "NoError", 0, false)]
#[case::nodata_of_a_type("app", 16, GERMAN, "81.2.3.0/24", "NoError", 0, false)]
#[case::one_answer_for_all(
    "all",
    rtype::A,
    GERMAN,
    "81.2.3.0/24",
    "all.example.test. 60 A 198.51.100.1",
    0,
    false
)]
#[case::static_record(
    "www",
    rtype::A,
    GERMAN,
    "81.2.3.0/24",
    "www.example.test. 3600 A 192.0.2.1",
    0,
    false
)]
#[case::static_nodata("www", 16, GERMAN, "81.2.3.0/24", "NoError", 0, false)]
#[case::nxdomain("nope", rtype::A, GERMAN, "81.2.3.0/24", "NXDomain", 0, false)]
#[case::referral("a.sub", rtype::A, GERMAN, "81.2.3.0/24", "NoError", 0, false)]
#[case::rfc7871_7_2_1_cnames_apart(
    "toapp",
    rtype::A,
    GERMAN,
    "81.2.3.0/24",
    "toapp.example.test. 3600 CNAME app.example.test.",
    0,
    false
)]
#[case::rfc7871_7_2_1_two_cnames_apart(
    "toapp2",
    rtype::AAAA,
    GERMAN,
    "81.2.3.0/24",
    "toapp2.example.test. 3600 CNAME toapp.example.test. | toapp.example.test. 3600 CNAME app.example.test.",
    0,
    false
)]
#[case::rfc7871_10_cnames_apart(
    "toapp",
    rtype::A,
    GERMAN,
    "10.1.2.0/24",
    "toapp.example.test. 3600 CNAME app.example.test.",
    0,
    false
)]
#[case::cnames_from_nobody(
    "toapp",
    rtype::A,
    GERMAN,
    "0.0.0.0/0",
    "toapp.example.test. 3600 CNAME app.example.test. | app.example.test. 60 A 198.51.100.0",
    0,
    false
)]
#[case::cnames_to_what_is_for_all(
    "toall",
    rtype::A,
    GERMAN,
    "81.2.3.0/24",
    "toall.example.test. 3600 CNAME all.example.test. | all.example.test. 60 A 198.51.100.1",
    0,
    false
)]
fn whom_an_answer_is_for(
    #[case] name: &str,
    #[case] qtype: u16,
    #[case] from: &str,
    #[case] subnet: &str,
    #[case] answer: &str,
    #[case] scope: u8,
    #[case] used: bool,
) {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut bench = Bench { transport, ..Bench::new(true) };
        let option = prefix(subnet);
        let octets = bench.reply(from, &asking(name, qtype, 1232, &option));
        let reply = Message::from_vec(&octets).expect("another codec reads it");
        let found = section(&reply.answers);
        let found = if found.is_empty() { format!("{:?}", reply.response_code) } else { found };
        assert_eq!(found, answer);
        // Family, source and address as they came.
        let echo = [&option[..7], &[scope], &option[8..]].concat();
        assert!(octets.windows(echo.len()).any(|part| part == echo), "{octets:?}");
        let (address, len) = subnet.split_once('/').unwrap();
        let wanted = ClientSubnet::new(address.parse().unwrap(), len.parse().unwrap(), scope);
        assert_eq!(subnet_of(&reply), Some(wanted));
        assert_eq!(bench.counted(), [u64::from(used), u64::from(!used)]);
    }
}

#[test]
fn rfc7871_7_2_1_a_name_behind_cnames_is_asked_for_by_itself() {
    let mut bench = Bench::new(true);
    let reply = bench.reply(GERMAN, &asking("toapp", rtype::A, 1232, &prefix("81.2.3.0/24")));
    let reply = Message::from_vec(&reply).unwrap();
    assert!(reply.metadata.authoritative && reply.authorities.is_empty(), "this is no NODATA");
    let negative = bench.reply(GERMAN, &asking("tode", rtype::AAAA, 1232, &prefix("81.2.3.0/24")));
    let negative = Message::from_vec(&negative).unwrap();
    assert_eq!((negative.answers.len(), negative.authorities.len()), (1, 1), "for all alike");
}

#[test]
fn without_a_subnet_the_source_address_decides() {
    let mut bench = Bench::new(true);
    for (from, wanted) in [(GERMAN, R0), ("2a02:100::1", R0), (ELSEWHERE, R1), ("::1", R1)] {
        assert_eq!(bench.ask(from, "app", rtype::A, &[]), (wanted.to_owned(), None));
        let chain = format!("toapp.example.test. 3600 CNAME app.example.test. | {wanted}");
        assert_eq!(bench.ask(from, "toapp", rtype::A, &[]), (chain, None));
        let plain = bench.reply(from, &query("app.example.test", rtype::A, None));
        assert_eq!(section(&Message::from_vec(&plain).unwrap().answers), wanted);
    }
    assert_eq!(bench.counted(), [0, 0]);
}

/// Some clients send neither family nor address to say that theirs is not to be used.
#[test]
fn a_subnet_of_no_family_and_no_address_is_nobody() {
    let mut bench = Bench::new(true);
    let option = ecs(0, 0, 0, &[]);
    let reply = bench.reply(GERMAN, &asking("app", rtype::A, 1232, &option));
    assert_eq!((reply[3] & 0x0f, reply[7]), (0, 1));
    assert!(reply.ends_with(&option), "{reply:?}");
    assert_eq!(bench.counted(), [0, 1]);
}

#[rstest]
#[case::family(ecs(3, 0, 0, &[]))]
#[case::family_0_with_a_length(ecs(0, 8, 0, &[10]))]
#[case::family_0_with_an_address(ecs(0, 0, 0, &[0]))]
#[case::ipv4_over_32(ecs(1, 33, 0, &[81, 2, 3, 4, 0]))]
#[case::ipv6_over_128(ecs(2, 129, 0, &[0x2a; 17]))]
#[case::ipv6_over_128_short(ecs(2, 255, 0, &[0x2a; 16]))]
#[case::a_scope(ecs(1, 24, 24, &[81, 2, 3]))]
#[case::too_few_octets(ecs(1, 24, 0, &[81, 2]))]
#[case::too_many_octets(ecs(1, 24, 0, &[81, 2, 3, 0]))]
#[case::an_address_for_nobody(ecs(1, 0, 0, &[0]))]
#[case::a_bit_behind_the_prefix(ecs(1, 23, 0, &[81, 2, 3]))]
#[case::a_bit_behind_a_short_prefix(ecs(1, 1, 0, &[0xc0]))]
#[case::a_bit_behind_in_ipv6(ecs(2, 31, 0, &[0x2a, 2, 1, 1]))]
#[case::nothing_in_it(vec![0, 8, 0, 0])]
#[case::cut_short(vec![0, 8, 0, 3, 0, 1, 0])]
#[case::two_of_them([prefix("81.2.3.0/24"), prefix("81.2.3.0/24")].concat())]
#[case::one_of_them_malformed([prefix("81.2.3.0/24"), ecs(1, 1, 0, &[])].concat())]
#[case::past_the_record([prefix("81.2.3.0/24"), vec![0, 8, 0, 9]].concat())]
fn rfc7871_7_1_2_a_malformed_subnet(#[case] options: Vec<u8>) {
    for name in ["app", "www", "nope"] {
        let mut bench = Bench::new(true);
        assert_eq!(bench.ask(GERMAN, name, rtype::A, &options), ("FormErr".to_owned(), None));
        assert_eq!(bench.counted(), [0, 0]);
    }
}

/// RFC 6891 section 6.1.2: what is not supported is ignored, in whatever form it comes.
#[rstest]
#[case::valid(prefix("81.2.3.0/24"))]
#[case::malformed(ecs(7, 200, 1, &[1]))]
#[case::twice([prefix("81.2.3.0/24"), ecs(7, 200, 1, &[1])].concat())]
fn rfc7871_7_2_1_no_subnet_while_they_are_off(#[case] options: Vec<u8>) {
    let mut bench = Bench::new(false);
    assert_eq!(bench.ask(ELSEWHERE, "app", rtype::A, &options), (R1.to_owned(), None));
    assert_eq!(bench.ask(GERMAN, "app", rtype::A, &options), (R0.to_owned(), None));
    let chain = format!("toapp.example.test. 3600 CNAME app.example.test. | {R0}");
    assert_eq!(bench.ask(GERMAN, "toapp", rtype::A, &options), (chain, None));
    assert_eq!(bench.counted(), [0, 3]);
}

#[test]
fn beside_other_options_and_errors() {
    let mut bench = Bench::new(true);
    let subnet = prefix("81.2.3.0/24");
    let cookie = [0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8];
    for options in [[&cookie[..], &subnet].concat(), [&subnet, &cookie[..]].concat()] {
        let wanted = (R0.to_owned(), Some(18));
        assert_eq!(bench.ask(ELSEWHERE, "app", rtype::A, &options), wanted);
    }

    let mut outside = query("www.elsewhere.test", rtype::A, Some(512));
    let at = outside.len() - 1;
    outside[at] = subnet.len() as u8;
    outside.extend(&subnet);
    let reply = Message::from_vec(&bench.reply(GERMAN, &outside)).unwrap();
    assert_eq!(reply.response_code, ResponseCode::Refused);
    assert_eq!(subnet_of(&reply).map(|subnet| subnet.scope_prefix()), Some(0));
    let options = &reply.edns.as_ref().unwrap().options().options;
    let error = (EdnsCode::Unknown(15), EdnsOption::Unknown(15, vec![0, 20]));
    assert!(options.len() == 2 && options.contains(&error), "{options:?}");

    // What version 1 means by its options is not known (RFC 6891 section 6.1.3).
    let mut version = asking("app", rtype::A, 1232, &ecs(3, 0, 0, &[]));
    let at = version.len() - 13;
    version[at] = 1;
    let reply = Message::from_vec(&bench.reply(GERMAN, &version)).unwrap();
    assert_eq!((u16::from(reply.response_code), subnet_of(&reply)), (Rcode::BADVERS.0, None));
}

#[test]
fn options_count_against_the_size() {
    let zone: String = (0..10).map(|n| format!("big TXT \"{n:0>40}\"\n")).collect();
    let mut bench = Bench::new(true);
    bench.snapshot.names = Arc::new(names(&format!("{ZONE}{zone}"), &["app", "de", "all"]));
    let text = "n".repeat(128);
    bench.snapshot.options.nsid = Some(text.as_str().into());
    let (nsid, cookie) = (vec![0, 3, 0, 0], [&[0, 10, 0, 8][..], b"a client"].concat());
    for (option, wanted) in [
        (nsid.clone(), [&[0, 3, 0, 128], text.as_bytes()].concat()),
        (cookie.clone(), [&[0, 10, 0, 24][..], b"a client", &[1, 0, 0, 0]].concat()),
        ([nsid, cookie, prefix("81.2.3.0/24")].concat(), text.into_bytes()),
    ] {
        let whole = bench.reply(GERMAN, &asking("big", 16, 1232, &option)).len() as u16;
        for (payload, truncated) in [(whole, false), (whole - 1, true), (512, true)] {
            let octets = bench.reply(GERMAN, &asking("big", 16, payload, &option));
            assert_eq!(octets[2] & 2 > 0, truncated, "{option:?} in {payload}");
            assert!(octets.len() <= usize::from(payload) && octets[11] == 1);
            assert!(octets.windows(wanted.len()).any(|part| part == wanted));
        }
    }
    for subnet in ["0.0.0.0/0", "81.2.3.0/24", "2a02:100::1/128"] {
        let option = prefix(subnet);
        let whole = bench.reply(GERMAN, &asking("big", 16, 1232, &option)).len() as u16;
        assert!((512..1232).contains(&whole), "{whole}");
        for (payload, truncated) in [(whole, false), (whole - 1, true), (512, true)] {
            let octets = bench.reply(GERMAN, &asking("big", 16, payload, &option));
            let reply = Message::from_vec(&octets).unwrap();
            assert_eq!(reply.metadata.truncation, truncated, "{subnet} in {payload}");
            assert!(octets.len() <= usize::from(payload));
            assert!(octets.ends_with(&option), "it is sent back in a truncated reply too");
        }
    }
}

/// Options of any kind: random octets, and client subnets that are right but for a detail.
fn options() -> impl Strategy<Value = Vec<u8>> {
    let octets = |most| prop::collection::vec(any::<u8>(), 0..most);
    let subnet =
        (0_u16..4, any::<u8>(), prop_oneof![4 => Just(0_u8), 1 => any::<u8>()], octets(18))
            .prop_map(|(family, source, scope, address)| ecs(family, source, scope, &address));
    let right = (any::<u32>(), 0_u32..=32).prop_map(|(bits, len)| {
        let bits = bits & u32::MAX.checked_shl(32 - len).unwrap_or_default();
        prefix(&format!("{}/{len}", std::net::Ipv4Addr::from_bits(bits)))
    });
    let other = (any::<u16>(), octets(30)).prop_map(|(code, data)| {
        [&code.to_be_bytes()[..], &(data.len() as u16).to_be_bytes(), &data].concat()
    });
    let one = prop_oneof![2 => subnet, 4 => right, 2 => other, 1 => octets(8)];
    prop::collection::vec(one, 0..4).prop_map(|all| all.concat())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4_000,
        rng_seed: RngSeed::Fixed(7871),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_the_options_are_a_reply_is_sound_and_within_its_limit(
        options in options(),
        payload in any::<u16>(),
        on in any::<bool>(),
        name in prop::sample::select(vec!["app", "toapp", "de", "www", "nope", "a.sub", "loop"]),
    ) {
        // Snapshots are made once: they are what takes the time.
        thread_local! {
            static BENCHES: std::cell::RefCell<[Bench; 2]> =
                [false, true].map(Bench::new).into();
        }
        let reply = BENCHES.with_borrow_mut(|benches| {
            benches[usize::from(on)].reply(GERMAN, &asking(name, rtype::A, payload, &options))
        });
        prop_assert!(reply.len() <= usize::from(payload.clamp(512, 1232)));
        // The OPT record is the last one, and ends where its length says.
        let echo = (0..reply.len()).rev().find_map(|at| match reply.get(at..)? {
            [0, 0, 41, _, _, _, _, _, _, l1, l0, data @ ..]
                if usize::from(u16::from_be_bytes([*l1, *l0])) == data.len() => Some(data),
            _ => None,
        });
        let echo = echo.expect("an OPT record at the end");
        prop_assert!(on || echo.is_empty());
        if let [_, _, _, _, _, family, _, scope, ..] = *echo {
            prop_assert!(scope <= [0, 32, 128][usize::from(family)]);
            let same = |sent: &[u8]| sent[..7] == echo[..7] && sent[8..] == echo[8..];
            prop_assert!(options.windows(echo.len()).any(same), "{:?} was not sent", echo);
        }
        // The codec does not know of subnets without a family.
        if echo.get(4..6) != Some(&[0, 0]) {
            prop_assert!(Message::from_vec(&reply).is_ok());
        }
    }
}
