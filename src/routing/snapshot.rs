//! What the answering threads need, and all that they need.
#![deny(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    reason = "nothing that a packet says may reach a panic"
)]

use std::sync::Arc;

use crate::model::{BindingId, Family, RecordId, Slot, TreeId};
use crate::wire::TailBuf;
use crate::zone::Names;

use super::assembly::Assembly;
use super::compile::PoolStanding;
use super::distribution::Distribution;
use super::places::Places;

/// One consistent state of the world. Immutable; replaced as a whole.
#[derive(Debug)]
pub struct Snapshot {
    /// Counts up by one for each snapshot of a process.
    pub generation: u64,
    /// The index over all names.
    pub names: Arc<Names>,
    /// How to tell clients apart.
    pub places: Arc<Places>,
    /// The dynamic records.
    pub records: Arc<[ServedRecord]>,
    /// What the records draw from.
    pub bindings: Vec<Arc<Served>>,
    /// What shapes answers beside names and shares.
    pub options: Options,
    /// What it was compiled from.
    pub assembly: Arc<Assembly>,
    /// The health that it was compiled from.
    pub pools: Arc<Vec<Arc<PoolStanding>>>,
}

/// Settings that shape answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The largest answer over UDP, in octets, 512 to 4096.
    pub udp_payload_max: u16,
    /// Whether an EDNS Client Subnet decides who the client is.
    pub client_subnet: bool,
}

/// A dynamic record as it is served.
#[derive(Debug, Clone)]
pub struct ServedRecord {
    /// What it draws from.
    pub binding: BindingId,
    /// The tree behind that, whose classes of clients it tells apart.
    pub tree: TreeId,
    /// TTL in seconds when all is calm.
    pub ttl: u32,
    /// The least TTL in seconds.
    pub ttl_min: u32,
    /// How many addresses an answer has at most.
    pub max_answers: u16,
    /// For each region's slot the counter of its answers.
    pub columns: Box<[u32]>,
    /// For each ring, whose slots stand behind the regions' slots, how many addresses an answer has
    /// at most.
    pub ring_answers: Box<[u16]>,
}

/// What records of one binding draw from, by family.
#[derive(Debug)]
pub struct Served {
    /// IPv4, then IPv6.
    pub family: [Side; 2],
}

/// One family of a binding.
#[derive(Debug)]
pub struct Side {
    /// What each class of clients draws from.
    pub classes: Box<[ClassSide]>,
    /// The addresses of each region's slot.
    pub tails: Box<[Arc<TailBuf>]>,
}

/// One class of clients in one family of a binding.
#[derive(Debug)]
pub struct ClassSide {
    /// The shares.
    pub distribution: Arc<Distribution>,
    /// Seconds until the earliest moment at which an address that it serves may be taken out;
    /// `u32::MAX` when none is in doubt.
    pub flip_secs: u32,
    /// The addresses of each ring, whose slots stand behind the regions' slots.
    pub rings: Box<[TailBuf]>,
}

impl Snapshot {
    /// What a record draws from in a family, for a class.
    #[must_use]
    pub fn side(&self, record: RecordId, family: Family) -> Option<(&ServedRecord, &Side)> {
        let record = self.records.get(record.index())?;
        let served = self.bindings.get(record.binding.index())?;
        Some((record, served.side(family)))
    }
}

impl Served {
    /// One family.
    #[must_use]
    pub const fn side(&self, family: Family) -> &Side {
        let [v4, v6] = &self.family;
        match family {
            Family::V4 => v4,
            Family::V6 => v6,
        }
    }
}

impl Side {
    /// The addresses behind a slot that a class has drawn.
    #[must_use]
    pub fn tail<'a>(&'a self, class: &'a ClassSide, slot: Slot) -> Option<&'a TailBuf> {
        match self.tails.get(slot.index()) {
            Some(tail) => Some(tail),
            None => class.rings.get(slot.index() - self.tails.len()),
        }
    }
}

impl ServedRecord {
    /// How many addresses an answer from a slot has at most.
    #[must_use]
    pub fn most(&self, slot: Slot) -> u16 {
        let ring = slot.index().checked_sub(self.columns.len());
        let most = ring.and_then(|ring| self.ring_answers.get(ring));
        most.copied().unwrap_or(self.max_answers)
    }

    /// The TTL of an answer to a class, in seconds.
    #[must_use]
    pub fn ttl(&self, class: &ClassSide) -> u32 {
        if class.distribution.reason.is_all_down() {
            return self.ttl_min;
        }
        self.ttl.min(class.flip_secs.max(self.ttl_min))
    }
}
