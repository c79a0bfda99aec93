//! Hot: writing a reply in place, behind the header and the question's exact octets.

use crate::wire::{CLASS_IN, Key, Tail, rtype};
use crate::zone::ShortSoa;

use super::message::{HEADER, Rcode, flags};
use super::opt::Opt;

/// A reply that is being written. All or nothing: what does not fit leaves the reply to be cut
/// back by [`Reply::truncate`].
pub(super) struct Reply<'a> {
    buffer: &'a mut [u8],
    at: usize,
    /// Where records end at the latest.
    limit: usize,
    /// Where the reply does.
    end: usize,
    question_end: usize,
    counts: [u16; 3],
    section: Section,
}

/// Where records go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Answer,
    Authority,
    Additional,
}

/// The reply has no room for what was to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

/// The owner of a record: a name that is in the message already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner(pub(super) u16);

impl Owner {
    /// Where it is in the message.
    pub(super) fn position(self) -> usize {
        usize::from(self.0)
    }

    /// A compression pointer to it.
    const fn pointer(self) -> [u8; 2] {
        (0xc000 | self.0).to_be_bytes()
    }
}

/// Octets of a record in front of its data's length, for its owner is a pointer.
const HEAD: usize = 10;

/// The furthest that a compression pointer reaches (RFC 1035 section 4.1.4).
const POINTER_MAX: usize = 0x3fff;

impl<'a> Reply<'a> {
    /// Starts behind the question; of `limit` octets `opt` are kept for the OPT record.
    pub(super) fn new(buffer: &'a mut [u8], question_end: usize, limit: usize, opt: usize) -> Self {
        let end = limit.min(buffer.len());
        let limit = end.saturating_sub(opt);
        let question_end = question_end.min(buffer.len());
        Self {
            buffer,
            at: question_end,
            limit,
            end,
            question_end,
            counts: [0; 3],
            section: Section::Answer,
        }
    }

    /// Where the next record will be.
    pub(super) const fn position(&self) -> usize {
        self.at
    }

    /// Reads the uncompressed name that was written at a place.
    pub(super) fn name_at(&self, position: usize, key: &mut Key) -> bool {
        self.buffer.get(position..self.at).is_some_and(|octets| key.read(octets).is_some())
    }

    /// The octets that were written from a place on, the question's included.
    pub(super) fn octets(&self, position: usize, len: usize) -> &[u8] {
        self.buffer.get(position..position.saturating_add(len)).unwrap_or_default()
    }

    /// Moves on to a later section.
    pub(super) fn section(&mut self, section: Section) {
        self.section = section;
    }

    /// Writes an RRset with its own TTL.
    pub(super) fn rrset(&mut self, owner: Owner, tail: Tail<'_>) -> Result<(), Full> {
        self.records(owner, tail.rtype, tail.ttl, tail.count, tail.bytes)
    }

