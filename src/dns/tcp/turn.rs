//! A turn: a few of a connection's messages are answered at once, and their replies sent together.
//!
//! How many is what is in flight (RFC 7766 section 6.2.1.1). It bounds what a connection holds of
//! replies that its client does not read, and for how long it keeps a thread from other connections.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use super::input::{Input, PREFIX, message};
use super::lock;
use crate::dns::engine::{
    self, Ends, Located, Transfer, Transport, Verdict, Worker, finish, locate,
};
use crate::metrics::Block;
use crate::routing::Snapshot;

/// The largest message.
const MESSAGE_MAX: usize = u16::MAX as usize;
/// Replies are sent, however few, when so many octets are ready.
const FLUSH: usize = 16 << 10;

/// What messages came to.
#[derive(Debug, Default)]
pub(super) struct Turn {
    /// The replies, each with its length, in the order of the queries.
    pub(super) replies: Vec<u8>,
    /// Behind them came what is not a query: nothing of what follows can be trusted.
    pub(super) not_dns: bool,
    /// Behind them a zone is to be sent, before anything else is answered.
    pub(super) transfer: Option<Box<Transfer>>,
}

/// What is needed to answer, which a connection has only while it does.
pub(super) struct Desk {
    worker: Worker,
    at: Box<Located>,
    /// Where a reply is written, behind its length.
    reply: Box<[u8]>,
}

/// The desks of a listener: as many as have ever been used at once, which is one for each thread.
#[derive(Debug)]
pub(super) struct Desks {
    block: Arc<Block>,
    engine: Arc<engine::Shared>,
    free: Mutex<Vec<Desk>>,
}

impl Desks {
    /// None yet; all of them count in `block`, which is shared.
    pub(super) fn new(block: Arc<Block>, engine: Arc<engine::Shared>) -> Self {
        Self { block, engine, free: Mutex::default() }
    }

    /// Answers the messages at the start of `input`, which go between these ends, and takes them out of
    /// it; no more than `most`. Nothing is left in `input` but what is to be answered.
    pub(super) fn turn(
        &self,
        snapshot: &Snapshot,
        (from, ends): (IpAddr, Ends),
        input: &mut Input,
        most: usize,
        crowded: bool,
    ) -> Turn {
        let mut desk =
            lock(&self.free).pop().unwrap_or_else(|| Desk::new(&self.block, &self.engine));
        desk.worker.now = self.engine.now();
        desk.worker.crowded = crowded;
        desk.worker.ends = ends;
        let turn = desk.turn(snapshot, from, input, most);
        // One that a panic has left as it was does not come back.
        lock(&self.free).push(desk);
        turn
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

impl Desk {
    fn new(block: &Arc<Block>, engine: &Arc<engine::Shared>) -> Self {
        Self {
            worker: Worker::new(Arc::clone(block), fastrand::u64(..), Arc::clone(engine)),
            at: Box::default(),
            reply: vec![0; PREFIX + MESSAGE_MAX].into(),
        }
    }

    #[expect(clippy::arithmetic_side_effects, reason = "positions within the input")]
    fn turn(&mut self, snapshot: &Snapshot, from: IpAddr, input: &mut Input, most: usize) -> Turn {
        let mut turn = Turn::default();
        let mut taken = 0;
        for _ in 0..most {
            let rest = input.octets().get(taken..).unwrap_or_default();
            let Some(request) = message(rest).filter(|_| turn.replies.len() < FLUSH) else { break };
            taken += PREFIX + request.len();
            let Some(reply) = self.answer(snapshot, from, request) else {
                turn.transfer = self.worker.transfer.take();
                turn.not_dns = turn.transfer.is_none();
                break;
            };
            turn.replies.extend_from_slice(reply);
        }
        input.take(taken);
        turn
    }

    /// The reply to one request, with its length; `None`: it gets none.
    #[expect(clippy::arithmetic_side_effects, reason = "a reply with its length")]
    fn answer(&mut self, snapshot: &Snapshot, from: IpAddr, request: &[u8]) -> Option<&[u8]> {
        let (prefix, buffer) = self.reply.split_first_chunk_mut::<PREFIX>()?;
        locate(snapshot, from, request, &mut self.at);
        buffer.get_mut(..request.len())?.copy_from_slice(request);
        let verdict = finish(snapshot, &self.at, Transport::Tcp, buffer, &mut self.worker);
        let Verdict::Reply(len) = verdict else { return None };
        *prefix = u16::try_from(len).ok()?.to_be_bytes();
        self.reply.get(..PREFIX + len)
    }
}
