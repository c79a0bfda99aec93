//! Hot: the answers that are logged: which of them, and what is said of them.
//!
//! All others pay one branch. What is said is handed over on queues of the worker's own ([`tap`]): when
//! one is full, the answer goes out all the same.

use std::net::SocketAddr;

use crate::metrics::LogSink;
use crate::model::{RecordId, Slot, TreeId};
use crate::routing::{Logged, Reason, Snapshot};
use crate::tap::{self, Asked, Dynamic, Exchange, Line, Moment, Sink};
use crate::wire::CLASS_IN;

use super::message::{HEADER, flags};
use super::request::Located;
use super::{Transport, Verdict, Worker, unlogged};

/// What a worker has for the answers that it logs.
#[derive(Debug)]
pub(super) struct Tap {
    end: tap::End,
    /// The request in hand, which its reply will be written over; it never grows.
    request: Vec<u8>,
    /// What the answer in hand came to.
    pub(super) note: Note,
}

/// Between whom a query went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ends {
    /// The client's port.
    pub client_port: u16,
    /// The address and port that were asked, as far as they are known.
    pub server: Option<SocketAddr>,
}

/// What an answer came to, noted where it is known.
#[derive(Debug)]
pub(super) struct Note {
    /// Whether the answer in hand is to be logged.
    pub(super) wanted: bool,
    pub(super) rcode: u16,
    pub(super) by_subnet: bool,
    drawn: Option<Drawn>,
    /// The slots of the regions answered, so many of them.
    slots: [Slot; SLOTS],
    count: usize,
}

/// What a dynamic record answered.
#[derive(Debug, Clone, Copy)]
struct Drawn {
    record: RecordId,
    tree: TreeId,
    reason: Reason,
    ttl: u32,
}

/// The most addresses that a record answers.
const SLOTS: usize = u8::MAX as usize;

impl Tap {
    pub(super) fn new(end: tap::End) -> Self {
        let note = Note {
            wanted: false,
            rcode: 0,
            by_subnet: false,
            drawn: None,
            slots: [Slot(0); SLOTS],
            count: 0,
        };
        Self { end, request: Vec::with_capacity(usize::from(u16::MAX)), note }
    }
}

impl Note {
    /// A dynamic record answers, for now without any region.
    pub(super) fn drawn(&mut self, record: RecordId, tree: TreeId, reason: Reason, ttl: u32) {
        self.drawn = Some(Drawn { record, tree, reason, ttl });
        self.count = 0;
    }

    /// An address of a region is among the answers.
    pub(super) fn region(&mut self, slot: Slot) {
        if let Some(place) = self.slots.get_mut(self.count) {
            *place = slot;
            self.count = self.count.saturating_add(1);
        }
    }
}

/// What [`super::finish`] does where answers are logged.
#[inline(never)]
pub(super) fn finish(
    logged: Logged,
    snapshot: &Snapshot,
    at: &Located,
    transport: Transport,
    buffer: &mut [u8],
    worker: &mut Worker,
) -> Verdict {
    if worker.rng.u32(..) > logged.threshold {
        return unlogged(snapshot, at, transport, buffer, worker);
    }
    if logged.dnstap {
        let request = buffer.get(..at.len.min(usize::from(u16::MAX))).unwrap_or_default();
        worker.tap.request.clear();
        worker.tap.request.extend_from_slice(request);
    }
    worker.tap.note.wanted = true;
    worker.tap.note.drawn = None;
    worker.tap.note.count = 0;
    let verdict = unlogged(snapshot, at, transport, buffer, worker);
    worker.tap.note.wanted = false;
    // What gets no reply is not logged either: who floods us would fill the log as well.
    let reply = match verdict {
        Verdict::Reply(len) => buffer.get(..len).unwrap_or_default(),
        Verdict::Transfer => &[],
        Verdict::Nothing => return verdict,
    };
    if logged.json {
        hand_over(worker, Sink::Json, |worker, to| {
            line(snapshot, at, transport, reply, worker, to);
        });
    }
    if logged.dnstap {
        hand_over(worker, Sink::Dnstap, |worker, to| exchange(at, transport, reply, worker, to));
    }
    verdict
}

