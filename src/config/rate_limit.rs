//! `[server.rate_limit]`: how many replies a client network gets over UDP.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::clients::prefix;
use super::value::Value;

/// The limits of replies over UDP to one client network (an IPv4 /24, an IPv6 /56).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimit {
    /// Whether there are any.
    pub enabled: bool,
    /// Answers for one name and type in a second, 1 to 100000.
    pub responses_per_second: u32,
    /// Errors, and answers for names that do not exist, for one zone in a second, 1 to 100000.
    pub errors_per_second: u32,
    /// Of the replies over the limit each so many-th is sent without records, 0 to 10; 0: none.
    pub slip: u8,
    /// Whether replies over the limit are sent all the same, and only counted.
    pub dry_run: bool,
    /// Whose replies are not limited.
    pub exempt: Vec<IpNet>,
}

impl Default for RateLimit {
    fn default() -> Self {
        let loopback_v4 = Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8);
        let loopback_v6 = Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128);
        Self {
            enabled: true,
            responses_per_second: 200,
            errors_per_second: 50,
            slip: 2,
            dry_run: false,
            exempt: vec![loopback_v4.into(), loopback_v6.into()],
        }
    }
}

/// Replies in a second.
pub(super) const RATE: RangeInclusive<i64> = 1..=100_000;
/// Of the replies over a limit each so many-th.
pub(super) const SLIP: RangeInclusive<i64> = 0..=10;

impl RateLimit {
    pub(super) fn read(v: &Value<'_>) -> Option<Self> {
        v.table(|t| {
            let mut limit = Self::default();
            t.set("enabled", &mut limit.enabled, Value::boolean);
            t.set("responses_per_second", &mut limit.responses_per_second, rate);
            t.set("errors_per_second", &mut limit.errors_per_second, rate);
            t.set("slip", &mut limit.slip, |v| v.integer(SLIP));
            t.set("dry_run", &mut limit.dry_run, Value::boolean);
            t.set("exempt", &mut limit.exempt, |v| v.list("a list of prefixes", prefix));
            limit
        })
    }
}

fn rate(v: &Value<'_>) -> Option<u32> {
    if v.as_integer() == Some(0) {
        let wanted = format!("a whole number from {} to {}", RATE.start(), RATE.end());
        return v.refuse_with(wanted, "enabled = false is no limit");
    }
    v.integer(RATE)
}
