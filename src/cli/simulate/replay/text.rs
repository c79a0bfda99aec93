//! A replay as text: the answer first, then from where to where, by region, country and record, and at
//! the end what the log was.

use std::collections::BTreeMap;

use crate::app::replay::{Goal, Part, Read, Report, Ttl};
use crate::cli::show::{Align, Cell, Table, clean};
use crate::cli::style::{Paint, Tone};

use super::numbers::{count, percent, secs, thousands, whole};

/// The most rows of a table; `--json` has all.
const ROWS: usize = 20;

/// The whole report.
pub(super) fn render(report: &Report, paint: Paint) -> String {
    let mut out = answer(report);
    if report.all.queries > 0 {
        let mut tables = vec![moves(&report.all, paint), goals(&report.all, paint)];
        tables.extend([countries(report, paint), records(report, paint)]);
        for (head, table) in tables.into_iter().flatten() {
            out += &format!("\n{}\n{table}", paint.tone(Tone::Strong, head));
        }
    }
    out += &format!("\n{}\n", paint.tone(Tone::Strong, "the log"));
    read(report, &mut out);
    out
}

/// What there is to know first.
fn answer(report: &Report) -> String {
    let Report { all, networks, .. } = report;
    if all.queries == 0 {
        return "No query of the log is for a dynamic name of either configuration.\n".into();
    }
    let asked = format!(
        "{} from {}{}",
        count(all.queries, "query", "queries"),
        if report.networks_at_least { "at least " } else { "" },
        count(*networks as u64, "client network", "client networks")
    );
    let of = |queries: f64| percent(queries / all.queries as f64);
    let mut out = match all.moved {
        0.0 if all.changed() == 0.0 && all.readdressed == 0.0 => {
            format!("Of {asked} none would be answered otherwise.\n")
        }
        0.0 => format!("Of {asked} none would be answered by another region.\n"),
        moved => format!("Of {asked} {} would be answered by another region.\n", of(moved)),
    };
    if all.moved > 0.0 {
        out += &format!("Counting each network once, {}.\n", percent(report.networks_moved));
    }
    let same: f64 = all.moves.iter().map(|flow| flow.same_addresses).sum();
    for (queries, what) in [
        (same, "would get the same addresses of a region that has another name"),
        (all.readdressed, "would stay in their region, and get other addresses of it"),
        (all.lost, "would get no address any more"),
        (all.gained, "would get addresses where there were none"),
        (all.otherwise, "would be answered otherwise, from a zone file or by another error, say"),
    ] {
        if queries > 0.0 {
            out += &format!("{} {what}.\n", of(queries));
        }
    }
    if let Some(Ttl { before, after }) = all.ttl.filter(|ttl| secs(ttl.before) != secs(ttl.after)) {
        out += &format!("TTL: {} in place of {}, on average.\n", secs(after), secs(before));
    }
    out
}

