//! Transitions as sentences: from, to, the cause, and what is served now.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use crate::health::{Held, State as Judged};
use crate::model::{BindingId, Endpoint, Family, PoolId};
use crate::routing::{Assembly, Reason, Served, Snapshot};
use crate::wire::Name;

use super::apply::Moved;
use super::state::State;

/// How many names a sentence lists before it only counts.
const NAMES: usize = 3;

/// Logs a target's transition with what it did to its pools; gives the sentence.
pub(super) fn moved(state: &State, moved: &Moved) -> String {
    let Moved { target, transition, pools, .. } = moved;
    let check = &target.check.name;
    let (from, to, cause) = (transition.from, transition.to, &transition.cause);
    let sentence = format!(
        "{} went from {from} to {to}: {check}: {cause}; {}",
        target.destination,
        of_pools(state, pools)
    );
    let names = pools.iter().map(|pool| state.assembly.pool_name(*pool));
    let region = listed(names, NAMES, "; ");
    let address = target.destination.to_string();
    match (from, to) {
        (_, Judged::Down) => {
            tracing::warn!(region, %check, address, from = %from, to = %to, "{sentence}");
        }
        // It served as up before, and all of them do this at the start: nothing has happened.
        (Judged::Unknown, _) => {
            tracing::debug!(region, %check, address, from = %from, to = %to, "{sentence}");
        }
        _ => tracing::info!(region, %check, address, from = %from, to = %to, "{sentence}"),
    }
    sentence
}

/// What the first few pools of a list serve now.
pub(super) fn of_pools(state: &State, pools: &[PoolId]) -> String {
    listed(pools.iter().map(|pool| of_pool(state, *pool)), NAMES, "; ")
}

/// What a pool serves now: `eu-west is down and serves 0 of 1 IPv4 addresses`.
fn of_pool(state: &State, id: PoolId) -> String {
    let health = &state.pools[id.index()];
    let mut text = state.assembly.pool_name(id);
    // One thing, which both families share.
    if let Endpoint::Cname(name) = &state.assembly.pools[id.index()].endpoint {
        let word = if health.of(Family::V4).h > 0.0 { "up" } else { "down" };
        let _ = write!(text, " is {word}, with the CNAME {name}");
        return text;
    }
    let mut first = true;
    for family in Family::BOTH {
        let of = health.of(family);
        if of.count() == 0 {
            continue;
        }
        let word = match of.held {
            Some(Held::Kept) => "served all the same",
            Some(Held::Damped) => "held down",
            Some(Held::Awaiting) => "held back",
            Some(Held::Ramping) | None if of.h > 0.0 => "up",
            Some(Held::Ramping) | None => "down",
        };
        let joint = if first { " is" } else { ", and" };
        let _ = write!(
            text,
            "{joint} {word} with {} of {} {} addresses",
            of.live_count(),
            of.count(),
            family.name()
        );
        first = false;
    }
    text
}

/// A time without what is less than a second: `8m 17s`.
pub(super) fn whole_secs(time: Duration) -> String {
    humantime::format_duration(Duration::from_secs(time.as_secs())).to_string()
}

/// The first few of a list, with this between them, and how many more there are.
pub(super) fn listed<T: ToString>(
    all: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>,
    most: usize,
    between: &str,
) -> String {
    let all = all.into_iter();
    let more = all.len().saturating_sub(most);
    let few: Vec<String> = all.take(most).map(|one| one.to_string()).collect();
    match more {
        0 => few.join(between),
        _ => format!("{} and {more} more", few.join(between)),
    }
}

/// A binding and family whose all-down rules were engaged or released by a snapshot.
pub(super) struct Change {
    pub(super) binding: BindingId,
    pub(super) family: Family,
    pub(super) reason: Reason,
}

/// The bindings that a snapshot has not taken over from the one before: all of them where the
/// assembly is another.
pub(super) fn rebuilt<'a>(
    before: Option<&Snapshot>,
    after: &'a Snapshot,
) -> impl Iterator<Item = (BindingId, &'a Served)> {
    let before = before.filter(|before| Arc::ptr_eq(&before.assembly, &after.assembly));
    (0..).map(BindingId).zip(&after.bindings).filter_map(move |(id, is)| {
        let was = before.and_then(|before| before.bindings.get(id.index()));
        (!was.is_some_and(|was| Arc::ptr_eq(was, is))).then_some((id, &**is))
    })
}

