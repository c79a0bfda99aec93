//! Everything is down: what `on_all_down` says is done, told once, and shown.

use std::net::IpAddr;

use hickory_proto::rr::RecordType;

use crate::harness::{Kind, Mode, Question, Server, Site, Stream, Target, quick, targets, until};

const NAME: &str = "app.site.test";
const ENGAGED: &str = r#"trimtab_record_all_down{record="app.site.test"}"#;

/// Two regions that share a record with these further keys.
fn site(port: u16, targets: &[Target], record: &str, more: &str) -> Site {
    let regions = quick(Kind::Http, port, targets);
    Site::new(&format!(
        "{regions}{more}\n[[records]]\nname = {NAME:?}\npolicy = \"main\"\nttl = 60\nttl_min = 7\n\
         {record}\n[policies.main]\ntype = \"weighted\"\nweights = {{ a = 50, b = 50 }}\n"
    ))
}

/// The extended errors of an answer to a client with EDNS (RFC 8914).
fn told(server: &Server) -> Vec<String> {
    let opt = server.client().ask(&Question::a(NAME).edns(1232)).opt().expect("an OPT");
    let errors = opt.options.iter().filter(|(code, _)| *code == 15);
    errors.map(|(_, data)| String::from_utf8(data[2..].to_vec()).unwrap()).collect()
}

const NO_REGION_IS_UP: &str = "no region is up";

#[track_caller]
fn both_are_answered(server: &Server, wanted: [IpAddr; 2]) {
    let (mut client, mut seen) = (server.client(), [false; 2]);
    until("both regions are answered", || {
        let found = client.ask(&Question::a(NAME)).addresses();
        for (wanted, seen) in wanted.iter().zip(&mut seen) {
            *seen |= found == [*wanted];
        }
        (seen == [true; 2]).then_some(())
    });
}

#[test]
fn open_answers_as_if_all_were_up_for_the_least_ttl_and_tells_it_once() {
    let (port, targets) = targets::<2>(Kind::Http);
    let ips = [targets[0].ip(), targets[1].ip()];
    let server = site(port, &targets, "on_all_down = \"open\"", "").serve();
    assert_eq!(server.metrics().value(ENGAGED), 0.0);
    assert_eq!(server.ask(NAME, RecordType::A).ttl(), 60);
    assert_eq!(told(&server), [""; 0]);
    let stream = Stream::start(server.v4, vec![Question::a(NAME)], |reply| {
        assert_eq!(reply.addresses().len(), 1, "never empty: {}", reply.text());
    });

    targets.iter().for_each(|target| target.set(Mode::Status(500)));
    server.metric_becomes(ENGAGED, 1.0);
    both_are_answered(&server, ips);
    let mut client = server.client();
    for _ in 0..50 {
        assert_eq!(client.ask(&Question::a(NAME)).ttl(), 7, "ttl_min");
    }
    assert_eq!(told(&server), [NO_REGION_IS_UP]);
    let failed = r#"trimtab_check_results_total{region="a",check="web",result="fail"}"#;
    let before = server.metrics().value(failed);
    until("further failures", || (server.metrics().value(failed) > before + 3.0).then_some(()));
    assert_eq!(server.log.count("all down for IPv4"), 1, "told once, however long it lasts");
    assert!(server.log.wait_for("all down for IPv4").contains("on_all_down = open"));

    targets[0].set(Mode::Ok);
    server.settles_on(NAME, &ips[..1]);
    server.metric_becomes(ENGAGED, 0.0);
    server.log.wait_for("no longer all down for IPv4");
    until("the TTL is calm again", || (server.ask(NAME, RecordType::A).ttl() == 60).then_some(()));
    stream.wait_for(10);
    stream.finish();
}

#[test]
fn open_serves_the_live_addresses_of_a_pool_that_has_too_few() {
    let (port, targets) = targets::<2>(Kind::Http);
    let [live, dead] = [targets[0].ip(), targets[1].ip()];
    let body = format!(
        "{}[regions.both]\naddresses = [\"{live}\", \"{dead}\"]\ncheck = \"web\"\nmin_healthy = 2\n\
         [[records]]\nname = {NAME:?}\npolicy = \"both\"\nttl_min = 7\n",
        quick(Kind::Http, port, &[])
    );
    let server = Site::new(&body).serve();
    let reply = server.ask(NAME, RecordType::A);
    assert_eq!(reply.addresses().len(), 2, "both are up: {}", reply.text());

    targets[1].set(Mode::Refuse);
    server.metric_becomes(ENGAGED, 1.0);
    server.settles_on(NAME, &[live]);
    assert_eq!(server.ask(NAME, RecordType::A).ttl(), 7);

    // Now none is live: both are served, and it is still the same alarm.
    targets[0].set(Mode::Refuse);
    until("all addresses are served", || {
        (server.ask(NAME, RecordType::A).addresses().len() == 2).then_some(())
    });
    assert_eq!(server.log.count("all down for IPv4"), 1);
}

