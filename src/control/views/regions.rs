//! Regions: observed health beside what is configured and what is forced.

use std::collections::BTreeMap;

use super::Seen;
use super::checks::marks;
use super::records::{forced, shifted};
use super::shares::shares;
use super::types::{HealthWord, RegionFamily, RegionView, Share};
use crate::control::tell::whole_secs;
use crate::control::tracked::Tracked;
use crate::health::{Held, Outcome, Report, State as Judged};
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
    let health = word(seen, region.pool, &targets, &families);
    let culprit = match health {
        HealthWord::Up | HealthWord::Unchecked => None,
        _ => culprit(&targets),
    };
    let held_back = held_back(seen, region, &targets);
    let since = match health {
        HealthWord::Unchecked => None,
        _ => culprit.or_else(|| targets.iter().copied().max_by_key(|t| t.health.since)),
    };
    RegionView {
        name: region.name.to_string(),
        health,
        reason: match (held_back, culprit.map(reason)) {
            (Some(held), Some(fails)) => Some(format!("{held}; {fails}")),
            (held, fails) => held.or(fails),
        },
        recent: culprit.map(marks),
        since_secs: since.map(|tracked| seen.ago(tracked.health.since)),
        families,
        weight: region.weight.0,
        weight_override: forcing.weight.map(|weight| weight.0),
        forced: forced(forcing),
        drained: forcing.drained,
        shifted: shifted(&seen.snapshot.assembly, forcing),
        share,
        records,
        rtt_ms: seen.state.figure(id).map(|rtt| rtt.as_secs_f64() * 1e3),
        capacity: region.capacity,
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
            held: of.held.map(|held| held.label().into()),
            up: of.live_count(),
            addresses: of.count(),
        }
    })
    .collect()
}

fn word(
    seen: Seen<'_>,
    pool: PoolId,
    targets: &[&Tracked],
    families: &[RegionFamily],
) -> HealthWord {
    let deciding = || targets.iter().filter(|tracked| tracked.target.check.decides());
    let any = |judged| deciding().any(|tracked| tracked.health.state == judged);
    let health = &seen.state.pools[pool.index()];
    if deciding().next().is_none() {
        HealthWord::Unchecked
    } else if families.iter().all(|family| family.factor == 0.0) {
        let up = health.family.iter().any(|family| family.spare > 0.0);
        if up { HealthWord::Held } else { HealthWord::Down }
    } else if any(Judged::Down) || deciding().any(|tracked| tracked.health.failures > 0) {
        HealthWord::InDoubt
    } else if any(Judged::Unknown) {
        HealthWord::Unknown
    } else if families.iter().any(|family| family.factor < 1.0) {
        HealthWord::Degraded
    } else {
        HealthWord::Up
    }
}

/// What keeps a region from the share that its checks alone would give it.
fn held_back(seen: Seen<'_>, region: &Region, targets: &[&Tracked]) -> Option<String> {
    let health = &seen.state.pools[region.pool.index()];
    let held = Family::BOTH.into_iter().find_map(|f| Some((f, health.of(f).held?)));
    let Some((family, held)) = held else {
        return targets.iter().find_map(|tracked| asks_for_less(tracked));
    };
    let calming = &seen.state.calms.calming[region.pool.index()][family.index()];
    let calm = &seen.state.assembly.pools[region.pool.index()].calm;
    let damping = seen.state.assembly.judging.damping;
    Some(match held {
        Held::Ramping => match calming.ramp(calm, seen.now) {
            Some((_, age, over)) => {
                format!("grows after a recovery, for {} of {}", whole_secs(age), whole_secs(over))
            }
            None => "grows after a recovery".into(),
        },
        Held::Damped => {
            let penalty = damping.map_or(0.0, |damping| calming.penalty(&damping, seen.now));
            let below = damping.map_or(0.0, |damping| damping.below);
            format!(
                "held down for changing too often: its penalty is {penalty:.1}, and must fall to \
                 {below}"
            )
        }
        Held::Awaiting => {
            format!("has recovered and waits for an operator: trimtab failback {}", region.name)
        }
        Held::Kept => "served although it fails: no more regions may be out at once".into(),
    })
}

/// What a target says of itself, where that lessens its share.
fn asks_for_less(tracked: &Tracked) -> Option<String> {
    let report = &tracked.health.report;
    let what = match report {
        Report { maintenance: true, .. } => "is under maintenance".into(),
        Report { degraded: Some(how), .. } => format!("is degraded: {how}"),
        Report { weight: Some(weight), .. } if *weight < 1.0 => {
            format!("asks for {:.0} % of its share", weight * 100.0)
        }
        Report { load: Some(load), .. } => format!("reports a load of {load}"),
        _ => return None,
    };
    Some(format!("{} {what}", tracked.target.subject()))
}

/// The target that tells most of why a pool is not just up.
fn culprit<'a>(targets: &[&'a Tracked]) -> Option<&'a Tracked> {
    let deciding = targets.iter().filter(|t| t.target.check.decides());
    let failing = deciding.filter(|t| t.health.state == Judged::Down || t.health.failures > 0);
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
    format!("{}: {saw}{count}", tracked.target.subject())
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
