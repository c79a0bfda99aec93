//! The messages of transfers, read by another codec.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::sync::Arc;

use hickory_proto::op::Message;

use super::engine::tests::{query, worker};
use super::engine::transfer_tests::{ixfr, open};
use super::engine::{Located, Transport, Verdict, finish, locate};
use super::transfer::Sending;
use crate::metrics::{Metrics, Proto};
use crate::model::Family;
use crate::problem::Problems;
use crate::routing::{Dynamic, Fixed, Snapshot};
use crate::wire::{Name, TailBuf, rtype};
use crate::zone::{self, Names};

/// The transfer that such a request from an allowed network begins.
fn begin(snapshot: Snapshot, request: &[u8]) -> Sending {
    let block = Metrics::new().block(Proto::Tcp, Family::V4, true);
    let mut worker = worker(Arc::clone(&block), 7);
    let mut at = Located::default();
    locate(&snapshot, [192, 0, 2, 7].into(), request, &mut at);
    let mut buffer = vec![0; 65_535];
    buffer[..request.len()].copy_from_slice(request);
    let verdict = finish(&snapshot, &at, Transport::Tcp, &mut buffer, &mut worker);
    assert_eq!(verdict, Verdict::Transfer);
    Sending::new(Arc::new(snapshot), *worker.transfer.unwrap(), [192, 0, 2, 7].into(), block)
}

fn messages(mut sending: Sending) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    while let Some(message) = sending.next() {
        let (prefix, message) = message.split_first_chunk::<2>().unwrap();
        assert_eq!(usize::from(u16::from_be_bytes(*prefix)), message.len());
        all.push(message.to_vec());
    }
    all
}

/// The records of all messages, a line each, in order.
fn records(messages: &[Vec<u8>]) -> Vec<String> {
    let read = |octets: &Vec<u8>| {
        let message = Message::from_vec(octets).unwrap();
        let line = |r: &hickory_proto::rr::Record| {
            format!("{} {} {} {}", r.name, r.ttl, r.record_type(), r.data)
        };
        message.answers.iter().map(line).collect::<Vec<_>>()
    };
    messages.iter().flat_map(read).collect()
}

/// One zone in the place of the usual ones.
pub(super) fn with_zone(text: &str) -> Snapshot {
    let mut snapshot = open(Dynamic::Omit);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("zone");
    std::fs::write(&path, text).unwrap();
    let mut problems = Problems::default();
    let loaded = zone::load(&path, &Name::from_text("example.test").unwrap(), &mut problems);
    snapshot.names = Arc::new(Names::build(vec![loaded], &[], &mut problems));
    assert!(!problems.any_error(), "{problems}");
    snapshot
}

pub(super) const HEAD: &str =
    "@ 60 SOA ns hostmaster 1 7200 900 1209600 60\n@ 60 NS ns\nns 60 A 192.0.2.53\n";
const SOA: &str =
    "example.test. 60 SOA ns.example.test. hostmaster.example.test. 1 7200 900 1209600 60";

#[test]
fn rfc5936_2_2_the_soa_begins_and_ends_it() {
    let text = "WWW 300 A 192.0.2.1\nwww 300 TXT \"MiXed\"\n* 60 MX 10 Mail.Example.Test.\n\
                sub 60 NS ns.sub\nns.sub 60 A 192.0.2.2\nx.sub 60 TXT occluded\n";
    let all = messages(begin(
        with_zone(&format!("{HEAD}{text}")),
        &query("eXample.test", rtype::AXFR, Some(1232)),
    ));
    let [one] = &all[..] else { panic!("one message, not {}", all.len()) };
    let message = Message::from_vec(one).unwrap();
    assert!(message.metadata.authoritative && message.edns.is_some());
    assert_eq!((one[..2].to_vec(), one[2] & 1, one[3] & 0x7f), (vec![0xab, 0xcd], 1, 0));
    assert_eq!(message.queries[0].name().to_string(), "eXample.test.", "as it was asked");
    let mut records = records(&all);
    assert_eq!((records.remove(0), records.pop().unwrap()), (SOA.into(), SOA.into()));
    records.sort();
    let wanted = [
        "*.example.test. 60 MX 10 Mail.Example.Test.",
        "example.test. 60 NS ns.example.test.",
        "ns.example.test. 60 A 192.0.2.53",
        "ns.sub.example.test. 60 A 192.0.2.2",
        "sub.example.test. 60 NS ns.sub.example.test.",
        "www.example.test. 300 A 192.0.2.1",
        "www.example.test. 300 TXT MiXed",
        "x.sub.example.test. 60 TXT occluded",
    ];
    assert_eq!(records, wanted);
}

#[test]
fn rfc5936_2_2_many_messages() {
    let mut text = HEAD.to_owned();
    for n in 0..3_000 {
        text += &format!("h{n}.sub{} 60 A 10.0.{}.{}\n", n % 7, n / 256, n % 256);
        text += &format!("h{n}.sub{} 60 TXT \"{}\"\n", n % 7, "x".repeat(n % 200));
    }
    // RRsets that are split between messages, and records that nearly fill one.
    for n in 0..100 {
        text += &format!("many 60 TXT \"{n:0>250}\" \"{n:0>250}\"\n");
    }
    for n in 0..4 {
        text += &format!("large{n} 60 TYPE65280 \\# 60000 {}\n", "ab".repeat(60_000));
    }
    for request in [query("example.test", rtype::AXFR, None), ixfr("example.test", 0)] {
        let all = messages(begin(with_zone(&text), &request));
        assert!(all.len() > 9, "{} messages", all.len());
        assert!(all.iter().map(Vec::len).sum::<usize>() > 600_000);
        for (at, octets) in all.iter().enumerate() {
            let message = Message::from_vec(octets).unwrap();
            assert_eq!(message.queries.len(), usize::from(at == 0), "RFC 5936 section 2.2.1");
            assert!(message.authorities.is_empty() && message.additionals.is_empty());
            assert_eq!(message.metadata.id, 0xabcd);
        }
        let records = records(&all);
        assert_eq!(records.len(), 2 + 2 + 6_000 + 100 + 4);
        assert_eq!((&*records[0], &*records[records.len() - 1]), (SOA, SOA));
        assert_eq!(records.iter().collect::<BTreeSet<_>>().len(), records.len() - 1);
    }
}

#[test]
fn dynamic_names_are_left_out_or_fixed() {
    let all = messages(begin(open(Dynamic::Omit), &query("example.test", rtype::AXFR, None)));
    assert!(!records(&all).iter().any(|record| record.starts_with("app.")));
    let fixed = Fixed {
        ttl: 60,
        family: [
            TailBuf::v4([[192, 0, 2, 1].into(), [192, 0, 2, 2].into()]),
            TailBuf::v6(["2001:db8::1".parse().unwrap()]),
        ],
    };
    let snapshot = open(Dynamic::Snapshot([fixed].into()));
    let all = messages(begin(snapshot, &query("example.test", rtype::AXFR, None)));
    let records = records(&all);
    let app: Vec<_> = records.iter().filter(|record| record.starts_with("app.")).collect();
    let wanted = [
        "app.example.test. 60 A 192.0.2.1",
        "app.example.test. 60 A 192.0.2.2",
        "app.example.test. 60 AAAA 2001:db8::1",
    ];
    assert_eq!(app, wanted);
}
