//! Tables, read from files written for the purpose.

use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use rstest::rstest;

use super::{ClientKey, LatencyTable};
use crate::model::{Attributes, RegionId};
use crate::problem::{Problems, Severity, Source};

fn regions() -> [Arc<str>; 3] {
    ["us-east", "us-west", "eu-west"].map(Arc::from)
}

fn read(text: &str) -> (LatencyTable, Problems) {
    let source = Source { path: "latency.csv".into(), text: text.to_owned() };
    let mut problems = Problems::default();
    let table = LatencyTable::of(&Arc::new(source), &regions(), &mut problems);
    (table, problems)
}

fn sound(text: &str) -> LatencyTable {
    let (table, problems) = read(text);
    assert_eq!(problems, Problems::default());
    table
}

fn net(text: &str) -> IpNet {
    text.parse().expect("a prefix")
}

/// Germany, Berlin, AS64500.
fn berlin() -> Attributes {
    Attributes {
        continent: "EU".parse().ok(),
        country: "DE".parse().ok(),
        subdivision: "DE-BE".parse().ok(),
        location: None,
        asn: Some(64500),
    }
}

const EU_WEST: RegionId = RegionId(2);
const US_EAST: RegionId = RegionId(0);

const ALL_KEYS: &str = "\
client,region,rtt_ms
# from the least specific on
*,eu-west,6
continent:EU,eu-west,5
DE,eu-west,4

DE-BE,eu-west,3
AS64500,eu-west,2
10.0.0.0/8,eu-west,1.5
  10.1.0.0/16 , eu-west , 1.25
";

#[test]
fn the_most_specific_row_decides() {
    let table = sound(ALL_KEYS);
    assert_eq!((table.len(), table.is_empty()), (7, false));
    let covering = [net("10.1.0.0/16"), net("10.0.0.0/8")];
    let ms = |attributes: &Attributes, covering: &[IpNet]| {
        let (time, key) = table.find(EU_WEST, attributes, covering)?;
        Some((time.as_secs_f64() * 1000.0, key.to_string()))
    };
    let mut of = berlin();
    let expect = |of: &Attributes, covering: &[IpNet], time: f64, key: &str| {
        assert_eq!(ms(of, covering), Some((time, key.to_owned())));
    };
    expect(&of, &covering, 1.25, "10.1.0.0/16");
    expect(&of, &covering[1..], 1.5, "10.0.0.0/8");
    expect(&of, &[], 2.0, "AS64500");
    of.asn = Some(64501);
    expect(&of, &[], 3.0, "DE-BE");
    of.subdivision = None;
    expect(&of, &[], 4.0, "DE");
    of.country = None;
    expect(&of, &[], 5.0, "continent:EU");
    of.continent = None;
    expect(&of, &[], 6.0, "*");
    assert_eq!(table.find(US_EAST, &berlin(), &covering), None);
}

#[test]
fn a_region_that_a_specific_row_lacks_is_sought_in_the_next() {
    let table = sound("DE-BE,eu-west,3\nDE,us-east,90\n*,us-east,100\n");
    let time = |region| table.find(region, &berlin(), &[]).map(|(time, _)| time.as_millis());
    assert_eq!((time(EU_WEST), time(US_EAST)), (Some(3), Some(90)));
    assert_eq!(time(RegionId(1)), None);
}

#[test]
fn prefixes_come_once_and_in_order() {
    let table = sound(
        "2001:db8::/32,us-east,1\n10.0.0.0/8,us-east,1\n9.0.0.0/8,us-east,1\nDE,us-east,1\n\
         10.0.0.0/8,us-west,1\n10.0.0.0/16,us-west,1\n",
    );
    let prefixes: Vec<_> = table.prefixes().map(|prefix| prefix.to_string()).collect();
    assert_eq!(prefixes, ["9.0.0.0/8", "10.0.0.0/8", "10.0.0.0/16", "2001:db8::/32"]);
}

