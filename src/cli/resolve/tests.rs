//! What is told against what the engine really answers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;

use domain::base::iana::Rtype;

use super::*;
use crate::app::Loaded;
use crate::dns::RecordText;
use crate::dns::engine::{Located, Shared, Transport, Verdict, Worker, finish, locate};
use crate::metrics::{Metrics, Proto};
use crate::model::{Family, RegionId, Shifted};
use crate::routing::explain::Explanation;
use crate::routing::{Forces, Inputs, Secret, Snapshot, compile};
use crate::wire::Name;

const REGIONS: usize = 5;

const ZONE: &str = "\
$TTL 300
@ SOA ns1 hostmaster 1 7200 900 1209600 60
@ NS ns1
ns1 A 192.0.2.53
www CNAME app
other CNAME app.other.test.
lost CNAME nowhere
static A 192.0.2.80
sub NS ns.sub
ns.sub A 192.0.2.54
d DNAME e
";

/// A configuration with the record `app` and the policies given.
fn load(policies: &str, records: &str) -> Loaded {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("site.zone"), ZONE).unwrap();
    std::fs::write(
        dir.path().join("other.zone"),
        "$TTL 300\n@ SOA a b 1 1 1 1 60\n@ NS a\na A 192.0.2.9\n",
    )
    .unwrap();
    let mut text = String::from(
        "version = 1\n[zones.\"site.test\"]\nfile = \"site.zone\"\n[zones.\"other.test\"]\nfile = \"other.zone\"\n",
    );
    for n in 0..REGIONS {
        // The last has no IPv6, and more addresses than an answer has room for.
        let addresses: Vec<String> = match n {
            4 => (1..=10).map(|host| format!("\"192.0.2.{}\"", 100 + host)).collect(),
            _ => vec![format!("\"192.0.2.{n}\""), format!("\"2001:db8::{n}\"")],
        };
        let (addresses, weight) = (addresses.join(", "), 10 * (n + 1));
        let _ = writeln!(text, "[regions.r{n}]\naddresses = [{addresses}]\nweight = {weight}");
    }
    let _ = writeln!(text, "{policies}\n{records}");
    let path = dir.path().join("trimtab.toml");
    std::fs::write(&path, text).unwrap();
    match crate::app::load(&path, &Default::default(), &mut |_, _| 0) {
        Ok(loaded) => loaded,
        Err(problems) => panic!("{}", problems.render(false)),
    }
}

fn question(name: &str, qtype: Rtype) -> Question {
    Question { name: Name::from_text(name).unwrap(), qtype, from: None }
}

fn told(loaded: &Loaded, question: &Question, down: &[&str]) -> Told {
    let down: Vec<String> = down.iter().map(ToString::to_string).collect();
    let snapshot = assume(&loaded.assembly, &down).ok().unwrap();
    tell(&snapshot, &loaded.clients, question, &down).ok().unwrap()
}

/// Nested policies at random: each may name the regions and the policies before it.
fn policies(rng: &mut fastrand::Rng) -> String {
    let mut text = String::new();
    for policy in 0..4 {
        let mut names: Vec<String> = (0..REGIONS).map(|n| format!("r{n}")).collect();
        names.extend((0..policy).map(|n| format!("p{n}")));
        rng.shuffle(&mut names);
        names.truncate(rng.usize(2..5));
        if rng.bool() {
            let weights: Vec<_> =
                names.iter().map(|n| format!("{n} = {}", rng.u16(0..4))).collect();
            let weights = weights.join(", ");
            let _ = writeln!(
                text,
                "[policies.p{policy}]\ntype = \"weighted\"\nweights = {{ {weights} }}"
            );
        } else {
            let (first, rest) = names.split_at(rng.usize(1..names.len()));
            let list = |names: &[String]| {
                names.iter().map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(", ")
            };
            let spill = rng.bool();
            let order = format!("[[{}], {}]", list(first), list(rest));
            let _ = writeln!(
                text,
                "[policies.p{policy}]\ntype = \"failover\"\norder = {order}\nspill = {spill}"
            );
        }
    }
    text
}

