//! Geolocation: which rule takes a client, for whom else that holds, and what becomes of it when
//! regions fail. The databases are those of `tests/support/world.rs`.

use hickory_proto::rr::RecordType::{A, AAAA};
use rstest::rstest;

use crate::harness::{
    Kind, Question, Server, Site, answered, everywhere, goes_to, letters, regions, scope, sent,
    set_down, targets, watched,
};

const NAME: &str = "app.site.test";

/// A rule of each kind.
const RULES: &str = r#"
[policies.main]
type = "geolocation"
rules = [
  { continent = "EU", to = "e" },
  { country = ["DE", "AU"], to = "d" },
  { subdivision = "DE-BE", to = "c" },
  { asn = 64511, to = "b" },
  { prefix = ["8.8.8.128/25", "2600:1f00:7::/48"], to = "a" },
]
default = "f"
[[records]]
name = "app.site.test"
policy = "main"
"#;

/// The subnet sent, the region, the scope.
const CLIENTS: &[(&str, &str, u8)] = &[
    // A prefix, and what it leaves of the network around it.
    ("8.8.8.128/25", "a", 25),
    ("8.8.8.200/32", "a", 25),
    ("8.8.8.0/25", "b", 25),
    // All that such a subnet says is that of its first address.
    ("8.8.8.0/24", "b", 25),
    ("8.8.5.0/24", "b", 23),
    ("177.8.1.1/32", "b", 32),
    // A system decides before a place.
    ("2.16.8.0/24", "c", 24),
    ("2.16.9.0/25", "d", 25),
    ("2.16.9.128/25", "e", 25),
    ("2.17.0.0/16", "d", 16),
    ("139.130.4.0/24", "d", 16),
    ("5.10.1.0/24", "e", 16),
    ("5.39.1.0/24", "e", 17),
    // By default: another part of the network of a system that has a rule, a country without one (next to
    // a special-purpose block), nothing known.
    ("8.8.100.0/24", "f", 18),
    ("126.1.2.0/24", "f", 8),
    ("60.0.0.0/24", "f", 3),
    ("2600:1f00:7:1::/64", "a", 48),
    ("2600:1f00:6::/48", "b", 48),
    ("2600:4000:1::/48", "b", 24),
    ("2a01:4f8:1::/48", "c", 48),
    ("2a01:4f8:2::/48", "d", 47),
    ("2a01:4f8:2:3::/64", "d", 47),
    ("2a00:1::/32", "e", 16),
    ("2400:4050::/32", "f", 16),
];

#[test]
fn each_kind_of_rule_takes_its_clients() {
    let server = Site::of_world("", &(regions(&[""; 6]) + RULES)).serve();
    for rtype in [A, AAAA] {
        for &(prefix, region, wanted) in CLIENTS {
            let question = Question::new(NAME, rtype).options(sent(prefix));
            for (way, reply) in everywhere(&server, &question) {
                let found = (letters(&reply), scope(&reply));
                assert_eq!(found, (region.to_owned(), wanted), "{rtype} for {prefix}, {way}");
            }
        }
    }
    let metrics = server.metrics();
    for region in 'a'..='f' {
        let clients = CLIENTS.iter().filter(|(_, to, _)| to.starts_with(region)).count();
        let counted = metrics.value(&format!(r#"trimtab_dns_answers_total{{region="{region}"}}"#));
        assert_eq!(counted, (clients * 8) as f64, "{region}: two types in four ways");
    }
}

/// Rules that all match the same client, in ascending order. Each policy has one less.
#[test]
fn the_most_specific_rule_wins_whatever_their_order() {
    let rules = [
        r#"{ continent = "NA", to = "f" }"#,
        r#"{ country = "US", to = "e" }"#,
        r#"{ country = "US", subdivision = "CA", to = "d" }"#,
        r#"{ asn = 64511, to = "c" }"#,
        r#"{ asn = 64511, country = "US", to = "b" }"#,
        r#"{ prefix = "8.8.0.0/16", to = "a" }"#,
        r#"{ prefix = "8.8.8.0/22", continent = "NA", to = "g" }"#,
    ];
    let winners = ["h", "f", "e", "d", "c", "b", "a", "g"];
    let mut body = regions(&[""; 8]);
    for count in 1..=rules.len() {
        // The order in the file says nothing.
        let mut some = rules[..count].to_vec();
        some.rotate_left(count / 2);
        let some = some.join(", ");
        body += &format!(
            "[policies.p{count}]\ntype = \"geolocation\"\nrules = [{some}]\ndefault = \"h\"\n\
             [[records]]\nname = \"n{count}.site.test\"\npolicy = \"p{count}\"\n"
        );
    }
    let server = Site::of_world("", &body).serve();
    let mut client = server.client();
    for (count, winner) in winners.iter().enumerate().skip(1) {
        let name = format!("n{count}.site.test");
        assert_eq!(answered(&mut client, &name, A, "8.8.8.0/24").0, *winner, "{count} rules");
        assert_eq!(answered(&mut client, &name, A, "60.0.0.0/24").0, "h", "{count} rules");
    }
}

/// Three rules that match clients in 8.8.8.0/24, two of which a fence keeps them from.
fn when_down(when_down: &str) -> String {
    format!(
        r#"
[policies.main]
type = "geolocation"
when_down = "{when_down}"
rules = [
  {{ prefix = "8.8.8.0/24", to = "pair" }},
  {{ country = "US", to = "c" }},
]
default = "d"
[policies.pair]
type = "failover"
order = ["a", "b"]
[[records]]
name = "app.site.test"
policy = "main"
"#
    )
}

/// For each health: where clients of the prefix go, others of the country, and all others.
#[rstest]
#[case::widen("widen", &[
    ("", "a", "c", "d"),
    ("a", "b", "c", "d"),
    ("ab", "c", "c", "d"),
    ("abc", "d", "d", "d"),
    ("abcd", "a", "c", "d"),
    ("c", "a", "d", "d"),
    ("cd", "a", "c", "d"),
    ("d", "a", "c", "d"),
])]
#[case::fence("fence", &[
    ("", "a", "c", "d"),
    ("a", "b", "c", "d"),
    ("ab", "a", "c", "d"),
    ("abc", "a", "c", "d"),
    ("cd", "a", "c", "d"),
])]
fn when_the_regions_of_a_rule_fail(#[case] how: &str, #[case] steps: &[(&str, &str, &str, &str)]) {
    let (port, targets) = targets::<4>(Kind::Http);
    let body = watched(port, &targets, &[""; 4]) + &when_down(how);
    let server = Site::of_world("", &body).serve();
    for (down, prefix, country, others) in steps {
        set_down(&server, &targets, down);
        println!("{down} down");
        goes_to(&server, NAME, "8.8.8.0/24", prefix);
        goes_to(&server, NAME, "8.8.4.0/24", country);
        goes_to(&server, NAME, "5.39.1.0/24", others);
        goes_to(&server, NAME, "60.0.0.0/24", others);
    }
}

