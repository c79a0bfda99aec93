//! The table: every metric with its name, help, type and labels. No other file spells a name.
//!
//! Names end in their unit (base units: seconds, bytes) and counters in `_total`.

use std::collections::HashMap;

use prometheus::core::Desc;

/// One metric.
#[derive(Debug)]
pub(super) struct Def {
    /// Its name.
    pub(super) name: &'static str,
    /// What it tells, in one sentence.
    pub(super) help: &'static str,
    /// Its type.
    pub(super) kind: Kind,
    /// Its labels, in the order in which values are given.
    pub(super) labels: &'static [&'static str],
}

/// The type of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Counts by size, up to each of these bounds.
    Histogram(&'static [f64]),
}

use Kind::{Counter, Gauge, Histogram};

/// From a cached name to a fault, in steps of two where good servers are.
pub(super) const REQUEST_SECS: [f64; 13] =
    [0.25e-6, 0.5e-6, 1e-6, 2e-6, 4e-6, 8e-6, 16e-6, 32e-6, 64e-6, 128e-6, 256e-6, 1e-3, 10e-3];

/// From the start of a probe to its verdict: a loopback to a slow site.
const PROBE_SECS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

macro_rules! table {
    ($($const:ident = $name:literal $kind:expr, [$($label:literal),*], $help:literal;)*) => {
        $(pub(super) static $const: Def =
            Def { name: $name, help: $help, kind: $kind, labels: &[$($label),*] };)*

        /// All of them.
        #[cfg(test)]
        pub(super) static ALL: &[&Def] = &[$(&$const),*];
    };
}

