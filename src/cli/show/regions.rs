//! The table of regions.

use super::table::{Align, Cell, Table};
use super::times::span;
use super::words::{clean, health, percent, shares_of};
use crate::cli::style::{Paint, Tone};
use crate::control::command::OverrideKind;
use crate::control::views::{HealthWord, RegionView, ShiftedView};

/// A line for each region, and below it why it is not just up.
pub(super) fn regions(regions: &[RegionView], paint: Paint) -> String {
    let mut table =
        Table::new(&[Align::Left, Align::Left, Align::Right, Align::Right, Align::Left]);
    table.heads(["region", "health", "weight", "share", "forced"]);
    for region in regions {
        let since = region.since_secs.map(|secs| format!(" {}", span(secs)));
        let word = format!("{}{}", health(region.health), since.unwrap_or_default());
        let forced = forced(region);
        table.row([
            region.name.as_str().into(),
            Cell::of(tone(region.health), word),
            weight(region).into(),
            shares_of(region.share).into(),
            Cell::of(Tone::Warn, forced),
        ]);
        let why = why(region);
        if !why.is_empty() {
            table.line(format!("    {}", paint.tone(Tone::Faint, &why)));
        }
    }
    table.render(paint)
}

const fn tone(health: HealthWord) -> Tone {
    match health {
        HealthWord::Up => Tone::Good,
        HealthWord::Down => Tone::Bad,
        HealthWord::InDoubt | HealthWord::Degraded | HealthWord::Held | HealthWord::Unknown => {
            Tone::Warn
        }
        HealthWord::Unchecked => Tone::Plain,
    }
}

/// The weight configured, and that in force where it is another.
fn weight(region: &RegionView) -> String {
    match region.weight_override {
        Some(forced) => format!("{} → {forced}", region.weight),
        None => region.weight.to_string(),
    }
}

/// What is forced on it in all records.
fn forced(region: &RegionView) -> String {
    match region.forced {
        Some(OverrideKind::ForceDown) => "forced down".into(),
        Some(OverrideKind::ForceUp) => "forced up".into(),
        _ if region.drained >= 1.0 => "drained".into(),
        _ if region.drained > 0.0 => format!("drained {}", percent(region.drained)),
        _ => match &region.shifted {
            Some(ShiftedView { to, part }) => format!("{} {}", percent(*part), clean(to)),
            None => String::new(),
        },
    }
}

/// Why it is not just up, and which of its addresses are not.
fn why(region: &RegionView) -> String {
    let some_up = region.families.iter().any(|family| family.up > 0);
    let part = |family: &crate::control::views::RegionFamily| {
        let word = if family.family == "ipv6" { "IPv6" } else { "IPv4" };
        (some_up && family.up < family.addresses)
            .then(|| format!("{} of {} {word} addresses up", family.up, family.addresses))
    };
    let parts = region.families.iter().filter_map(part);
    let recent = region.recent.as_deref().filter(|recent| !recent.is_empty());
    let reason = region.reason.as_deref().map(|reason| match recent {
        Some(recent) => format!("{} {}", clean(reason), clean(recent)),
        None => clean(reason),
    });
    reason.into_iter().chain(parts).collect::<Vec<_>>().join("; ")
}