/// An empty default is for those whom no rule names, and for nobody else.
#[test]
fn nodata_by_default_is_for_its_class_alone() {
    let (port, targets) = targets::<1>(Kind::Http);
    let policy = "[policies.main]\ntype = \"geolocation\"\ndefault = \"nodata\"\n\
                  rules = [{ country = \"US\", to = \"a\" }]\n\
                  [[records]]\nname = \"app.site.test\"\npolicy = \"main\"\n";
    let server = Site::of_world("", &(watched(port, &targets, &[""]) + policy)).serve();
    for down in ["", "a"] {
        set_down(&server, &targets, down);
        goes_to(&server, NAME, "8.8.100.0/24", "a");
        let question = Question::a(NAME).options(sent("9.0.0.0/24"));
        for (way, reply) in everywhere(&server, &question) {
            let negative = "NoError aa\nns site.test. ";
            assert!(reply.text().starts_with(negative), "{way}: {}", reply.text());
            assert_eq!(
                scope(&reply),
                8,
                "9.0.0.0/8 is all without a rule, 8.0.0.0/7 is not; {way}"
            );
        }
    }
}

/// Region `a` is the one for Germans and the nearest to them, and has IPv4 alone.
#[rstest]
#[case::geolocation(
    r#"type = "geolocation"
rules = [{ country = "DE", to = "a" }]
default = "b""#,
    "a"
)]
#[case::latency("type = \"latency\"", "a")]
#[case::geoproximity("type = \"geoproximity\"", "a")]
#[case::multivalue("type = \"multivalue\"", "ab")]
fn a_family_that_the_region_of_a_client_lacks(#[case] policy: &str, #[case] wanted: &str) {
    let places = ["location = \"aws:eu-central-1\"", "location = \"aws:ap-northeast-1\""];
    let mut body = regions(&places).replace(", \"2001:db8::1\"", "");
    let can_skip = !policy.contains("multivalue");
    for (name, more) in [("app", ""), ("skip", "missing_family = \"skip\"")] {
        let more = if can_skip { more } else { "" };
        body += &format!(
            "[policies.{name}]\n{policy}\n{more}\n\
             [[records]]\nname = \"{name}.site.test\"\npolicy = \"{name}\"\n"
        );
    }
    let server: Server = Site::of_world("", &body).serve();
    let mut client = server.client();
    let mut ask = |name, rtype, prefix| answered(&mut client, name, rtype, prefix);
    for name in [NAME, "skip.site.test"] {
        assert_eq!(ask(name, A, "2.17.0.0/16").0, wanted, "{name}");
        assert_eq!(ask(name, AAAA, "126.1.0.0/16").0, "b", "the Japanese; {name}");
    }
    let (region, scope) = ask(NAME, AAAA, "2.17.0.0/16");
    assert_eq!(region, if can_skip { "" } else { "b" });
    assert_eq!(scope > 0, can_skip, "an empty answer for Germans is not for all");
    assert_eq!(ask("skip.site.test", AAAA, "2.17.0.0/16").0, "b");
}
