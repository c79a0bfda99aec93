//! The cases that are measured.

use super::cases::{Case, cases};

/// One for each way through the engine.
const KINDS: [&str; 20] = [
    "static A",
    "wildcard",
    "CNAME chain",
    "NXDOMAIN",
    "deep NXDOMAIN",
    "referral",
    "weighted",
    "failover",
    "multivalue",
    "sticky",
    "geolocation",
    "geolocation ECS",
    "geolocation ECS v6",
    "EDNS",
    "cookie, valid",
    "all options",
    "truncated",
    "refused",
    "within limits",
    "static over TCP",
];

/// Those that are measured.
pub(crate) fn kinds(unix_secs: u32) -> Vec<Case> {
    let all = cases(unix_secs);
    let case = |what: &&str| all.iter().find(|case| case.what == *what).cloned();
    KINDS.iter().map(|what| case(what).expect("a case of that name")).collect()
}
