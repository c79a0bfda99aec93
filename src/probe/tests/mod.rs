//! Probes against real sockets on loopback, and the prober on paused time.

mod agent;
mod certificates;
mod dns;
mod exec;
mod fast;
mod grpc;
mod icmp;
mod prober;
mod prometheus;
mod push;
mod responses;
mod sockets;
mod tls;

use std::future::Future;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::tools::Tools;
use super::{Limits, Roots, Verdict};
use crate::health::{Outcome, Phases, Report};
use crate::model::{Check, Destination, HttpProbe, Probe, Target, TargetId, Timing};

/// Long enough for what is to succeed, on any machine.
const PATIENT: Duration = Duration::from_secs(20);
/// Short, for what is to hang.
const BRIEF: Duration = Duration::from_millis(150);

/// `GET /healthz`, wanting 200-299.
pub(super) fn http() -> HttpProbe {
    HttpProbe { path: "/healthz".into(), ..HttpProbe::default() }
}

/// As [`http`], wanting this in the body.
fn body(wanted: &str) -> Probe {
    Probe::Http(HttpProbe { expect_body: Some(wanted.into()), ..http() })
}

/// A tcp target.
pub(super) fn target_at(destination: Destination, port: u16) -> Target {
    let timing = Timing { interval: PATIENT * 2, fast: None, timeout: PATIENT, fall: 3, rise: 2 };
    Target {
        id: TargetId(0),
        check: Arc::new(Check::new("web".into(), Probe::Tcp, port, timing)),
        destination,
        settled: false,
    }
}

fn tools(roots: Roots) -> Tools {
    let (_sender, limits) = watch::channel(Limits::default());
    Tools::new(limits, roots)
}

/// Probes a port of loopback once.
async fn probe_port(probe: Probe, port: u16, timeout: Duration) -> (Outcome, Phases) {
    probe_with(&tools(Roots::Given(vec![])), probe, port, timeout).await
}

async fn probe_with(
    tools: &Tools,
    probe: Probe,
    port: u16,
    timeout: Duration,
) -> (Outcome, Phases) {
    let mut target = target_at(Destination::Address(Ipv4Addr::LOCALHOST.into()), port);
    let check = Arc::make_mut(&mut target.check);
    check.probe = probe;
    check.timing.timeout = timeout;
    match tools.probe(&target).await {
        Verdict::Seen(outcome, _, phases) => (outcome, phases),
        Verdict::Abstained(why) => panic!("abstained: {why}"),
    }
}

/// The same with what the target said of itself.
async fn told(tools: &Tools, probe: Probe, port: u16) -> (Outcome, Report) {
    let mut target = target_at(Destination::Address(Ipv4Addr::LOCALHOST.into()), port);
    Arc::make_mut(&mut target.check).probe = probe;
    match tools.probe(&target).await {
        Verdict::Seen(outcome, report, _) => (outcome, report),
        Verdict::Abstained(why) => panic!("abstained: {why}"),
    }
}

/// Probes once what is neither a port nor a name.
async fn probe_at(probe: Probe, destination: Destination, timeout: Duration) -> Verdict {
    let mut target = target_at(destination, 0);
    let check = Arc::make_mut(&mut target.check);
    check.probe = probe;
    check.timing.timeout = timeout;
    tools(Roots::Given(vec![])).probe(&target).await
}

fn failed(why: &str) -> Outcome {
    Outcome::Fail(why.into())
}

/// A server on a free port of loopback that does `handle` with each connection; its port.
async fn server<F, H>(handle: F) -> u16
where
    F: Fn(TcpStream) -> H + Send + 'static,
    H: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(handle(stream));
        }
    });
    port
}

/// Reads a request's head; it as text.
async fn read_request(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let Ok(octet) = stream.read_u8().await else { break };
        request.push(octet);
    }
    String::from_utf8(request).unwrap()
}

/// A server that reads a request, sends `response`, and leaves the connection open.
async fn answering(response: impl Into<Vec<u8>>) -> u16 {
    let response: Arc<[u8]> = response.into().into();
    server(move |mut stream| {
        let response = Arc::clone(&response);
        async move {
            read_request(&mut stream).await;
            let _ = stream.write_all(&response).await;
            hold(stream).await;
        }
    })
    .await
}

/// Keeps a connection open until the other side ends it.
async fn hold(mut stream: impl AsyncReadExt + Unpin) {
    while let Ok(1..) = stream.read(&mut [0; 512]).await {}
}
