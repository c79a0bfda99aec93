//! Explanations of the running server are those of `resolve`, of things as they are.

use serde_json::{Value, json};

use super::BODY;
use crate::harness::{Http, Kind, Mode, Site, quick, resolve, targets};

/// What `resolve --json` prints.
fn offline(site: &Site, arguments: &[&str]) -> Value {
    let ended = resolve(site, arguments);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    serde_json::from_str(&ended.stdout).unwrap()
}

/// The same without the serial of the zone, which has no file: it is the time at which it was loaded.
fn timeless(mut told: Value) -> Value {
    for soa in told["reply"]["authority"].as_array_mut().into_iter().flatten() {
        let data = soa["data"].as_str().unwrap_or_else(|| panic!("{soa}"));
        let fields = data.split(' ').enumerate().filter(|(at, _)| *at != 2);
        soa["data"] = fields.map(|(_, field)| field).collect::<Vec<_>>().join(" ").into();
    }
    told
}

/// The regions of the answers, with their shares.
fn shares(told: &Value) -> Vec<(String, f64)> {
    let answers = told["explanation"]["answers"].as_array().unwrap_or_else(|| panic!("{told}"));
    let share =
        |one: &Value| (one["regions"][0].as_str().unwrap().to_owned(), one["share"].as_f64());
    let mut all: Vec<_> = answers.iter().map(share).map(|(at, n)| (at, n.unwrap())).collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

#[test]
fn the_server_and_the_files_tell_the_same_while_all_is_well() {
    let site = Site::new(BODY);
    let server = site.serve();
    let http = Http::new(server.admin);
    for (body, arguments) in [
        (json!({"name": "app.site.test"}), vec!["app.site.test"]),
        (
            json!({"name": "APP.site.test", "type": "A", "from": "192.0.2.0/24"}),
            vec!["APP.site.test", "A", "--from", "192.0.2.0/24"],
        ),
        (
            json!({"name": "x.site.test", "from": "2001:db8::1"}),
            vec!["x.site.test", "--from", "2001:db8::1"],
        ),
        (json!({"name": "app.site.test", "down": ["a"]}), vec!["app.site.test", "--down", "a"]),
    ] {
        let live = http.post("/explain", &body);
        assert_eq!(live.status, 200, "{live:?}");
        assert_eq!(timeless(live.json()), timeless(offline(&site, &arguments)), "{body}");
    }
}

#[test]
fn what_is_observed_and_what_is_forced_is_explained() {
    let (port, targets) = targets::<3>(Kind::Http);
    let record = "[[records]]\nname = \"app.site.test\"\npolicy = \"weighted\"\n";
    let site = Site::new(&(quick(Kind::Http, port, &targets) + record));
    targets[0].set(Mode::Refuse);
    let server = site.serve();
    server.metric_becomes(r#"trimtab_region_up{region="a",family="ipv4"}"#, 0.0);
    let http = Http::new(server.admin);
    let explain = |down: &[&str]| {
        shares(&http.post("/explain", &json!({"name": "app.site.test", "down": down})).json())
    };
    let (b, c) = (|share| ("b".to_owned(), share), |share| ("c".to_owned(), share));
    assert_eq!(explain(&[]), [b(0.5), c(0.5)]);
    assert_eq!(explain(&["b"]), [c(1.0)]);
    let drain = json!({"region": "c", "kind": "drain"});
    assert_eq!(http.post("/overrides", &drain).status, 201);
    assert_eq!(explain(&[]), [b(1.0)]);
    assert_eq!(explain(&["b"]), [c(1.0)], "drained, but the last one that is up");
    server.settles_on("app.site.test", &[targets[1].ip()]);
}

#[test]
fn what_cannot_be_explained_is_told() {
    let site = Site::new(BODY);
    let server = site.serve();
    let http = Http::new(server.admin);
    for (body, field) in [
        (json!({"name": "a..b"}), "name"),
        (json!({"name": "app.site.test", "type": "NOSUCH"}), "type"),
        (json!({"name": "app.site.test", "from": "192.0.2.1/24"}), "from"),
        (json!({"name": "app.site.test", "down": ["c"]}), "down"),
        (json!({"type": "A"}), ""),
    ] {
        let refused = http.post("/explain", &body);
        assert_eq!((refused.status, &*refused.code()), (422, "invalid_value"), "{body}");
        assert_eq!(refused.json()["field"].as_str().unwrap_or_default(), field, "{body}");
    }
    // What is in no zone is refused by DNS, and that is the answer.
    let told = http.post("/explain", &json!({"name": "www.example.net"})).json();
    assert_eq!(told["reply"]["rcode"], "REFUSED");
}
