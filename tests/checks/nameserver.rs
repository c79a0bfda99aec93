//! dns checks against NSD.

use std::fs;

use serde_json::json;
use tempfile::TempDir;

use super::{Running, free, seen};
use crate::harness::Site;

const ZONE: &str = "$ORIGIN health.test.\n$TTL 60\n@ SOA ns1 hostmaster 1 60 60 60 60\n@ NS ns1\n\
                    ns1 A 192.0.2.53\nup A 192.0.2.1\nup A 192.0.2.2\nup TXT \"all well\"\n\
                    alias CNAME up\n";

/// NSD with one zone, on an address.
fn nsd(dir: &TempDir, port: u16) -> Running {
    let at = dir.path().display();
    fs::write(dir.path().join("zone"), format!("{ZONE}{}", long())).unwrap();
    let config = format!(
        "server:\n ip-address: 127.0.0.1@{port}\n username: \"\"\n zonesdir: \"{at}\"\n \
         database: \"\"\n pidfile: \"{at}/pid\"\n xfrdfile: \"{at}/xfrd\"\n zonelistfile: \"{at}/list\"\n \
         minimal-responses: yes\nremote-control:\n control-enable: no\n\
         zone:\n name: health.test\n zonefile: zone\n"
    );
    let path = dir.path().join("nsd.conf");
    fs::write(&path, config).unwrap();
    Running::start("nsd", &["-d", "-c", path.to_str().unwrap()], &dir.path().join("log"))
}

/// Texts that no datagram without EDNS holds.
fn long() -> String {
    (0..10).map(|n| format!("long TXT \"{n}{}\"\n", "x".repeat(100))).collect()
}

#[test]
fn a_nameserver_is_asked() {
    let (dir, at) = (TempDir::new().unwrap(), free());
    let port = at.port();
    let check = |name: &str, question: &str, expect: &str| {
        format!(
            "[checks.{name}]\ntype = \"dns\"\nport = {port}\nquestion = \"{question}\"\n{expect}\n\
             interval = \"200ms\"\ntimeout = \"150ms\"\nfall = 1\nrise = 1\n"
        )
    };
    let well = [
        check("any", "up.health.test A", ""),
        check("all", "UP.health.test a", "expect = [\"192.0.2.2\", \"192.0.2.1\"]"),
        check("text", "up.health.test TXT", "expect = ['\"all well\"']"),
        check("alias", "alias.health.test A", "expect = [\"192.0.2.1\"]"),
        check("long", "long.health.test TXT", ""),
    ];
    let ill = [
        check("nx", "nosuch.health.test A", ""),
        check("other", "up.health.test A", "expect = [\"192.0.2.9\"]"),
        check("nodata", "up.health.test AAAA", ""),
        check("refused", "elsewhere.test A", ""),
    ];
    let body = format!(
        "{}{}[regions.a]\naddresses = [\"127.0.0.1\"]\n\
         check = [\"any\", \"all\", \"text\", \"alias\", \"long\", \"nx\", \"other\", \"nodata\", \"refused\"]\n\
         [[records]]\nname = \"app.site.test\"\npolicy = \"a\"\n",
        well.concat(),
        ill.concat()
    );
    let nameserver = nsd(&dir, port);
    let server = Site::new(&body).serve();
    for name in ["any", "all", "text", "alias", "long"] {
        seen(&server, name, "up", |check| check["state"] == "up");
    }
    let long = seen(&server, "long", "over TCP", |check| check["last"]["connect_ms"].is_f64());
    assert_eq!(long["kind"], json!("dns"));
    for (name, reason) in [
        ("nx", "NXDOMAIN"),
        ("other", "answer lacks 192.0.2.9 (has 192.0.2.1, 192.0.2.2)"),
        ("nodata", "no AAAA record in the answer"),
        ("refused", "REFUSED"),
    ] {
        // Before the nameserver was there, something else was wrong.
        let wanted = |check: &serde_json::Value| {
            check["state"] == "down" && check["last"]["reason"] == reason
        };
        seen(&server, name, reason, wanted);
    }
    drop(nameserver);
    let gone = |check: &serde_json::Value| {
        check["state"] == "down"
            && check["last"]["reason"] == "port unreachable: nothing answers DNS there"
    };
    seen(&server, "any", "gone", gone);
}
