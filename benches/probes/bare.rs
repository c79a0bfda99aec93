//! What the same connections cost at least: one thread, blocking calls, no judging, no schedule but a
//! steady pace. What hangs is put aside until its time is over.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use trimtab::clock;

use super::case::{Asks, CHECKS, Case, HOST, INTERVAL, TIMEOUT, Targets};
use super::usage;

const REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: probes.test\r\nuser-agent: bare\r\n\
    connection: close\r\n\r\n";

/// Connects for so long at the pace of all checks; prints how often, and the CPU time of each in ns.
pub(super) fn run(
    case: Case,
    port: u16,
    certificate: Option<CertificateDer<'static>>,
    time: Duration,
) {
    let tls = certificate.map(tls);
    let pace = INTERVAL / CHECKS;
    // Until as many hang as ever will, nothing is measured.
    let lead = if case.targets == Targets::Hanging { TIMEOUT } else { pace * 1000 };
    let start = clock::now();
    let (mut aside, mut measured) = (VecDeque::new(), None);
    for n in 0.. {
        let due = start + pace * n;
        if due >= start + lead && measured.is_none() {
            measured = Some((n, usage::cpu()));
        }
        if due >= start + lead + time {
            let (from, before) = measured.expect("it was begun");
            let each = (usage::cpu() - before) / (n - from);
            println!("{} {}", n - from, each.as_nanos());
            return;
        }
        sleep(due.saturating_duration_since(clock::now()));
        let target = case.target(n % CHECKS, port);
        let kept = once(case, target, tls.as_ref());
        aside.extend(kept.map(|socket| (due + TIMEOUT, socket)));
        drop_due(&mut aside);
    }
}

/// Ends what has hung for long enough.
fn drop_due(aside: &mut VecDeque<(Instant, Socket)>) {
    while aside.front().is_some_and(|(end, _)| *end <= clock::now()) {
        aside.pop_front();
    }
}

/// One connection; what hangs comes back.
fn once(case: Case, target: SocketAddr, tls: Option<&Arc<ClientConfig>>) -> Option<Socket> {
    let socket = Socket::new(Domain::for_address(target), Type::STREAM, Some(Protocol::TCP))
        .expect("a socket");
    let hangs = case.targets == Targets::Hanging;
    if hangs && case.asks == Asks::Tcp {
        socket.set_nonblocking(true).expect("a socket");
    }
    let connected = socket.connect(&target.into());
    socket.set_linger(Some(Duration::ZERO)).expect("a socket");
    if case.asks == Asks::Tcp || connected.is_err() {
        return hangs.then_some(socket);
    }
    match tls {
        None if hangs => {
            (&socket).write_all(REQUEST).expect("a connection");
            return Some(socket);
        }
        None => exchange(&mut &socket),
        Some(config) => {
            let name = HOST.try_into().expect("a name");
            let session = ClientConnection::new(Arc::clone(config), name).expect("a session");
            exchange(&mut StreamOwned::new(session, socket));
        }
    }
    None
}

fn exchange(stream: &mut (impl Read + Write)) {
    stream.write_all(REQUEST).expect("a connection");
    let (mut response, mut len) = ([0; 1024], 0);
    while !response[..len].windows(4).any(|window| window == b"\r\n\r\n") {
        len += stream.read(&mut response[len..]).expect("a response");
    }
    assert!(response.starts_with(b"HTTP/1.1 200 "));
}

fn tls(certificate: CertificateDer<'static>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).expect("a certificate");
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Arc::new(config)
}
