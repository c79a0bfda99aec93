//! Reload by SIGHUP: configuration and zones as one transaction, and nothing is lost.

use std::net::IpAddr;

use hickory_proto::rr::RecordType::{A, TXT};

use crate::harness::{Kind, Mode, Question, Reply, Server, Site, Stream, quick, targets};

const SUCCESSFUL: &str = "trimtab_config_last_reload_successful";

/// All weight on one of two regions without a check, and a zone with a text.
fn site(a: u32, b: u32, text: &str) -> Site {
    let site = Site::new("");
    change(&site, a, b, text);
    site
}

fn change(site: &Site, a: u32, b: u32, text: &str) {
    site.configure(&format!(
        "[zones.\"static.test\"]\nfile = \"static.zone\"\n\
         [regions.a]\naddresses = [\"192.0.2.1\"]\nweight = {a}\n\
         [regions.b]\naddresses = [\"192.0.2.2\"]\nweight = {b}\n\
         [[records]]\nname = \"app.site.test\"\npolicy = \"weighted\"\n"
    ));
    site.write(
        "static.zone",
        &format!(
            "$TTL 60\n@ SOA ns1.site.test. h 1 1 1 1 60\n NS ns1.site.test.\n@ TXT \"{text}\"\n"
        ),
    );
}

/// The region answered, by the last octet, and the text of the zone.
fn answered(server: &Server) -> (IpAddr, String) {
    let texts: Vec<_> = (server.ask("static.test", TXT).message.answers.iter())
        .map(|record| record.data.to_string())
        .collect();
    (server.ask("app.site.test", A).addresses()[0], texts.join(" "))
}

const A_SERVED: [u8; 4] = [192, 0, 2, 1];
const B_SERVED: [u8; 4] = [192, 0, 2, 2];

