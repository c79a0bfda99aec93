//! Many queries in flight on one socket or connection, each matched to its answer by its id.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

/// Queries in flight over UDP: what a socket's buffers hold.
const UDP_WINDOW: usize = 64;
/// Queries in flight over TCP.
const TCP_WINDOW: usize = 16;
/// After which a datagram counts as lost.
const LOST: Duration = Duration::from_secs(2);
/// How often a query is sent before its server counts as dead.
const TRIES: usize = 10;
/// How long an answer over TCP may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks all over UDP; the answers are in the order of the queries. Panics when a server says
/// nothing.
pub(crate) fn udp(to: SocketAddr, queries: &[&[u8]]) -> Vec<Vec<u8>> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    socket.connect(to).expect("loopback");
    socket.set_read_timeout(Some(LOST)).expect("a time-out");
    let mut answers = vec![Vec::new(); queries.len()];
    let mut buffer = vec![0; 65_535];
    let (mut next, mut flying, mut tries) = (0, 0, 0);
    loop {
        while next < queries.len() && flying < UDP_WINDOW {
            // A port that is closed tells so here; it counts as a loss.
            let _ = socket.send(&with_id(queries[next], next));
            (next, flying) = (next + 1, flying + 1);
        }
        if flying == 0 {
            return answers;
        }
        match socket.recv(&mut buffer) {
            Ok(len) => {
                let Some(at) = id(&buffer[..len]).filter(|&at| at < next) else { continue };
                if answers[at].is_empty() {
                    answers[at] = buffer[..len].to_vec();
                    flying -= 1;
                }
            }
            Err(error) => {
                tries += 1;
                assert!(tries < TRIES, "{to} does not answer ({error})");
                for at in (0..next).filter(|&at| answers[at].is_empty()) {
                    let _ = socket.send(&with_id(queries[at], at));
                }
            }
        }
    }
}

/// Asks all over one TCP connection after another, as servers close them.
pub(crate) fn tcp(to: SocketAddr, queries: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut answers = vec![Vec::new(); queries.len()];
    let mut closed = 0;
    while answers.iter().any(Vec::is_empty) {
        closed += 1;
        assert!(closed < TRIES, "{to} closes TCP connections without an answer");
        let mut stream = TcpStream::connect(to).expect("the server listens on TCP");
        stream.set_nodelay(true).expect("an option");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        connection(&mut stream, queries, &mut answers);
    }
    answers
}

/// Asks what has no answer yet, until all have one or the server closes the connection.
fn connection(stream: &mut TcpStream, queries: &[&[u8]], answers: &mut [Vec<u8>]) {
    let left: Vec<usize> = (0..queries.len()).filter(|&at| answers[at].is_empty()).collect();
    for window in left.chunks(TCP_WINDOW) {
        let mut octets = Vec::new();
        for &at in window {
            octets.extend((queries[at].len() as u16).to_be_bytes());
            octets.extend(with_id(queries[at], at));
        }
        if stream.write_all(&octets).is_err() {
            return;
        }
        for _ in window {
            let Some(answer) = message(stream) else { return };
            let at = id(&answer).filter(|&at| at < answers.len()).expect("an id that was sent");
            answers[at] = answer;
        }
    }
}

fn message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut len = [0; 2];
    match stream.read_exact(&mut len) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return None,
        Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
        Err(error) => panic!("neither an answer nor an end: {error}"),
    }
    let mut octets = vec![0; usize::from(u16::from_be_bytes(len))];
    stream.read_exact(&mut octets).ok()?;
    Some(octets)
}

fn with_id(query: &[u8], id: usize) -> Vec<u8> {
    let mut query = query.to_vec();
    query[..2].copy_from_slice(&(id as u16).to_be_bytes());
    query
}

fn id(message: &[u8]) -> Option<usize> {
    message.first_chunk().map(|id| usize::from(u16::from_be_bytes(*id)))
}
