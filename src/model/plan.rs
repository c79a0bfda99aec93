//! Plans: what is going to be forced, stage by stage or by the clock, and when it is given up.
//!
//! A plan says what is to happen; an override says what an operator wants now. Where both speak of a
//! region, the override counts.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Check, FailWhen, Moment, Move, Probe, PrometheusProbe, Timing};
use crate::wire::Name;

/// A plan, from its start to what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Its number; none is given twice.
    pub id: u64,
    /// What it does.
    pub task: Task,
    /// Who gave it.
    pub actor: String,
    /// Why.
    pub reason: Option<String>,
    /// Since when it is known.
    pub since: Moment,
    /// What gives it up.
    pub abort_when: Option<AbortWhen>,
    /// What became of it; `None`: it is under way.
    pub ended: Option<Ended>,
}

/// What a plan does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Another region answers in a region's place, more and more.
    Shift(Shift),
    /// A region is drained for a while, to see what comes of it.
    Drill(Drill),
    /// Regions are drained for maintenance.
    Window(Window),
}

/// A shift in stages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shift {
    /// The region that gives.
    pub from: String,
    /// The region that answers in its place.
    pub to: String,
    /// In this record alone; `None`: in all.
    #[serde(with = "as_text")]
    pub record: Option<Name>,
    /// The part of the answers at each stage, above 0, rising, at most 1.
    pub stages: Vec<f64>,
    /// The least time from one stage to the next.
    pub every: Duration,
    /// Each stage waits for an operator.
    pub manual: bool,
    /// The stage that is in force.
    pub at: usize,
    /// Since when.
    pub entered: Moment,
    /// It stays at its stage until an operator has it go on.
    pub paused: bool,
}

impl Shift {
    /// The part of the answers at the stage in force, 0 to 1.
    #[must_use]
    pub fn part(&self) -> f64 {
        self.stages.get(self.at).copied().unwrap_or_default()
    }

    /// The part of the answers at the last stage, 0 to 1.
    #[must_use]
    pub fn last_part(&self) -> f64 {
        self.stages.last().copied().unwrap_or_default()
    }

    /// Whether there is no further stage.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        self.at + 1 >= self.stages.len()
    }

    /// When the next stage is due, at the earliest.
    #[must_use]
    pub fn due(&self) -> Moment {
        self.entered.after(self.every)
    }
}

/// A drill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drill {
    /// The region that is drained.
    pub region: String,
    /// In this record alone; `None`: in all.
    #[serde(with = "as_text")]
    pub record: Option<Name>,
    /// The part of its answers that is drained, above 0, at most 1.
    pub share: f64,
    /// For how long.
    pub lasts: Duration,
    /// When it returned; from then on it is only watched how answers go back.
    pub returned: Option<Moment>,
    /// Why it returned before its time.
    pub aborted: Option<String>,
    /// What was failing or in doubt already when it began, by pool name.
    pub known: Vec<String>,
    /// How long what comes of its end is watched.
    pub after: Duration,
    /// What is found.
    pub found: Findings,
}

/// What a drill finds out.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Findings {
    /// The share of each region of all dynamic answers that was expected, 0 to 1, by name.
    pub predicted: Vec<(String, f64)>,
    /// What the prediction rests on.
    pub basis: String,
    /// Answers of each region before, while it was drained, and after.
    pub before: Counted,
    /// While it was drained.
    pub during: Counted,
    /// After its return.
    pub after: Counted,
    /// From the drain to the first second in which answers had moved at least half of the way,
    /// in milliseconds; `None`: that was not seen.
    pub moved_after_ms: Option<u64>,
    /// For how long answers from before could be kept, in seconds.
    pub old_answers_secs: u32,
    /// Whether all-down rules were engaged in a record meanwhile that were not before.
    pub all_down: bool,
}

/// Answers that were counted over a time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Counted {
    /// How long, in milliseconds.
    pub over_ms: u64,
    /// By region, by name.
    pub answers: Vec<(String, u64)>,
}

impl Counted {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.answers.iter().map(|(_, count)| count).sum()
    }

    /// Those of a region.
    #[must_use]
    pub fn of(&self, region: &str) -> u64 {
        let mut of = self.answers.iter().filter(|(name, _)| name == region);
        of.next().map_or(0, |(_, count)| *count)
    }

    /// The share of a region, 0 to 1; `None`: nothing was counted.
    #[must_use]
    pub fn share(&self, region: &str) -> Option<f64> {
        let total = self.total();
        (total > 0).then(|| self.of(region) as f64 / total as f64)
    }

    /// Answers of a region a second.
    #[must_use]
    pub fn rate(&self, region: &str) -> Option<f64> {
        (self.over_ms > 0).then(|| self.of(region) as f64 * 1e3 / self.over_ms as f64)
    }

    /// Adds what was counted meanwhile.
    pub fn add(&mut self, over: Duration, answers: impl IntoIterator<Item = (String, u64)>) {
        let over = u64::try_from(over.as_millis()).unwrap_or(u64::MAX);
        self.over_ms = self.over_ms.saturating_add(over);
        for (region, count) in answers {
            match self.answers.iter_mut().find(|(known, _)| *known == region) {
                Some((_, sum)) => *sum = sum.saturating_add(count),
                None => self.answers.push((region, count)),
            }
        }
    }
}