/// The addresses of so many replies of the engine, each as a set, and how often each came.
fn drawn(
    snapshot: &Snapshot,
    question: &Question,
    times: u32,
) -> BTreeMap<(u32, BTreeSet<IpAddr>), u32> {
    let qtype = question.qtype.to_int();
    let mut request = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    request.extend(question.name.as_wire());
    request.extend(qtype.to_be_bytes());
    request.extend([0, 1]);
    let block = Metrics::new().block(Proto::Tcp, Family::V4, false);
    let mut worker = Worker::new(block, 11, Arc::new(Shared::with_secret(Secret([0; 16]))));
    let mut at = Located::default();
    let mut seen = BTreeMap::new();
    for _ in 0..times {
        let mut buffer = vec![0; 65_535];
        buffer[..request.len()].copy_from_slice(&request);
        locate(snapshot, [127, 0, 0, 1].into(), &request, &mut at);
        let Verdict::Reply(len) = finish(snapshot, &at, Transport::Tcp, &mut buffer, &mut worker)
        else {
            panic!("no reply")
        };
        let message = hickory_proto::op::Message::from_vec(&buffer[..len]).unwrap();
        let records = message.answers.iter().chain(&message.authorities);
        let ttl = records.last().unwrap().ttl;
        let addresses = message.answers.iter().filter_map(|record| record.data.ip_addr());
        *seen.entry((ttl, addresses.collect())).or_default() += 1;
    }
    seen
}

/// The sets of addresses that an explanation says can be answered, with TTL and probability.
fn promised(explanation: &Explanation) -> BTreeMap<(u32, BTreeSet<IpAddr>), f64> {
    let mut all = BTreeMap::new();
    for answers in &explanation.answers {
        for start in 0..answers.sets {
            let ring = answers.addresses.iter().cycle().skip(start);
            let set = ring.take(usize::from(answers.at_once)).copied().collect();
            *all.entry((answers.ttl, set)).or_default() += answers.probability;
        }
    }
    all
}

/// What is explained is what is drawn: chi-square over 3,000 replies of the engine for each of 40
/// seeded configurations and healths. There are at most 14 sets and an empty answer, so 14 degrees of
/// freedom: 50 is exceeded with probability 6e-6 each; the seeds are fixed, so the test is too.
#[test]
fn answers_are_drawn_as_explained() {
    const TIMES: u32 = 3_000;
    let mut rng = fastrand::Rng::with_seed(5);
    let (mut many, mut all_down) = (0, 0);
    for round in 0..40 {
        let policies = policies(&mut rng);
        let record = "[[records]]\nname = \"app.site.test\"\npolicy = \"p3\"\n";
        let loaded = load(&policies, record);
        let names: Vec<String> = (0..REGIONS).map(|n| format!("r{n}")).collect();
        let few = rng.usize(0..=REGIONS);
        let mut down: Vec<&str> = names.iter().map(String::as_str).collect();
        rng.shuffle(&mut down);
        down.truncate(few);
        let qtype = if round % 2 == 0 { Rtype::A } else { Rtype::AAAA };
        let question = question("app.site.test", qtype);
        let explanation = told(&loaded, &question, &down).explanation.unwrap();
        let promised = promised(&explanation);
        assert!((promised.values().sum::<f64>() - 1.0).abs() < 1e-9, "{policies}");
        let down: Vec<String> = down.iter().map(ToString::to_string).collect();
        let snapshot = assume(&loaded.assembly, &down).ok().unwrap();
        let drawn = drawn(&snapshot, &question, TIMES);
        for set in drawn.keys() {
            assert!(promised.contains_key(set), "{set:?}: {promised:?}\n{policies} {down:?}");
        }
        let of = |set| f64::from(drawn.get(set).copied().unwrap_or_default());
        let wanted = |p: &f64| p * f64::from(TIMES);
        let chi: f64 =
            promised.iter().map(|(set, p)| (of(set) - wanted(p)).powi(2) / wanted(p)).sum();
        assert!(chi < 50.0, "{chi}: {drawn:?} {promised:?}\n{policies} {down:?}");
        many += u32::from(promised.len() > 1);
        all_down += u32::from(explanation.all_down);
    }
    assert!(many >= 10 && all_down >= 3, "{many} with a choice, {all_down} all down");
}

