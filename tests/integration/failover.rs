//! A region that fails is left and taken back, whatever way it fails in.

use rstest::rstest;

use crate::harness::{Kind, Mode, Question, Site, Stream, quick, targets};

/// The first of two regions that is up.
const FAILOVER: &str = r#"
[policies.main]
type = "failover"
order = ["a", "b"]
[[records]]
name = "app.site.test"
policy = "main"
"#;

#[rstest]
#[case::http_refuses(Kind::Http, Mode::Refuse, "connect: connection refused")]
#[case::http_hangs(Kind::Http, Mode::Hang, "first byte: timed out after 180 ms")]
#[case::http_resets(Kind::Http, Mode::Reset, "connection reset")]
#[case::http_500(Kind::Http, Mode::Status(500), "HTTP 500, wanted 200-299")]
#[case::http_redirects(Kind::Http, Mode::Status(302), "HTTP 302, wanted 200-299")]
#[case::http_wrong_body(Kind::Http, Mode::WrongBody, r#"body lacks "fine""#)]
#[case::http_slow_body(Kind::Http, Mode::SlowBody, "body: timed out after 180 ms")]
#[case::http_full_queue(Kind::Http, Mode::Full, "connect: timed out after 180 ms")]
#[case::https_refuses(Kind::Https, Mode::Refuse, "connect: connection refused")]
#[case::https_hangs(Kind::Https, Mode::Hang, "TLS: timed out after 180 ms")]
#[case::https_resets(Kind::Https, Mode::Reset, "connection reset")]
#[case::https_500(Kind::Https, Mode::Status(500), "HTTP 500, wanted 200-299")]
#[case::https_wrong_body(Kind::Https, Mode::WrongBody, r#"body lacks "fine""#)]
#[case::https_slow_body(Kind::Https, Mode::SlowBody, "body: timed out after 180 ms")]
#[case::https_expired(Kind::Https, Mode::Expired, "TLS: certificate expired")]
#[case::https_wrong_name(
    Kind::Https,
    Mode::WrongName,
    "TLS: certificate not valid for app.site.test"
)]
#[case::https_untrusted(Kind::Https, Mode::Untrusted, "TLS: certificate of an unknown issuer")]
#[case::tcp_refuses(Kind::Tcp, Mode::Refuse, "connect: connection refused")]
#[case::tcp_full_queue(Kind::Tcp, Mode::Full, "connect: timed out after 180 ms")]
fn a_region_that_fails_is_left_and_taken_back(
    #[case] kind: Kind,
    #[case] mode: Mode,
    #[case] reason: &str,
) {
    let (port, targets) = targets::<2>(kind);
    let [a, b] = [targets[0].ip(), targets[1].ip()];
    let site = Site::new(&format!("{}{FAILOVER}", quick(kind, port, &targets)));
    let server = site.serve();
    server.settles_on("app.site.test", &[a]);

    targets[0].set(mode);
    server.settles_on("app.site.test", &[b]);
    let told = server.log.wait_for(&format!("{a} went from up to down"));
    assert!(told.contains(reason), "{told:?} lacks {reason:?}");
    assert!(told.contains("(2 failures in a row)"), "{told}");
    assert!(told.contains("a is down with 0 of 1 IPv4 addresses"), "{told}");
    server.metric_becomes(r#"trimtab_region_up{region="a",family="ipv4"}"#, 0.0);

    targets[0].set(Mode::Ok);
    server.settles_on("app.site.test", &[a]);
    let told = server.log.wait_for(&format!("{a} went from down to up"));
    assert!(told.contains("2 successes in a row"), "{told}");
    server.metric_becomes(r#"trimtab_region_up{region="a",family="ipv4"}"#, 1.0);
    let metrics = server.metrics();
    for to in ["down", "up"] {
        let series = format!(r#"trimtab_region_transitions_total{{region="a",to="{to}"}}"#);
        assert_eq!(metrics.value(&series), 1.0, "{series}");
    }
    assert_eq!(server.log.count(&b.to_string()), 0, "b has been up all the time: no news");
}

#[test]
fn one_failure_less_than_fall_moves_nothing() {
    let (port, targets) = targets::<2>(Kind::Http);
    let a = targets[0].ip();
    let patient = quick(Kind::Http, port, &targets).replace("fall = 2", "fall = 100");
    let server = Site::new(&format!("{patient}{FAILOVER}")).serve();
    server.settles_on("app.site.test", &[a]);
    let stream = Stream::start(server.v4, vec![Question::a("app.site.test")], move |reply| {
        assert_eq!(reply.addresses(), [a], "one failure is not enough");
    });
    targets[0].set(Mode::Status(503));
    let failed = r#"trimtab_check_results_total{region="a",check="web",result="fail"}"#;
    crate::harness::until("a few failures", || {
        (server.metrics().value(failed) >= 3.0).then_some(())
    });
    targets[0].set(Mode::Ok);
    stream.wait_for(100);
    stream.finish();
    assert_eq!(server.log.count("went from up to down"), 0);
}

#[test]
fn a_hanging_target_holds_up_no_other() {
    let (port, targets) = targets::<3>(Kind::Http);
    let c = targets[2].ip();
    let body = r#"
[policies.main]
type = "failover"
order = ["a", "b", "c"]
[[records]]
name = "app.site.test"
policy = "main"
"#;
    let site = Site::new(&format!("{}{body}", quick(Kind::Http, port, &targets)));
    targets[0].set(Mode::Hang);
    targets[1].set(Mode::Hang);
    let server = site.serve();
    server.settles_on("app.site.test", &[c]);
    let passed = r#"trimtab_check_results_total{region="c",check="web",result="pass"}"#;
    let before = server.metrics().value(passed);
    crate::harness::until("c goes on being probed", || {
        (server.metrics().value(passed) >= before + 5.0).then_some(())
    });
    assert_eq!(server.log.count(&format!("{c} went from up")), 0);
}
