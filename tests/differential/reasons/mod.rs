//! Why a reply may differ from another server's: each reason by name, with its rule, for certain
//! servers, and with exactly the part of the replies that it accounts for.

mod aliases;
mod zones;

use std::collections::BTreeSet;

use trimtab::wire::{Name, rtype};

use crate::facts::Chain;
use crate::peers::Peer;
use crate::questions::Question;
use crate::reply::{Reply, Rr};
use crate::zone::Family;

/// A question and the server whose reply is compared with Trimtab's.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) family: &'a Family,
    pub(crate) question: &'a Question,
    pub(crate) peer: Peer,
}

/// A reason takes out of both replies what it accounts for; what is left must be equal.
struct Reason {
    name: &'static str,
    peers: &'static [Peer],
    apply: fn(&Case<'_>, &mut Reply, &mut Reply),
}

use Peer::{Bind, Knot, Nsd};

const REASONS: &[Reason] = &[
    Reason {
        name: "ANY is answered by one HINFO (RFC 8482 section 4.2)",
        peers: &[Nsd, Knot, Bind],
        apply: any,
    },
    Reason {
        name: "ANY follows the CNAME of a DNAME (RFC 6672 section 3.2)",
        peers: &[Bind],
        apply: aliases::any_dname,
    },
    Reason {
        name: "an alias into another zone served here ends the reply (RFC 1034 section 4.3.2)",
        peers: &[Nsd, Knot],
        apply: aliases::crossing,
    },
    Reason {
        name: "a circle or a long chain of aliases is no error",
        peers: &[Bind],
        apply: aliases::circle,
    },
    Reason {
        name: "every alias of a chain, however long (RFC 1034 section 4.3.2)",
        peers: &[Knot],
        apply: aliases::long,
    },
    Reason {
        name: "a chain ends where a DNAME makes a name longer a second time",
        peers: &[Nsd, Knot, Bind],
        apply: aliases::again,
    },
    Reason {
        name: "YXDOMAIN comes with the DNAME and nothing else (RFC 6672 section 2.2)",
        peers: &[Knot],
        apply: aliases::yxdomain,
    },
    Reason {
        name: "DS of a zone that its parent here does not delegate is NODATA (RFC 8020 section 2)",
        peers: &[Nsd, Knot, Bind],
        apply: zones::undelegated,
    },
    Reason {
        name: "a nested zone makes empty non-terminals above it, delegated or not (RFC 8020 section 2)",
        peers: &[Knot, Bind],
        apply: zones::nested,
    },
    Reason {
        name: "DS of a zone whose parent is elsewhere is NODATA (RFC 4035 section 3.1.4.1)",
        peers: &[Nsd, Knot, Bind],
        apply: zones::orphan,
    },
    Reason {
        name: "DS is asked of the zone right above (RFC 4035 section 3.1.4.1)",
        peers: &[Nsd],
        apply: zones::outermost,
    },
    Reason {
        name: "DS of the zone's own name at the end of an alias is answered by that zone",
        peers: &[Nsd],
        apply: aliases::own_apex,
    },
    Reason {
        name: "what only the parent's file has below a nested zone does not exist in it (RFC 1034 section 4.2)",
        peers: &[Nsd],
        apply: zones::outer,
    },
    Reason {
        name: "nothing about a dynamic name is kept longer than its record",
        peers: &[Nsd, Knot, Bind],
        apply: dynamic,
    },
    Reason {
        name: "where a zone further down is here, its addresses are the glue (RFC 2181 section 5.4.1)",
        peers: &[Nsd, Knot, Bind],
        apply: zones::nested_glue,
    },
    Reason {
        name: "a wildcard below a delegation is the other zone's, and makes no glue (RFC 4592 section 2.2.1)",
        peers: &[Nsd, Knot],
        apply: zones::wild_glue,
    },
    Reason {
        name: "additional records that nobody asked for (RFC 1034 section 4.3.2 step 6: useful only)",
        peers: &[Nsd, Knot, Bind],
        apply: useful,
    },
    Reason {
        name: "glue that is needed is not left out without TC (RFC 9471 section 3)",
        peers: &[Bind],
        apply: zones::no_room,
    },
];

/// Lets every reason have its turn; returns those that found something to account for.
pub(crate) fn apply(case: &Case<'_>, ours: &mut Reply, theirs: &mut Reply) -> Vec<&'static str> {
    let mut used = Vec::new();
    for reason in REASONS.iter().filter(|reason| reason.peers.contains(&case.peer)) {
        if ours.says_the_same(theirs) {
            break;
        }
        let before = (ours.clone(), theirs.clone());
        (reason.apply)(case, ours, theirs);
        if before != (ours.clone(), theirs.clone()) {
            used.push(reason.name);
        }
    }
    used
}

/// Why one reply is cut and the other is not.
pub(crate) fn truncation(
    case: &Case<'_>,
    [ours, theirs]: [&Reply; 2],
    whole: [&Reply; 2],
) -> Option<&'static [&'static str]> {
    let limit = case.question.limit();
    if ours.tc && !theirs.tc && whole[0].len > limit && theirs.len <= limit {
        return Some(&["names in data are not compressed, so more replies are cut (RFC 3597)"]);
    }
    if !ours.tc && theirs.tc && whole[1].len > limit && ours.len <= limit {
        return Some(&["records that nobody asked for take the other reply's room"]);
    }
    None
}

/// `HINFO "RFC8482" ""` stands for all that the others list at the name.
fn any(case: &Case<'_>, ours: &mut Reply, theirs: &mut Reply) {
    let hinfo = ours.answer.iter().find(|rr| rr.rtype == rtype::HINFO).cloned();
    let Some(hinfo) = hinfo.filter(|_| case.question.rtype == rtype::ANY) else { return };
    let (all, rest): (BTreeSet<Rr>, BTreeSet<Rr>) =
        std::mem::take(&mut theirs.answer).into_iter().partition(|rr| rr.owner == hinfo.owner);
    theirs.answer = rest;
    if !all.is_empty() {
        // What led there is in both.
        theirs.answer.extend(all.intersection(&ours.answer).cloned());
        ours.answer.remove(&hinfo);
    }
}

/// Additional records, but for the glue that a referral needs: addresses of nameservers that are
/// themselves at or below the cut (RFC 9471).
fn useful(_: &Case<'_>, ours: &mut Reply, theirs: &mut Reply) {
    for reply in [ours, theirs] {
        let cut: Option<Name> = reply.cut().cloned();
        reply.additional.retain(|rr| cut.as_ref().is_some_and(|cut| rr.owner.is_within(cut)));
    }
}

/// Takes a reply for the other one.
fn equal(ours: &Reply, theirs: &mut Reply) {
    *theirs = Reply { len: theirs.len, ..ours.clone() };
}

/// The SOA of a negative answer at a dynamic name has the record's TTL where that is the least.
fn dynamic(case: &Case<'_>, ours: &mut Reply, theirs: &mut Reply) {
    let chain = Chain::of(case.question, ours);
    let Some(ttl) = case.family.dynamic_ttl(chain.last()) else { return };
    let zone = case.family.zone_of(chain.last()).map(|zone| &zone.apex);
    let least = |rr: &Rr| {
        let is_its = rr.rtype == rtype::SOA && Some(&rr.owner) == zone;
        let ttl = if is_its { rr.ttl.min(ttl) } else { rr.ttl };
        Rr { ttl, ..rr.clone() }
    };
    theirs.authority = theirs.authority.iter().map(least).collect();
}
