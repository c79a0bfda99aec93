//! Records whose endpoints are names: a CNAME for every type, and aliases of which nothing is known.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use hickory_proto::op::Message;
use rstest::rstest;

use super::tests::{ZONE, name_of, names, query, record, region, section, worker};
use super::*;
use crate::metrics::{Metrics, Proto};
use crate::model::*;
use crate::routing::{Assembly, Inputs, Options, Parts, PoolStanding, compile};
use crate::wire::{Name, rtype};

const FROM: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Any type that has nothing to do with addresses.
const TXT: u16 = 16;

/// A server of `example.test` with the records `app` and `*.any` over one pool each, of which it is known
/// what `up` says; `app` is at the end of a CNAME, `toapp`.
fn snapshot(endpoint: &Endpoint, up: bool, on_all_down: OnAllDown) -> Snapshot {
    let (regions, mut pools): (Vec<_>, Vec<_>) = [region(0, true)].into_iter().unzip();
    let (v4, v6) = Pool::STAND_INS;
    (pools[0].v4, pools[0].v6) = match endpoint {
        Endpoint::Cname(_) => (vec![v4], vec![v6]),
        _ => (Vec::new(), Vec::new()),
    };
    pools[0].endpoint = endpoint.clone();
    let node = PolicyNode { name: None, node: Node::Region(Slot(0)), min_up: 0 };
    let slots = vec![RegionId(0)];
    let tree = Tree { nodes: vec![node], root: NodeId(0), on_all_down, slots, sticky: false };
    let standing = match endpoint {
        Endpoint::Alias(_) => PoolStanding::assumed(&pools[0], false),
        _ => PoolStanding::assumed(&pools[0], up),
    };
    let parts = Parts {
        regions,
        pools,
        trees: vec![tree],
        bindings: vec![Binding { tree: TreeId(0), pools: vec![Some(PoolId(0))] }],
        records: vec![record("app", 0), record("*.any", 0)],
        judging: Judging::default(),
        planning: Default::default(),
        foresight: Default::default(),
    };
    let names = Arc::new(names(ZONE, &["app", "*.any"]));
    let assembly = Assembly::new(parts, names, Arc::default(), Options::default(), |_, _| 0);
    compile(None, &Arc::new(assembly), &Inputs::of(vec![Arc::new(standing)]))
}

fn cname(target: &str) -> Endpoint {
    Endpoint::Cname(Name::from_text(target).unwrap())
}

fn alias() -> Endpoint {
    Endpoint::Alias(name_of("lb"))
}

fn ask(snapshot: &Snapshot, name: &str, qtype: u16) -> Message {
    let request = query(name, qtype, Some(1232));
    let mut worker = worker(Metrics::new().block(Proto::Udp, Family::V4, false), 7);
    let mut at = Located::default();
    locate(snapshot, FROM, &request, &mut at);
    let mut buffer = vec![0; reply_max(Transport::Udp, 1232)];
    buffer[..request.len()].copy_from_slice(&request);
    let Verdict::Reply(len) = finish(snapshot, &at, Transport::Udp, &mut buffer, &mut worker)
    else {
        panic!("no reply");
    };
    Message::from_vec(&buffer[..len]).expect("another codec reads it")
}

#[rstest]
#[case(rtype::A)]
#[case(rtype::AAAA)]
#[case(TXT)]
#[case(rtype::CNAME)]
#[case(rtype::ANY)]
#[case(rtype::NS)]
#[case(rtype::SOA)]
#[case(65)]
#[case(65_280)]
fn rfc1034_a_cname_answers_every_type(#[case] qtype: u16) {
    let snapshot = snapshot(&cname("lb.example.net"), true, OnAllDown::Open);
    for (asked, lead) in [
        ("app.example.test", ""),
        ("a.b.any.example.test", ""),
        ("toapp.example.test", "toapp.example.test. 3600 CNAME app.example.test. | "),
    ] {
        // What stands in the file has its own answer for these.
        if !lead.is_empty() && [rtype::CNAME, rtype::ANY].contains(&qtype) {
            continue;
        }
        let reply = ask(&snapshot, asked, qtype);
        let owner = if lead.is_empty() { asked } else { "app.example.test" };
        let wanted = format!("{lead}{owner}. 60 CNAME lb.example.net.");
        assert_eq!(section(&reply.answers), wanted);
        assert_eq!((section(&reply.authorities), reply.additionals.len()), (String::new(), 0));
        assert!(reply.metadata.authoritative);
    }
}

/// It is not followed, even where the target is served here: who asked will ask for it.
#[test]
fn a_cname_into_a_zone_of_ours_is_the_whole_answer() {
    let snapshot = snapshot(&cname("www.example.test"), true, OnAllDown::Open);
    let reply = ask(&snapshot, "app.example.test", rtype::A);
    assert_eq!(section(&reply.answers), "app.example.test. 60 CNAME www.example.test.");
}

#[test]
fn a_cname_that_is_down_goes_by_the_rules_for_all_down() {
    let open = snapshot(&cname("lb.example.net"), false, OnAllDown::Open);
    let reply = ask(&open, "app.example.test", TXT);
    assert_eq!(section(&reply.answers), "app.example.test. 10 CNAME lb.example.net.");
    let closed = snapshot(&cname("lb.example.net"), false, OnAllDown::Closed);
    for qtype in [rtype::A, TXT] {
        let reply = ask(&closed, "app.example.test", qtype);
        assert_eq!((reply.answers.len(), reply.authorities.len()), (0, 1), "NODATA");
        assert_eq!(reply.authorities[0].ttl, 10);
    }
}

#[test]
fn rfc2308_of_an_alias_of_which_nothing_is_known_nothing_is_said() {
    for on_all_down in [OnAllDown::Open, OnAllDown::Closed, OnAllDown::LastGood] {
        let snapshot = snapshot(&alias(), false, on_all_down);
        for name in ["app.example.test", "toapp.example.test"] {
            for qtype in [rtype::A, rtype::AAAA] {
                let reply = ask(&snapshot, name, qtype);
                assert_eq!(format!("{:?}", reply.metadata.response_code), "ServFail");
                assert!(!reply.metadata.authoritative);
                assert_eq!(reply.authorities.len(), 0);
            }
        }
        // That there is no TXT is known.
        let reply = ask(&snapshot, "app.example.test", TXT);
        assert_eq!(format!("{:?}", reply.metadata.response_code), "NoError");
        assert_eq!(reply.authorities.len(), 1);
    }
}
