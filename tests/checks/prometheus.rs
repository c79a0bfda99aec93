//! prometheus checks with Prometheus itself, which scrapes an exporter of the test.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use super::{Running, free, seen};
use crate::harness::{Http, Site, until};

/// An exporter with the percentage of errors of two regions; that of `us-east` can be set.
fn exporter() -> (SocketAddr, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (at, percent) = (listener.local_addr().unwrap(), Arc::new(AtomicU32::new(1)));
    let now = Arc::clone(&percent);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let body = format!(
                "errors_ratio{{job=\"x\",region=\"us-east\"}} {}\nerrors_ratio{{job=\"x\",region=\"eu\"}} 0\n",
                f64::from(now.load(Ordering::Relaxed)) / 100.0
            );
            let head =
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close";
            let _ = write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        }
    });
    (at, percent)
}

/// Prometheus with data of its own, which asks the exporter each 200 ms.
fn prometheus(dir: &TempDir, at: SocketAddr, exporter: SocketAddr) -> Running {
    let config = dir.path().join("prometheus.yml");
    let text = format!(
        "global:\n  scrape_interval: 200ms\n  scrape_timeout: 200ms\nscrape_configs:\n- job_name: exporter\n  \
         honor_labels: true\n  static_configs:\n  - targets: ['{exporter}']\n"
    );
    std::fs::write(&config, text).unwrap();
    let arguments = [
        format!("--config.file={}", config.display()),
        format!("--storage.tsdb.path={}", dir.path().join("data").display()),
        format!("--web.listen-address={at}"),
    ];
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Running::start("prometheus", &arguments, &dir.path().join("log"))
}

