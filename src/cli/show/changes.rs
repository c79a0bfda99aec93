//! Shares before and after.

use super::table::{Align, Cell, Table};
use super::words::{clean, count, share};
use crate::cli::style::{Paint, Tone};
use crate::control::views::ShareChange;

/// A table: a line for each region of each record and family. `records` is how many records there are
/// in all.
pub(super) fn changes(changes: &[ShareChange], records: usize, paint: Paint) -> String {
    let mut table =
        Table::new(&[Align::Left, Align::Left, Align::Left, Align::Right, Align::Right]);
    table.heads(["record", "family", "region", "before", "after"]);
    for change in changes {
        for (at, region) in change.regions.iter().enumerate() {
            let (name, family) = match at {
                0 => (change.record.as_str(), change.family.as_str()),
                _ => ("", ""),
            };
            let tone = match region.before == region.after {
                true => Tone::Faint,
                false if region.after.most < region.before.most => Tone::Bad,
                false => Tone::Good,
            };
            table.row([
                name.into(),
                family.into(),
                region.region.as_str().into(),
                share(region.before).into(),
                Cell::of(tone, share(region.after)),
            ]);
        }
    }
    let more = records.saturating_sub(distinct(changes));
    let mut out = table.render(paint);
    if more > 0 {
        out += &format!("  and {}\n", count(more, "more record"));
    }
    out
}

/// The same in a line for each record and family: `app.example.com ipv4: us-east 60 % → 0 %`.
pub(super) fn lines(changes: &[ShareChange], records: usize, indent: &str) -> String {
    let mut out = String::new();
    for change in changes {
        let moved = change.regions.iter().filter(|region| region.before != region.after);
        let moved = moved.map(|region| {
            format!("{} {} → {}", clean(&region.region), share(region.before), share(region.after))
        });
        let moved: Vec<String> = moved.collect();
        if moved.is_empty() {
            continue;
        }
        let (record, family) = (clean(&change.record), clean(&change.family));
        out += &format!("{indent}{record} {family}: {}\n", moved.join(", "));
    }
    let more = records.saturating_sub(distinct(changes));
    if more > 0 {
        out += &format!("{indent}and {}\n", count(more, "more record"));
    }
    out
}

/// How many records are named; the families of one stand together.
fn distinct(changes: &[ShareChange]) -> usize {
    let mut names: Vec<&str> = changes.iter().map(|change| change.record.as_str()).collect();
    names.dedup();
    names.len()
}
