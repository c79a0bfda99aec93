//! TCP over loopback: what has come is answered, and nobody holds a connection for ever.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests"
)]

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;

use super::turn::Desks;
use super::{Entered, Listener, TRANSFERS, TcpLimits, TcpServer};
use crate::clock;
use crate::dns::engine::tests::{query, shared, snapshot};
use crate::dns::transfer_tests::{HEAD, with_zone};
use crate::metrics::{Metrics, Proto};
use crate::model::Family;
use crate::routing::{Publisher, Snapshot};
use crate::wire::rtype;

/// A server that does not listen, and the counters of a listener.
fn idle_server(max_per_client: usize) -> (TcpServer, Arc<Metrics>, CancellationToken) {
    server_of(snapshot(), max_per_client)
}

fn server_of(
    snapshot: Snapshot,
    max_per_client: usize,
) -> (TcpServer, Arc<Metrics>, CancellationToken) {
    let limits = TcpLimits {
        max_connections: 64,
        max_per_client,
        first_message_timeout: Duration::from_secs(3),
        idle_timeout: Duration::from_secs(10),
        max_in_flight: 16,
    };
    let stop = CancellationToken::new();
    let handle = Publisher::new(snapshot).handle();
    let metrics = Metrics::new();
    let server = TcpServer::new(limits, handle, shared(), metrics.connections(), stop.clone());
    (server, metrics, stop)
}

async fn server(max_per_client: usize) -> (TcpServer, SocketAddr, CancellationToken) {
    let (server, metrics, stop) = idle_server(max_per_client);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    server.listen(listener, metrics.block(Proto::Tcp, Family::V4, true));
    (server, address, stop)
}

/// A query with its length.
fn message(name: &str) -> Vec<u8> {
    let query = query(name, rtype::A, None);
    [&(query.len() as u16).to_be_bytes()[..], &query].concat()
}

/// The lengths of all replies up to the end of the connection.
async fn replies(stream: &mut TcpStream) -> usize {
    let mut octets = Vec::new();
    // An abortive end is an end.
    let _ = stream.read_to_end(&mut octets).await;
    let (mut rest, mut count) = (octets.as_slice(), 0);
    while let Some((len, after)) = rest.split_first_chunk::<2>() {
        rest = &after[usize::from(u16::from_be_bytes(*len))..];
        count += 1;
    }
    count
}

#[tokio::test]
async fn what_came_before_something_else_is_answered() {
    let (_server, address, _stop) = server(8).await;
    let mut response = message("www.example.test");
    response[4] |= 0x80;
    for last in [response, vec![0, 0], vec![0, 3, 1, 2, 3]] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let two = message("www.example.test").repeat(2);
        stream.write_all(&[two, last].concat()).await.unwrap();
        assert_eq!(replies(&mut stream).await, 2);
    }
}

