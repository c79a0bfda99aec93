//! Answers come in the proportions that were configured, judged by chi-square on what was really
//! answered.

use std::collections::BTreeMap;
use std::net::IpAddr;

use rstest::rstest;

use crate::harness::{Kind, Mode, Question, Server, Site, Stream, Via, exchange, quick, targets};

/// Answers counted in each test.
const ANSWERS: usize = 6000;

/// The value that chi-square exceeds once in 100,000 runs of a server that is right, for 1, 2 and
/// 3 degrees of freedom. With 6,000 answers, a share that is wrong by 4 percentage points is
/// found nearly always.
const BOUND: [f64; 3] = [19.51, 23.03, 25.90];

/// Chi-square of what was counted against the weights; panics above the bound.
#[track_caller]
fn assert_in_proportion(counted: &BTreeMap<IpAddr, usize>, weights: &[(IpAddr, u32)]) {
    let answers: usize = counted.values().sum();
    let total: u32 = weights.iter().map(|(_, weight)| weight).sum();
    let known = |ip: &IpAddr| weights.iter().any(|(known, _)| known == ip);
    assert!(counted.keys().all(known), "an answer from elsewhere: {counted:?}");
    let chi_square: f64 = (weights.iter())
        .map(|(ip, weight)| {
            let expected = answers as f64 * f64::from(*weight) / f64::from(total);
            let found = counted.get(ip).copied().unwrap_or_default() as f64;
            (found - expected).powi(2) / expected
        })
        .sum();
    let bound = BOUND[weights.len() - 2];
    assert!(chi_square < bound, "chi-square {chi_square} of {counted:?} against {weights:?}");
}

/// The addresses of `ANSWERS` answers, each of one address, and none of them lost.
#[track_caller]
fn count(server: &Server, name: &str) -> BTreeMap<IpAddr, usize> {
    let (mut client, question) = (server.client(), Question::a(name));
    let mut counted = BTreeMap::new();
    for _ in 0..ANSWERS {
        match client.ask(&question).addresses()[..] {
            [one] => *counted.entry(one).or_default() += 1,
            ref other => panic!("one address a region, not {other:?}"),
        }
    }
    counted
}

#[rstest]
#[case::two_to_one([200, 100, 0])]
#[case::seventy_twenty_ten([70, 20, 10])]
#[case::equal([1, 1, 1])]
#[case::all_zero_is_equal([0, 0, 0])]
#[case::large_numbers([65535, 30000, 1000])]
fn regions_are_answered_by_weight(#[case] weights: [u32; 3]) {
    let ips = [1, 2, 3].map(|host| IpAddr::from([192, 0, 2, host]));
    let mut body = "[[records]]\nname = \"app.site.test\"\npolicy = \"weighted\"\n".to_owned();
    for ((name, ip), weight) in ('a'..).zip(ips).zip(weights) {
        body += &format!("[regions.{name}]\naddresses = [\"{ip}\"]\nweight = {weight}\n");
    }
    let server = Site::new(&body).serve();
    let counted = count(&server, "app.site.test");
    let all_zero = weights == [0; 3];
    let shares = ips.into_iter().zip(weights.map(|w| if all_zero { 1 } else { w }));
    assert_in_proportion(&counted, &shares.filter(|(_, weight)| *weight > 0).collect::<Vec<_>>());
    let metrics = server.metrics();
    for (name, ip) in ('a'..).zip(ips) {
        let answers = metrics.find(&format!(r#"trimtab_dns_answers_total{{region="{name}"}}"#));
        let found = counted.get(&ip).copied().unwrap_or_default();
        assert_eq!(answers.unwrap_or_default(), found as f64, "the counter of {name}");
    }
}

#[test]
fn the_rest_share_in_proportion_while_one_is_down_and_no_answer_is_lost() {
    let (port, targets) = targets::<3>(Kind::Http);
    let [a, b, c] = [0, 1, 2].map(|at: usize| targets[at].ip());
    let body = r#"
[policies.main]
type = "weighted"
weights = { a = 50, b = 30, c = 20 }
[[records]]
name = "app.site.test"
policy = "main"
"#;
    let site = Site::new(&format!("{}{body}", quick(Kind::Http, port, &targets)));
    let server = site.serve();
    assert_in_proportion(&count(&server, "app.site.test"), &[(a, 50), (b, 30), (c, 20)]);

    let stream = Stream::start(server.v4, vec![Question::a("app.site.test")], |reply| {
        assert_eq!(reply.addresses().len(), 1, "{}", reply.text());
    });
    targets[0].set(Mode::Refuse);
    server.settles_on("app.site.test", &[b, c]);
    assert_in_proportion(&count(&server, "app.site.test"), &[(b, 30), (c, 20)]);

    targets[0].set(Mode::Ok);
    server.metric_becomes(r#"trimtab_region_up{region="a",family="ipv4"}"#, 1.0);
    crate::harness::until("a is answered again", || {
        let found = server.client().ask(&Question::a("app.site.test")).addresses();
        (found == [a]).then_some(())
    });
    assert_in_proportion(&count(&server, "app.site.test"), &[(a, 50), (b, 30), (c, 20)]);
    assert!(stream.finish() > 0);
}

#[test]
fn each_transport_draws_by_weight() {
    let (a, b) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
    let body = r#"
[regions.a]
addresses = ["192.0.2.1"]
weight = 75
[regions.b]
addresses = ["192.0.2.2"]
weight = 25
[[records]]
name = "app.site.test"
policy = "weighted"
"#;
    let server = Site::new(body).serve();
    for (via, to) in [(Via::Udp, server.v6), (Via::Tcp, server.v4), (Via::Tcp, server.v6)] {
        let mut counted = BTreeMap::new();
        for id in 0..1000 {
            let reply = exchange(via, to, &Question::a("app.site.test").wire(id));
            *counted.entry(reply.addresses()[0]).or_default() += 1;
        }
        assert_in_proportion(&counted, &[(a, 75), (b, 25)]);
    }
}
