//! Plans: whom their queries are put to, and maintenance windows.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use toml::de::DeValue;
use toml::value::{Datetime, Offset};

use super::checks::prometheus_url;
use super::context::Spanned;
use super::names;
use super::table::Table;
use super::value::Value;

const INTERVAL: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(3600);
const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(60);
const OVER: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(24 * 3600);
const TIME: &str = "a time with its offset from UTC, like 2026-12-01T02:00:00Z";

/// How plans are watched.
#[derive(Debug, Clone, PartialEq)]
pub struct Plans {
    /// The Prometheus server that is asked whether a plan is to be given up.
    pub prometheus: Option<String>,
    /// A file with a bearer token for it.
    pub token_file: Option<PathBuf>,
    /// A file with the authorities of its certificate.
    pub ca_file: Option<PathBuf>,
    /// How often it is asked.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
}

impl Default for Plans {
    fn default() -> Self {
        Self {
            prometheus: None,
            token_file: None,
            ca_file: None,
            interval: Duration::from_secs(10),
            timeout: Duration::from_secs(5),
        }
    }
}

impl Plans {
    pub(super) fn read(v: &Value<'_>) -> Option<Self> {
        v.table(|t| {
            let mut plans = Self {
                prometheus: t.optional("prometheus", prometheus_url),
                token_file: t.optional("token_file", Value::file),
                ca_file: t.optional("ca_file", Value::file),
                ..Self::default()
            };
            t.set("interval", &mut plans.interval, |v| v.duration(INTERVAL));
            t.set("timeout", &mut plans.timeout, |v| v.duration(TIMEOUT));
            if plans.timeout >= plans.interval
                && let Some(v) = t.peek("timeout").or_else(|| t.peek("interval"))
            {
                v.refuse::<()>("a timeout below the interval");
            }
            plans
        })
    }
}

/// A maintenance window.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Its name.
    pub name: Spanned<Arc<str>>,
    /// The regions that are to be empty.
    pub regions: Vec<Spanned<String>>,
    /// From when on, in milliseconds since 1970.
    pub from_ms: u64,
    /// Until when.
    pub to_ms: u64,
    /// Over how long they are drained before.
    pub drain_over: Duration,
    /// Over how long they return after.
    pub return_over: Duration,
    /// Why.
    pub reason: Option<String>,
}

impl Window {
    /// Over how long regions are drained and return, where nothing is said.
    pub const OVER: Duration = Duration::from_secs(300);

    pub(super) fn read_all(v: &Value<'_>) -> Option<Vec<Self>> {
        let entries = v.entries("a table of maintenance windows: [windows.kernel]")?;
        let read = entries.into_iter().filter_map(|(name, place, v)| {
            let name = names::read(name, place, &v);
            v.table(|t| Self::read(name, t)).flatten()
        });
        Some(read.collect())
    }

    fn read(name: Spanned<Arc<str>>, t: &Table<'_>) -> Option<Self> {
        let wanted = "a list of regions";
        let regions = t.required("regions", wanted, |v| {
            v.list(wanted, |v| names::reference(v, "the name of a region"))
        });
        let from = t.required("from", TIME, time);
        let to = t.required("to", TIME, time);
        let (mut drain_over, mut return_over) = (Self::OVER, Self::OVER);
        t.set("drain_over", &mut drain_over, |v| v.duration(OVER));
        t.set("return_over", &mut return_over, |v| v.duration(OVER));
        let reason = t.optional("reason", |v| v.string("why, as a text"));
        let (from_ms, to_ms) = (from?, to?);
        if from_ms >= to_ms {
            return t.peek("to").and_then(|v| v.refuse("a time behind from"));
        }
        Some(Self { name, regions: regions?, from_ms, to_ms, drain_over, return_over, reason })
    }
}

/// A time of the wall clock.
fn time(v: &Value<'_>) -> Option<u64> {
    let found = match v.tree {
        DeValue::Datetime(found) => unix_ms(found),
        DeValue::String(text) => rfc3339_ms(text),
        _ => None,
    };
    found.or_else(|| v.refuse(TIME))
}

/// A time as RFC 3339 has it (`2026-12-01T02:00:00+01:00`), in milliseconds since 1970; `None`: it is
/// none, has no offset, or lies before.
#[must_use]
pub fn rfc3339_ms(text: &str) -> Option<u64> {
    unix_ms(&text.parse().ok()?)
}

fn unix_ms(found: &Datetime) -> Option<u64> {
    let (date, time) = (found.date?, found.time?);
    let minutes = match found.offset? {
        Offset::Z => 0,
        Offset::Custom { minutes } => i64::from(minutes),
    };
    let as_utc = Datetime { date: Some(date), time: Some(time), offset: None };
    let as_utc = humantime::parse_rfc3339_weak(&as_utc.to_string()).ok()?;
    let ms = as_utc.duration_since(UNIX_EPOCH).ok()?.as_millis();
    let ms = i64::try_from(ms).ok()?.checked_sub(minutes.checked_mul(60_000)?)?;
    u64::try_from(ms).ok()
}

#[cfg(test)]
mod tests {
    use super::rfc3339_ms;

    #[test]
    fn times_have_an_offset() {
        for (text, ms) in [
            ("1970-01-01T00:00:01Z", Some(1000)),
            ("2026-12-01T02:00:00Z", Some(1_796_090_400_000)),
            ("2026-12-01 03:00:00+01:00", Some(1_796_090_400_000)),
            ("2026-11-30T21:30:00.5-04:30", Some(1_796_090_400_500)),
            ("2026-12-01T02:00:00", None),
            ("2026-12-01", None),
            ("1969-12-31T23:59:59Z", None),
            ("tomorrow", None),
        ] {
            assert_eq!(rfc3339_ms(text), ms, "{text}");
        }
    }
}
