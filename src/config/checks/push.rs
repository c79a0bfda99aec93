//! The keys of push checks.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::defaults::COUNT;
use crate::config::table::Table;
use crate::config::value::Value;
use crate::model::{self, PushProbe, Timing};

const DEADLINE: RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(24 * 60 * 60);
const UNREAD: Duration = Duration::from_secs(60);

/// How long a region may be silent, and who may speak for it.
pub(super) fn read(t: &Table<'_>) -> model::Probe {
    for key in ["interval", "timeout", "fast_interval", "port", "target"] {
        let hint = "nobody is asked: regions report, and deadline says how often they must";
        t.misplaced(key, "a key of a push check", hint);
    }
    let wanted = "the longest time between two reports: deadline = \"30s\"";
    let deadline = t.required("deadline", wanted, |v| v.duration(DEADLINE));
    let wanted = "a file with the tokens that regions show";
    let token_file: Option<PathBuf> = t.required("token_file", wanted, Value::file);
    let (deadline, token_file) = (deadline.unwrap_or(UNREAD), token_file.unwrap_or_default());
    model::Probe::Push(PushProbe { deadline, token_file })
}

/// Its timing: a deadline is its interval, and as patient as it is to be: where nothing is said, one result
/// decides.
pub(super) fn timing(t: &Table<'_>, defaults: Timing) -> Timing {
    let mut timing = Timing { fast: None, timeout: Duration::ZERO, fall: 1, rise: 1, ..defaults };
    if let Some(deadline) = t.peek("deadline").and_then(|v| quietly(&v)) {
        timing.interval = deadline;
    }
    t.set("fall", &mut timing.fall, |v| v.integer(COUNT));
    t.set("rise", &mut timing.rise, |v| v.integer(COUNT));
    timing
}

/// The deadline, if it can be read; whether it can is told elsewhere.
fn quietly(v: &Value<'_>) -> Option<Duration> {
    v.text().and_then(|text| humantime::parse_duration(text).ok()).filter(|d| DEADLINE.contains(d))
}
