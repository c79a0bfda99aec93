//! Plans: how far they are, what they wait for, and what a drill found.

use super::table::{Align, Cell, Table};
use super::times::{moment, span};
use super::words::{clean, percent};
use crate::cli::style::{Paint, Tone};
use crate::control::views::{DrillReport, PlanKind, PlanView, PlansView};

/// All of them.
pub(in crate::cli) fn plans(plans: &PlansView, paint: Paint) -> String {
    let mut out = String::new();
    for view in &plans.under_way {
        out += &plan(view, paint);
    }
    if plans.under_way.is_empty() {
        out += "nothing is under way\n";
    }
    if !plans.over.is_empty() {
        out += &format!("{}\n", paint.tone(Tone::Strong, "over"));
    }
    for view in &plans.over {
        let ended = view.ended.as_deref().map(|at| moment(at, "")).unwrap_or_default();
        let tone = if view.state == "done" { Tone::Good } else { Tone::Warn };
        let why = view.why.as_deref().map(clean).unwrap_or_default();
        let by =
            view.ended_by.as_deref().map_or_else(String::new, |by| format!(" by {}", clean(by)));
        out += &format!(
            "  {}: {}, {} {ended}{by}: {why}\n",
            view.title,
            what(view),
            paint.tone(tone, &view.state)
        );
    }
    out
}

/// One, with all that there is to say.
pub(in crate::cli) fn plan(view: &PlanView, paint: Paint) -> String {
    let mut out = format!("{}: {}\n", paint.tone(Tone::Strong, &view.title), line(view));
    if !view.stages.is_empty() {
        let stages: Vec<String> = view.stages.iter().map(|part| percent(*part)).collect();
        let manual = if view.manual { ", each waits for an operator" } else { "" };
        let every = view.every_secs.map(span).unwrap_or_default();
        out += &format!("  stages {}, every {every}{manual}\n", stages.join(", "));
    }
    if let Some(waits) = &view.waits {
        out += &format!("  {}: {}\n", paint.tone(Tone::Warn, "waits"), clean(waits));
    }
    if let Some(query) = &view.abort_when {
        let came_to = view.query.as_deref().map_or_else(String::new, |q| format!(": {}", clean(q)));
        out += &format!("  given up when {}{came_to}\n", clean(query));
    }
    if !view.overrides.is_empty() {
        let ids: Vec<String> = view.overrides.iter().map(u64::to_string).collect();
        out += &format!(
            "  overrides stand where it does something, and beat it: {}\n",
            ids.join(", ")
        );
    }
    if let (Some(actor), Some(since)) = (&view.actor, &view.since) {
        out += &format!("  by {} since {}\n", clean(actor), moment(since, ""));
    }
    if let Some(reason) = &view.reason {
        out += &format!("  reason: {}\n", clean(reason));
    }
    if let (Some(ended), Some(why)) = (&view.ended, &view.why) {
        let by =
            view.ended_by.as_deref().map_or_else(String::new, |by| format!(" by {}", clean(by)));
        // A report says it below.
        let why = match &view.report {
            Some(_) => String::new(),
            None => format!(": {}", clean(why)),
        };
        out += &format!("  {} {}{by}{why}\n", view.state, moment(ended, ""));
    }
    // Nothing was counted at the start.
    let counted = |found: &&DrillReport| view.state != "drained" || found.answers[1] > 0;
    if let Some(found) = view.report.as_ref().filter(counted) {
        out += &report(found, paint);
    }
    out
}

/// One in a line: what it moves, how far it is, and what it waits for.
pub(super) fn summary(view: &PlanView, paint: Paint) -> String {
    let waits = view.waits.as_deref().map_or_else(String::new, |waits| {
        format!("; {}: {}", paint.tone(Tone::Warn, "waits"), clean(waits))
    });
    format!("{}: {}{waits}", clean(&view.title), line(view))
}

