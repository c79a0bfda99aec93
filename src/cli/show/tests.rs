//! What people see, as snapshots.

use serde_json::json;

use super::examples::{aliases, calm, done, drain, event, night, record, weight};
use super::{Did, trouble};
use crate::cli::client::{Problem, Told, Trouble};
use crate::cli::style::Paint;
use crate::control::views::{
    CertificateView, CheckView, EventKind, EventView, OverrideView, Page, Risk, Status,
};

const PLAIN: Paint = Paint::new(false);
const ADMIN: &str = "https://ns1.example.net:9953";

fn status(status: &Status) -> String {
    super::status(ADMIN, status, PLAIN)
}

#[test]
fn a_calm_site_is_a_short_story() {
    insta::assert_snapshot!("status_calm", status(&calm()));
}

#[test]
fn a_bad_night_fits_a_screen() {
    let text = status(&night());
    insta::assert_snapshot!("status_night", text);
    assert!(text.lines().count() <= 24, "{} lines", text.lines().count());
    let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(widest <= 80, "{widest} columns:\n{text}");
}

#[test]
fn aliases_that_cannot_be_looked_up_are_shown() {
    let mut status_now = calm();
    status_now.aliases = aliases();
    let text = status(&status_now);
    let wanted = "\
2 aliases cannot be looked up
  lb-eu.example.net: SERVFAIL; its 2 addresses of 15m 5s ago are served
  lb-ap.example.net: NXDOMAIN: there is no such name; nothing is known of it
";
    assert!(text.contains(wanted), "{text}");
    status_now.aliases.iter_mut().for_each(|alias| alias.trouble = None);
    assert_eq!(status(&status_now), status(&calm()), "what is well takes no room");
}

#[test]
fn colours_change_nothing_but_colours() {
    let painted = super::status(ADMIN, &night(), Paint::new(true));
    assert_ne!(painted, status(&night()));
    let plain = painted.split('\x1b').enumerate().map(|(at, part)| match at {
        0 => part,
        _ => part.split_once('m').unwrap().1,
    });
    assert_eq!(plain.collect::<String>(), status(&night()));
}

#[test]
fn many_records_at_risk_are_counted() {
    let mut many = night();
    many.records_at_risk = 40;
    many.at_risk =
        (0..20).map(|n| record(&format!("r{n}.test"), Some(Risk::InDoubt), [1.0; 3])).collect();
    let text = status(&many);
    assert!(
        text.contains("14 records, 40 at risk\n") && text.ends_with("  and 34 more\n"),
        "{text}"
    );
    let mut calm = calm();
    calm.all_records = many.at_risk;
    calm.records = 20;
    assert!(status(&calm).ends_with("\n\n20 records, none at risk\n"), "{}", status(&calm));
}

#[test]
fn nothing_that_a_server_says_moves_the_cursor() {
    let mut odd = night();
    odd.regions[1].reason = Some("\x1b[2Jgone\n".into());
    odd.overrides[0].reason = Some("\x1b]0;x\x07".into());
    odd.overrides[0].actor = "\r\x1b[A".into();
    odd.version = "\x1b[0m".into();
    odd.at_risk[0].name = "\x1b.test".into();
    odd.time = "\x1b[H".into();
    assert!(!status(&odd).contains(['\x1b', '\r', '\x07']));
}

#[test]
fn commands_tell_what_they_came_to() {
    let many =
        |views: Vec<OverrideView>| crate::control::command::Done { overrides: views, ..done() };
    let moving = OverrideView { done_in_secs: Some(600.0), drained: Some(0.05), ..drain() };
    let returning = OverrideView { drains_to: Some(0.0), drained: Some(0.95), ..moving.clone() };
    let mut dry = many(vec![OverrideView { id: 0, ..moving.clone() }]);
    (dry.dry_run, dry.warnings) = (true, Vec::new());
    let nothing =
        crate::control::command::Done { changes: Vec::new(), records_changed: 0, ..done() };
    let mut text = String::new();
    for (title, one, did) in [
        ("drain", done(), Did::Made),
        ("gradual", many(vec![moving]), Did::Made),
        ("dry run", dry, Did::Made),
        ("weight", many(vec![weight()]), Did::Made),
        ("ended", many(vec![drain(), weight()]), Did::Ended),
        ("returning", many(vec![returning]), Did::Ended),
        ("no change", nothing, Did::Made),
    ] {
        text += &format!("--- {title}\n{}", super::done(&one, did, PLAIN));
    }
    insta::assert_snapshot!("done", text);
}

