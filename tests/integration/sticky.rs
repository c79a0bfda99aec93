//! `sticky = "client"`: a client network keeps to its region, on every nameserver.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use hickory_proto::rr::RecordType::{A, AAAA};

use crate::harness::{
    Client, Kind, Question, Server, Site, answered, letters, regions, set_down, targets, until,
    watched,
};

const POLICY: &str = r#"
[policies.main]
type = "weighted"
weights = { a = 40, b = 30, c = 20, d = 10 }
sticky = "client"
[[records]]
name = "app.site.test"
policy = "main"
[[records]]
name = "www.site.test"
policy = "main"
"#;

/// A thousand client networks, every other one of IPv6: as resolvers send them, and wider and
/// narrower.
fn networks() -> Vec<String> {
    let mut rng = fastrand::Rng::with_seed(11);
    let v4 = |rng: &mut fastrand::Rng| {
        let len = rng.u32(20..=32);
        // Between the special-purpose blocks.
        let bits = (rng.u32(..1 << 24) | 0x5000_0000) >> (32 - len) << (32 - len);
        format!("{}/{len}", Ipv4Addr::from(bits))
    };
    let v6 = |rng: &mut fastrand::Rng| {
        let len = rng.u32(48..=128);
        let bits = (rng.u128(..) >> 16 | 0x2a00 << 112) >> (128 - len) << (128 - len);
        format!("{}/{len}", Ipv6Addr::from(bits))
    };
    (0..500).flat_map(|_| [v4(&mut rng), v6(&mut rng)]).collect()
}

/// The region of each network, which must be the same for both families and all records, and the
/// scope that goes back for it.
fn regions_of(server: &Server, networks: &[String]) -> Vec<String> {
    let mut client = server.client();
    let mut region = |network: &String| {
        let (region, scope) = answered(&mut client, "app.site.test", A, network);
        assert_eq!(region.len(), 1, "{network}");
        assert_eq!(scope, if network.contains(':') { 56 } else { 24 }, "{network}");
        for (name, rtype) in [("app.site.test", AAAA), ("www.site.test", A)] {
            let other = answered(&mut client, name, rtype, network);
            assert_eq!(other, (region.clone(), scope), "{name} {rtype} for {network}");
        }
        region
    };
    networks.iter().map(&mut region).collect()
}

#[test]
fn nameservers_agree_on_a_thousand_networks_whatever_their_pasts() {
    let (port, targets) = targets::<4>(Kind::Http);
    let networks = networks();
    let body = watched(port, &targets, &[""; 4]);
    let one = Site::new(&format!("{body}{POLICY}")).serve();
    // The first has seen regions fail and come back.
    set_down(&one, &targets, "a");
    let without_a = settled_on(&one, &networks, "bcd");
    set_down(&one, &targets, "bc");
    settled_on(&one, &networks, "ad");
    set_down(&one, &targets, "");

    // The second is new, and has its regions, and whom they are shared by, in another order.
    let (checks, regions) = body.split_at(body.find("[regions.a]").unwrap());
    let mut parts: Vec<String> =
        regions.split("[regions.").skip(1).map(|part| format!("[regions.{part}")).collect();
    assert_eq!(parts.len(), 4);
    parts.reverse();
    let policy =
        POLICY.replace("a = 40, b = 30, c = 20, d = 10", "c = 200, d = 100, b = 300, a = 400");
    let site = Site::new(&format!("{checks}{}{policy}", parts.concat()));
    let other = site.serve();

    let settled = settled_on(&one, &networks, "abcd");
    assert_eq!(regions_of(&one, &networks), settled);
    assert_eq!(regions_of(&other, &networks), settled);
    for (network, (with, without)) in networks.iter().zip(settled.iter().zip(&without_a)) {
        assert!(with == without || with == "a", "{network} went from {without} to {with}");
    }
    // As the weights say, give or take four standard deviations of a binomial.
    for (region, share) in [("a", 0.4), ("b", 0.3), ("c", 0.2), ("d", 0.1)] {
        let (n, p) = (networks.len() as f64, share);
        let found = settled.iter().filter(|r| *r == region).count() as f64;
        let off = (found - n * p).abs();
        assert!(off < 4.0 * (n * p * (1.0_f64 - p)).sqrt(), "{region}: {found} of {n}");
    }
    drop(one);

    // And a restart is a past as well.
    assert!(other.stop().success());
    assert_eq!(regions_of(&site.serve(), &networks), settled);
}

/// The same once these regions and no others have a share: what is known of health is published a
/// moment after the metrics tell of it.
#[track_caller]
fn settled_on(server: &Server, networks: &[String], wanted: &str) -> Vec<String> {
    until(&format!("all of {wanted} are answered, and no other"), || {
        let mut client = server.client();
        let some = networks.iter().take(200);
        let found = some.map(|network| answered(&mut client, "app.site.test", A, network).0);
        (found.collect::<BTreeSet<_>>().into_iter().collect::<String>() == wanted).then_some(())
    });
    regions_of(server, networks)
}

/// Without a client subnet, the source address is the network.
#[test]
fn a_source_keeps_to_its_region() {
    let body = regions(&[""; 4]);
    let server = Site::new(&format!("{body}{POLICY}")).serve();
    for to in [server.v4, server.v6] {
        let mut client = Client::new(to);
        let mut ask = |name: &str, rtype| {
            let question = Question::new(name, rtype);
            letters(&client.ask(&question))
        };
        let first = ask("app.site.test", A);
        for _ in 0..100 {
            assert_eq!(ask("app.site.test", AAAA), first);
            assert_eq!(ask("www.site.test", A), first);
        }
    }
}
