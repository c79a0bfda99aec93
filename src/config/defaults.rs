//! `[defaults]`: what records and checks do that say nothing else; and the timing of checks.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::context::Spanned;
use super::records::AllDown;
use super::table::Table;
use super::value::Value;
use crate::model::Timing;

/// Seconds that an answer may be kept.
pub(super) const TTL: RangeInclusive<i64> = 0..=604_800;
/// Consecutive results that decide.
pub(super) const COUNT: RangeInclusive<i64> = 1..=100;
pub(super) const INTERVAL: RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(3600);
const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(3600);

/// What records and checks do that say nothing else.
#[derive(Debug, Clone, PartialEq)]
pub struct Defaults {
    /// Seconds, when all is calm; 0 to 604800.
    pub ttl: u32,
    /// The least that doubt may make of it, in seconds. `None`: not said, so 10 or, if it is less,
    /// the TTL.
    pub ttl_min: Option<Spanned<u32>>,
    /// What is answered when all is down.
    pub on_all_down: AllDown,
    /// The timing of checks.
    pub check: Timing,
}

impl Defaults {
    /// The least that doubt may make of a TTL where nothing else is said, in seconds.
    pub const TTL_MIN: u32 = 10;
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            ttl: 60,
            ttl_min: None,
            on_all_down: AllDown::Open,
            check: Timing {
                interval: Duration::from_secs(10),
                fast: None,
                timeout: Duration::from_secs(2),
                fall: 3,
                rise: 2,
            },
        }
    }
}

impl Defaults {
    pub(super) fn read(v: &Value<'_>) -> Option<Self> {
        v.table(|t| {
            let mut defaults = Self::default();
            t.set("ttl", &mut defaults.ttl, |v| v.integer(TTL));
            t.set("ttl_min", &mut defaults.ttl_min, ttl_min);
            let written = defaults.ttl_min.as_ref().filter(|least| least.value > defaults.ttl);
            if let (Some(_), Some(v)) = (written, t.peek("ttl_min")) {
                let wanted = format!("a number of seconds up to the ttl of {}", defaults.ttl);
                v.refuse::<()>(wanted);
            }
            t.set("on_all_down", &mut defaults.on_all_down, AllDown::read);
            t.set("check", &mut defaults.check, |v| v.table(|t| timing(t, Self::default().check)));
            defaults
        })
    }
}

pub(super) fn ttl_min(v: &Value<'_>) -> Option<Option<Spanned<u32>>> {
    v.integer(TTL).map(|n| Some(v.with_place(n)))
}

/// The keys by which a check is timed.
pub(super) fn timing(t: &Table<'_>, defaults: Timing) -> Timing {
    let mut timing = defaults;
    let mut all_read = true;
    let mut set = |key, slot: &mut Duration, range| {
        if let Some(value) = t.get(key) {
            let read = value.duration(range);
            all_read &= read.is_some();
            *slot = read.unwrap_or(*slot);
        }
    };
    set("interval", &mut timing.interval, INTERVAL);
    set("timeout", &mut timing.timeout, TIMEOUT);
    t.set("fall", &mut timing.fall, |v| v.integer(COUNT));
    t.set("rise", &mut timing.rise, |v| v.integer(COUNT));
    if timing.timeout >= timing.interval && all_read {
        refuse_slow(t, timing);
    }
    timing
}

/// A probe never overlaps itself, so it must have ended before the next one starts.
fn refuse_slow(t: &Table<'_>, timing: Timing) {
    let interval = humantime::format_duration(timing.interval);
    let timeout = humantime::format_duration(timing.timeout);
    if let Some(v) = t.peek("timeout") {
        v.refuse::<()>(format!("a duration below the interval of {interval}"));
    } else if let Some(v) = t.peek("interval") {
        v.refuse_with::<()>(
            format!("a duration above the timeout of {timeout}, which is inherited"),
            "give a timeout below the interval, too",
        );
    }
}
