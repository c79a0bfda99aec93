//! The messages of a transfer (RFC 5936 section 2.2): SOA, all records, SOA.
//!
//! [`Sending`] makes one message at a time, when the last one is on its way: a slow secondary holds a
//! snapshot and one message, and what is published meanwhile does not change what it gets.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use super::engine::Transfer;
use crate::clock;
use crate::metrics::{Block, TransferResult};
use crate::model::Family;
use crate::routing::{Dynamic, Snapshot};
use crate::wire::{CLASS_IN, Name, Tail, rtype};
use crate::zone::{EntryId, Names, Zone};

/// The largest message (RFC 1035 section 4.2.2).
const MESSAGE_MAX: usize = u16::MAX as usize;
/// Octets of its length before it.
const PREFIX: usize = 2;
/// Octets of a header.
const HEADER: usize = 12;
/// The furthest that a compression pointer reaches.
const POINTER_MAX: usize = 0x3fff;

/// A transfer on its way.
pub(super) struct Sending {
    snapshot: Arc<Snapshot>,
    transfer: Transfer,
    client: IpAddr,
    block: Arc<Block>,
    step: Step,
    message: Message,
    messages: u64,
    octets: u64,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The SOA that begins it.
    Begin,
    /// The records of the names behind this one.
    Names(Option<EntryId>),
    /// What is never answered, from this one on.
    Hidden(usize),
    /// The SOA that ends it.
    End,
    /// Nothing.
    Done,
}

/// The message has no room for a record.
struct Full;

impl Sending {
    /// Of a transfer that was decided on by this snapshot, to a client that is told in the log.
    pub(super) fn new(
        snapshot: Arc<Snapshot>,
        transfer: Transfer,
        client: IpAddr,
        block: Arc<Block>,
    ) -> Self {
        let apex = snapshot.names.owner(snapshot.names.zone(transfer.zone).apex).to_vec();
        let message = Message { apex, ..Message::default() };
        let (messages, octets, step) = (0, 0, Step::Begin);
        Self { snapshot, transfer, client, block, step, message, messages, octets }
    }

    /// The next message with its length; `None`: that was all.
    pub(super) fn next(&mut self) -> Option<&[u8]> {
        if self.step == Step::Done {
            return None;
        }
        self.begin();
        // Full is full, and goes on with the next message; what is over is over.
        let _ = self.fill();
        // Nothing is so long that it never fits; if something were, this would have no end.
        (self.message.records > 0).then_some(())?;
        self.finish();
        Some(&self.message.octets)
    }

