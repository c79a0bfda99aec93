//! Latency: the nearest region, by the table or by distance, the bands of those that are about as near,
//! and what becomes of them when regions fail.

use hickory_proto::rr::RecordType::A;

use crate::harness::{
    Kind, PLACES, Question, Site, Stream, answered, goes_to, letters, records, sent, set_down,
    targets, watched,
};

/// Each region's figures are told for another kind of client.
const TABLE: &str = "\
client,region,rtt_ms
*,a,100
*,b,101
*,c,102
*,d,103
continent:EU,a,30
DE,b,25
DE-BE,c,20
AS64501,d,15
2.16.8.128/25,a,10
5.10.0.0/16,b,7
5.10.1.0/24,b,200
";

#[test]
fn the_table_says_who_is_nearest_and_the_next_takes_over() {
    let (port, targets) = targets::<4>(Kind::Http);
    let body = watched(port, &targets, &[""; 4])
        + &records(&[
            ("best", "type = \"latency\"\ntolerance = \"0s\""),
            ("band", "type = \"latency\"\ntolerance = \"10ms\""),
        ]);
    let site = Site::of_world("[latency]\ntable = \"latency.csv\"", &body);
    site.write("latency.csv", TABLE);
    let server = site.serve();
    // For each health, where clients go of: Berlin, a network in it, Munich, a part of the same
    // system somewhere in Europe, Germany, France, nowhere, and two networks in Britain.
    let clients = [
        "2.16.8.0/25",
        "2.16.8.128/25",
        "2.16.9.0/25",
        "2.16.9.128/25",
        "2.17.0.0/16",
        "5.39.1.0/24",
        "60.0.0.0/24",
        "5.10.2.0/24",
        "5.10.1.0/24",
    ];
    let steps = [
        ("", ["d", "a", "d", "d", "b", "a", "a", "b", "a"]),
        ("d", ["c", "a", "b", "a", "b", "a", "a", "b", "a"]),
        ("cd", ["b", "a", "b", "a", "b", "a", "a", "b", "a"]),
        ("bcd", ["a", "a", "a", "a", "a", "a", "a", "a", "a"]),
        ("a", ["d", "d", "d", "d", "b", "b", "b", "b", "c"]),
    ];
    // All within 10 ms of the best share; bands are the same whoever is down.
    let bands = [
        ("", ["bcd", "acd", "bd", "d", "ab", "a", "abcd", "b", "a"]),
        ("d", ["bc", "ac", "b", "a", "ab", "a", "abc", "b", "a"]),
        ("cd", ["b", "a", "b", "a", "ab", "a", "ab", "b", "a"]),
        ("bcd", ["a", "a", "a", "a", "a", "a", "a", "a", "a"]),
        ("a", ["bcd", "cd", "bd", "d", "b", "bcd", "bcd", "b", "cd"]),
    ];
    for ((down, best), (_, band)) in steps.into_iter().zip(bands) {
        set_down(&server, &targets, down);
        for ((client, best), band) in clients.into_iter().zip(best).zip(band) {
            println!("{client} while {down:?} is down");
            goes_to(&server, "best.site.test", client, best);
            goes_to(&server, "band.site.test", client, band);
        }
    }
}

#[test]
fn a_failure_moves_nobody_who_was_elsewhere() {
    let (port, targets) = targets::<4>(Kind::Http);
    let policy = records(&[("app", "type = \"latency\"\ntolerance = \"5ms\"")]);
    let body = watched(port, &targets, &PLACES) + &policy;
    let server = Site::of_world("", &body).serve();
    // New York, Tokyo and London; over IPv4 and IPv6.
    let streams = [("8.8.4.0/24", "c"), ("2400:4050::/32", "d"), ("5.10.0.0/16", "b")];
    let streams = streams.map(|(prefix, wanted)| {
        [server.v4, server.v6].map(|to| {
            let question = Question::a("app.site.test").options(sent(prefix));
            Stream::start(to, vec![question], move |reply| {
                assert_eq!(letters(reply), wanted, "{prefix}");
            })
        })
    });
    for _ in 0..2 {
        goes_to(&server, "app.site.test", "2.17.0.0/16", "a");
        set_down(&server, &targets, "a");
        goes_to(&server, "app.site.test", "2.17.0.0/16", "b");
        streams.iter().flatten().for_each(|stream| stream.wait_for(100));
        set_down(&server, &targets, "");
    }
    streams.into_iter().flatten().for_each(|stream| assert!(stream.finish() > 200));
}

