//! The text that a scrape gets, as a whole.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::table::ALL;
use super::{
    CookieStanding, DropReason, End, Limit, LimitAction, Live, LogSink, Metrics, OverridesInForce,
    Proto, TransferResult,
};
use crate::clock::{self, Duration, SystemTime};
use crate::model::{Family, Weight};
use crate::wire::tsig;

/// The text without what the process collector tells, which differs from run to run.
fn own(metrics: &Metrics) -> String {
    let text = metrics.text();
    let own = text.lines().filter(|line| !line.contains("process_"));
    own.fold(String::new(), |text, line| text + line + "\n")
}

/// The lines of one metric, without its help and type.
fn lines(metrics: &Metrics, name: &str) -> Vec<String> {
    let text = metrics.text();
    text.lines().filter(|line| line.starts_with(name)).map(str::to_owned).collect()
}

/// Everything told once, as a small server would.
fn told() -> Arc<Metrics> {
    let metrics = Metrics::new();
    let (udp, tcp) =
        (metrics.block(Proto::Udp, Family::V4, false), metrics.block(Proto::Tcp, Family::V6, true));
    let (east, west) = (metrics.column("us-east", None), metrics.column("eu-west", None));
    for (qtype, rcode) in [(1, 0), (28, 0), (257, 3), (9_999, 23), (0, 1), (1, 4_095)] {
        udp.request(qtype);
        udp.response(rcode);
    }
    tcp.request(1);
    tcp.response(0);
    tcp.answer(east);
    udp.answer(east);
    udp.answer(west);
    [true, true, false].into_iter().for_each(|used| udp.client_subnet(used));
    tcp.client_subnet(false);
    tcp.client_subnet(true);
    udp.cookie(CookieStanding::New);
    [&udp, &tcp].into_iter().for_each(|block| block.cookie(CookieStanding::Valid));
    (0..3).for_each(|_| udp.cookie(CookieStanding::Wrong));
    DropReason::ALL.into_iter().for_each(|reason| udp.dropped(reason));
    LimitAction::ALL.into_iter().for_each(|action| udp.limited(Limit::Errors, action));
    udp.limited(Limit::Responses, LimitAction::Slipped);
    tsig::Error::ALL.into_iter().for_each(|error| udp.tsig_failure(error));
    TransferResult::ALL.into_iter().for_each(|result| tcp.transfer(result));
    [&udp, &tcp, &udp].into_iter().for_each(|block| block.unlogged(LogSink::Json));
    udp.duration_sample(Duration::from_nanos(700));
    tcp.duration_sample(Duration::from_millis(20));

    let connections = metrics.connections();
    (0..12).for_each(|_| connections.accepted());
    End::ALL.into_iter().for_each(|end| connections.closed(end));
    connections.accept_failed();
    let query_log = metrics.query_log();
    query_log.written(LogSink::Json, 40);
    query_log.written(LogSink::Dnstap, 39);
    query_log.lost(LogSink::Dnstap, 1);

    metrics.check_up("us-east", "web", "192.0.2.10", true).set(true);
    metrics.check_up("eu-west", "web", "198.51.100.20", true).set(false);
    metrics.check_results("us-east", "web").count(Some(true), Duration::from_millis(12));
    metrics.check_results("eu-west", "web").count(Some(false), Duration::from_secs(2));
    let expires = SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000);
    metrics.certificate("us-east", "web", "192.0.2.10", expires);
    metrics.abstaining(1);
    metrics.cut_off(false);
    metrics.region_health("us-east", Family::V4, 0.55, Some("ramping"));
    metrics.region_up("us-east", Family::V4, true);
    metrics.region_up("eu-west", Family::V4, false);
    metrics.region_weight("us-east", Weight(70));
    metrics.overrides(OverridesInForce { drain: 1, weight: 2, ..OverridesInForce::default() });
    metrics.plans("shift", 1);
    metrics.plan_ended("drill", "aborted");
    metrics.region_transition("eu-west", false);
    metrics.record_all_down("app.example.com", false);
    metrics.alias_addresses("lb-eu.example.net", Family::V4, 2);
    metrics.alias_addresses("lb-eu.example.net", Family::V6, 0);
    [true, true, false]
        .into_iter()
        .for_each(|found| metrics.alias_looked("lb-eu.example.net", found));
    let found = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
    metrics.alias_found("lb-eu.example.net", found);
    metrics.oldest_observation(Some(clock::now()));
    metrics.published(7, clock::now());
    metrics.geo_databases(&[("geo/city.mmdb".into(), 1_790_000_000)]);
    metrics.secondaries(&["192.0.2.2:53".into()]);
    metrics.notified("192.0.2.2:53", "unanswered");
    metrics.webhooks(&["ops"]);
    metrics.webhook_events("ops", "delivered", 3);
    metrics.webhook_queue("ops", 2);
    metrics.webhook_success("ops", SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_007));
    metrics.reloaded(true, SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    metrics
}

