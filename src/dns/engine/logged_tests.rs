//! Which answers are logged, and what is said of them.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests"
)]

use super::tests::{query, snapshot, worker};
use super::*;
use crate::metrics::{Metrics, Proto};
use crate::model::Family;
use crate::routing::Logged;
use crate::tap::{Dynamic, Exchange, Line, QUEUE, Queue, Sink};
use crate::wire::{Name, rtype};

/// A worker whose answers are logged, and the other ends of its queues.
struct Bench {
    snapshot: Snapshot,
    metrics: Arc<Metrics>,
    worker: Worker,
    queues: [Queue; 2],
    transport: Transport,
}

impl Bench {
    fn new(share: f64, seed: u64) -> Self {
        let metrics = Metrics::new();
        let worker = worker(metrics.block(Proto::Udp, Family::V4, false), seed);
        let queue = |sink| worker.shared.taps.take(sink).pop().unwrap();
        let queues = Sink::ALL.map(queue);
        let mut snapshot = snapshot();
        let threshold = Logged::threshold(share);
        snapshot.options.logged = Some(Logged { threshold, json: true, dnstap: true });
        Self { snapshot, metrics, worker, queues, transport: Transport::Udp }
    }

    fn ask(&mut self, request: &[u8]) -> Option<Vec<u8>> {
        let mut at = Located::default();
        locate(&self.snapshot, "192.0.2.7".parse().unwrap(), request, &mut at);
        let mut buffer = vec![0; 65_535];
        buffer[..request.len()].copy_from_slice(request);
        let worker = &mut self.worker;
        match finish(&self.snapshot, &at, self.transport, &mut buffer, worker) {
            Verdict::Reply(len) => Some(buffer[..len].to_vec()),
            Verdict::Nothing | Verdict::Transfer => None,
        }
    }

    /// The next record for a sink.
    fn next(&mut self, sink: Sink) -> Option<Vec<u8>> {
        let mut record = Vec::new();
        self.queues[sink as usize].pop(&mut record).then_some(record)
    }

    /// What is said of a question in a line: name, type, code, TTL, and if it is one of a dynamic
    /// record, that, its reason and its regions.
    fn said(&mut self, name: &str, qtype: u16) -> String {
        self.ask(&query(name, qtype, None)).unwrap();
        let record = self.next(Sink::Json).unwrap();
        let (line, regions) = Line::read(&record).unwrap();
        let asked = line.asked.unwrap();
        let name = |wire: &[u8]| Name::from_wire(wire).unwrap().to_string();
        let mut text = format!("{} {} {}", name(asked.name), asked.qtype, line.rcode);
        if let Some(ttl) = line.ttl {
            text += &format!(" ttl {ttl}");
        }
        if line.truncated {
            text += " tc";
        }
        if let Some(Dynamic { record, reason }) = line.dynamic {
            text += &format!(" {} {reason} {:?}", name(record), regions.collect::<Vec<_>>());
        }
        text
    }
}

