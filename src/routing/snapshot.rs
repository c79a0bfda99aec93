//! What the answering threads need, and all that they need.
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
use std::time::Duration;

use crate::metrics::Tally;
use crate::model::{BindingId, Family, RecordId, Slot, TreeId};
use crate::wire::TailBuf;
use crate::zone::Names;

use super::assembly::Assembly;
use super::distribution::Distribution;
use super::forces::Forces;
use super::inputs::{Inputs, PoolStanding, Remembered};
use super::options::Options;
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
    /// Where queries are counted by class of clients.
    pub tally: Arc<Tally>,
    /// What shapes answers beside names and shares.
    pub options: Options,
    /// What it was compiled from.
    pub assembly: Arc<Assembly>,
    /// The health that it was compiled from.
    pub pools: Arc<Vec<Arc<PoolStanding>>>,
    /// The round-trip times that it was compiled from.
    pub rtts: Arc<[Option<Duration>]>,
    /// What `last_good` could go back to when it was compiled.
    pub last_good: Arc<Vec<Option<Arc<Remembered>>>>,
    /// What was forced when it was compiled.
    pub forces: Arc<Forces>,
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
    /// Whether it answers every type, with a CNAME.
    pub cname: bool,
    /// Where its cells begin among those in which queries are counted by class of clients.
    pub cells_from: u32,
    /// For each region's slot the counter of its answers.
    pub columns: Box<[u32]>,
}

/// What records of one binding draw from, by family.
#[derive(Debug, PartialEq)]
pub struct Served {
    /// IPv4, then IPv6.
    pub family: [Side; 2],
}

/// One family of a binding.
#[derive(Debug, PartialEq)]
pub struct Side {
    /// For each class of clients the position of what it draws from.
    pub(super) of_class: Arc<[u32]>,
    /// What classes draw from, each once: few, even where there are many classes.
    pub(super) distinct: Box<[ClassSide]>,
    /// The addresses of each region's slot.
    pub tails: Box<[Arc<TailBuf>]>,
}

/// What one or more classes of clients draw from, in one family of a binding.
#[derive(Debug, PartialEq)]
pub struct ClassSide {
    /// The shares.
    pub distribution: Arc<Distribution>,
    /// Seconds for which an answer may be kept at most: until the earliest moment at which an address
    /// that it serves may be taken out, and no longer than what aliases were looked up to have;
    /// `u32::MAX` when neither limits it.
    pub keep_secs: u32,
    /// Whether an address that it serves may be taken out.
    pub in_doubt: bool,
    /// What each ring holds, whose slots stand behind the regions' slots.
    pub rings: Box<[Ring]>,
}

/// The addresses of several regions, in the order in which answers take them.
#[derive(Debug, PartialEq)]
pub struct Ring {
    /// The addresses.
    pub tail: TailBuf,
    /// For each address the slot of its region.
    pub slots: Box<[Slot]>,
    /// How many addresses an answer has at most, if the policy says so.
    pub max_answers: Option<u8>,
}

/// What is behind a slot that a class has drawn.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// The addresses.
    pub tail: &'a TailBuf,
    /// How many of them an answer has at most; the record may say less.
    pub most: u16,
    from: Origin<'a>,
}

/// Where the addresses of an answer are from.
#[derive(Debug, Clone, Copy)]
enum Origin<'a> {
    Region(Slot),
    Ring(&'a [Slot]),
}

impl Snapshot {
    /// What it was compiled from, beside the assembly.
    #[must_use]
    pub fn inputs(&self) -> Inputs {
        Inputs {
            pools: Arc::clone(&self.pools),
            rtts: Arc::clone(&self.rtts),
            last_good: Arc::clone(&self.last_good),
            forces: Arc::clone(&self.forces),
        }
    }

    /// The family that a record draws from for a type that is not of addresses: a CNAME is an answer to
    /// every type, and the same in both families. `None`: it has nothing for them.
    #[must_use]
    pub fn of_every_type(&self, record: RecordId) -> Option<Family> {
        self.records.get(record.index())?.cname.then_some(Family::V4)
    }

    /// What a record draws from in a family, for a class.
    #[must_use]
    pub fn side(&self, record: RecordId, family: Family) -> Option<(&ServedRecord, &Side)> {
        let record = self.records.get(record.index())?;
        let served = self.bindings.get(record.binding.index())?;
        Some((record, served.side(family)))
    }
}

impl Served {
    /// Whether the all-down rules are engaged in a family, for any class or in any fence.
    #[must_use]
    pub fn is_all_down(&self, family: Family) -> bool {
        let mut classes = self.side(family).classes().iter();
        classes.any(|class| class.distribution.reason.is_all_down())
    }

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
    /// What a class draws from; `None` when the tree has no such class.
    #[inline]
    #[must_use]
    pub fn class(&self, class: u32) -> Option<&ClassSide> {
        self.distinct.get(*self.of_class.get(class as usize)? as usize)
    }

    /// For each class the position of what it draws from among [`Side::classes`].
    #[must_use]
    pub const fn of_class(&self) -> &Arc<[u32]> {
        &self.of_class
    }

    /// What classes draw from, each once.
    #[must_use]
    pub fn classes(&self) -> &[ClassSide] {
        &self.distinct
    }

    /// What is behind a slot that a class has drawn.
    #[inline]
    #[must_use]
    pub fn answer<'a>(&'a self, class: &'a ClassSide, slot: Slot) -> Option<Answer<'a>> {
        if let Some(tail) = self.tails.get(slot.index()) {
            return Some(Answer { tail, most: u16::MAX, from: Origin::Region(slot) });
        }
        let ring = class.rings.get(slot.index().checked_sub(self.tails.len())?)?;
        let most = ring.max_answers.map_or(u16::MAX, u16::from);
        Some(Answer { tail: &ring.tail, most, from: Origin::Ring(&ring.slots) })
    }
}

impl<'a> Answer<'a> {
    /// The slot of each region, once, that `count` consecutive addresses from `start` on are
    /// from, wrapping around.
    pub fn regions(self, start: u16, count: u16) -> impl Iterator<Item = Slot> + 'a {
        let (slots, one) = match self.from {
            Origin::Region(slot) => (&[][..], Some(slot)),
            Origin::Ring(slots) => (slots, None),
        };
        let (before, after) = slots.split_at_checked(usize::from(start)).unwrap_or_default();
        let count = usize::from(count).min(slots.len());
        let run = move || after.iter().chain(before).copied().take(count);
        let first = move |(at, slot): (usize, Slot)| {
            (!run().take(at).any(|earlier| earlier == slot)).then_some(slot)
        };
        one.into_iter().chain(run().enumerate().filter_map(first))
    }
}

impl ServedRecord {
    /// The TTL of an answer to a class, in seconds.
    #[must_use]
    pub fn ttl(&self, class: &ClassSide) -> u32 {
        if class.distribution.reason.is_all_down() {
            return self.ttl_min;
        }
        self.ttl.min(class.keep_secs.max(self.ttl_min))
    }
}
