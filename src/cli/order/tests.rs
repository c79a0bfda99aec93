//! What verbs ask, and how they wait.

use clap::Parser;
use serde_json::{Value, json};

use super::{Wanted, command, key, path};
use crate::cli::args::{Cli, Verb};
use crate::cli::client::fake::{Act, Fake, fleet};
use crate::cli::client::{Call, Trouble, block_on};
use crate::cli::plans::Asked;
use crate::cli::show::examples::{calm, done, drain};
use crate::control::command::Done;
use crate::control::views::{OverrideView, Status};

/// The path and the body that a command line comes to.
fn request(line: &str) -> (String, Value) {
    let wanted = wanted(line);
    (path(wanted.did, "3").join("/"), wanted.body())
}

fn to_do(asked: Asked) -> Wanted {
    match asked {
        Asked::Do(wanted) => wanted,
        Asked::See(..) => panic!("nothing is to be done"),
    }
}

fn wanted(line: &str) -> Wanted {
    match Cli::try_parse_from(format!("trimtab {line}").split(' ')).unwrap().verb {
        Verb::Drain(drain) => drain.wanted(),
        Verb::Undrain(undrain) => undrain.wanted(),
        Verb::Force(force) => force.wanted().unwrap(),
        Verb::Weight(weight) => weight.wanted(),
        Verb::End(end) => end.wanted(),
        Verb::Shift(shift) => to_do(shift.wanted()),
        Verb::Drill(drill) => to_do(drill.wanted()),
        Verb::Window(window) => to_do(window.wanted()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_verb_asks_what_it_is_named_for() {
    let begins = |line: &str, body: Value| {
        assert_eq!(request(line), ("overrides".into(), body), "{line}");
    };
    begins("drain a", json!({ "region": "a", "kind": "drain" }));
    begins(
        "drain a --record app.test --for 90m --over 10m --reason upgrade --force --dry-run",
        json!({
            "region": "a", "record": "app.test", "kind": "drain", "for": "1h 30m", "over": "10m",
            "reason": "upgrade", "force": true, "dry_run": true,
        }),
    );
    begins("force a up", json!({ "region": "a", "kind": "force-up" }));
    begins("force a down --for 5m", json!({ "region": "a", "kind": "force-down", "for": "5m" }));
    begins("weight a 0", json!({ "region": "a", "kind": "weight", "weight": 0 }));

    let ends = |line: &str, body: Value| {
        assert_eq!(request(line), ("overrides/end".into(), body), "{line}");
    };
    ends("undrain a --over 10m", json!({ "region": "a", "kinds": ["drain"], "over": "10m" }));
    ends("force a clear", json!({ "region": "a", "kinds": ["force-up", "force-down"] }));
    ends(
        "weight a --reset --record app.test",
        json!({ "region": "a", "record": "app.test", "kinds": ["weight"] }),
    );
    ends("end 7 --reason done", json!({ "id": 7, "reason": "done" }));

    let plans = |line: &str, path: &str, body: Value| {
        assert_eq!(request(line), (path.into(), body), "{line}");
    };
    plans(
        "shift start --from a --to b",
        "shifts",
        json!({
            "from": "a", "to": "b", "stages": [25.0, 50.0, 75.0, 90.0, 100.0], "every": "15m",
        }),
    );
    plans(
        "shift start --from a --to b --stages 5,100 --every 1h --record app.test --manual \
         --abort-when x>1 --reason canary --force",
        "shifts",
        json!({
            "from": "a", "to": "b", "stages": [5.0, 100.0], "every": "1h", "record": "app.test",
            "manual": true, "abort_when": "x>1", "reason": "canary", "force": true,
        }),
    );
    plans("shift advance", "plans/3", json!({ "action": "advance" }));
    plans("shift pause 3", "plans/3", json!({ "action": "pause" }));
    plans("shift abort", "plans/3", json!({ "action": "abort" }));
    plans("shift finish --keep", "plans/3", json!({ "action": "finish", "keep": true }));
    plans("shift finish 3 --drop", "plans/3", json!({ "action": "finish" }));
    plans(
        "drill a --for 10m --share 10%",
        "drills",
        json!({ "region": "a", "for": "10m", "share": 10.0 }),
    );
    plans("drill abort", "plans/3", json!({ "action": "abort" }));
    plans(
        "window add a b --from 2026-12-01T02:00:00Z --to 2026-12-01T04:00:00Z --drain-over 10m",
        "windows",
        json!({
            "regions": ["a", "b"], "from": "2026-12-01T02:00:00Z", "to": "2026-12-01T04:00:00Z",
            "drain_over": "10m",
        }),
    );
    plans("window cancel 3", "plans/3", json!({ "action": "abort" }));
}

#[test]
fn what_makes_no_sense_is_refused_before_anybody_is_asked() {
    for line in [
        "drain",
        "drain a --for soon",
        "drain a --wait --dry-run",
        "force a sideways",
        "weight a",
        "weight a 5 --reset",
        "weight a 65536",
        "weight a --reset --for 5m",
        "end first",
        "drain a --admin localhost:9953",
        "shift start --from a",
        "shift start --from a --to b --stages half",
        "shift finish",
        "shift finish --keep --drop",
        "drill a",
        "drill --for 5m",
        "drill a --for 5m --share 0%",
        "window add --from 2026-12-01T02:00:00Z --to 2026-12-01T04:00:00Z",
    ] {
        let parsed = Cli::try_parse_from(format!("trimtab {line}").split(' '));
        assert_eq!(parsed.unwrap_err().exit_code(), 2, "{line}");
    }
    let Verb::Force(force) =
        Cli::try_parse_from(["trimtab", "force", "a", "clear", "--for", "5m"]).unwrap().verb
    else {
        panic!("force")
    };
    assert!(force.wanted().is_err());
}

#[test]
fn keys_are_such_as_the_api_takes_and_none_is_used_twice() {
    let (one, two) = (key().unwrap(), key().unwrap());
    assert_ne!(one, two);
    assert!(one.len() == 32 && one.bytes().all(|octet| octet.is_ascii_hexdigit()), "{one}");
}

/// A drain that is under way, or a return.
fn moving(drains_to: f64, left: Option<f64>) -> OverrideView {
    OverrideView { drained: Some(0.5), drains_to: Some(drains_to), done_in_secs: left, ..drain() }
}

/// A command that comes to a move, and then these states one after the other.
fn waiting(begun: OverrideView, states: Vec<Status>) -> (Result<Done, Trouble>, usize) {
    let fake = Fake::start(move |number, _| match number.checked_sub(1) {
        None => Act::Json(201, json!(Done { overrides: vec![begun.clone()], ..done() })),
        Some(at) => Act::Json(200, json!(states[at.min(states.len() - 1)])),
    });
    let call = Call::post(&["overrides"], json!({})).once("k");
    let told = block_on(fleet(&[&fake.url()]).all(|server| {
        let call = call.clone();
        async move { command(&server, &call, true).await }
    }));
    (told.unwrap().remove(0).said, fake.asked().len())
}

fn with(generation: u64, overrides: Vec<OverrideView>) -> Status {
    Status { generation, overrides, ..calm() }
}

#[test]
fn waiting_ends_when_the_tables_are_served_and_the_move_is_done() {
    let states = vec![
        with(127, vec![moving(1.0, Some(0.1))]),
        with(128, vec![moving(1.0, Some(0.1))]),
        with(129, vec![moving(1.0, None)]),
    ];
    let (said, asked) = waiting(moving(1.0, Some(0.2)), states);
    assert!(said.is_ok() && asked == 4, "{said:?} after {asked}");
    // What has returned is gone.
    let states = vec![with(128, vec![moving(0.0, None)]), with(128, Vec::new())];
    let (said, asked) = waiting(moving(0.0, Some(0.1)), states);
    assert!(said.is_ok() && asked == 3, "{said:?} after {asked}");
    // Nothing moves.
    let (said, asked) = waiting(drain(), vec![with(127, Vec::new()), with(128, Vec::new())]);
    assert!(said.is_ok() && asked == 3, "{said:?} after {asked}");
}

#[test]
fn a_move_that_another_operator_has_ended_is_not_waited_for() {
    for now in [Vec::new(), vec![moving(0.0, Some(5.0))]] {
        let (said, _) = waiting(moving(1.0, Some(9.0)), vec![with(130, now)]);
        let Err(Trouble::Afterwards(why)) = said else { panic!("{said:?}") };
        assert!(why.contains("override 7 was ended or changed"), "{why}");
    }
}