#[test]
fn a_line_says_what_was_answered() {
    let mut bench = Bench::new(1.0, 7);
    for (name, qtype, said) in [
        ("App.example.test", rtype::A, r#"0 ttl 60 app.example.test available ["r0"]"#),
        ("toapp.example.test", rtype::A, r#"0 ttl 60 app.example.test available ["r0"]"#),
        ("app.example.test", rtype::AAAA, r#"0 ttl 60 app.example.test no_family []"#),
        ("app.example.test", rtype::TXT, "0 ttl 60"),
        ("www.example.test", rtype::A, "0 ttl 3600"),
        ("nowhere.example.test", rtype::A, "3 ttl 60"),
        ("elsewhere.test", rtype::A, "5"),
        ("big.example.test", rtype::TXT, "0 tc"),
    ] {
        let lower = name.to_ascii_lowercase();
        assert_eq!(bench.said(name, qtype), format!("{lower} {qtype} {said}"));
    }
}

#[test]
fn an_exchange_is_as_it_was_on_the_wire() {
    let mut bench = Bench::new(1.0, 7);
    bench.worker.ends = Ends { client_port: 4321, server: "192.0.2.53:53".parse().ok() };
    bench.worker.now = Now { unix_secs: 5, nanos: 6, millis: 7 };
    let request = query("www.example.test", rtype::A, Some(1232));
    let reply = bench.ask(&request).unwrap();
    let record = bench.next(Sink::Dnstap).unwrap();
    let exchange = Exchange::read(&record).unwrap();
    assert_eq!((exchange.query, exchange.reply), (&request[..], &reply[..]));
    assert_eq!(exchange.client, "192.0.2.7:4321".parse().unwrap());
    assert_eq!(exchange.server, "192.0.2.53:53".parse().ok());
    assert_eq!((exchange.at.unix_secs, exchange.at.nanos), (5, 6));
    assert_eq!(exchange.transport, crate::tap::Transport::Udp);
}

#[test]
fn a_message_without_a_question_has_a_line_without_one() {
    let mut bench = Bench::new(1.0, 7);
    // Asked before, so that the name of another question is still at hand.
    bench.said("www.example.test", rtype::A);
    let mut notify = query("www.example.test", rtype::SOA, None);
    notify[2] = 4 << 3;
    bench.ask(&notify).unwrap();
    let record = bench.next(Sink::Json).unwrap();
    let (line, _) = Line::read(&record).unwrap();
    assert_eq!((line.asked, line.opcode, line.rcode), (None, 4, 4));
}

#[test]
fn what_gets_no_reply_is_not_logged() {
    let mut bench = Bench::new(1.0, 7);
    let mut response = query("www.example.test", rtype::A, None);
    response[2] |= 0x80;
    assert_eq!(bench.ask(&response), None);
    assert_eq!(bench.ask(&response[..11]), None);
    assert_eq!((bench.next(Sink::Json), bench.next(Sink::Dnstap)), (None, None));
}

/// Of 20,000 answers a share of 0.1 is 2,000 with a standard deviation of 42.4. What is more than four
/// of them away comes once in 15,000 seeds; these are fixed.
#[test]
fn a_sample_is_a_fair_share() {
    for seed in [1, 2, 3] {
        let mut bench = Bench::new(0.1, seed);
        let request = query("www.example.test", rtype::A, None);
        let mut logged = 0_u32;
        for _ in 0..20_000 {
            bench.ask(&request).unwrap();
            let line = bench.next(Sink::Json).is_some();
            assert_eq!(bench.next(Sink::Dnstap).is_some(), line, "both or neither");
            logged += u32::from(line);
        }
        assert!(logged.abs_diff(2000) <= 170, "{logged}");
    }
}

#[test]
fn a_full_queue_costs_the_log_and_nothing_else() {
    let mut bench = Bench::new(1.0, 7);
    let request = query("www.example.test", rtype::A, None);
    let asked = QUEUE / 40;
    for _ in 0..asked {
        assert!(bench.ask(&request).is_some());
    }
    let mut kept = 0;
    while bench.next(Sink::Json).is_some() {
        kept += 1;
    }
    assert!(kept > 10_000, "{kept}");
    let series = r#"trimtab_query_log_dropped_total{sink="json",reason="full"}"#;
    let line = format!("{series} {}", asked - kept);
    assert!(asked > kept && bench.metrics.text().contains(&line), "no {line}");
}

#[test]
fn nothing_is_left_over_for_answers_that_are_not_logged() {
    let mut bench = Bench::new(1.0, 7);
    bench.said("app.example.test", rtype::A);
    bench.snapshot.options.logged = None;
    let request = query("app.example.test", rtype::A, None);
    bench.ask(&request).unwrap();
    assert_eq!(bench.next(Sink::Json), None);
    assert!(!bench.worker.tap.note.wanted);
}
