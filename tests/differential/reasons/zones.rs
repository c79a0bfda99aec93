//! Reasons that are about zones within zones, delegations and their glue.

use trimtab::wire::{Name, rtype};

use super::{Case, equal};
use crate::facts::Chain;
use crate::reply::{Reply, Rr};
use crate::zone::Zone;

/// The parent has no NS where the other zone begins, and answers for that name by what it has.
pub(super) fn undelegated(case: &Case<'_>, ours: &mut Reply, theirs: &mut Reply) {
    let name = Chain::of(case.question, ours).last().clone();
    let zones = case.family.zones_of(&name);
    let [.., parent, own] = &zones[..] else { return };
    let is_nodata = ours.rcode == 0 && ours.authority.iter().any(|rr| rr.rtype == rtype::SOA);
    if case.question.rtype == rtype::DS
        && own.apex == name
        && !parent.has(&name, rtype::NS)
        && is_nodata
    {
        equal(ours, theirs);
    }
}

/// Knot and BIND know of a name above a nested zone only what the parent's own file says.
pub(super) fn nested(case: &Case<'_>, ours: &mut Reply, theirs: &mut Reply) {
    let chain = Chain::of(case.question, ours);
    if chain.names.iter().any(|name| case.family.is_above_nested(name)) {
        equal(ours, theirs);
    }
}

/// A zone further up is here, but another one between the two is delegated to elsewhere: the others
/// refer to that.
pub(super) fn orphan(case: &Case<'_>, ours: &mut Reply, theirs: &mut Reply) {
    let chain = Chain::of(case.question, ours);
    let name = chain.last();
    let zones = case.family.zones_of(name);
    let [.., upper, own] = &zones[..] else { return };
    let is_between = theirs.cut().is_some_and(|cut| {
        upper.has(cut, rtype::NS) && own.apex.is_within(cut) && own.apex != *cut
    });
    let is_childs = ours.authority.iter().all(|rr| rr.rtype == rtype::SOA && rr.owner == own.apex);
    let is_like = theirs.answer == ours.answer && theirs.aa == (chain.names.len() > 1);
    if case.question.rtype == rtype::DS && own.apex == *name && is_between && is_childs && is_like {
        equal(ours, theirs);
    }
}

/// NSD takes the outermost of several zones above for the parent.
pub(super) fn outermost(case: &Case<'_>, ours: &mut Reply, theirs: &mut Reply) {
    let name = Chain::of(case.question, ours).last().clone();
    let is_apex = case.family.apex(&name).is_some();
    let is_inner = case.family.zones_of(&name).len() > 2;
    if case.question.rtype == rtype::DS && is_apex && is_inner {
        equal(ours, theirs);
    }
}

/// NSD keeps one tree of names for all zones: what one zone's file has exists in all.
pub(super) fn outer(case: &Case<'_>, ours: &mut Reply, theirs: &mut Reply) {
    let chain = Chain::of(case.question, ours);
    if chain.names.iter().any(|name| case.family.is_only_in_outer(name)) {
        equal(ours, theirs);
    }
}

/// The parent's file has other addresses of a nameserver than the zone that the nameserver is in.
pub(super) fn nested_glue(case: &Case<'_>, ours: &mut Reply, theirs: &mut Reply) {
    let Some(cut) = ours.cut().filter(|cut| theirs.cut() == Some(*cut)).cloned() else { return };
    let nested = |name: &Name| case.family.zone_of(name).filter(|zone| zone.apex.is_within(&cut));
    let is_its_own = |rr: &Rr| {
        nested(&rr.owner).is_some_and(|zone| zone.has(&rr.owner, rr.rtype) && zone.apex != cut)
    };
    if ours.additional.iter().filter(|rr| nested(&rr.owner).is_some()).all(is_its_own) {
        for reply in [ours, theirs] {
            reply.additional.retain(|rr| nested(&rr.owner).is_none());
        }
    }
}

/// NSD and Knot make glue from a wildcard that the file has below the delegation.
pub(super) fn wild_glue(case: &Case<'_>, ours: &mut Reply, theirs: &mut Reply) {
    let Some(cut) = ours.cut().filter(|cut| theirs.cut() == Some(*cut)) else { return };
    let zones = case.family.zones_of(cut);
    theirs.additional.retain(|rr| {
        let is_made = |zone: &&Zone| {
            let node = zone.node(&rr.owner).filter(|node| *node != rr.owner);
            zone.has(cut, rtype::NS) && node.is_some_and(|node| zone.has(&node, rr.rtype))
        };
        !(rr.owner.is_within(cut) && zones.iter().any(is_made))
    });
}

/// BIND leaves out glue for which there is no room, without a word.
pub(super) fn no_room(case: &Case<'_>, ours: &mut Reply, theirs: &mut Reply) {
    // Type, class, TTL and length; BIND does not compress every owner.
    const HEAD: usize = 10;
    let missing = ours.additional.difference(&theirs.additional);
    let missing: usize = missing.map(|rr| rr.owner.as_wire().len() + HEAD + rr.data.len()).sum();
    let is_referral = ours.cut().is_some() && ours.cut() == theirs.cut();
    if is_referral
        && theirs.additional.is_subset(&ours.additional)
        && theirs.len + missing > case.question.limit()
        && ours.len <= case.question.limit()
    {
        theirs.additional.clone_from(&ours.additional);
    }
}
