//! Plans on a real server: what a drill measures beside what was predicted, what a restart finds of plans.

use std::net::UdpSocket;
use std::time::Duration;

use fastrand::Rng;
use hickory_proto::rr::RecordType::A;
use serde_json::{Value, json};

use crate::harness::{Http, Question, Server, Site, sent, until};

/// Three regions without checks, which are up; clients from 80/8 and 90/8 have policies of their own.
const REGIONS: &str = r#"
[regions.a]
addresses = ["192.0.2.1"]
[regions.b]
addresses = ["192.0.2.2"]
[regions.c]
addresses = ["192.0.2.3"]
[policies.german]
type = "weighted"
weights = { a = 70, b = 30 }
[policies.american]
type = "weighted"
weights = { a = 20, b = 40, c = 40 }
[policies.main]
type = "geolocation"
rules = [{ country = "DE", to = "german" }, { country = "US", to = "american" }]
default = "c"
[[records]]
name = "app.site.test"
policy = "main"
ttl = 30
[[records]]
name = "c.site.test"
policy = "c"
"#;
const NETWORKS: &str = r#"
[[geo.networks]]
prefix = "80.0.0.0/8"
country = "DE"
[[geo.networks]]
prefix = "90.0.0.0/8"
country = "US"
"#;
/// Enough that four standard deviations of any share are within a percentage point.
const QUERIES: usize = 40_000;
/// So many are under way at once.
const AT_ONCE: usize = 32;

/// 60 % from Germany, 30 % from the United States, 10 % from elsewhere; one of ten asks for another record.
fn ask(server: &Server, queries: usize, rng: &mut Rng) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(server.v4).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut reply = [0; 1232];
    for first in (0..queries).step_by(AT_ONCE) {
        let lot = AT_ONCE.min(queries - first);
        for id in 0..lot {
            let net = match rng.u8(..10) {
                0..6 => 80,
                6..9 => 90,
                _ => 100,
            };
            let name = if rng.u8(..10) == 0 { "c.site.test" } else { "app.site.test" };
            let prefix = format!("{net}.{}.{}.0/24", rng.u8(..), rng.u8(..));
            let question = Question::new(name, A).edns(1232).options(sent(&prefix));
            socket.send(&question.wire(id as u16)).unwrap();
        }
        for _ in 0..lot {
            socket.recv(&mut reply).unwrap();
        }
    }
}

fn region<'a>(report: &'a Value, name: &str) -> &'a Value {
    let regions = report["regions"].as_array().unwrap();
    regions.iter().find(|region| region["region"] == name).unwrap()
}

#[test]
fn a_drill_measures_what_was_predicted() {
    let site = Site::new(&format!("{NETWORKS}{REGIONS}"));
    let server = site.serve();
    let http = Http::new(server.admin);
    let mut rng = Rng::with_seed(8);
    ask(&server, QUERIES, &mut rng);
    let drill = json!({ "region": "a", "for": "1h", "share": 50 });
    let begun = http.post("/drills", &drill);
    assert_eq!(begun.status, 201, "{begun:?}");
    ask(&server, QUERIES, &mut rng);
    let report = |at: usize| {
        let plan = http.get("/plans/1").json();
        let counted = plan["report"]["answers"][at].as_u64().unwrap();
        // What was answered within the second in which it began may count to either.
        (counted as usize >= QUERIES * 9 / 10).then(|| plan["report"].clone())
    };
    let report = until("all is counted", || report(1));
    assert_eq!(report["verdict"], "passed", "{report}");
    assert_eq!(report["old_answers_secs"], 30);
    assert!(report["basis"].as_str().unwrap().starts_with("measured over"), "{report}");
    // Of 0.9 · (0.6 · 0.7 + 0.3 · 0.2) = 0.432 for app.site.test a half goes to those beside it.
    for (name, before, during) in [
        ("a", 0.432, 0.216),
        ("b", 0.9 * (0.6 * 0.3 + 0.3 * 0.4), 0.27 + 0.9 * (0.6 * 0.35 + 0.3 * 0.05)),
        ("c", 0.1 + 0.9 * (0.1 + 0.3 * 0.4), 0.1 + 0.9 * (0.1 + 0.3 * (0.4 + 0.05))),
    ] {
        let region = region(&report, name);
        let predicted = region["predicted"].as_f64().unwrap();
        let share = |at: usize| region["shares"][at].as_f64().unwrap();
        assert!((share(0) - before).abs() < 0.01, "{name} before: {}, {before}", share(0));
        assert!((predicted - during).abs() < 0.01, "{name} predicted: {predicted}, {during}");
        assert!((share(1) - predicted).abs() < 0.01, "{name}: {}, {predicted}", share(1));
    }
    let moved = report["moved_after_secs"].as_f64().expect("they moved while they were looked at");
    assert!(moved <= 5.0, "{moved}");
    assert_eq!(http.post("/plans/1", &json!({ "action": "abort" })).status, 200);
    let plan = http.get("/plans/1").json();
    assert_eq!(
        (&plan["state"], &plan["report"]["verdict"]),
        (&json!("returned"), &json!("aborted"))
    );
}

