//! `[metrics]`, `[log]`, `[probe]`, `[state]`: what surrounds the answering of queries.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use ipnet::IpNet;
use tracing_subscriber::EnvFilter;

use super::context::Spanned;
use super::value::Value;
use crate::model::FAST_BUDGET;
use crate::problem::Place;

/// What a budget of fast probes may be, a second.
pub(super) const FAST: RangeInclusive<u32> = 0..=10_000;

/// What is counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Answers are counted for each record, too.
    pub per_record: bool,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// A filter as `tracing` understands it: `info`, or `info,trimtab::probe=debug`.
    pub level: String,
    /// The form of a line.
    pub format: LogFormat,
}

/// The form of a line of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Programs that run at once.
pub(super) const EXEC_AT_ONCE: RangeInclusive<i64> = 1..=256;

/// How probing as a whole is done.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// Probed although they are link-local or belong to a cloud's metadata service.
    pub allow: Vec<IpNet>,
    /// How many probes are in flight at most.
    pub concurrency: Concurrency,
    /// How many probes a second are made sooner because their targets are in doubt.
    pub fast_budget: u32,
    /// How many programs of exec checks run at once at most, 1 to 256.
    pub exec_at_once: Spanned<u16>,
}

impl Default for Probe {
    fn default() -> Self {
        let exec_at_once = Spanned { value: 8, place: Place::File(PathBuf::new()) };
        let concurrency = Concurrency::Auto;
        Self { allow: Vec::new(), concurrency, fast_budget: FAST_BUDGET, exec_at_once }
    }
}

/// How many probes are in flight at most.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Concurrency {
    /// As many as are needed when everything hangs, and a quarter more.
    #[default]
    Auto,
    /// So many, 1 to 65535.
    Count(Spanned<u16>),
}

/// What survives a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The directory; a relative one is relative to the configuration file.
    pub dir: PathBuf,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::Text }
    }
}

impl Default for State {
    fn default() -> Self {
        Self { dir: "./state".into() }
    }
}

impl Metrics {
    pub(super) fn read(v: &Value<'_>) -> Option<Self> {
        v.table(|t| {
            let mut metrics = Self::default();
            t.set("per_record", &mut metrics.per_record, Value::boolean);
            metrics
        })
    }
}

impl Log {
    pub(super) fn read(v: &Value<'_>) -> Option<Self> {
        v.table(|t| {
            let mut log = Self::default();
            t.set("level", &mut log.level, level);
            let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
            t.set("format", &mut log.format, |v| v.word(&formats));
            log
        })
    }
}

/// A lone word is a level; to `tracing` it might also be a module, whose log alone would be kept.
fn level(v: &Value<'_>) -> Option<String> {
    const LEVELS: [(&str, ()); 6] =
        [("error", ()), ("warn", ()), ("info", ()), ("debug", ()), ("trace", ()), ("off", ())];
    let wanted = "a level such as \"info\", or a filter such as \"info,trimtab::probe=debug\"";
    let text = v.string(wanted)?;
    if !text.contains(['=', ',', '[']) {
        v.word(&LEVELS)?;
    } else if EnvFilter::builder().parse(&text).is_err() {
        return v.refuse(wanted);
    }
    Some(text)
}

impl Probe {
    pub(super) fn read(v: &Value<'_>) -> Option<Self> {
        v.table(|t| {
            let mut probe = Self::default();
            t.set("allow", &mut probe.allow, |v| v.list("a list of addresses or prefixes", prefix));
            t.set("concurrency", &mut probe.concurrency, |v| match v.text() {
                Some("auto") => Some(Concurrency::Auto),
                Some(_) => v.refuse("\"auto\" or a whole number from 1 to 65535"),
                None => v.integer(1..=65535).map(|n| Concurrency::Count(v.with_place(n))),
            });
            let (least, most) = (*FAST.start(), *FAST.end());
            t.set("fast_budget", &mut probe.fast_budget, |v| v.integer(least.into()..=most.into()));
            t.set("exec_at_once", &mut probe.exec_at_once, |v| {
                v.integer(EXEC_AT_ONCE).map(|n| v.with_place(n))
            });
            probe
        })
    }
}

/// A prefix, or an address as the longest prefix.
fn prefix(v: &Value<'_>) -> Option<IpNet> {
    v.parsed("an address or a prefix: \"169.254.1.1\" or \"fe80::/64\"", |text| {
        text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
    })
}

impl State {
    pub(super) fn read(v: &Value<'_>) -> Option<Self> {
        v.table(|t| {
            let mut state = Self::default();
            t.set("dir", &mut state.dir, Value::file);
            state
        })
    }
}