/// A maintenance window. Its times are the wall clock's: it follows a clock that is set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// The regions that are to be empty.
    pub regions: Vec<String>,
    /// From when on, in milliseconds since 1970.
    pub from_ms: u64,
    /// Until when.
    pub to_ms: u64,
    /// Over how long they are drained before.
    pub drain_over: Duration,
    /// Over how long they return after.
    pub return_over: Duration,
    /// When it became known, in milliseconds since 1970: nothing is done before; 0 if it was always.
    pub known_ms: u64,
}

/// What is configured of plans.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Planning {
    /// Whom a query that gives a plan up is put to; `None`: there can be none.
    pub querying: Option<Querying>,
    /// The windows.
    pub windows: Vec<NamedWindow>,
}

/// A window of the configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedWindow {
    /// Its name.
    pub name: Arc<str>,
    /// What it does.
    pub window: Window,
    /// Why.
    pub reason: Option<String>,
}

/// A Prometheus server.
#[derive(Debug, Clone, PartialEq)]
pub struct Querying {
    /// Where it is: a URL, below which its API lies.
    pub url: String,
    /// A file with a bearer token, read for each query.
    pub token_file: Option<PathBuf>,
    /// A file with the authorities of its certificate, in PEM; else those of this machine.
    pub ca_file: Option<PathBuf>,
    /// How often it is asked.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
}

impl Querying {
    /// The check that a plan's query is made of: it fails as soon as a sample is beyond the bound.
    #[must_use]
    pub fn check(&self, plan: &Plan) -> Option<Arc<Check>> {
        let AbortWhen { query, when } = plan.abort_when.as_ref()?;
        let probe = Probe::Prometheus(PrometheusProbe {
            url: self.url.clone(),
            query: query.clone(),
            fail_when: *when,
            token_file: self.token_file.clone(),
            ca_file: self.ca_file.clone(),
        });
        let Self { interval, timeout, .. } = *self;
        let timing = Timing { interval, timeout, fast: None, fall: 1, rise: 1 };
        let name = format!("{} (query)", plan.title());
        Some(Arc::new(Check::new(name.into(), probe, 0, timing)))
    }
}

/// How far a window is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Phase {
    /// Nothing is done yet.
    Ahead,
    /// Answers are kept for as short as may be, so that the drain is soon seen.
    Prepared,
    /// Its regions are drained, more and more.
    Draining(Move),
    /// They are drained.
    Drained,
    /// They return.
    Returning(Move),
    /// It is over.
    Over,
}

impl Window {
    /// When its drain begins, in milliseconds since 1970: so early that it is done, and seen by those who
    /// keep answers for `ttl_min`, when the window begins.
    #[must_use]
    pub fn drains_at(&self, ttl_min: Duration) -> u64 {
        let ahead = millis(self.drain_over).saturating_add(millis(ttl_min));
        self.from_ms.saturating_sub(ahead).max(self.known_ms).min(self.to_ms)
    }

    /// When answers are kept for shorter, in milliseconds since 1970: so early that nobody keeps one from
    /// before, which was good for `ttl`, when the drain begins.
    #[must_use]
    pub fn prepares_at(&self, ttl: Duration, ttl_min: Duration) -> u64 {
        self.drains_at(ttl_min).saturating_sub(millis(ttl)).max(self.known_ms)
    }

    /// How far it is at a time.
    #[must_use]
    pub fn phase(&self, now_ms: u64, ttl: Duration, ttl_min: Duration) -> Phase {
        let drains_at = self.drains_at(ttl_min);
        if now_ms < self.prepares_at(ttl, ttl_min) {
            return Phase::Ahead;
        }
        if now_ms < drains_at {
            return Phase::Prepared;
        }
        if now_ms < self.to_ms {
            let drain = Move::new(0.0, 1.0, Moment(drains_at), self.drain_over);
            let done = drain.is_done(Moment(now_ms));
            return if done { Phase::Drained } else { Phase::Draining(drain) };
        }
        let drained = Move::new(0.0, 1.0, Moment(drains_at), self.drain_over);
        let part = drained.at(Moment(self.to_ms));
        let back = Move::new(part, 0.0, Moment(self.to_ms), self.return_over);
        if back.is_done(Moment(now_ms)) { Phase::Over } else { Phase::Returning(back) }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What became of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// When.
    pub at: Moment,
    /// How.
    pub how: How,
    /// Why, in a sentence.
    pub why: String,
    /// Who ended it; `None`: nobody, it ended by itself.
    pub actor: Option<String>,
}

/// How a plan ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// As it was meant to.
    Done,
    /// It was given up, and everything is as before.
    Aborted,
}

/// A query to Prometheus and a bound, `sum(rate(errors[1m])) > 0.05`: a sample that is beyond gives a plan
/// up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AbortWhen {
    /// The query.
    pub query: String,
    /// What its result must not be.
    pub when: FailWhen,
}

