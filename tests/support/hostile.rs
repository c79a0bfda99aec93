//! A crowd of clients over TCP that are slow, silent, deaf or not DNS at all, in any number, from addresses of
//! their own on loopback; what is closed on them they open again. Tests and benches include this by its
//! path.

#![allow(dead_code, reason = "not everyone who includes this uses all of it")]

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

/// What a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    /// Connects, and never says a word.
    Silent,
    /// Sends a query but for its last octet.
    Half,
    /// Sends the length of the largest message, and then of that an octet a round.
    Trickle,
    /// Asks as much as it can, and reads nothing.
    Deaf,
    /// Asks in every round, as much as is answered at once, and reads; so it is never idle.
    Chatty,
    /// Sends half a query and says that nothing more will come.
    HalfClosed,
    /// Begins a TLS session.
    Tls,
    /// Asks for a web page.
    Http,
    /// Asks, and resets the connection before the answer is there.
    Reset,
    /// Connects and closes.
    Scan,
}

impl Habit {
    /// Those who hold a connection for as long as they are let.
    pub(crate) const SLOW: [Self; 4] = [Self::Silent, Self::Half, Self::Trickle, Self::Deaf];
    /// Those who come and go.
    pub(crate) const HASTY: [Self; 3] = [Self::HalfClosed, Self::Reset, Self::Scan];
    /// All.
    pub(crate) const ALL: [Self; 10] = [
        Self::Silent,
        Self::Half,
        Self::Trickle,
        Self::Deaf,
        Self::Chatty,
        Self::HalfClosed,
        Self::Tls,
        Self::Http,
        Self::Reset,
        Self::Scan,
    ];
}

/// The first octets of a TLS 1.2 session: a record that holds the beginning of a ClientHello.
pub(crate) const TLS: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 and so on";
/// A request for a page.
pub(crate) const HTTP: &[u8] = b"GET / HTTP/1.1\r\nHost: ns1.example.net\r\n\r\n";

/// Clients that run until this is dropped.
#[derive(Debug)]
pub(crate) struct Crowd {
    stop: Arc<AtomicBool>,
    rounds: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Crowd {
    /// So many clients, with each of these habits in turn, each from where `from` says. What they
    /// ask is `query`, with its length. In each round every one of them does what it does; rounds
    /// are so far apart, or more if there are many.
    pub(crate) fn gather(
        to: SocketAddr,
        count: usize,
        habits: &[Habit],
        from: impl Fn(usize) -> Ipv4Addr,
        query: &[u8],
        gap: Duration,
    ) -> Self {
        let habits = habits.iter().cycle();
        let mut clients: Vec<_> = habits
            .take(count)
            .enumerate()
            .map(|(n, &habit)| Client {
                habit,
                from: from(n),
                stream: None,
                query: query.into(),
                sent: 0,
            })
            .collect();
        let (stop, rounds) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (end, count) = (Arc::clone(&stop), Arc::clone(&rounds));
        let thread = spawn(move || {
            while !end.load(Ordering::Relaxed) {
                clients.iter_mut().for_each(|client| client.act(to));
                count.fetch_add(1, Ordering::Relaxed);
                sleep(gap);
            }
        });
        Self { stop, rounds, thread: Some(thread) }
    }

    /// How often each client has done what it does.
    pub(crate) fn rounds(&self) -> usize {
        self.rounds.load(Ordering::Relaxed)
    }

    /// Whether it still runs: a crowd that has panicked is no threat.
    pub(crate) fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[derive(Debug)]
struct Client {
    habit: Habit,
    from: Ipv4Addr,
    stream: Option<TcpStream>,
    query: Vec<u8>,
    /// Octets that the deaf have sent.
    sent: usize,
}

impl Client {
    /// What it does in one round.
    fn act(&mut self, to: SocketAddr) {
        let Some(stream) = &mut self.stream else {
            (self.stream, self.sent) = (connect(self.from, to), 0);
            if let Some(stream) = &mut self.stream {
                let first: &[u8] = match self.habit {
                    Habit::Half | Habit::HalfClosed => &self.query[..self.query.len() - 1],
                    Habit::Trickle => b"\xff\xff",
                    Habit::Tls => TLS,
                    Habit::Http => HTTP,
                    Habit::Reset => &self.query,
                    _ => b"",
                };
                // What is not yet connected, or not any more, is seen to in the next round.
                let _ = stream.write(first);
            }
            return;
        };
        let done = match self.habit {
            Habit::Trickle => stream.write(&[0]).map(|_| ()),
            Habit::Deaf => {
                let mut octets = self.query.repeat(500);
                octets.rotate_left(self.sent % self.query.len());
                stream.write(&octets).map(|sent| self.sent += sent)
            }
            Habit::Chatty => stream.write(&self.query.repeat(16)).map(|_| ()),
            Habit::HalfClosed => stream.shutdown(Shutdown::Write),
            Habit::Reset => {
                let _ = socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO));
                self.stream = None;
                return;
            }
            Habit::Scan => {
                self.stream = None;
                return;
            }
            Habit::Silent | Habit::Half | Habit::Tls | Habit::Http => Ok(()),
        };
        let waits = |error: &std::io::Error| {
            matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected)
        };
        let mut gone = done.is_err_and(|error| !waits(&error));
        if self.habit != Habit::Deaf {
            gone |= match stream.read(&mut [0; 16 << 10]) {
                Ok(read) => read == 0,
                Err(error) => !waits(&error),
            };
        }
        if gone {
            self.stream = None;
        }
    }
}

/// Begins a connection; `None` when not even that can be done.
fn connect(from: Ipv4Addr, to: SocketAddr) -> Option<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).ok()?;
    socket.set_nonblocking(true).ok()?;
    // Small, so that somebody who does not read is noticed soon.
    socket.set_recv_buffer_size(4096).ok()?;
    socket.bind(&SocketAddr::from((from, 0)).into()).ok()?;
    // In progress: it is done by the next round.
    let _ = socket.connect(&to.into());
    Some(socket.into())
}
