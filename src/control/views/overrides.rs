//! Overrides: who forces what, why, and until when.

use super::Seen;
use super::types::OverrideView;
use crate::control::command::OverrideKind;
use crate::control::overrides::Overrides;
use crate::model::{Force, Override};

/// One override as it is now.
pub(in crate::control) fn override_view(seen: Seen<'_>, one: &Override) -> OverrideView {
    let now = seen.moment();
    let drain = match &one.force {
        Force::Drain(drain) => Some(drain),
        _ => None,
    };
    let done_in = drain.filter(|drain| !drain.is_done(now)).map(|drain| {
        let end = drain.since.after(std::time::Duration::from_millis(drain.over_ms));
        end.since(now).as_secs_f64()
    });
    OverrideView {
        id: one.id,
        kind: OverrideKind::of(&one.force),
        region: one.region.to_string(),
        record: one.record.as_ref().map(ToString::to_string),
        weight: match one.force {
            Force::Weight(weight) => Some(weight.0),
            _ => None,
        },
        to: match &one.force {
            Force::Shift(to) => Some(to.to_string()),
            _ => None,
        },
        drained: drain.map(|drain| drain.at(now)),
        drains_to: drain.map(|drain| drain.to),
        done_in_secs: done_in,
        actor: one.actor.clone(),
        reason: one.reason.clone(),
        since: seen.time(one.since),
        until: one.until.map(|until| seen.time(until)),
        ends_in_secs: one.until.map(|until| until.since(now).as_secs_f64()),
        dangling: Overrides::dangles(one, &seen.state.assembly),
    }
}