    /// Writes `count` records from their lengths and data.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "positions within a message, and at most 65,535 records"
    )]
    pub(super) fn records(
        &mut self,
        owner: Owner,
        rtype: u16,
        ttl: u32,
        count: u16,
        bytes: &[u8],
    ) -> Result<(), Full> {
        let [o1, o0] = owner.pointer();
        let [t1, t0] = rtype.to_be_bytes();
        let [c1, c0] = CLASS_IN.to_be_bytes();
        let [l3, l2, l1, l0] = ttl.to_be_bytes();
        let head: [u8; HEAD] = [o1, o0, t1, t0, c1, c0, l3, l2, l1, l0];
        let end = self.at + usize::from(count) * head.len() + bytes.len();
        let room = match self.buffer.get_mut(self.at..end) {
            Some(room) if end <= self.limit => room,
            _ => return Err(Full),
        };
        let (mut room, mut rest) = (room, bytes);
        while let Some((&[d1, d0], after)) = rest.split_first_chunk::<2>() {
            let len = usize::from(u16::from_be_bytes([d1, d0])) + 2;
            let (record, behind) = room.split_at_mut_checked(head.len() + len).ok_or(Full)?;
            let (to_head, to_data) = record.split_at_mut(head.len());
            to_head.copy_from_slice(&head);
            to_data.copy_from_slice(rest.get(..len).ok_or(Full)?);
            rest = after.get(len - 2..).ok_or(Full)?;
            room = behind;
        }
        self.at = end;
        self.count(count);
        Ok(())
    }

    /// Writes an SOA whose names end in pointers to its owner.
    #[expect(clippy::arithmetic_side_effects, reason = "positions within a message")]
    pub(super) fn short_soa(&mut self, owner: Owner, ttl: u32, soa: &ShortSoa) -> Result<(), Full> {
        let data = self.at + HEAD;
        let count = u16::from(!soa.bytes().is_empty());
        self.records(owner, rtype::SOA, ttl, count, soa.bytes())?;
        for pointer in soa.pointers().map(|at| data + at) {
            let to = self.buffer.get_mut(pointer..pointer + 2).ok_or(Full)?;
            to.copy_from_slice(&owner.pointer());
        }
        Ok(())
    }

    /// Writes a TXT record of one string, at most 255 octets, that is not to be kept.
    #[expect(clippy::arithmetic_side_effects, reason = "positions within a message")]
    pub(super) fn text(&mut self, owner: Owner, class: u16, text: &str) -> Result<(), Full> {
        let at = self.at;
        let len = u8::try_from(text.len()).map_err(|_| Full)?;
        let [l1, l0] = (u16::from(len) + 1).to_be_bytes();
        let mut data = [0; 3 + 255];
        let (to_head, rest) = data.split_at_mut(3);
        let (to_text, _) = rest.split_at_mut(text.len());
        to_head.copy_from_slice(&[l1, l0, len]);
        to_text.copy_from_slice(text.as_bytes());
        self.records(owner, rtype::TXT, 0, 1, data.get(..3 + text.len()).unwrap_or_default())?;
        let to_class = self.buffer.get_mut(at + 4..at + 6).ok_or(Full)?;
        to_class.copy_from_slice(&class.to_be_bytes());
        Ok(())
    }

    /// Adds records that were written by an earlier call to its section's count.
    fn count(&mut self, count: u16) {
        let [answer, authority, additional] = &mut self.counts;
        let counter = match self.section {
            Section::Answer => answer,
            Section::Authority => authority,
            Section::Additional => additional,
        };
        *counter = counter.saturating_add(count);
    }

    /// Drops everything behind the question: what did not fit is to be asked for over TCP.
    pub(super) fn truncate(&mut self) {
        self.at = self.question_end;
        self.counts = [0; 3];
    }

    /// A pointer to a place in the message, if a pointer reaches it.
    pub(super) fn owner_at(position: usize) -> Option<Owner> {
        (position <= POINTER_MAX).then_some(Owner(position as u16))
    }

    /// Appends the OPT record, writes the header, and returns the length of the reply.
    ///
    /// Of the request's header the id, the opcode, RD and CD stay; AD and Z are cleared.
    pub(super) fn finish(
        self,
        rcode: Rcode,
        authoritative: bool,
        truncated: bool,
        opt: Option<&Opt<'_>>,
    ) -> usize {
        let Self { buffer, mut at, end, question_end, counts, .. } = self;
        let [an, ns, mut ar] = counts;
        let room = buffer.get_mut(..end).unwrap_or_default();
        if let Some(end) = opt.and_then(|opt| opt.write(rcode, room, at)) {
            at = end;
            ar = ar.saturating_add(1);
        }
        if let Some([_, _, high, low, rest @ ..]) = buffer.first_chunk_mut::<HEADER>() {
            *high = flags::QR
                | (*high & (0x78 | flags::RD))
                | if authoritative { flags::AA } else { 0 }
                | if truncated { flags::TC } else { 0 };
            *low = (*low & flags::CD) | (rcode.0 & 0x0f) as u8;
            let qd = u16::from(question_end > HEADER);
            for (to, count) in rest.chunks_exact_mut(2).zip([qd, an, ns, ar]) {
                to.copy_from_slice(&count.to_be_bytes());
            }
        }
        at
    }
}