#[test]
fn closed_answers_nodata_for_a_short_time() {
    let (port, targets) = targets::<2>(Kind::Http);
    let server = site(port, &targets, "on_all_down = \"closed\"", "").serve();
    targets.iter().for_each(|target| target.set(Mode::Refuse));
    let mut client = server.client();
    let reply = until("no address is answered", || {
        let reply = client.ask(&Question::a(NAME));
        reply.addresses().is_empty().then_some(reply)
    });
    let text = reply.text();
    assert!(text.starts_with("NoError aa\nns site.test. 7 SOA "), "NODATA, ttl_min: {text}");
    assert_eq!(text.lines().count(), 2, "the SOA alone: {text}");
    assert_eq!(told(&server), [NO_REGION_IS_UP]);
    server.metric_becomes(ENGAGED, 1.0);
    server.log.wait_for("on_all_down = closed");

    targets[1].set(Mode::Ok);
    server.settles_on(NAME, &[targets[1].ip()]);
    server.metric_becomes(ENGAGED, 0.0);
}

#[test]
fn a_region_named_by_on_all_down_is_answered_whatever_its_health() {
    let (port, targets) = targets::<3>(Kind::Http);
    let server = site(port, &targets, "on_all_down = \"c\"", "").serve();
    let c = targets[2].ip();
    targets.iter().for_each(|target| target.set(Mode::Refuse));
    server.metric_becomes(r#"trimtab_region_up{region="c",family="ipv4"}"#, 0.0);
    server.settles_on(NAME, &[c]);
    server.metric_becomes(ENGAGED, 1.0);
    assert_eq!(server.ask(NAME, RecordType::A).ttl(), 7);

    targets[1].set(Mode::Ok);
    server.settles_on(NAME, &[targets[1].ip()]);
}

#[test]
fn a_policy_named_by_on_all_down_is_applied_with_all_of_its_members_up() {
    let (port, targets) = targets::<3>(Kind::Http);
    let more = "[policies.last]\ntype = \"failover\"\norder = [\"c\", \"a\"]\n";
    let server = site(port, &targets, "on_all_down = \"last\"", more).serve();
    targets.iter().for_each(|target| target.set(Mode::Refuse));
    server.metric_becomes(r#"trimtab_region_up{region="c",family="ipv4"}"#, 0.0);
    server.settles_on(NAME, &[targets[2].ip()]);
}

/// Region a is down for a while before b goes as well: what was in force last is b alone, and a
/// server that is started while all is down knows it as well.
#[test]
fn last_good_answers_the_regions_that_were_up_last_even_after_a_restart() {
    let (port, targets) = targets::<2>(Kind::Http);
    let b = targets[1].ip();
    let site = site(port, &targets, "on_all_down = \"last_good\"", "");
    let server = site.serve();
    targets[0].set(Mode::Status(500));
    server.settles_on(NAME, &[b]);

    targets[1].set(Mode::Status(500));
    server.metric_becomes(ENGAGED, 1.0);
    assert!(server.log.wait_for("all down for IPv4").contains("on_all_down = last_good"));
    let only_b_is_answered = |server: &Server| {
        let mut client = server.client();
        for _ in 0..50 {
            let reply = client.ask(&Question::a(NAME));
            assert_eq!(reply.addresses(), [b], "{}", reply.text());
            assert_eq!(reply.ttl(), 7, "ttl_min");
        }
    };
    only_b_is_answered(&server);
    assert!(server.stop().success());

    let server = site.serve();
    server.metric_becomes(ENGAGED, 1.0);
    only_b_is_answered(&server);

    // It comes to an end like any other.
    targets[0].set(Mode::Ok);
    server.settles_on(NAME, &[targets[0].ip()]);
    server.metric_becomes(ENGAGED, 0.0);
}