#[tokio::test(start_paused = true)]
async fn the_text_of_a_scrape() {
    let metrics = told();
    tokio::time::advance(Duration::from_millis(2_500)).await;
    let build = concat!("version=\"", env!("CARGO_PKG_VERSION"), "\"");
    let text = own(&metrics).replace(build, "version=\"VERSION\"");
    let commit = option_env!("TRIMTAB_COMMIT").unwrap_or("unknown");
    insta::assert_snapshot!(text.replace(&format!("commit=\"{commit}\""), "commit=\"COMMIT\""));
}

#[tokio::test]
async fn a_scrape_has_all_of_the_table_and_the_process_and_nothing_else() {
    let text = told().text();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let (process, own): (BTreeSet<_>, BTreeSet<_>) = types
        .filter_map(|line| line.split(' ').next())
        .partition(|name| name.starts_with("process_"));
    assert_eq!(own, ALL.iter().map(|def| def.name).collect());
    assert!(process.contains("process_resident_memory_bytes"));
    for def in ALL {
        let line = text.lines().find(|line| line.starts_with(def.name)).unwrap_or_default();
        for label in def.labels {
            // The column of one region only is without a record.
            let optional = def.name == "trimtab_dns_answers_total" && *label == "record";
            assert!(optional || line.contains(&format!("{label}=\"")), "{label} in {line}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn ages_are_told_at_the_time_of_the_scrape() {
    let metrics = told();
    tokio::time::advance(Duration::from_secs(1)).await;
    metrics.published(8, clock::now());
    tokio::time::advance(Duration::from_secs(3)).await;
    assert_eq!(lines(&metrics, "trimtab_table_age_seconds"), ["trimtab_table_age_seconds 3"]);
    let oldest = "trimtab_check_oldest_observation_seconds";
    assert_eq!(lines(&metrics, oldest), [format!("{oldest} 4")]);
    metrics.oldest_observation(None);
    assert_eq!(lines(&metrics, oldest), [format!("{oldest} 0")]);
}

#[tokio::test]
async fn a_refused_reload_keeps_the_time_of_the_last_good_one() {
    let metrics = told();
    metrics.reloaded(false, SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000));
    assert_eq!(
        lines(&metrics, "trimtab_config_last_reload"),
        [
            "trimtab_config_last_reload_successful 0",
            "trimtab_config_last_reload_timestamp_seconds 1800000000",
        ]
    );
}

#[tokio::test]
async fn series_of_what_a_reload_removed_vanish() {
    let metrics = told();
    let live = Live {
        checks: HashSet::from([("us-east".into(), "web".into(), "192.0.2.10".into())]),
        regions: HashSet::from([("us-east".into(), Family::V4)]),
        weights: HashSet::from(["us-east".into()]),
        aliases: HashSet::new(),
        records: HashSet::new(),
        columns: HashSet::from([metrics.column("us-east", None)]),
    };
    metrics.retain(&live);
    let text = metrics.text();
    assert!(!text.contains("eu-west"), "{text}");
    assert!(!text.contains("app.example.com"), "{text}");
    assert!(!text.contains("lb-eu"), "{text}");
    assert_eq!(
        lines(&metrics, "trimtab_dns_answers_total"),
        [r#"trimtab_dns_answers_total{region="us-east"} 2"#]
    );
    assert_eq!(
        lines(&metrics, "trimtab_check_up"),
        [r#"trimtab_check_up{region="us-east",check="web",address="192.0.2.10"} 1"#]
    );
    assert_eq!(lines(&metrics, "trimtab_check_duration_seconds_count").len(), 1);
    assert_eq!(lines(&metrics, "trimtab_region_up").len(), 1);

    let west = metrics.column("eu-west", None);
    metrics.block(Proto::Udp, Family::V6, false).answer(west);
    let back = r#"trimtab_dns_answers_total{region="eu-west"} 2"#;
    assert!(metrics.text().contains(back), "a region that comes back counts on");
}

#[tokio::test]
async fn a_database_is_shown_as_long_as_it_is_configured() {
    let metrics = told();
    let name = "trimtab_geo_database_build_timestamp_seconds";
    metrics.geo_databases(&[("asn.mmdb".into(), 1_700_000_000), ("city.mmdb".into(), 5)]);
    let shown = [
        format!("{name}{{file=\"asn.mmdb\"}} 1700000000"),
        format!("{name}{{file=\"city.mmdb\"}} 5"),
    ];
    assert_eq!(lines(&metrics, name), shown);
    metrics.geo_databases(&[]);
    assert_eq!(lines(&metrics, name), Vec::<String>::new());
}

#[tokio::test]
async fn labels_that_run_together_alike_are_told_apart() {
    let metrics = Metrics::new();
    metrics.check_up("r", "web", "11.0.0.1", true).set(true);
    metrics.check_up("r", "web1", "1.0.0.1", true).set(false);
    assert_eq!(lines(&metrics, "trimtab_check_up").len(), 2);
}

#[tokio::test]
async fn what_is_about_to_be_told_is_never_shown_wrong() {
    let metrics = Metrics::new();
    let (up, _) =
        (metrics.check_up("r", "web", "a", true), metrics.check_up("r", "web", "b", false));
    let shown = || -> Vec<bool> {
        lines(&metrics, "trimtab_check_up").iter().map(|line| line.ends_with(" 1")).collect()
    };
    assert_eq!(shown(), [true, false]);
    up.set(false);
    let _same = metrics.check_up("r", "web", "a", true);
    assert_eq!(shown(), [false, false], "what is shown already stays until it is set");

    let _results = metrics.check_results("r", "web");
    let buckets = lines(&metrics, "trimtab_check_duration_seconds_bucket");
    assert!(buckets.len() > 2 && buckets.iter().all(|line| line.ends_with(" 0")), "{buckets:?}");
}

#[tokio::test]
async fn answers_are_counted_by_record_when_asked() {
    let metrics = Metrics::new();
    let early = metrics.block(Proto::Udp, Family::V4, false);
    let columns: Vec<_> =
        (0..3_000).map(|n| metrics.column("r", Some(&format!("app{n}.test")))).collect();
    let late = metrics.block(Proto::Udp, Family::V4, false);
    for &column in &columns {
        early.answer(column);
        late.answer(column);
    }
    let counted = lines(&metrics, "trimtab_dns_answers_total");
    assert_eq!(counted.len(), 3_000);
    assert!(counted.iter().all(|line| line.ends_with(" 2")));
    assert!(counted.iter().any(|line| line.contains(r#"{region="r",record="app2999.test"}"#)));

    early.answer(4_000_000);
    let other = r#"trimtab_dns_answers_total{region="other"} 1"#;
    assert!(metrics.text().contains(other), "a number that nobody gave out is counted as other");
}
