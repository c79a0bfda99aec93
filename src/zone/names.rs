//! The one index of all names: static RRsets, dynamic records, cuts, empty non-terminals,
//! wildcards. Immutable once built; on the answering path, so nothing here allocates or panics.
//!
//! Three places in memory are read for a name: a bucket of the table, the entry (32 octets that
//! never straddle a cache line), and the block, where the owner's octets are followed by its
//! RRsets. Everything that the rules of lookup need to know of a name was decided when the index
//! was built and is in its entry.
//!
//! Within a zone every name between an entry and the apex has an entry too, unless it is below a
//! cut or a DNAME. So the longest suffix of a name that is found is its closest encloser, in the
//! deepest zone that the name is in, and a name without any is in no zone.
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

use crate::wire::{Key, Name, Tail, rtype};

use super::entry::{Entry, EntryId, Found, Hidden, Zone, ZoneId};
use super::table::{Table, prefetch};

/// The index. Built by [`Names::build`].
#[derive(Debug)]
pub struct Names {
    pub(super) table: Table,
    pub(super) entries: Vec<Entry>,
    pub(super) blob: Vec<u8>,
    pub(super) zones: Vec<Zone>,
    /// The most labels of an entry: no longer suffix need be looked for.
    pub(super) most_labels: u8,
    /// The entries from here on were added for what no file has: empty non-terminals and dynamic
    /// names.
    pub(super) added: u32,
    /// Something did not fit into 4 GiB.
    pub(super) is_full: bool,
}

impl Names {
    /// Tells the processor that a name of this hash is about to be looked up.
    #[inline]
    pub fn prefetch(&self, hash: u64) {
        self.table.prefetch(hash);
    }

    /// The same of what it leads to, once that has come: first the entry, then the owner. In an index
    /// that no cache holds, a lookup would wait for each in turn.
    #[inline]
    pub fn prefetch_entry(&self, hash: u64) {
        let number = self.table.likely(hash);
        if let Some(entry) = number.and_then(|number| self.entries.get(number as usize)) {
            prefetch(entry);
        }
    }

    /// See [`Names::prefetch_entry`].
    #[inline]
    pub fn prefetch_owner(&self, hash: u64) {
        let Some(number) = self.table.likely(hash) else { return };
        if let Some(octet) = self.blob.get(self.entry(EntryId(number)).owner as usize) {
            prefetch(octet);
        }
    }

    /// Looks a name up: itself, else its closest encloser.
    #[must_use]
    #[inline]
    pub fn find(&self, key: &Key) -> Found {
        match self.exact(key.hash(), key.as_wire()) {
            Some(id) => Found::Exact(id),
            None => self.encloser(key),
        }
    }

    fn encloser(&self, key: &Key) -> Found {
        let wire = key.as_wire();
        let longest = self.most_labels.min(key.labels().saturating_sub(1));
        for suffix in key.suffixes().skip_while(|suffix| suffix.labels > longest) {
            let name = wire.get(usize::from(suffix.at)..).unwrap_or_default();
            if let Some(encloser) = self.exact(key.hash_of(suffix), name) {
                return Found::Below { encloser, labels: suffix.labels };
            }
        }
        Found::Outside
    }

    /// The entry of a lower-case name.
    #[inline]
    pub(super) fn exact(&self, hash: u64, wire: &[u8]) -> Option<EntryId> {
        self.table.find(hash, |number| self.owner(EntryId(number)) == wire).map(EntryId)
    }

    /// The node whose data answer for a name: the name's own, or the wildcard's that stands for it
    /// (RFC 4592); none below a delegation or a DNAME. Not for queries: it reads the name first.
    #[must_use]
    pub fn node(&self, name: &Name) -> Option<EntryId> {
        let mut key = Key::ROOT;
        key.read(name.as_wire())?;
        let found = self.find(&key);
        let (Found::Exact(at) | Found::Below { encloser: at, .. }) = found else { return None };
        let entry = self.entry(at);
        match found {
            _ if entry.cut().is_some() => None,
            Found::Exact(_) => Some(at),
            _ if entry.has_dname() => None,
            _ => entry.wildcard(),
        }
    }

    /// The entry of a name.
    #[must_use]
    #[inline]
    pub fn entry(&self, id: EntryId) -> &Entry {
        self.entries.get(id.0 as usize).unwrap_or(&Entry::NOWHERE)
    }

    /// A zone.
    #[must_use]
    pub fn zone(&self, id: ZoneId) -> &Zone {
        static NOWHERE: Zone = Zone::NOWHERE;
        self.zones.get(id.0 as usize).unwrap_or(&NOWHERE)
    }

    /// All zones; a [`ZoneId`] counts them from 0, in the order in which they were given.
    #[must_use]
    pub fn zones(&self) -> &[Zone] {
        &self.zones
    }

    /// The name in lower-case wire form.
    #[must_use]
    #[inline]
    #[expect(clippy::arithmetic_side_effects, reason = "an owner lies within the block")]
    pub fn owner(&self, id: EntryId) -> &[u8] {
        let entry = self.entry(id);
        let from = entry.owner as usize;
        self.blob.get(from..from + usize::from(entry.owner_len)).unwrap_or_default()
    }