#[tokio::test]
async fn what_came_before_the_stop_is_answered() {
    let (server, address, stop) = server(64).await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&message("www.example.test")).await.unwrap();
        streams.push(stream);
    }
    stop.cancel();
    for mut stream in streams {
        assert_eq!(replies(&mut stream).await, 1);
    }
    server.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn rfc7766_a_message_that_trickles_in_must_end_in_time() {
    let (_server, address, _stop) = server(8).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let start = clock::now();
    for octet in message("www.example.test") {
        if stream.write_all(&[octet]).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(replies(&mut stream).await, 0);
    let took = clock::now() - start;
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[tokio::test]
async fn who_does_not_read_gives_way_to_the_next() {
    let (server, address, stop) = server(1).await;
    let mut greedy = TcpStream::connect(address).await.unwrap();
    // Far more replies than the system keeps for somebody who does not read them.
    let many = message("big.example.test").repeat(1000);
    let flood = async {
        loop {
            if greedy.write_all(&many).await.is_err() {
                return;
            }
        }
    };
    let stuck = tokio::time::timeout(Duration::from_millis(300), flood).await;
    assert!(stuck.is_err(), "it was expected to get stuck");
    let mut next = TcpStream::connect(address).await.unwrap();
    next.write_all(&message("www.example.test")).await.unwrap();
    let mut reply = [0; 2];
    next.read_exact(&mut reply).await.unwrap();
    stop.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(5), server.stopped()).await;
    assert!(ended.is_ok(), "the first one is still held");
}

/// A connection in the table of a server, without a socket.
fn enter(server: &TcpServer, metrics: &Metrics, from: [u8; 4]) -> Entered {
    let block = metrics.block(Proto::Tcp, Family::V4, true);
    let listener = Listener { desks: Desks::new(Arc::clone(&block), shared()), block };
    server.shared.counters.accepted();
    server.shared.enter(from.into(), Arc::new(listener))
}

#[tokio::test(start_paused = true)]
async fn who_asks_is_not_idle() {
    let (server, metrics, _stop) = idle_server(2);
    let first = enter(&server, &metrics, [192, 0, 2, 1]);
    let second = enter(&server, &metrics, [192, 0, 2, 1]);
    tokio::time::advance(Duration::from_secs(1)).await;
    first.heard();
    let third = enter(&server, &metrics, [192, 0, 2, 1]);
    let closed = [&first, &second, &third].map(|entered| entered.open.close.is_cancelled());
    assert_eq!(closed, [false, true, false]);
}

#[tokio::test]
async fn a_panic_gives_the_place_back_and_is_counted() {
    let (server, metrics, _stop) = idle_server(2);
    let entered = enter(&server, &metrics, [192, 0, 2, 1]);
    let panicked = catch_unwind(AssertUnwindSafe(move || {
        let _entered = entered;
        std::panic::resume_unwind(Box::new("a fault"));
    }));
    assert!(panicked.is_err());
    let text = metrics.text();
    for line in [
        "trimtab_dns_tcp_connections 0",
        r#"trimtab_dns_tcp_closed_total{reason="error"} 1"#,
        r#"trimtab_dns_dropped_total{reason="panic"} 1"#,
    ] {
        assert!(text.contains(line), "no {line}");
    }
    assert!(server.shared.open.lock().unwrap().is_empty());
}

/// The zone `example.test` of about so many kilobytes, for whoever asks from here.
fn to_have(kilobytes: usize) -> Snapshot {
    let text = |n| format!("h{n} 60 TXT {} {0} {0} {0}\n", "x".repeat(250));
    let mut snapshot =
        with_zone(&(HEAD.to_owned() + &(0..kilobytes).map(text).collect::<String>()));
    let mut transfers = (*snapshot.options.transfers).clone();
    transfers.allow = vec!["127.0.0.0/8".parse().unwrap()];
    snapshot.options.transfers = Arc::new(transfers);
    snapshot
}

/// A request for that zone with its length.
fn axfr() -> Vec<u8> {
    let query = query("example.test", rtype::AXFR, None);
    [&(query.len() as u16).to_be_bytes()[..], &query].concat()
}

#[tokio::test(start_paused = true)]
async fn a_transfer_that_gets_no_place_in_time_is_given_up() {
    let (server, metrics, _stop) = server_of(to_have(1), 8);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    server.listen(listener, metrics.block(Proto::Tcp, Family::V4, true));
    let places = server.shared.transfers.acquire_many(TRANSFERS as u32).await.unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&axfr()).await.unwrap();
    assert_eq!(replies(&mut stream).await, 0);
    let broken = r#"trimtab_dns_transfers_total{result="broken"} 1"#;
    assert!(metrics.text().contains(broken));
    drop(places);
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&axfr()).await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(replies(&mut stream).await, 1);
}

#[tokio::test]
async fn a_secondary_may_pause_for_longer_than_the_system_waits_for_others() {
    let (server, metrics, _stop) = server_of(to_have(1000), 8);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let socket = socket2::SockRef::from(&listener);
    socket.set_send_buffer_size(1 << 12).unwrap();
    // So long the system waits for who does not read.
    let limits = server.shared.limits();
    server.set_limits(TcpLimits { idle_timeout: Duration::from_millis(400), ..limits });
    server.listen(listener, metrics.block(Proto::Tcp, Family::V4, true));
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(1 << 12).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    stream.write_all(&axfr()).await.unwrap();
    stream.shutdown().await.unwrap();
    // The pause itself: the system would have ended the connection after less than half of it.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let mut octets = Vec::new();
    stream.read_to_end(&mut octets).await.unwrap();
    assert!(octets.len() > 1_000_000, "{} octets", octets.len());
}
