//! A polite client is answered whatever others do, and the server stays as small as its limits say.

use rstest::rstest;

use super::crowd::Habit;
use super::{Polite, accepted, gather, open, serve};
use crate::harness::Server;

/// Connections that may be open beyond the limit: those that have just been displaced.
const LEAVING: f64 = 40.0;
/// Files that are open besides connections: sockets, state, logs, runtimes.
const OTHER_FILES: f64 = 60.0;

#[rstest]
fn a_polite_client_beside(
    #[values(
        Habit::Silent,
        Habit::Half,
        Habit::Trickle,
        Habit::Deaf,
        Habit::Chatty,
        Habit::HalfClosed,
        Habit::Tls,
        Habit::Http,
        Habit::Reset,
        Habit::Scan
    )]
    habit: Habit,
) {
    let server = serve("max_connections = 20\nmax_per_client = 8\n");
    let mut polite = Polite::meet(&server);
    let crowd = gather(&server, 60, 20, &[habit]);
    accepted(&server, 60.0);
    polite.ask_beside(&crowd, 20, 5);
}

#[test]
fn a_thousand_of_every_kind() {
    let limits = Limits { connections: 256.0, octets: 64e6 };
    let server = serve("max_connections = 256\nmax_per_client = 16\n");
    beside_all(&server, 1000, 100, limits);
}

/// Takes a minute, and 10,000 files: `.ci/run` asks for it by name.
#[test]
#[ignore = "takes a minute; see `just hostile`"]
fn ten_thousand_of_every_kind() {
    raise_file_limit();
    // The defaults: 4096 connections, 64 of one client.
    let limits = Limits { connections: 4096.0, octets: 256e6 };
    let server = serve("");
    beside_all(&server, 10_000, 300, limits);
}

struct Limits {
    connections: f64,
    /// By which memory may grow.
    octets: f64,
}

/// Clients of every kind, and a polite one who asks until each of them has had its turn again and
/// again.
fn beside_all(server: &Server, clients: usize, questions: usize, limits: Limits) {
    let mut polite = Polite::meet(server);
    let memory = |server: &Server| server.metrics().value("process_resident_memory_bytes");
    let before = memory(server);
    let crowd = gather(server, clients, clients / 10, &Habit::ALL);
    // Until everybody has connected, however long that takes so many on a busy machine.
    polite.ask_beside(&crowd, 1, 3);
    for _ in 0..10 {
        polite.ask_beside(&crowd, questions / 10, 1);
        let files = server.metrics().value("process_open_fds");
        assert!(files <= limits.connections + LEAVING + OTHER_FILES, "{files} open files");
        let grown = memory(server) - before;
        assert!(grown < limits.octets, "{grown} octets more");
    }
    assert!(open(server) <= limits.connections + LEAVING);
    drop(crowd);
    polite.ask();
}

/// Both ends of each connection are files; this process has the clients' ends.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    assert!(maximum.is_none_or(|files| files > 11_000), "too few files may be open: {maximum:?}");
}
