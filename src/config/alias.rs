//! `[alias]`: how the names of endpoints are looked up.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::value::Value;
use crate::problem::Problem;

/// How the names of endpoints are looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The resolvers that are asked; none: those of the system.
    pub servers: Vec<SocketAddr>,
    /// The least time from one look to the next, whatever the TTL.
    pub ttl_min: Duration,
    /// The longest time from one look to the next, whatever the TTL.
    pub ttl_max: Duration,
    /// How long one look may take.
    pub timeout: Duration,
}

const LEAST: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(3600);
const MOST: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(7 * 24 * 3600);
const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(60);
/// Where resolvers listen that say nothing else.
const PORT: u16 = 53;

impl Default for Alias {
    fn default() -> Self {
        let secs = Duration::from_secs;
        Self { servers: Vec::new(), ttl_min: secs(5), ttl_max: secs(3600), timeout: secs(5) }
    }
}

impl Alias {
    pub(super) fn read(v: &Value<'_>) -> Option<Self> {
        v.table(|t| {
            let mut alias = Self::default();
            t.set("servers", &mut alias.servers, |v| v.list("a list of resolvers", server));
            t.set("ttl_min", &mut alias.ttl_min, |v| v.duration(LEAST));
            t.set("ttl_max", &mut alias.ttl_max, |v| v.duration(MOST));
            t.set("timeout", &mut alias.timeout, |v| v.duration(TIMEOUT));
            if alias.ttl_min > alias.ttl_max {
                let show = humantime::format_duration;
                let found = show(alias.ttl_min).to_string();
                let wanted = format!("a duration up to the ttl_max of {}", show(alias.ttl_max));
                let key = if t.peek("ttl_min").is_some() { "ttl_min" } else { "ttl_max" };
                let place = t.peek(key).map_or(t.place(), |v| v.place());
                t.report(Problem::error(place, "alias.ttl_min", found, wanted));
                alias.ttl_max = alias.ttl_min;
            }
            alias
        })
    }
}

fn server(v: &Value<'_>) -> Option<SocketAddr> {
    let wanted = "the address of a resolver, with or without a port: \"192.0.2.53\" or \
                  \"[2001:db8::53]:5353\"";
    v.parsed(wanted, |text| {
        let alone = || text.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, PORT));
        let at = text.parse().ok().or_else(alone)?;
        (!at.ip().is_unspecified() && at.port() > 0).then_some(at)
    })
}
