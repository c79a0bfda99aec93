//! What a server says of itself when it begins to answer.

use std::process::Stdio;

use crate::harness::{Server, Site, serve_command};

const BODY: &str = "[regions.a]\naddresses = [\"192.0.2.1\"]\n\
                    [[records]]\nname = \"app.site.test\"\npolicy = \"a\"\n";

#[test]
fn people_get_a_screen() {
    let site = Site::new(BODY);
    let text = std::fs::read_to_string(site.config()).unwrap();
    site.write("trimtab.toml", &text.replace("format = \"json\"", "format = \"text\""));
    let server = Server::spawn_by(serve_command(&site).stdout(Stdio::null()));
    server.log.wait_for("  state    ");
    let messages = server.log.messages();
    let first = messages.iter().position(|line| line.contains(" INFO answering on ")).unwrap();
    let starts = [
        "  zones    site.test, serial ",
        "  regions  a up, weight 100, 1 of 1 addresses",
        "  records  app.site.test",
        "  on       rate limits, cookies, client subnet",
        "  off      transfers, notify, NSID, admin tokens, admin TLS, query log",
        "  state    ",
    ];
    for (line, start) in messages[first + 1..].iter().zip(starts) {
        assert!(line.starts_with(start), "{start:?}: {line:?}");
    }
}

#[test]
fn programs_get_a_line() {
    let server = Site::new(BODY).serve();
    let text = server.log.text();
    let lines: Vec<_> = text.lines().filter(|line| line.contains("answering on")).collect();
    let [line] = lines[..] else { panic!("{text}") };
    let json: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(json["regions"], "a up, weight 100, 1 of 1 addresses");
    assert_eq!(json["records"], "app.site.test");
    assert_eq!(json["on"], "rate limits, cookies, client subnet");
    assert_eq!(json["generation"], 1);
    assert!(json["zones"].as_str().unwrap().starts_with("site.test, serial "), "{line}");
}
