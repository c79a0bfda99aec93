//! The query log: what it says, and that nothing waits for it.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use hickory_proto::rr::RecordType::{A, AAAA, TXT};
use serde_json::{Value, json};
use trimtab::clock::now;
use trimtab::wire::Name;

use crate::harness::{Client, Question, Server, Site, TcpClient, Via, exchange, sent, until};

/// Two regions and a record of each kind of interest.
const BODY: &str = r#"
[[geo.networks]]
prefix = "198.51.100.0/24"
country = "DE"
[regions.east]
addresses = ["192.0.2.1"]
[regions.west]
addresses = ["192.0.2.2"]
[policies.place]
type = "geolocation"
rules = [{ country = "DE", to = "west" }]
default = "east"
[policies.all]
type = "multivalue"
[[records]]
name = "east.site.test"
policy = "east"
ttl = 30
[[records]]
name = "place.site.test"
policy = "place"
[[records]]
name = "all.site.test"
policy = "all"
[[records]]
name = "*.any.site.test"
policy = "east"
"#;

fn site(log: &str) -> Site {
    Site::new(&format!("[query_log]\n{log}\n{BODY}"))
}

fn configure(site: &Site, log: &str) {
    site.configure(&format!("[query_log]\n{log}\n{BODY}"));
}

/// All lines of a file, each of which is JSON.
fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Waits until a file has so many lines.
#[track_caller]
fn wait_for(path: &Path, count: usize) -> Vec<Value> {
    until(&format!("{count} lines in {}", path.display()), || {
        let lines = lines(path);
        assert!(lines.len() <= count, "{lines:#?}");
        (lines.len() == count).then_some(lines)
    })
}

/// Without what differs from run to run, which must be there.
fn said(mut line: Value) -> Value {
    let fields = line.as_object_mut().unwrap();
    let time = fields.remove("time").unwrap();
    let time = humantime::parse_rfc3339(time.as_str().unwrap()).unwrap();
    let age = trimtab::clock::wall().duration_since(time).unwrap();
    assert!(age < Duration::from_secs(60), "{age:?}");
    assert!(fields.remove("generation").unwrap().as_u64().unwrap() > 0);
    line
}

#[test]
fn lines_say_what_was_asked_and_answered_and_by_whom() {
    let site = site("file = \"queries.jsonl\"\nclient = \"address\"");
    let server = site.serve();
    let (v4, v6) = (server.v4, server.v6);
    let of = |prefix: &str| Question::a("place.site.test").options(sent(prefix));
    exchange(Via::Udp, v4, &Question::a("EAST.site.test").wire(1));
    exchange(Via::Tcp, v4, &Question::aaaa("east.site.test").wire(2));
    exchange(Via::Udp, v6, &of("198.51.100.128/25").wire(3));
    exchange(Via::Tcp, v6, &of("203.0.113.0/24").wire(4));
    exchange(Via::Udp, v4, &Question::a("all.site.test").wire(5));
    exchange(Via::Udp, v4, &Question::a("one.any.site.test").wire(6));
    exchange(Via::Udp, v4, &Question::a("nowhere.site.test").wire(7));
    exchange(Via::Udp, v4, &Question::a("elsewhere.test").wire(8));
    exchange(
        Via::Udp,
        v4,
        &Question::new("east.site.test", TXT).options(sent("192.0.2.0/24")).wire(9),
    );
    assert!(server.stop().success());

    let mut found: Vec<_> = lines(&site.path("queries.jsonl")).into_iter().map(said).collect();
    // The order of all is not that in which they were asked: each worker has a queue of its own.
    found.sort_by_key(ToString::to_string);
    let mut wanted = vec![
        json!({"transport": "udp", "client": "127.0.0.1", "name": "east.site.test", "type": "A",
            "rcode": "NOERROR", "record": "east.site.test", "regions": ["east"],
            "reason": "available", "ttl": 30}),
        json!({"transport": "tcp", "client": "127.0.0.1", "name": "east.site.test", "type": "AAAA",
            "rcode": "NOERROR", "record": "east.site.test", "regions": [], "reason": "no_family",
            "ttl": 30}),
        json!({"transport": "udp", "client": "::1", "subnet": "198.51.100.128/25",
            "decided_by": "subnet", "name": "place.site.test", "type": "A", "rcode": "NOERROR",
            "record": "place.site.test", "regions": ["west"], "reason": "available", "ttl": 60}),
        // A subnet for special purposes decides nothing.
        json!({"transport": "tcp", "client": "::1", "subnet": "203.0.113.0/24",
            "name": "place.site.test", "type": "A", "rcode": "NOERROR",
            "record": "place.site.test", "regions": ["east"], "reason": "available", "ttl": 60}),
        json!({"transport": "udp", "client": "127.0.0.1", "name": "one.any.site.test", "type": "A",
            "rcode": "NOERROR", "record": "*.any.site.test", "regions": ["east"],
            "reason": "available", "ttl": 60}),
        json!({"transport": "udp", "client": "127.0.0.1", "name": "nowhere.site.test", "type": "A",
            "rcode": "NXDOMAIN", "ttl": 60}),
        json!({"transport": "udp", "client": "127.0.0.1", "name": "elsewhere.test", "type": "A",
            "rcode": "REFUSED"}),
        json!({"transport": "udp", "client": "127.0.0.1", "subnet": "192.0.2.0/24",
            "name": "east.site.test", "type": "TXT", "rcode": "NOERROR", "ttl": 60}),
    ];
    let both = |regions| {
        json!({"transport": "udp", "client": "127.0.0.1", "name": "all.site.test", "type": "A",
            "rcode": "NOERROR", "record": "all.site.test", "regions": regions,
            "reason": "available", "ttl": 60})
    };
    let orders = [both(["east", "west"]), both(["west", "east"])];
    let at = found.iter().position(|line| orders.contains(line)).expect("both regions");
    found.remove(at);
    wanted.sort_by_key(ToString::to_string);
    assert_eq!(found, wanted);
}

