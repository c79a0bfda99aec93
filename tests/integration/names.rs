//! Endpoints that are names: aliases, looked up of another server of this kind, and CNAMEs.

use std::fmt::Write as _;
use std::net::IpAddr;

use hickory_proto::rr::RecordType::{self, A, AAAA, ANY, CNAME, MX, NS, SOA, TXT};

use crate::harness::{
    Kind, Mode, Reply, Server, Site, Target, quick, serve_and_fail, targets, until,
};

/// The name of the zone itself, where no CNAME may stand.
const APEX: &str = "site.test";

/// A server that has `lb.test`, whose addresses of `eu` and `us` are these.
fn upstream(eu: &[IpAddr], us: &[IpAddr]) -> Site {
    let site = Site::new("[zones.\"lb.test\"]\nfile = \"lb.zone\"\n");
    point(&site, eu, us);
    site
}

/// Other addresses, from the next reload on.
fn point(site: &Site, eu: &[IpAddr], us: &[IpAddr]) {
    let mut zone = "$TTL 1\n@ SOA ns hostmaster 1 7200 900 1209600 1\n@ NS ns\nns A 127.0.0.1\n\
                    www CNAME eu\n"
        .to_owned();
    for (name, all) in [("eu", eu), ("us", us)] {
        for address in all {
            let rtype = if address.is_ipv4() { "A" } else { "AAAA" };
            let _ = writeln!(zone, "{name} {rtype} {address}");
        }
    }
    site.write("lb.zone", &zone);
}

/// A server whose regions `a` and `b` are behind `www.lb.test` (which leads to `eu`) and `us.lb.test`.
fn aliases(upstream: &Server, port: u16) -> Site {
    let check = quick(Kind::Http, port, &[]);
    Site::new(&format!(
        r#"{check}
        [alias]
        servers = ["{}"]
        ttl_min = "1s"
        timeout = "1s"
        [regions.a]
        addresses = []
        check = "web"
        [regions.b]
        addresses = []
        check = "web"
        [policies.main]
        type = "failover"
        order = ["a", "b"]
        [[records]]
        name = "{APEX}"
        policy = "main"
        [records.endpoints]
        a = {{ alias = "www.lb.test" }}
        b = {{ alias = "us.lb.test" }}
        "#,
        upstream.v4
    ))
}

fn ips<const COUNT: usize>(targets: &[Target; COUNT]) -> [IpAddr; COUNT] {
    targets.each_ref().map(Target::ip)
}

fn types(reply: &Reply) -> Vec<RecordType> {
    reply.message.answers.iter().map(|record| record.record_type()).collect()
}

#[test]
fn an_alias_answers_with_addresses_at_the_name_of_a_zone() {
    let (port, targets) = targets::<3>(Kind::Http);
    let [one, two, far] = ips(&targets);
    let lb = upstream(&[one, two], &[far]);
    let of_lb = lb.serve();
    let site = aliases(&of_lb, port);
    let server = site.serve();
    // The first look and the first probes were waited for.
    assert_eq!(sorted(server.ask(APEX, A).addresses()), sorted(vec![one, two]));
    assert_eq!(types(&server.ask(APEX, SOA)), [SOA]);
    assert_eq!(types(&server.ask(APEX, NS)), [NS]);
    let nodata = server.ask(APEX, AAAA);
    assert_eq!((nodata.header().0, types(&nodata)), (0, vec![]));
    assert!(server.ask(APEX, A).ttl() <= 10, "no longer than what was found, but ttl_min");

    // Each address is probed by itself.
    targets[0].set(Mode::Status(500));
    server.settles_on(APEX, &[two]);
    targets[1].set(Mode::Refuse);
    server.settles_on(APEX, &[far]);
    targets[0].set(Mode::Ok);
    server.settles_on(APEX, &[one]);
}

