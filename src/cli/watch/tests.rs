//! What a watcher sees of changes.

use std::collections::VecDeque;

use super::differences::differences;
use super::frame::frame;
use super::lines::Seen;
use crate::cli::client::{Told, Trouble};
use crate::cli::show::examples::{calm, night};
use crate::cli::style::Paint;

fn gone() -> Trouble {
    Trouble::Unreachable("connection refused".into())
}

#[test]
fn a_first_look_tells_all_and_a_second_one_what_is_another() {
    assert_eq!(differences(None, &calm()), ["us-east: up, share 70 %", "eu-west: up, share 30 %"]);
    let mut later = calm();
    (later.uptime_secs, later.generation, later.time) = (9e9, 500, "2026-11-30T04:06:00Z".into());
    later.regions[0].since_secs = Some(1e9);
    assert_eq!(differences(Some(&calm()), &later), Vec::<String>::new());
    insta::assert_snapshot!("night_falls", differences(Some(&calm()), &night()).join("\n"));
    insta::assert_snapshot!("day_breaks", differences(Some(&night()), &calm()).join("\n"));
}

#[test]
fn lines_tell_once_that_a_server_has_gone() {
    let mut seen = Seen { admin: "http://a".into(), status: None, gone: false };
    let first = seen.look(Ok(calm()), false, true);
    assert!(first.starts_with("http://a  2026-11-30 04:05:12  us-east: up"), "{first}");
    assert_eq!(seen.look(Ok(calm()), false, true), "");
    assert_eq!(
        seen.look(Err(gone()), false, true),
        "http://a  cannot be reached: connection refused\n"
    );
    assert_eq!(seen.look(Err(gone()), false, true), "");
    let back = seen.look(Ok(calm()), false, false);
    assert_eq!(back, "2026-11-30 04:05:12  can be reached again\n");

    let line = seen.look(Ok(night()), true, false);
    let told: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&told["ok"], &told["result"]["records"]), (&true.into(), &14.into()));
    assert_eq!(line.matches('\n').count(), 1);
    let line = seen.look(Err(gone()), true, false);
    let told: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(told["problem"]["code"], "unreachable");
}

#[test]
fn a_screen_is_never_too_long_and_has_the_newest_event_at_its_end() {
    let all = vec![
        Told { admin: "http://a".into(), said: Ok(calm()) },
        Told { admin: "http://b".into(), said: Err(gone()) },
    ];
    let events: VecDeque<String> = (0..50).map(|number| format!("event {number}")).collect();
    let lines = frame(&all, &events, 24, Paint::new(false));
    assert_eq!(lines.len(), 24);
    assert_eq!(lines.last().unwrap(), "event 49");
    assert!(lines.contains(&"http://b: cannot be reached: connection refused".to_string()));
    for height in 0..30 {
        let lines = frame(&all, &events, height, Paint::new(false));
        assert!(lines.len() <= height, "{height}: {lines:#?}");
    }
    let quiet = frame(&all, &VecDeque::new(), 24, Paint::new(false));
    assert!(!quiet.contains(&"events".to_string()), "{quiet:#?}");
}
