//! Hot: from a located request to a reply: what is answered by whom, under which limits, and what
//! goes around the records.

use crate::metrics::{CookieStanding, DropReason};
use crate::routing::{Cookies, Options, RateLimit, Snapshot};

use super::cookie::{Checked, Cookie, Standing};
use super::limit::{self, Account, Limited};
use super::lookup::{Client, Query, Stop};
use super::message::{Ede, HEADER, PAYLOAD_MIN, Rcode};
use super::opt::Opt;
use super::reply::{Full, Owner, Reply};
use super::request::{Dropped, Located, Next};
use super::signed::{self, Signature};
use super::subnet::Carried;
use super::transfer::{self, Decision, Transfer};
use super::{Transport, Verdict, Worker, introduce, reply_max};

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
pub(super) const REFERRAL: Outcome = Outcome { authoritative: false, ..ANSWERED };

impl Outcome {
    /// Nothing but a code, and perhaps why.
    pub(super) const fn plain(rcode: Rcode, error: Option<Ede>) -> Self {
        Self { rcode, error, ..REFERRAL }
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
    worker.tap.note.rcode = outcome.rcode.0;
    worker.tap.note.by_subnet = client.by_subnet;
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
    let mut query = Query::new(snapshot, at, limits, worker, reply, client);
    let answered = query.answer();
    let (cut, all_down) = (query.cut, query.all_down);
    match answered {
        Ok(outcome) => {
            let error = outcome.error.or(all_down.then_some(Ede::ALL_DOWN));
            (Outcome { error, ..outcome }, None)
        }
        Err(Stop::Full) => {
            reply.truncate();
            (Outcome { truncated: true, ..cut }, None)
        }
        Err(Stop::Limited(limited)) => (cut, Some(limited)),
    }
}