    /// The RRset of one type at a name.
    #[must_use]
    #[inline]
    pub fn rrset(&self, id: EntryId, rtype: u16) -> Option<Tail<'_>> {
        self.rrsets(id).find(|tail| tail.rtype == rtype)
    }

    /// All RRsets at a name, by rising type; what the zone file has there, so no dynamic records.
    #[inline]
    #[expect(clippy::arithmetic_side_effects, reason = "an owner lies within the block")]
    pub fn rrsets(&self, id: EntryId) -> impl Iterator<Item = Tail<'_>> {
        let entry = self.entry(id);
        self.rrsets_at(entry.owner as usize + usize::from(entry.owner_len), entry.rrsets)
    }

    #[inline]
    fn rrsets_at(&self, from: usize, count: u16) -> impl Iterator<Item = Tail<'_>> {
        let mut rest = self.blob.get(from..).unwrap_or_default();
        (0..count).map_while(move |_| {
            let (tail, after) = read_rrset(rest)?;
            rest = after;
            Some(tail)
        })
    }

    /// The DS RRset that the parent zone, served here too, has for a zone.
    #[must_use]
    pub fn parent_ds(&self, zone: ZoneId) -> Option<Tail<'_>> {
        let at = self.zone(zone).parent_ds?;
        Some(read_rrset(self.blob.get(at as usize..)?)?.0)
    }

    /// The entry that holds addresses of a nameserver, which is named in wire form and in any
    /// case: authoritative ones, dynamic ones, or glue below a cut. It may be in another zone than
    /// the one that names it; [`Entry::zone`] tells.
    #[must_use]
    pub fn glue(&self, target: &[u8]) -> Option<EntryId> {
        let mut key = Key::ROOT;
        key.read(target)?;
        let id = self.exact(key.hash(), key.as_wire())?;
        let has = |rtype| self.rrset(id, rtype).is_some();
        let has_any = self.entry(id).record().is_some() || has(rtype::A) || has(rtype::AAAA);
        has_any.then_some(id)
    }

    /// Every entry of a zone, in no order that means anything; for transfers. Glue is among them
    /// (its [`Entry::cut`] says so), and empty non-terminals are.
    pub fn of_zone(&self, zone: ZoneId) -> impl Iterator<Item = EntryId> {
        self.of_zone_behind(zone, None)
    }

    /// The rest of [`Names::of_zone`] behind one of them.
    pub fn of_zone_behind(
        &self,
        zone: ZoneId,
        last: Option<EntryId>,
    ) -> impl Iterator<Item = EntryId> {
        let from = last.map_or(0, |last| last.0.saturating_add(1));
        let of_file = self.zone(zone).entries.clone();
        let added = self.added..u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let rest = [of_file, added].map(|range| range.start.max(from)..range.end);
        let numbers = rest.into_iter().flatten().map(EntryId);
        numbers.filter(move |id| self.entry(*id).zone == zone.0)
    }

    /// What a zone's file has beside [`Names::of_zone`], and what is never answered: owners with
    /// their RRsets, in no order that means anything; for transfers, which have all of a file
    /// (RFC 5936 section 3.5). An owner may be one of those, with other types.
    #[expect(clippy::arithmetic_side_effects, reason = "an owner lies within the block")]
    pub fn hidden(
        &self,
        zone: ZoneId,
    ) -> impl Iterator<Item = (&[u8], impl Iterator<Item = Tail<'_>>)> {
        self.zone(zone).hidden.iter().map(|hidden| {
            let (from, len) = (hidden.owner as usize, usize::from(hidden.owner_len));
            let owner = self.blob.get(from..from + len).unwrap_or_default();
            (owner, self.rrsets_at(from + len, hidden.rrsets))
        })
    }

    /// How many names there are, empty non-terminals and glue included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no name at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How much memory it takes, in octets.
    #[must_use]
    pub fn octets(&self) -> usize {
        let entries = self.entries.capacity().saturating_mul(size_of::<Entry>());
        let hidden = |zone: &Zone| zone.hidden.capacity().saturating_mul(size_of::<Hidden>());
        let of_zone = |zone: &Zone| {
            [size_of_val(zone), zone.soa.len(), zone.short_soa.bytes().len(), hidden(zone)]
        };
        let zones = self.zones.iter().flat_map(of_zone).sum();
        [self.table.octets(), entries, self.blob.capacity(), zones].iter().sum()
    }
}

/// The octets before an RRset's data in the block.
pub(super) const HEADER: usize = 10;

/// An RRset's type, TTL, count and length as they stand in the block.
pub(super) fn header(rtype: u16, count: u16, ttl: u32, len: u16) -> [u8; HEADER] {
    let ([t0, t1], [c0, c1], [l0, l1]) =
        (rtype.to_le_bytes(), count.to_le_bytes(), len.to_le_bytes());
    let [a, b, c, d] = ttl.to_le_bytes();
    [t0, t1, c0, c1, a, b, c, d, l0, l1]
}

/// The RRset that starts here, and what is behind it.
#[inline]
fn read_rrset(from: &[u8]) -> Option<(Tail<'_>, &[u8])> {
    let (&[t0, t1, c0, c1, a, b, c, d, l0, l1], rest) = from.split_first_chunk::<HEADER>()?;
    let len = usize::from(u16::from_le_bytes([l0, l1]));
    let (bytes, rest) = rest.split_at_checked(len)?;
    let tail = Tail {
        rtype: u16::from_le_bytes([t0, t1]),
        count: u16::from_le_bytes([c0, c1]),
        ttl: u32::from_le_bytes([a, b, c, d]),
        bytes,
    };
    Some((tail, rest))
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn rrsets_are_read_as_they_were_written() {
        let mut blob = header(257, 2, 0x0102_0304, 5).to_vec();
        blob.extend([0, 1, 7, 0, 0, 99]);
        let (tail, rest) = read_rrset(&blob).unwrap();
        assert_eq!((tail.rtype, tail.count, tail.ttl), (257, 2, 0x0102_0304));
        assert_eq!(tail.rdata().collect::<Vec<_>>(), [&[7][..], &[]]);
        assert_eq!(rest, [99]);
        assert!(read_rrset(&blob[..14]).is_none() && read_rrset(&blob[..9]).is_none());
    }
}
