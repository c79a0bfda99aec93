//! Reasons that are about CNAMEs and DNAMEs, and where their chains end.

use trimtab::wire::{Name, rtype};

use super::{Case, equal};
use crate::facts::Chain;
use crate::peers::Peer;
use crate::reply::{Reply, Rr};

/// BIND takes the CNAME that a DNAME makes for what ANY asks for, and does not follow it.
pub(super) fn any_dname(case: &Case<'_>, ours: &mut Reply, theirs: &mut Reply) {
    let chain = Chain::of(case.question, ours);
    let made = chain.names.iter().position(|name| {
        let is_above = |rr: &&Rr| rr.rtype == rtype::DNAME && *name != rr.owner;
        ours.answer.iter().filter(is_above).any(|rr| name.is_within(&rr.owner))
    });
    let is_less = theirs.rcode == 0 && theirs.answer.is_subset(&ours.answer);
    let Some(made) = made.filter(|_| case.question.rtype == rtype::ANY && is_less) else { return };
    let name = &chain.names[made];
    ours.answer.retain(|rr| {
        chain.names[..=made].contains(&rr.owner) && rr.rtype == rtype::CNAME
            || name.is_within(&rr.owner) && rr.rtype == rtype::DNAME
    });
    ours.rcode = 0;
    ours.authority.clear();
    ours.additional.clear();
}

/// NSD goes on in any other zone that it serves; Knot sees what the parent's file has of a zone
/// that is nested in it.
pub(super) fn crossing(case: &Case<'_>, ours: &mut Reply, theirs: &mut Reply) {
    let chain = Chain::of(case.question, ours);
    let Some((before, last)) = chain.end() else { return };
    let (Some(from), Some(to)) = (case.family.zone_of(before), case.family.zone_of(last)) else {
        return;
    };
    let is_nested = to.apex.is_within(&from.apex);
    let is_cut_off = ours.rcode == 0 && ours.authority.is_empty();
    if from.apex == to.apex || !is_cut_off || (case.peer == Peer::Knot && !is_nested) {
        return;
    }
    if theirs.answer.is_superset(&ours.answer) {
        equal(ours, theirs);
    }
}

/// BIND gives up after eleven aliases, with SERVFAIL.
pub(super) fn circle(case: &Case<'_>, ours: &mut Reply, theirs: &mut Reply) {
    let chain = Chain::of(case.question, ours);
    let is_long = chain.is_circle || chain.names.len() > 12;
    if theirs.rcode == 2 && is_long && theirs.answer.is_subset(&ours.answer) {
        equal(ours, theirs);
    }
}

/// Knot leaves what is behind five aliases to the resolver.
pub(super) fn long(case: &Case<'_>, ours: &mut Reply, theirs: &mut Reply) {
    let has_five = Chain::of(case.question, theirs).names.len() == 6;
    let is_longer = Chain::of(case.question, ours).names.len() >= 6;
    if theirs.rcode == 0 && has_five && is_longer && theirs.answer.is_subset(&ours.answer) {
        equal(ours, theirs);
    }
}

/// Where the last name is below a DNAME that was used for a shorter one, the others go on for a while.
pub(super) fn again(case: &Case<'_>, ours: &mut Reply, theirs: &mut Reply) {
    let chain = Chain::of(case.question, ours);
    let Some((last, before)) = chain.names.split_last() else { return };
    let is_above = |rr: &Rr| {
        let is_below = |name: &&Name| **name != rr.owner && name.is_within(&rr.owner);
        let is_shorter = |name: &Name| name.as_wire().len() < last.as_wire().len();
        let mut below = before.iter().filter(is_below);
        rr.rtype == rtype::DNAME && is_below(&last) && below.any(is_shorter)
    };
    if ours.rcode == 0
        && ours.authority.is_empty()
        && ours.answer.iter().any(is_above)
        && theirs.answer.is_superset(&ours.answer)
    {
        equal(ours, theirs);
    }
}

/// Knot adds what the DNAME's target itself has of the type, or NXDOMAIN where that does not exist,
/// and the SOA.
pub(super) fn yxdomain(_: &Case<'_>, ours: &mut Reply, theirs: &mut Reply) {
    if ours.rcode == 6 && [3, 6].contains(&theirs.rcode) && theirs.answer.is_superset(&ours.answer)
    {
        equal(ours, theirs);
    }
}

/// NSD goes on in the parent, which is another zone.
pub(super) fn own_apex(case: &Case<'_>, ours: &mut Reply, theirs: &mut Reply) {
    let chain = Chain::of(case.question, ours);
    let is_apex = chain.end().is_some_and(|(_, last)| case.family.apex(last).is_some());
    if case.question.rtype == rtype::DS && is_apex && theirs.rcode == 0 {
        equal(ours, theirs);
    }
}
