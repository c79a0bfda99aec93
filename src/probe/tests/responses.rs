//! What http checks want of a response beside its status, and what targets say of themselves in it.

use rstest::rstest;
use serde_json::json;

use super::*;
use crate::model::Pattern;

/// A response with this status line, these header lines and this body.
fn response(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n{body}")
}

fn anybody() -> Tools {
    tools(Roots::Given(vec![]))
}

async fn asked(probe: HttpProbe, response: String) -> (Outcome, Report) {
    told(&anybody(), Probe::Http(probe), answering(response).await).await
}

fn outcome(why: Option<&str>) -> Outcome {
    why.map_or(Outcome::Pass, failed)
}

#[rstest]
#[case::as_wanted(r#"{ "status": "ok", "checks": [{ "up": true }] }"#, None)]
#[case::other(
    r#"{ "status": "bad", "checks": [{ "up": true }] }"#,
    Some("body has \"bad\" at /status, wanted \"ok\"")
)]
#[case::second(
    r#"{ "status": "ok", "checks": [] }"#,
    Some("body has nothing at /checks/0/up, wanted true")
)]
#[case::no_json("ok", Some("body is not JSON: expected value at line 1 column 1"))]
#[case::nothing("", Some("body is not JSON: EOF while parsing a value at line 1 column 0"))]
#[tokio::test]
async fn json_in_a_body(#[case] body: &str, #[case] why: Option<&str>) {
    let wanted = [("/status", json!("ok")), ("/checks/0/up", json!(true))];
    let expect_json = wanted.map(|(pointer, value)| (pointer.to_owned(), value)).into();
    let probe = HttpProbe { expect_json, ..http() };
    assert_eq!(asked(probe, response("200 OK", "", body)).await.0, outcome(why));
}

#[tokio::test]
async fn json_is_read_up_to_the_limit() {
    let json = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
    let probe = |length: usize| {
        let text = json!("x".repeat(length - 2));
        HttpProbe { expect_json: vec![(String::new(), text)], ..http() }
    };
    let within = asked(probe(5120), response("200 OK", "", &json(5120))).await;
    assert_eq!(within.0, Outcome::Pass);
    let beyond = asked(probe(5121), response("200 OK", "", &json(5121))).await;
    assert_eq!(beyond.0, failed("body is longer than the 5120 bytes that are read of JSON"));
    // Nor does deep nesting take the stack.
    let deep = asked(probe(2), response("200 OK", "", &"[".repeat(5000))).await;
    assert!(
        matches!(&deep.0, Outcome::Fail(why) if why.starts_with("body is not JSON: recursion"))
    );
}

#[rstest]
#[case::matches("version 12 up", None)]
#[case::not("version 12 down", Some("body does not match \"^version [0-9]+ up$\""))]
#[case::only_a_part("version 12 upside down", Some("body does not match \"^version [0-9]+ up$\""))]
#[case::odd_octets("\u{0}version 1 up", Some("body does not match \"^version [0-9]+ up$\""))]
#[tokio::test]
async fn a_pattern_in_a_body(#[case] body: &str, #[case] why: Option<&str>) {
    let pattern = Pattern::new("^version [0-9]+ up$").unwrap();
    let probe = HttpProbe { expect_regex: Some(pattern), ..http() };
    assert_eq!(asked(probe, response("200 OK", "", body)).await.0, outcome(why));
}

#[tokio::test]
async fn a_pattern_is_looked_for_within_the_limit() {
    let probe =
        |text: &str| HttpProbe { expect_regex: Some(Pattern::new(text).unwrap()), ..http() };
    let body = format!("{}ok{}", "x".repeat(5119), "x".repeat(3_000_000));
    let beyond = asked(probe("ok"), response("200 OK", "", &body)).await;
    assert_eq!(beyond.0, failed("body does not match \"ok\" within its first 5120 bytes"));
    // The time is linear to the body, whatever the pattern.
    let hard = asked(probe("(x+x+)+y"), response("200 OK", "", &body)).await;
    assert_eq!(hard.0, failed("body does not match \"(x+x+)+y\" within its first 5120 bytes"));
    assert!(Pattern::new("(?:a{1000}){1000}").is_err(), "it is bounded");
}

#[tokio::test]
async fn everything_that_is_wanted_of_a_body_counts() {
    let probe = |text: &str, pattern: &str, value: u8| HttpProbe {
        expect_body: Some(text.into()),
        expect_regex: Pattern::new(pattern).ok(),
        expect_json: vec![("/a".into(), value.into())],
        ..http()
    };
    for (probe, why) in [
        (probe("a", "^.{7}$", 1), None),
        (probe("b", "^.{7}$", 1), Some("body lacks \"b\"")),
        (probe("a", "^.{6}$", 1), Some("body does not match \"^.{6}$\"")),
        (probe("a", "^.{7}$", 2), Some("body has 1 at /a, wanted 2")),
    ] {
        assert_eq!(asked(probe, response("200 OK", "", "{\"a\":1}")).await.0, outcome(why));
    }
}

