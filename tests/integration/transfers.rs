//! Whole zones over sockets: many messages, keys, slow and broken clients, reloads meanwhile.

use std::net::SocketAddr;

use domain::base::iana::Class;
use domain::base::{Message, MessageBuilder, Rtype};
use domain::rdata::tsig::Time48;
use domain::tsig;
use hickory_proto::rr::RecordType::{A, AXFR, IXFR, SOA};
use rstest::rstest;

use crate::harness::{Question, Reply, Server, Site, TcpClient, Via, exchange, exchange_octets};

/// 32 octets in base64, and another 32.
const SECRETS: [(&str, &[u8]); 2] = [
    ("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", b"0123456789abcdef0123456789abcdef"),
    ("ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=", b"fedcba9876543210fedcba9876543210"),
];

/// A zone with so many names of which each is told by the serial, too.
fn zone(serial: u32, names: usize) -> String {
    let mut text = format!(
        "$TTL 60\n@ SOA ns hostmaster {serial} 7200 900 1209600 60\n@ NS ns\nns A 192.0.2.53\n"
    );
    for n in 0..names {
        text += &format!("h{n} TXT \"{serial}\" \"{}\"\n", "x".repeat(200));
    }
    text
}

/// A server with such a zone, and what `[server.transfer]` says.
fn site(transfer: &str, names: usize) -> Site {
    let site = Site::new(&format!(
        "[zones.\"big.test\"]\nfile = \"big\"\n[server.transfer]\n{transfer}\n\
         [server.transfer.keys.transfer]\nsecret_file = \"secret\"\n"
    ));
    site.write("big", &zone(1, names));
    site.write("secret", SECRETS[0].0);
    site
}

/// Reads a transfer to its end: how many messages and records, and the serials of both ends.
#[track_caller]
fn read(client: &mut TcpClient) -> (usize, usize, Vec<String>) {
    let (mut messages, mut records, mut serials) = (0, 0, Vec::new());
    while serials.len() < 2 {
        let reply = client.receive().expect("the end of the transfer");
        assert!(!reply.message.answers.is_empty(), "{}", reply.text());
        messages += 1;
        for record in &reply.message.answers {
            records += 1;
            let data = record.data.to_string();
            match record.record_type() {
                SOA => serials.push(data.split(' ').nth(2).unwrap().to_owned()),
                hickory_proto::rr::RecordType::TXT => {
                    assert!(data.starts_with(&serials[0]), "{data} in {}", serials[0]);
                }
                _ => {}
            }
        }
    }
    (messages, records, serials)
}

fn result(server: &Server, result: &str) -> f64 {
    server.metrics().value(&format!("trimtab_dns_transfers_total{{result=\"{result}\"}}"))
}

#[test]
fn rfc5936_4_1_a_zone_goes_over_tcp_in_many_messages_and_the_connection_stays() {
    let server = site("allow = [\"127.0.0.1\", \"::1\"]", 2_000).serve();
    for to in [server.v4, server.v6] {
        let mut client = TcpClient::new(to);
        // Before, between and behind other questions, all sent at once.
        let questions = [
            Question::new("big.test", SOA).wire(1),
            Question::new("big.test", AXFR).wire(2),
            Question::new("ns.big.test", A).wire(3),
            Question::new("big.test", AXFR).wire(4),
        ];
        client.send(&questions.each_ref().map(Vec::as_slice));
        assert_eq!(client.receive().unwrap().message.metadata.id, 1);
        let (messages, records, _) = read(&mut client);
        assert!(messages > 6, "over 64 KiB: {messages} messages");
        assert_eq!(records, 2_000 + 4);
        assert_eq!(client.receive().unwrap().message.metadata.id, 3);
        assert_eq!(read(&mut client).1, 2_000 + 4);
    }
    server.metric_becomes("trimtab_dns_transfers_total{result=\"sent\"}", 4.0);
    server.log.wait_for("big.test (serial 1) was transferred to ::1:");
    let requests = "trimtab_dns_requests_total{proto=\"tcp\",family=\"ipv6\",type=\"AXFR\"}";
    assert_eq!(server.metrics().value(requests), 2.0);
}

#[rstest]
#[case::rfc5936_4_2_over_udp("allow = [\"127.0.0.1\"]", Via::Udp, "big.test", "FormErr")]
#[case::by_default("", Via::Tcp, "big.test", "Refused")]
#[case::another_network("allow = [\"127.0.0.2\"]", Via::Tcp, "big.test", "Refused")]
#[case::a_key_is_wanted("tsig_keys = [\"transfer\"]", Via::Tcp, "big.test", "Refused")]
#[case::no_zone_of_ours("allow = [\"127.0.0.1\"]", Via::Tcp, "ns.big.test", "NotAuth")]
fn who_gets_no_zone(
    #[case] transfer: &str,
    #[case] via: Via,
    #[case] zone: &str,
    #[case] wanted: &str,
) {
    let server = site(transfer, 1).serve();
    let reply = exchange(via, server.v4, &Question::new(zone, AXFR).wire(1));
    assert_eq!(reply.text(), wanted);
    assert_eq!(result(&server, "sent"), 0.0);
    let plain = Question::new(zone, IXFR).wire(1);
    assert_eq!(exchange(via, server.v4, &plain).text(), "FormErr", "without its serial");
}