type Section = Option<(&'static str, String)>;

fn moves(all: &Part, paint: Paint) -> Section {
    let mut table = Table::new(&[Align::Left, Align::Left, Align::Right, Align::Right]);
    table.heads(["from", "to", "queries", "of all"]);
    for flow in all.moves.iter().take(ROWS) {
        let part = percent(flow.queries / all.queries as f64);
        table.row([goal(&flow.from), goal(&flow.to), whole(flow.queries).into(), part.into()]);
    }
    more(&mut table, all.moves.len());
    (!all.moves.is_empty()).then(|| ("what moves", table.render(paint)))
}

fn goals(all: &Part, paint: Paint) -> Section {
    let mut sums: BTreeMap<&Goal, [f64; 2]> = BTreeMap::new();
    for (at, goals) in [&all.before, &all.after].into_iter().enumerate() {
        for to in goals {
            sums.entry(&to.to).or_default()[at] += to.queries / all.queries as f64;
        }
    }
    let mut table = Table::new(&[Align::Left, Align::Right, Align::Right, Align::Right]);
    table.heads(["answered by", "before", "after", "change"]);
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by(|(_, a), (_, b)| (b[1] - b[0]).abs().total_cmp(&(a[1] - a[0]).abs()));
    let count = sums.len();
    for (to, [before, after]) in sums.into_iter().take(ROWS) {
        let change = (after - before) * 100.0;
        let change = match change.abs() < 0.05 {
            true => String::new(),
            false => format!("{change:+.1}"),
        };
        table.row([goal(to), percent(before).into(), percent(after).into(), change.into()]);
    }
    more(&mut table, count);
    Some(("shares", table.render(paint)))
}

fn countries(report: &Report, paint: Paint) -> Section {
    let all = &report.by_country;
    if all.iter().all(|of| of.country.is_none()) {
        return Some((
            "by country",
            "  no country is known: the new configuration has no database and no networks with one\n"
                .into(),
        ));
    }
    let mut table =
        Table::new(&[Align::Left, Align::Right, Align::Right, Align::Right, Align::Left]);
    table.heads(["country", "queries", "of all", "change", "most of it"]);
    for of in all.iter().take(ROWS) {
        let country = of.country.as_deref().unwrap_or("?");
        let part = of.part.queries as f64 / report.all.queries as f64;
        table.row([
            country.into(),
            whole(of.part.queries as f64).into(),
            percent(part).into(),
            changed(&of.part),
            most(&of.part).into(),
        ]);
    }
    more(&mut table, all.len());
    Some(("by country", table.render(paint)))
}

fn records(report: &Report, paint: Paint) -> Section {
    let mut table = Table::new(&[
        Align::Left,
        Align::Left,
        Align::Right,
        Align::Right,
        Align::Left,
        Align::Left,
    ]);
    table.heads(["record", "type", "queries", "change", "TTL", "most of it"]);
    for of in report.by_record.iter().take(ROWS) {
        let name = match (&of.old_record, &of.new_record) {
            (Some(before), Some(after)) if before != after => format!("{before} → {after}"),
            (Some(name), Some(_)) => name.clone(),
            (Some(name), None) => format!("{name} (gone)"),
            (None, Some(name)) => format!("{name} (new)"),
            (None, None) => String::new(),
        };
        table.row([
            name.into(),
            of.qtype.into(),
            whole(of.part.queries as f64).into(),
            changed(&of.part),
            ttl(of.part.ttl).into(),
            most(&of.part).into(),
        ]);
    }
    more(&mut table, report.by_record.len());
    if report.by_type.len() > 1 {
        for of in &report.by_type {
            let part = percent(of.part.changed() / of.part.queries as f64);
            let queries = count(of.part.queries, "query", "queries");
            table.line(format!("  all {}: {queries}, {part} change", of.qtype));
        }
    }
    Some(("by record", table.render(paint)))
}

/// What the log was, and what that says of the figures.
fn read(report: &Report, out: &mut String) {
    let Read { lines, .. } = report.read;
    let read = &report.read;
    let files = count(read.files.len() as u64, "file", "files");
    *out += &format!("  {} of {files}", count(lines, "line", "lines"));
    if let (Some(since), Some(until)) = (&read.since, &read.until) {
        *out += &format!(", queries from {since} to {until}");
    }
    out.push('\n');
    for (number, what) in [
        (report.all.queries, "counted: for A or AAAA of a dynamic name"),
        (read.other_names, "for A or AAAA of names that no policy answers"),
        (read.other_types, "for other types"),
        (read.cut_short, "answered in part, and asked again over TCP"),
        (read.led_on, "answered with a CNAME, whose target was asked for next"),
        (read.unanswered, "not answered, or no questions"),
        (read.unreadable, "not to be read"),
    ] {
        if number > 0 {
            *out += &format!("  {:>12}  {what}\n", thousands(number));
        }
    }
    for unread in &read.unread {
        *out += &format!("    {}:{}: {}\n", unread.file, unread.line, clean(&unread.why));
    }
    if read.blurred > 0 {
        *out += "  Clients were logged as networks (client = \"subnet\"); the first address of each stands for \
                 all.\n";
        *out += &match read.coarse {
            0 => "  Neither configuration tells clients apart within one of them.\n".into(),
            coarse => format!(
                "  {} {} from networks in which a configuration tells clients apart: these are guesses.\n",
                thousands(coarse),
                if coarse == 1 { "query is" } else { "queries are" },
            ),
        };
    }
    *out += "  All regions are taken to be up, and nothing to be forced, in both configurations.\n";
}

fn more(table: &mut Table, all: usize) {
    if all > ROWS {
        table.line(format!("  and {} more; --json has all", all - ROWS));
    }
}

/// Where an answer leads, in words; what is no region stands in brackets.
fn goal(goal: &Goal) -> Cell {
    match goal {
        Goal::Region(name) => name.as_str().into(),
        other => Cell::of(Tone::Warn, word(other)),
    }
}

fn word(goal: &Goal) -> &str {
    match goal {
        Goal::Region(name) => name,
        Goal::ZoneData => "(zone file)",
        Goal::OtherName => "(another name)",
        Goal::Delegated => "(another server)",
        Goal::NoAddress => "(no address)",
        Goal::NoSuchName => "(NXDOMAIN)",
        Goal::NotServed => "(REFUSED)",
        Goal::Failure => "(SERVFAIL)",
    }
}

/// Where most of what changes goes.
fn most(part: &Part) -> String {
    let flow = part.moves.first();
    flow.map(|flow| format!("{} → {}", word(&flow.from), word(&flow.to))).unwrap_or_default()
}

fn changed(part: &Part) -> Cell {
    percent(part.changed() / part.queries as f64).into()
}

fn ttl(ttl: Option<Ttl>) -> String {
    match ttl.map(|Ttl { before, after }| (secs(before), secs(after))) {
        None => String::new(),
        Some((before, after)) if before == after => before,
        Some((before, after)) => format!("{before} → {after}"),
    }
}
