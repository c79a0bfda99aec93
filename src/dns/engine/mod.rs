//! Hot: bytes in, bytes out; one truth for every transport.
//!
//! A query is answered in two steps, so that a batch can be read in one pass and answered in the
//! next: [`locate`] parses a request and asks for the memory that its answer will need, and
//! [`finish`] writes the reply in place. Neither allocates, locks, or knows what a socket is.

mod accounts;
mod answer;
mod asked;
mod chain;
mod cookie;
mod dynamic;
#[cfg(test)]
mod endpoint_tests;
mod introduce;
mod limit;
#[cfg(test)]
mod limit_tests;
mod logged;
#[cfg(test)]
mod logged_tests;
mod lookup;
mod message;
mod opt;
mod referral;
mod reply;
mod request;
mod shared;
mod signed;
mod subnet;
#[cfg(test)]
mod subnet_tests;
#[cfg(test)]
pub(in crate::dns) mod tests;
mod transfer;
#[cfg(test)]
pub(in crate::dns) mod transfer_tests;

pub use logged::Ends;
pub use message::{Opcode, Rcode};
pub use request::{Edns, Located, fetch, locate};
pub use shared::{Now, Shared};
pub use transfer::Transfer;

use std::sync::Arc;

use crate::metrics::Block;
use crate::routing::Snapshot;

use chain::Chain;
use logged::Tap;

/// Who asks, and over what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// At most `udp_payload_max` octets.
    Udp,
    /// At most 65,535 octets.
    Tcp,
}

/// What to do with a request once it is finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Send so many octets of the buffer back.
    Reply(usize),
    /// Send nothing.
    Nothing,
    /// Send the zone that [`Worker::transfer`] tells, in messages of their own; only over TCP.
    Transfer,
}

/// What one answering thread (or connection) keeps to itself.
#[derive(Debug)]
pub struct Worker {
    /// Its counters.
    pub block: Arc<Block>,
    /// Its random numbers.
    pub rng: fastrand::Rng,
    /// The time, as of when the batch in hand came.
    pub now: Now,
    /// Whether connections are getting scarce: clients that ask for how long they may keep theirs
    /// are asked to close it (RFC 7828 section 3.3.2).
    pub crowded: bool,
    /// What it has in common with all others.
    pub shared: Arc<Shared>,
    /// The transfer that the last request has begun.
    pub transfer: Option<Box<Transfer>>,
    /// Between whom the query in hand went, where that is logged.
    pub ends: Ends,
    /// The CNAME chain in hand.
    chain: Chain,
    /// What it has for the answers that it logs.
    tap: Tap,
}

impl Worker {
    /// With counters of its own and a seed.
    #[must_use]
    pub fn new(block: Arc<Block>, seed: u64, shared: Arc<Shared>) -> Self {
        let rng = fastrand::Rng::with_seed(seed);
        let now = shared.now();
        let (chain, tap) = (Chain::new(), Tap::new(shared.taps.end()));
        let ends = Ends::default();
        Self { block, rng, now, crowded: false, shared, transfer: None, ends, chain, tap }
    }
}

/// Writes the reply to a located request over it.
///
/// `buffer` starts with the request and must be at least as long as the largest reply that the
/// transport allows ([`reply_max`]).
pub fn finish(
    snapshot: &Snapshot,
    at: &Located,
    transport: Transport,
    buffer: &mut [u8],
    worker: &mut Worker,
) -> Verdict {
    match snapshot.options.logged {
        None => unlogged(snapshot, at, transport, buffer, worker),
        Some(logged) => logged::finish(logged, snapshot, at, transport, buffer, worker),
    }
}

#[inline]
fn unlogged(
    snapshot: &Snapshot,
    at: &Located,
    transport: Transport,
    buffer: &mut [u8],
    worker: &mut Worker,
) -> Verdict {
    match at.signed {
        None => answer::reply(snapshot, at, transport, buffer, worker, None),
        Some(start) => signed::finish(snapshot, at, start, transport, buffer, worker),
    }
}

/// The largest reply over a transport, in octets.
#[must_use]
pub const fn reply_max(transport: Transport, udp_payload_max: u16) -> usize {
    match transport {
        Transport::Udp => udp_payload_max as usize,
        Transport::Tcp => u16::MAX as usize,
    }
}
