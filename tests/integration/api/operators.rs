//! Operators who change what is served, one after the other and all at once.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::thread;

use hickory_proto::rr::RecordType::A;
use serde_json::{Value, json};

use super::BODY;
use crate::harness::{Http, Server, Site};

const A_SERVED: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
const B_SERVED: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

fn serve() -> (Site, Server, Http) {
    let site = Site::new(BODY);
    let server = site.serve();
    let http = Http::new(server.admin).with("X-Trimtab-Actor", "alice");
    (site, server, http)
}

/// The addresses of fifty answers.
fn answered(server: &Server) -> BTreeSet<IpAddr> {
    (0..50).flat_map(|_| server.ask("app.site.test", A).addresses()).collect()
}

fn ids(http: &Http) -> BTreeSet<u64> {
    let list = http.get("/overrides").json();
    list.as_array().unwrap().iter().map(|one| one["id"].as_u64().unwrap()).collect()
}

#[test]
fn what_is_acknowledged_is_served() {
    let (_site, server, http) = serve();
    assert_eq!(answered(&server), BTreeSet::from([A_SERVED, B_SERVED]));
    let drain = json!({"region": "a", "kind": "drain", "reason": "new switches"});
    for _ in 0..5 {
        let done = http.post("/overrides", &drain);
        assert_eq!(done.status, 201, "{done:?}");
        // Not a single answer more, without any waiting.
        assert_eq!(answered(&server), BTreeSet::from([B_SERVED]));
        let id = done.json()["overrides"][0]["id"].as_u64().unwrap();
        let one = http.get(&format!("/overrides/{id}")).json();
        assert_eq!((&one["actor"], &one["reason"]), (&json!("alice"), &json!("new switches")));
        let ended = http.delete(&format!("/overrides/{id}"));
        assert_eq!(ended.status, 200, "{ended:?}");
        assert_eq!(answered(&server), BTreeSet::from([A_SERVED, B_SERVED]));
        assert_eq!(http.delete(&format!("/overrides/{id}")).code(), "nothing_to_end");
    }
}

#[test]
fn a_dry_run_tells_and_changes_nothing() {
    let (_site, server, http) = serve();
    let drain = json!({"region": "a", "kind": "drain", "dry_run": true});
    let told = http.post("/overrides", &drain);
    assert_eq!((told.status, &told.json()["dry_run"]), (200, &json!(true)), "{told:?}");
    let change = &told.json()["changes"][0];
    assert_eq!(change["record"], "app.site.test");
    assert_eq!(change["regions"][0]["before"]["most"], 0.5);
    assert_eq!(change["regions"][0]["after"]["most"], 0.0);
    assert_eq!(ids(&http), BTreeSet::new());
    assert_eq!(answered(&server), BTreeSet::from([A_SERVED, B_SERVED]));
}

#[test]
fn what_would_leave_nothing_is_refused_unless_forced() {
    let (_site, server, http) = serve();
    let drain =
        |region: &str, force: bool| json!({"region": region, "kind": "drain", "force": force});
    assert_eq!(http.post("/overrides", &drain("a", false)).status, 201);
    let refused = http.post("/overrides", &drain("b", false));
    assert_eq!((refused.status, &*refused.code()), (409, "nothing_left"));
    assert_eq!(refused.json()["records"][0]["record"], "app.site.test");
    assert_eq!(ids(&http).len(), 1);
    assert_eq!(answered(&server), BTreeSet::from([B_SERVED]));
    assert_eq!(http.post("/overrides", &drain("b", true)).status, 201);
}

#[test]
fn unknown_names_are_told_of_with_what_there_is() {
    let (_site, _server, http) = serve();
    let refused = http.post("/overrides", &json!({"region": "c", "kind": "drain"}));
    assert_eq!((refused.status, &*refused.code()), (404, "unknown_region"));
    let record = json!({"region": "a", "record": "ap.site.test", "kind": "drain"});
    assert_eq!(http.post("/overrides", &record).code(), "unknown_record");
    assert_eq!(http.get("/regions/c").code(), "unknown_region");
    assert_eq!(http.get("/records/ap.site.test").code(), "unknown_record");
    assert_eq!(http.get("/overrides/1").code(), "unknown_override");
    let end = json!({"region": "a", "kinds": ["drain"]});
    assert_eq!(http.post("/overrides/end", &end).code(), "nothing_to_end");
}

#[test]
fn everything_that_is_seen_has_its_page() {
    let (_site, _server, http) = serve();
    let status = http.get("/status").json();
    assert_eq!((&status["records"], &status["regions"][1]["name"]), (&json!(1), &json!("b")));
    assert_eq!(http.get("/regions").json().as_array().unwrap().len(), 2);
    assert_eq!(http.get("/regions/a").json()["name"], "a");
    let record = http.get("/records/APP.site.test.").json();
    assert_eq!(record["name"], "app.site.test");
    let page = http.get("/records?contains=app&region=b&limit=1").json();
    assert_eq!((&page["total"], &page["items"][0]), (&json!(1), &record));
    assert_eq!(http.get("/records?offset=1").json()["items"], json!([]));
    assert_eq!(http.get("/records?contains=nosuch").json()["total"], 0);
    assert_eq!(http.get("/checks").json(), json!({"items": [], "total": 0}));
}

