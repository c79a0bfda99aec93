//! Hot: looking a name up and writing what is found, by RFC 1034 section 4.3.2 with RFC 4592 and
//! RFC 2308. What leads on to another name is in `chain`, delegations are in `referral`.

use crate::routing::{RateLimit, Snapshot};
use crate::wire::{Family, Key, Tail, rtype};
use crate::zone::{EntryId, Found, ZoneId};

use super::Worker;
use super::answer::{ANSWERED, Outcome, REFERRAL};
use super::chain::Link;
use super::dynamic::{self, Drawn};
use super::limit::{self, Account, Limited};
use super::message::{Ede, HEADER, Rcode};
use super::reply::{Full, Owner, Reply, Section};
use super::request::Located;

/// Why an answer ends before it is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// It does not fit.
    Full,
    /// The client is over a limit.
    Limited(Limited),
}

impl From<Full> for Stop {
    fn from(Full: Full) -> Self {
        Self::Full
    }
}

impl From<Limited> for Stop {
    fn from(limited: Limited) -> Self {
        Self::Limited(limited)
    }
}

/// What ANY is answered with: HINFO "RFC8482" (RFC 8482 section 4.2).
const ANY_ANSWER: Tail<'static> =
    Tail { rtype: rtype::HINFO, count: 1, ttl: 3600, bytes: b"\x00\x09\x07RFC8482\x00" };

/// Nothing is known of what stands behind an alias. A resolver asks another nameserver then, which may
/// know it, and keeps this for five minutes at most (RFC 2308 section 7.1).
const UNKNOWN: Outcome = Outcome::plain(Rcode::SERVFAIL, Some(Ede::NOT_LOOKED_UP));

/// An answer in the making.
pub(super) struct Query<'a, 'b> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) at: &'a Located,
    pub(super) worker: &'b mut Worker,
    pub(super) reply: &'b mut Reply<'a>,
    /// The zone of the CNAMEs that led to the name in hand, if any did.
    pub(super) chain: Option<ZoneId>,
    /// The limits that the client is under, if any.
    limits: Option<&'a RateLimit>,
    /// How the reply comes out if it ends before it is whole: without AA for a referral alone.
    pub(super) cut: Outcome,
    /// What the client has to do with it.
    pub(super) client: &'b mut Client,
    /// Whether a dynamic record is served although none of its regions is up.
    pub(super) all_down: bool,
}

/// What the client had to do with the answer; nothing, where it is the same for all.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Client {
    /// How much of the client's subnet the answer is for (RFC 7871 section 7.2.1).
    pub(super) scope: u8,
    /// Whether that subnet decided, and not the source address.
    pub(super) by_subnet: bool,
}

/// A name on the way to an answer: the question's, or the target of a CNAME.
#[derive(Clone, Copy)]
pub(super) struct Here<'a> {
    pub(super) key: &'a Key,
    /// Where the name stands in the message.
    pub(super) position: usize,
}

impl Here<'_> {
    /// The owner that a name of `len` octets which this name ends with has in the message.
    #[expect(clippy::arithmetic_side_effects, reason = "positions within a message")]
    pub(super) fn suffix(&self, len: usize) -> Result<Owner, Full> {
        let skip = self.key.as_wire().len().saturating_sub(len);
        Reply::owner_at(self.position + skip).ok_or(Full)
    }
}

/// What a name led to.
pub(super) enum Step {
    Done(Outcome),
    /// A CNAME was written; its target stands there.
    Follow(usize),
}

impl<'a, 'b> Query<'a, 'b> {
    /// Nothing looked up as yet.
    pub(super) fn new(
        snapshot: &'a Snapshot,
        at: &'a Located,
        limits: Option<&'a RateLimit>,
        worker: &'b mut Worker,
        reply: &'b mut Reply<'a>,
        client: &'b mut Client,
    ) -> Self {
        worker.chain.clear();
        let (cut, all_down) = (ANSWERED, false);
        Self { snapshot, at, worker, reply, chain: None, limits, cut, client, all_down }
    }

    /// Looks the question's name up and writes what is found.
    pub(super) fn answer(&mut self) -> Result<Outcome, Stop> {
        match self.step(Here { key: &self.at.key, position: HEADER })? {
            Step::Done(outcome) => Ok(outcome),
            Step::Follow(position) => self.follow(position),
        }
    }

    /// Charges the reply to an account: that of the first name, for what a CNAME leads to is a
    /// part of its answer.
    #[inline]
    pub(super) fn charge(&self, account: Account) -> Result<(), Limited> {
        match self.chain {
            None => limit::charge(self.limits, self.at, self.worker, account),
            Some(_) => Ok(()),
        }
    }

    /// Goes on from the target of a CNAME. Apart, so that other answers do not pay for the room
    /// that a second name takes.
    #[inline(never)]
    fn follow(&mut self, mut at: usize) -> Result<Outcome, Stop> {
        let mut target = Key::ROOT;
        loop {
            // Records of the name, or of one above it, could not point at their owner any more.
            let is_in_reach = self.reply.name_at(at, &mut target)
                && Reply::owner_at(at.saturating_add(target.as_wire().len())).is_some();
            if !is_in_reach {
                return Ok(ANSWERED);
            }
            match self.step(Here { key: &target, position: at })? {
                Step::Done(outcome) => return Ok(outcome),
                Step::Follow(next) => at = next,
            }
        }
    }

