//! Trees of policies, as they answer when parts of them fail.

use std::net::IpAddr;

use hickory_proto::rr::RecordType;
use rstest::rstest;

use crate::harness::{Kind, Mode, Question, Server, Site, Target, quick, targets, until};

const NAME: &str = "app.site.test";

/// Which of the targets are answered, once the health of all of them is known: waits until each
/// of the wanted ones has come, and no other does any more.
#[track_caller]
fn answered_by(server: &Server, targets: &[Target], wanted: &str) {
    let ips: Vec<IpAddr> = targets
        .iter()
        .zip('a'..)
        .filter(|(_, n)| wanted.contains(*n))
        .map(|(t, _)| t.ip())
        .collect();
    server.settles_on(NAME, &ips);
    let mut client = server.client();
    let mut missing = ips.clone();
    until(&format!("each of {wanted} is answered"), || {
        let found = client.ask(&Question::a(NAME)).addresses();
        assert!(found.iter().all(|ip| ips.contains(ip)), "{found:?} is none of {wanted}");
        missing.retain(|ip| !found.contains(ip));
        missing.is_empty().then_some(())
    });
}

/// Each step: the regions that are down from then on, and the regions answered.
#[rstest]
#[case::failover(r#"
    [policies.main]
    type = "failover"
    order = ["a", "b", "c"]"#,
    &[("", "a"), ("a", "b"), ("ab", "c"), ("b", "a"), ("abcd", "a")])]
#[case::tiers_share_and_give_way_to_the_next(r#"
    [policies.main]
    type = "failover"
    order = [["a", "b"], "c"]"#,
    &[("", "ab"), ("a", "b"), ("ab", "c"), ("", "ab")])]
#[case::spill_leaves_nothing_to_the_next_tier_while_one_member_is_up(r#"
    [policies.main]
    type = "failover"
    order = [["a", "b"], "c"]
    spill = true"#,
    &[("", "ab"), ("a", "b"), ("ab", "c"), ("b", "a")])]
#[case::standbys_wait_until_all_others_are_down(r#"
    [policies.main]
    type = "weighted"
    weights = { a = 1, b = 1, c = 0, d = 0 }"#,
    &[("", "ab"), ("b", "a"), ("ab", "cd"), ("abc", "d"), ("bc", "a"), ("abcd", "ab")])]
#[case::weighted_over_failovers(r#"
    [policies.main]
    type = "weighted"
    weights = { left = 1, right = 1 }
    [policies.left]
    type = "failover"
    order = ["a", "b"]
    [policies.right]
    type = "failover"
    order = ["c", "d"]"#,
    &[("", "ac"), ("a", "bc"), ("ac", "bd"), ("ab", "c"), ("abc", "d")])]
#[case::failover_over_weighted(r#"
    [policies.main]
    type = "failover"
    order = ["canary", "c"]
    [policies.canary]
    type = "weighted"
    weights = { a = 90, b = 10 }"#,
    &[("", "ab"), ("a", "b"), ("ab", "c"), ("", "ab")])]
#[case::three_deep(r#"
    [policies.main]
    type = "failover"
    order = ["shared", "d"]
    [policies.shared]
    type = "weighted"
    weights = { a = 1, chain = 1 }
    [policies.chain]
    type = "failover"
    order = ["b", "c"]"#,
    &[("", "ab"), ("b", "ac"), ("bc", "a"), ("abc", "d")])]