fn hand_over(worker: &mut Worker, sink: Sink, write: impl FnOnce(&Said<'_>, &mut Vec<u8>)) {
    let Worker { tap: Tap { end, request, note }, now, ends, block, .. } = worker;
    let at = Moment { unix_secs: now.unix_secs, nanos: now.nanos };
    let said = Said { at, ends: *ends, request, note };
    if end.push(sink, |to| write(&said, to)).is_err() {
        block.unlogged(match sink {
            Sink::Json => LogSink::Json,
            Sink::Dnstap => LogSink::Dnstap,
        });
    }
}

/// What a worker knows of the answer in hand.
struct Said<'a> {
    at: Moment,
    ends: Ends,
    request: &'a [u8],
    note: &'a Note,
}

const fn transported(transport: Transport) -> tap::Transport {
    match transport {
        Transport::Udp => tap::Transport::Udp,
        Transport::Tcp => tap::Transport::Tcp,
    }
}

fn line(
    snapshot: &Snapshot,
    at: &Located,
    transport: Transport,
    reply: &[u8],
    said: &Said<'_>,
    to: &mut Vec<u8>,
) {
    let (assembly, note) = (&snapshot.assembly, said.note);
    let drawn = note.drawn.as_ref();
    let record = drawn.and_then(|drawn| assembly.records.get(drawn.record.index()));
    let dynamic = drawn.zip(record).map(|(drawn, record)| Dynamic {
        record: record.name.as_wire(),
        reason: drawn.reason.label(),
    });
    let tree = drawn.and_then(|drawn| assembly.trees.get(drawn.tree.index()));
    let slots = note.slots.iter().take(note.count);
    let regions = slots.filter_map(|slot| {
        let region = tree?.slots.get(slot.index())?;
        Some(&*assembly.regions.get(region.index())?.name)
    });
    let header = reply.get(2).copied().unwrap_or_default();
    let line = Line {
        at: said.at,
        generation: snapshot.generation,
        transport: transported(transport),
        client: at.from,
        subnet: at.asked.subnet.subnet().and_then(|subnet| subnet.prefix()),
        by_subnet: note.by_subnet,
        opcode: header >> 3 & 0x0f,
        asked: asked(at, reply),
        rcode: note.rcode,
        truncated: header & flags::TC != 0,
        // An empty answer may be kept for as long as its SOA says.
        ttl: drawn
            .filter(|_| note.count > 0)
            .map(|drawn| drawn.ttl)
            .or_else(|| first_ttl(at, reply)),
        dynamic,
    };
    line.write(regions, to);
}

/// The question, where there is one.
fn asked<'a>(at: &'a Located, reply: &[u8]) -> Option<Asked<'a>> {
    if at.question_end <= HEADER {
        return None;
    }
    let class = at.question_end.checked_sub(2).and_then(|class| reply.get(class..at.question_end));
    let class = class.and_then(|class| class.first_chunk().copied()).map(u16::from_be_bytes);
    // Where a zone is sent, it is one of class IN.
    let class = class.unwrap_or(CLASS_IN);
    Some(Asked { name: at.key.as_wire(), qtype: at.qtype, class })
}

/// The TTL of the first record, whose owner is always a pointer, unless that is the OPT record.
fn first_ttl(at: &Located, reply: &[u8]) -> Option<u32> {
    let counts = reply.get(6..10)?;
    if counts.iter().all(|octet| *octet == 0) {
        return None;
    }
    // Behind the pointer, the type and the class.
    let ttl = reply.get(at.question_end..)?.get(6..)?.first_chunk()?;
    Some(u32::from_be_bytes(*ttl))
}

fn exchange(at: &Located, transport: Transport, reply: &[u8], said: &Said<'_>, to: &mut Vec<u8>) {
    let client = SocketAddr::new(at.from, said.ends.client_port);
    let exchange = Exchange {
        at: said.at,
        transport: transported(transport),
        client,
        server: said.ends.server,
        query: said.request,
        reply,
    };
    exchange.write(to);
}
