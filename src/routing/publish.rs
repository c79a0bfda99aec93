//! One writer hands snapshots to many readers: the only swap in the crate.
//!
//! The publisher keeps what it has replaced until no reader holds it any more, and drops it
//! itself, so that no answering thread ever frees a snapshot.
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

use std::sync::Arc;

use arc_swap::{ArcSwap, Cache};

use super::snapshot::Snapshot;

/// The writing end; there is one.
#[derive(Debug)]
pub struct Publisher {
    current: Arc<ArcSwap<Snapshot>>,
    retired: Vec<Arc<Snapshot>>,
}

/// Where readers come from; holds no snapshot itself.
#[derive(Debug, Clone)]
pub struct Handle {
    current: Arc<ArcSwap<Snapshot>>,
}

/// A reading end; each answering thread has its own.
#[derive(Debug, Clone)]
pub struct Reader {
    cache: Cache<Arc<ArcSwap<Snapshot>>, Arc<Snapshot>>,
}

impl Publisher {
    /// Starts with a first snapshot.
    #[must_use]
    pub fn new(first: Snapshot) -> Self {
        Self { current: Arc::new(ArcSwap::from_pointee(first)), retired: Vec::new() }
    }

    /// For those who answer from what is published.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle { current: Arc::clone(&self.current) }
    }

    /// Replaces what is published, and frees what no reader holds any more.
    pub fn publish(&mut self, snapshot: Snapshot) {
        self.swap(snapshot);
        self.sweep();
    }

    /// Replaces what is published; what that was is freed by the next [`Publisher::sweep`].
    pub fn swap(&mut self, snapshot: Snapshot) {
        let before = self.current.swap(Arc::new(snapshot));
        self.retired.push(before);
    }

    /// Frees what no reader holds any more; returns how many snapshots are still held.
    pub fn sweep(&mut self) -> usize {
        self.retired.retain(|snapshot| Arc::strong_count(snapshot) > 1);
        self.retired.len()
    }
}

impl Handle {
    /// A reader for a thread that answers many queries. The thread had better ask for it itself: the
    /// first load of a thread allocates what protects it, and with that it is done.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader { cache: Cache::new(Arc::clone(&self.current)) }
    }

    /// What is published now, to hold across an answer or two.
    #[must_use]
    pub fn current(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }
}

impl Reader {
    /// What is published now; call it once a batch, and now and then when there is none, for a
    /// reader holds on to what it has loaded.
    #[inline]
    pub fn load(&mut self) -> &Snapshot {
        self.cache.load()
    }
}
