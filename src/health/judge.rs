//! Judging: what one more observation makes of a target's health. Pure.
//!
//! `fall` consecutive failures take a target down, `rise` consecutive successes bring it back,
//! anything else resets the count; that a target could not be asked is neither. A target that was never observed is *unknown* and serves as
//! up: its first success settles it as up, `fall` consecutive failures settle it as down.
//! Which addresses a pool serves for it is [`super::pool_health`]'s matter; when a target is
//! probed (an unsettled one sooner) is the prober's.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Observation, Outcome, Phases, Report};
use crate::model::Timing;

/// An unsettled target that failed is checked again after this, or its interval if that is less.
pub const RECHECK: Duration = Duration::from_secs(1);

/// Whether a target works, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Not settled yet; serves as up.
    Unknown,
    /// It works.
    Up,
    /// It does not.
    Down,
}

impl State {
    /// The word of logs and of the stored state: `unknown`, `up`, `down`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// The judged health of one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    /// What it is judged to be.
    pub state: State,
    /// Failures since the last success; stops at `u32::MAX`.
    pub failures: u32,
    /// Successes since the last failure; stops at `u32::MAX`.
    pub successes: u32,
    /// When `state` was entered.
    pub since: Instant,
    /// Times in a row that it could not be asked; stops at `u32::MAX`.
    pub missing: u32,
    /// What it said of itself when it last passed.
    pub report: Report,
    /// The interval in force at the latest observation; `None`: there was none.
    pub gap: Option<Duration>,
    /// The latest observation of this process; `None` also for a health that was restored.
    pub last: Option<LastResult>,
    /// Added by a reload and not up yet since: it joins its pool late.
    pub newcomer: bool,
}

/// The latest observation of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastResult {
    /// When the probe started.
    pub at: Instant,
    /// What it saw.
    pub outcome: Outcome,
    /// How long it took.
    pub phases: Phases,
}

/// A change of state, for the log and the metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The state left.
    pub from: State,
    /// The state entered; never the same.
    pub to: State,
    /// Why, as a person understands it: `connect: connection refused (3 failures in a row)`.
    pub cause: Arc<str>,
}

impl Health {
    /// Never observed, there since the start.
    #[must_use]
    pub fn unknown(now: Instant) -> Self {
        Self {
            state: State::Unknown,
            failures: 0,
            successes: 0,
            since: now,
            missing: 0,
            report: Report::default(),
            gap: None,
            last: None,
            newcomer: false,
        }
    }

    /// Never observed, added by a reload.
    #[must_use]
    pub fn newcomer(now: Instant) -> Self {
        Self { newcomer: true, ..Self::unknown(now) }
    }

    /// Whether the first result is in, or a stored state stands in for it.
    #[must_use]
    pub fn settled(&self) -> bool {
        self.state != State::Unknown
    }

    /// Whether it has nothing to say: it could not be asked `fall` times in a row. Where others have
    /// something to say, they decide without it.
    #[must_use]
    pub const fn abstains(&self, timing: &Timing) -> bool {
        self.missing >= timing.fall
    }

    /// The time after which this target could be down at the earliest, if it is in doubt.
    ///
    /// For one that is up with failures counted: the interval in force × (fall − failures). For an
    /// unknown one with failures counted, which serves as up but is probed every [`RECHECK`]:
    /// that × (fall − failures). `None` without a failure, and for one that is down. When a
    /// reload lowered `fall` to the count or below, the next failure decides.
    #[must_use]
    pub fn flip(&self, timing: &Timing) -> Option<Duration> {
        let gap = match (self.state, self.gap) {
            (State::Down, _) => return None,
            (_, Some(gap)) => gap,
            (State::Up, None) => timing.interval,
            (State::Unknown, None) => timing.interval.min(RECHECK),
        };
        (self.failures > 0)
            .then(|| gap.saturating_mul(timing.fall.saturating_sub(self.failures).max(1)))
    }
}

/// The health after `seen`, and the transition that it caused, if any.
#[must_use]
pub fn judge(
    now: Instant,
    was: Health,
    seen: &Observation,
    timing: &Timing,
) -> (Health, Option<Transition>) {
    let (failures, successes, missing) = match seen.outcome {
        Outcome::Pass => (0, was.successes.saturating_add(1), 0),
        Outcome::Fail(_) => (was.failures.saturating_add(1), 0, 0),
        // It says nothing, so that neither count is broken by it.
        Outcome::Missing(_) => (was.failures, was.successes, was.missing.saturating_add(1)),
    };
    let settles = seen.outcome == Outcome::Pass;
    let state = match was.state {
        State::Unknown if settles => State::Up,
        State::Down if successes >= timing.rise => State::Up,
        State::Unknown | State::Up if failures >= timing.fall => State::Down,
        same => same,
    };
    let changed = state != was.state;
    let transition = changed.then(|| Transition {
        from: was.state,
        to: state,
        cause: cause(&seen.outcome, failures.max(successes)),
    });
    let health = Health {
        state,
        failures,
        successes,
        since: if changed { now } else { was.since },
        missing,
        report: if settles { seen.report.clone() } else { was.report },
        gap: Some(seen.gap),
        last: Some(LastResult { at: seen.at, outcome: seen.outcome.clone(), phases: seen.phases }),
        newcomer: was.newcomer && state != State::Up,
    };
    (health, transition)
}

