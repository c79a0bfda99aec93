//! What drills measure: how many answers each region has given, before, while it was drained, and after.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::model::{Counted, Drill, Moment};

/// How often the counts are kept for what may begin later.
const EVERY: Duration = Duration::from_secs(10);
/// So many are kept: five minutes.
const KEPT: usize = 31;
/// With fewer answers in a second it is not told whether they have moved.
const ENOUGH: u64 = 20;

/// The answers of each region so far.
pub(in crate::control) type Counts = Vec<(String, u64)>;

/// Counts of the last minutes, and those of the last step.
#[derive(Debug, Default)]
pub(in crate::control) struct Measure {
    kept: VecDeque<(Instant, Counts)>,
    last: Option<(Instant, Counts)>,
    /// All-down rules were engaged since the last step.
    pub(in crate::control) all_down: bool,
}

impl Measure {
    /// Whether counts are to be kept again.
    pub(in crate::control) fn is_due(&self, now: Instant) -> bool {
        let last = self.kept.back();
        last.is_none_or(|(at, _)| now.saturating_duration_since(*at) >= EVERY)
    }

    /// Keeps counts.
    pub(in crate::control) fn keep(&mut self, now: Instant, counts: Counts) {
        if self.kept.len() >= KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back((now, counts));
    }

    /// What was answered in the last minutes, five at most.
    pub(in crate::control) fn before(&self, now: Instant, counts: &Counts) -> Counted {
        let mut counted = Counted::default();
        if let Some((at, first)) = self.kept.front() {
            counted.add(now.saturating_duration_since(*at), between(first, counts));
        }
        counted
    }

    /// What was answered since the last step, and over which time.
    pub(in crate::control) fn step(&mut self, now: Instant, counts: Counts) -> Counted {
        let mut counted = Counted::default();
        if let Some((at, last)) = &self.last {
            counted.add(now.saturating_duration_since(*at), between(last, &counts));
        }
        self.last = Some((now, counts));
        counted
    }

    /// Nothing is measured any more.
    pub(in crate::control) fn rest(&mut self) {
        self.last = None;
    }
}

/// What was counted between.
fn between(first: &Counts, last: &Counts) -> Vec<(String, u64)> {
    let was = |region: &str| first.iter().find(|(name, _)| name == region).map_or(0, |(_, n)| *n);
    let more =
        |(region, count): &(String, u64)| (region.clone(), count.saturating_sub(was(region)));
    last.iter().map(more).filter(|(_, count)| *count > 0).collect()
}

/// Takes what was answered since the last step into what a drill finds.
pub(in crate::control) fn take_in(drill: &mut Drill, since: Moment, now: Moment, step: &Counted) {
    let returned = drill.returned.is_some();
    let found = &mut drill.found;
    let over = Duration::from_millis(step.over_ms);
    let answers = step.answers.iter().cloned();
    if returned {
        found.after.add(over, answers);
        return;
    }
    found.during.add(over, answers);
    if found.moved_after_ms.is_some() || step.total() < ENOUGH {
        return;
    }
    let predicted = found.predicted.iter().find(|(name, _)| *name == drill.region);
    let halfway = predicted.zip(found.before.share(&drill.region));
    if let Some(((_, then), was)) = halfway
        && step.share(&drill.region).is_some_and(|share| share <= f64::midpoint(*then, was))
    {
        found.moved_after_ms = u64::try_from(now.since(since).as_millis()).ok();
    }
}