#[test]
fn clients_are_networks_unless_their_addresses_are_asked_for() {
    let site = site("file = \"queries.jsonl\"");
    let server = site.serve();
    let question = Question::a("place.site.test").options(sent("198.51.100.128/25"));
    exchange(Via::Udp, server.v4, &question.wire(1));
    exchange(Via::Udp, server.v6, &Question::a("place.site.test").wire(1));
    assert!(server.stop().success());
    let mut clients: Vec<_> = lines(&site.path("queries.jsonl"))
        .into_iter()
        .map(|line| (line["client"].to_string(), line["subnet"].to_string()))
        .collect();
    clients.sort();
    let wanted = [("\"127.0.0.0/24\"", "\"198.51.100.0/24\""), ("\"::/56\"", "null")];
    assert_eq!(clients, wanted.map(|(client, subnet)| (client.into(), subnet.into())));
}

#[test]
fn names_of_any_octets_make_lines_that_lead_back_to_them() {
    let site = site("file = \"queries.jsonl\"");
    let server = site.serve();
    let mut client = TcpClient::new(server.v4);
    let names: Vec<_> = (0..=255_u8)
        .map(|octet| [&[3, octet, b'"', octet], &b"\x04site\x04test\0"[..]].concat())
        .collect();
    for name in &names {
        let header = [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        let request = [&header[..], name, &[0, 1, 0, 1]].concat();
        client.send(&[&request]);
        assert!(client.receive().is_some());
    }
    assert!(server.stop().success());
    let found = lines(&site.path("queries.jsonl")).into_iter().map(|line| {
        assert_eq!(line["rcode"], "NXDOMAIN");
        Name::from_text(line["name"].as_str().unwrap()).unwrap()
    });
    let wanted = names.iter().map(|name| Name::from_wire(name).unwrap());
    assert_eq!(found.collect::<Vec<_>>(), wanted.collect::<Vec<_>>());
}

#[test]
fn standard_output_takes_lines_and_nothing_else() {
    let site = site("file = \"-\"");
    let (server, stdout) = site.serve_to(Stdio::piped());
    for _ in 0..100 {
        server.ask("east.site.test", A);
    }
    let mut stdout = BufReader::new(stdout.unwrap());
    let mut line = String::new();
    for _ in 0..100 {
        line.clear();
        assert!(stdout.read_line(&mut line).unwrap() > 0);
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["name"], "east.site.test");
    }
    assert!(server.stop().success());
    assert_eq!(stdout.read_line(&mut line).unwrap(), 0, "and nothing else");
}

/// So many questions with a long name, of which few lines fill a queue; each must be answered.
fn ask_long(server: &Server, client: &mut Client, count: usize) -> Duration {
    let label = "l".repeat(60);
    let question = Question::a(&format!("{label}.{label}.{label}.any.site.test"));
    let mut longest = Duration::ZERO;
    for _ in 0..count {
        let start = now();
        assert_eq!(client.ask(&question).addresses().len(), 1, "{}", server.log.text());
        longest = longest.max(now() - start);
    }
    longest
}

const FULL: &str = r#"trimtab_query_log_dropped_total{sink="json",reason="full"}"#;
const LOST: &str = r#"trimtab_query_log_dropped_total{sink="json",reason="lost"}"#;
const WRITTEN: &str = r#"trimtab_query_log_written_total{sink="json"}"#;