    /// Starts a message: the first has the question and the OPT record of the reply, the others
    /// neither (RFC 5936 sections 2.2.1 and 2.2.5).
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "lengths and counts within a message, and octets of a zone"
    )]
    fn begin(&mut self) {
        let Transfer { head, opt, signer, .. } = &self.transfer;
        let is_first = self.messages == 0;
        let head = head.get(..if is_first { head.len() } else { HEADER }).unwrap_or_default();
        let signed = signer.as_ref().map_or(0, |signer| signer.room());
        let end = if is_first { opt.len() } else { 0 };
        self.message.begin(head, PREFIX + MESSAGE_MAX - signed - end);
    }

    /// Adds the OPT record and the signature, and the counts.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "lengths and counts within a message, and octets of a zone"
    )]
    fn finish(&mut self) {
        let is_first = self.messages == 0;
        let Transfer { opt, signer, .. } = &mut self.transfer;
        let opt = if is_first { opt.as_slice() } else { &[] };
        self.message.count([
            u16::from(is_first),
            self.message.records,
            0,
            u16::from(!opt.is_empty()),
        ]);
        let octets = &mut self.message.octets;
        octets.extend_from_slice(opt);
        if let Some(signer) = signer {
            let len = octets.len() - PREFIX;
            octets.resize(PREFIX + len + signer.room(), 0);
            let wall = clock::wall().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            let message = octets.get_mut(PREFIX..).unwrap_or_default();
            // There is room for it, which was kept.
            let end = signer.sign(message, len, wall).unwrap_or(len);
            octets.truncate(PREFIX + end);
        }
        let len = u16::try_from(octets.len() - PREFIX).unwrap_or(u16::MAX);
        if let Some(prefix) = octets.first_chunk_mut::<PREFIX>() {
            *prefix = len.to_be_bytes();
        }
        self.messages += 1;
        self.octets += octets.len() as u64;
    }

    /// Writes records until the message is full or there are no more.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "lengths and counts within a message, and octets of a zone"
    )]
    fn fill(&mut self) -> Result<(), Full> {
        let snapshot = Arc::clone(&self.snapshot);
        let names = &*snapshot.names;
        let zone = names.zone(self.transfer.zone);
        let apex = names.owner(zone.apex);
        if self.step == Step::Begin {
            self.message.rrset(apex, zone.soa())?;
            self.step = Step::Names(None);
        }
        if let Step::Names(last) = self.step {
            for id in names.of_zone_behind(self.transfer.zone, last) {
                self.name(&snapshot, zone, id)?;
                self.step = Step::Names(Some(id));
                self.message.sent = 0;
            }
            self.step = Step::Hidden(0);
        }
        if let Step::Hidden(from) = self.step {
            for (at, (owner, rrsets)) in names.hidden(self.transfer.zone).enumerate().skip(from) {
                self.message.owner(owner, rrsets)?;
                self.step = Step::Hidden(at + 1);
                self.message.sent = 0;
            }
            self.step = Step::End;
        }
        self.message.rrset(apex, zone.soa())?;
        self.step = Step::Done;
        Ok(())
    }

    /// Writes what one name has: the RRsets of its file but the SOA, which stands at either end, and
    /// the addresses that stand for its dynamic record.
    fn name(&mut self, snapshot: &Snapshot, zone: &Zone, id: EntryId) -> Result<(), Full> {
        let names: &Names = &snapshot.names;
        let owner = names.owner(id);
        let is_apex = id == zone.apex;
        let of_file = names.rrsets(id).filter(|tail| !is_apex || tail.rtype != rtype::SOA);
        let fixed = match (&snapshot.options.transfers.dynamic, names.entry(id).record()) {
            (Dynamic::Snapshot(fixed), Some(record)) => fixed.get(record.index()),
            _ => None,
        };
        let fixed = fixed.into_iter().flat_map(|fixed| {
            Family::BOTH.iter().filter_map(|family| {
                let addresses = fixed.family.get(family.index())?;
                let (rtype, ttl, count) = (addresses.rtype(), fixed.ttl, addresses.count());
                let [(_, bytes), _] = addresses.ring(0, count);
                (count > 0).then_some(Tail { rtype, count, ttl, bytes })
            })
        });
        self.message.owner(owner, of_file.chain(fixed))
    }
}

/// However it ends, it is told once.
impl Drop for Sending {
    fn drop(&mut self) {
        let names = &self.snapshot.names;
        let zone = names.zone(self.transfer.zone);
        let name = Name::from_wire(names.owner(zone.apex)).map_or(String::new(), |n| n.to_string());
        let (serial, client) = (zone.serial(), self.client.to_canonical());
        let (messages, octets) = (self.messages, self.octets);
        if self.step == Step::Done {
            self.block.transfer(TransferResult::Sent);
            tracing::info!(
                "{name} (serial {serial}) was transferred to {client}: {octets} octets in \
                 {messages} messages"
            );
        } else {
            self.block.transfer(TransferResult::Broken);
            tracing::warn!(
                "the transfer of {name} (serial {serial}) to {client} was broken off after {octets} \
                 octets"
            );
        }
    }
}