#[test]
fn a_slow_secondary_holds_up_nobody_and_gets_the_zone_as_it_was() {
    // It reads nothing while zones are loaded, however long that takes here.
    let site = site("allow = [\"127.0.0.1\"]\n[server.tcp]\nidle_timeout = \"5m\"", 40_000);
    let server = site.serve();
    let mut slow = TcpClient::new(server.v4);
    slow.send(&[&Question::new("big.test", AXFR).wire(1)]);
    // Once something has come, the rest waits for who does not read it: some 10 MB.
    let mut first = [0; 1];
    assert_eq!(slow.stream.peek(&mut first).unwrap(), 1);
    for round in 2..5 {
        site.write("big", &zone(round, 40_000));
        assert!(server.reload());
        let mut other = TcpClient::new(server.v4);
        other.send(&[&Question::new("big.test", SOA).wire(2)]);
        let soa = other.receive().unwrap();
        assert!(soa.text().contains(&format!(" {round} 7200")), "{}", soa.text());
    }
    let (_, records, serials) = read(&mut slow);
    assert_eq!((records, serials), (40_004, vec!["1".to_owned(), "1".to_owned()]));
    slow.send(&[&Question::new("big.test", AXFR).wire(3)]);
    assert_eq!(read(&mut slow).2, ["4", "4"]);
}

#[test]
fn a_transfer_that_is_broken_off_is_told() {
    let server = site("allow = [\"127.0.0.1\"]", 40_000).serve();
    let mut client = TcpClient::new(server.v4);
    client.send(&[&Question::new("big.test", AXFR).wire(1)]);
    let mut first = [0; 1];
    assert_eq!(client.stream.peek(&mut first).unwrap(), 1);
    drop(client);
    server.metric_becomes("trimtab_dns_transfers_total{result=\"broken\"}", 1.0);
    server.log.wait_for("the transfer of big.test (serial 1) to 127.0.0.1 was broken off");
    assert_eq!(result(&server, "sent"), 0.0);
}

#[test]
fn a_server_that_stops_does_not_wait_for_a_slow_secondary() {
    let server = site("allow = [\"127.0.0.1\"]", 40_000).serve();
    let mut client = TcpClient::new(server.v4);
    client.send(&[&Question::new("big.test", AXFR).wire(1)]);
    let mut first = [0; 1];
    assert_eq!(client.stream.peek(&mut first).unwrap(), 1);
    assert!(server.stop().success());
}

/// A question that is signed with a secret.
fn sign(name: &str, rtype: Rtype, secret: &[u8]) -> (Vec<u8>, tsig::ClientSequence<tsig::Key>) {
    let key = "transfer.".parse().unwrap();
    let key = tsig::Key::new(tsig::Algorithm::Sha256, secret, key, None, None).unwrap();
    let mut builder = MessageBuilder::new_vec().question();
    builder.header_mut().set_id(7);
    let name: domain::base::Name<Vec<u8>> = name.parse().unwrap();
    builder.push((name, rtype, Class::IN)).unwrap();
    let mut builder = builder.additional();
    let now = trimtab::clock::wall().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let signed = tsig::ClientSequence::request(key, &mut builder, Time48::from_u64(now));
    (builder.finish(), signed.unwrap())
}

/// Asks over TCP, and checks the signatures of all messages; gives the records in them, or what is
/// wrong.
fn signed_transfer(to: SocketAddr, secret: &[u8]) -> Result<usize, String> {
    let (request, mut sequence) = sign("big.test.", Rtype::AXFR, secret);
    let mut client = TcpClient::new(to);
    client.send(&[&request]);
    let (mut records, mut ends) = (0, 0);
    while ends < 2 {
        let reply: Reply = client.receive().ok_or("cut short")?;
        let mut message = Message::from_octets(reply.octets).unwrap();
        sequence.answer(&mut message, Time48::now()).map_err(|error| error.to_string())?;
        for record in message.answer().unwrap() {
            records += 1;
            ends += u32::from(record.unwrap().rtype() == Rtype::SOA);
        }
        if records == 0 {
            return Err(message.header().rcode().to_string());
        }
    }
    sequence.done().map_err(|error| error.to_string())?;
    Ok(records)
}

