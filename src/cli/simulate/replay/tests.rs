//! The text of a replay; what a whole one looks like is in `tests/cmd/replay.trycmd`.

use super::text::render;
use crate::app::replay::{Flow, Goal, OfRecord, Part, Read, Report, Ttl};
use crate::cli::style::Paint;

fn part(queries: u64) -> Part {
    Part {
        queries,
        moved: 0.0,
        lost: 0.0,
        gained: 0.0,
        otherwise: 0.0,
        readdressed: 0.0,
        moves: Vec::new(),
        before: Vec::new(),
        after: Vec::new(),
        ttl: None,
    }
}

fn report(all: Part) -> Report {
    Report {
        all,
        networks: 1,
        networks_at_least: false,
        networks_moved: 0.0,
        by_country: Vec::new(),
        by_record: Vec::new(),
        by_type: Vec::new(),
        read: Read { lines: 1, files: vec!["a.jsonl".into()], ..Read::default() },
    }
}

fn flow(from: &str, to: &str, queries: f64) -> Flow {
    let region = |name: &str| Goal::Region(name.into());
    Flow { from: region(from), to: region(to), queries, same_addresses: 0.0 }
}

/// What stands before the first section.
fn answer(report: &Report) -> Vec<String> {
    let text = render(report, Paint::new(false));
    let (answer, _) = text.split_once("\n\n").unwrap();
    answer.lines().map(Into::into).collect()
}

#[test]
fn the_first_line_is_the_answer() {
    assert_eq!(
        answer(&report(part(0))),
        ["No query of the log is for a dynamic name of either configuration."]
    );
    let none = "Of 1 query from 1 client network none would be answered otherwise.";
    assert_eq!(answer(&report(part(1))), [none]);

    let moves = vec![flow("us-east", "eu-west", 12_400.0)];
    let all = Part { moved: 12_400.0, moves, ..part(100_000) };
    let many = Report { networks: 3214, networks_moved: 0.118, ..report(all) };
    let first =
        "Of 100,000 queries from 3,214 client networks 12.4 % would be answered by another region.";
    assert_eq!(answer(&many), [first, "Counting each network once, 11.8 %."]);

    let full = Report { networks_at_least: true, ..many };
    assert!(answer(&full)[0].contains("from at least 3,214 client networks"));
}

#[test]
fn whatever_else_changes_has_a_line() {
    let ttl = Some(Ttl { before: 60.0, after: 45.25 });
    let all =
        Part { lost: 0.01, gained: 1.0, otherwise: 2.0, readdressed: 999.9, ttl, ..part(1000) };
    assert_eq!(
        answer(&report(all)),
        [
            "Of 1,000 queries from 1 client network none would be answered by another region.",
            ">99.9 % would stay in their region, and get other addresses of it.",
            "<0.1 % would get no address any more.",
            "0.1 % would get addresses where there were none.",
            "0.2 % would be answered otherwise, from a zone file or by another error, say.",
            "TTL: 45.3 s in place of 60 s, on average.",
        ]
    );
}

#[test]
fn long_tables_are_cut_and_no_line_is_wider_than_100_columns() {
    let moves: Vec<_> = (0..30).map(|n| flow(&format!("r{n}"), "eu-west", 2.0)).collect();
    let one = |n: usize| OfRecord {
        old_record: Some(format!("record-{n}.example.com")),
        new_record: None,
        qtype: "AAAA",
        part: Part { moved: 1.0, moves: moves[..1].to_vec(), ..part(5) },
    };
    let all = Part { moved: 60.0, moves: moves.clone(), ..part(100) };
    let mut report = report(all);
    report.by_record = (0..25).map(one).collect();
    report.read.blurred = 7;
    report.read.coarse = 1;
    let text = render(&report, Paint::new(false));
    assert!(text.contains("and 10 more; --json has all"), "{text}");
    assert!(text.contains("and 5 more; --json has all"), "{text}");
    assert!(text.contains("1 query is from networks in which"), "{text}");
    let widest = text.lines().max_by_key(|line| line.chars().count()).unwrap();
    assert!(widest.chars().count() <= 100, "{widest}");
}