/// Whether each binding is all down in either family, where the snapshot before does not say the same;
/// one of another assembly says nothing. A flip may rebuild what a hundred thousand records draw from,
/// and seldom changes this.
pub(super) fn all_down_news(
    before: Option<&Snapshot>,
    after: &Snapshot,
) -> impl Iterator<Item = (BindingId, bool)> {
    let before = before.filter(|before| Arc::ptr_eq(&before.assembly, &after.assembly));
    let is_down = |served: &Served| Family::BOTH.iter().any(|f| served.is_all_down(*f));
    rebuilt(before, after).filter_map(move |(id, is)| {
        let was = before.and_then(|before| before.bindings.get(id.index()));
        let is = is_down(is);
        was.is_none_or(|was| is_down(was) != is).then_some((id, is))
    })
}

/// Where the all-down rules were engaged or released: since the snapshot before, be it one of
/// another assembly, in which a binding is found again by its records.
pub(super) fn all_down_changes(before: Option<&Snapshot>, after: &Snapshot) -> Vec<Change> {
    let known: HashMap<&Name, BindingId> = before
        .filter(|before| !Arc::ptr_eq(&before.assembly, &after.assembly))
        .map(|before| before.assembly.records.iter().map(|r| (&r.name, r.binding)).collect())
        .unwrap_or_default();
    let mut changes = Vec::new();
    for (binding, is) in rebuilt(before, after) {
        let first = after.assembly.records_of(binding).next();
        let same = before.is_some_and(|before| Arc::ptr_eq(&before.assembly, &after.assembly));
        let was =
            if same { Some(binding) } else { first.and_then(|r| known.get(&r.name).copied()) };
        let was = was.and_then(|id| before?.bindings.get(id.index()));
        for family in Family::BOTH {
            let was = was.is_some_and(|was| worst(was, family).is_all_down());
            let reason = worst(is, family);
            if was != reason.is_all_down() {
                changes.push(Change { binding, family, reason });
            }
        }
    }
    changes
}

/// The reason of a binding's first class that is all down, if any is.
pub(super) fn worst(served: &Served, family: Family) -> Reason {
    let classes = served.side(family).classes();
    let mut reasons = classes.iter().map(|class| class.distribution.reason);
    let first = reasons.clone().next().unwrap_or(Reason::NoFamily);
    reasons.find(|reason| reason.is_all_down()).unwrap_or(first)
}

/// Logs that the all-down rules of some records were engaged or released, once, not for each; gives the
/// sentence.
pub(super) fn all_down(assembly: &Assembly, change: &Change) -> String {
    let records = assembly.records_of(change.binding);
    let names = records.map(|record| &record.name);
    let (record, family) = (listed(names, NAMES, "; "), change.family.name());
    let what = match change.reason {
        Reason::Available | Reason::NoFamily => {
            let sentence = format!("{record}: no longer all down for {family}");
            tracing::info!(record, "{sentence}");
            return sentence;
        }
        Reason::Drained => "what is up but drained or held back is served",
        Reason::LastGood => "what was last in force is served (on_all_down = last_good)",
        Reason::OpenLive => "what still has a live address is served (on_all_down = open)",
        Reason::Open => "all are served as if they were up (on_all_down = open)",
        Reason::Closed => "no address is served (on_all_down = closed)",
        Reason::Instead => "the region or policy named by on_all_down is served",
        Reason::Unresolved => {
            let sentence = format!(
                "{record}: no alias could be looked up yet, and there is nothing else: SERVFAIL for \
                 {family}"
            );
            tracing::error!(record, "{sentence}");
            return sentence;
        }
        Reason::Nothing => {
            let sentence = format!("{record}: nothing may be served for {family}");
            tracing::error!(record, "{sentence}");
            return sentence;
        }
    };
    let sentence = format!("{record}: all down for {family}; {what}");
    tracing::warn!(record, "{sentence}");
    sentence
}
