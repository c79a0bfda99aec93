//! A batch of queries that is answered as the UDP workers answer one: all are located, then all are
//! finished.

use std::hint::black_box;

use trimtab::dns::engine::{Located, Transport, Verdict, Worker, finish, locate};
use trimtab::routing::Snapshot;

use super::cases::Case;

/// As many as a worker takes at once.
pub(crate) const BATCH: usize = 32;

/// A worker and its buffers.
pub(crate) struct Desk {
    pub(crate) worker: Worker,
    slots: Vec<Slot>,
}

struct Slot {
    buffer: Vec<u8>,
    at: Located,
    reply: Option<usize>,
}

impl Desk {
    /// With room for so long replies.
    pub(crate) fn new(worker: Worker, transport: Transport) -> Self {
        let room = match transport {
            // Not a multiple of a page, as in a worker.
            Transport::Udp => 4096 + 64,
            Transport::Tcp => usize::from(u16::MAX),
        };
        let slot = || Slot { buffer: vec![0; room], at: Located::default(), reply: None };
        Self { worker, slots: (0..BATCH).map(|_| slot()).collect() }
    }

    /// What the kernel does for a worker: a request in each buffer.
    pub(crate) fn receive<'a>(&mut self, cases: impl Iterator<Item = &'a Case>) {
        for (slot, case) in self.slots.iter_mut().zip(cases) {
            slot.buffer[..case.request.len()].copy_from_slice(&case.request);
        }
    }

    /// Locates all that were received.
    pub(crate) fn locate<'a>(
        &mut self,
        snapshot: &Snapshot,
        cases: impl Iterator<Item = &'a Case>,
    ) {
        for (slot, case) in self.slots.iter_mut().zip(cases) {
            locate(snapshot, case.from, &slot.buffer[..case.request.len()], &mut slot.at);
        }
    }

    /// Finishes all that were located.
    pub(crate) fn finish<'a>(
        &mut self,
        snapshot: &Snapshot,
        cases: impl Iterator<Item = &'a Case>,
    ) {
        let Self { worker, slots } = self;
        for (slot, case) in slots.iter_mut().zip(cases) {
            let verdict = finish(snapshot, &slot.at, case.transport, &mut slot.buffer, worker);
            slot.reply = match black_box(verdict) {
                Verdict::Reply(len) => Some(len),
                Verdict::Nothing | Verdict::Transfer => None,
            };
        }
    }

    /// Answers one question.
    pub(crate) fn answer(&mut self, snapshot: &Snapshot, case: &Case) -> Option<&[u8]> {
        let one = || std::iter::once(case);
        self.receive(one());
        self.locate(snapshot, one());
        self.finish(snapshot, one());
        self.slots[0].reply.map(|len| &self.slots[0].buffer[..len])
    }

    /// Answers a batch.
    pub(crate) fn batch(&mut self, snapshot: &Snapshot, cases: &[Case]) {
        let all = || cases.iter().cycle();
        self.receive(all());
        self.locate(snapshot, all());
        self.finish(snapshot, all());
    }
}