#[tokio::test]
async fn an_answer_must_come_in_time() {
    let pause = BRIEF / 5;
    let port = server(move |mut stream| async move {
        read_request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n").await;
        tokio::time::sleep(pause).await;
        let _ = stream.write_all(b"ok").await;
        hold(stream).await;
    })
    .await;
    let probe = |longest, wants: bool| {
        let expect_body = wants.then(|| "ok".into());
        Probe::Http(HttpProbe { max_response_time: Some(longest), expect_body, ..http() })
    };
    let (outcome, phases) = probe_port(probe(pause / 2, true), port, PATIENT).await;
    let Outcome::Fail(why) = outcome else { panic!("{outcome:?}") };
    assert!(why.starts_with("answered in ") && why.ends_with(", wanted at most 15 ms"), "{why}");
    assert!(phases.first_byte.is_some() && phases.total >= pause);
    // It is the last octet wanted that counts.
    for probe in [probe(PATIENT, true), probe(PATIENT, false)] {
        assert_eq!(probe_port(probe, port, PATIENT).await.0, Outcome::Pass);
    }
}

/// What is wrong, and how the target calls itself degraded.
type Said<'a> = (Option<&'a str>, Option<&'a str>);

#[rstest]
#[case::pass("200 OK", r#"{ "status": "pass" }"#, (None, None))]
#[case::up("200 OK", r#"{ "status": "UP", "components": {} }"#, (None, None))]
#[case::warn(
    "200 OK",
    r#"{ "status": "warn", "output": "disk nearly full" }"#,
    (None, Some("status warn: disk nearly full"))
)]
#[case::degraded("200 OK", r#"{ "status": "Degraded" }"#, (None, Some("status degraded")))]
#[case::unhealthy("200 OK", r#"{ "status": "Unhealthy" }"#, (Some("status unhealthy"), None))]
#[case::fail_with_its_status(
    "503 No",
    r#"{ "status": "fail", "output": "no database" }"#,
    (Some("status fail: no database (HTTP 503)"), None)
)]
#[case::other_status("503 No", r#"{ "status": "pass" }"#, (Some("HTTP 503, wanted 200-299"), None))]
#[case::other_status_and_no_json("404 No", "<html>", (Some("HTTP 404, wanted 200-299"), None))]
#[case::unreadable(
    "200 OK",
    "Healthy",
    (Some("body is not JSON: expected value at line 1 column 1"), None)
)]
#[case::no_status("200 OK", "[]", (Some("body has no \"status\""), None))]
#[case::controls(
    "200 OK",
    r#"{ "status": "warn", "output": "a\u001b[31mb\nc" }"#,
    (None, Some("status warn: a [31mb c"))
)]
#[tokio::test]
async fn health_in_a_body(#[case] status: &str, #[case] body: &str, #[case] said: Said<'_>) {
    let probe = HttpProbe { health: true, ..http() };
    let headers = "Content-Type: application/health+json\r\n";
    let (found, report) = asked(probe, response(status, headers, body)).await;
    assert_eq!((found, report.degraded.as_deref()), (outcome(said.0), said.1));
}

#[rstest]
#[case::nothing("", Report::default(), None)]
#[case::weight("X-Weight: up 50%\r\n", Report { weight: Some(0.5), ..Report::default() }, None)]
#[case::drain("x-weight: drain\r\n", Report { weight: Some(0.0), ..Report::default() }, None)]
#[case::maint("X-Weight: maint\r\n", Report { maintenance: true, ..Report::default() }, None)]
#[case::load("X-Load: 0.85\r\n", Report { load: Some(0.85), ..Report::default() }, None)]
#[case::percent("X-Load: 85%\r\n", Report { load: Some(0.85), ..Report::default() }, None)]
#[case::both(
    "X-Load: 120%\r\nX-Weight: 10%\r\n",
    Report { load: Some(1.2), weight: Some(0.1), ..Report::default() },
    None
)]
#[case::not_understood("X-Weight: lots\r\nX-Load: high\r\n", Report::default(), None)]
#[case::no_text("X-Weight: \u{ff}\u{fe}\r\n", Report::default(), None)]
#[case::down("X-Weight: down # by hand\r\n", Report::default(), Some("down: by hand"))]
#[tokio::test]
async fn weight_and_load_in_header_fields(
    #[case] headers: &str,
    #[case] report: Report,
    #[case] why: Option<&str>,
) {
    let probe = HttpProbe {
        weight_header: Some("X-Weight".into()),
        load_header: Some("X-Load".into()),
        ..http()
    };
    let seen = asked(probe, response("200 OK", headers, "")).await;
    assert_eq!(seen, (outcome(why), report));
}

#[tokio::test]
async fn what_is_not_understood_is_told_once_for_each_target() {
    let port = answering(response("200 OK", "X-Load: high\r\n", "")).await;
    let probe = HttpProbe { load_header: Some("X-Load".into()), ..http() };
    let tools = anybody();
    let first = tools.unclear_of();
    for _ in 0..2 {
        assert_eq!(told(&tools, Probe::Http(probe.clone()), port).await.0, Outcome::Pass);
    }
    assert_eq!((first, tools.unclear_of()), (0, 1));
}
