//! Millions of queries, most of them odd and many broken, over UDP and TCP at once: what the server
//! holds stays as it was, and somebody who asks politely is answered all the while.
//!
//! `just soak`, which runs it on a release build.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use hickory_proto::rr::RecordType;
use trimtab::clock::now;

use crate::fuzz::dice::Dice;
use crate::fuzz::query::query;
use crate::fuzz::world;
use crate::harness::{Client, Question, Server, Site, until};

/// Datagrams, and connections.
const DATAGRAMS: usize = 4_000_000;
const CONNECTIONS: usize = 40_000;
/// Datagrams sent before what came back is read: what a socket holds of them.
const BURST: usize = 64;
/// How much more memory may be in use at the end than after a tenth of it, in octets: room for what
/// allocators keep. Two octets left behind by each datagram would be more.
const BOUND: f64 = 6e6;

const _: () = assert!((DATAGRAMS * 2) as f64 > BOUND);

#[derive(Default)]
struct Done {
    datagrams: AtomicUsize,
    connections: AtomicUsize,
    replies: AtomicUsize,
    enough: AtomicBool,
}

impl Done {
    fn is_enough(&self) -> bool {
        self.enough.load(Ordering::Relaxed)
    }

    /// Up to 1.
    fn share(&self) -> f64 {
        let share = |done: &AtomicUsize, of: usize| done.load(Ordering::Relaxed) as f64 / of as f64;
        share(&self.datagrams, DATAGRAMS).min(share(&self.connections, CONNECTIONS))
    }
}

fn odd(rng: &mut fastrand::Rng) -> Vec<u8> {
    let len = rng.usize(0..160);
    let octets: Vec<u8> = (0..len).map(|_| rng.u8(..)).collect();
    if rng.u8(..) < 16 { octets } else { query(&mut Dice::new(&octets)) }
}

fn datagrams(server: SocketAddr, done: Arc<Done>, seed: u64) -> impl FnOnce() {
    move || {
        let mut rng = fastrand::Rng::with_seed(seed);
        let socket = UdpSocket::bind(SocketAddr::new(server.ip(), 0)).unwrap();
        socket.connect(server).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let mut reply = [0; 4096];
        while !done.is_enough() {
            for _ in 0..BURST {
                let _ = socket.send(&odd(&mut rng));
            }
            // What is never answered ends the wait.
            let _ = socket.send(&[7; 12].map(|octet| octet & 7));
            socket.set_nonblocking(true).unwrap();
            let mut replies = 0;
            let start = now();
            while replies < BURST / 2 && now() - start < Duration::from_millis(20) {
                replies += usize::from(socket.recv(&mut reply).is_ok());
            }
            done.replies.fetch_add(replies, Ordering::Relaxed);
            done.datagrams.fetch_add(BURST, Ordering::Relaxed);
        }
    }
}

fn connections(server: SocketAddr, done: Arc<Done>, seed: u64) -> impl FnOnce() {
    move || {
        let mut rng = fastrand::Rng::with_seed(seed);
        while !done.is_enough() {
            // What goes wrong on a connection is what it is for.
            let _ = connection(server, &done, &mut rng);
            done.connections.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Some messages in segments that begin and end anywhere, and one of several ends.
fn connection(server: SocketAddr, done: &Done, rng: &mut fastrand::Rng) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(Duration::from_millis(20)))?;
    stream.set_nodelay(true)?;
    let mut octets = Vec::new();
    for _ in 0..rng.usize(1..12) {
        let message = odd(rng);
        octets.extend((message.len() as u16).to_be_bytes());
        octets.extend(message);
    }
    if rng.u8(..) < 32 {
        octets.truncate(rng.usize(..octets.len()));
    }
    while !octets.is_empty() {
        let len = if rng.u8(..) < 128 { octets.len() } else { rng.usize(1..=octets.len()) };
        stream.write_all(&octets[..len])?;
        octets.drain(..len);
    }
    match rng.u8(..4) {
        // Gone at once, with replies on the way.
        0 => return Ok(()),
        1 => stream.shutdown(Shutdown::Write)?,
        _ => {}
    }
    let mut replies = [0; 4096];
    while stream.read(&mut replies)? > 0 {
        done.replies.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

fn held(server: &Server) -> (f64, f64) {
    let metrics = server.metrics();
    (metrics.value("process_resident_memory_bytes"), metrics.value("process_open_fds"))
}

#[test]
#[ignore = "takes minutes; `just soak` runs it"]
fn millions_of_odd_queries_leave_nothing_behind() {
    let site = Site::bare(&world::served());
    world::write(&site.path(""));
    let server = site.serve();
    let done = Arc::new(Done::default());
    let files = held(&server).1;
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    for (seed, at) in (1..).zip([server.v4, server.v6]) {
        threads.push(spawn(datagrams(at, Arc::clone(&done), seed)));
        threads.push(spawn(connections(at, Arc::clone(&done), seed)));
        threads.push(spawn(connections(at, Arc::clone(&done), 100 + seed)));
    }
    let mut polite: Client = server.client();
    let question = Question::new("www.example.test", RecordType::A);
    let start = now();
    let (mut settled, mut told) = (None, 0.0);
    while done.share() < 1.0 {
        polite.ask(&question);
        let share = done.share();
        if share < told {
            continue;
        }
        let (memory, files) = held(&server);
        println!(
            "{:3.0} %: {:.1} MB, {files} files, {:?}",
            share * 100.0,
            memory / 1e6,
            now() - start
        );
        told += 0.1;
        if share > 0.1 {
            settled.get_or_insert(memory);
        }
    }
    done.enough.store(true, Ordering::Relaxed);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    until("all connections have ended", || (held(&server).1 <= files + 2.0).then_some(()));
    let memory = held(&server).0;
    let of = |count: &AtomicUsize| count.load(Ordering::Relaxed);
    println!(
        "{} datagrams and {} connections in {:?}: {} replies were read, {:.1} MB in use",
        of(&done.datagrams),
        of(&done.connections),
        now() - start,
        of(&done.replies),
        memory / 1e6
    );
    assert_eq!(server.metrics().value("trimtab_dns_dropped_total{reason=\"panic\"}"), 0.0);
    let settled = settled.expect("more than a tenth was done");
    assert!(memory - settled < BOUND, "{memory} octets are in use, and {settled} were");
    assert!(server.stop().success());
}