/// Each of many operators makes overrides and ends some of its own; none is lost, none comes back.
#[test]
fn what_operators_do_at_once_all_counts() {
    let (_site, _server, http) = serve();
    let operator = |number: usize| {
        let http = http.clone();
        move || {
            let mut mine = BTreeSet::new();
            for round in 0..15_u64 {
                let region = if (number + round as usize).is_multiple_of(2) { "a" } else { "b" };
                let mut body = json!({"region": region, "kind": "weight", "weight": 10 * round});
                if round.is_multiple_of(3) {
                    body["record"] = json!("app.site.test");
                }
                let done = http.post("/overrides", &body);
                assert_eq!(done.status, 201, "{done:?}");
                assert!(mine.insert(done.json()["overrides"][0]["id"].as_u64().unwrap()));
                if round % 4 == 3 {
                    let oldest = mine.pop_first().unwrap();
                    let ended = http.delete(&format!("/overrides/{oldest}"));
                    assert_eq!(ended.status, 200, "{ended:?}");
                }
            }
            mine
        }
    };
    let operators: Vec<_> = (0..8).map(|number| thread::spawn(operator(number))).collect();
    let mut acknowledged = BTreeSet::new();
    for operator in operators {
        for id in operator.join().unwrap() {
            assert!(acknowledged.insert(id), "{id} was given twice");
        }
    }
    assert_eq!(acknowledged.len(), 8 * (15 - 3));
    assert_eq!(ids(&http), acknowledged);
    // Every one of them left a trace: 120 made, 24 ended.
    let events = http.get("/events?limit=1000").json();
    let of_operators = events.as_array().unwrap().iter().filter(|one| one["kind"] == "command");
    let of_operators: Vec<&Value> = of_operators.collect();
    assert_eq!(of_operators.len(), 8 * (15 + 3));
    assert!(of_operators.iter().all(|one| one["actor"] == "alice" && one["from"] == "127.0.0.1"));
}

#[test]
fn what_comes_twice_with_one_key_is_done_once() {
    let (_site, _server, http) = serve();
    let keyed = http.clone().with("Idempotency-Key", "5b1e-1");
    let drain = json!({"region": "a", "kind": "drain", "for": "1h"});
    // All at once, as a client does that has lost patience.
    let all: Vec<_> = (0..8)
        .map(|_| {
            let (keyed, drain) = (keyed.clone(), drain.clone());
            thread::spawn(move || keyed.post("/overrides", &drain))
        })
        .collect();
    let answers: Vec<_> = all.into_iter().map(|one| one.join().unwrap()).collect();
    assert!(answers.iter().all(|answer| answer.status == 201), "{answers:?}");
    let same = |mut answer: Value| {
        let repeated = answer["repeated"].as_bool().unwrap();
        answer.as_object_mut().unwrap().remove("repeated");
        (repeated, answer)
    };
    let (repeated, bodies): (Vec<bool>, Vec<Value>) =
        answers.iter().map(|answer| same(answer.json())).unzip();
    assert_eq!(repeated.iter().filter(|repeated| !**repeated).count(), 1);
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:#?}");
    assert_eq!(ids(&http).len(), 1);
    let other = keyed.post("/overrides", &json!({"region": "b", "kind": "drain"}));
    assert_eq!((other.status, &*other.code()), (422, "idempotency_key_reused"));
    // An end has keys, too.
    let id = *ids(&http).first().unwrap();
    let keyed = http.clone().with("Idempotency-Key", "5b1e-2");
    let path = format!("/overrides/{id}");
    assert_eq!(keyed.delete(&path).json()["repeated"], false);
    assert_eq!(keyed.delete(&path).json()["repeated"], true);
    assert_eq!(http.delete(&path).code(), "nothing_to_end");
}

#[test]
fn who_waits_hears_of_what_happens() {
    let (_site, _server, http) = serve();
    let newest = |http: &Http| {
        let events = http.get("/events").json();
        events.as_array().unwrap().last().map_or(0, |one| one["id"].as_u64().unwrap())
    };
    let before = newest(&http);
    let waits = http.clone();
    let waiting = thread::spawn(move || waits.get(&format!("/events?after={before}&wait=9s")));
    let drain = json!({"region": "a", "kind": "drain", "reason": "drill"});
    let done = http.post("/overrides", &drain).json();
    let events = waiting.join().unwrap().json();
    let event = events.as_array().unwrap().last().unwrap();
    assert_eq!((&event["kind"], &event["region"]), (&json!("command"), &json!("a")), "{event}");
    assert_eq!((&event["reason"], &event["generation"]), (&json!("drill"), &done["generation"]));
    assert_eq!(http.get(&format!("/events?after={}", newest(&http))).json(), json!([]));
}