#[test]
fn a_pipe_that_nobody_reads_delays_no_answer_and_is_told_of_once() {
    let site = site("file = \"pipe\"");
    let pipe = site.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // It is open at the other end, where nobody reads.
    let mut options = fs::OpenOptions::new();
    let mut reader = options.read(true).custom_flags(libc::O_NONBLOCK).open(&pipe).unwrap();
    let server = site.serve();
    let mut client = server.client();
    let mut asked = 0;
    let full = until("a full queue", || {
        // No answer is late by anything like what the pipe is.
        assert!(ask_long(&server, &mut client, 500) < Duration::from_secs(1));
        asked += 500;
        let full = server.metrics().value(FULL);
        (full > 0.0).then_some(full)
    });
    server.log.wait_for("is not taken by");
    ask_long(&server, &mut client, 500);
    asked += 500;
    assert!(server.metrics().value(FULL) > full);

    // Now somebody reads, and what had room comes out whole.
    let mut text = String::new();
    until("all that was kept", || {
        let mut octets = vec![0; 1 << 20];
        while let Ok(len @ 1..) = reader.read(&mut octets) {
            text.push_str(std::str::from_utf8(&octets[..len]).unwrap());
        }
        let metrics = server.metrics();
        let kept = f64::from(asked) - metrics.value(FULL);
        (metrics.value(WRITTEN) == kept && text.ends_with('\n')).then_some(())
    });
    server.log.wait_for("again");
    assert_eq!(server.log.count("is not taken by"), 1);
    assert_eq!(server.log.count("cannot be written"), 0);
    let metrics = server.metrics();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len() as f64, metrics.value(WRITTEN));
    assert_eq!(metrics.value(LOST), 0.0);
    assert!(server.stop().success());
}

#[test]
fn what_cannot_be_written_is_told_of_once_and_again_when_it_can() {
    let site = site("file = \"logs/queries.jsonl\"");
    let server = site.serve();
    server.ask("east.site.test", A);
    server.log.wait_for("the query log cannot be written to");
    fs::create_dir(site.path("logs")).unwrap();
    server.log.wait_for("the query log is written to");
    // It was kept for as long as that.
    assert_eq!(wait_for(&site.path("logs/queries.jsonl"), 1)[0]["name"], "east.site.test");
    assert_eq!(server.log.count("the query log cannot be written to"), 1);
    assert_eq!(server.metrics().value(WRITTEN), 1.0);
    assert!(server.stop().success());
}

#[test]
fn a_file_that_is_renamed_is_made_anew_on_its_own_and_by_a_reload() {
    let site = site("file = \"queries.jsonl\"");
    let (path, first, second) =
        (site.path("queries.jsonl"), site.path("first"), site.path("second"));
    let server = site.serve();
    server.ask("east.site.test", A);
    wait_for(&path, 1);
    fs::rename(&path, &first).unwrap();
    until("a new file", || path.exists().then_some(()));
    server.ask("all.site.test", A);
    assert_eq!(wait_for(&path, 1)[0]["name"], "all.site.test");
    fs::rename(&path, &second).unwrap();
    assert!(server.reload());
    until("a file after the reload", || path.exists().then_some(()));
    server.ask("east.site.test", AAAA);
    assert_eq!(wait_for(&path, 1)[0]["type"], "AAAA");
    assert_eq!((lines(&first).len(), lines(&second).len()), (1, 1));
    assert!(server.stop().success());
}

#[test]
fn a_reload_switches_it_on_and_off_and_elsewhere() {
    let site = site("");
    let (one, two) = (site.path("one"), site.path("two"));
    let server = site.serve();
    server.ask("east.site.test", A);
    configure(&site, "file = \"one\"");
    assert!(server.reload());
    server.ask("all.site.test", A);
    assert_eq!(wait_for(&one, 1)[0]["name"], "all.site.test");
    configure(&site, "file = \"two\"\nclient = \"address\"");
    assert!(server.reload());
    until("the other file", || two.exists().then_some(()));
    server.ask("place.site.test", A);
    assert_eq!(wait_for(&two, 1)[0]["client"], "127.0.0.1");
    configure(&site, "");
    assert!(server.reload());
    for _ in 0..50 {
        server.ask("east.site.test", A);
    }
    assert!(server.stop().success());
    assert_eq!((lines(&one).len(), lines(&two).len()), (1, 1));
}

/// Of 4,000 answers a quarter is 1,000 with a standard deviation of 27.4; more than six of them away
/// comes once in a thousand million runs.
#[test]
fn a_sample_is_about_that_share() {
    let site = site("file = \"queries.jsonl\"\nsample = 0.25");
    let server = site.serve();
    let mut client = server.client();
    for _ in 0..4000 {
        client.ask(&Question::a("east.site.test"));
    }
    assert!(server.stop().success());
    let count = lines(&site.path("queries.jsonl")).len();
    assert!(count.abs_diff(1000) <= 165, "{count}");
}