#[test]
fn events_are_lines_with_whose_shares_they_changed() {
    let command = EventView {
        id: 42,
        kind: EventKind::Command,
        text: "drain us-east".into(),
        actor: Some("alice@ops".into()),
        reason: Some("kernel upgrade".into()),
        lasted_secs: None,
        changes: Vec::new(),
        records_changed: 0,
        ..event()
    };
    let text = super::event(&event(), PLAIN) + &super::event(&command, PLAIN);
    insta::assert_snapshot!("events", text);
}

fn problem(json: serde_json::Value) -> Trouble {
    Trouble::Refused(Box::new(serde_json::from_value::<Problem>(json).unwrap()))
}

#[test]
fn troubles_tell_the_numbers_and_what_can_be_done() {
    let left = |record: &str, pools| json!({ "record": record, "family": "ipv4", "now": 1, "then": 0, "pools": pools });
    let all = [
        Trouble::Unreachable("connection refused".into()),
        Trouble::Silent("no answer within 10s".into()),
        Trouble::Afterwards(
            "it is done, but can be waited for no longer: connection refused".into(),
        ),
        problem(json!({
            "code": "nothing_left", "status": 409, "title": "Records would be left with nothing",
            "detail": "14 records would be left with nothing but drained or down pools",
            "records": [left("app.example.com", 2), left("legacy.example.com", 10)], "count": 14,
        })),
        problem(json!({
            "code": "configuration_refused", "title": "The configuration has problems",
            "detail": "2 problems", "problems": ["trimtab.toml:3: no\nsuch key", "trimtab.toml:9: nor this"],
        })),
        problem(
            json!({ "code": "unknown_region", "detail": "there is no region \"us-esat\": did you mean us-east?" }),
        ),
        problem(json!({ "title": "Only a title" })),
    ];
    let text: String =
        all.iter().map(|one| format!("error: {ADMIN}: {}", trouble(one, PLAIN))).collect();
    insta::assert_snapshot!("troubles", text);
}

#[test]
fn programs_get_what_each_server_said() {
    let told = [
        Told { admin: "http://a".into(), said: Ok(1) },
        Told { admin: "http://b".into(), said: Err(Trouble::Unreachable("gone".into())) },
    ];
    let wanted = json!([
        { "admin": "http://a", "ok": true, "result": 1 },
        { "admin": "http://b", "ok": false, "problem":
            { "code": "unreachable", "title": "The server cannot be reached", "detail": "gone" } },
    ]);
    assert_eq!(super::told::told(&told), wanted);
}

/// A target with much to be said of it.
fn target() -> CheckView {
    serde_json::from_value(json!({
        "check": "web", "kind": "https", "role": "route", "destination": "192.0.2.10", "port": 443,
        "pools": ["us-east", "us-east (for app.example.com)"], "state": "up", "since_secs": 7260.0,
        "failures": 1, "successes": 0, "fall": 3, "rise": 2, "interval_secs": 10.0,
        "degraded": "status warn: \u{1b}[31mdisk", "wants": 0.25, "load": 0.9,
        "certificate_expires": "2026-12-03T00:00:00Z", "recent": "++++?+-",
        "last": result(3.0, false, Some("HTTP 503, wanted 200-299")),
        "history": [],
    }))
    .unwrap()
}

fn result(ago: f64, passed: bool, reason: Option<&str>) -> serde_json::Value {
    json!({
        "ago_secs": ago, "passed": passed, "missing": reason == Some("no data"), "reason": reason,
        "connect_ms": 10.25, "tls_ms": 20.5, "first_byte_ms": null, "total_ms": 31.0,
    })
}

#[test]
fn targets_are_lines_with_their_last_results() {
    let mut with_history = target();
    let all = [
        result(23.0, true, None),
        result(13.0, false, Some("no data")),
        result(3.0, false, Some("HTTP 503, wanted 200-299")),
    ];
    with_history.history =
        all.into_iter().map(|one| serde_json::from_value(one).unwrap()).collect();
    let monitor = CheckView {
        role: "monitor".into(),
        kind: "prometheus".into(),
        abstains: true,
        state: "down".into(),
        recent: "---???".into(),
        degraded: None,
        wants: None,
        load: None,
        certificate_expires: None,
        last: None,
        ..target()
    };
    let page = Page { items: vec![target(), monitor, with_history], total: 5 };
    insta::assert_snapshot!("checks", super::checks(&page, PLAIN));
}

#[test]
fn a_cut_off_server_and_certificates_are_told_first() {
    let certificate = |secs| CertificateView {
        check: "web".into(),
        destination: "192.0.2.10".into(),
        expires: "2026-12-03T00:00:00Z".into(),
        expires_in_secs: secs,
    };
    let mut status = night();
    status.cut_off_secs = Some(75.0);
    status.checks.abstaining = 2;
    status.certificates = vec![certificate(-3600.0), certificate(12.0 * 86400.0)];
    status.regions[1].recent = Some("+++---".into());
    insta::assert_snapshot!("alarms", self::status(&status));
}
