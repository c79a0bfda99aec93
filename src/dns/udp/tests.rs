//! What becomes of the others when a query makes a worker panic.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests"
)]

use super::*;
use crate::dns::engine;
use crate::dns::engine::tests::{query, shared, snapshot};
use crate::metrics::{Metrics, Proto};
use crate::model::Family;
use crate::routing::Publisher;

/// No query that is answered is known to panic, so these types stand for one that does, while it is
/// read and while it is finished.
const READ: u16 = 65280;
const FINISHED: u16 = 65281;

fn asks(octets: &[u8], qtype: u16) -> bool {
    octets.get(octets.len().saturating_sub(4)..octets.len().saturating_sub(2))
        == Some(&qtype.to_be_bytes())
}

pub(super) fn locate(snapshot: &Snapshot, from: IpAddr, request: &[u8], at: &mut Located) {
    assert!(!asks(request, READ), "as this test wants it");
    engine::locate(snapshot, from, request, at);
}

pub(super) fn finish(
    snapshot: &Snapshot,
    at: &Located,
    transport: Transport,
    buffer: &mut [u8],
    worker: &mut Worker,
) -> Verdict {
    let len = query("www.example.test", FINISHED, None).len();
    assert!(!asks(&buffer[..len], FINISHED), "as this test wants it");
    engine::finish(snapshot, at, transport, buffer, worker)
}

#[test]
fn a_panic_costs_its_query_and_no_other() {
    let sockets = bind("127.0.0.1:0".parse().unwrap(), 1).unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    client.connect(sockets[0].local_addr().unwrap()).unwrap();
    // All wait in the queue when the worker starts, so they make one batch, and the next.
    let mut sent = 0_u16;
    for qtype in [READ, 1, FINISHED, 1, READ, READ, FINISHED, 1].repeat(6) {
        let mut query = query("www.example.test", qtype, None);
        query[..2].copy_from_slice(&sent.to_be_bytes());
        client.send(&query).unwrap();
        sent += 1;
    }
    let metrics = Metrics::new();
    let handle = Publisher::new(snapshot()).handle();

    let workers = UdpWorkers::spawn(&sockets, &handle, &shared(), |_| {
        metrics.block(Proto::Udp, Family::V4, false)
    });
    let mut ids = Vec::new();
    for _ in 0..18 {
        let mut reply = [0; 512];
        let len = client.recv(&mut reply).unwrap();
        let (question, answers) = (&reply[12..len], &reply[6..8]);
        assert!(asks(&question[..22], 1) && answers == [0, 1], "{:02x?}", &reply[..len]);
        ids.push(u16::from_be_bytes([reply[0], reply[1]]));
    }
    let expected: Vec<u16> = (0..sent).filter(|id| [1, 3, 7].contains(&(id % 8))).collect();
    assert_eq!(ids, expected);
    workers.unwrap().stop();
    let text = metrics.text();
    let counted = |reason: &str| {
        let line = format!("trimtab_dns_dropped_total{{reason=\"{reason}\"}} ");
        text.lines().find_map(|of| of.strip_prefix(&line)).map(ToOwned::to_owned)
    };
    assert_eq!([counted("panic"), counted("short")], [Some("30".into()), Some("0".into())]);
}
