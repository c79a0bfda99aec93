//! What is another between two looks at a server, as lines.

use crate::cli::show::{self, clean, percent, shares_of};
use crate::control::views::{OverrideView, RegionView, ShiftedView, Status};

/// What has changed; at the first look, how everything is.
pub(super) fn differences(before: Option<&Status>, after: &Status) -> Vec<String> {
    let mut lines = Vec::new();
    for region in &after.regions {
        let was =
            before.and_then(|status| status.regions.iter().find(|was| was.name == region.name));
        match was {
            Some(was) => changed(was, region, &mut lines),
            None => lines.push(format!("{}: {}", clean(&region.name), standing(region))),
        }
    }
    let Some(before) = before else {
        lines.extend(after.overrides.iter().map(begun));
        lines.extend((after.records_at_risk > 0).then(|| at_risk(after)));
        return lines;
    };
    let named = |name: &str| after.regions.iter().any(|region| region.name == name);
    let gone = before.regions.iter().filter(|region| !named(&region.name));
    lines.extend(gone.map(|region| format!("{}: not configured any more", clean(&region.name))));

    let has = |status: &Status, id: u64| status.overrides.iter().any(|view| view.id == id);
    lines.extend(after.overrides.iter().filter(|view| !has(before, view.id)).map(begun));
    let ended = before.overrides.iter().filter(|view| !has(after, view.id));
    lines.extend(ended.map(|view| format!("override {} has ended", view.id)));
    if before.records_at_risk != after.records_at_risk {
        lines.push(at_risk(after));
    }
    lines
}

fn changed(was: &RegionView, is: &RegionView, lines: &mut Vec<String>) {
    let name = clean(&is.name);
    if was.health != is.health {
        let reason = is.reason.as_deref().map(|reason| format!(" ({})", clean(reason)));
        let (from, to) = (show::health(was.health), show::health(is.health));
        lines.push(format!("{name}: {from} → {to}{}", reason.unwrap_or_default()));
    }
    if was.weight != is.weight || was.weight_override != is.weight_override {
        let weight = |region: &RegionView| region.weight_override.unwrap_or(region.weight);
        lines.push(format!("{name}: weight {} → {}", weight(was), weight(is)));
    }
    if was.drained != is.drained {
        lines.push(format!("{name}: drained {} → {}", percent(was.drained), percent(is.drained)));
    }
    if was.shifted != is.shifted {
        lines.push(match (&was.shifted, &is.shifted) {
            (_, Some(ShiftedView { to, part })) => {
                format!("{name}: {} of its place is {}'s", percent(*part), clean(to))
            }
            (Some(ShiftedView { to, .. }), None) => {
                format!("{name}: nothing of its place is {}'s any more", clean(to))
            }
            (None, None) => String::new(),
        });
    }
    let (from, to) = (shares_of(was.share), shares_of(is.share));
    if from != to {
        lines.push(format!("{name}: share {from} → {to}"));
    }
}

/// How a region is.
fn standing(region: &RegionView) -> String {
    let reason = region.reason.as_deref().map(|reason| format!(" ({})", clean(reason)));
    let (health, share) = (show::health(region.health), shares_of(region.share));
    format!("{health}{}, share {share}", reason.unwrap_or_default())
}

fn begun(view: &OverrideView) -> String {
    let reason = view.reason.as_deref().map(|reason| format!(": {}", clean(reason)));
    let (what, actor) = (show::what(view), clean(&view.actor));
    format!("override {} by {actor}: {what}{}", view.id, reason.unwrap_or_default())
}

fn at_risk(status: &Status) -> String {
    format!("{} of {} records at risk", status.records_at_risk, status.records)
}
