//! dns checks against responders that answer well, oddly, or not at all. Their messages are made by another
//! codec than the probe's.

use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::base::iana::Rcode;
use domain::base::{Message, MessageBuilder, Name, Rtype, Ttl};
use domain::rdata::{A, Txt};
use rstest::rstest;
use tokio::net::UdpSocket;

use super::*;
use crate::model::DnsProbe;

/// What is asked, over which transport, and for the how many-th time, from 0.
struct Asked {
    message: Message<Vec<u8>>,
    over_tcp: bool,
    nth: usize,
}

/// A responder on one port for UDP and TCP.
async fn responder(answer: impl Fn(Asked) -> Vec<Vec<u8>> + Send + Sync + 'static) -> u16 {
    let (udp, tcp) = loop {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = udp.local_addr().unwrap().port();
        if let Ok(tcp) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            break (udp, tcp);
        }
    };
    let port = udp.local_addr().unwrap().port();
    let asked = AtomicUsize::new(0);
    let answer = Arc::new(move |octets: &[u8], over_tcp| {
        let message = Message::from_octets(octets.to_vec()).unwrap();
        answer(Asked { message, over_tcp, nth: asked.fetch_add(1, Ordering::Relaxed) })
    });
    let by_udp = Arc::clone(&answer);
    tokio::spawn(async move {
        let mut buffer = [0; 512];
        loop {
            let (length, from) = udp.recv_from(&mut buffer).await.unwrap();
            for reply in by_udp(&buffer[..length], false) {
                udp.send_to(&reply, from).await.unwrap();
            }
        }
    });
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = tcp.accept().await {
            let length = stream.read_u16().await.unwrap();
            let mut octets = vec![0; length.into()];
            stream.read_exact(&mut octets).await.unwrap();
            for reply in answer(&octets, true) {
                stream.write_u16(reply.len().try_into().unwrap()).await.unwrap();
                stream.write_all(&reply).await.unwrap();
            }
            hold(stream).await;
        }
    });
    port
}

/// A reply with these addresses.
fn reply(asked: &Asked, rcode: Rcode, addresses: &[&str]) -> Vec<u8> {
    let name = Name::<Vec<u8>>::from_str("health.test.").unwrap();
    let builder = MessageBuilder::new_vec();
    let mut answer = builder.start_answer(&asked.message, rcode).unwrap();
    for address in addresses {
        let data = A::from_str(address).unwrap();
        answer.push((&name, Ttl::from_secs(5), data)).unwrap();
    }
    answer.finish()
}

fn question(rtype: Rtype, expect: &[&str]) -> Probe {
    let expect = expect.iter().map(|&record| record.into()).collect();
    Probe::Dns(DnsProbe { name: "health.test.".into(), rtype: rtype.to_int(), expect })
}

#[rstest]
#[case::any(&["192.0.2.7"], &[], None)]
#[case::the_only_one(&["192.0.2.1"], &["192.0.2.1"], None)]
#[case::one_of_several(&["192.0.2.7", "192.0.2.1"], &["192.0.2.1"], None)]
#[case::lacking(&["192.0.2.7"], &["192.0.2.7", "192.0.2.1"], Some("answer lacks 192.0.2.1 (has 192.0.2.7)"))]
#[case::empty(&[], &["192.0.2.1"], Some("answer lacks 192.0.2.1 (has none)"))]
#[case::none_at_all(&[], &[], Some("no A record in the answer"))]
#[tokio::test]
async fn answers(
    #[case] has: &'static [&'static str],
    #[case] expect: &[&str],
    #[case] reason: Option<&str>,
) {
    let port = responder(|asked| vec![reply(&asked, Rcode::NOERROR, has)]).await;
    let (outcome, phases) = probe_port(question(Rtype::A, expect), port, PATIENT).await;
    assert_eq!(outcome, reason.map_or(Outcome::Pass, failed));
    assert!(phases.first_byte.is_some_and(|first| first <= phases.total));
    assert_eq!((phases.connect, phases.tls), (None, None));
}

#[rstest]
#[case(Rcode::NXDOMAIN, "NXDOMAIN")]
#[case(Rcode::SERVFAIL, "SERVFAIL")]
#[case(Rcode::REFUSED, "REFUSED")]
#[case(Rcode::YXDOMAIN, "response code 6")]
#[tokio::test]
async fn errors(#[case] rcode: Rcode, #[case] reason: &str) {
    // Whatever else is in it.
    let port = responder(move |asked| vec![reply(&asked, rcode, &["192.0.2.1"])]).await;
    let (outcome, _) = probe_port(question(Rtype::A, &["192.0.2.1"]), port, PATIENT).await;
    assert_eq!(outcome, failed(reason));
}

