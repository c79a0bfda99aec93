//! Overrides: what, who, why, and until when.

use super::times::{moment, span};
use super::words::{clean, percent};
use crate::cli::style::{Paint, Tone};
use crate::control::command::OverrideKind;
use crate::control::views::OverrideView;

/// What it stands on: `us-east`, `us-east in app.example.com`.
fn target(view: &OverrideView) -> String {
    let region = clean(&view.region);
    match &view.record {
        Some(record) => format!("{region} in {}", clean(record)),
        None => region,
    }
}

/// What it forces: `drain us-east`.
pub(in crate::cli) fn what(view: &OverrideView) -> String {
    let target = target(view);
    match (view.kind, view.weight) {
        (OverrideKind::Drain, _) => format!("drain {target}"),
        (OverrideKind::ForceDown, _) => format!("force {target} down"),
        (OverrideKind::ForceUp, _) => format!("force {target} up"),
        (OverrideKind::Weight, Some(weight)) => format!("weight {weight} for {target}"),
        (OverrideKind::Weight, None) => format!("weight for {target}"),
        (OverrideKind::Shift, _) => {
            let to = view.to.as_deref().unwrap_or_default();
            format!("shift {target} to {}", clean(to))
        }
    }
}

/// How far a move is: `35 % now, all in 6m 30s`; nothing when it is done.
pub(super) fn progress(view: &OverrideView) -> Option<String> {
    let (now, left) = (view.drained?, view.done_in_secs?);
    let to = match view.drains_to {
        Some(to) if to <= 0.0 => "back".into(),
        Some(to) if to < 1.0 => percent(to),
        _ => "all".into(),
    };
    Some(format!("{} now, {to} in {}", percent(now), span(left)))
}

/// When it ends: `until 04:30 UTC (in 25m)`. The day of `today` needs no date.
pub(super) fn until(view: &OverrideView, today: &str) -> String {
    let Some(until) = &view.until else { return "until it is ended".into() };
    let left = view.ends_in_secs.map(|left| format!(" (in {})", span(left)));
    format!("until {}{}", moment(until, today), left.unwrap_or_default())
}

/// Two lines for each.
pub(super) fn lines(views: &[OverrideView], today: &str, paint: Paint) -> String {
    let width = views.iter().map(|view| view.id.to_string().len()).max().unwrap_or_default();
    let line = |view: &OverrideView| {
        let parts = [Some(what(view)), progress(view), Some(until(view, today))];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        let tone = if view.dangling { Tone::Faint } else { Tone::Warn };
        let dangling =
            if view.dangling { " (not configured any more: without effect)" } else { "" };
        let reason = view.reason.as_deref().map(|reason| format!(": {}", clean(reason)));
        format!(
            "  {:>width$}  {}{dangling}\n  {:width$}  {} at {}{}\n",
            view.id,
            paint.tone(tone, &parts.join(", ")),
            "",
            clean(&view.actor),
            moment(&view.since, today),
            reason.unwrap_or_default(),
        )
    };
    views.iter().map(line).collect()
}