impl AbortWhen {
    /// Reads a query and the comparison behind it; `None`: there is none, or no query before it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        // The last one: the query may compare as well.
        let at = text.rfind(['<', '>', '=', '!'])?;
        let before = text.get(..at)?;
        let start = at - usize::from(before.ends_with(['<', '>', '=', '!']));
        let (query, when) = (text.get(..start)?.trim(), FailWhen::parse(text.get(start..)?)?);
        (!query.is_empty()).then(|| Self { query: query.into(), when })
    }
}

impl fmt::Display for AbortWhen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.query, self.when)
    }
}

impl From<AbortWhen> for String {
    fn from(watch: AbortWhen) -> Self {
        watch.to_string()
    }
}

impl TryFrom<String> for AbortWhen {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("{text:?} is no query with a bound behind it"))
    }
}

/// A record's name, stored as text.
mod as_text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use crate::wire::Name;

    pub(super) fn serialize<S: Serializer>(name: &Option<Name>, to: S) -> Result<S::Ok, S::Error> {
        name.as_ref().map(ToString::to_string).serialize(to)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Option<Name>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| Name::from_text(&text).map_err(D::Error::custom)).transpose()
    }
}

impl Plan {
    /// What it is called: `shift 3`.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{} {}", self.task.label(), self.id)
    }
}

impl Task {
    /// The word of the command line and the API.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Shift(_) => "shift",
            Self::Drill(_) => "drill",
            Self::Window(_) => "window",
        }
    }

    /// The regions that it takes answers from, and those that it gives them to by name.
    #[must_use]
    pub fn regions(&self) -> Vec<&str> {
        match self {
            Self::Shift(shift) => vec![&shift.from, &shift.to],
            Self::Drill(drill) => vec![&drill.region],
            Self::Window(window) => window.regions.iter().map(String::as_str).collect(),
        }
    }

    /// The record in which alone it does anything; `None`: in all.
    #[must_use]
    pub const fn record(&self) -> Option<&Name> {
        match self {
            Self::Shift(shift) => shift.record.as_ref(),
            Self::Drill(drill) => drill.record.as_ref(),
            Self::Window(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_comparison_is_the_bound() {
        for (text, query, when) in [
            ("sum(rate(errors[1m])) > 0.05", "sum(rate(errors[1m]))", "> 0.05"),
            ("a > bool b >= 3", "a > bool b", ">= 3"),
            (" x{a!=\"b\",c=~\"d\"}<=1e3 ", "x{a!=\"b\",c=~\"d\"}", "<= 1000"),
            ("x == 1", "x", "== 1"),
            ("x != -2", "x", "!= -2"),
        ] {
            let read = AbortWhen::parse(text).unwrap();
            assert_eq!((read.query.as_str(), read.when.to_string().as_str()), (query, when));
            assert_eq!(AbortWhen::parse(&read.to_string()), Some(read));
        }
        for bad in ["", "x", "> 1", "x >", "x > y", "x{a=\"b\"}", "x => 1", "x > NaN"] {
            assert_eq!(AbortWhen::parse(bad), None, "{bad:?}");
        }
    }

    const SECOND: Duration = Duration::from_secs(1);

    fn window() -> Window {
        Window {
            regions: vec!["us-east".into()],
            from_ms: 1_000_000,
            to_ms: 2_000_000,
            drain_over: 190 * SECOND,
            return_over: 95 * SECOND,
            known_ms: 0,
        }
    }

    #[test]
    fn a_window_is_empty_when_it_begins() {
        let window = window();
        let phase = |secs: u64| window.phase(secs * 1000, 60 * SECOND, 10 * SECOND);
        // Drained from 800 s on, in 190 s; the last answer to it is forgotten at 1000 s.
        assert_eq!(window.drains_at(10 * SECOND), 800_000);
        assert_eq!(
            (phase(739), phase(740), phase(799)),
            (Phase::Ahead, Phase::Prepared, Phase::Prepared)
        );
        assert!(matches!(phase(800), Phase::Draining(drain) if drain.at(Moment(800_000)) == 0.05));
        assert!(matches!(phase(989), Phase::Draining(_)));
        assert_eq!((phase(990), phase(1999)), (Phase::Drained, Phase::Drained));
        assert!(
            matches!(phase(2000), Phase::Returning(back) if back.at(Moment(2_000_000)) == 0.95)
        );
        assert_eq!(phase(2095), Phase::Over);
    }

    #[test]
    fn a_window_that_is_told_late_drains_at_once() {
        let late = Window { known_ms: 990_000, ..window() };
        let phase = |secs: u64| late.phase(secs * 1000, 60 * SECOND, 10 * SECOND);
        assert_eq!(phase(989), Phase::Ahead);
        assert!(matches!(phase(990), Phase::Draining(_)));
        // One that is too short for its drain returns from as far as it came.
        let short = Window { to_ms: 1_085_000, ..late };
        let back = short.phase(1_085_000, 60 * SECOND, 10 * SECOND);
        assert!(matches!(back, Phase::Returning(back) if back.from == 0.5), "{back:?}");
    }
}
