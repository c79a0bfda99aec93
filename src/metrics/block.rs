//! Hot: the counters of one answering thread.
//!
//! One thread writes and a scrape reads, so an ordinary load and store does, without a locked
//! instruction. TCP tasks move between threads; their block is made `shared` and adds atomically.
//! Nothing here allocates, waits or panics.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::todo,
    clippy::unimplemented,
    reason = "nothing that a packet says may reach a panic"
)]

use std::array;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::columns::Cells;
use super::labels::{
    CookieStanding, DropReason, Limit, LimitAction, LogSink, Proto, RCODES, TYPES, TransferResult,
    rcode_index, type_index,
};
use super::table::REQUEST_SECS;
use super::tally::Tally;
use crate::model::Family;
use crate::wire::tsig;

/// The counters of one thread, for one transport and address family.
///
/// A block that was not made `shared` has one writer at a time; with two, counts get lost.
#[repr(align(128))]
pub struct Block {
    pub(super) proto: Proto,
    pub(super) family: Family,
    shared: bool,
    /// Its shard of each [`Tally`].
    number: u32,
    pub(super) requests: [AtomicU64; TYPES.len() + 1],
    pub(super) responses: [AtomicU64; RCODES.len() + 1],
    pub(super) dropped: [AtomicU64; DropReason::ALL.len()],
    /// By limit and action.
    pub(super) limited: [[AtomicU64; LimitAction::ALL.len()]; Limit::ALL.len()],
    /// One for each bound, and one for what is longer.
    pub(super) durations: [AtomicU64; REQUEST_SECS.len() + 1],
    pub(super) durations_sum_ns: AtomicU64,
    /// Those that did not decide, and those that did.
    pub(super) client_subnets: [AtomicU64; 2],
    pub(super) cookies: [AtomicU64; CookieStanding::ALL.len()],
    pub(super) tsig_failures: [AtomicU64; tsig::Error::ALL.len()],
    pub(super) transfers: [AtomicU64; TransferResult::ALL.len()],
    /// Answers that a full queue kept from the query log.
    pub(super) unlogged: [AtomicU64; LogSink::ALL.len()],
    pub(super) answers: Cells,
}

impl Block {
    /// The block of a number, with cells for so many columns.
    pub(super) fn new(
        proto: Proto,
        family: Family,
        shared: bool,
        number: u32,
        columns: usize,
    ) -> Self {
        Self {
            proto,
            family,
            shared,
            number,
            requests: array::from_fn(|_| AtomicU64::new(0)),
            responses: array::from_fn(|_| AtomicU64::new(0)),
            dropped: array::from_fn(|_| AtomicU64::new(0)),
            limited: array::from_fn(|_| array::from_fn(|_| AtomicU64::new(0))),
            durations: array::from_fn(|_| AtomicU64::new(0)),
            durations_sum_ns: AtomicU64::new(0),
            client_subnets: array::from_fn(|_| AtomicU64::new(0)),
            cookies: array::from_fn(|_| AtomicU64::new(0)),
            tsig_failures: array::from_fn(|_| AtomicU64::new(0)),
            transfers: array::from_fn(|_| AtomicU64::new(0)),
            unlogged: array::from_fn(|_| AtomicU64::new(0)),
            answers: Cells::new(columns),
        }
    }

    /// A request that was read, by its query type; 0 for one without a readable question.
    #[inline]
    pub fn request(&self, qtype: u16) {
        self.add(self.requests.get(type_index(qtype)), 1);
    }

    /// A reply, by its response code with the extended bits.
    #[inline]
    pub fn response(&self, rcode: u16) {
        self.add(self.responses.get(rcode_index(rcode)), 1);
    }

    /// A dynamic answer, by the column of its region as `Metrics::column` gave it.
    #[inline]
    pub fn answer(&self, column: u32) {
        self.add(self.answers.cell(column), 1);
    }

    /// A query for a dynamic name, by the cell of its record, family and class of clients.
    #[inline]
    pub fn client(&self, tally: &Tally, cell: u32) {
        let Some(cell) = tally.cell(self.number, cell) else { return };
        if self.shared {
            cell.fetch_add(1, Relaxed);
        } else {
            cell.store(cell.load(Relaxed).wrapping_add(1), Relaxed);
        }
    }

    /// A query with an EDNS Client Subnet, and whether that decided what it was answered.
    #[inline]
    pub fn client_subnet(&self, used: bool) {
        self.add(self.client_subnets.get(usize::from(used)), 1);
    }

    /// A query with a DNS cookie, and what that was worth.
    #[inline]
    pub fn cookie(&self, standing: CookieStanding) {
        self.add(self.cookies.get(standing as usize), 1);
    }

    /// A signed request whose signature was not taken.
    pub fn tsig_failure(&self, error: tsig::Error) {
        self.add(self.tsig_failures.get(error as usize), 1);
    }

    /// A request for a whole zone.
    pub fn transfer(&self, result: TransferResult) {
        self.add(self.transfers.get(result as usize), 1);
    }

    /// A message that gets no reply.
    #[inline]
    pub fn dropped(&self, reason: DropReason) {
        self.add(self.dropped.get(reason as usize), 1);
    }

    /// A reply over a rate limit.
    #[inline]
    pub fn limited(&self, limit: Limit, action: LimitAction) {
        let actions = self.limited.get(limit as usize);
        self.add(actions.and_then(|actions| actions.get(action as usize)), 1);
    }

    /// An answer that a full queue kept from the query log.
    pub fn unlogged(&self, sink: LogSink) {
        self.add(self.unlogged.get(sink as usize), 1);
    }

    /// How long it took to make one reply. The caller samples: this is not for every request.
    #[inline]
    pub fn duration_sample(&self, took: Duration) {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let secs = took.as_secs_f64();
        let bucket = REQUEST_SECS.iter().take_while(|&&bound| bound < secs).count();
        self.add(self.durations.get(bucket), 1);
        self.add(Some(&self.durations_sum_ns), ns);
    }

    #[inline]
    fn add(&self, cell: Option<&AtomicU64>, n: u64) {
        let Some(cell) = cell else { return };
        if self.shared {
            cell.fetch_add(n, Relaxed);
        } else {
            cell.store(cell.load(Relaxed).wrapping_add(n), Relaxed);
        }
    }
}

impl std::fmt::Debug for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Block")
            .field("proto", &self.proto)
            .field("family", &self.family)
            .field("shared", &self.shared)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn blocks_start_on_a_cache_line_of_their_own() {
        assert_eq!(align_of::<Block>(), 128);
        assert_eq!(size_of::<Block>() % 128, 0);
    }

    #[test]
    fn a_shared_block_loses_nothing() {
        let block = Block::new(Proto::Tcp, Family::V4, true, 0, 1);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10_000).for_each(|_| block.request(1)));
            }
        });
        assert_eq!(block.requests[type_index(1)].load(Relaxed), 40_000);
    }

    #[test]
    fn a_duration_on_a_bound_belongs_below_it() {
        let block = Block::new(Proto::Udp, Family::V4, false, 0, 1);
        for ns in [0, 250, 251, 10_000_000, 10_000_001] {
            block.duration_sample(Duration::from_nanos(ns));
        }
        let counts: Vec<_> = block.durations.iter().map(|cell| cell.load(Relaxed)).collect();
        assert_eq!(counts, [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!(block.durations_sum_ns.load(Relaxed), 20_000_502);
    }
}