/// What it moves, and how far it is.
fn line(view: &PlanView) -> String {
    let mut parts = vec![what(view)];
    match view.kind {
        PlanKind::Shift if view.ended.is_none() => {
            if let Some(stage) = view.stage {
                let of = view.stages.len();
                parts.push(format!("stage {stage} of {of} ({})", percent(view.part)));
            }
            match (view.state.as_str(), view.next_in_secs) {
                ("running", Some(next)) => {
                    parts.push(format!("the next in {} at the earliest", span(next)));
                }
                ("paused", _) => parts.push("paused".into()),
                _ => {}
            }
        }
        PlanKind::Drill if view.ended.is_none() => {
            let left = view.next_in_secs.map(span).unwrap_or_default();
            parts.push(match view.state.as_str() {
                "drained" => format!("returns in {left}"),
                _ => format!("returned, watched for {left} more"),
            });
        }
        PlanKind::Window => {
            if let (Some(from), Some(until)) = (&view.from, &view.until) {
                parts.push(format!("{} to {}", moment(from, ""), moment(until, from)));
            }
            if view.ended.is_none() {
                let part = match view.state.as_str() {
                    "draining" | "returning" => format!(" ({} drained)", percent(view.part)),
                    "prepared" => " (TTLs are lowered)".into(),
                    _ => String::new(),
                };
                parts.push(format!("{}{part}", view.state));
            }
        }
        PlanKind::Shift | PlanKind::Drill => {}
    }
    parts.join(", ")
}

/// What it moves: `us-east → us-west in app.example.com`.
fn what(view: &PlanView) -> String {
    let regions: Vec<String> = view.regions.iter().map(|name| clean(name)).collect();
    let regions = regions.join(", ");
    let place = view.record.as_deref().map_or_else(String::new, |r| format!(" in {}", clean(r)));
    match (&view.to, view.kind) {
        (Some(to), _) => format!("{regions} → {}{place}", clean(to)),
        (None, PlanKind::Drill) if view.part > 0.0 => {
            format!("{} of {regions} is drained{place}", percent(view.part))
        }
        (None, PlanKind::Drill) => format!("drill of {regions}{place}"),
        (None, _) => format!("maintenance of {regions}"),
    }
}

fn report(found: &DrillReport, paint: Paint) -> String {
    let tone = match found.verdict.as_str() {
        "passed" => Tone::Good,
        "not measured" => Tone::Warn,
        _ => Tone::Bad,
    };
    let verdict = paint.tone(tone, &found.verdict.to_uppercase());
    let mut out = format!("  {verdict}: {}\n", clean(&found.text));
    let moved = found.moved_after_secs.map_or_else(
        || "it was not seen when answers moved".into(),
        |secs| format!("answers had moved after {secs:.0}s"),
    );
    out += &format!(
        "  drained for {}; {moved}; older ones could be kept for {}\n",
        span(found.drained_secs),
        span(found.old_answers_secs.into())
    );
    if found.all_down {
        out += "  all-down rules were engaged meanwhile\n";
    }
    let mut table = Table::new(&[
        Align::Left,
        Align::Right,
        Align::Right,
        Align::Right,
        Align::Right,
        Align::Right,
        Align::Right,
        Align::Right,
    ]);
    table.heads(["region", "before", "", "predicted", "during", "", "after", ""]);
    let share =
        |part: Option<f64>| part.map_or("-".into(), |part| format!("{:.1} %", part * 100.0));
    let rate = |rate: Option<f64>| rate.map_or("-".into(), |rate| format!("{rate:.1}/s"));
    for region in &found.regions {
        let ([before, during, after], [was, is, then]) = (region.rates, region.shares);
        table.row([
            Cell::from(region.region.as_str()),
            Cell::from(rate(before)),
            Cell::from(share(was)),
            Cell::from(share(region.predicted)),
            Cell::from(rate(during)),
            Cell::from(share(is)),
            Cell::from(rate(after)),
            Cell::from(share(then)),
        ]);
    }
    out += &table.render(paint);
    let [before, during, after] = found.answers;
    out += &format!(
        "  {before} answers before, {during} during, {after} after; predicted by {}\n",
        clean(&found.basis)
    );
    out
}
