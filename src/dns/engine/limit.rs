//! Hot: whether a client network may get one more reply over UDP, by what the reply would say.
//!
//! A reply is charged before anything of it is written or drawn. What is charged is what stands in
//! the zone, never what was asked, so that nobody opens accounts by asking for random names: a
//! wildcard, a DNAME and a delegation have one account each for all names that they cover, and the
//! names that do not exist share one a zone. What is in no zone, or cannot be read, has one account
//! for all.

use std::net::IpAddr;

use crate::metrics::{DropReason, Limit, LimitAction};
use crate::model::canonical;
use crate::routing::{Options, RateLimit};
use crate::zone::{EntryId, ZoneId};

use super::accounts::{Charged, SECOND};
use super::cookie::{Checked, Standing};
use super::request::Located;
use super::{Transport, Worker};

/// What a reply is charged to, for each client network.
#[derive(Debug, Clone, Copy)]
pub(super) enum Account {
    /// Records of a type at a name, which may be a wildcard's.
    Records(EntryId, u16),
    /// No records of a name (NODATA, or a referral): the reply is the same for all types.
    Nothing(EntryId),
    /// Names that do not exist, of a zone.
    Missing(ZoneId),
    /// What belongs to no zone, or cannot be read.
    Unlocated,
}

/// What to do with a reply over the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limited {
    /// Send nothing.
    Drop,
    /// Send it without records, and no longer than the request.
    Slip,
}

/// The limits that a request is under: none over TCP, with a cookie of ours, or from an exempt
/// network.
#[inline]
pub(super) fn of<'a>(
    options: &'a Options,
    at: &Located,
    transport: Transport,
    cookie: Option<&Checked>,
) -> Option<&'a RateLimit> {
    let limits = options.rate_limit.as_ref()?;
    let known = cookie.is_some_and(|cookie| cookie.standing == Standing::Known);
    let limited = transport == Transport::Udp && !known && !limits.exempt.contains(at.from);
    limited.then_some(limits)
}

/// Charges a reply, and counts it if it is over the limit.
#[inline]
pub(super) fn charge(
    limits: Option<&RateLimit>,
    at: &Located,
    worker: &Worker,
    account: Account,
) -> Result<(), Limited> {
    match limits {
        Some(limits) => charge_within(limits, at, worker, account),
        None => Ok(()),
    }
}

#[inline(never)]
fn charge_within(
    limits: &RateLimit,
    at: &Located,
    worker: &Worker,
    account: Account,
) -> Result<(), Limited> {
    let (limit, what, number) = match account {
        Account::Records(id, rtype) => (Limit::Responses, u32::from(rtype), id.number()),
        Account::Nothing(id) => (Limit::Responses, NOTHING, id.number()),
        Account::Missing(ZoneId(zone)) => (Limit::Errors, MISSING, zone),
        Account::Unlocated => (Limit::Errors, UNLOCATED, 0),
    };
    let per_second = match limit {
        Limit::Responses => limits.responses_per_second,
        Limit::Errors => limits.errors_per_second,
    };
    let accounts = &worker.shared.accounts;
    let hash = accounts.hash(network(at.from), what, number);
    let cost = SECOND.checked_div(per_second.into()).unwrap_or(SECOND);
    let (action, limited) = match accounts.charge(hash, worker.now.millis, cost, limits.slip) {
        Charged::Within => return Ok(()),
        _ if limits.dry_run => (LimitAction::DryRun, Ok(())),
        Charged::Slip => (LimitAction::Slipped, Err(Limited::Slip)),
        Charged::Over => (LimitAction::Dropped, Err(Limited::Drop)),
    };
    worker.block.limited(limit, action);
    if limited == Err(Limited::Drop) {
        worker.block.dropped(DropReason::RateLimit);
    }
    limited
}

/// Beyond the types that records have.
const NOTHING: u32 = 1 << 16;
const MISSING: u32 = 2 << 16;
const UNLOCATED: u32 = 3 << 16;

/// The network that a client shares its accounts with: an IPv4 /24, in any form, or an IPv6 /56.
#[inline]
fn network(client: IpAddr) -> u64 {
    /// No IPv6 prefix reaches it.
    const V4: u64 = 1 << 63;
    match canonical(client) {
        IpAddr::V4(client) => V4 | u64::from(client.to_bits() >> 8),
        IpAddr::V6(client) => (client.to_bits() >> 72) as u64,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_a_24_or_a_56() {
        let of = |client: &str| network(client.parse().unwrap());
        assert_eq!(of("192.0.2.0"), of("192.0.2.255"));
        assert_ne!(of("192.0.2.0"), of("192.0.3.0"));
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.2"), "IPv4 mapped into IPv6 is IPv4");
        assert_eq!(of("192.0.2.1"), of("64:ff9b::192.0.2.2"), "and so is what is translated");
        assert_ne!(of("64:ff9b::192.0.2.1"), of("64:ff9b::192.0.3.1"));
        assert_eq!(of("2001:db8:0:ff::"), of("2001:db8:0:0:ffff::1"));
        assert_ne!(of("2001:db8:0:ff::"), of("2001:db8:0:100::"));
        assert_ne!(of("192.0.2.0"), of("::c0:2"), "no network of one family is one of the other");
        assert_ne!(of("192.0.2.0"), of("::c000:200:0:0:0"));
    }
}
