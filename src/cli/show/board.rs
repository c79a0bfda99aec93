//! The board of a simulation: the regions as they are, a block for each death, and the verdict.

use super::table::{Align, Cell, Table};
use super::times::span;
use super::words::{clean, count};
use crate::cli::style::{Paint, Tone};
use crate::simulate::{Board, Movement, Reason, RegionLoad, RegionPart, Scenario, Verdict};
use crate::simulate::{figure, percent};

/// So many movements of a block are shown.
const MOVEMENTS: usize = 5;
/// So many names.
const NAMES: usize = 5;

/// The board of whoever was asked.
pub(in crate::cli) fn board(of: &str, board: &Board, paint: Paint) -> String {
    let how = if board.live { "as things are" } else { "all pools up" };
    let title = format!("{}: {how}, tables {}", clean(of), board.generation);
    let mut out = paint.tone(Tone::Strong, &title) + "\n";
    out += &format!("{}\n{}\n\n", demand(board), clean(&board.basis.text));
    out += &regions(&board.regions, paint);
    out += &unanswered(board.unanswered);
    for scenario in &board.scenarios {
        out += &block(scenario, &board.regions, paint);
    }
    if board.scenarios_left_out > 0 {
        out += &format!("\n{} more regions are not shown\n", board.scenarios_left_out);
    }
    out + &verdict(board, paint)
}

fn demand(board: &Board) -> String {
    match board.demand {
        Some(demand) if demand.configured => format!("demand: {}", figure(demand.load)),
        Some(demand) => format!(
            "demand: {}, the most that the regions bear when all is healthy",
            figure(demand.load)
        ),
        None => "demand: not known, and no region says what it can bear".into(),
    }
}

const fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Ready => Tone::Good,
        Verdict::AtRisk => Tone::Warn,
        Verdict::NotReady => Tone::Bad,
    }
}

const ALIGNS: [Align; 5] = [Align::Left, Align::Right, Align::Right, Align::Right, Align::Right];
const HEADS: [&str; 5] = ["region", "share", "load", "capacity", "used"];

fn bears(load: Option<f64>) -> String {
    load.map_or_else(|| "-".into(), figure)
}

/// How much of its capacity a region bears.
fn used(region: &RegionLoad) -> Cell {
    let Some(part) = region.load.zip(region.capacity).map(|(load, capacity)| load / capacity)
    else {
        return "-".into();
    };
    let tone = if part > 1.0 + 1e-9 { Tone::Bad } else { Tone::Plain };
    Cell::of(tone, percent(part))
}

fn regions(regions: &[RegionLoad], paint: Paint) -> String {
    let mut table = Table::new(&ALIGNS);
    table.heads(HEADS);
    for region in regions {
        let (share, load, capacity) =
            (percent(region.share), bears(region.load), bears(region.capacity));
        let name = region.region.as_str().into();
        table.row([name, share.into(), load.into(), capacity.into(), used(region)]);
    }
    table.render(paint)
}

fn unanswered(part: f64) -> String {
    if part < 1e-6 {
        return String::new();
    }
    format!("  {} of all queries are answered with nothing\n", percent(part))
}

/// What would come of a death.
fn block(scenario: &Scenario, now: &[RegionLoad], paint: Paint) -> String {
    let word = paint.tone(tone(scenario.verdict), scenario.verdict.label());
    let mut out = format!("\n{}: {word}\n", paint.tone(Tone::Strong, &death(scenario)));
    let mut table = Table::new(&ALIGNS);
    table.heads(HEADS);
    for (region, was) in scenario.regions.iter().zip(now) {
        if region.down && region.share == 0.0 {
            table.row([region.region.as_str().into(), Cell::of(Tone::Faint, "down")]);
            continue;
        }
        let share = turned(percent(was.share), percent(region.share));
        let of_load = turned(bears(was.load), bears(region.load));
        let capacity = bears(region.capacity);
        let name = region.region.as_str().into();
        table.row([name, share.into(), of_load.into(), capacity.into(), used(region)]);
    }
    out += &table.render(paint);
    out += &unanswered(scenario.unanswered);
    let colon = if scenario.movements.is_empty() { "" } else { ":" };
    let (moved, times) = (percent(scenario.moved), times(scenario));
    out += &format!("  {moved} of all answers move; {times}{colon}\n");
    out += &movements(scenario);
    out += &named("come to the all-down rules", &scenario.all_down, scenario.all_down_count);
    out + &named("nothing answers that is up", &scenario.nothing_left, scenario.nothing_left_count)
}

