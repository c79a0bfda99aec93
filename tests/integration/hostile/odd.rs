//! What is not DNS at all: nothing is sent to it, and it does not stay.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use rstest::rstest;

use super::crowd::{HTTP, TLS};
use super::{accepted, closed, open, serve};
use crate::harness::{Question, TcpClient, framed, until};

/// Of a server with little patience.
const LIMITS: &str = "first_message_timeout = \"200ms\"\nidle_timeout = \"400ms\"\n";

/// All that comes until the connection ends, which must be soon.
fn rest(stream: &mut TcpStream) -> Vec<u8> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut octets = Vec::new();
    match stream.read_to_end(&mut octets) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
        Err(error) => panic!("the connection is still open: {error}"),
    }
    octets
}

#[rstest]
#[case::a_tls_session(TLS, "first_message")]
#[case::a_web_request(HTTP, "first_message")]
#[case::another_greeting(b"SSH-2.0-OpenSSH_9.2\r\n", "first_message")]
#[case::nothing(b"", "first_message")]
#[case::rfc7766_8_length_65535_then_silence(b"\xff\xff\x00\x01", "first_message")]
#[case::length_0(b"\x00\x00", "not_dns")]
#[case::a_response(b"\x00\x0c\x00\x01\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00", "not_dns")]
fn gets_nothing(#[case] sent: &[u8], #[case] reason: &str) {
    let server = serve(LIMITS);
    let mut stream = TcpStream::connect(server.v4).unwrap();
    stream.write_all(sent).unwrap();
    assert_eq!(rest(&mut stream), b"");
    until("it is counted", || (closed(&server, reason) == 1.0).then_some(()));
    assert_eq!(open(&server), 0.0);
}

#[test]
fn a_port_scan_leaves_nothing_behind() {
    let server = serve("");
    (0..200).for_each(|_| drop(TcpStream::connect(server.v4).unwrap()));
    accepted(&server, 200.0);
    until("all are closed", || (open(&server) == 0.0).then_some(()));
    // Some were displaced by the next before it was seen that they had closed.
    assert_eq!(closed(&server, "client") + closed(&server, "per_client"), 200.0);
}

#[test]
fn resets_leave_nothing_behind() {
    let server = serve("");
    for _ in 0..200 {
        let mut stream = TcpStream::connect(server.v4).unwrap();
        stream.write_all(&framed(&Question::a("app.example.test").wire(1))).unwrap();
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    }
    accepted(&server, 200.0);
    until("all are closed", || (open(&server) == 0.0).then_some(()));
}

#[test]
fn rfc7766_6_2_3_half_a_message_does_not_make_a_connection_last_longer() {
    let server = serve(LIMITS);
    let mut client = TcpClient::new(server.v4);
    client.send(&[&Question::a("app.example.test").wire(1)]);
    assert!(client.receive().is_some());
    // An octet now and then, for longer than the server is patient, unless it closes.
    let mut octets = [0xff].into_iter().cycle();
    let end = until("it is closed", || {
        std::thread::sleep(Duration::from_millis(40));
        client.stream.write_all(&[octets.next()?]).err()
    });
    assert!(closed(&server, "idle") == 1.0, "{end}");
}

#[test]
fn rfc9210_replies_are_not_lost_for_what_comes_behind_them() {
    let server = serve("");
    let queries = framed(&Question::a("app.example.test").wire(1)).repeat(200);
    for _ in 0..20 {
        let mut stream = TcpStream::connect(server.v4).unwrap();
        // Much that is not DNS behind it: most of it is never read.
        let octets = [queries.clone(), vec![0; 20_000]].concat();
        stream.write_all(&octets).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut replies = rest(&mut stream);
        let len = 2 + usize::from(u16::from_be_bytes([replies[0], replies[1]]));
        assert_eq!(replies.len(), 200 * len);
        assert!(replies.chunks_mut(len).all(|reply| reply[5] & 0x0f == 0));
    }
}
