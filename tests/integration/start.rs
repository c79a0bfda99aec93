//! Starts that fail: each says why, and the exit code tells whose fault it is.

use std::net::{TcpListener, UdpSocket};
use std::path::Path;

use rstest::rstest;

use crate::harness::{Site, check, serve_and_fail};

#[rstest]
#[case::ipv4("127.0.0.1:0")]
#[case::ipv6("[::1]:0")]
fn a_port_in_use_is_one_sentence_with_address_and_port(#[case] address: &str) {
    let taken = TcpListener::bind(address).unwrap();
    let address = taken.local_addr().unwrap();
    let site = Site::new("");
    let text = std::fs::read_to_string(site.config()).unwrap();
    let listen = r#"listen = ["127.0.0.1:0", "[::1]:0"]"#;
    assert!(text.contains(listen));
    site.write("trimtab.toml", &text.replace(listen, &format!("listen = [\"{address}\"]")));
    let ended = serve_and_fail(&site.config());
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.sentence().contains(&address.to_string()), "{}", ended.stderr);
    assert!(ended.stderr.contains("another program"), "{}", ended.stderr);
}

#[test]
fn a_udp_port_in_use_likewise() {
    // Taken over UDP, and free over TCP: nothing else here uses this address.
    let taken = UdpSocket::bind("127.0.0.77:0").unwrap();
    let address = taken.local_addr().unwrap();
    let site = Site::new("");
    let text = std::fs::read_to_string(site.config()).unwrap();
    let listen = r#"["127.0.0.1:0", "[::1]:0"]"#;
    site.write("trimtab.toml", &text.replace(listen, &format!("[\"{address}\"]")));
    let ended = serve_and_fail(&site.config());
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.sentence().contains(&format!("{address} (UDP)")), "{}", ended.stderr);
}

#[test]
fn an_admin_port_in_use_likewise() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let site = Site::new("");
    site.configure_admin(&address.to_string(), "");
    let ended = serve_and_fail(&site.config());
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.sentence().contains(&address.to_string()), "{}", ended.stderr);
}

#[test]
fn an_address_that_this_machine_lacks_is_told() {
    let site = Site::new("");
    let text = std::fs::read_to_string(site.config()).unwrap();
    site.write("trimtab.toml", &text.replace("\"127.0.0.1:0\", ", "\"192.0.2.1:5300\", "));
    let ended = serve_and_fail(&site.config());
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.sentence().contains("192.0.2.1:5300"), "{}", ended.stderr);
}

#[test]
fn a_configuration_that_is_not_there() {
    let ended = serve_and_fail(Path::new("/nonexistent/trimtab.toml"));
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("/nonexistent/trimtab.toml"), "{}", ended.stderr);
}

#[test]
fn a_zone_file_that_is_not_there() {
    let site = Site::new("[zones.\"lost.test\"]\nfile = \"lost.zone\"\n");
    let ended = serve_and_fail(&site.config());
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("lost.zone"), "{}", ended.stderr);
}

#[test]
fn a_user_that_is_not_there() {
    let site = Site::of_server("user = \"no-such-user\"", "");
    for ended in [check(&site), serve_and_fail(&site.config())] {
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        let told = "error: server.user: found \"no-such-user\", which is no user of this system";
        assert!(ended.stderr.contains(told), "{}", ended.stderr);
        assert!(ended.stderr.contains("trimtab.toml:5:8"), "{}", ended.stderr);
    }
}

#[test]
fn five_mistakes_are_five_reports() {
    let site = Site::bare(
        r#"version = 1
[server]
listen = ["127.0.0.1"]
[zones."site.test"]
file = "site.zone"
[checks.web]
type = "http"
interval = "1s"
timeout = "2s"
[regions.us-east]
addresses = ["192.0.2.10"]
weight = 70000
check = "wep"
[[records]]
name = "app.site.test"
policy = "weighted"
tll = 30
"#,
    );
    site.write("site.zone", "$TTL 60\n@ SOA ns1 h 1 1 1 1 60\n NS ns1\nns1 A 192.0.2.1\n");
    let mistakes = [
        ("trimtab.toml:3:", "server.listen", "127.0.0.1"),
        ("trimtab.toml:9:", "checks.web.timeout", "2s"),
        ("trimtab.toml:12:", "regions.us-east.weight", "70000"),
        ("trimtab.toml:13:", "regions.us-east.check", "\"web\""),
        ("trimtab.toml:17:", "tll", "\"ttl\""),
    ];
    for ended in [check(&site), serve_and_fail(&site.config())] {
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        for (place, key, part) in mistakes {
            let reports = ended.stderr.split("error: ");
            let found = reports.into_iter().find(|report| report.contains(place));
            let report = found.unwrap_or_else(|| panic!("no report at {place}:\n{}", ended.stderr));
            assert!(report.contains(key) && report.contains(part), "{key}, {part}: {report}");
        }
        assert!(ended.stderr.contains("5 errors"), "{}", ended.stderr);
        assert_eq!(ended.stdout, "");
    }
}
