//! Hot: from a located request to a reply, by RFC 1034 section 4.3.2 with RFC 4592 and RFC 2308.

use crate::metrics::{CookieStanding, DropReason};
use crate::routing::{Cookies, Options, RateLimit, Snapshot};
use crate::wire::{Family, Key, Tail, rtype};
use crate::zone::{EntryId, Found, ZoneId};

use super::chain::Link;
use super::cookie::{Checked, Cookie, Standing};
use super::limit::{self, Account, Limited};
use super::message::{Ede, HEADER, PAYLOAD_MIN, Rcode};
use super::opt::Opt;
use super::reply::{Full, Owner, Reply, Section};
use super::request::{Dropped, Located, Next};
use super::signed::{self, Signature};
use super::subnet::Carried;
use super::transfer::{self, Decision, Transfer};
use super::{Transport, Verdict, Worker, dynamic, introduce, reply_max};

/// How a reply came out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outcome {
    pub(super) rcode: Rcode,
    pub(super) authoritative: bool,
    pub(super) truncated: bool,
    /// Why, where the code alone does not say it.
    pub(super) error: Option<Ede>,
}

pub(super) const ANSWERED: Outcome =
    Outcome { rcode: Rcode::NOERROR, authoritative: true, truncated: false, error: None };
const REFERRAL: Outcome = Outcome { authoritative: false, ..ANSWERED };

impl Outcome {
    /// Nothing but a code, and perhaps why.
    const fn plain(rcode: Rcode, error: Option<Ede>) -> Self {
        Self { rcode, error, ..REFERRAL }
    }
}

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

/// Writes the reply; `signature` is what the request's came to, if it has one.
pub(super) fn reply(
    snapshot: &Snapshot,
    at: &Located,
    transport: Transport,
    buffer: &mut [u8],
    worker: &mut Worker,
    signature: Option<&Signature<'_>>,
) -> Verdict {
    if let Next::Drop(why) = at.next {
        worker.block.dropped(match why {
            Dropped::Short => DropReason::Short,
            Dropped::Response => DropReason::Response,
        });
        return Verdict::Nothing;
    }
    worker.block.request(at.qtype);
    let options = &snapshot.options;
    let cookie = at.asked.cookie.map(|cookie| check(&cookie, at, options, worker));
    let mut opt = Opt::of(at, options, transport, worker.crowded, cookie);
    let limit = size_max(options, at, transport);
    let limit = limit.saturating_sub(signature.map_or(0, |signature| signature.room));
    let mut reply = Reply::new(buffer, at.question_end, limit, opt.as_ref().map_or(0, Opt::len));
    let mut client = Client::default();
    let key = signature.map(|signature| signature.checked);
    let next = match key {
        Some(Err(error)) => Next::Refuse(signed::rcode(error), None),
        _ => at.next,
    };
    let limits = limit::of(options, at, transport, cookie.as_ref());
    let mut whole = None;
    let (mut outcome, limited) = match next {
        Next::Answer => answer(snapshot, at, limits, worker, &mut reply, &mut client),
        _ => {
            let charged = limit::charge(limits, at, worker, Account::Unlocated);
            let outcome = match next {
                Next::Transfer => {
                    let key = key.and_then(Result::ok);
                    let decision = transfer::decide(snapshot, at, transport, key);
                    transfer::count(decision, &worker.block);
                    whole = decision.zone();
                    transferred(snapshot, decision, &mut reply)
                }
                _ => without_lookup(options, (next, at), cookie, &mut reply),
            };
            (outcome, charged.err())
        }
    };
    match limited {
        Some(Limited::Drop) => return Verdict::Nothing,
        Some(Limited::Slip) => {
            outcome = slip(outcome, cookie);
            reply.truncate();
            opt.iter_mut().for_each(Opt::shorten);
        }
        None => {}
    }
    worker.block.response(outcome.rcode.0);
    if at.asked.subnet != Carried::Nothing {
        worker.block.client_subnet(client.by_subnet);
    }
    if let Some(opt) = &mut opt {
        opt.error = outcome.error;
        opt.subnet = opt.subnet.map(|(subnet, _)| (subnet, client.scope));
    }
    let Outcome { rcode, authoritative, truncated, .. } = outcome;
    let len = reply.finish(rcode, authoritative, truncated, opt.as_ref());
    match whole {
        None => Verdict::Reply(len),
        Some(zone) => {
            worker.transfer = Transfer::new(zone, buffer.get(..len), at.question_end);
            Verdict::Transfer
        }
    }
}