/// Without figures for all regions the table does not count: unlike is never compared with unlike.
#[test]
fn distances_say_it_where_the_table_does_not_know_all_regions() {
    let (port, targets) = targets::<4>(Kind::Http);
    // 330 km.
    let policy = records(&[("app", "type = \"latency\"\ntolerance = \"5ms\"")]);
    let body = watched(port, &targets, &PLACES) + &policy;
    let geo = "[[geo.networks]]\nprefix = \"61.0.0.0/16\"\ncountry = \"JP\"\n\
               [[geo.networks]]\nprefix = \"61.0.1.0/24\"\nlatitude = 52.5\nlongitude = 13.4\n\
               [latency]\ntable = \"latency.csv\"";
    let site = Site::of_world(geo, &body);
    site.write("latency.csv", "*,d,1\nDE-BE,c,1\nDE-BE,b,2\n");
    let server = site.serve();
    server.log.wait_for("latency");
    // Kilometres to a, b, c and d: Berlin 423, 930, 6731, 8915; New York 6204, 5572, 354, 10847; London
    // 639, 2, 5922, 9559; the French network 480, 341, 6189, 9712; Sydney 16482, 16993, 15672, 7828; the
    // middle of Japan about 9300, 9600, 10900, 0 to 400.
    let clients = [
        "2.16.8.0/24",
        "8.8.4.0/24",
        "2a01:4f8:1::/48",
        "5.10.0.0/16",
        "5.39.1.0/24",
        "139.130.4.0/24",
        "61.0.0.0/24",
        "61.0.1.0/24",
    ];
    let steps = [
        ("", ["a", "c", "a", "b", "ab", "d", "d", "a"]),
        ("a", ["b", "c", "b", "b", "b", "d", "d", "b"]),
        ("ab", ["c", "c", "c", "c", "c", "d", "d", "c"]),
        ("d", ["a", "c", "a", "b", "ab", "c", "ab", "a"]),
    ];
    for (down, wanted) in steps {
        set_down(&server, &targets, down);
        for (client, wanted) in clients.into_iter().zip(wanted) {
            println!("{client} while {down:?} is down");
            goes_to(&server, "app.site.test", client, wanted);
        }
    }
}

/// Geolocation over failover over latency.
#[test]
fn policies_stand_in_one_another() {
    let (port, targets) = targets::<4>(Kind::Http);
    let policies = records(&[
        (
            "app",
            "type = \"geolocation\"\nrules = [{ continent = \"EU\", to = \"europe\" }]\ndefault = \"near\"",
        ),
        ("europe", "type = \"failover\"\norder = [\"a\", \"near\"]"),
        ("near", "type = \"latency\"\nto = [\"b\", \"c\", \"d\"]\ntolerance = \"0s\""),
    ]);
    let server = Site::of_world("", &(watched(port, &targets, &PLACES) + &policies)).serve();
    // Berlin, Munich, Tokyo, New York.
    let clients = ["2.16.8.0/24", "2.16.9.0/25", "126.1.0.0/16", "8.8.4.0/24"];
    let steps = [
        ("", ["a", "a", "d", "c"]),
        ("a", ["b", "b", "d", "c"]),
        ("ab", ["c", "c", "d", "c"]),
        ("abc", ["d", "d", "d", "d"]),
        ("d", ["a", "a", "b", "c"]),
    ];
    for (down, wanted) in steps {
        set_down(&server, &targets, down);
        for (client, wanted) in clients.into_iter().zip(wanted) {
            goes_to(&server, "app.site.test", client, wanted);
        }
    }
    // 2.16.9.128/25 is in Europe, but nobody knows where: by weight, behind a. The class, and so the
    // scope, is that of the whole tree, whatever of it is in use.
    let mut client = server.client();
    for (prefix, scope) in [("2.16.8.0/24", 24), ("2.16.9.0/25", 25), ("2.16.9.128/25", 25)] {
        assert_eq!(answered(&mut client, "app.site.test", A, prefix), ("a".into(), scope));
    }
}
