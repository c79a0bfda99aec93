//! Regions that report themselves: over the real admin port, by its own tokens, with and without operators'.

use serde_json::{Value, json};

use crate::harness::{Http, Server, Site};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const ALICE: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const NAME: &str = "app.site.test";

/// Region a reports itself; b, which nobody watches, is behind it.
fn body(deadline: &str) -> String {
    format!(
        r#"[checks.own]
type = "push"
deadline = "{deadline}"
token_file = "push.token"
[regions.a]
addresses = ["192.0.2.1", "2001:db8::1"]
check = "own"
[regions.b]
addresses = ["192.0.2.2"]
[policies.first]
type = "failover"
order = ["a", "b"]
[[records]]
name = "{NAME}"
policy = "first"
"#
    )
}

fn site(deadline: &str) -> Site {
    let site = Site::new(&body(deadline));
    site.write_private("push.token", &format!("# of the regions\nregion-a:{TOKEN}\n"));
    site
}

fn shows(server: &Server, token: &str) -> Http {
    Http::new(server.admin).with("Authorization", &format!("Bearer {token}"))
}

#[track_caller]
fn pushes(server: &Server, body: &Value) {
    let answer = shows(server, TOKEN).post("/push/own/a", body);
    assert_eq!((answer.status, &*answer.body), (204, ""), "{answer:?}");
}

#[track_caller]
fn settles(server: &Server, last: u8) {
    server.settles_on(NAME, &[[192, 0, 2, last].into()]);
}

/// What the server says of the check.
fn seen(server: &Server) -> Value {
    let checks = Http::new(server.admin).get("/checks").json();
    assert_eq!(checks["total"], 1, "one for the region, and not for each address: {checks}");
    checks["items"][0].clone()
}

#[test]
fn a_region_goes_by_what_it_says() {
    let server = site("1h").serve();
    settles(&server, 1);
    pushes(&server, &json!({"status": "fail", "reason": "queue is full"}));
    settles(&server, 2);
    let check = seen(&server);
    assert_eq!((&check["kind"], &check["state"]), (&json!("push"), &json!("down")), "{check}");
    assert_eq!(check["last"]["reason"], "queue is full", "{check}");
    assert_eq!(check["destination"], "region a", "{check}");
    pushes(&server, &Value::Null);
    settles(&server, 1);
    pushes(&server, &json!({"status": "warn", "reason": "disk", "weight": "75%", "load": 0.4}));
    settles(&server, 1);
    assert_eq!(seen(&server)["state"], "up");
}

#[test]
fn silence_is_a_failure_and_a_word_its_end() {
    let site = site("400ms");
    let server = site.serve();
    settles(&server, 2);
    let reason = seen(&server)["last"]["reason"].to_string();
    assert!(reason.contains("no report for "), "{reason}");
    // A longer one, so that the word can be seen to count.
    site.configure(&body("1h"));
    assert!(server.reload());
    pushes(&server, &json!({"status": "pass"}));
    settles(&server, 1);
}

#[test]
fn who_shows_no_token_of_the_check_is_not_heard() {
    let site = site("1h");
    site.write_private("admin.token", &format!("alice:{ALICE}\n"));
    let admin = "listen = \"127.0.0.1:0\"\ntoken_file = \"admin.token\"\n";
    site.configure_access(admin, &body("1h"));
    let server = site.serve();
    let fail = json!({"status": "fail"});
    let nobody = Http::new(server.admin);
    assert_eq!(nobody.post("/push/own/a", &fail).code(), "token_missing");
    assert_eq!(nobody.post("/push/own/x", &fail).code(), "token_missing", "not even whether it is");
    // Operators are no regions, and regions no operators.
    for wrong in [ALICE, "x", &TOKEN[1..]] {
        let answer = shows(&server, wrong).post("/push/own/a", &fail);
        assert_eq!((answer.status, &*answer.code()), (401, "token_wrong"), "{wrong}");
        assert!(answer.body.contains("checks.own.token_file"), "{answer:?}");
    }
    assert_eq!(shows(&server, TOKEN).get("/status").code(), "token_wrong");
    assert_eq!(shows(&server, TOKEN).post("/reload", &json!({})).code(), "token_wrong");
    for unknown in ["/push/own/b", "/push/own/nosuch", "/push/nosuch/a"] {
        let answer = shows(&server, TOKEN).post(unknown, &fail);
        assert_eq!((answer.status, &*answer.code()), (404, "unknown_push"), "{unknown}");
    }
    let region = shows(&server, TOKEN);
    assert_eq!(region.post("/push/own/a", &json!({"status": "dead"})).code(), "invalid_value");
    assert_eq!(region.post("/push/own/a", &json!({"weight": 2})).code(), "invalid_value");
    assert_eq!(region.get("/push/own/a").code(), "method_not_allowed");
    // Nothing of all that was heard.
    settles(&server, 1);
    assert_eq!(shows(&server, ALICE).get("/checks").json()["items"][0]["state"], "unknown");
    // Another token, by a reload.
    site.write_private("push.token", &format!("{ALICE}\n"));
    assert!(server.reload());
    assert_eq!(shows(&server, TOKEN).post("/push/own/a", &fail).code(), "token_wrong");
    assert_eq!(shows(&server, ALICE).post("/push/own/a", &fail).status, 204);
    settles(&server, 2);
}

#[test]
fn what_a_region_said_outlives_a_restart() {
    let site = site("1h");
    let server = site.serve();
    pushes(&server, &json!({"status": "fail"}));
    settles(&server, 2);
    assert!(server.stop().success());
    let server = site.serve();
    settles(&server, 2);
    pushes(&server, &json!({"status": "pass"}));
    settles(&server, 1);
}

#[test]
fn a_token_that_others_may_read_is_refused() {
    let site = site("1h");
    site.set_mode("push.token", 0o644);
    let ended = crate::harness::serve_and_fail(&site.config());
    assert!(ended.stderr.contains("checks.own.token_file"), "{}", ended.stderr);
}
