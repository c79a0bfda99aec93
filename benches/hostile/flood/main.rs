//! A polite client beside floods: what of its answers is lost, and how long they take.
//!
//! `just hostile-flood` (`cargo bench --bench hostile-flood -- --seconds 5`). A server with two
//! workers answers on loopback. A flood comes from several client networks, as fast as one thread
//! sends, and reads no reply, like one with forged sources; a polite client of another network asks
//! a thousand queries a second for ten names on eight sockets. Each flood runs with limits and
//! without. Server, flood and client share the machine: with few cores the flood takes much of its
//! time, so compare rows, and not with other machines.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use trimtab::clock::now;

mod messages;
mod polite;
mod server;

use messages::{A, query};
use polite::{SOCKETS, Seen, ask_politely, connected};
use server::Server;

/// Sources of a flood: so many client networks, with so many addresses each.
const NETWORKS: u8 = 8;
const ADDRESSES: u8 = 4;

/// What a flood asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Flood {
    None,
    RandomNames,
    OneName,
    Elsewhere,
    /// One name, from one address and port: all of it lands in one worker.
    OneSocket,
}

impl Flood {
    const ALL: [Self; 5] =
        [Self::None, Self::RandomNames, Self::OneName, Self::Elsewhere, Self::OneSocket];

    fn label(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::RandomNames => "names that do not exist",
            Self::OneName => "one name",
            Self::Elsewhere => "names of no zone",
            Self::OneSocket => "one name, one socket",
        }
    }

    fn name(self, number: u64) -> String {
        match self {
            Self::RandomNames => format!("n{number:08x}.flood.test"),
            Self::Elsewhere => format!("n{number:08x}.elsewhere.test"),
            Self::None | Self::OneName | Self::OneSocket => "app.flood.test".into(),
        }
    }

    fn sources(self) -> Vec<Ipv4Addr> {
        let all = (2..2 + NETWORKS).flat_map(|net| (1..=ADDRESSES).map(move |n| [127, 0, net, n]));
        let most = match self {
            Self::None => 0,
            Self::OneSocket => 1,
            _ => usize::MAX,
        };
        all.take(most).map(Ipv4Addr::from).collect()
    }

    /// Sends until told to stop; returns how many.
    fn run(self, to: SocketAddr, stop: &AtomicBool) -> u64 {
        let sockets: Vec<_> = self.sources().into_iter().map(|from| connected(from, to)).collect();
        let queries: Vec<_> =
            (0..4096).map(|n| query(n as u16, &self.name(n * 0x9e37), A)).collect();
        let mut sent = 0;
        for (socket, query) in sockets.iter().cycle().zip(queries.iter().cycle()) {
            if stop.load(Relaxed) {
                break;
            }
            // What the kernel does not take is not sent: a full queue, or a port that is gone.
            sent += u64::from(socket.send(query).is_ok());
        }
        sent
    }
}

/// One line of the table.
fn measure(flood: Flood, limits: bool, length: Duration, binary: &str) -> String {
    let server = Server::start(binary, limits);
    let (stop, sent) = (AtomicBool::new(false), AtomicU64::new(0));
    let seen: Vec<Seen> = thread::scope(|scope| {
        let flooding = scope.spawn(|| sent.store(flood.run(server.address, &stop), Relaxed));
        let end = now() + length;
        let clients: Vec<_> = (0..SOCKETS)
            .map(|number| scope.spawn(move || ask_politely(number, server.address, end)))
            .collect();
        let seen = clients.into_iter().map(|client| client.join().expect("it ends")).collect();
        stop.store(true, Relaxed);
        flooding.join().expect("it ends");
        seen
    });
    let per_sec = |count: u64| count as f64 / 1000.0 / length.as_secs_f64();
    let all = Seen {
        sent: seen.iter().map(|one| one.sent).sum(),
        times: seen.iter().flat_map(|one| one.times.clone()).collect(),
    };
    let mut times = all.times.clone();
    times.sort_unstable();
    let time = |part: f64| {
        let at = (part * times.len().saturating_sub(1) as f64) as usize;
        times.get(at).map_or("-".into(), |time| format!("{:.0}", time.as_secs_f64() * 1e6))
    };
    let by_socket = seen.iter().map(Seen::lost_percent);
    let (best, worst) =
        by_socket.fold((f64::MAX, 0_f64), |(a, b), lost| (a.min(lost), b.max(lost)));
    let counts = server.counts();
    format!(
        "{:<24} {:<6} {:>7.0} {:>8.0} {:>8.0} {:>8.0} {:>8.0} {:>8.2} {:>11} {:>6} {:>6}",
        flood.label(),
        if limits { "on" } else { "off" },
        per_sec(sent.into_inner()),
        per_sec(counts.queue),
        per_sec(counts.dropped),
        per_sec(counts.slipped),
        per_sec(counts.replies),
        all.lost_percent(),
        format!("{best:.1}-{worst:.1}"),
        time(0.5),
        time(0.99),
    )
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let value = |key: &str| {
        let at = args.iter().position(|arg| arg == key)?;
        args.get(at + 1)?.parse::<u64>().ok()
    };
    let length = Duration::from_secs(value("--seconds").unwrap_or(5));
    println!(
        "thousands a second, but for the polite client: its loss in %, of all and of its best"
    );
    println!("and worst socket, and the time of its answers in microseconds");
    println!(
        "{:<24} {:<6} {:>7} {:>8} {:>8} {:>8} {:>8} {:>8} {:>11} {:>6} {:>6}",
        "flood",
        "limits",
        "sent",
        "no room",
        "dropped",
        "slipped",
        "replies",
        "loss",
        "by socket",
        "p50",
        "p99"
    );
    for flood in Flood::ALL {
        for limits in [false, true] {
            println!("{}", measure(flood, limits, length, env!("CARGO_BIN_EXE_trimtab")));
        }
    }
}
