//! What becomes of the others when a query makes a worker panic, or gets no reply.
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
    // What was wrong with a batch is forgotten with it.
    for id in 0..32_u8 {
        let mut query = query("www.example.test", 1, None);
        query[..2].copy_from_slice(&[0xff, id]);
        client.send(&query).unwrap();
    }
    for id in 0..32 {
        let mut reply = [0; 512];
        client.recv(&mut reply).unwrap();
        assert_eq!(reply[..2], [0xff, id]);
    }
    workers.unwrap().stop();
    let text = metrics.text();
    let counted = |reason: &str| {
        let line = format!("trimtab_dns_dropped_total{{reason=\"{reason}\"}} ");
        text.lines().find_map(|of| of.strip_prefix(&line)).map(ToOwned::to_owned)
    };
    assert_eq!([counted("panic"), counted("short")], [Some("30".into()), Some("0".into())]);
}

#[test]
fn what_gets_no_reply_leaves_its_place_to_others() {
    let sockets = bind("127.0.0.1:0".parse().unwrap(), 1).unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    client.connect(sockets[0].local_addr().unwrap()).unwrap();
    for id in 0..64_u8 {
        let mut query = query("www.example.test", 1, None);
        query[1] = id;
        match id % 4 {
            1 => query.truncate(11),
            // A response, which is never answered.
            2 => query[2] |= 0x80,
            _ => {}
        }
        client.send(&query).unwrap();
    }
    let metrics = Metrics::new();
    let handle = Publisher::new(snapshot()).handle();
    let workers = UdpWorkers::spawn(&sockets, &handle, &shared(), |_| {
        metrics.block(Proto::Udp, Family::V4, false)
    });
    for id in (0..64_u8).filter(|id| [0, 3].contains(&(id % 4))) {
        let mut reply = [0; 512];
        let len = client.recv(&mut reply).unwrap();
        assert!(len > 12, "a reply without a header");
        assert_eq!((reply[1], &reply[6..8]), (id, &[0, 1][..]));
    }
    workers.unwrap().stop();
}

#[test]
fn what_cannot_be_sent_costs_no_other_its_reply() {
    let sockets = bind("127.0.0.1:0".parse().unwrap(), 1).unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    client.connect(sockets[0].local_addr().unwrap()).unwrap();
    let mut batch = Batch::new();
    for round in 0..2 {
        client.send(b"?").unwrap();
        assert_eq!(batch.receive(&sockets[0], false).unwrap(), 1);
        // As if the client had sent six.
        let name = batch.names[0];
        batch.names[..6].fill(name);
        batch.used = 6;
        for slot in 0..6 {
            batch.buffer(slot)[..2].copy_from_slice(&[round, slot as u8]);
            if round == 0 && [1, 2, 5].contains(&slot) {
                // No address is that short, so the kernel refuses it.
                batch.headers[slot].msg_hdr.msg_namelen = 1;
            }
            batch.reply(slot, if slot == 3 { 0 } else { 2 });
        }
        let (lost, sent) = if round == 0 { (3, &[0, 4][..]) } else { (0, &[0, 1, 2, 4, 5][..]) };
        assert_eq!(batch.send(&sockets[0]), lost);
        for slot in sent {
            let mut reply = [0; 8];
            assert_eq!(client.recv(&mut reply).unwrap(), 2);
            assert_eq!(reply[..2], [round, *slot]);
        }
        assert_eq!(batch.send(&sockets[0]), 0, "nothing is sent twice");
    }
}