    /// Answers for one name.
    fn step(&mut self, here: Here<'_>) -> Result<Step, Stop> {
        let names = &*self.snapshot.names;
        let (found, exact) = match names.find(here.key) {
            Found::Exact(id) => (id, true),
            Found::Below { encloser, .. } => (encloser, false),
            Found::Outside => {
                // Whoever asks for a name of ours that leads out of our zones looks further himself.
                if self.chain.is_none() {
                    self.cut = Outcome::plain(Rcode::REFUSED, Some(Ede::NOT_AUTHORITATIVE));
                    self.charge(Account::Unlocated)?;
                }
                return Ok(Step::Done(self.cut));
            }
        };
        let entry = names.entry(found);
        let zone = entry.zone();
        if exact
            && entry.is_apex()
            && self.at.qtype == rtype::DS
            && let Some(done) = self.parent_ds(here, found, zone)?
        {
            return Ok(done);
        }
        if self.chain.is_some_and(|chain| chain != zone) {
            return Ok(Step::Done(ANSWERED));
        }
        if let Some(cut) = entry.cut() {
            let is_ds_at_cut = exact && cut == found && self.at.qtype == rtype::DS;
            if !is_ds_at_cut {
                self.cut = Outcome { authoritative: self.chain.is_some(), ..REFERRAL };
                self.charge(Account::Nothing(cut))?;
                self.referral(here, cut)?;
                return Ok(Step::Done(self.cut));
            }
        }
        let node = match (exact, entry.wildcard()) {
            (true, _) => found,
            (false, _) if entry.has_dname() => return self.dname(here, found, zone),
            (false, Some(wildcard)) => wildcard,
            (false, None) => {
                self.charge(Account::Missing(zone))?;
                self.negative(here, zone, u32::MAX)?;
                return Ok(Step::Done(Outcome { rcode: Rcode::NXDOMAIN, ..ANSWERED }));
            }
        };
        self.at_node(here, node, zone)
    }

    /// Answers from the data of one node: the name's own, or the wildcard's that stands for it.
    fn at_node(&mut self, here: Here<'_>, node: EntryId, zone: ZoneId) -> Result<Step, Stop> {
        let names = &*self.snapshot.names;
        let entry = names.entry(node);
        let owner = here.suffix(here.key.as_wire().len())?;
        if let Some(record) = entry.record()
            && let Some(family) =
                Family::asked_by(self.at.qtype).or_else(|| self.snapshot.of_every_type(record))
        {
            self.charge(Account::Records(node, self.at.qtype))?;
            match dynamic::answer(self, record, family, owner)? {
                Drawn::Records | Drawn::Apart => {}
                Drawn::Nodata { ttl } => self.negative(here, zone, ttl)?,
                Drawn::Unknown => return Ok(Step::Done(UNKNOWN)),
            }
            return Ok(Step::Done(ANSWERED));
        }
        if let Some(tail) = names.rrset(node, self.at.qtype) {
            self.charge(Account::Records(node, tail.rtype))?;
            // A DNAME that led here is in the reply already.
            let is_there = self.at.qtype == rtype::DNAME
                && self.worker.chain.has(node)
                && names.owner(node) == here.key.as_wire();
            if !is_there {
                self.reply.rrset(owner, tail)?;
            }
            return Ok(Step::Done(ANSWERED));
        }
        if self.at.qtype == rtype::ANY && !entry.is_empty_non_terminal() {
            self.charge(Account::Records(node, rtype::ANY))?;
            self.reply.rrset(owner, ANY_ANSWER)?;
            return Ok(Step::Done(ANSWERED));
        }
        if let Some(cname) = entry.is_cname().then(|| names.rrset(node, rtype::CNAME)).flatten() {
            self.charge(Account::Records(node, rtype::CNAME))?;
            let link = Link { node, at: owner, len: here.key.as_wire().len() };
            if !self.worker.chain.join(link, here.key, self.reply) {
                return Ok(Step::Done(ANSWERED));
            }
            self.chain = Some(zone);
            self.reply.rrset(owner, cname)?;
            let data = cname.bytes.len().saturating_sub(2);
            return Ok(Step::Follow(self.reply.position().checked_sub(data).ok_or(Full)?));
        }
        self.charge(Account::Nothing(node))?;
        self.negative(here, zone, u32::MAX)?;
        Ok(Step::Done(ANSWERED))
    }

    /// The SOA of a negative answer, with a TTL of at most `ttl` (RFC 2308 sections 3 and 5).
    fn negative(&mut self, here: Here<'_>, zone: ZoneId, ttl: u32) -> Result<(), Full> {
        let names = &*self.snapshot.names;
        let zone = names.zone(zone);
        let owner = here.suffix(names.owner(zone.apex).len())?;
        self.reply.section(Section::Authority);
        self.reply.short_soa(owner, zone.negative_ttl.min(ttl), &zone.short_soa)
    }

    /// The answer that a parent served here gives for DS at its child's apex (RFC 4035 section
    /// 3.1.4.1), unless CNAMEs of a third zone led there.
    fn parent_ds(
        &mut self,
        here: Here<'_>,
        apex: EntryId,
        child: ZoneId,
    ) -> Result<Option<Step>, Stop> {
        let names = &*self.snapshot.names;
        let parent = names.zone(child).parent;
        let Some(parent) = parent.filter(|&parent| self.chain.is_none_or(|chain| chain == parent))
        else {
            return Ok(None);
        };
        self.charge(Account::Records(apex, rtype::DS))?;
        match names.parent_ds(child) {
            Some(ds) => {
                let owner = here.suffix(here.key.as_wire().len())?;
                self.reply.rrset(owner, ds)?;
            }
            None => self.negative(here, parent, u32::MAX)?,
        }
        Ok(Some(Step::Done(ANSWERED)))
    }
}