#[test]
fn a_rule_holds_a_region_down_and_no_answer_says_nothing() {
    let (dir, at) = (TempDir::new().unwrap(), free());
    let (exporter, percent) = exporter();
    let mut asked = prometheus(&dir, at, exporter);
    until("Prometheus answers", || {
        let ready = Http::new(at).request("GET /-/ready", &serde_json::Value::Null);
        ready.is_ok_and(|answer| answer.status == 200).then_some(())
    });
    let check = |name: &str, query: &str| {
        format!(
            "[checks.{name}]\ntype = \"prometheus\"\nurl = \"http://{at}\"\nquery = '{query}'\n\
             fail_when = \"> 0.05\"\ninterval = \"300ms\"\ntimeout = \"250ms\"\nfall = 2\nrise = 1\n"
        )
    };
    let body = format!(
        "{}{}{}[regions.us-east]\naddresses = [\"192.0.2.1\", \"192.0.2.2\"]\n\
         check = [\"errors\", \"odd\", \"nodata\"]\n\
         [regions.eu]\naddresses = [\"192.0.2.9\"]\ncheck = \"errors\"\n[policies.first]\ntype = \"failover\"\n\
         order = [\"us-east\", \"eu\"]\n[[records]]\nname = \"app.site.test\"\npolicy = \"first\"\n",
        check("errors", r#"max(errors_ratio{job="x",region="{region}"})"#),
        check("odd", "max(errors_ratio"),
        check("nodata", r#"nosuch{address="{address}"}"#),
    );
    let server = Site::new(&body).serve();
    let name = "app.site.test";
    seen(&server, "errors", "up", |check| check["state"] == "up");
    let (us_east, eu) = ([[192, 0, 2, 1].into(), [192, 0, 2, 2].into()], [[192, 0, 2, 9].into()]);
    server.settles_on(name, &us_east);
    percent.store(7, Ordering::Relaxed);
    server.settles_on(name, &eu);
    let down = seen(&server, "errors", "down", |check| check["state"] == "down");
    assert_eq!(down["destination"], "region us-east");
    let why = r#"0.07 > 0.05 (max(errors_ratio{job="x",region="us-east"}))"#;
    assert_eq!(down["last"]["reason"], why);
    // What has no figure says nothing, and so nothing ever came of it.
    for (check, why) in [
        ("odd", "Prometheus: bad_data: "),
        ("nodata", "Prometheus: no data (nosuch{address=\"192.0.2.1\"})"),
    ] {
        let told = |check: &serde_json::Value| {
            check["last"]["reason"].as_str().is_some_and(|told| told.starts_with(why))
        };
        assert_eq!(seen(&server, check, why, told)["state"], "unknown");
    }
    percent.store(0, Ordering::Relaxed);
    server.settles_on(name, &us_east);
    // Without Prometheus the last that is known stands.
    asked.stop();
    let gone = |check: &serde_json::Value| {
        check["last"]["reason"] == "Prometheus: connect: connection refused"
    };
    assert_eq!(seen(&server, "errors", "not asked", gone)["state"], "up");
    percent.store(50, Ordering::Relaxed);
    server.settles_on(name, &us_east);
    assert_eq!(seen(&server, "errors", "not asked", gone)["state"], "up");
}

/// Plans in real time: a shift and a drill that real figures give up, and a window.
#[test]
fn plans_are_given_up_by_figures_and_a_window_passes() {
    let (dir, at) = (TempDir::new().unwrap(), free());
    let (exporter, percent) = exporter();
    let _asked = prometheus(&dir, at, exporter);
    until("Prometheus has figures", || {
        let question = "GET /api/v1/query?query=errors_ratio";
        let answer = Http::new(at).request(question, &serde_json::Value::Null).ok()?;
        answer.body.contains("us-east").then_some(())
    });
    let body = format!(
        "[plans]\nprometheus = \"http://{at}\"\ninterval = \"1s\"\ntimeout = \"900ms\"\n\
         [regions.us-east]\naddresses = [\"192.0.2.1\"]\n[regions.eu]\naddresses = [\"192.0.2.9\"]\n\
         [policies.first]\ntype = \"failover\"\norder = [\"us-east\", \"eu\"]\n\
         [[records]]\nname = \"app.site.test\"\npolicy = \"first\"\nttl = 10\nttl_min = 1\n"
    );
    let server = Site::new(&body).serve();
    let (name, http) = ("app.site.test", Http::new(server.admin));
    let (us_east, eu) = ([[192, 0, 2, 1].into()], [[192, 0, 2, 9].into()]);
    let abort_when = r#"max(errors_ratio{region="us-east"}) > 0.05"#;
    let plan = |id: u64| http.get(&format!("/plans/{id}")).json();

    let shift = serde_json::json!({
        "from": "us-east", "to": "eu", "stages": [50, 100], "every": "1s", "abort_when": abort_when,
    });
    let begun = http.post("/shifts", &shift);
    assert_eq!(begun.status, 201, "{begun:?}");
    // The second stage comes once the query was answered, and is within its bound.
    until("the last stage", || (plan(1)["stage"] == 2).then_some(()));
    until("the query is answered", || (plan(1)["query"] == "within its bound").then_some(()));
    server.settles_on(name, &eu);
    percent.store(7, Ordering::Relaxed);
    let over = until("it is given up", || Some(plan(1)).filter(|plan| plan["state"] == "aborted"));
    let why = over["why"].as_str().unwrap();
    assert!(why.starts_with("the query is beyond its bound: 0.07 > 0.05"), "{why}");
    server.settles_on(name, &us_east);
    percent.store(0, Ordering::Relaxed);

    let drill = serde_json::json!({ "region": "us-east", "for": "1h", "abort_when": abort_when });
    assert_eq!(http.post("/drills", &drill).status, 201);
    until("the query is answered", || (plan(2)["query"] == "within its bound").then_some(()));
    server.settles_on(name, &eu);
    percent.store(9, Ordering::Relaxed);
    let returned = until("it returns", || Some(plan(2)).filter(|plan| plan["state"] == "returned"));
    assert_eq!(returned["report"]["verdict"], "aborted");
    server.settles_on(name, &us_east);

    let in_secs = |secs| {
        let at = std::time::Duration::from_secs(secs);
        humantime::format_rfc3339_seconds(trimtab::clock::wall() + at).to_string()
    };
    let window = serde_json::json!({
        "regions": ["us-east"], "from": in_secs(2), "to": in_secs(5), "drain_over": "0s",
        "return_over": "0s",
    });
    assert_eq!(http.post("/windows", &window).status, 201);
    server.settles_on(name, &eu);
    server.settles_on(name, &us_east);
    let done = until("the window is over", || Some(plan(3)).filter(|plan| plan["state"] == "done"));
    assert_eq!(done["why"], "us-east serves again as before");
}