/// The most octets that the reply may have.
pub(super) fn size_max(options: &Options, at: &Located, transport: Transport) -> usize {
    match (transport, at.edns) {
        (Transport::Tcp, _) => reply_max(transport, options.udp_payload_max),
        (Transport::Udp, Some(edns)) => usize::from(edns.payload.min(options.udp_payload_max)),
        (Transport::Udp, None) => usize::from(PAYLOAD_MIN),
    }
}

/// What a request for a zone is answered with, other than the zone.
fn transferred(snapshot: &Snapshot, decision: Decision, reply: &mut Reply<'_>) -> Outcome {
    let zone = match decision {
        Decision::Refuse(rcode, error) => return Outcome::plain(rcode, error),
        Decision::Whole(_) => return ANSWERED,
        Decision::Soa(zone) => zone,
    };
    // The zone's name is the question's.
    match reply.rrset(Owner(HEADER as u16), snapshot.names.zone(zone).soa()) {
        Ok(()) => ANSWERED,
        Err(Full) => {
            reply.truncate();
            Outcome { truncated: true, ..ANSWERED }
        }
    }
}

/// What is sent in place of a reply over a limit, which is nothing but the question: that the client
/// is to ask over TCP, or with the cookie that it gets (RFC 7873 section 5.2.3).
fn slip(outcome: Outcome, cookie: Option<Checked>) -> Outcome {
    match cookie {
        Some(_) => Outcome::plain(Rcode::BADCOOKIE, None),
        None => Outcome { truncated: true, error: None, ..outcome },
    }
}

/// What needs no name to be looked up.
fn without_lookup(
    options: &Options,
    (next, at): (Next, &Located),
    cookie: Option<Checked>,
    reply: &mut Reply<'_>,
) -> Outcome {
    match next {
        Next::Refuse(rcode, error) => Outcome::plain(rcode, error),
        Next::Introduce => introduce::answer(options, at, reply).map_or(
            Outcome { truncated: true, ..ANSWERED },
            |(rcode, error)| Outcome {
                authoritative: rcode == Rcode::NOERROR,
                ..Outcome::plain(rcode, error)
            },
        ),
        Next::Greet => match cookie.map(|cookie| cookie.standing) {
            Some(Standing::Wrong) => Outcome::plain(Rcode::BADCOOKIE, None),
            _ => Outcome::plain(Rcode::NOERROR, None),
        },
        Next::Drop(_) | Next::Answer | Next::Transfer => ANSWERED,
    }
}

/// Tells what a cookie is worth, and counts it.
fn check(cookie: &Cookie, at: &Located, options: &Options, worker: &Worker) -> Checked {
    let own = worker.shared.secret();
    let secrets = match &options.cookies {
        Cookies::Shared(secrets) => secrets,
        Cookies::Own | Cookies::Off => std::slice::from_ref(own),
    };
    let checked = cookie.check(at.from, worker.now.unix_secs, secrets);
    worker.block.cookie(match checked.standing {
        Standing::New => CookieStanding::New,
        Standing::Known => CookieStanding::Valid,
        Standing::Wrong => CookieStanding::Wrong,
    });
    checked
}

/// Looks the name up, and writes what is found, unless the client is over a limit.
#[inline]
fn answer<'a>(
    snapshot: &'a Snapshot,
    at: &'a Located,
    limits: Option<&'a RateLimit>,
    worker: &mut Worker,
    reply: &mut Reply<'a>,
    client: &mut Client,
) -> (Outcome, Option<Limited>) {
    worker.chain.clear();
    let (cut, all_down) = (ANSWERED, false);
    let mut query = Query { snapshot, at, limits, worker, reply, cut, client, all_down };
    let answered = query.answer();
    let (cut, all_down) = (query.cut, query.all_down);
    match answered {
        Ok(outcome) => {
            let error = all_down.then_some(Ede::ALL_DOWN).or(outcome.error);
            (Outcome { error, ..outcome }, None)
        }
        Err(Stop::Full) => {
            reply.truncate();
            (Outcome { truncated: true, ..cut }, None)
        }
        Err(Stop::Limited(limited)) => (cut, Some(limited)),
    }
}

/// What ANY is answered with: HINFO "RFC8482" (RFC 8482 section 4.2).
const ANY_ANSWER: Tail<'static> =
    Tail { rtype: rtype::HINFO, count: 1, ttl: 3600, bytes: b"\x00\x09\x07RFC8482\x00" };

/// An answer in the making.
pub(super) struct Query<'a, 'b> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) at: &'a Located,
    pub(super) worker: &'b mut Worker,
    pub(super) reply: &'b mut Reply<'a>,
    /// The limits that the client is under, if any.
    limits: Option<&'a RateLimit>,
    /// How the reply comes out if it ends before it is whole: without AA for a referral alone.
    cut: Outcome,
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

