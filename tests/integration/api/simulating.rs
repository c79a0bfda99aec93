//! What a running server foresees: by who has really asked, over a reload, and as the guard of drains.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::harness::{Http, Question, Server, Site, operate, sent};

/// Three regions; clients of one network go to the third.
const BODY: &str = r#"
[regions.a]
addresses = ["192.0.2.1"]
weight = 50
capacity = 1000
[regions.b]
addresses = ["192.0.2.2"]
weight = 30
capacity = 600
[regions.c]
addresses = ["192.0.2.3"]
weight = 20
capacity = 900
[simulate]
demand = 1000
accept = ["no-check", "all-down-unexercised"]
[policies.spread]
type = "weighted"
weights = { a = 50, b = 30, c = 20 }
[policies.main]
type = "geolocation"
rules = [{ prefix = "8.8.8.0/24", to = "c" }]
default = "spread"
[[records]]
name = "app.site.test"
policy = "main"
[[records]]
name = "other.site.test"
policy = "spread"
"#;

fn serve(body: &str) -> (Site, Server, Http) {
    let site = Site::new(body);
    let server = site.serve();
    let http = Http::new(server.admin);
    (site, server, http)
}

fn ask(server: &Server, name: &str, prefix: Option<&str>, times: usize) {
    let mut client = server.client();
    let question = Question::a(name);
    let question = match prefix {
        Some(prefix) => question.options(sent(prefix)),
        None => question,
    };
    for _ in 0..times {
        assert!(!client.ask(&question).addresses().is_empty());
    }
}

#[track_caller]
fn shares(board: &Value) -> Vec<f64> {
    let regions = board["regions"].as_array().unwrap();
    regions.iter().map(|region| region["share"].as_f64().unwrap()).collect()
}

#[track_caller]
fn close(found: &[f64], wanted: &[f64]) {
    let near = found.iter().zip(wanted).all(|(found, wanted)| (found - wanted).abs() < 1e-9);
    assert!(found.len() == wanted.len() && near, "{found:?}, not {wanted:?}");
}

#[test]
fn who_asks_decides_also_after_a_reload() {
    let (site, server, http) = serve(BODY);
    let board = http.get("/simulate").json();
    assert_eq!(board["basis"]["kind"], "nothing", "{board:#}");
    // Two records alike, and of the first two classes alike.
    close(&shares(&board), &[0.375, 0.225, 0.4]);

    ask(&server, "app.site.test", Some("8.8.8.0/24"), 60);
    ask(&server, "app.site.test", None, 30);
    ask(&server, "other.site.test", None, 10);
    let board = http.get("/simulate").json();
    assert_eq!(
        (&board["basis"]["kind"], &board["basis"]["answers"]),
        (&json!("measured"), &json!(100))
    );
    close(&shares(&board), &[0.2, 0.12, 0.68]);
    assert_eq!(board["regions"][2]["load"], 680.0);
    assert_eq!((&board["live"], board["scenarios"].as_array().unwrap().len()), (&json!(true), 3));

    // Other weights, a region more, a record less: who asks is still known.
    let other = BODY
        .split("[[records]]\nname = \"other")
        .next()
        .unwrap()
        .replace("c = 20", "c = 20, d = 100");
    site.configure(&format!("[regions.d]\naddresses = [\"192.0.2.4\"]\n{other}"));
    assert!(server.reload());
    let board = http.get("/simulate").json();
    assert_eq!(board["basis"]["answers"], 90, "{board:#}");
    let third = 30.0 / 90.0;
    close(&shares(&board), &[third / 2.0, third / 4.0, third * 0.15, third / 10.0 + 60.0 / 90.0]);
    ask(&server, "app.site.test", None, 10);
    assert_eq!(http.get("/simulate").json()["basis"]["answers"], 100);
}

#[test]
fn a_death_is_told_and_changes_nothing() {
    let (_site, server, http) = serve(BODY);
    let board = http.get("/simulate?down=a&down=c").json();
    let scenario = &board["scenarios"][0];
    assert_eq!((&scenario["down"], &board["scenarios"][1]), (&json!(["a", "c"]), &Value::Null));
    let codes =
        scenario["reasons"].as_array().unwrap().iter().map(|reason| reason["code"].as_str());
    let codes: Vec<&str> = codes.flatten().collect();
    assert_eq!(codes, ["no-check", "no-check", "no-headroom"]);
    assert_eq!(scenario["regions"][1]["load"], 1000.0);
    assert_eq!(
        (&scenario["verdict"], &board["verdict"]),
        (&json!("not_ready"), &json!("not_ready"))
    );
    let ended = operate("simulate --down a --down c", &[&format!("http://{}", server.admin)]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let sentence = "no-headroom: if a and c die, b would bear 1,000 of 600 (167 %)";
    assert!(ended.stdout.contains(sentence), "{}", ended.stdout);
    assert_eq!(http.get("/overrides").json(), json!([]));
    let unknown = http.get("/simulate?down=aa");
    assert_eq!((unknown.status, &*unknown.code()), (400, "bad_parameter"));
    assert_eq!(http.get("/simulate?up=a").code(), "bad_parameter");
}

#[test]
fn what_pushes_a_region_over_its_capacity_is_refused_unless_forced() {
    let (_site, server, http) = serve(BODY);
    // All that is asked, so that it is all in a, b and c by weight.
    ask(&server, "other.site.test", None, 50);
    let drain =
        |region: &str, force: bool| json!({"region": region, "kind": "drain", "force": force});
    // b would bear 600 of 600: that is not above it.
    let refused = http.post("/overrides", &drain("a", false));
    assert_eq!(refused.status, 201, "{refused:?}");
    let refused = http.post("/overrides", &drain("c", false));
    assert_eq!((refused.status, &*refused.code()), (409, "over_capacity"));
    let told = refused.json();
    let over = &told["regions"][0];
    assert_eq!((&over["region"], &over["capacity"]), (&json!("b"), &json!(600.0)));
    close(
        &[&over["now"], &over["then"], &told["demand"]].map(|n| n.as_f64().unwrap()),
        &[600.0, 1000.0, 1000.0],
    );
    let detail = told["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("b would bear 1,000 of 600 (167 %); now 600, of a demand of 1,000"),
        "{detail}"
    );
    let weight = json!({"region": "c", "kind": "weight", "weight": 1});
    assert_eq!(http.post("/overrides", &weight).code(), "over_capacity");
    assert_eq!(http.get("/overrides").json().as_array().unwrap().len(), 1);
    let done = http.post("/overrides", &drain("c", true));
    assert_eq!(done.status, 201, "{done:?}");
    assert!(done.json()["warnings"][0].as_str().unwrap().starts_with("b would bear 1,000 of 600"));
    let only_b: IpAddr = "192.0.2.2".parse().unwrap();
    server.settles_on("other.site.test", &[only_b]);
    // What was forced may end.
    let id = done.json()["overrides"][0]["id"].as_u64().unwrap();
    assert_eq!(http.delete(&format!("/overrides/{id}")).status, 200);
}