fn a_tree_follows_the_health_of_its_regions(
    #[case] policies: &str,
    #[case] steps: &[(&str, &str)],
) {
    let (port, targets) = targets::<4>(Kind::Http);
    let record = format!("\n[[records]]\nname = {NAME:?}\npolicy = \"main\"\n");
    let body = quick(Kind::Http, port, &targets) + policies + &record;
    let server = Site::new(&body).serve();
    for (down, wanted) in steps {
        for (target, name) in targets.iter().zip('a'..) {
            target.set(if down.contains(name) { Mode::Status(503) } else { Mode::Ok });
        }
        for name in "abcd".chars() {
            let series = format!(r#"trimtab_region_up{{region="{name}",family="ipv4"}}"#);
            server.metric_becomes(&series, f64::from(u8::from(!down.contains(name))));
        }
        answered_by(&server, &targets, wanted);
    }
}

/// An IPv4-only region `four`, and `six` with both families; no checks.
const FAMILIES: &str = r#"
[regions.four]
addresses = ["192.0.2.4"]
[regions.six]
addresses = ["192.0.2.6", "2001:db8::6"]
[policies.shared]
type = "weighted"
weights = { four = 1, six = 1 }
[policies.first]
type = "failover"
order = ["four", "six"]
[policies.skipping]
type = "failover"
order = ["four", "six"]
missing_family = "skip"
[policies.tier]
type = "failover"
order = [["four", "six"]]
[[records]]
name = "shared.site.test"
policy = "shared"
[[records]]
name = "first.site.test"
policy = "first"
[[records]]
name = "skipping.site.test"
policy = "skipping"
[[records]]
name = "tier.site.test"
policy = "tier"
[[records]]
name = "four.site.test"
policy = "four"
"#;

const NODATA: &str = "NoError aa\nns site.test. 60 SOA ";

#[rstest]
#[case::weighted_leaves_it_out("shared.site.test", "2001:db8::6")]
#[case::failover_keeps_its_place("first.site.test", NODATA)]
#[case::failover_skips_it_when_told("skipping.site.test", "2001:db8::6")]
#[case::a_tier_leaves_it_out("tier.site.test", "2001:db8::6")]
#[case::nobody_has_it("four.site.test", NODATA)]
fn a_family_that_a_region_lacks(#[case] name: &str, #[case] wanted: &str) {
    let server = Site::new(FAMILIES).serve();
    let mut client = server.client();
    for _ in 0..50 {
        let text = client.ask(&Question::aaaa(name)).text();
        let answered = text == format!("NoError aa\nan {name}. 60 AAAA {wanted}");
        assert!(answered || wanted == NODATA && text.starts_with(NODATA), "{text}");
    }
    let v4 = client.ask(&Question::a(name)).addresses();
    assert_eq!(v4.len(), 1, "IPv4 is there in any case");
    let all_down = format!(r#"trimtab_record_all_down{{record="{name}"}}"#);
    assert_eq!(server.metrics().value(&all_down), 0.0, "no alarm");
}

#[test]
fn a_records_own_endpoints_are_judged_by_its_own_check() {
    let (own_port, own) = targets::<2>(Kind::Tcp);
    let (port, regions) = targets::<3>(Kind::Http);
    let body = format!(
        "{}\n[checks.own]\ntype = \"tcp\"\nport = {own_port}\ninterval = \"200ms\"\n\
         timeout = \"180ms\"\nfall = 2\nrise = 2\n\
         [[records]]\nname = {NAME:?}\npolicy = \"weighted\"\n\
         [[records]]\nname = \"own.site.test\"\npolicy = \"weighted\"\ncheck = \"own\"\n\
         [records.endpoints]\na = [\"{}\"]\nb = [\"{}\"]\n",
        quick(Kind::Http, port, &regions),
        own[0].ip(),
        own[1].ip()
    );
    let server = Site::new(&body).serve();
    let [first, second] = [own[0].ip(), own[1].ip()];

    // The region's own check fails: the record that brings its own endpoints is not touched.
    regions[0].set(Mode::Status(500));
    answered_by(&server, &regions, "bc");
    let (mut client, mut seen) = (server.client(), [false; 2]);
    until("both endpoints are answered", || {
        let found = client.ask(&Question::a("own.site.test")).addresses();
        assert!(found == [first] || found == [second], "only its endpoints: {found:?}");
        seen = [seen[0] | (found == [first]), seen[1] | (found == [second])];
        (seen == [true; 2]).then_some(())
    });

    // And the other way round.
    own[1].set(Mode::Refuse);
    server.settles_on("own.site.test", &[first]);
    answered_by(&server, &regions, "bc");
    server.log.wait_for("b (for own.site.test) is down with 0 of 1 IPv4 addresses");
    let b = r#"trimtab_region_up{region="b",family="ipv4"}"#;
    assert_eq!(server.metrics().value(b), 1.0, "the region's own pool is up");
}

#[test]
fn only_the_addresses_that_are_up_are_served() {
    let (port, targets) = targets::<3>(Kind::Http);
    let ips = [0, 1, 2].map(|at: usize| targets[at].ip());
    let list = ips.map(|ip| format!("\"{ip}\"")).join(", ");
    let body = format!(
        "{}[regions.all]\naddresses = [{list}]\ncheck = \"web\"\n\
         [[records]]\nname = {NAME:?}\npolicy = \"all\"\n",
        quick(Kind::Http, port, &[])
    );
    let server = Site::new(&body).serve();
    let mut all = server.ask(NAME, RecordType::A).addresses();
    all.sort_unstable();
    assert_eq!(all, ips);
    targets[1].set(Mode::Hang);
    let left = until("one of three is left out", || {
        let mut found = server.ask(NAME, RecordType::A).addresses();
        found.sort_unstable();
        (found.len() == 2).then_some(found)
    });
    assert_eq!(left, [ips[0], ips[2]]);
    assert_eq!(server.metrics().value(r#"trimtab_region_up{region="all",family="ipv4"}"#), 1.0);
}