impl<'a> Query<'a, '_> {
    fn answer(&mut self) -> Result<Outcome, Stop> {
        let mut zone = None;
        match self.step(Here { key: &self.at.key, position: HEADER }, &mut zone)? {
            Step::Done(outcome) => Ok(outcome),
            Step::Follow(position) => self.follow(position, zone),
        }
    }

    /// Charges the reply to an account: that of the first name, for what a CNAME leads to is a
    /// part of its answer.
    #[inline]
    pub(super) fn charge(&self, chain: &Option<ZoneId>, account: Account) -> Result<(), Limited> {
        match chain {
            None => limit::charge(self.limits, self.at, self.worker, account),
            Some(_) => Ok(()),
        }
    }

    /// Goes on from the target of a CNAME. Apart, so that other answers do not pay for the room
    /// that a second name takes.
    #[inline(never)]
    fn follow(&mut self, mut at: usize, mut zone: Option<ZoneId>) -> Result<Outcome, Stop> {
        let mut target = Key::ROOT;
        loop {
            // Records of the name, or of one above it, could not point at their owner any more.
            let is_in_reach = self.reply.name_at(at, &mut target)
                && Reply::owner_at(at.saturating_add(target.as_wire().len())).is_some();
            if !is_in_reach {
                return Ok(ANSWERED);
            }
            match self.step(Here { key: &target, position: at }, &mut zone)? {
                Step::Done(outcome) => return Ok(outcome),
                Step::Follow(next) => at = next,
            }
        }
    }

    /// Answers for one name; `chain` is the zone of the CNAMEs that led to it.
    fn step(&mut self, here: Here<'_>, chain: &mut Option<ZoneId>) -> Result<Step, Stop> {
        let names = &*self.snapshot.names;
        let (found, exact) = match names.find(here.key) {
            Found::Exact(id) => (id, true),
            Found::Below { encloser, .. } => (encloser, false),
            Found::Outside => {
                // Whoever asks for a name of ours that leads out of our zones looks further himself.
                if chain.is_none() {
                    self.cut = Outcome::plain(Rcode::REFUSED, Some(Ede::NOT_AUTHORITATIVE));
                    self.charge(chain, Account::Unlocated)?;
                }
                return Ok(Step::Done(self.cut));
            }
        };
        let entry = names.entry(found);
        let zone = entry.zone();
        if exact
            && entry.is_apex()
            && self.at.qtype == rtype::DS
            && let Some(done) = self.parent_ds(here, found, zone, chain)?
        {
            return Ok(done);
        }
        if chain.is_some_and(|chain| chain != zone) {
            return Ok(Step::Done(ANSWERED));
        }
        if let Some(cut) = entry.cut() {
            let is_ds_at_cut = exact && cut == found && self.at.qtype == rtype::DS;
            if !is_ds_at_cut {
                self.cut = Outcome { authoritative: chain.is_some(), ..REFERRAL };
                self.charge(chain, Account::Nothing(cut))?;
                self.referral(here, cut)?;
                return Ok(Step::Done(self.cut));
            }
        }
        let node = match (exact, entry.wildcard()) {
            (true, _) => found,
            (false, _) if entry.has_dname() => return self.dname(here, found, zone, chain),
            (false, Some(wildcard)) => wildcard,
            (false, None) => {
                self.charge(chain, Account::Missing(zone))?;
                self.negative(here, zone, u32::MAX)?;
                return Ok(Step::Done(Outcome { rcode: Rcode::NXDOMAIN, ..ANSWERED }));
            }
        };
        self.at_node(here, node, zone, chain)
    }

    /// Answers from the data of one node: the name's own, or the wildcard's that stands for it.
    fn at_node(
        &mut self,
        here: Here<'_>,
        node: EntryId,
        zone: ZoneId,
        chain: &mut Option<ZoneId>,
    ) -> Result<Step, Stop> {
        let names = &*self.snapshot.names;
        let entry = names.entry(node);
        let owner = here.suffix(here.key.as_wire().len())?;
        if let (Some(record), Some(family)) = (entry.record(), Family::asked_by(self.at.qtype)) {
            self.charge(chain, Account::Records(node, self.at.qtype))?;
            let drawn = dynamic::answer(self, record, family, owner, chain.is_some())?;
            if let dynamic::Drawn::Nodata { ttl } = drawn {
                self.negative(here, zone, ttl)?;
            }
            return Ok(Step::Done(ANSWERED));
        }
        if let Some(tail) = names.rrset(node, self.at.qtype) {
            self.charge(chain, Account::Records(node, tail.rtype))?;
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
            self.charge(chain, Account::Records(node, rtype::ANY))?;
            self.reply.rrset(owner, ANY_ANSWER)?;
            return Ok(Step::Done(ANSWERED));
        }
        if let Some(cname) = entry.is_cname().then(|| names.rrset(node, rtype::CNAME)).flatten() {
            self.charge(chain, Account::Records(node, rtype::CNAME))?;
            let link = Link { node, at: owner, len: here.key.as_wire().len() };
            if !self.worker.chain.join(link, here.key, self.reply) {
                return Ok(Step::Done(ANSWERED));
            }
            *chain = Some(zone);
            self.reply.rrset(owner, cname)?;
            let data = cname.bytes.len().saturating_sub(2);
            return Ok(Step::Follow(self.reply.position().checked_sub(data).ok_or(Full)?));
        }
        self.charge(chain, Account::Nothing(node))?;
        self.negative(here, zone, u32::MAX)?;
        Ok(Step::Done(ANSWERED))
    }

    /// The SOA of a negative answer, with a TTL of at most `ttl` (RFC 2308 sections 3 and 5).
    fn negative(&mut self, here: Here<'_>, zone: ZoneId, ttl: u32) -> Result<(), Full> {
        let names = &*self.snapshot.names;
        let zone = names.zone(zone);
        let owner = here.suffix(names.owner(zone.apex).len())?;
        self.reply.section(Section::Authority);
        self.reply.rrset(owner, Tail { ttl: zone.negative_ttl.min(ttl), ..zone.soa() })
    }

    /// The answer that a parent served here gives for DS at its child's apex (RFC 4035 section
    /// 3.1.4.1), unless CNAMEs of a third zone led there.
    fn parent_ds(
        &mut self,
        here: Here<'_>,
        apex: EntryId,
        child: ZoneId,
        chain: &Option<ZoneId>,
    ) -> Result<Option<Step>, Stop> {
        let names = &*self.snapshot.names;
        let parent = names.zone(child).parent;
        let Some(parent) = parent.filter(|&parent| chain.is_none_or(|chain| chain == parent))
        else {
            return Ok(None);
        };
        self.charge(chain, Account::Records(apex, rtype::DS))?;
        match names.parent_ds(child) {
            Some(ds) => {
                let owner = here.suffix(here.key.as_wire().len())?;
                self.reply.rrset(owner, ds)?;
            }
            None => self.negative(here, parent, u32::MAX)?,
        }
        Ok(Some(Step::Done(ANSWERED)))
    }

    /// The NS RRset of a cut in AUTHORITY, and the glue that its names need in ADDITIONAL.
    #[expect(clippy::arithmetic_side_effects, reason = "positions within a message")]
    fn referral(&mut self, here: Here<'_>, cut: EntryId) -> Result<(), Full> {
        let names = &*self.snapshot.names;
        let Some(ns) = names.rrset(cut, rtype::NS) else { return Ok(()) };
        let cut_name = names.owner(cut);
        let owner = here.suffix(cut_name.len())?;
        self.reply.section(Section::Authority);
        let position = self.reply.position();
        self.reply.rrset(owner, ns)?;
        self.reply.section(Section::Additional);
        // RFC 9471 section 3: in-domain glue must be there, other glue may be, so it comes last.
        for needed in [true, false] {
            let mut behind = position;
            for target in ns.rdata() {
                // Behind owner, type, class, TTL and length.
                let at = behind + 12;
                behind = at + target.len();
                let Some(glue) = names.glue(target) else { continue };
                let entry = names.entry(glue);
                // What another zone served here says of a name is not this zone's to hand out,
                // unless that is a zone further down, which has taken the glue's place.
                let is_ours = entry.zone() == names.entry(cut).zone();
                let in_domain = if is_ours {
                    entry.cut() == Some(cut)
                } else {
                    names.owner(glue).ends_with(cut_name)
                };
                if in_domain != needed || !(is_ours || in_domain) {
                    continue;
                }
                match self.glue(glue, at) {
                    Err(Full) if needed => return Err(Full),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// The addresses of a nameserver whose name stands in the message.
    fn glue(&mut self, glue: EntryId, position: usize) -> Result<(), Full> {
        let owner = Reply::owner_at(position).ok_or(Full)?;
        for family in [rtype::A, rtype::AAAA] {
            if let Some(tail) = self.snapshot.names.rrset(glue, family) {
                self.reply.rrset(owner, tail)?;
            }
        }
        Ok(())
    }
}