/// The cause of a transition: the last result and how many like it there were in a row.
fn cause(outcome: &Outcome, count: u32) -> Arc<str> {
    match (outcome, count) {
        (Outcome::Pass, 1) => "1 success".into(),
        (Outcome::Pass, _) => format!("{count} successes in a row").into(),
        (Outcome::Fail(reason), 1) => Arc::clone(reason),
        // It changes no state.
        (Outcome::Missing(reason), _) => Arc::clone(reason),
        (Outcome::Fail(reason), _) => format!("{reason} ({count} failures in a row)").into(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::clock;
    use crate::health::Vantage;
    use crate::model::TargetId;

    const TIMING: Timing = Timing {
        interval: Duration::from_secs(10),
        fast: None,
        timeout: Duration::from_secs(2),
        fall: 3,
        rise: 2,
    };

    fn seen(pass: bool) -> Observation {
        Observation {
            target: TargetId(0),
            at: clock::now(),
            outcome: if pass { Outcome::Pass } else { Outcome::Fail("HTTP 503".into()) },
            report: Report::default(),
            phases: Phases::default(),
            gap: TIMING.interval,
            vantage: Vantage::Here,
        }
    }

    fn state(letter: char) -> State {
        match letter {
            'u' => State::Up,
            'd' => State::Down,
            _ => State::Unknown,
        }
    }

    /// `results` a pass `+` or a failure `-` each, `expected` the state after each.
    #[rstest]
    #[case::first_success_settles('?', "+", "u")]
    #[case::failures_settle_as_down('?', "---", "??d")]
    #[case::one_success_among_failures_settles('?', "--+--", "??uuu")]
    #[case::fall('u', "---", "uud")]
    #[case::a_success_resets_the_failures('u', "--+--+---", "uuuuuuuud")]
    #[case::rise('d', "++", "du")]
    #[case::a_failure_resets_the_successes('d', "+-+-++", "dddddu")]
    #[case::down_and_back('u', "-----++---", "uudddduuud")]
    fn states_follow_results(#[case] was: char, #[case] results: &str, #[case] expected: &str) {
        let mut health = Health { state: state(was), ..Health::unknown(clock::now()) };
        let mut states = String::new();
        for result in results.chars() {
            let before = health.state;
            let (after, transition) = judge(clock::now(), health, &seen(result == '+'), &TIMING);
            assert_eq!(transition.is_some(), before != after.state);
            states.push(match after.state {
                State::Up => 'u',
                State::Down => 'd',
                State::Unknown => '?',
            });
            health = after;
        }
        assert_eq!(states, expected, "of {results}");
    }

    #[test]
    fn fall_and_rise_of_one_decide_at_once() {
        let timing = Timing { fall: 1, rise: 1, ..TIMING };
        let up = Health { state: State::Up, ..Health::unknown(clock::now()) };
        let (down, _) = judge(clock::now(), up, &seen(false), &timing);
        assert_eq!(down.state, State::Down);
        let (up, _) = judge(clock::now(), down, &seen(true), &timing);
        assert_eq!(up.state, State::Up);
    }

    #[test]
    fn a_transition_tells_its_cause() {
        let now = clock::now();
        let (once, none) = judge(now, Health::unknown(now), &seen(false), &TIMING);
        assert_eq!(none, None);
        let (twice, _) = judge(now, once, &seen(false), &TIMING);
        let (down, transition) = judge(now, twice, &seen(false), &TIMING);
        let transition = transition.expect("the third failure takes it down");
        assert_eq!(&*transition.cause, "HTTP 503 (3 failures in a row)");
        assert_eq!((transition.from, transition.to), (State::Unknown, State::Down));
        let (first, _) = judge(now, down, &seen(true), &TIMING);
        let (_, transition) = judge(now, first, &seen(true), &TIMING);
        assert_eq!(&*transition.expect("up again").cause, "2 successes in a row");
    }

    #[test]
    fn since_is_when_the_state_was_entered() {
        let start = clock::now();
        let later = start + Duration::from_secs(10);
        let (up, _) = judge(start, Health::unknown(start), &seen(true), &TIMING);
        let (same, _) = judge(later, up, &seen(false), &TIMING);
        assert_eq!(same.since, start);
        assert_eq!(same.last.map(|last| last.outcome), Some(Outcome::Fail("HTTP 503".into())));
    }

    #[rstest]
    #[case::calm('u', 0, None)]
    #[case::one_failure('u', 1, Some(20))]
    #[case::two_failures('u', 2, Some(10))]
    #[case::fall_was_lowered('u', 7, Some(10))]
    #[case::down('d', 5, None)]
    #[case::never_observed('?', 0, None)]
    #[case::unknown_and_failing('?', 1, Some(2))]
    fn the_earliest_flip(#[case] was: char, #[case] failures: u32, #[case] secs: Option<u64>) {
        let health = Health { state: state(was), failures, ..Health::unknown(clock::now()) };
        assert_eq!(health.flip(&TIMING), secs.map(Duration::from_secs));
    }

    #[test]
    fn a_newcomer_is_one_until_it_is_up() {
        let now = clock::now();
        let mut health = Health::newcomer(now);
        for _ in 0..3 {
            health = judge(now, health, &seen(false), &TIMING).0;
            assert!(health.newcomer);
        }
        health = judge(now, health, &seen(true), &TIMING).0;
        assert!(health.newcomer, "down: one success is not enough");
        health = judge(now, health, &seen(true), &TIMING).0;
        assert!(!health.newcomer);
    }
}