#[test]
fn a_plan_goes_on_where_it_was_after_a_restart() {
    let site = Site::new(&format!("{NETWORKS}{REGIONS}"));
    let server = site.serve();
    let http = Http::new(server.admin);
    let shift = json!({
        "from": "a", "to": "c", "record": "app.site.test", "stages": [10, 40, 100], "every": "1h",
        "manual": true, "reason": "canary",
    });
    let begun = http.post("/shifts", &shift).json();
    assert_eq!(begun["plan"]["title"], "shift 1");
    // What it comes to in the end is told when it begins.
    let to = begun["changes"][0]["regions"].as_array().unwrap();
    let a = to.iter().find(|change| change["region"] == "a").unwrap();
    assert_eq!(a["after"]["most"], 0.0, "{a}");
    let advanced = http.post("/plans/1", &json!({ "action": "advance" })).json();
    assert_eq!(advanced["plan"]["part"], 0.4);
    let drill = http.post("/drills", &json!({ "region": "b", "for": "1h", "share": 5 })).json();
    assert_eq!(drill["plan"]["id"], 2);
    drop(server);

    let server = site.serve();
    let http = Http::new(server.admin);
    let plans = http.get("/plans").json();
    let under_way = plans["under_way"].as_array().unwrap();
    let seen = |plan: &Value| (plan["title"].clone(), plan["part"].clone(), plan["reason"].clone());
    assert_eq!(
        under_way.iter().map(seen).collect::<Vec<_>>(),
        [
            (json!("shift 1"), json!(0.4), json!("canary")),
            (json!("drill 2"), json!(0.05), Value::Null)
        ]
    );
    let resolved = http.get("/records/app.site.test").json();
    let shares = resolved["families"][0]["shares"].as_array().unwrap();
    let a = shares.iter().find(|share| share["region"] == "a").unwrap();
    // At most, for clients in Germany: 60 % of 70 %.
    assert!((a["share"]["most"].as_f64().unwrap() - 0.42).abs() < 1e-9, "{a}");
    let gone = http.post("/plans/9", &json!({ "action": "abort" }));
    assert_eq!((gone.status, gone.json()["code"].clone()), (404, json!("unknown_plan")));
}

#[test]
fn what_cannot_be_planned_is_refused() {
    let site = Site::new(&format!("{NETWORKS}{REGIONS}"));
    let server = site.serve();
    let http = Http::new(server.admin);
    let shift = |change: Value| {
        let mut body = json!({ "from": "a", "to": "b", "stages": [50, 100], "every": "15m" });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = http.post("/shifts", &body);
        (answer.status, answer.json()["code"].as_str().unwrap_or_default().to_owned())
    };
    let refused = |status: u16, code: &str| (status, code.to_owned());
    for (change, wanted) in [
        (json!({ "from": "x" }), refused(404, "unknown_region")),
        (json!({ "to": "a" }), refused(422, "invalid_value")),
        (json!({ "record": "c.site.test" }), refused(422, "no_part")),
        (json!({ "record": "x.site.test" }), refused(404, "unknown_record")),
        (json!({ "stages": [] }), refused(422, "invalid_value")),
        (json!({ "stages": [50, 50] }), refused(422, "invalid_value")),
        (json!({ "stages": [101] }), refused(422, "invalid_value")),
        (json!({ "every": "0s" }), refused(422, "invalid_value")),
        (json!({ "abort_when": "up" }), refused(422, "invalid_value")),
        (json!({ "abort_when": "up < 1" }), refused(409, "not_now")),
    ] {
        assert_eq!(shift(change.clone()), wanted, "{change}");
    }
    assert_eq!(shift(json!({ "dry_run": true })), (200, String::new()));
    assert!(http.get("/plans").json()["under_way"].as_array().unwrap().is_empty());
    assert_eq!(shift(json!({})), (201, String::new()));
    assert_eq!(shift(json!({ "from": "b", "to": "c" })), refused(409, "not_now"));
    let finish = http.post("/plans/1", &json!({ "action": "finish" }));
    assert_eq!(finish.json()["code"], "not_now");
    let window = |from: &str, to: &str| {
        http.post("/windows", &json!({ "regions": ["a"], "from": from, "to": to })).status
    };
    assert_eq!(window("2030-01-01T02:00:00", "2030-01-01T03:00:00Z"), 422);
    assert_eq!(window("2030-01-01T02:00:00Z", "2030-01-01T02:00:00Z"), 422);
    assert_eq!(window("2020-01-01T02:00:00Z", "2020-01-01T03:00:00Z"), 422);
    assert_eq!(window("2030-01-01T02:00:00Z", "2030-01-01T03:00:00Z"), 201);
}

/// What a shift comes to in the end is held against what regions can bear.
#[test]
fn a_shift_over_a_capacity_is_refused_unless_forced() {
    let regions = REGIONS.replace("[\"192.0.2.3\"]", "[\"192.0.2.3\"]\ncapacity = 60");
    let site = Site::new(&format!("[simulate]\ndemand = 100\n{NETWORKS}{regions}"));
    let server = site.serve();
    let http = Http::new(server.admin);
    // Without a mix all classes and records count alike.
    let shift = |force: bool| {
        let body = json!({
            "from": "b", "to": "c", "stages": [1, 100], "every": "15m", "force": force,
        });
        http.post("/shifts", &body)
    };
    let refused = shift(false);
    assert_eq!((refused.status, refused.json()["code"].clone()), (409, json!("over_capacity")));
    assert_eq!(refused.json()["regions"][0]["region"], "c");
    let forced = shift(true);
    assert_eq!(forced.status, 201, "{forced:?}");
    assert!(
        forced.json()["warnings"][0].as_str().unwrap().starts_with("c would bear"),
        "{forced:?}"
    );
}
