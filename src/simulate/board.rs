//! The board: the regions as they are, each death, and the verdict.

use std::collections::HashSet;

use super::mix::Mix;
use super::scenario::{Several, bearing, name, overloads, scenario};
use super::shares::{Demand, demand, shares};
use super::verdict::{reason, verdict};
use super::views::{Board, DemandView, Reason, RegionLoad};
use crate::model::{RecordId, RegionId, Risk};
use crate::routing::Snapshot;

/// At most so many scenarios.
const SCENARIOS: usize = 100;

/// What a running server knows beside its tables.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Of each target that was not observed for more than three of its intervals, a sentence.
    pub stale: Vec<String>,
    /// Of each override without an end, a sentence.
    pub endless: Vec<String>,
    /// The records whose all-down rules were seen to engage.
    pub exercised: HashSet<String>,
    /// Since when that would have been seen.
    pub since: String,
}

/// What regions bear, and what would come of the death of those given together, or else of each region by
/// itself. With `known` the snapshot is that of a running server.
///
/// It takes a compile and a walk over all records for each scenario.
#[must_use]
pub fn board(snapshot: &Snapshot, mix: &Mix, down: &[RegionId], known: Option<&Known>) -> Board {
    let demand = demand(snapshot, mix);
    let of_now = shares(snapshot, mix);
    let regions = bearing(snapshot, &of_now, demand, &[]);
    let in_use = in_use(snapshot);
    let reasons = reasons(snapshot, demand, &regions, &in_use, known);
    let each: Vec<Vec<RegionId>> = match down {
        [] => in_use.iter().map(|id| vec![*id]).collect(),
        together => vec![together.to_vec()],
    };
    let scenarios: Vec<_> =
        each.iter().take(SCENARIOS).map(|down| scenario(snapshot, mix, demand, down)).collect();
    let of_all = scenarios.iter().flat_map(|scenario| &scenario.reasons);
    Board {
        verdict: verdict(reasons.iter().chain(of_all)),
        generation: snapshot.generation,
        live: known.is_some(),
        basis: mix.basis().clone(),
        demand: demand.map(|Demand { load, configured }| DemandView { load, configured }),
        regions,
        unanswered: of_now.unanswered,
        reasons,
        scenarios_left_out: each.len().saturating_sub(scenarios.len()),
        scenarios,
    }
}

/// The regions that have a part in any record.
fn in_use(snapshot: &Snapshot) -> Vec<RegionId> {
    let assembly = &snapshot.assembly;
    let mut used = vec![false; assembly.regions.len()];
    for (at, pool) in (0..).map(crate::model::PoolId).zip(&assembly.pools) {
        let mut bindings = assembly.bindings_of(at).iter();
        if bindings.any(|binding| !assembly.ids_of(*binding).is_empty())
            && let Some(used) = used.get_mut(pool.region.index())
        {
            *used = true;
        }
    }
    (0..).map(RegionId).zip(used).filter(|(_, used)| *used).map(|(id, _)| id).collect()
}

/// What is wrong as things are.
fn reasons(
    snapshot: &Snapshot,
    demand: Option<Demand>,
    regions: &[RegionLoad],
    in_use: &[RegionId],
    known: Option<&Known>,
) -> Vec<Reason> {
    let foresight = &snapshot.assembly.foresight;
    let mut reasons = Vec::new();
    let mut add = |risk, text| reasons.push(reason(foresight, risk, text));
    for text in overloads(regions, "bears") {
        add(Risk::NoHeadroom, text);
    }
    if let Some(known) = known {
        for text in &known.stale {
            add(Risk::StaleProbe, text.clone());
        }
        for text in &known.endless {
            add(Risk::EndlessOverride, text.clone());
        }
        let never = unexercised(snapshot, &known.exercised);
        if never.count > 0 {
            let (whose, text) = (if never.count == 1 { "rule" } else { "rules" }, never.text());
            let since = &known.since;
            add(
                Risk::AllDownUnexercised,
                format!("the all-down {whose} of {text} never engaged since {since}"),
            );
        }
    }
    if let Some(text) = unknown_capacity(snapshot, demand, in_use) {
        add(Risk::UnknownCapacity, text);
    }
    reasons
}

/// The records with a check whose all-down rules were never seen to engage.
fn unexercised(snapshot: &Snapshot, exercised: &HashSet<String>) -> Several {
    let assembly = &snapshot.assembly;
    let checked = |id: RecordId| {
        let binding = assembly.bindings.get(assembly.records[id.index()].binding.index());
        let mut pools = binding.into_iter().flat_map(|binding| binding.pools.iter().flatten());
        pools.any(|pool| assembly.pools.get(pool.index()).is_some_and(|p| !p.checks.is_empty()))
    };
    let mut never = Several::default();
    for (id, record) in (0..).map(RecordId).zip(&assembly.records) {
        let seen = !exercised.is_empty() && exercised.contains(&record.name.to_string());
        if !seen && checked(id) {
            never.add(snapshot, id);
        }
    }
    never
}

/// Which regions do not say what they can bear.
fn unknown_capacity(
    snapshot: &Snapshot,
    demand: Option<Demand>,
    in_use: &[RegionId],
) -> Option<String> {
    let of = |id: &&RegionId| snapshot.assembly.regions[id.index()].capacity.is_none();
    let unknown: Vec<String> = in_use.iter().filter(of).map(|id| name(snapshot, *id)).collect();
    if in_use.is_empty() {
        return None;
    }
    if unknown.len() == in_use.len() {
        return Some("no region says what it can bear (capacity): headroom is not judged".into());
    }
    if demand.is_none() {
        let text = "no region that answers when all is healthy has a capacity, and there is no demand: \
            headroom is not judged";
        return Some(text.into());
    }
    let (has, its) = if unknown.len() == 1 { ("has", "its") } else { ("have", "their") };
    (!unknown.is_empty()).then(|| {
        let names = super::text::names(&unknown, unknown.len());
        format!("{names} {has} no capacity, while others have: {its} headroom is not judged")
    })
}
