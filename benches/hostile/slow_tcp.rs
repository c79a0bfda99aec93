//! What a polite client notices of hostile ones over TCP.
//!
//! A polite client asks over UDP, over a new TCP connection for each question, and over one that
//! stays, each on a thread of its own and at a steady pace; what is printed is how many of its
//! questions were lost, and how long the others took. The server has two workers and the default
//! limits. Everything shares the cores of this machine, so each crowd is also measured while it is
//! busy with another server: the difference is what it does to this one.
//!
//! `cargo bench --bench slow_tcp [-- SECONDS] [CROWD]`; wants two cores and 11,000 open files

#[path = "../../tests/support/hostile.rs"]
mod crowd;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crowd::{Crowd, Habit};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tempfile::TempDir;
use trimtab::clock::now;

/// From one question to the next.
const PACE: Duration = Duration::from_millis(1);
/// After so long an answer is lost.
const LOST: Duration = Duration::from_secs(1);
const NAME: &str = "www.hostile.test";
const LONG: &str = "long.hostile.test";

/// A crowd: its name, how many, what they do, and what is between their rounds.
type Hostility = (&'static str, usize, &'static [Habit], Duration);

const CROWDS: [Hostility; 4] = [
    ("10,000 slow", 10_000, &Habit::SLOW, Duration::from_millis(250)),
    ("10,000 of every kind", 10_000, &Habit::ALL, Duration::from_millis(250)),
    ("200 that ask without end", 200, &[Habit::Chatty], Duration::ZERO),
    ("200 that come and go", 200, &Habit::HASTY, Duration::ZERO),
];

fn main() {
    // Cargo adds one of its own.
    let args: Vec<_> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let secs = args.iter().find_map(|arg| arg.parse().ok()).unwrap_or(10);
    let wanted = args.iter().find(|arg| arg.parse::<u64>().is_err());
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).expect("it is allowed");
    let (server, other) = (Server::start(), Server::start());
    println!("| crowd | polite client over | asked | lost | p50 µs | p99 µs | max µs |");
    println!("|---|---|---|---|---|---|---|");
    measure("none", server.address, secs);
    for (name, count, habits, gap) in CROWDS {
        if wanted.is_some_and(|wanted| !name.contains(wanted.as_str())) {
            continue;
        }
        for (at, whose) in [(&other, ", at another server"), (&server, "")] {
            let crowd = gather(at.address, count, habits, gap);
            // Until everybody has connected and done what it does.
            while crowd.rounds() < 3 {
                sleep(PACE);
            }
            measure(&format!("{name}{whose}"), server.address, secs);
            assert!(crowd.is_alive());
        }
    }
}

/// A crowd from networks of 200 addresses with 1,000 clients each.
fn gather(to: SocketAddr, count: usize, habits: &[Habit], gap: Duration) -> Crowd {
    let from = |n: usize| Ipv4Addr::new(127, 66, (n / 1000) as u8, (n % 200) as u8 + 1);
    Crowd::gather(to, count, habits, from, &framed(LONG, 16), gap)
}

/// Asks in every way for so many seconds, and prints a line for each.
fn measure(crowd: &str, to: SocketAddr, secs: u64) {
    let end = now() + Duration::from_secs(secs);
    type Way = fn(SocketAddr, Instant) -> Seen;
    let ways: [(&str, Way); 3] =
        [("UDP", udp), ("TCP, a connection each", fresh), ("TCP, one connection", kept)];
    let seen = ways.map(|(name, way)| (name, std::thread::spawn(move || way(to, end))));
    for (name, seen) in seen {
        let Seen { mut took, lost } = seen.join().expect("it does not panic");
        took.sort_unstable();
        let micros = |part: f64| {
            let at = (took.len() as f64 * part) as usize;
            took.get(at).or(took.last()).map_or(0, Duration::as_micros)
        };
        let asked = took.len() + lost;
        let (p50, p99, max) = (micros(0.5), micros(0.99), micros(1.0));
        println!("| {crowd} | {name} | {asked} | {lost} | {p50} | {p99} | {max} |");
    }
}

/// What became of questions.
#[derive(Default)]
struct Seen {
    took: Vec<Duration>,
    lost: usize,
}

