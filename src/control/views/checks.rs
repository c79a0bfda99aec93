//! Targets: what each probe saw last.

use super::types::{CheckView, LastView, Page};
use super::{Seen, page, time};
use crate::control::helm::CheckFilter;
use crate::control::tracked::Tracked;
use crate::health::{LastResult, State as Judged};

/// The targets that are wanted.
pub(in crate::control) fn checks(seen: Seen<'_>, filter: &CheckFilter) -> Page<CheckView> {
    let assembly = &seen.state.assembly;
    let in_region = |tracked: &Tracked, name: &str| {
        let region = |pool: crate::model::PoolId| assembly.pools[pool.index()].region;
        let mut pools = tracked.pools.iter().map(|(pool, _)| region(*pool));
        pools.any(|region| &*assembly.regions[region.index()].name == name)
    };
    let wanted = |tracked: &&Tracked| {
        filter.region.as_ref().is_none_or(|name| in_region(tracked, name))
            && filter.check.as_ref().is_none_or(|name| *tracked.target.check.name == **name)
            && (!filter.not_up || tracked.health.state != Judged::Up)
    };
    let all: Vec<&Tracked> = seen.state.targets.iter().filter(wanted).collect();
    let page = page(all, filter.offset, filter.limit);
    Page {
        total: page.total,
        items: page.items.into_iter().map(|tracked| one(seen, tracked, filter.history)).collect(),
    }
}

fn one(seen: Seen<'_>, tracked: &Tracked, history: bool) -> CheckView {
    let (check, health) = (&tracked.target.check, &tracked.health);
    let pools = tracked.pools.iter().map(|(pool, _)| seen.state.assembly.pool_name(*pool));
    CheckView {
        check: check.name.to_string(),
        kind: check.probe.label().into(),
        role: if check.decides() { "route" } else { "monitor" }.into(),
        destination: tracked.target.destination.to_string(),
        port: check.port,
        pools: pools.collect(),
        state: health.state.label().into(),
        since_secs: seen.ago(health.since),
        failures: health.failures,
        successes: health.successes,
        fall: check.timing.fall,
        rise: check.timing.rise,
        interval_secs: check.timing.interval.as_secs_f64(),
        abstains: tracked.abstains(),
        degraded: health.report.degraded.as_ref().map(ToString::to_string),
        wants: health.report.weight,
        load: health.report.load,
        certificate_expires: tracked.expires.map(time),
        recent: marks(tracked),
        last: health.last.as_ref().map(|last| last_view(seen, last)),
        history: match history {
            true => tracked.history.iter().map(|one| last_view(seen, one)).collect(),
            false => Vec::new(),
        },
    }
}

/// The last results of a target, a mark each.
pub(super) fn marks(tracked: &Tracked) -> String {
    let mark = |one: &LastResult| match one.outcome.passed() {
        Some(true) => '+',
        Some(false) => '-',
        None => '?',
    };
    tracked.history.iter().map(mark).collect()
}

fn last_view(seen: Seen<'_>, last: &LastResult) -> LastView {
    let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
    LastView {
        ago_secs: seen.ago(last.at),
        passed: last.outcome.passed() == Some(true),
        missing: last.outcome.passed().is_none(),
        reason: last.outcome.reason().map(ToString::to_string),
        connect_ms: last.phases.connect.map(ms),
        tls_ms: last.phases.tls.map(ms),
        first_byte_ms: last.phases.first_byte.map(ms),
        total_ms: ms(last.phases.total),
    }
}