fn death(scenario: &Scenario) -> String {
    let names: Vec<String> = scenario.down.iter().map(|name| clean(name)).collect();
    format!("if {} {}", names.join(" and "), if names.len() == 1 { "dies" } else { "die" })
}

fn turned(was: String, is: String) -> String {
    if was == is { is } else { format!("{was} → {is}") }
}

/// How long it takes at the worst.
fn times(scenario: &Scenario) -> String {
    match (scenario.detection_secs, scenario.cut_over_secs, &scenario.slowest) {
        (Some(detection), Some(cut_over), Some(record)) => format!(
            "seen within {}, clients moved within {} ({})",
            span(detection),
            span(cut_over),
            clean(record)
        ),
        _ => "nothing would see it".into(),
    }
}

/// The biggest movements, those of both families of a record together where they are the same.
fn movements(scenario: &Scenario) -> String {
    let mut all: Vec<(Movement, bool)> = Vec::new();
    for movement in &scenario.movements {
        let same = all.iter_mut().find(|(known, _)| {
            (&known.record, &known.before, &known.after)
                == (&movement.record, &movement.before, &movement.after)
                && known.family != movement.family
        });
        match same {
            Some((known, both)) => {
                known.moved += movement.moved;
                *both = true;
            }
            None => all.push((movement.clone(), false)),
        }
    }
    all.sort_by(|(a, _), (b, _)| b.moved.total_cmp(&a.moved));
    let both = all.iter().filter(|(_, both)| *both).count();
    let more = (scenario.movements_count - both.min(scenario.movements_count))
        .saturating_sub(all.len().min(MOVEMENTS));
    let shown: String = all.iter().take(MOVEMENTS).map(|(one, both)| moves(one, *both)).collect();
    match more {
        0 => shown,
        more => format!("{shown}            {more} more, of less weight\n"),
    }
}

/// `21 %  app.example.com: us-east 70 %, eu-west 30 % → eu-west 100 %`
fn moves(movement: &Movement, both: bool) -> String {
    const WIDTH: usize = 100;
    let parts = |parts: &[RegionPart]| {
        let parts =
            parts.iter().map(|one| format!("{} {}", clean(&one.region), percent(one.share)));
        let parts: Vec<String> = parts.collect();
        if parts.is_empty() { "nothing".into() } else { parts.join(", ") }
    };
    let family = match movement.family.as_str() {
        _ if both => "",
        "ipv6" => " IPv6",
        _ => " IPv4",
    };
    let classes = match movement.classes {
        1 => String::new(),
        classes => format!(" ({classes} classes of clients)"),
    };
    let head =
        format!("{:>10}  {}{family}{classes}: ", percent(movement.moved), clean(&movement.record));
    let (before, after) = (parts(&movement.before), parts(&movement.after));
    let line = format!("{head}{before} → {after}\n");
    if line.chars().count() <= WIDTH + 1 {
        return line;
    }
    format!("{head}{before}\n{:>12}→ {after}\n", "")
}

fn named(what: &str, names: &[String], all: usize) -> String {
    if all == 0 {
        return String::new();
    }
    let shown: Vec<String> = names.iter().take(NAMES).map(|name| clean(name)).collect();
    let more = match all - shown.len().min(all) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("  {what}: {}: {}{more}\n", count(all, "record"), shown.join(", "))
}

/// The verdict of the whole, and all reasons.
fn verdict(board: &Board, paint: Paint) -> String {
    let mut out = format!("\n{}\n", paint.tone(tone(board.verdict), board.verdict.label()));
    let of_now = board.reasons.iter().map(|reason| (String::new(), reason));
    let of_deaths = board.scenarios.iter().flat_map(|scenario| {
        scenario.reasons.iter().map(move |reason| (format!("{}, ", death(scenario)), reason))
    });
    let mut all: Vec<(String, &Reason)> = of_now.chain(of_deaths).collect();
    all.sort_by_key(|(_, reason)| (reason.accepted, std::cmp::Reverse(reason.verdict)));
    for (when, reason) in all {
        let (word, tone) = match reason.accepted {
            true => ("accepted", Tone::Faint),
            false => (reason.verdict.label(), tone(reason.verdict)),
        };
        let word = paint.tone(tone, &format!("{word:>9}"));
        out += &format!("  {word}  {}: {when}{}\n", clean(&reason.code), clean(&reason.text));
    }
    out
}