#[tokio::test]
async fn an_error_without_its_question_is_one() {
    let refused = |asked: Asked| {
        let mut octets = reply(&asked, Rcode::REFUSED, &[]);
        octets.truncate(12);
        octets[5] = 0;
        vec![octets]
    };
    let (outcome, _) = probe_port(question(Rtype::A, &[]), responder(refused).await, PATIENT).await;
    assert_eq!(outcome, failed("REFUSED"));
}

#[tokio::test]
async fn texts_are_compared_as_data_and_not_as_they_are_written() {
    let port = responder(|asked| {
        let name = Name::<Vec<u8>>::from_str("HEALTH.test.").unwrap();
        let mut answer =
            MessageBuilder::new_vec().start_answer(&asked.message, Rcode::NOERROR).unwrap();
        let text = Txt::<Vec<u8>>::build_from_slice(b"all well").unwrap();
        answer.push((&name, Ttl::from_secs(5), text)).unwrap();
        vec![answer.finish()]
    })
    .await;
    let probe = |text: &str| probe_port(question(Rtype::TXT, &[text]), port, PATIENT);
    assert_eq!(probe("\"all well\"").await.0, Outcome::Pass);
    let Outcome::Fail(why) = probe("\"all ill\"").await.0 else { panic!("it passed") };
    assert!(why.starts_with("answer lacks \"all ill\" (has "), "{why}");
}

#[tokio::test]
async fn a_lost_question_is_asked_again() {
    let answer = |asked: Asked| match asked.nth {
        0 => vec![],
        _ => vec![reply(&asked, Rcode::NOERROR, &["192.0.2.1"])],
    };
    let port = responder(answer).await;
    let timeout = Duration::from_secs(2);
    let (outcome, phases) = probe_port(question(Rtype::A, &[]), port, timeout).await;
    assert_eq!(outcome, Outcome::Pass);
    assert!((timeout / 2..timeout).contains(&phases.total), "{phases:?}");
}

#[tokio::test]
async fn a_truncated_answer_is_fetched_over_tcp() {
    let port = responder(|asked| {
        let mut octets = reply(&asked, Rcode::NOERROR, &["192.0.2.1"]);
        if !asked.over_tcp {
            octets = reply(&asked, Rcode::NOERROR, &[]);
            octets[2] |= 0x02;
        }
        vec![octets]
    })
    .await;
    let (outcome, phases) = probe_port(question(Rtype::A, &["192.0.2.1"]), port, PATIENT).await;
    assert_eq!(outcome, Outcome::Pass);
    assert!(phases.connect.is_some() && phases.first_byte.is_some(), "{phases:?}");
}

#[tokio::test]
async fn replies_to_other_questions_are_none() {
    // With another id: late or forged, and passed over.
    let port = responder(|asked| {
        let mut forged = reply(&asked, Rcode::NOERROR, &["192.0.2.66"]);
        forged[0] ^= 0x80;
        vec![forged, reply(&asked, Rcode::NOERROR, &["192.0.2.1"])]
    })
    .await;
    let probe = question(Rtype::A, &["192.0.2.1"]);
    assert_eq!(probe_port(probe.clone(), port, PATIENT).await.0, Outcome::Pass);
    for (spoil, reason) in [
        ((13, 0x01), "answer: the reply is to another question"),
        ((2, 0x80), "answer: the reply is to another question"),
        ((7, 0xff), "answer: not a DNS message"),
    ] {
        let port = responder(move |asked| {
            let mut odd = reply(&asked, Rcode::NOERROR, &["192.0.2.1"]);
            odd[spoil.0] ^= spoil.1;
            vec![odd]
        })
        .await;
        assert_eq!(probe_port(probe.clone(), port, PATIENT).await.0, failed(reason));
    }
}

#[tokio::test]
async fn silence_and_closed_ports() {
    let silent = responder(|_| vec![]).await;
    let (outcome, phases) = probe_port(question(Rtype::A, &[]), silent, BRIEF).await;
    assert_eq!(outcome, failed("answer: timed out after 150 ms"));
    assert!(phases.total >= BRIEF && phases.first_byte.is_none());
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = socket.local_addr().unwrap().port();
    drop(socket);
    let (outcome, _) = probe_port(question(Rtype::A, &[]), port, PATIENT).await;
    assert_eq!(outcome, failed("port unreachable: nothing answers DNS there"));
}

#[tokio::test]
async fn forbidden_addresses_are_not_asked() {
    let mut target = target_at(Destination::Address([169, 254, 169, 254].into()), 53);
    Arc::make_mut(&mut target.check).probe = question(Rtype::A, &[]);
    let verdict = tools(Roots::Given(vec![])).probe(&target).await;
    let Verdict::Seen(outcome, ..) = verdict else { panic!("{verdict:?}") };
    let reason = "connect: 169.254.169.254 is link-local or metadata, and not in [probe] allow";
    assert_eq!(outcome, failed(reason));
}