/// A message that is being written, behind its length.
#[derive(Default)]
struct Message {
    octets: Vec<u8>,
    /// Where records end at the latest.
    limit: usize,
    records: u16,
    apex: Vec<u8>,
    /// Where the zone's name is in the message; its first owner ends with it.
    apex_at: Option<u16>,
    /// The owner of the last record, if a pointer reaches it.
    last: Option<(Vec<u8>, u16)>,
    /// How many records of the name in hand stand in messages before.
    sent: usize,
}

impl Message {
    /// A message that begins so, and whose records end before `limit`.
    fn begin(&mut self, head: &[u8], limit: usize) {
        self.octets.clear();
        self.octets.extend_from_slice(&[0; PREFIX]);
        self.octets.extend_from_slice(head);
        (self.limit, self.records, self.apex_at, self.last) = (limit, 0, None, None);
    }

    fn count(&mut self, counts: [u16; 4]) {
        let header = self.octets.get_mut(PREFIX + 4..PREFIX + HEADER).unwrap_or_default();
        for (to, count) in header.chunks_exact_mut(2).zip(counts) {
            to.copy_from_slice(&count.to_be_bytes());
        }
    }

    /// Writes the records of a name that are not sent yet.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "lengths and counts within a message, and octets of a zone"
    )]
    fn owner<'a>(
        &mut self,
        owner: &[u8],
        rrsets: impl Iterator<Item = Tail<'a>>,
    ) -> Result<(), Full> {
        let all =
            rrsets.flat_map(|tail| tail.rdata().map(move |data| (tail.rtype, tail.ttl, data)));
        for (rtype, ttl, data) in all.skip(self.sent) {
            self.record(owner, rtype, ttl, data)?;
            self.sent += 1;
        }
        Ok(())
    }

    fn rrset(&mut self, owner: &[u8], tail: Tail<'_>) -> Result<(), Full> {
        tail.rdata().try_for_each(|data| self.record(owner, tail.rtype, tail.ttl, data))
    }

    #[expect(
        clippy::arithmetic_side_effects,
        reason = "lengths and counts within a message, and octets of a zone"
    )]
    fn record(&mut self, owner: &[u8], rtype: u16, ttl: u32, data: &[u8]) -> Result<(), Full> {
        // As if nothing were compressed: a record that is alone in its message always fits.
        if self.octets.len() + owner.len() + 10 + data.len() > self.limit
            || self.records == u16::MAX
        {
            return Err(Full);
        }
        self.name(owner);
        let [t1, t0] = rtype.to_be_bytes();
        let [c1, c0] = CLASS_IN.to_be_bytes();
        let [l3, l2, l1, l0] = ttl.to_be_bytes();
        let [d1, d0] = (data.len() as u16).to_be_bytes();
        self.octets.extend_from_slice(&[t1, t0, c1, c0, l3, l2, l1, l0, d1, d0]);
        self.octets.extend_from_slice(data);
        self.records += 1;
        Ok(())
    }

    /// Writes an owner, compressed against the one before, and the zone's name (RFC 5936 section 3.4:
    /// against names of the same case, which the question's need not be).
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "lengths and counts within a message, and octets of a zone"
    )]
    fn name(&mut self, owner: &[u8]) {
        if let Some((last, at)) = &self.last
            && last == owner
        {
            let at = *at;
            return self.pointer(at);
        }
        let at = self.octets.len() - PREFIX;
        let labels = owner.strip_suffix(self.apex.as_slice()).unwrap_or(owner);
        self.octets.extend_from_slice(labels);
        match self.apex_at {
            Some(apex) => self.pointer(apex),
            None => {
                self.apex_at = u16::try_from(at + labels.len()).ok();
                self.octets.extend_from_slice(&self.apex);
            }
        }
        self.last =
            u16::try_from(at).ok().filter(|_| at <= POINTER_MAX).map(|at| (owner.into(), at));
    }

    fn pointer(&mut self, to: u16) {
        self.octets.extend_from_slice(&(0xc000 | to).to_be_bytes());
    }
}
