//! Sizes of messages, and what travels over TCP.

use std::io::Write;
use std::net::Shutdown;
use std::time::Duration;

use hickory_proto::rr::RecordType;
use rstest::rstest;
use trimtab::clock::now;

use crate::example::example;
use crate::harness::{Question, Reply, Site, TcpClient, Via, exchange};

/// `big` needs between 512 and 1232 octets, `huge` more.
fn txt(name: &str) -> Question {
    Question::new(&format!("{name}.example.test"), RecordType::TXT)
}

#[track_caller]
fn assert_truncated(reply: &Reply, edns: bool) {
    assert_eq!(reply.text(), "NoError aa tc", "nothing but the question");
    assert_eq!(reply.message.edns.is_some(), edns, "OPT stays if one came (RFC 6891 section 7)");
}

#[track_caller]
fn assert_whole(reply: &Reply, count: usize) {
    assert!(!reply.message.metadata.truncation, "{}", reply.text());
    assert_eq!(reply.message.answers.len(), count, "whole RRsets only (RFC 2181 section 9)");
}

#[rstest]
#[case::rfc1035_4_2_1_no_edns_is_512("big", None, None)]
#[case::rfc6891_6_2_3_0_is_512("big", Some(0), None)]
#[case::rfc6891_6_2_3_511_is_512("big", Some(511), None)]
#[case::rfc6891_6_2_5_less_than_it_needs("big", Some(800), None)]
#[case::rfc6891_6_2_5_enough("big", Some(1232), Some(8))]
#[case::rfc9715_3_more_than_enough("big", Some(65535), Some(8))]
#[case::rfc9715_3_never_over_1232("huge", Some(4096), None)]
#[case::rfc9715_3_never_over_1232_whatever_it_says("huge", Some(65535), None)]
fn sizes_over_udp(#[case] name: &str, #[case] edns: Option<u16>, #[case] whole: Option<usize>) {
    let server = example();
    for to in [server.v4, server.v6] {
        let request = Question { edns, ..txt(name) }.wire(1);
        let reply = exchange(Via::Udp, to, &request);
        match whole {
            Some(count) => assert_whole(&reply, count),
            None => assert_truncated(&reply, edns.is_some()),
        }
        let allowed = usize::from(edns.unwrap_or(512).clamp(512, 1232));
        assert!(reply.octets.len() <= allowed, "{} octets", reply.octets.len());
    }
}

#[rstest]
#[case::big_without_edns("big", None, 8)]
#[case::huge_without_edns("huge", None, 16)]
#[case::huge_with_a_small_payload("huge", Some(512), 16)]
fn rfc7766_5_over_tcp_everything_is_whole(
    #[case] name: &str,
    #[case] edns: Option<u16>,
    #[case] count: usize,
) {
    let server = example();
    for to in [server.v4, server.v6] {
        let reply = exchange(Via::Tcp, to, &Question { edns, ..txt(name) }.wire(1));
        assert_whole(&reply, count);
        assert_eq!(reply.message.edns.is_some(), edns.is_some());
    }
}

#[test]
fn udp_payload_max_is_told_and_kept() {
    let site = Site::new("");
    let text = std::fs::read_to_string(site.config()).unwrap();
    let text = text.replace("workers = 1", "workers = 1\nudp_payload_max = 600");
    site.write("trimtab.toml", &format!("{text}[zones.\"example.test\"]\nfile = \"z\"\n"));
    site.write("z", include_str!("../fixtures/zones/example.test.zone"));
    let server = site.serve();
    let reply = exchange(Via::Udp, server.v4, &txt("big").edns(1232).wire(1));
    assert_truncated(&reply, true);
    assert_eq!(reply.message.edns.map(|opt| opt.max_payload()), Some(600));
}

