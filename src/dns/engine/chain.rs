//! Hot: chains of CNAMEs, those that a DNAME makes included: where they end.

use crate::wire::{Key, NAME_MAX, rtype};
use crate::zone::{EntryId, ZoneId};

use super::answer::{ANSWERED, Outcome};
use super::limit::Account;
use super::lookup::{Here, Query, Step, Stop};
use super::message::Rcode;
use super::reply::{Full, Owner, Reply};

/// The names of a chain that lead on.
#[derive(Debug)]
pub(super) struct Chain(Vec<Link>);

/// One of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    /// What answered for it: its own entry, a wildcard's, or that of the DNAME above.
    pub(super) node: EntryId,
    /// Where it is in the reply.
    pub(super) at: Owner,
    /// How many octets it has.
    pub(super) len: usize,
}

/// How many names a chain may have; what is behind them is left to the resolver.
const CHAIN_MAX: usize = 128;

impl Chain {
    /// An empty one with room for all that it may ever have.
    pub(super) fn new() -> Self {
        Self(Vec::with_capacity(CHAIN_MAX))
    }

    /// Makes room for another.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Adds a name of `reply`; `false` where that makes a circle, or the chain too long.
    ///
    /// One wildcard or DNAME answers for many names, so only a name that comes again is a circle.
    pub(super) fn join(&mut self, link: Link, name: &Key, reply: &Reply<'_>) -> bool {
        let is_same = |other: &Link| {
            (other.node, other.len) == (link.node, link.len)
                && reply.octets(other.at.position(), other.len).eq_ignore_ascii_case(name.as_wire())
        };
        if self.0.len() == CHAIN_MAX || self.0.iter().any(is_same) {
            return false;
        }
        self.0.push(link);
        true
    }

    /// Whether a CNAME or DNAME is part of it.
    pub(super) fn has(&self, node: EntryId) -> bool {
        self.0.iter().any(|link| link.node == node)
    }

    /// Whether a DNAME that is part of it would now be used for a longer name: one that points into
    /// its own subtree makes them longer without an end.
    fn grows(&self, node: EntryId, len: usize) -> bool {
        self.0.iter().any(|link| link.node == node && link.len < len)
    }
}

impl Query<'_, '_> {
    /// The DNAME above a name, and the CNAME that it makes for that name (RFC 6672 section 3.2).
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "lengths of names, and positions within a message"
    )]
    pub(super) fn dname(
        &mut self,
        here: Here<'_>,
        node: EntryId,
        zone: ZoneId,
    ) -> Result<Step, Stop> {
        let names = &*self.snapshot.names;
        let Some(dname) = names.rrset(node, rtype::DNAME) else {
            return Ok(Step::Done(ANSWERED));
        };
        self.charge(Account::Records(node, rtype::DNAME))?;
        let (above, len) = (names.owner(node).len(), here.key.as_wire().len());
        let link = Link { node, at: here.suffix(len)?, len };
        let links = &mut self.worker.chain;
        let is_first = !links.has(node);
        if links.grows(node, len) || !links.join(link, here.key, self.reply) {
            return Ok(Step::Done(ANSWERED));
        }
        if is_first {
            self.reply.rrset(here.suffix(above)?, dname)?;
        }
        self.chain = Some(zone);
        let kept = len.saturating_sub(above);
        let target = dname.rdata().next().unwrap_or_default();
        let len = kept + target.len();
        let mut data = [0; 2 + NAME_MAX];
        let Some(name) = data.get_mut(2..2 + len).filter(|_| len <= NAME_MAX) else {
            return Ok(Step::Done(Outcome { rcode: Rcode::YXDOMAIN, ..ANSWERED }));
        };
        let (prefix, suffix) = name.split_at_mut(kept);
        // In the case in which it was asked for (RFC 4343 section 4.1).
        prefix.copy_from_slice(self.reply.octets(here.position, kept).get(..kept).ok_or(Full)?);
        suffix.copy_from_slice(target);
        data[1] = len as u8;
        let cname = data.get(..2 + len).unwrap_or_default();
        self.reply.records(link.at, rtype::CNAME, dname.ttl, 1, cname)?;
        if self.at.qtype == rtype::CNAME {
            return Ok(Step::Done(ANSWERED));
        }
        Ok(Step::Follow(self.reply.position() - len))
    }
}
