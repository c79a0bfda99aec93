//! What the index knows of a name and of a zone, and how they are numbered.
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

use std::ops::Range;

use crate::model::RecordId;
use crate::wire::{Tail, rtype};

use super::short::ShortSoa;

/// An entry's position in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub(super) u32);

impl EntryId {
    /// The position as a number, for tables of others beside the index.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// A zone's position in the list of zones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneId(pub u32);

/// What a lookup finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// The name is in none of the zones.
    Outside,
    /// The name exists, be it as an empty non-terminal.
    Exact(EntryId),
    /// The name does not exist.
    Below {
        /// The closest name above it that does.
        encloser: EntryId,
        /// How many labels that has, the root's not counted.
        labels: u8,
    },
}

/// What is known of one name.
#[derive(Debug, Clone, Copy)]
#[repr(align(32))]
pub struct Entry {
    /// Where the owner is in the block; its RRsets follow it.
    pub(super) owner: u32,
    pub(super) cut: u32,
    pub(super) wildcard: u32,
    pub(super) record: u32,
    pub(super) zone: u32,
    pub(super) rrsets: u16,
    pub(super) owner_len: u8,
    pub(super) labels: u8,
    pub(super) flags: u8,
}

/// For a reference that an entry does not have.
pub(super) const NONE: u32 = u32::MAX;

/// What an entry is; several may hold.
pub(super) mod flag {
    /// The zone's own name.
    pub(in super::super) const APEX: u8 = 1;
    /// A delegation.
    pub(in super::super) const CUT: u8 = 2;
    /// Has a DNAME.
    pub(in super::super) const DNAME: u8 = 4;
    /// Has a CNAME.
    pub(in super::super) const CNAME: u8 = 8;
}

impl Entry {
    /// Stands in for an entry of another index.
    pub(super) const NOWHERE: Self = Self {
        owner: 0,
        cut: NONE,
        wildcard: NONE,
        record: NONE,
        zone: NONE,
        rrsets: 0,
        owner_len: 0,
        labels: 0,
        flags: 0,
    };

    /// The zone that it is in, the deepest served here.
    #[must_use]
    pub const fn zone(&self) -> ZoneId {
        ZoneId(self.zone)
    }

    /// The dynamic record of this name.
    #[must_use]
    pub const fn record(&self) -> Option<RecordId> {
        if self.record == NONE { None } else { Some(RecordId(self.record)) }
    }

    /// The topmost delegation at or above this name within its zone; itself if it is that.
    #[must_use]
    pub const fn cut(&self) -> Option<EntryId> {
        entry_id(self.cut)
    }

    /// The `*` right below this name (RFC 4592).
    #[must_use]
    pub const fn wildcard(&self) -> Option<EntryId> {
        entry_id(self.wildcard)
    }

    /// Whether it is its zone's own name.
    #[must_use]
    pub const fn is_apex(&self) -> bool {
        self.flags & flag::APEX > 0
    }

    /// Whether it is a delegation that is not itself below one.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.flags & flag::CUT > 0
    }

    /// Whether it has a DNAME, which redirects what is below it (RFC 6672).
    #[must_use]
    pub const fn has_dname(&self) -> bool {
        self.flags & flag::DNAME > 0
    }

    /// Whether it has a CNAME.
    #[must_use]
    pub const fn is_cname(&self) -> bool {
        self.flags & flag::CNAME > 0
    }

    /// Whether it exists only because something below it does (RFC 8020).
    #[must_use]
    pub const fn is_empty_non_terminal(&self) -> bool {
        self.rrsets == 0 && self.record == NONE
    }

    /// How many labels it has, the root's not counted.
    #[must_use]
    pub const fn labels(&self) -> u8 {
        self.labels
    }
}

const fn entry_id(number: u32) -> Option<EntryId> {
    if number == NONE { None } else { Some(EntryId(number)) }
}

/// One zone.
#[derive(Debug, Clone)]
pub struct Zone {
    /// The entry of its own name.
    pub apex: EntryId,
    /// How many labels its name has.
    pub apex_labels: u8,
    /// The TTL of negative answers in seconds: min(SOA TTL, MINIMUM) (RFC 2308 section 3).
    pub negative_ttl: u32,
    /// The zone served here that this one's name would be delegated from, which answers for DS
    /// (RFC 4035 section 3.1.4.1); none when a delegation or a DNAME lies between the two.
    pub parent: Option<ZoneId>,
    pub(super) soa_ttl: u32,
    pub(super) soa: Vec<u8>,
    /// The same for negative answers.
    pub short_soa: ShortSoa,
    /// Where the parent's DS RRset is in the block.
    pub(super) parent_ds: Option<u32>,
    /// Whether any of its names is dynamic.
    pub has_dynamic: bool,
    /// The names that it has from its file; those that were added later stand behind all of these.
    pub(super) entries: Range<u32>,
    pub(super) hidden: Vec<Hidden>,
}

/// An owner with RRsets that nobody is answered, and that only a transfer has: what is below or
/// beside a delegation, below a DNAME, or in a deeper zone served here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hidden {
    /// Where the owner is in the block; the RRsets follow it.
    pub(super) owner: u32,
    pub(super) rrsets: u16,
    pub(super) owner_len: u8,
}

impl Zone {
    /// Stands in for a zone of another index.
    pub(super) const NOWHERE: Self = Self {
        apex: EntryId(NONE),
        apex_labels: 0,
        negative_ttl: 0,
        parent: None,
        soa_ttl: 0,
        soa: Vec::new(),
        short_soa: ShortSoa::NONE,
        parent_ds: None,
        has_dynamic: false,
        entries: 0..0,
        hidden: Vec::new(),
    };

    /// Its SOA, with the TTL of the record itself; empty in an index built with problems.
    #[must_use]
    pub fn soa(&self) -> Tail<'_> {
        let count = u16::from(!self.soa.is_empty());
        Tail { rtype: rtype::SOA, count, ttl: self.soa_ttl, bytes: &self.soa }
    }

    /// The serial of its SOA.
    #[must_use]
    pub fn serial(&self) -> u32 {
        let from = self.soa.len().checked_sub(20).and_then(|at| self.soa.get(at..));
        from.and_then(|five| five.first_chunk()).map_or(0, |serial| u32::from_be_bytes(*serial))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_takes_half_a_cache_line() {
        assert_eq!((size_of::<Entry>(), align_of::<Entry>()), (32, 32));
    }
}
