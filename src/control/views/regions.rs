//! Regions: observed health beside what is configured and what is forced.

use std::collections::BTreeMap;

use super::Seen;
use super::records::forced;
use super::shares::shares;
use super::types::{HealthWord, RegionFamily, RegionView, Share};
use crate::control::state::Tracked;
use crate::health::{Outcome, State as Judged};
use crate::model::{Family, PoolId, RecordId, Region, RegionId};

/// All regions, in the order of the configuration.
pub(in crate::control) fn regions(seen: Seen<'_>) -> Vec<RegionView> {
    let parts = parts(seen);
    let regions = (0..).map(RegionId).zip(&seen.snapshot.assembly.regions);
    let view = |(id, region): (RegionId, &Region)| {
        let (records, share) = parts.get(&id).copied().unwrap_or_default();
        one(seen, id, region, records, share)
    };
    regions.map(view).collect()
}

fn one(
    seen: Seen<'_>,
    id: RegionId,
    region: &Region,
    records: usize,
    share: Option<Share>,
) -> RegionView {
    let forcing = seen.state.forces().of_region(id);
    let targets: Vec<&Tracked> = seen.state.targets_of(region.pool).collect();
    let families: Vec<RegionFamily> = families(seen, region.pool);
    let health = word(&targets, &families);
    let culprit = match health {
        HealthWord::Up | HealthWord::Unchecked => None,
        _ => culprit(&targets),
    };
    let since = match health {
        HealthWord::Unchecked => None,
        _ => culprit.or_else(|| targets.iter().copied().max_by_key(|t| t.health.since)),
    };
    RegionView {
        name: region.name.to_string(),
        health,
        reason: culprit.map(reason),
        since_secs: since.map(|tracked| seen.ago(tracked.health.since)),
        families,
        weight: region.weight.0,
        weight_override: forcing.weight.map(|weight| weight.0),
        forced: forced(forcing),
        drained: forcing.drained,
        share,
        records,
        rtt_ms: seen.state.figure(id).map(|rtt| rtt.as_secs_f64() * 1e3),
    }
}

fn families(seen: Seen<'_>, pool: PoolId) -> Vec<RegionFamily> {
    let health = &seen.state.pools[pool.index()];
    let with = Family::BOTH.into_iter().filter(|family| health.of(*family).count() > 0);
    with.map(|family| {
        let of = health.of(family);
        RegionFamily {
            family: family.label().into(),
            factor: of.h,
            up: of.live_count(),
            addresses: of.count(),
        }
    })
    .collect()
}

fn word(targets: &[&Tracked], families: &[RegionFamily]) -> HealthWord {
    let any = |judged| targets.iter().any(|tracked| tracked.health.state == judged);
    if targets.is_empty() {
        HealthWord::Unchecked
    } else if families.iter().all(|family| family.factor == 0.0) {
        HealthWord::Down
    } else if any(Judged::Down) || targets.iter().any(|tracked| tracked.health.failures > 0) {
        HealthWord::InDoubt
    } else if any(Judged::Unknown) {
        HealthWord::Unknown
    } else {
        HealthWord::Up
    }
}

/// The target that tells most of why a pool is not just up.
fn culprit<'a>(targets: &[&'a Tracked]) -> Option<&'a Tracked> {
    let failing =
        targets.iter().filter(|t| t.health.state == Judged::Down || t.health.failures > 0);
    failing.copied().max_by_key(|t| (t.health.state == Judged::Down, t.health.failures))
}

/// Why a target fails.
fn reason(tracked: &Tracked) -> String {
    let health = &tracked.health;
    let saw = match health.last.as_ref().map(|last| &last.outcome) {
        Some(Outcome::Fail(reason) | Outcome::Missing(reason)) => reason.to_string(),
        Some(Outcome::Pass) => format!(
            "passes again, {} of {} times in a row",
            health.successes, tracked.target.check.timing.rise
        ),
        None => "down when the server was last running".into(),
    };
    let count = match (health.failures, health.state) {
        (0, _) => String::new(),
        (1, _) => " (1 failure)".into(),
        (n, _) => format!(" ({n} failures in a row)"),
    };
    format!("{}: {}: {saw}{count}", tracked.target.destination, tracked.target.check.name)
}

/// In how many records each region has a part, and its share in these.
fn parts(seen: Seen<'_>) -> BTreeMap<RegionId, (usize, Option<Share>)> {
    let snapshot = seen.snapshot;
    let mut parts: BTreeMap<RegionId, (usize, Option<Share>)> = BTreeMap::new();
    for (at, binding) in snapshot.assembly.bindings.iter().enumerate() {
        let records = snapshot.assembly.ids_of(crate::model::BindingId(at as u32));
        let Some(first) = records.first().copied() else { continue };
        let slots = &snapshot.assembly.trees[binding.tree.index()].slots;
        for (region, _) in slots.iter().zip(&binding.pools).filter(|(_, pool)| pool.is_some()) {
            parts.entry(*region).or_default().0 += records.len();
        }
        for (region, share) in both_families(seen, first) {
            let (_, known) = parts.entry(region).or_default();
            *known = Some(known.map_or(share, |known| Share {
                least: known.least.min(share.least),
                most: known.most.max(share.most),
            }));
        }
    }
    parts
}

/// The shares in the families of which the region has addresses there.
fn both_families(seen: Seen<'_>, record: RecordId) -> Vec<(RegionId, Share)> {
    let snapshot = seen.snapshot;
    let of_family = |family| {
        let side = snapshot.side(record, family);
        let tree = side.map(|(served, _)| &snapshot.assembly.trees[served.tree.index()]);
        let has = move |region: RegionId| {
            let slot = tree.and_then(|tree| tree.slots.iter().position(|slot| *slot == region));
            let tail = slot.zip(side).and_then(|(slot, (_, side))| side.tails.get(slot));
            tail.is_some_and(|tail| tail.count() > 0)
        };
        shares(snapshot, record, family).into_iter().filter(move |(region, _)| has(*region))
    };
    Family::BOTH.into_iter().flat_map(of_family).collect()
}
