//! Puts names and RRsets into the index while it is built.

use crate::wire::hash_name;

use super::entry::{Entry, EntryId, Hidden, NONE};
use super::label::count;
use super::loaded::{Loaded, Record};
use super::names::{Names, header};
use super::rules::{RRSET_MAX, RRSET_OCTETS_MAX};
use super::table::Table;

impl Names {
    /// Appends an RRset to the block.
    pub(super) fn write(&mut self, zone: &Loaded, rrset: &[Record]) -> Option<u32> {
        let first = rrset.first()?;
        let octets: usize = rrset.iter().map(|record| zone.prefixed(record).len()).sum();
        if rrset.len() > RRSET_MAX || octets > RRSET_OCTETS_MAX {
            return None; // which was reported
        }
        let (count, len) = (u16::try_from(rrset.len()).ok()?, u16::try_from(octets).ok()?);
        let at = self.end()?;
        self.blob.extend_from_slice(&header(first.rtype, count, first.ttl, len));
        for record in rrset {
            self.blob.extend_from_slice(zone.prefixed(record));
        }
        Some(at)
    }

    /// Enters a name without RRsets; they may be written right behind it.
    pub(super) fn insert(&mut self, owner: &[u8], zone: u32, flags: u8) -> Option<EntryId> {
        let at = self.end()?;
        let number = u32::try_from(self.entries.len()).ok().filter(|&n| n != NONE)?;
        let owner_len = u8::try_from(owner.len()).ok()?;
        if self.table.is_crowded() {
            self.grow();
        }
        self.blob.extend_from_slice(owner);
        self.table.insert(hash_name(owner), number);
        let labels = count(owner);
        self.most_labels = self.most_labels.max(labels);
        self.entries.push(Entry {
            owner: at,
            cut: NONE,
            wildcard: NONE,
            record: NONE,
            zone,
            rrsets: 0,
            owner_len,
            labels,
            flags,
        });
        Some(EntryId(number))
    }

    /// Writes an owner that is not in the index; its RRsets are to be written right behind it.
    pub(super) fn hidden_owner(&mut self, owner: &[u8]) -> Option<Hidden> {
        let (at, owner_len) = (self.end()?, u8::try_from(owner.len()).ok()?);
        self.blob.extend_from_slice(owner);
        Some(Hidden { owner: at, rrsets: 0, owner_len })
    }

    fn grow(&mut self) {
        let mut table = Table::with_room(self.entries.len() * 3 / 2 + 8);
        for number in 0..self.entries.len() as u32 {
            table.insert(hash_name(self.owner(EntryId(number))), number);
        }
        self.table = table;
    }

    /// The end of the block; `None`, remembered, when it is past 4 GiB.
    fn end(&mut self) -> Option<u32> {
        let at = u32::try_from(self.blob.len()).ok();
        self.is_full |= at.is_none();
        at
    }
}