#[rstest]
#[case::nothing("", 0)]
#[case::header_alone("client,region,rtt_ms", 0)]
#[case::header_in_capitals("# first\n\nClient, Region, RTT_ms\nDE,us-east,1", 1)]
#[case::no_header("DE,us-east,1\n", 1)]
#[case::windows("\u{FEFF}client,region,rtt_ms\r\nDE,us-east,1\r\n\r\n", 1)]
#[case::quotes("\"DE\",\"us-east\",\"1\"", 1)]
#[case::lower_case("de,us-east,1\nde-be,us-east,1\nas64500,us-east,1\nContinent:eu,us-east,1", 4)]
#[case::limits("DE,us-east,0\nDE,us-west,60000", 2)]
#[case::everything("0.0.0.0/0,us-east,1\n::/0,us-east,1", 2)]
#[case::indented_comment("  # so\nDE,us-east,1", 1)]
fn a_sound_table_is_read(#[case] text: &str, #[case] rows: usize) {
    assert_eq!(sound(text).len(), rows);
}

#[test]
fn fractions_of_a_millisecond_are_kept() {
    let table = sound("*,us-east,0.25");
    let found = table.find(US_EAST, &Attributes::default(), &[]);
    assert_eq!(found, Some((Duration::from_micros(250), ClientKey::All)));
}

#[test]
fn every_problem_is_told_with_its_line() {
    let text = "\
client,region,rtt_ms
DE,us-east,12
DE,us-esat,fast
10.0.0.1/8,us-east,-1
DE;us-east;12
# a comment

de,us-east,13
192.0.2.1,us-east,12,
UK,eu-west,9ms
";
    insta::assert_snapshot!(read(text).1.render(false));
    assert_eq!(read(text).0.len(), 1);
}

const ANY: &str = "a prefix, a system (AS64500), a subdivision (DE-BE), a country (DE), a \
                   continent (continent:EU), or * for all";

#[rstest]
#[case("", ANY, None)]
#[case("Germany", ANY, None)]
#[case("192.0.2.1", ANY, Some("write 192.0.2.1/32 for one address"))]
#[case("2001:db8::1", ANY, Some("write 2001:db8::1/128 for one address"))]
#[case("64500", ANY, Some("write AS64500 for a system"))]
#[case("AS0", "AS and a number from 1 to 4294967295", None)]
#[case("AS4294967296", "AS and a number from 1 to 4294967295", None)]
#[case("continent:XX", "continent: and one of AF, AN, AS, EU, NA, OC, SA", None)]
#[case("US-CALI", "a country and one to three letters or digits, as US-CA", None)]
#[case("10.0.0.0/33", "a prefix, as 192.0.2.0/24 or 2001:db8::/32", None)]
#[case("10.0.0.1/24", "a prefix without bits behind its length", Some("write 10.0.0.0/24"))]
#[case(
    "::ffff:10.0.0.0/104",
    "an IPv4 prefix as such: clients are looked up by it",
    Some("write 10.0.0.0/8")
)]
#[case(
    "64:ff9b::10.1.0.0/112",
    "an IPv4 prefix as such: clients are looked up by it",
    Some("write 10.1.0.0/16")
)]
#[case(
    "2002:a00::/24",
    "an IPv4 prefix as such: clients are looked up by it",
    Some("write 10.0.0.0/8")
)]
fn a_key_that_names_no_clients_is_refused(
    #[case] key: &str,
    #[case] wanted: &str,
    #[case] hint: Option<&str>,
) {
    let (table, problems) = read(&format!("{key},us-east,1"));
    assert!(table.is_empty());
    let [problem] = &problems.0[..] else { panic!("one problem, not {problems}") };
    assert_eq!((problem.found.as_str(), problem.wanted.as_str()), (&*format!("{key:?}"), wanted));
    assert_eq!(problem.hint.as_deref(), hint);
}

