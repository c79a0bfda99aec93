//! Queries as another codec reads them, and answers.

use std::net::IpAddr;

use hickory_proto::op::Message;
use hickory_proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use hickory_proto::serialize::binary::BinDecodable;

use crate::load::messages::{Answer, Ecs, Extras, HEADER, LONGEST, Messages, PAYLOAD};
use crate::load::questions::Question;

fn messages(extras: Extras) -> Messages {
    let questions = ["www.example.test A", "example.test AAAA"].map(|line| {
        let (name, rtype) = line.split_once(' ').unwrap();
        Question { name: name.parse().unwrap(), rtype: rtype.parse().unwrap() }
    });
    Messages::new(&questions, extras, &mut fastrand::Rng::with_seed(4)).unwrap()
}

fn written(messages: &Messages, question: u32, label: u32, seed: u64) -> Vec<u8> {
    let (mut octets, mut rng) = ([0xff; LONGEST], fastrand::Rng::with_seed(seed));
    let len = messages.write(question, 0x1234, label, &mut rng, &mut octets);
    octets[..len].to_vec()
}

/// As another codec reads it.
fn decoded(octets: &[u8]) -> Message {
    Message::from_bytes(octets).unwrap()
}

#[test]
fn a_plain_query_has_nothing_but_its_question() {
    let octets = written(&messages(Extras::default()), 1, 0, 1);
    let message = decoded(&octets);
    assert_eq!(message.metadata.id, 0x1234);
    assert_eq!(message.queries[0].to_string(), "example.test. IN AAAA");
    assert_eq!(octets.len(), HEADER + "example.test".len() + 2 + 4);
    assert!(!message.metadata.recursion_desired && message.edns.is_none());
}

#[test]
fn all_extras_together_are_a_sound_message() {
    let ecs = Some(Ecs::Fixed("2001:db8:8000::/33".parse().unwrap()));
    let extras = Extras { subdomain: true, edns: Some(4096), ecs, cookie: true };
    let octets = written(&messages(extras), 0, 0xc0ff_ee42, 1);
    assert!(octets.len() <= LONGEST);
    let message = decoded(&octets);
    assert_eq!(message.queries[0].to_string(), "c0ffee42.www.example.test. IN A");
    let edns = message.edns.unwrap();
    assert_eq!(edns.max_payload(), 4096);
    let Some(EdnsOption::Subnet(subnet)) = edns.option(EdnsCode::Subnet) else { panic!() };
    assert_eq!((subnet.addr().to_string(), subnet.source_prefix()), ("2001:db8:8000::".into(), 33));
    assert!(edns.option(EdnsCode::Cookie).is_some());
}

#[test]
fn random_subnets_are_many_and_those_of_clients() {
    let messages = messages(Extras { ecs: Some(Ecs::Random24), ..Extras::default() });
    let mut seen = std::collections::HashSet::new();
    for seed in 0..1000 {
        let message = decoded(&written(&messages, 0, 0, seed));
        let edns = message.edns.unwrap();
        assert_eq!(edns.max_payload(), PAYLOAD);
        let Some(EdnsOption::Subnet(subnet)) = edns.option(EdnsCode::Subnet) else { panic!() };
        let IpAddr::V4(address) = subnet.addr() else { panic!("{subnet:?}") };
        assert_eq!((subnet.source_prefix(), address.octets()[3]), (24, 0));
        assert!(!address.is_loopback() && !address.is_multicast() && address.octets()[0] > 0);
        seen.insert(address);
    }
    assert!(seen.len() > 990, "{}", seen.len());
}

#[test]
fn an_answer_must_repeat_the_question() {
    for extras in [Extras::default(), Extras { subdomain: true, ..Extras::default() }] {
        let messages = messages(extras);
        let mut reply = written(&messages, 0, 77, 1);
        assert_eq!(messages.read(0, 77, &reply), None, "it is a query");
        reply[2..4].copy_from_slice(&[0x86, 3]);
        reply[6..8].copy_from_slice(&[1, 2]);
        let answer = Answer { rcode: 3, truncated: true, answers: 258 };
        assert_eq!(messages.read(0, 77, &reply), Some(answer));
        assert_eq!(messages.read(0, 78, &reply).is_some(), !extras.subdomain);
        assert_eq!(messages.read(1, 77, &reply), None);
        for at in HEADER..reply.len() {
            let mut other = reply.clone();
            other[at] ^= 1;
            assert_eq!(messages.read(0, 77, &other), None, "octet {at}");
            assert_eq!(messages.read(0, 77, &reply[..at]), None, "{at} octets");
        }
    }
}
