//! How long a connection may be idle, as the server tells it.

use std::time::Duration;

use trimtab::clock::now;

use super::serve;
use crate::harness::{Question, TcpClient, Via, exchange};

/// A query with an empty keepalive option (RFC 7828 section 3.2.1).
fn question() -> Vec<u8> {
    Question::a("app.example.test").options(vec![0, 11, 0, 0]).wire(1)
}

/// What a client is told, in tenths of a second.
fn told(client: &mut TcpClient) -> u16 {
    client.send(&[&question()]);
    let octets = client.receive().expect("an answer").octets;
    let (rest, time) = octets.split_last_chunk::<2>().unwrap();
    assert!(rest.ends_with(&[0, 11, 0, 2]), "{octets:?}");
    u16::from_be_bytes(*time)
}

#[test]
fn rfc7828_3_3_2_the_time_that_is_told_is_true() {
    let server = serve("idle_timeout = \"500ms\"\n");
    let mut client = TcpClient::new(server.v4);
    assert_eq!(told(&mut client), 5);
    let start = now();
    assert!(client.receive().is_none());
    let took = now() - start;
    assert!(took >= Duration::from_millis(450), "not before its time: {took:?}");
    assert!(took < Duration::from_secs(3), "and not long after: {took:?}");
}

#[test]
fn rfc7828_3_3_2_where_places_are_scarce_clients_are_asked_to_close() {
    let server = serve("max_connections = 16\n");
    let mut clients: Vec<_> = (0..14).map(|_| TcpClient::new(server.v4)).collect();
    assert!(clients.iter_mut().all(|client| told(client) == 100));
    clients.push(TcpClient::new(server.v4));
    // The last one first, so that it is known to be in.
    assert!(clients.iter_mut().rev().all(|client| told(client) == 0));
}

#[test]
fn rfc7828_3_2_1_over_udp_it_is_ignored() {
    let server = serve("");
    let reply = exchange(Via::Udp, server.v4, &question());
    assert!(reply.octets.ends_with(&[0; 2]), "an OPT without options: {:?}", reply.octets);
}