#[test]
fn what_has_changed_is_served_when_the_reload_is_done() {
    let site = site(1, 0, "one");
    let server = site.serve();
    assert_eq!(answered(&server), (A_SERVED.into(), "one".into()));
    let generation = server.metrics().value("trimtab_table_generation");
    assert_eq!(answered(&server), (A_SERVED.into(), "one".into()), "not before");

    change(&site, 0, 1, "two");
    assert!(server.reload());
    for _ in 0..20 {
        assert_eq!(answered(&server), (B_SERVED.into(), "two".into()));
    }
    let metrics = server.metrics();
    assert!(metrics.value("trimtab_table_generation") > generation);
    assert_eq!(metrics.value(r#"trimtab_region_weight{region="a"}"#), 0.0);
    assert_eq!(metrics.value(r#"trimtab_region_weight{region="b"}"#), 1.0);
    assert_eq!(metrics.value(SUCCESSFUL), 1.0);
}

#[test]
fn names_come_and_go_with_a_reload() {
    let site = site(1, 0, "one");
    let server = site.serve();
    let more = "[zones.\"new.test\"]\nnameservers = { \"ns1.new.test\" = [\"192.0.2.9\"] }\n\
                [regions.c]\naddresses = [\"192.0.2.3\"]\n\
                [[records]]\nname = \"app.new.test\"\npolicy = \"c\"\n";
    assert_eq!(server.ask("app.new.test", A).text(), "Refused");
    site.configure(more);
    assert!(server.reload());
    assert_eq!(server.ask("app.new.test", A).addresses(), [IpAddr::from([192, 0, 2, 3])]);
    assert_eq!(server.ask("static.test", TXT).text(), "Refused");
    assert!(server.ask("app.site.test", A).text().starts_with("NXDomain aa\n"));
    let metrics = server.metrics();
    assert_eq!(metrics.find(r#"trimtab_region_weight{region="a"}"#), None, "its series go, too");
    assert!(metrics.find(r#"trimtab_record_all_down{record="app.site.test"}"#).is_none());
}

#[test]
fn a_region_that_is_down_stays_down_through_reloads() {
    let (port, targets) = targets::<3>(Kind::Http);
    let a = targets[0].ip();
    let record = "[[records]]\nname = \"app.site.test\"\npolicy = \"weighted\"\n";
    // An hour: what is known when the reload comes is all that is known.
    let hourly = |text: String| {
        text.replace("interval = \"200ms\"", "interval = \"1h\"")
            .replace("timeout = \"180ms\"", "timeout = \"30s\"")
    };
    let body = hourly(quick(Kind::Http, port, &targets[..2])) + record;
    targets[0].set(Mode::Refuse);
    let site = Site::new(&body);
    let server = site.serve();
    server.settles_on("app.site.test", &[targets[1].ip()]);

    // The third is new, and healthy; of the first a new probe would hang, and tell nothing.
    targets[0].set(Mode::Hang);
    let stream = Stream::start(server.v4, vec![Question::a("app.site.test")], move |reply| {
        assert!(!reply.addresses().contains(&a), "a is down: {}", reply.text());
        assert_eq!(reply.addresses().len(), 1, "{}", reply.text());
    });
    let more = hourly(quick(Kind::Http, port, &targets)) + record;
    site.configure(&more);
    assert!(server.reload());
    server.metric_becomes(r#"trimtab_region_up{region="c",family="ipv4"}"#, 1.0);
    stream.wait_for(100);
    assert_eq!(targets[0].accepted(), 0, "nothing of a has changed: it is not probed sooner");
    // What is asked stays the same, only the judging changes: the state is kept.
    site.configure(&more.replace("fall = 2", "fall = 3"));
    for _ in 0..3 {
        assert!(server.reload());
        stream.wait_for(100);
    }
    assert_eq!(server.metrics().value(r#"trimtab_region_up{region="a",family="ipv4"}"#), 0.0);
    stream.finish();
    server.settles_on("app.site.test", &[targets[1].ip(), targets[2].ip()]);
}

#[test]
fn a_new_address_joins_only_after_its_first_success() {
    let (port, targets) = targets::<2>(Kind::Http);
    let [a, b] = [targets[0].ip(), targets[1].ip()];
    let record = "[[records]]\nname = \"app.site.test\"\npolicy = \"weighted\"\n";
    let site = Site::new(&(quick(Kind::Http, port, &targets[..1]) + record));
    let server = site.serve();
    server.settles_on("app.site.test", &[a]);

    targets[1].set(Mode::Hang);
    let list = format!("addresses = [\"{a}\"]");
    let both = quick(Kind::Http, port, &targets[..1])
        .replace(&list, &format!("addresses = [\"{a}\", \"{b}\"]"));
    site.configure(&(both + record));
    let stream = Stream::start(server.v4, vec![Question::a("app.site.test")], move |reply| {
        assert_eq!(reply.addresses(), [a], "b has never been seen to work");
    });
    assert!(server.reload());
    stream.wait_for(500);
    stream.finish();
    targets[1].set(Mode::Ok);
    crate::harness::until("both addresses are served", || {
        (server.ask("app.site.test", A).addresses().len() == 2).then_some(())
    });
}

#[test]
fn a_broken_configuration_changes_nothing() {
    let site = site(1, 0, "one");
    let server = site.serve();
    let stamp = "trimtab_config_last_reload_timestamp_seconds";
    let before = server.metrics().value(stamp);
    change(&site, 0, 1, "two");
    let good = std::fs::read_to_string(site.config()).unwrap();
    site.write(
        "trimtab.toml",
        &good.replace("weight = 0", "weight = -5").replace("[[rec", "[[wrec"),
    );

    assert!(!server.reload());
    assert_eq!(answered(&server), (A_SERVED.into(), "one".into()), "not even the good zone");
    let metrics = server.metrics();
    assert_eq!((metrics.value(SUCCESSFUL), metrics.value(stamp)), (0.0, before));
    let told = server.log.wait_for("regions.a.weight");
    assert!(told.contains("trimtab.toml:") && told.contains("-5"), "{told}");
    server.log.wait_for("wrecords");
    server.log.wait_for("the configuration in force stays");

    site.write("trimtab.toml", &good);
    assert!(server.reload());
    assert_eq!(answered(&server), (B_SERVED.into(), "two".into()));
    assert_eq!(server.metrics().value(SUCCESSFUL), 1.0);
}

#[test]
fn a_broken_zone_changes_nothing() {
    let site = site(1, 0, "one");
    let server = site.serve();
    change(&site, 0, 1, "two");
    site.write("static.zone", "$TTL 60\n@ SOA ns1.site.test. h 1 1 1 1 60\n@ TXT broken \"\n");
    assert!(!server.reload());
    assert_eq!(answered(&server), (A_SERVED.into(), "one".into()), "not even the good weights");
    assert_eq!(server.metrics().value(SUCCESSFUL), 0.0);
    server.log.wait_for("static.zone:");
}

#[test]
fn what_needs_a_restart_is_refused_and_says_so() {
    let site = site(1, 0, "one");
    let server = site.serve();
    change(&site, 0, 1, "two");
    let good = std::fs::read_to_string(site.config()).unwrap();
    site.write("trimtab.toml", &good.replace("workers = 1", "workers = 2"));
    assert!(!server.reload());
    let told = server.log.wait_for("server.workers");
    assert!(told.contains("found 2, wanted 1") && told.contains("restart"), "{told}");
    assert_eq!(answered(&server), (A_SERVED.into(), "one".into()));
}

#[test]
fn no_query_is_lost_during_twenty_reloads() {
    let site = site(1, 1, "one");
    let server = site.serve();
    let questions =
        vec![Question::a("app.site.test"), Question::new("static.test", TXT).edns(1232)];
    let judge = |reply: &Reply| {
        let text = reply.text();
        let right = match reply.message.queries[0].query_type() {
            A => reply.addresses().iter().all(|ip| [A_SERVED.into(), B_SERVED.into()].contains(ip)),
            _ => ["one", "two"].iter().any(|word| text.ends_with(&format!(" TXT {word}"))),
        };
        assert!(right && reply.message.answers.len() == 1, "{text}");
    };
    let streams = [server.v4, server.v6].map(|to| Stream::start(to, questions.clone(), judge));
    for round in 0..20 {
        change(&site, 1 + round % 7, 2, if round % 2 == 0 { "two" } else { "one" });
        assert!(server.reload(), "reload {round}");
        streams.iter().for_each(|stream| stream.wait_for(20));
    }
    for stream in streams {
        assert!(stream.finish() >= 400);
    }
}