#[test]
fn names_lead_to_records_or_not() {
    let records = "\
[[records]]\nname = \"app.site.test\"\npolicy = \"r0\"
[[records]]\nname = \"*.apps.site.test\"\npolicy = \"r1\"
[[records]]\nname = \"app.other.test\"\npolicy = \"r2\"";
    let loaded = load("", records);
    let told = |name: &str| {
        let told = told(&loaded, &question(name, Rtype::A), &[]);
        let record = told.explanation.map(|explanation| explanation.record);
        (record, told.chain.len(), told.anew, told.reply.map(|reply| reply.rcode))
    };
    let dynamic = |record: &str, chain, anew| (Some(record.to_string()), chain, anew, None);
    let fixed = |rcode: &str| (None, 0, false, Some(rcode.to_string()));
    assert_eq!(told("app.site.test"), dynamic("app.site.test", 0, false));
    assert_eq!(told("APP.site.test."), dynamic("app.site.test", 0, false));
    assert_eq!(told("www.site.test"), dynamic("app.site.test", 1, false));
    assert_eq!(told("a.b.apps.site.test"), dynamic("*.apps.site.test", 0, false));
    assert_eq!(told("*.apps.site.test"), dynamic("*.apps.site.test", 0, false));
    assert_eq!(told("other.site.test"), dynamic("app.other.test", 1, true));
    assert_eq!(told("static.site.test"), fixed("NOERROR"));
    assert_eq!(told("apps.site.test"), fixed("NOERROR"));
    assert_eq!(told("x.sub.site.test"), fixed("NOERROR"));
    assert_eq!(told("nope.site.test"), fixed("NXDOMAIN"));
    assert_eq!(told("lost.site.test"), fixed("NXDOMAIN"));
    assert_eq!(told("x.d.site.test"), fixed("NXDOMAIN"));
    assert_eq!(told("elsewhere.test"), fixed("REFUSED"));
}

#[test]
fn a_type_without_a_policy_is_told_as_served() {
    let loaded = load("", "[[records]]\nname = \"app.site.test\"\npolicy = \"r0\"");
    let reply = |name: &str, qtype| told(&loaded, &question(name, qtype), &[]).reply.unwrap();
    let texts = |records: &[RecordText]| {
        let text = |r: &RecordText| format!("{} {} {} {}", r.name, r.ttl, r.rtype, r.data);
        records.iter().map(text).collect::<Vec<_>>()
    };
    let soa = "site.test 60 SOA ns1.site.test. hostmaster.site.test. 1 7200 900 1209600 60";
    assert_eq!(texts(&reply("app.site.test", Rtype::TXT).authority), [soa]);
    assert_eq!(
        texts(&reply("x.d.site.test", Rtype::A).answer),
        ["d.site.test 300 DNAME e.site.test.", "x.d.site.test 300 CNAME x.e.site.test."]
    );
    let asked = told(&loaded, &question("app.site.test", Rtype::TXT), &[]);
    assert_eq!(asked.dynamic.as_deref(), Some("app.site.test"));
    assert_eq!(told(&loaded, &question("static.site.test", Rtype::TXT), &[]).dynamic, None);
    let any = reply("static.site.test", Rtype::ANY);
    assert_eq!(any.answer[0].rtype, "HINFO");
    assert_eq!(reply("app.site.test", Rtype::AXFR).rcode, "REFUSED");
}

#[test]
fn a_region_that_is_unknown_is_a_mistake_in_usage() {
    let loaded = load("", "[[records]]\nname = \"app.site.test\"\npolicy = \"weighted\"");
    let error = |name: &str| match assume(&loaded.assembly, &[name.to_string()]) {
        Err(unknown @ NoExplanation::UnknownRegion { .. }) => unknown.to_string(),
        _ => panic!("{name} was taken"),
    };
    assert_eq!(error("r9"), "unknown region \"r9\": did you mean r0?");
    assert_eq!(
        error("frankfurt"),
        "unknown region \"frankfurt\": the regions are r0, r1, r2, r3, r4"
    );
}

#[test]
fn what_is_told_as_json_is_read_again() {
    let policies = "[policies.near]\ntype = \"failover\"\norder = [[\"r0\", \"r1\"], \"r4\"]\n\
                    [policies.many]\ntype = \"multivalue\"";
    let records = "[[records]]\nname = \"app.site.test\"\npolicy = \"near\"\n\
                   [[records]]\nname = \"many.site.test\"\npolicy = \"many\"";
    let loaded = load(policies, records);
    for (name, down) in
        [("app.site.test", &["r0"][..]), ("many.site.test", &[]), ("static.site.test", &[])]
    {
        let from = "192.0.2.0/24".parse().unwrap();
        let question = Question { from: Some(from), ..question(name, Rtype::A) };
        let told = told(&loaded, &question, down);
        let json = serde_json::to_string(&told).unwrap();
        assert_eq!(serde_json::from_str::<Told>(&json).unwrap(), told, "{json}");
    }
}

