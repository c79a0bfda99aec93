//! Real secondaries: NSD, Knot and BIND fetch zones from Trimtab, are told when they change, and then
//! have all that Trimtab has.
//!
//! Not part of `cargo test`, which needs nothing but the toolchain: `just secondaries`, with Debian's
//! packages nsd, knot and bind9.

#[allow(dead_code, unused_imports, reason = "the harness of the integration tests")]
#[path = "integration/harness/mod.rs"]
mod harness;
#[path = "secondaries/peer.rs"]
mod peer;
#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use hickory_proto::rr::{Record, RecordType};
use rstest::rstest;
use trimtab::clock::now;

use harness::{Question, Reply, Server, Site, TcpClient, Via, exchange};
use peer::{KEY, Kind, Order, Peer, SECRET, WRONG, free};

/// How long a secondary may take for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// Looks until there is something to see.
fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(now() < deadline, "not within {} s: {what}", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A zone with all kinds of names, and with so many that it takes several messages.
fn zone(serial: u32, more: &str) -> String {
    let mut text = format!(
        "$TTL 300\n@ SOA ns1 hostmaster {serial} 7200 900 1209600 60\n@ NS ns1\nns1 A 192.0.2.53\n\
         @ MX 10 Mail\nMail A 192.0.2.25\n*.wild TXT \"any\"\nhost.wild TXT one\nx.ent A 192.0.2.3\n\
         c1 CNAME c2\nc2 CNAME www\nwww 60 A 192.0.2.1\nwww 60 A 192.0.2.2\nd DNAME e\n\
         x.e A 192.0.2.4\nsub NS ns.sub\nsub NS ns.elsewhere.test.\nsub DS 1 8 2 {digest}\n\
         ns.sub A 192.0.2.54\ndeep.sub AAAA 2001:db8::1\nodd TYPE65280 \\# 3 010203\n\
         svc HTTPS 1 . alpn=h2\nch NS ns.ch\nns.ch A 192.0.2.55\n{more}",
        digest = "00".repeat(32),
    );
    for n in 0..2_000 {
        let _ = write!(text, "h{n} A 10.0.{}.{}\nh{n} TXT \"{n:0>60}\"\n", n / 256, n % 256);
    }
    text
}

/// Dynamic names in a zone without a file.
const DYNAMIC: &str = r#"
[zones."gslb.test"]
nameservers = { "ns1.gslb.test" = ["192.0.2.53"] }
[regions.a]
addresses = ["192.0.2.11", "2001:db8::11"]
[regions.b]
addresses = ["192.0.2.12"]
[policies.first]
type = "failover"
order = ["a", "b"]
[[records]]
name = "all.gslb.test"
policy = "weighted"
ttl = 30
[[records]]
name = "*.first.gslb.test"
policy = "first"
"#;

/// Trimtab with the zone example.test from a file, a child of it, and a dynamic one; who may have them
/// is in `transfer`.
fn primary(transfer: &str, dynamic: &str) -> Site {
    let site = Site::new("");
    let text = std::fs::read_to_string(site.config()).unwrap();
    // The zone that every site has is not needed.
    let (head, _) = text.split_once("[zones.").unwrap();
    let keys = format!("[server.transfer.keys.{KEY}]\nsecret_file = \"secret\"\n");
    let zones = "[zones.\"example.test\"]\nfile = \"example\"\n\
                 [zones.\"ch.example.test\"]\nfile = \"child\"\n";
    let transfer = format!("[server.transfer]\n{transfer}\ndynamic = \"{dynamic}\"\n{keys}");
    site.write("trimtab.toml", &format!("{head}{transfer}{zones}{DYNAMIC}"));
    site.write("secret", SECRET);
    site.write("example", &zone(1, ""));
    site.write(
        "child",
        "$TTL 60\n@ SOA ns h 5 7200 900 1209600 60\n@ NS ns\nns A 192.0.2.55\nwww A 192.0.2.56\n",
    );
    site
}

const ZONES: [&str; 3] = ["example.test", "ch.example.test", "gslb.test"];

/// A record as a line, in lower case: NSD and Knot keep names so, those in data too.
fn line(record: &Record) -> String {
    let Record { name, ttl, data, .. } = record;
    format!("{name} {ttl} {} {data}", record.record_type()).to_lowercase()
}

/// Fails with what is in one only.
#[track_caller]
fn assert_same(theirs: &BTreeSet<String>, ours: &BTreeSet<String>, what: &str) {
    let (more, less) = (theirs.difference(ours), ours.difference(theirs));
    let (more, less): (Vec<_>, Vec<_>) = (more.collect(), less.collect());
    assert!(more.is_empty() && less.is_empty(), "{what}: more {more:?}, less {less:?}");
}

/// All records of a zone, by a transfer without a signature.
fn transferred(from: SocketAddr, zone: &str) -> BTreeSet<String> {
    let mut client = TcpClient::new(from);
    client.send(&[&Question::new(zone, RecordType::AXFR).wire(1)]);
    let (mut all, mut ends) = (BTreeSet::new(), 0);
    while ends < 2 {
        let reply = client.receive().unwrap_or_else(|| panic!("{zone} is cut short"));
        assert!(!reply.message.answers.is_empty(), "{zone}: {}", reply.text());
        for record in &reply.message.answers {
            ends += u32::from(record.record_type() == RecordType::SOA);
            all.insert(line(record));
        }
    }
    all
}

/// The serial that a server answers with, if it has the zone.
fn serial(at: SocketAddr, zone: &str) -> Option<String> {
    let mut client = TcpClient::try_new(at).ok()?;
    client.send(&[&Question::new(zone, RecordType::SOA).wire(1)]);
    let reply = client.receive()?;
    let soa = reply.message.answers.first()?.data.to_string();
    soa.split(' ').nth(2).map(str::to_owned)
}

/// What a reply says, in any order.
fn said(reply: &Reply) -> (String, BTreeSet<String>, BTreeSet<String>) {
    let lines = |records: &[Record]| records.iter().map(line).collect::<BTreeSet<_>>();
    let message = &reply.message;
    // What is beside an answer is every server's own choice.
    let authority = match message.answers.is_empty() {
        true => lines(&message.authorities),
        false => BTreeSet::new(),
    };
    let code = format!("{:?}", message.metadata.response_code);
    (code, lines(&message.answers), authority)
}

/// Asks both for every name of the zone, and some others, and compares what they say.
fn compare(primary: SocketAddr, secondary: SocketAddr, zone: &str) {
    let records = transferred(primary, zone);
    assert_same(&transferred(secondary, zone), &records, zone);
    let names: BTreeSet<_> = records.iter().filter_map(|line| line.split(' ').next()).collect();
    let (mut ours, mut theirs) = (TcpClient::new(primary), TcpClient::new(secondary));
    let mut asked = 0;
    for name in names {
        let plain = name.replacen("*.", "", 1);
        for name in [name.to_owned(), format!("nope.{plain}")] {
            for rtype in [RecordType::A, RecordType::AAAA, RecordType::TXT, RecordType::MX] {
                let question = Question::new(&name, rtype).wire(7);
                let ask = |client: &mut TcpClient, at: SocketAddr| loop {
                    client.send(&[&question]);
                    match client.receive() {
                        Some(reply) => break said(&reply),
                        // NSD closes connections when it has taken a zone over.
                        None => *client = TcpClient::new(at),
                    }
                };
                let theirs = ask(&mut theirs, secondary);
                assert_eq!(theirs, ask(&mut ours, primary), "{name} {rtype}");
                asked += 1;
            }
        }
    }
    println!("{zone}: {} records, {asked} answers alike", records.len());
}

/// Asks both for static names only: dynamic ones are answered otherwise by each.
fn compare_records(server: &Server, at: SocketAddr, zone: &str) -> BTreeSet<String> {
    let records = transferred(at, zone);
    assert_same(&records, &transferred(server.v4, zone), zone);
    records
}

#[rstest]
fn a_secondary_has_what_trimtab_has(
    #[values(Kind::Nsd, Kind::Knot, Kind::Bind)] kind: Kind,
    #[values(false, true)] signed: bool,
    #[values("omit", "snapshot")] dynamic: &str,
) {
    let at = free();
    // The transfers that are compared at the end are not signed.
    let transfer = match signed {
        true => format!(
            "allow = [\"127.0.0.1\"]\ntsig_keys = [\"{KEY}\"]\n\
             notify = [{{ address = \"{at}\", key = \"{KEY}\" }}]"
        ),
        false => format!("allow = [\"127.0.0.0/8\"]\nnotify = [\"{at}\"]"),
    };
    let site = primary(&transfer, dynamic);
    let server = site.serve();
    let secret = signed.then_some(SECRET);
    let mut peer = Peer::start(Order { kind, at, primary: server.v4, zones: &ZONES, secret });
    for zone in ZONES {
        let wanted = serial(server.v4, zone);
        wait(&format!("{kind:?} has {zone}"), || {
            assert!(peer.runs(), "{kind:?} has ended");
            (serial(at, zone) == wanted).then_some(())
        });
    }
    compare(server.v4, at, "example.test");
    compare(server.v4, at, "ch.example.test");
    let fixed = compare_records(&server, at, "gslb.test");
    let fixed: BTreeSet<_> =
        fixed.iter().filter(|line| !line.starts_with("gslb") && !line.starts_with("ns1")).collect();
    let wanted: &[&str] = match dynamic {
        "omit" => &[],
        _ => &[
            "*.first.gslb.test. 60 a 192.0.2.11",
            "*.first.gslb.test. 60 aaaa 2001:db8::11",
            "all.gslb.test. 30 a 192.0.2.11",
            "all.gslb.test. 30 a 192.0.2.12",
            "all.gslb.test. 30 aaaa 2001:db8::11",
        ],
    };
    assert_eq!(fixed.into_iter().collect::<Vec<_>>(), wanted);

    // Its next look at the serial would be in two hours. The last one has wrapped around (RFC 1982).
    for round in [2, 2_000_000_000, 4_000_000_000, 5] {
        let added = format!("new{round} A 192.0.2.77\nx.sub TXT \"round {round}\"\n");
        site.write("example", &zone(round, &added));
        assert!(server.reload());
        wait(&format!("{kind:?} has serial {round}"), || {
            (serial(at, "example.test") == serial(server.v4, "example.test")).then_some(())
        });
    }
    // It may answer with the new serial before it gives it on.
    wait("it gives on what it has", || {
        (transferred(at, "example.test") == transferred(server.v4, "example.test")).then_some(())
    });
    compare(server.v4, at, "example.test");
    let notified = |result: &str| {
        let series = format!("trimtab_notifies_total{{secondary=\"{at}\",result=\"{result}\"}}");
        server.metrics().value(&series)
    };
    wait("all that it was told of is answered", || (notified("answered") >= 7.0).then_some(()));
    assert_eq!((notified("refused"), notified("unanswered")), (0.0, 0.0));
}

#[rstest]
fn a_wrong_key_gets_nothing(#[values(Kind::Nsd, Kind::Knot, Kind::Bind)] kind: Kind) {
    let at = free();
    let transfer = format!(
        "allow = [\"127.0.0.1\"]\ntsig_keys = [\"{KEY}\"]\n\
         notify = [{{ address = \"{at}\", key = \"{KEY}\" }}]"
    );
    let site = primary(&transfer, "omit");
    let server = site.serve();
    let secret = Some(WRONG);
    let mut peer = Peer::start(Order { kind, at, primary: server.v4, zones: &ZONES, secret });
    wait("a wrong signature", || {
        assert!(peer.runs(), "{kind:?} has ended");
        let failures = server.metrics().value("trimtab_dns_tsig_failures_total{error=\"BADSIG\"}");
        (failures >= 3.0).then_some(())
    });
    for zone in ZONES {
        assert_eq!(serial(at, zone), None, "{zone}");
    }
    assert_eq!(server.metrics().value("trimtab_dns_transfers_total{result=\"sent\"}"), 0.0);
}

#[rstest]
fn a_refused_zone_is_not_had(#[values(Kind::Nsd, Kind::Knot, Kind::Bind)] kind: Kind) {
    let at = free();
    let site = primary(&format!("allow = [\"127.0.0.1\"]\nnotify = [\"{at}\"]"), "refuse");
    let server = site.serve();
    let order = Order { kind, at, primary: server.v4, zones: &ZONES, secret: None };
    let _peer = Peer::start(order);
    wait("it has the others", || serial(at, "example.test").and(serial(at, "ch.example.test")));
    wait("it has asked for the dynamic one", || {
        let refused = server.metrics().value("trimtab_dns_transfers_total{result=\"refused\"}");
        (refused >= 1.0).then_some(())
    });
    assert_eq!(serial(at, "gslb.test"), None);
    let udp = exchange(Via::Udp, server.v4, &Question::new("gslb.test", RecordType::SOA).wire(1));
    assert_eq!(udp.message.answers.len(), 1, "Trimtab itself answers");
}
