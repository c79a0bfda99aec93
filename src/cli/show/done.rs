//! What a command came to.

use super::changes;
use super::overrides::{progress, until, what};
use super::times::moment;
use super::words::clean;
use crate::cli::order::Which;
use crate::cli::style::{Paint, Tone};
use crate::control::command::Done;
use crate::control::views::OverrideView;

/// What a command does to the overrides that it tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Did {
    /// It made them.
    Made,
    /// It ended them.
    Ended,
    /// It let a region back, and has nothing to do with them.
    LetBack,
    /// It began a plan, of this path.
    Planned(&'static str),
    /// It changed a plan.
    Led(Which),
}

/// A line for each override, the shares before and after, and what else there is to know.
pub(in crate::cli) fn done(done: &Done, did: Did, paint: Paint) -> String {
    let mut out = String::new();
    if done.dry_run {
        out += &paint.tone(Tone::Strong, "dry run: nothing is done");
        out.push('\n');
    }
    if let Some(view) = &done.plan {
        out += &super::plan(view, paint);
    }
    for view in &done.overrides {
        out += &line(view, done.dry_run, did);
        out.push('\n');
    }
    if done.changes.is_empty() {
        out += "no record has other shares by it\n";
    } else {
        let moving = done.overrides.iter().any(|view| view.done_in_secs.is_some());
        let stages = done.plan.as_ref().is_some_and(|plan| plan.state == "running");
        let when = match (moving, stages) {
            (true, _) => "shares, when the move is done",
            (_, true) => "shares, with its last stage",
            _ => "shares",
        };
        out += &format!("{}\n", paint.tone(Tone::Strong, when));
        out += &changes(&done.changes, done.records_changed, paint);
    }
    for warning in &done.warnings {
        out += &format!("{}: {}\n", paint.tone(Tone::Warn, "warning"), clean(warning));
    }
    if !done.dry_run {
        out += &format!("in force with tables {}\n", done.generation);
    }
    out
}

fn line(view: &OverrideView, dry_run: bool, did: Did) -> String {
    let mut parts = vec![what(view)];
    parts.extend(progress(view));
    let word = match (did, dry_run) {
        (Did::Made | Did::Planned(_) | Did::Led(_), _) => {
            parts.push(until(view, &view.since));
            if dry_run { "would begin" } else { "begun" }
        }
        (Did::Ended | Did::LetBack, _) => {
            parts.push(format!("by {} since {}", clean(&view.actor), moment(&view.since, "")));
            match (view.done_in_secs.is_some(), dry_run) {
                (true, true) => "would return",
                (true, false) => "returning",
                (false, true) => "would end",
                (false, false) => "ended",
            }
        }
    };
    // What is only tried out has no number.
    let number = match (did, dry_run) {
        (Did::Made, true) => String::new(),
        _ => format!(" override {}", view.id),
    };
    format!("{word}{number}: {}", parts.join(", "))
}