#[test]
fn rfc7766_6_2_1_1_a_hundred_queries_in_one_segment() {
    let server = example();
    for to in [server.v4, server.v6] {
        let names = ["www", "app", "nosuch", "c1", "big"];
        let questions: Vec<_> = (0..100)
            .map(|id: u16| {
                let name = names[usize::from(id) % names.len()];
                Question::new(&format!("{name}.example.test"), RecordType::A).wire(id)
            })
            .collect();
        let mut client = TcpClient::new(to);
        client.send(&questions.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let mut answered = [false; 100];
        for _ in 0..100 {
            let reply = client.receive().expect("all are answered");
            let id = usize::from(reply.message.metadata.id);
            assert!(!answered[id], "{id} is answered twice");
            answered[id] = true;
            let addresses = usize::from(["www", "app", "c1"].contains(&names[id % names.len()]));
            assert_eq!(reply.addresses().len(), addresses, "the answer to another question");
        }
    }
}

#[test]
fn rfc7766_8_one_octet_at_a_time() {
    let server = example();
    let mut client = TcpClient::new(server.v4);
    for id in 0..2 {
        for octet in crate::harness::framed(&Question::a("www.example.test").wire(id)) {
            client.stream.write_all(&[octet]).unwrap();
        }
        let reply = client.receive().expect("an answer");
        assert_eq!(reply.message.metadata.id, id);
        assert_whole(&reply, 1);
    }
}

#[test]
fn rfc7766_8_two_queries_split_across_segments() {
    let server = example();
    let mut client = TcpClient::new(server.v4);
    let question = |id| crate::harness::framed(&Question::a("www.example.test").wire(id));
    let both = [question(1), question(2)].concat();
    let (first, second) = both.split_at(question(1).len() + 7);
    client.stream.write_all(first).unwrap();
    assert_eq!(client.receive().expect("the first").message.metadata.id, 1);
    client.stream.write_all(second).unwrap();
    assert_eq!(client.receive().expect("the second").message.metadata.id, 2);
}

#[test]
fn rfc9210_half_closed_pending_answers_are_still_sent() {
    let server = example();
    let mut client = TcpClient::new(server.v4);
    let questions: Vec<_> = (0..20).map(|id| Question::a("www.example.test").wire(id)).collect();
    client.send(&questions.iter().map(Vec::as_slice).collect::<Vec<_>>());
    client.stream.shutdown(Shutdown::Write).unwrap();
    for _ in 0..20 {
        assert_whole(&client.receive().expect("an answer"), 1);
    }
    assert!(client.receive().is_none(), "then the connection is closed");
}

/// A server that closes a connection after 300 ms of silence.
fn impatient() -> crate::harness::Server {
    Site::new("[server.tcp]\nidle_timeout = \"300ms\"\n").serve()
}

#[rstest]
#[case::never_a_word(b"")]
#[case::half_a_length(b"\x00")]
#[case::a_length_and_silence(b"\xff\xff\x00\x01")]
fn rfc7766_6_2_3_silence_is_closed_in_time(#[case] sent: &[u8]) {
    let server = impatient();
    let mut client = TcpClient::new(server.v4);
    let start = now();
    client.stream.write_all(sent).unwrap();
    assert!(client.receive().is_none());
    let took = now() - start;
    assert!(took >= Duration::from_millis(250), "not before its time: {took:?}");
    assert!(took < Duration::from_secs(3), "and not long after: {took:?}");
}

#[test]
fn rfc7766_6_2_3_an_idle_connection_is_closed_after_its_last_answer() {
    let server = impatient();
    let mut client = TcpClient::new(server.v6);
    for id in 0..3 {
        client.send(&[&Question::new("site.test", RecordType::SOA).wire(id)]);
        assert_whole(&client.receive().expect("an answer"), 1);
    }
    let start = now();
    assert!(client.receive().is_none());
    assert!(now() - start < Duration::from_secs(3));
}

#[rstest]
#[case::length_0(&[])]
#[case::under_12_octets(&[0; 11])]
fn what_is_not_dns_closes_the_connection(#[case] message: &[u8]) {
    let server = example();
    let mut client = TcpClient::new(server.v4);
    let start = now();
    client.send(&[message]);
    assert!(client.receive().is_none());
    assert!(now() - start < Duration::from_secs(3), "at once, not after the idle time");
}