table! {
    REQUESTS = "trimtab_dns_requests_total" Counter, ["proto", "family", "type"],
        "DNS requests read, by query type.";
    RESPONSES = "trimtab_dns_responses_total" Counter, ["proto", "rcode"],
        "DNS replies, by response code.";
    ANSWERS = "trimtab_dns_answers_total" Counter, ["region", "record"],
        "Dynamic answers given, by the region answered (and by record, if metrics.per_record is set).";
    CLIENT_SUBNET = "trimtab_dns_client_subnet_total" Counter, ["used"],
        "DNS queries with an EDNS Client Subnet, by whether it decided the answer.";
    COOKIES = "trimtab_dns_cookies_total" Counter, ["cookie"],
        "DNS queries with a DNS cookie, by whether the client had a server cookie, and a good one.";
    RATE_LIMITED = "trimtab_dns_rate_limited_total" Counter, ["limit", "action"],
        "DNS replies over a rate limit, by what became of them.";
    TSIG_FAILURES = "trimtab_dns_tsig_failures_total" Counter, ["error"],
        "Signed DNS requests whose signature (TSIG) was not taken, by error.";
    TRANSFERS = "trimtab_dns_transfers_total" Counter, ["result"],
        "Requests for whole zones (AXFR and IXFR), by result.";
    DROPPED = "trimtab_dns_dropped_total" Counter, ["reason"],
        "DNS messages that got no reply, by reason.";
    REQUEST_DURATION = "trimtab_dns_request_duration_seconds" Histogram(&REQUEST_SECS), [],
        "Time from a request in memory to its reply in memory, sampled.";

    TCP_OPEN = "trimtab_dns_tcp_connections" Gauge, [],
        "DNS connections over TCP that are open.";
    TCP_ACCEPTED = "trimtab_dns_tcp_accepted_total" Counter, [],
        "DNS connections over TCP that were accepted.";
    TCP_CLOSED = "trimtab_dns_tcp_closed_total" Counter, ["reason"],
        "DNS connections over TCP that have ended, by reason.";
    TCP_ACCEPT_ERRORS = "trimtab_dns_tcp_accept_errors_total" Counter, [],
        "DNS connections over TCP that the system did not hand over.";

    QUERY_LOG_WRITTEN = "trimtab_query_log_written_total" Counter, ["sink"],
        "Answers written to the query log, by where it goes.";
    QUERY_LOG_DROPPED = "trimtab_query_log_dropped_total" Counter, ["sink", "reason"],
        "Answers that were to be in the query log and are not, by where it goes and why.";

    CHECK_UP = "trimtab_check_up" Gauge, ["region", "check", "address"],
        "Whether a check judges an address to be up (1) or down (0).";
    CHECK_DURATION = "trimtab_check_duration_seconds" Histogram(PROBE_SECS), ["region", "check"],
        "Time from the start of a probe to its verdict.";
    CHECK_RESULTS = "trimtab_check_results_total" Counter, ["region", "check", "result"],
        "Probes that passed or failed, or had nothing to say of the target.";
    CHECK_OLDEST = "trimtab_check_oldest_observation_seconds" Gauge, [],
        "Age of the least recent of all probes' last results; 0 when nothing is probed.";

    CHECK_CERTIFICATE =
        "trimtab_check_certificate_expiry_timestamp_seconds" Gauge, ["region", "check", "address"],
        "Unix time at which the certificate that an address showed last expires.";
    CHECKS_ABSTAINING = "trimtab_checks_abstaining" Gauge, [],
        "Targets of which nothing is known for want of what knows of them.";
    CUT_OFF = "trimtab_self_check_cut_off" Gauge, [],
        "Whether this nameserver takes itself to be cut off, and keeps what it last knew (1).";

    ALIAS_ADDRESSES = "trimtab_alias_addresses" Gauge, ["name", "family"],
        "Addresses that a name behind an alias was looked up to have, and that are in use.";
    ALIAS_LOOKUPS = "trimtab_alias_lookups_total" Counter, ["name", "result"],
        "Looks at names behind aliases, by whether they came to an answer.";
    ALIAS_FOUND = "trimtab_alias_last_success_timestamp_seconds" Gauge, ["name"],
        "Unix time of the last look at a name behind an alias that came to an answer.";

    REGION_HEALTH = "trimtab_region_health_ratio" Gauge, ["region", "family"],
        "Health factor of a region for an address family, 0 (down) to 1 (up).";
    REGION_HELD = "trimtab_region_held" Gauge, ["region", "family", "reason"],
        "Whether a region is served otherwise than its checks say (1), by the reason.";
    REGION_UP = "trimtab_region_up" Gauge, ["region", "family"],
        "Whether a region is up (1) or down (0) for an address family.";
    REGION_WEIGHT = "trimtab_region_weight" Gauge, ["region"],
        "Weight of a region in force.";
    OVERRIDES = "trimtab_overrides" Gauge, ["kind"],
        "Overrides in force, by what they force.";
    PLANS = "trimtab_plans" Gauge, ["kind"],
        "Plans under way, by kind.";
    PLAN_ENDINGS = "trimtab_plan_endings_total" Counter, ["kind", "result"],
        "Plans that are over, by how they ended.";
    REGION_TRANSITIONS = "trimtab_region_transitions_total" Counter, ["region", "to"],
        "Changes of a region's state, by the new state.";
    RECORD_ALL_DOWN = "trimtab_record_all_down" Gauge, ["record"],
        "Whether all that a record could answer is down, so that on_all_down decides (1).";

    NOTIFIES = "trimtab_notifies_total" Counter, ["secondary", "result"],
        "Serials that a secondary was told of (NOTIFY), by result.";

    WEBHOOK_DELIVERIES = "trimtab_webhook_deliveries_total" Counter, ["webhook", "result"],
        "Events for a webhook, by what became of them.";
    WEBHOOK_QUEUE = "trimtab_webhook_queue_length" Gauge, ["webhook"],
        "Events that wait for a webhook.";
    WEBHOOK_SUCCESS = "trimtab_webhook_last_success_timestamp_seconds" Gauge, ["webhook"],
        "Unix time at which a webhook last took something; 0 when it never has.";

    TABLE_GENERATION = "trimtab_table_generation" Gauge, [],
        "Generation of the answers in force; grows with each publication.";
    TABLE_AGE = "trimtab_table_age_seconds" Gauge, [],
        "Time since the answers in force were published.";
    RELOAD_SUCCESSFUL = "trimtab_config_last_reload_successful" Gauge, [],
        "Whether the last load of the configuration succeeded (1) or was refused (0).";
    RELOAD_TIMESTAMP = "trimtab_config_last_reload_timestamp_seconds" Gauge, [],
        "Unix time of the last load of the configuration that succeeded.";
    GEO_DATABASE_BUILD = "trimtab_geo_database_build_timestamp_seconds" Gauge, ["file"],
        "Unix time at which a geolocation database in force was built.";
    STATE_WRITE_ERRORS = "trimtab_state_write_errors_total" Counter, [],
        "Failed writes to the state directory.";
    BUILD_INFO = "trimtab_build_info" Gauge, ["version", "commit"],
        "Always 1; the labels tell what is running.";
}

impl Def {
    /// The bounds of a histogram; of anything else, none.
    pub(super) const fn bounds(&self) -> &'static [f64] {
        match self.kind {
            Histogram(bounds) => bounds,
            Counter | Gauge => &[],
        }
    }

    /// The description by which a registry knows it.
    ///
    /// # Panics
    ///
    /// When the table holds a name that Prometheus does not take, which a test excludes.
    pub(super) fn desc(&self) -> Desc {
        let labels = self.labels.iter().map(ToString::to_string).collect();
        Desc::new(self.name.into(), self.help.into(), labels, HashMap::new())
            .expect("the table holds valid names")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules_of_the_field() {
        for def in ALL {
            let Def { name, help, kind, labels } = def;
            assert_eq!(def.desc().fq_name, *name);
            assert!(name.starts_with("trimtab_"), "{name}");
            assert_eq!(name.ends_with("_total"), *kind == Counter, "{name}");
            assert!(help.ends_with('.') && !help.contains('\n'), "{name}: {help}");
            assert!(!labels.contains(&"le"), "{name}");
            for unit in ["_ms", "_millis", "_us", "_percent", "_kb"] {
                assert!(!name.ends_with(unit), "{name} is not in a base unit");
            }
        }
        let mut names: Vec<_> = ALL.iter().map(|def| def.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }
}
