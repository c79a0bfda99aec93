//! The records at risk, with the numbers; all records where they are few and none is.

use super::table::{Align, Cell, Table};
use super::words::{clean, count, share};
use crate::cli::style::{Paint, Tone};
use crate::control::views::{RecordFamily, RecordView, Risk, Status};

/// So many lines are shown at most, so that all fits a screen.
const LINES: usize = 6;

/// A heading, and a line for each family of a record.
pub(super) fn records(status: &Status, paint: Paint) -> String {
    let heading = match status.records_at_risk {
        0 => format!("{}, none at risk", count(status.records, "record")),
        risky => format!("{}, {risky} at risk", count(status.records, "record")),
    };
    let mut out = paint.tone(Tone::Strong, &heading) + "\n";
    let (views, all) = match status.records_at_risk {
        0 => (&status.all_records, status.all_records.len()),
        risky => (&status.at_risk, risky),
    };
    let mut table = Table::new(&[Align::Left, Align::Left, Align::Right, Align::Left, Align::Left]);
    table.heads(["record", "family", "up", "risk", "shares"]);
    let (mut shown, mut lines) = (0, 0);
    for record in views {
        if lines + record.families.len() > LINES && shown > 0 {
            break;
        }
        shown += 1;
        lines += record.families.len();
        for family in &record.families {
            table.row(row(record, family));
        }
    }
    if status.records_at_risk == 0 && shown < all {
        // Some of those that are well would only be mistaken for all of them.
        return out;
    }
    if lines > 0 {
        out += &table.render(paint);
    }
    if shown < all {
        out += &format!("  and {} more\n", all - shown);
    }
    out
}

fn row(record: &RecordView, family: &RecordFamily) -> [Cell; 5] {
    let tone = match record.risk {
        None => Tone::Plain,
        Some(Risk::AllDown) => Tone::Bad,
        Some(_) => Tone::Warn,
    };
    let risk = match record.risk {
        _ if family.all_down => format!("all down ({})", family.reason),
        None | Some(Risk::AllDown) => String::new(),
        Some(Risk::LastPool) if family.pools_up <= 1 => "last pool".into(),
        Some(Risk::LastPool) => String::new(),
        Some(Risk::InDoubt) => "in doubt".into(),
    };
    let pools = format!("{}/{}", family.pools_up, family.pools);
    [
        record.name.as_str().into(),
        family.family.as_str().into(),
        pools.into(),
        Cell::of(tone, risk),
        shares(family).into(),
    ]
}

/// The regions that have a share, the largest first, as many as there is room for.
fn shares(family: &RecordFamily) -> String {
    const MOST: usize = 3;
    let mut shares: Vec<_> = family.shares.iter().filter(|one| one.share.most > 0.0).collect();
    shares.sort_by(|a, b| b.share.most.total_cmp(&a.share.most));
    let one = |one: &&crate::control::views::RegionShare| {
        format!("{} {}", clean(&one.region), share(one.share))
    };
    let mut texts: Vec<String> = shares.iter().take(MOST).map(one).collect();
    if shares.len() > MOST {
        texts.push("…".into());
    }
    if texts.is_empty() { "nothing".into() } else { texts.join(", ") }
}