#[test]
fn endpoints_that_are_names_are_shown_by_them_and_never_looked_up() {
    let records = r#"
        [[records]]
        name = "app.site.test"
        policy = "weighted"
        [records.endpoints]
        r0 = { alias = "lb-0.example.net" }
        r1 = ["192.0.2.1"]
        [[records]]
        name = "led.site.test"
        policy = "weighted"
        [records.endpoints]
        r0 = { cname = "a.example.net" }
        r1 = { cname = "b.example.net" }
    "#;
    let loaded = load("", records);
    let text = |name: &str, qtype| text::render(&told(&loaded, &question(name, qtype), &[]), false);
    let app = text("www.site.test", Rtype::A);
    for line in [
        "r0  alias lb-0.example.net (not looked up) ",
        "66.67 %  192.0.2.1 (r1), TTL 60 s, scope /0",
        "33.33 %  the addresses of lb-0.example.net, not looked up (r0), TTL 60 s, scope /0",
    ] {
        assert!(app.contains(line), "{line} in\n{app}");
    }
    for qtype in [Rtype::A, Rtype::AAAA, Rtype::MX] {
        let led = text("led.site.test", qtype);
        for line in [
            "record led.site.test",
            "regions, for every type",
            "r0  up, CNAME a.example.net ",
            "66.67 %  CNAME b.example.net (r1), TTL 60 s, scope /0",
        ] {
            assert!(led.contains(line), "{line} in\n{led}");
        }
        assert!(!led.contains("led on by"), "{led}");
    }
    let down = told(&loaded, &question("led.site.test", Rtype::TXT), &["r1"]);
    let down = text::render(&down, false);
    assert!(down.contains("100 %  CNAME a.example.net (r0)"), "{down}");
}

/// A shift is told side by side, and who answers in whose place.
#[test]
fn a_shift_is_told_as_it_is_served() {
    let loaded = load(
        "[policies.main]\ntype = \"failover\"\norder = [\"r0\", \"r1\"]",
        "[[records]]\nname = \"app.site.test\"\npolicy = \"main\"",
    );
    let (from, to) = (RegionId(0), RegionId(3));
    let assembly = Arc::new(loaded.assembly.with_place(from, to, None).unwrap());
    let ask = |part| {
        let mut forces = Forces::default();
        forces.on_region(from).shifted = Some(Shifted { to, part });
        let calm = assume(&assembly, &[]).ok().unwrap().inputs();
        let inputs = Inputs { forces: Arc::new(forces), ..calm };
        let snapshot = compile(None, &assembly, &inputs);
        let question = question("app.site.test", Rtype::A);
        tell(&snapshot, &loaded.clients, &question, &[]).ok().unwrap()
    };
    let path = |told: &Told| {
        let text = text::render(told, true);
        let (_, path) = text.split_once("share of the answers\n").unwrap();
        path.split_once("\n\n").unwrap().0.to_string()
    };
    let told = ask(0.25);
    assert_eq!(
        path(&told),
        "  75 %  main: failover\n  75 %    tier 1: r0, up\n     -    tier 2: r1, not needed\n  \
         25 %  with r3 in the place of r0\n  25 %    main: failover\n  \
         25 %      tier 1: r3 in the place of r0, up\n     -      tier 2: r1, not needed"
    );
    let json = serde_json::to_value(told.explanation.as_ref().unwrap()).unwrap();
    assert_eq!(json["drained"][0]["shifted"], serde_json::json!([{ "region": "r3", "of": "r0" }]));
    assert_eq!(json["regions"][0]["shifted"], serde_json::json!({ "to": "r3", "part": 0.25 }));
    let names: Vec<_> = (0..3).map(|at| json["regions"][at]["name"].as_str()).collect();
    assert_eq!(names, [Some("r0"), Some("r1"), Some("r3")]);
    // All of it is one side, which is no matter of parts any more.
    assert_eq!(
        path(&ask(1.0)),
        "  100 %  main: failover\n  100 %    tier 1: r3 in the place of r0, up\n      \
         -    tier 2: r1, not needed"
    );
}
