//! The admin port: counters that count, and readiness that is true.

use hickory_proto::rr::RecordType::{self, A, AAAA, SOA, TXT};

use crate::harness::{
    Client, Kind, Mode, Question, Server, Site, TcpClient, get, quick, targets, until,
};

/// One region without a check.
const BODY: &str = "[regions.a]\naddresses = [\"192.0.2.1\"]\n\
                    [[records]]\nname = \"app.site.test\"\npolicy = \"a\"\n";

#[test]
fn counters_go_up_by_exactly_what_was_asked() {
    let server = Site::new(BODY).serve();
    let before = server.metrics();
    let ask = |mut client: Client, count: u32, name: &str, rtype: RecordType| {
        (0..count).for_each(|_| drop(client.ask(&Question::new(name, rtype))));
    };
    ask(server.client(), 7, "app.site.test", A);
    ask(server.client(), 5, "app.site.test", AAAA);
    ask(Client::new(server.v6), 3, "nosuch.site.test", TXT);
    ask(server.client(), 2, "www.example.net", RecordType::Unknown(666));
    let mut tcp = TcpClient::new(server.v6);
    for id in 0..4 {
        tcp.send(&[&Question::new("site.test", SOA).wire(id)]);
        assert!(tcp.receive().is_some());
    }
    let client = server.client();
    client.send(b"short");
    let mut response = Question::a("app.site.test").wire(1);
    response[2] |= 0x80;
    client.send(&response);
    client.send(&Question::new("app.site.test", AAAA).wire(2));
    client.receive();

    let after = server.metrics();
    let grown = |name: &str| after.growth(&before, name);
    let named = |pairs: &[(&str, f64)]| -> Vec<(String, f64)> {
        pairs.iter().map(|(series, by)| ((*series).to_owned(), *by)).collect()
    };
    assert_eq!(
        grown("trimtab_dns_requests_total"),
        named(&[
            (r#"trimtab_dns_requests_total{proto="tcp",family="ipv6",type="SOA"}"#, 4.0),
            (r#"trimtab_dns_requests_total{proto="udp",family="ipv4",type="A"}"#, 7.0),
            (r#"trimtab_dns_requests_total{proto="udp",family="ipv4",type="AAAA"}"#, 6.0),
            (r#"trimtab_dns_requests_total{proto="udp",family="ipv4",type="other"}"#, 2.0),
            (r#"trimtab_dns_requests_total{proto="udp",family="ipv6",type="TXT"}"#, 3.0),
        ])
    );
    assert_eq!(
        grown("trimtab_dns_responses_total"),
        named(&[
            (r#"trimtab_dns_responses_total{proto="tcp",rcode="NOERROR"}"#, 4.0),
            (r#"trimtab_dns_responses_total{proto="udp",rcode="NOERROR"}"#, 13.0),
            (r#"trimtab_dns_responses_total{proto="udp",rcode="NXDOMAIN"}"#, 3.0),
            (r#"trimtab_dns_responses_total{proto="udp",rcode="REFUSED"}"#, 2.0),
        ])
    );
    assert_eq!(
        grown("trimtab_dns_answers_total"),
        named(&[(r#"trimtab_dns_answers_total{region="a"}"#, 7.0)])
    );
    assert_eq!(
        grown("trimtab_dns_dropped_total"),
        named(&[
            (r#"trimtab_dns_dropped_total{reason="response"}"#, 1.0),
            (r#"trimtab_dns_dropped_total{reason="short"}"#, 1.0),
        ])
    );
}

#[test]
fn answers_are_counted_for_each_record_when_asked() {
    let server = Site::new(&format!("[metrics]\nper_record = true\n{BODY}")).serve();
    (0..3).for_each(|_| drop(server.ask("app.site.test", A)));
    let series = r#"trimtab_dns_answers_total{region="a",record="app.site.test"}"#;
    let metrics = server.metrics();
    let swapped = r#"trimtab_dns_answers_total{record="app.site.test",region="a"}"#;
    assert_eq!(metrics.find(series).or(metrics.find(swapped)), Some(3.0));
}

#[test]
fn checks_and_regions_are_shown() {
    let (port, targets) = targets::<2>(Kind::Http);
    let ip = targets[0].ip();
    let body = quick(Kind::Http, port, &targets) + &BODY[BODY.find("[[").unwrap()..];
    let server = Site::new(&body).serve();
    let up = format!(r#"trimtab_check_up{{region="a",check="web",address="{ip}"}}"#);
    let results = |server: &Server, result: &str| {
        let labels = format!(r#"{{region="a",check="web",result="{result}"}}"#);
        server.metrics().value(&format!("trimtab_check_results_total{labels}"))
    };
    server.metric_becomes(&up, 1.0);
    until("three probes pass", || (results(&server, "pass") >= 3.0).then_some(()));
    assert_eq!(results(&server, "fail"), 0.0);
    let metrics = server.metrics();
    let seconds = r#"trimtab_check_duration_seconds_count{region="a",check="web"}"#;
    assert!(metrics.value(seconds) >= 3.0);
    assert!(metrics.value("trimtab_check_oldest_observation_seconds") < 5.0);
    assert_eq!(metrics.value(r#"trimtab_region_weight{region="a"}"#), 100.0);
    assert!(metrics.value("trimtab_table_generation") >= 1.0);

    targets[0].set(Mode::Reset);
    server.metric_becomes(&up, 0.0);
    assert!(results(&server, "fail") >= 2.0);
}

#[test]
fn alive_at_once_and_ready_when_questions_are_answered() {
    let (port, targets) = targets::<1>(Kind::Http);
    // Not settled before the target works, within a minute.
    let check = quick(Kind::Http, port, &targets)
        .replace("interval = \"200ms\"", "interval = \"60s\"")
        .replace("fall = 2", "fall = 100");
    let admin = std::net::SocketAddr::from(([127, 0, 0, 1], {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    }));
    targets[0].set(Mode::Hang);
    let site = Site::new("");
    let record = &BODY[BODY.find("[[").unwrap()..];
    site.configure_admin(&admin.to_string(), &format!("{check}{record}"));
    let server = Server::spawn(&site);
    let status = |path: &str| get(admin, path).ok().map(|(status, _)| status);
    until("it is alive", || (status("/healthz") == Some(200)).then_some(()));
    assert_eq!(status("/readyz"), Some(503), "nothing is known yet");
    assert_eq!(server.log.count("answering on"), 0);

    targets[0].set(Mode::Ok);
    until("it is ready", || (status("/readyz") == Some(200)).then_some(()));
    assert!(server.log.count("answering on") == 1);
    assert_eq!(status("/healthz"), Some(200));
    assert_eq!(status("/nosuch"), Some(404));
}