#[test]
fn other_addresses_are_taken_over_and_the_last_ones_kept() {
    let (port, targets) = targets::<4>(Kind::Http);
    let [one, two, new, far] = ips(&targets);
    let lb = upstream(&[one, two], &[far]);
    let of_lb = lb.serve();
    let site = aliases(&of_lb, port);
    let server = site.serve();
    targets[1].set(Mode::Refuse);
    server.settles_on(APEX, &[one]);

    // The dead one stays dead, the new one is probed and joins.
    point(&lb, &[new, two], &[far]);
    assert!(of_lb.reload());
    server.settles_on(APEX, &[new]);
    server.metric_becomes(r#"trimtab_alias_addresses{name="www.lb.test",family="ipv4"}"#, 2.0);
    let up = format!(r#"trimtab_check_up{{region="a",check="web",address="{two}"}}"#);
    assert_eq!(server.metrics().find(&up), Some(0.0));

    // A name that is gone, and then nobody who could say so.
    point(&lb, &[], &[far]);
    assert!(of_lb.reload());
    let told = server.log.wait_for("the alias www.lb.test cannot be looked up: ");
    let last: Vec<String> = sorted(vec![two, new]).iter().map(IpAddr::to_string).collect();
    let kept = format!("what it had before is served: {}", last.join(", "));
    assert!(told.ends_with(&kept), "{told}");
    server.settles_on(APEX, &[new]);
    drop(of_lb);
    server.log.wait_for("the alias us.lb.test cannot be looked up: ");
    server.settles_on(APEX, &[new]);

    // After a restart nothing is forgotten.
    assert!(server.stop().success());
    let server = site.serve();
    assert_eq!(server.ask(APEX, A).addresses(), [new]);
    server.log.wait_for("the alias us.lb.test cannot be looked up: ");
    server.settles_on(APEX, &[new]);
}

#[test]
fn what_was_never_looked_up_is_no_answer_until_it_is() {
    let (port, targets) = targets::<1>(Kind::Http);
    let [one] = ips(&targets);
    let lb = upstream(&[], &[]);
    let of_lb = lb.serve();
    let site = aliases(&of_lb, port);
    let server = site.serve();
    let reply = server.ask(APEX, A);
    assert_eq!((reply.header().0, reply.addresses()), (2, vec![]), "SERVFAIL");
    server.log.wait_for("nothing is known of it, and it counts as down");
    point(&lb, &[], &[one]);
    assert!(of_lb.reload());
    server.settles_on(APEX, &[one]);
    server.log.wait_for(&format!("the alias us.lb.test is looked up again: {one}"));
}

#[test]
fn a_cname_is_answered_to_every_type_and_follows_health() {
    let (port, targets) = targets::<2>(Kind::Http);
    let [one, two] = ips(&targets);
    let check = |name: &str, target: IpAddr| {
        let check =
            quick(Kind::Http, port, &[]).replace("[checks.web]", &format!("[checks.{name}]"));
        format!(
            "{check}target = \"{target}\"\n[regions.{name}]\naddresses = []\ncheck = {name:?}\n"
        )
    };
    let site = Site::new(&format!(
        r#"{}{}
        [policies.main]
        type = "failover"
        order = ["a", "b"]
        [[records]]
        name = "app.site.test"
        policy = "main"
        ttl = 30
        [records.endpoints]
        a = {{ cname = "a.lb.test" }}
        b = {{ cname = "b.lb.test" }}
        "#,
        check("a", one),
        check("b", two)
    ));
    let server = site.serve();
    let target = |rtype| {
        let reply = server.ask("app.site.test", rtype);
        assert_eq!(types(&reply), [CNAME], "{rtype}");
        assert_eq!(reply.header().0, 0);
        reply.message.answers[0].data.to_string()
    };
    for rtype in [A, AAAA, MX, TXT, ANY, CNAME, SOA, RecordType::HTTPS] {
        assert_eq!(target(rtype), "a.lb.test.");
    }
    targets[0].set(Mode::Refuse);
    until("the other region answers", || (target(MX) == "b.lb.test.").then_some(()));
    for rtype in [A, AAAA, TXT] {
        assert_eq!(target(rtype), "b.lb.test.", "all types agree");
    }
    targets[0].set(Mode::Ok);
    until("the first region is back", || (target(A) == "a.lb.test.").then_some(()));
}

#[test]
fn a_cname_at_the_name_of_a_zone_is_refused() {
    let endpoints = "[records.endpoints]\na = { cname = \"lb.example.net\" }\n";
    let record = format!("[[records]]\nname = {APEX:?}\npolicy = \"a\"\n{endpoints}");
    let site = Site::new(&format!("[regions.a]\naddresses = []\n{record}"));
    let ended = serve_and_fail(&site.config());
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("a cname at site.test, the name of a zone"), "{}", ended.stderr);
}

fn sorted(mut addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    addresses.sort_unstable();
    addresses
}
