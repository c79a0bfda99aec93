//! Alerts as a real Alertmanager takes them: it fires while a target is down, and no longer.
//!
//! Not part of `cargo test`, which needs nothing but the toolchain: `just alertmanager`, with Debian's
//! package prometheus-alertmanager.

#[allow(dead_code, unused_imports, reason = "the harness of the integration tests")]
#[path = "integration/harness/mod.rs"]
mod harness;
#[path = "support/mod.rs"]
mod support;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use harness::{Kind, Mode, Site, get, quick, targets, until};

/// A running Alertmanager, on a port that the system chose; it is ended when this is dropped.
struct Alertmanager {
    child: Child,
    address: SocketAddr,
}

impl Alertmanager {
    fn new(site: &Site) -> Self {
        let config = "route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n";
        site.write("alertmanager.yml", config);
        let mut command = Command::new("prometheus-alertmanager");
        command.arg(format!("--config.file={}", site.path("alertmanager.yml").display()));
        command.arg(format!("--storage.path={}", site.path("alerts").display()));
        command.args(["--web.listen-address=127.0.0.1:0", "--cluster.listen-address="]);
        command.stderr(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().expect("Debian's prometheus-alertmanager");
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let of = |line: String| line.rsplit_once("address=")?.1.trim().parse().ok();
        let address = lines.by_ref().map_while(Result::ok).find_map(of);
        let address = address.expect("where it listens");
        // It would end for a pipe that nobody reads.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    /// The labels of the alerts that fire.
    fn firing(&self) -> Vec<Value> {
        let Ok((200, text)) = get(self.address, "/api/v2/alerts?active=true") else {
            return Vec::new();
        };
        let alerts: Value = serde_json::from_str(&text).unwrap();
        alerts.as_array().unwrap().iter().map(|alert| alert["labels"].clone()).collect()
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_target_that_is_down_fires_until_it_is_up() {
    let (port, [a, b]) = &targets(Kind::Http);
    let site = Site::bare("");
    let alertmanager = Alertmanager::new(&site);
    let hook = format!(
        "[webhooks.pager]\nurl = \"http://{}\"\nformat = \"alertmanager\"\nrepeat = \"1s\"\n",
        alertmanager.address
    );
    let targets = [a, b].map(|target| target.ip());
    let body = format!(
        "{hook}{}[regions.b]\naddresses = [\"{}\"]\ncheck = \"web\"\n\
         [[records]]\nname = \"app.site.test\"\npolicy = \"weighted\"\n",
        quick(Kind::Http, *port, std::slice::from_ref(a)),
        targets[1]
    );
    site.configure(&body);
    let server = site.serve();
    server.settles_on("app.site.test", &targets);
    assert_eq!(alertmanager.firing(), [Value::Null; 0]);

    a.set(Mode::Status(503));
    let labels = until("an alert", || alertmanager.firing().pop());
    assert_eq!(labels["alertname"], "TrimtabTargetDown");
    assert_eq!(labels["region"], "a");
    assert_eq!(labels["subject"], format!("{}: web", targets[0]));
    // It is said again, and stays one.
    let success = "trimtab_webhook_last_success_timestamp_seconds{webhook=\"pager\"}";
    let first = server.metrics().value(success);
    until("a repetition", || (server.metrics().value(success) > first + 1.0).then_some(()));
    assert_eq!(alertmanager.firing(), [labels]);

    a.set(Mode::Ok);
    until("the end of it", || alertmanager.firing().is_empty().then_some(()));
    let failed = "trimtab_webhook_deliveries_total{webhook=\"pager\",result=\"failed\"}";
    assert_eq!(server.metrics().value(failed), 0.0);
    assert!(server.stop().success());
}