#[test]
fn rfc8945_5_3_1_every_message_of_a_transfer_is_signed_and_keys_change_with_a_reload() {
    let site = site("tsig_keys = [\"transfer\"]", 2_000);
    let server = site.serve();
    assert_eq!(signed_transfer(server.v4, SECRETS[0].1), Ok(2_004));
    let refused = signed_transfer(server.v4, SECRETS[1].1);
    assert_eq!(refused, Err("server failed to verify MAC".into()));
    server.metric_becomes("trimtab_dns_tsig_failures_total{error=\"BADSIG\"}", 1.0);

    site.write("secret", SECRETS[1].0);
    assert!(server.reload());
    assert_eq!(signed_transfer(server.v6, SECRETS[1].1), Ok(2_004));
    assert!(signed_transfer(server.v4, SECRETS[0].1).is_err());

    site.write("secret", "not base64!");
    assert!(!server.reload());
    server.log.wait_for("found no base64");
    assert_eq!(signed_transfer(server.v4, SECRETS[1].1), Ok(2_004), "what was in force stays");
}

#[test]
fn rfc8945_5_3_a_refresh_is_signed_over_udp_and_tcp() {
    let server = site("tsig_keys = [\"transfer\"]", 1).serve();
    for (via, to) in [(Via::Udp, server.v4), (Via::Tcp, server.v4), (Via::Udp, server.v6)] {
        let (request, mut sequence) = sign("big.test.", Rtype::SOA, SECRETS[0].1);
        let mut reply = Message::from_octets(exchange_octets(via, to, &request)).unwrap();
        sequence.answer(&mut reply, Time48::now()).unwrap();
        assert_eq!(reply.header_counts().ancount(), 1);
    }
}

/// The records of a zone by a transfer, without the SOA, and its serial.
#[track_caller]
fn transferred(server: &Server, zone: &str) -> (u32, Vec<String>) {
    let mut client = TcpClient::new(server.v4);
    client.send(&[&Question::new(zone, AXFR).wire(1)]);
    let reply = client.receive().expect("a transfer");
    let (soas, mut rest): (Vec<_>, Vec<_>) =
        reply.text().lines().skip(1).map(str::to_owned).partition(|line| line.contains(" SOA "));
    rest.sort();
    let serial = soas[0].split(' ').nth(6).and_then(|serial| serial.parse().ok());
    (serial.unwrap_or_else(|| panic!("{}", soas[0])), rest)
}

#[test]
fn a_snapshot_has_what_would_be_answered_if_all_were_up_and_a_new_serial_when_that_changes() {
    let body = |address: &str, more: &str| {
        format!(
            "[server.transfer]\nallow = [\"127.0.0.1\"]\ndynamic = \"snapshot\"\n\
             [regions.a]\naddresses = [\"{address}\", \"2001:db8::1\"]\n\
             [regions.b]\naddresses = [\"192.0.2.2\", \"2001:db8::2\"]\nweight = 0\n\
             [regions.c]\naddresses = [\"192.0.2.3\", \"192.0.2.2\"]\n\
             [policies.first]\ntype = \"failover\"\norder = [\"a\", \"b\"]\n\
             [policies.all]\ntype = \"multivalue\"\nto = [\"a\", \"c\"]\n\
             [[records]]\nname = \"first.site.test\"\npolicy = \"first\"\nttl = 30\n\
             [[records]]\nname = \"all.site.test\"\npolicy = \"all\"\n\
             [[records]]\nname = \"*.w.site.test\"\npolicy = \"weighted\"\n{more}"
        )
    };
    let site = Site::new(&body("192.0.2.1", ""));
    let server = site.serve();
    let (serial, records) = transferred(&server, "site.test");
    let wanted = [
        // Of a failover the first tier, of weights no standby, each address once.
        "an *.w.site.test. 60 A 192.0.2.1",
        "an *.w.site.test. 60 A 192.0.2.2",
        "an *.w.site.test. 60 A 192.0.2.3",
        "an *.w.site.test. 60 AAAA 2001:db8::1",
        "an all.site.test. 60 A 192.0.2.1",
        "an all.site.test. 60 A 192.0.2.2",
        "an all.site.test. 60 A 192.0.2.3",
        "an all.site.test. 60 AAAA 2001:db8::1",
        "an first.site.test. 30 A 192.0.2.1",
        "an first.site.test. 30 AAAA 2001:db8::1",
        "an ns1.site.test. 3600 A 127.0.0.1",
        "an site.test. 3600 NS ns1.site.test.",
    ];
    assert_eq!(records, wanted);
    // Serials are seconds: the next one must be another.
    crate::harness::until("the next second", || {
        let unix = trimtab::clock::wall().duration_since(std::time::UNIX_EPOCH).unwrap();
        (unix.as_secs() > serial.into()).then_some(())
    });
    site.configure(&body("192.0.2.1", "# nothing that matters\n"));
    assert!(server.reload());
    assert_eq!(transferred(&server, "site.test").0, serial);
    site.configure(&body("192.0.2.9", ""));
    assert!(server.reload());
    let (changed, records) = transferred(&server, "site.test");
    assert!(changed > serial && records.contains(&"an first.site.test. 30 A 192.0.2.9".to_owned()));
}
