//! dnstap as others take and read it: fstrm_capture behind the socket, and dnstap-ldns over what it has
//! taken.
//!
//! Not part of `cargo test`, which needs nothing but the toolchain: `just dnstap`, with Debian's packages
//! fstrm-bin and dnstap-ldns.

#[allow(dead_code, unused_imports, reason = "the harness of the integration tests")]
#[path = "integration/harness/mod.rs"]
mod harness;
#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use hickory_proto::rr::RecordType::A;
use rustix::process::{Pid, Signal, kill_process};

use harness::{Question, Site, Via, exchange};

const BODY: &str = "[regions.a]\naddresses = [\"192.0.2.1\"]\n\
                    [[records]]\nname = \"app.site.test\"\npolicy = \"a\"\n";
const WRITTEN: &str = r#"trimtab_query_log_written_total{sink="dnstap"}"#;

/// A running fstrm_capture; it is ended when this is dropped.
struct Capture(Child);

impl Capture {
    fn new(site: &Site, file: &str) -> Self {
        let mut command = Command::new("fstrm_capture");
        command.args(["-t", "protobuf:dnstap.Dnstap", "-u"]).arg(site.path("socket"));
        command.arg("-w").arg(site.path(file)).stderr(Stdio::null());
        Self(command.spawn().expect("Debian's fstrm-bin"))
    }

    /// Ends it, so that all that it has taken is in its file.
    fn stop(mut self) {
        let pid = Pid::from_child(&self.0);
        kill_process(pid, Signal::TERM).unwrap();
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The messages of a file as dnstap-ldns tells them, each by its keys.
fn read(file: &Path) -> Vec<BTreeMap<String, String>> {
    let output = Command::new("dnstap-ldns").arg("-y").arg("-r").arg(file).output();
    let output = output.expect("Debian's dnstap-ldns");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let message = |text: &str| {
        let pairs = text.lines().filter_map(|line| line.trim().split_once(": "));
        pairs.map(|(key, value)| (key.into(), value.trim_matches('"').into())).collect()
    };
    text.split("---\n").filter(|text| text.contains("type:")).map(message).collect()
}

/// The parts of messages that are the same in each run.
fn told(message: &BTreeMap<String, String>, keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| message.get(*key).cloned().unwrap_or_default()).collect()
}

#[test]
fn messages_are_taken_and_read_by_the_tools_of_the_field() {
    let log = "[query_log]\nclient = \"address\"\n[query_log.dnstap]\nsocket = \"socket\"\n\
               identity = \"ns1\"\nversion = \"a nameserver\"\n";
    let site = Site::new(&format!("{log}{BODY}"));
    let capture = Capture::new(&site, "taken");
    let server = site.serve();
    exchange(Via::Udp, server.v4, &Question::a("app.site.test").wire(1));
    exchange(Via::Tcp, server.v6, &Question::a("nowhere.site.test").edns(1232).wire(2));
    server.metric_becomes(WRITTEN, 2.0);
    let (v4, v6) = (server.v4.port().to_string(), server.v6.port().to_string());
    // It takes leave, and the other side knows by that that this is all.
    assert!(server.stop().success());
    capture.stop();
    let mut messages = read(&site.path("taken"));
    messages.sort_by_key(|message| told(message, &["socket_protocol", "type"]));
    let keys = [
        "identity",
        "version",
        "type",
        "socket_family",
        "socket_protocol",
        "query_address",
        "response_address",
        "response_port",
    ];
    let wanted = |kind, family, protocol, address, port: &str| {
        ["ns1", "a nameserver", kind, family, protocol, address, address, port].map(String::from)
    };
    let found: Vec<_> = messages.iter().map(|message| told(message, &keys)).collect();
    let all = [
        wanted("AUTH_QUERY", "INET6", "TCP", "::1", &v6),
        wanted("AUTH_RESPONSE", "INET6", "TCP", "::1", &v6),
        wanted("AUTH_QUERY", "INET", "UDP", "127.0.0.1", &v4),
        wanted("AUTH_RESPONSE", "INET", "UDP", "127.0.0.1", &v4),
    ];
    assert_eq!(found, all, "{messages:#?}");
    for message in &messages {
        assert!(message["query_port"].parse::<u16>().unwrap() > 0);
        assert!(message.contains_key("query_time"), "{message:#?}");
    }
}

#[test]
fn who_takes_them_may_come_late_and_again() {
    let log = "[query_log.dnstap]\nsocket = \"socket\"\n";
    let site = Site::new(&format!("{log}{BODY}"));
    let server = site.serve();
    server.log.wait_for("the query log cannot be written to the socket");
    server.ask("app.site.test", A);
    let capture = Capture::new(&site, "first");
    server.metric_becomes(WRITTEN, 1.0);
    server.log.wait_for_count("is written to the socket", 1);
    capture.stop();
    // What is written next finds out that it has gone, and waits for the next.
    server.ask("app.site.test", A);
    server.log.wait_for_count("cannot be written to the socket", 2);
    let capture = Capture::new(&site, "second");
    server.metric_becomes(WRITTEN, 2.0);
    assert!(server.stop().success());
    capture.stop();
    for file in ["first", "second"] {
        let messages = read(&site.path(file));
        assert_eq!(messages.len(), 2, "{messages:#?}");
        // Nothing of the client but its network.
        for message in messages {
            assert_eq!(message["query_address"], "127.0.0.0", "{message:#?}");
            assert!(!message.contains_key("query_port"), "{message:#?}");
        }
    }
}
