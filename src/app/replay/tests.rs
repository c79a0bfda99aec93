//! Replays of small logs by small configurations.

use std::io::Cursor;

use super::run::replay_of;
use super::*;
use crate::app::explain::assume;
use crate::app::{Loaded, load};
use crate::routing::Snapshot;

const HEAD: &str = r#"version = 1
[zones."site.test"]
file = "site.zone"
[zones."other.test"]
nameservers = { "ns.other.test" = ["192.0.2.53"] }
[regions.a]
addresses = ["192.0.2.1", "2001:db8::1"]
[regions.b]
addresses = ["192.0.2.2"]
[[geo.networks]]
prefix = "8.8.0.0/16"
country = "US"
[[geo.networks]]
prefix = "5.5.0.0/16"
country = "DE"
"#;
const ZONE: &str = "$TTL 300\n@ SOA ns1 admin 1 7200 900 86400 60\n NS ns1\nns1 A 192.0.2.53\n\
                    www CNAME app\naway CNAME app.other.test.\nfixed A 192.0.2.9\n";

/// A configuration, and what it answers with.
fn world(body: &str) -> (Loaded, Snapshot) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("trimtab.toml");
    std::fs::write(&path, format!("{HEAD}{body}")).unwrap();
    std::fs::write(dir.path().join("site.zone"), ZONE).unwrap();
    let loaded = load(&path, &Default::default(), &mut |_, _| 0);
    let loaded = loaded.unwrap_or_else(|problems| panic!("{}", problems.render(false)));
    let snapshot = assume(&loaded.assembly, &[]).unwrap();
    (loaded, snapshot)
}