#[rstest]
#[case("-1")]
#[case("-0.001")]
#[case("60000.1")]
#[case("1e9")]
#[case("NaN")]
#[case("inf")]
#[case("")]
#[case("12ms")]
#[case("1 2")]
fn a_time_out_of_range_is_refused(#[case] time: &str) {
    let (table, problems) = read(&format!("DE,us-east,{time}"));
    assert!(table.is_empty());
    assert_eq!(problems.errors(), 1);
}

#[test]
fn a_country_that_does_not_exist_is_doubted() {
    for (key, hint) in [("UK", "the United Kingdom is GB"), ("EU", "the continent is continent:EU")]
    {
        let (table, problems) = read(&format!("{key},us-east,1"));
        assert_eq!(table.len(), 1);
        let [problem] = &problems.0[..] else { panic!("one problem, not {problems}") };
        assert_eq!((problem.severity, problem.hint.as_deref()), (Severity::Warning, Some(hint)));
    }
}

#[test]
fn a_flood_of_problems_is_cut_but_an_error_stays() {
    let mut text: String = (0..300).map(|i| format!("UK-{i},us-east,1\n")).collect();
    text.push_str("DE,us-east,slow\n");
    let (_, problems) = read(&text);
    assert_eq!((problems.errors(), problems.warnings()), (1, 101));
    let last = problems.0.last().map(|problem| problem.found.as_str());
    assert_eq!(last, Some("200 more problems, not shown"));
}

#[test]
fn a_file_is_read_from_its_path() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("latency.csv");
    let read = |octets: Option<&[u8]>| {
        if let Some(octets) = octets {
            std::fs::write(&path, octets).expect("written");
        }
        let mut problems = Problems::default();
        let table = LatencyTable::read(&path, &regions(), &mut problems);
        (table.len(), problems.0.into_iter().map(|problem| problem.found).collect::<Vec<_>>())
    };
    let (rows, found) = read(None);
    assert_eq!(rows, 0);
    assert!(found[0].starts_with("a file that cannot be read (No such file"), "{found:?}");
    assert_eq!(read(Some(b"DE,us-east,1\n")), (1, vec![]));
    let no_text = vec!["octets that are not UTF-8, in line 2".to_owned()];
    assert_eq!(read(Some(b"DE,us-east,1\nDE\xFF,us-east,1\n")), (0, no_text));
}

#[test]
fn whatever_the_text_is_it_is_read_or_complained_about() {
    const PARTS: &[&str] = &[
        "DE",
        "us-east",
        "12",
        ",",
        ",",
        ",",
        "\n",
        "\n",
        "\r\n",
        " ",
        "\"",
        "#",
        "*",
        "continent:",
        "EU",
        "AS",
        "64500",
        "-",
        "/",
        "10.0.0.0/8",
        "::ffff:0:0",
        "NaN",
        "é",
        "\u{FEFF}",
        "0.5",
        "client,region,rtt_ms",
        "\0",
        "日本",
    ];
    let mut random = fastrand::Rng::with_seed(22);
    let mut sound = 0;
    for _ in 0..2000 {
        let mut text: Vec<char> = ALL_KEYS.chars().collect();
        for _ in 0..random.usize(1..12) {
            let at = random.usize(..text.len());
            let end = (at + random.usize(..6)).min(text.len());
            text.splice(at..end, PARTS[random.usize(..PARTS.len())].chars());
        }
        let text: String = text.into_iter().collect();
        let (table, problems) = read(&text);
        let is_row = |line: &&str| {
            let line = line.trim();
            !line.is_empty() && !line.starts_with('#')
        };
        let rows = text.trim_start_matches('\u{FEFF}').split('\n').filter(is_row).count();
        // A line that is neither read nor a header has a problem.
        assert!(table.len() + problems.errors() + 1 >= rows, "{text:?}");
        sound += usize::from(problems.0.is_empty());
        let _ = problems.render(false);
    }
    assert!((10..500).contains(&sound), "{sound} of 2000 were sound");
}
