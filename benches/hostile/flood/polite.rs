//! A client that asks seldom, and measures its answers.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use trimtab::clock::now;

use super::messages::{A, query};

/// Where the polite client asks from, on how many sockets, and how often on each.
const POLITE: Ipv4Addr = Ipv4Addr::new(127, 0, 100, 1);
pub(crate) const SOCKETS: usize = 8;
const PAUSE: Duration = Duration::from_millis(8);
/// What took longer is lost.
const PATIENCE: Duration = Duration::from_millis(250);

/// What became of the polite client's queries on one socket.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Queries.
    pub(crate) sent: usize,
    /// How long each whole answer took.
    pub(crate) times: Vec<Duration>,
}

impl Seen {
    /// How many in a hundred had no whole answer.
    pub(crate) fn lost_percent(&self) -> f64 {
        100.0 * (self.sent - self.times.len()) as f64 / self.sent.max(1) as f64
    }
}

/// A socket that sends from there.
pub(crate) fn connected(from: Ipv4Addr, to: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind((from, 0)).expect("all of 127.0.0.0/8 is this machine");
    socket.connect(to).expect("a UDP socket connects");
    socket
}

/// Asks at an even pace, each query when the one before is answered or lost.
pub(crate) fn ask_politely(number: usize, to: SocketAddr, end: Instant) -> Seen {
    let socket = connected(POLITE, to);
    let mut seen = Seen::default();
    let mut buffer = [0; 1500];
    thread::sleep(PAUSE * number as u32 / SOCKETS as u32);
    while now() < end {
        let id = seen.sent as u16;
        let name = format!("www{}.flood.test", (seen.sent + number) % 10);
        let started = now();
        socket.send(&query(id, &name, A)).expect("the server is there");
        seen.sent += 1;
        loop {
            let left = PATIENCE.saturating_sub(now() - started);
            if left.is_zero() {
                break;
            }
            socket.set_read_timeout(Some(left)).expect("a time that is not zero");
            let Ok(len) = socket.recv(&mut buffer) else { break };
            // With the question it has 33 octets: a reply without records is as good as none.
            if buffer[..2] == id.to_be_bytes() && buffer[2] & 0x02 == 0 && len > 33 {
                seen.times.push(now() - started);
                break;
            }
        }
        thread::sleep(PAUSE.saturating_sub(now() - started));
    }
    seen
}