impl Seen {
    /// Asks at a steady pace until the end; `ask` tells whether it was answered.
    fn of(end: Instant, mut ask: impl FnMut() -> std::io::Result<()>) -> Self {
        let mut seen = Self::default();
        let mut next = now();
        while next < end {
            sleep(next.saturating_duration_since(now()));
            let start = now();
            match ask() {
                Ok(()) => seen.took.push(now() - start),
                Err(error) => {
                    eprintln!("lost after {:?}: {error}", now() - start);
                    seen.lost += 1;
                }
            }
            // A late answer holds up the next question; those after that are not asked in a burst.
            next = now().max(next + PACE);
        }
        seen
    }
}

fn udp(to: SocketAddr, end: Instant) -> Seen {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.connect(to).expect("loopback");
    socket.set_read_timeout(Some(LOST)).expect("a time-out");
    let mut id = 0_u16;
    Seen::of(end, || {
        id = id.wrapping_add(1);
        socket.send(&query(NAME, 1, id))?;
        let mut reply = [0; 512];
        // Answers to what was given up on may still come.
        while socket.recv(&mut reply)? < 12 || reply[..2] != id.to_be_bytes() {}
        Ok(())
    })
}

fn fresh(to: SocketAddr, end: Instant) -> Seen {
    Seen::of(end, || over(&mut connect(to)?))
}

fn kept(to: SocketAddr, end: Instant) -> Seen {
    let mut stream = connect(to).expect("a connection");
    Seen::of(end, || {
        let asked = over(&mut stream);
        if asked.is_err() {
            stream = connect(to)?;
        }
        asked
    })
}

fn connect(to: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&to, LOST)?;
    stream.set_read_timeout(Some(LOST))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// One question over a connection.
fn over(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(&framed(NAME, 1))?;
    let mut len = [0; 2];
    stream.read_exact(&mut len)?;
    stream.read_exact(&mut vec![0; usize::from(u16::from_be_bytes(len))])
}

fn query(name: &str, qtype: u16, id: u16) -> Vec<u8> {
    let [i1, i0] = id.to_be_bytes();
    let mut octets = vec![i1, i0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        octets.push(label.len() as u8);
        octets.extend(label.as_bytes());
    }
    octets.push(0);
    octets.extend(qtype.to_be_bytes());
    octets.extend([0, 1]);
    octets
}

fn framed(name: &str, qtype: u16) -> Vec<u8> {
    let query = query(name, qtype, 1);
    [&(query.len() as u16).to_be_bytes()[..], &query].concat()
}

/// The real server, on free ports; killed when it is dropped.
struct Server {
    child: Child,
    address: SocketAddr,
    _dir: TempDir,
}

impl Server {
    fn start() -> Self {
        let dir = TempDir::new().expect("a directory");
        let [dns, admin] = [free_port(), free_port()];
        let address = SocketAddr::from(([127, 0, 0, 1], dns));
        let config = format!(
            "version = 1\n[server]\nlisten = [\"{address}\"]\nworkers = 2\n\
             [server.rate_limit]\nenabled = false\n\
             [admin]\nlisten = \"127.0.0.1:{admin}\"\n[state]\ndir = \"state\"\n\
             [zones.\"hostile.test\"]\nfile = \"zone\"\n"
        );
        let long = (0..40).map(|n| format!("long TXT \"{n:0>60}\"\n")).collect::<String>();
        let zone = format!(
            "$TTL 60\n@ SOA ns1 hostmaster 1 900 900 1800 60\n@ NS ns1\nns1 A 127.0.0.1\n\
             www A 192.0.2.1\n{long}"
        );
        let path = dir.path().join("trimtab.toml");
        std::fs::write(&path, config).expect("a file");
        std::fs::write(dir.path().join("zone"), zone).expect("a file");
        let child = Command::new(env!("CARGO_BIN_EXE_trimtab"))
            .args(["serve", "--config"])
            .arg(&path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server");
        let server = Self { child, address, _dir: dir };
        while connect(address).and_then(|mut stream| over(&mut stream)).is_err() {
            sleep(Duration::from_millis(20));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}
