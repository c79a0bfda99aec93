//! `trimtab check`: all that `serve` does before it opens its state and binds; then, for each
//! record, how long it takes at the worst to see that a region is down and to move its clients.

use std::fmt::Write as _;
use std::io::{Write, stdout};
use std::path::PathBuf;
use std::time::Duration;

use super::{Failure, args, style};
use crate::app::{self, Loaded};
use crate::model::Record;
use crate::problem::Problems;
use crate::routing::Assembly;

pub(super) fn run(config: Option<PathBuf>) -> Result<(), Failure> {
    let path = args::config_path(config);
    let loaded = load(&path, &mut |_, _| 0)?;
    let Loaded { assembly, warnings, .. } = loaded;
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{}: ok ({}): {}, {}, {}, {}",
        path.display(),
        count(warnings.warnings(), "warning"),
        count(assembly.names.zones().len(), "zone"),
        count(assembly.names.len(), "name"),
        count(assembly.regions.len(), "region"),
        count(assembly.records.len(), "record")
    );
    if !assembly.records.is_empty() {
        table(&assembly, &mut out);
    }
    stdout().write_all(out.as_bytes())?;
    Ok(())
}

/// Loads, and shows every problem; the warnings are shown even when there is nothing worse.
pub(super) fn load(
    path: &std::path::Path,
    column: &mut app::Columns<'_>,
) -> Result<Loaded, Failure> {
    let show = |problems: &Problems| {
        if !problems.0.is_empty() {
            eprintln!("{}\n", problems.render(style::colour()));
        }
    };
    match app::load(path, &Default::default(), column) {
        Ok(loaded) => {
            show(&loaded.warnings);
            Ok(loaded)
        }
        Err(problems) => {
            show(&problems);
            eprintln!(
                "{}: {}, {}",
                path.display(),
                count(problems.errors(), "error"),
                count(problems.warnings(), "warning")
            );
            Err(Failure::Configuration)
        }
    }
}

/// One line a record. The worst check of a record's pools decides.
fn table(assembly: &Assembly, out: &mut String) {
    let width = |record: &Record| record.name.to_string().len();
    let width = assembly.records.iter().map(width).max().unwrap_or_default().max("record".len());
    let _ = writeln!(
        out,
        "\n{:width$}  {:>6}  {:>7}  {:>11}  {:>10}",
        "record", "ttl", "ttl_min", "detection ≤", "cut-over ≤"
    );
    for record in &assembly.records {
        let (detection, cut_over) = match assembly.worst_case(record) {
            Some((detection, cut_over)) => (seconds(detection), seconds(cut_over)),
            None => ("no check".into(), "never".into()),
        };
        let (ttl, ttl_min) = (format!("{} s", record.ttl), format!("{} s", record.ttl_min));
        let name = record.name.to_string();
        let _ =
            writeln!(out, "{name:width$}  {ttl:>6}  {ttl_min:>7}  {detection:>11}  {cut_over:>10}");
    }
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Seconds with no more decimals than there are.
fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}