/// A line without EDNS Client Subnet.
fn plain(client: &str, name: &str, qtype: &str) -> String {
    format!(r#"{{"client":"{client}","name":"{name}","type":"{qtype}","rcode":"NOERROR"}}"#)
}

fn subnet(client: &str, subnet: &str, name: &str) -> String {
    plain(client, name, "A").replace(r#""name""#, &format!(r#""subnet":"{subnet}","name""#))
}

fn run(before: &str, after: &str, lines: &[String]) -> Report {
    run_of(before, after, lines, 1000).unwrap()
}

fn run_of(before: &str, after: &str, lines: &[String], most: usize) -> Result<Report, Error> {
    let ((_, first), (loaded, second)) = (world(before), world(after));
    let log = Log::of("a log", Cursor::new(lines.join("\n")));
    replay_of(vec![log], [&first, &second], &loaded.clients, most)
}

/// From, to, how many.
fn moves(part: &Part) -> Vec<(String, String, f64)> {
    let name = |goal: &Goal| match goal {
        Goal::Region(name) => name.clone(),
        other => format!("{other:?}"),
    };
    part.moves.iter().map(|flow| (name(&flow.from), name(&flow.to), flow.queries)).collect()
}

fn of(from: &str, to: &str, queries: f64) -> (String, String, f64) {
    (from.into(), to.into(), queries)
}

const TO_A: &str = "[[records]]\nname = \"app.site.test\"\npolicy = \"a\"\n";
/// Germans to b, all others to a.
const BY_PLACE: &str = r#"
[policies.place]
type = "geolocation"
rules = [{ country = "DE", to = "b" }]
default = "a"
[[records]]
name = "app.site.test"
policy = "place"
"#;

#[test]
fn the_subnet_decides_who_the_client_is_and_else_the_source() {
    let lines = [
        plain("5.5.1.1", "app.site.test", "A"),
        subnet("5.5.1.1", "8.8.8.0/24", "app.site.test"),
        subnet("8.8.8.8", "5.5.2.0/24", "app.site.test"),
        // A subnet in a special-purpose block says nothing.
        subnet("5.5.1.1", "10.0.0.0/24", "app.site.test"),
        plain("60.0.0.1", "app.site.test", "A"),
    ];
    let report = run(TO_A, BY_PLACE, &lines);
    assert_eq!((report.all.queries, report.all.moved), (5, 3.0));
    assert_eq!(moves(&report.all), [of("a", "b", 3.0)]);
    let countries = report.by_country.iter();
    let countries: Vec<_> =
        countries.map(|of| (of.country.as_deref(), of.part.queries, of.part.moved)).collect();
    assert_eq!(countries, [(Some("DE"), 3, 3.0), (Some("US"), 1, 0.0), (None, 1, 0.0)]);
    assert_eq!(report.networks, 4, "5.5.1.0/24 asked twice");
    assert_eq!(report.networks_moved, 0.5);

    // Where the new one does not look at subnets, sources decide.
    let off = format!("[geo]\nclient_subnet = false\n{BY_PLACE}");
    let report = run(TO_A, &off, &lines);
    assert_eq!(report.all.moved, 3.0);
    assert_eq!(moves(&run(TO_A, &off, &lines[2..3]).all), []);
}

#[test]
fn names_that_one_configuration_has_are_told() {
    let more = "[[records]]\nname = \"*.new.site.test\"\npolicy = \"b\"\n\
                [[records]]\nname = \"app.other.test\"\npolicy = \"b\"\n";
    let lines = [
        plain("5.5.1.1", "app.site.test", "A"),
        plain("5.5.1.1", "x.new.site.test", "A"),
        plain("5.5.1.1", "y.new.site.test", "A"),
        plain("5.5.1.1", "x.new.site.test", "AAAA"),
        plain("5.5.1.1", "app.other.test", "A"),
        plain("5.5.1.1", "fixed.site.test", "A"),
        plain("5.5.1.1", "nowhere.site.test", "A"),
        plain("5.5.1.1", "elsewhere.test", "A"),
        plain("5.5.1.1", "app.site.test", "TXT"),
    ];
    let report = run(TO_A, more, &lines);
    assert_eq!((report.all.queries, report.read.other_names, report.read.other_types), (5, 3, 1));
    assert_eq!(
        (report.all.lost, report.all.gained, report.all.otherwise, report.all.moved),
        (1.0, 3.0, 1.0, 0.0)
    );
    let of_record = |of: &OfRecord| (of.old_record.clone(), of.new_record.clone(), of.part.queries);
    let name = |text: &str| Some(text.to_owned());
    let mut records: Vec<_> = report.by_record.iter().map(of_record).collect();
    records.sort();
    assert_eq!(
        records,
        [
            (None, name("*.new.site.test"), 1),
            (None, name("*.new.site.test"), 2),
            (None, name("app.other.test"), 1),
            (name("app.site.test"), None, 1),
        ]
    );
    // An IPv4-only region has nothing for AAAA, which is another kind of nothing than before.
    assert!(moves(&report.all).contains(&of("NoSuchName", "NoAddress", 1.0)));
}

#[test]
fn aliases_lead_to_records_unless_the_client_asks_again() {
    let lines = [
        plain("5.5.1.1", "www.site.test", "A"),
        subnet("8.8.8.8", "5.5.2.0/24", "www.site.test"),
        subnet("8.8.8.8", "5.5.2.0/24", "app.site.test"),
    ];
    // In use is what looks at the client: a CNAME before that stands in a reply of its own.
    let report = run(BY_PLACE, TO_A, &lines);
    assert_eq!((report.all.queries, report.read.led_on), (2, 1));
    assert_eq!(moves(&report.all), [of("b", "a", 2.0)]);
    // The other way round it is the other configuration that has a reply of its own for it.
    let report = run(TO_A, BY_PLACE, &lines);
    assert_eq!((report.all.queries, report.read.led_on), (3, 0));
    assert_eq!(moves(&report.all), [of("a", "b", 3.0)]);
    // In another zone, the name is asked for anew.
    let other = format!("{TO_A}[[records]]\nname = \"app.other.test\"\npolicy = \"b\"\n");
    let report = run(&other, TO_A, &[plain("5.5.1.1", "away.site.test", "A")]);
    assert_eq!((report.all.queries, report.read.other_names), (0, 1));
}

#[test]
fn rings_ttls_and_addresses_are_compared() {
    let ring = "[policies.ring]\ntype = \"multivalue\"\n[[records]]\nname = \"app.site.test\"\n\
                policy = \"ring\"\nttl = 20\n";
    let lines = [plain("5.5.1.1", "app.site.test", "A"), plain("5.5.1.1", "app.site.test", "AAAA")];
    let report = run(TO_A, ring, &lines);
    // Half of the ring is a's, but for IPv6, which b does not have.
    assert_eq!(moves(&report.all), [of("a", "b", 0.5)]);
    assert_eq!(report.all.ttl, Some(Ttl { before: 60.0, after: 20.0 }));
    let types: Vec<_> = report.by_type.iter().map(|of| (of.qtype, of.part.moved)).collect();
    assert_eq!(types, [("A", 0.5), ("AAAA", 0.0)]);

    let own = format!("{TO_A}endpoints.a = [\"192.0.2.77\"]\n");
    let report = run(TO_A, &own, &lines[..1]);
    assert_eq!((report.all.moved, report.all.readdressed), (0.0, 1.0));
}

#[test]
fn what_is_the_same_moves_nobody() {
    let sticky = "[policies.main]\ntype = \"weighted\"\nweights = { a = 1, b = 1 }\n\
                  sticky = \"client\"\n[[records]]\nname = \"app.site.test\"\npolicy = \"main\"\n";
    let lines = (0..50).map(|n| plain(&format!("5.5.{n}.0/24"), "app.site.test", "A"));
    let lines: Vec<_> = lines.collect();
    for body in [TO_A, BY_PLACE, sticky] {
        let report = run(body, body, &lines);
        assert_eq!((report.all.queries, report.networks), (50, 50));
        assert_eq!((report.all.changed(), report.all.readdressed), (0.0, 0.0), "{body}");
        assert_eq!((report.read.blurred, report.read.coarse), (50, 0));
    }
    // Those that keep to a: none of them has a fraction of an answer.
    let report = run(sticky, TO_A, &lines);
    assert_eq!(report.all.moved.fract(), 0.0);
    assert!((10.0..40.0).contains(&report.all.moved), "{}", report.all.moved);
}

#[test]
fn networks_in_which_clients_are_told_apart_are_counted() {
    let finer = BY_PLACE.replace("country = \"DE\"", "prefix = \"5.5.1.128/25\"");
    let lines = [
        plain("5.5.1.0/24", "app.site.test", "A"),
        plain("5.5.1.200", "app.site.test", "A"),
        plain("5.5.2.0/24", "app.site.test", "A"),
        subnet("60.0.0.0/24", "5.5.1.0/24", "app.site.test"),
    ];
    let report = run(TO_A, &finer, &lines);
    assert_eq!((report.read.blurred, report.read.coarse), (3, 2));
    assert_eq!(moves(&report.all), [of("a", "b", 1.0)], "only who was logged with an address");
}

#[test]
fn what_has_no_room_is_said() {
    let lines: Vec<_> =
        (0..9).map(|n| plain(&format!("5.5.{n}.1"), "app.site.test", "A")).collect();
    let report = run_of(TO_A, BY_PLACE, &lines, 4).unwrap();
    assert_eq!((report.networks, report.networks_at_least), (4, true));
    assert_eq!((report.all.queries, report.all.moved), (9, 9.0));
}

#[test]
fn lines_that_cannot_be_read_are_shown_but_for_a_log_of_nothing_else() {
    let lines = ["{".into(), plain("5.5.1.1", "app.site.test", "A"), plain("5.5.1.1", "a..b", "A")];
    let report = run(TO_A, BY_PLACE, &lines);
    assert_eq!((report.all.queries, report.read.unreadable), (1, 2));
    let unread: Vec<_> = report.read.unread.iter().map(|unread| unread.line).collect();
    assert_eq!(unread, [1, 3]);
    assert!(report.read.unread[1].why.contains("a..b"), "{:?}", report.read.unread);

    let error = run_of(TO_A, BY_PLACE, &lines[..1], 10).unwrap_err().to_string();
    assert!(error.starts_with("no line of the query log could be read; the first: a log:1: "));
    let error = run_of(TO_A, BY_PLACE, &[], 10).unwrap_err().to_string();
    assert_eq!(error, "no line of the query log could be read: it is empty");
}
