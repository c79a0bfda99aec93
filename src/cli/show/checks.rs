//! What probes saw: a line for each target, and on demand the last results of each.

use super::table::{Align, Cell, Table};
use super::times::span;
use super::words::{clean, percent};
use crate::cli::style::{Paint, Tone};
use crate::control::views::{CheckView, LastView, Page};

/// Targets with their last results as marks.
pub(in crate::cli) fn checks(page: &Page<CheckView>, paint: Paint) -> String {
    let mut table = Table::new(&[Align::Left; 5]);
    table.heads(["target", "check", "state", "last results", "regions"]);
    for check in &page.items {
        let state = format!("{} {}", clean(&check.state), span(check.since_secs));
        table.row([
            clean(&check.destination).as_str().into(),
            format!("{} ({})", clean(&check.check), clean(&check.kind)).into(),
            Cell::of(tone(check), state),
            clean(&check.recent).into(),
            clean(&check.pools.join(", ")).into(),
        ]);
        for line in remarks(check).into_iter().chain(check.history.iter().map(result)) {
            table.line(format!("    {}", paint.tone(Tone::Faint, &line)));
        }
    }
    let mut out = table.render(paint);
    let more = page.total.saturating_sub(page.items.len());
    if more > 0 {
        out += &format!("and {more} more\n");
    }
    out
}

fn tone(check: &CheckView) -> Tone {
    match check.state.as_str() {
        "down" => Tone::Bad,
        "up" if check.failures == 0 && !check.abstains => Tone::Good,
        _ => Tone::Warn,
    }
}

/// What there is to say beside the state.
fn remarks(check: &CheckView) -> Vec<String> {
    let mut all = Vec::new();
    if check.role == "monitor" {
        all.push("it only monitors".to_string());
    }
    if check.abstains {
        all.push("it cannot be asked, and decides nothing".to_string());
    }
    all.extend(check.degraded.as_deref().map(|how| format!("degraded: {}", clean(how))));
    all.extend(check.wants.map(|part| format!("asks for {} of its share", percent(part))));
    all.extend(check.load.map(|load| format!("reports a load of {load}")));
    all.extend(
        check.certificate_expires.as_deref().map(|at| format!("certificate until {}", clean(at))),
    );
    // Where the results are listed, the last one says it.
    let last = check.last.as_ref().filter(|_| check.history.is_empty());
    all.extend(last.and_then(|last| last.reason.as_deref()).map(clean));
    all
}

/// One result: how long ago, what it was, how long it took.
fn result(one: &LastView) -> String {
    let word = match one {
        LastView { missing: true, .. } => "no result",
        LastView { passed: true, .. } => "passed",
        _ => "failed",
    };
    let reason = one.reason.as_deref().map(|why| format!(": {}", clean(why)));
    let phases =
        [("connect", one.connect_ms), ("TLS", one.tls_ms), ("first byte", one.first_byte_ms)];
    let phases = phases.into_iter().filter_map(|(name, ms)| Some(format!("{name} {:.1} ms", ms?)));
    let phases: Vec<String> = phases.chain([format!("in all {:.1} ms", one.total_ms)]).collect();
    format!(
        "{} ago {word}{} ({})",
        span(one.ago_secs),
        reason.unwrap_or_default(),
        phases.join(", ")
    )
}
