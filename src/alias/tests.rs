//! Names looked up for real: of a nameserver on loopback that says what a test wants.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, CNAME};
use hickory_resolver::proto::rr::{self, RData, Record, RecordType};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::ask::Asker;
use super::{Looker, Pace, Settings};
use crate::model::Looked;
use crate::wire::Name;

fn settings(server: SocketAddr) -> Settings {
    let pace = Pace { ttl_min: Duration::from_secs(5), ttl_max: Duration::from_secs(3600) };
    Settings { servers: [server].into(), pace, timeout: Duration::from_millis(900) }
}

fn name(text: &str) -> Name {
    Name::from_text(text).unwrap()
}

fn host(text: &str) -> rr::Name {
    rr::Name::from_ascii(format!("{text}.")).unwrap()
}

/// Answers by what stands before the first dot of the name that is asked for.
async fn upstream() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        loop {
            let (len, from) = socket.recv_from(&mut buffer).await.unwrap();
            let request = Message::from_vec(&buffer[..len]).unwrap();
            let question = request.queries[0].clone();
            let asked = question.name().to_string();
            let word = asked.split('.').next().unwrap_or_default().to_lowercase();
            let mut reply = Message::response(request.metadata.id, request.metadata.op_code);
            reply.add_query(question.clone());
            let add = |reply: &mut Message, owner: rr::Name, ttl, data| {
                reply.add_answer(Record::from_rdata(owner, ttl, data));
            };
            let own = question.name().clone();
            match (&*word, question.query_type()) {
                ("silent", _) => continue,
                ("failing", _) | ("half", RecordType::AAAA) => {
                    reply.metadata.response_code = ResponseCode::ServFail;
                }
                ("gone", _) => reply.metadata.response_code = ResponseCode::NXDomain,
                ("both" | "half", RecordType::A) => {
                    for last in [7, 3, 7] {
                        add(&mut reply, own.clone(), 300, RData::A(A::new(192, 0, 2, last)));
                    }
                }
                ("both", RecordType::AAAA) => {
                    let data = RData::AAAA(AAAA::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));
                    add(&mut reply, own, 120, data);
                }
                ("led", rtype) => {
                    let to = host("both.example.net");
                    add(&mut reply, own, 30, RData::CNAME(CNAME(to.clone())));
                    if rtype == RecordType::A {
                        add(&mut reply, to, 300, RData::A(A::new(192, 0, 2, 3)));
                    }
                }
                _ => {}
            }
            socket.send_to(&reply.to_vec().unwrap(), from).await.unwrap();
        }
    });
    at
}

async fn look(asker: &Asker, text: &str) -> (String, String, u32, Option<String>) {
    let Looked { v4, v6, ttl_secs, trouble, .. } = asker.look(&name(text)).await;
    fn shown<A: ToString>(list: Option<Vec<A>>) -> String {
        let all = |list: Vec<A>| list.iter().map(A::to_string).collect::<Vec<_>>().join(" ");
        list.map_or("?".into(), all)
    }
    (shown(v4), shown(v6), ttl_secs, trouble.map(|why| why.to_string()))
}

#[tokio::test]
async fn what_resolvers_say_becomes_an_answer_or_trouble() {
    let asker = Asker::new(settings(upstream().await));
    let (v4, v6) = ("192.0.2.3 192.0.2.7".to_owned(), "2001:db8::1".to_owned());
    let got = look(&asker, "both.example.net").await;
    assert_eq!(got, (v4.clone(), v6, 120, None), "in order, each once, with the least TTL");
    let got = look(&asker, "half.example.net").await;
    assert_eq!(got, (v4, "?".into(), 300, Some("AAAA: SERVFAIL".into())));
    let (_, _, ttl, trouble) = look(&asker, "led.example.net").await;
    assert_eq!((ttl, trouble), (30, None), "the CNAME's TTL counts");
    let got = look(&asker, "failing.example.net").await;
    assert_eq!(got, ("?".into(), "?".into(), 0, Some("SERVFAIL".into())));
    let got = look(&asker, "gone.example.net").await;
    let why = "NXDOMAIN: there is no such name".to_owned();
    assert_eq!(got, (String::new(), String::new(), 0, Some(why)));
    let got = look(&asker, "empty.example.net").await;
    assert_eq!(got, (String::new(), String::new(), 0, Some("no address".into())));
    let got = look(&asker, "silent.example.net").await;
    assert_eq!((&*got.0, &*got.1), ("?", "?"));
    assert!(got.3.is_some_and(|why| why.starts_with("no answer within ")));
}

#[tokio::test]
async fn a_ttl_is_told_anew_with_each_look() {
    let asker = Asker::new(settings(upstream().await));
    for _ in 0..2 {
        assert_eq!(look(&asker, "both.example.net").await.2, 120, "nothing is kept in between");
        tokio::time::sleep(Duration::from_millis(1100)).await;
    }
}

#[tokio::test]
async fn names_are_looked_up_as_the_list_says() {
    let (list, names) = watch::channel(Arc::from([name("both.example.net")]));
    let (looks, mut looked) = mpsc::channel(8);
    let shutdown = CancellationToken::new();
    let server = upstream().await;
    let looker = Looker::spawn(names, looks, settings(server), shutdown.clone());
    let first = looked.recv().await.unwrap();
    assert_eq!((first.name, first.trouble), (name("both.example.net"), None));
    // Another name: it is looked up at once, and the one that stays is not.
    list.send_replace([name("both.example.net"), name("failing.example.net")].into());
    let next = looked.recv().await.unwrap();
    assert_eq!(next.name, name("failing.example.net"));
    // Other settings: all are looked up anew.
    let quick = Pace { ttl_min: Duration::from_secs(1), ttl_max: Duration::from_secs(1) };
    looker.set(Settings { pace: quick, ..settings(server) });
    let mut again = [looked.recv().await.unwrap().name, looked.recv().await.unwrap().name];
    again.sort_by_key(ToString::to_string);
    assert_eq!(again, [name("both.example.net"), name("failing.example.net")]);
    // And again when the TTL has run out, or after a failure.
    assert!(looked.recv().await.is_some());
    list.send_replace([].into());
    shutdown.cancel();
    looker.stopped().await;
    while looked.recv().await.is_some() {}
}
