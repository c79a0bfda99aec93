//! When a target is probed. Pure.
//!
//! The first probe starts at once, or soon where there are many. After it each target keeps its own
//! phase within its interval: a number derived from the check's name and the destination, so that
//! targets spread evenly and a reload moves nothing. Gaps are from start to start. Whatever brings a
//! start off its phase (the first round, a quick re-check, waiting for a permit) only ever *shortens*
//! the gap after it, so that `fall` failures in a row never take longer than `fall` intervals.
//!
//! A target whose results are being counted (failures of one that is up, successes of one that is down)
//! is *in doubt*: it is probed again after its `fast` interval, as far as the budget that all targets
//! share allows. Its phase is where it was when the doubt is over.

use std::time::{Duration, Instant};

use crate::health::RECHECK;
use crate::model::{Digest, Target};

/// Longer intervals are taken as this one.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The schedule of one target.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Some slot of the target, at or before its first probe or less than an interval after.
    anchor: Instant,
    interval: Duration,
    /// Shorter than the interval, if there is one.
    fast: Option<Duration>,
    /// Failures so far while the target is not settled; `None` once it is.
    unsettled: Option<u32>,
    count: Count,
    /// The interval in force after the latest probe.
    gap: Duration,
}

/// What results say of a target, by the rules by which it is judged.
#[derive(Debug, Clone, Copy)]
struct Count {
    fall: u32,
    rise: u32,
    /// Whether it is up. One that was known before its first probe here is taken to be: if it is down,
    /// its first success brings on no quick probe, which costs an interval once.
    up: bool,
    failures: u32,
    successes: u32,
}

impl Count {
    fn add(&mut self, passed: bool) {
        if passed {
            (self.failures, self.successes) = (0, self.successes.saturating_add(1));
            self.up |= self.successes >= self.rise;
        } else {
            (self.failures, self.successes) = (self.failures.saturating_add(1), 0);
            self.up &= self.failures < self.fall;
        }
    }

    /// Whether results are counted that may change the state.
    const fn in_doubt(&self) -> bool {
        if self.up { self.failures > 0 } else { self.successes > 0 }
    }
}

impl Schedule {
    /// The schedule of `target`. `epoch` is the same for all targets of a prober, `seed` gives
    /// each nameserver phases of its own.
    #[must_use]
    pub fn new(target: &Target, epoch: Instant, seed: u64) -> Self {
        let timing = &target.check.timing;
        // Whoever let them through: nothing would be probed without a pause, and ages overflow.
        let interval = timing.interval.clamp(Duration::from_millis(1), LONGEST);
        let digest = Digest::new()
            .number(seed)
            .text(&target.check.name)
            .text(&target.destination.to_string());
        let phase = (u128::from(digest.finish()) * interval.as_nanos()) >> 64;
        let phase = Duration::from_nanos(u64::try_from(phase).unwrap_or_default());
        let fast = timing.fast.map(|fast| fast.max(Duration::from_millis(1)));
        let fast = fast.filter(|fast| *fast < interval);
        let (fall, rise) = (timing.fall, timing.rise);
        let count = Count { fall, rise, up: true, failures: 0, successes: 0 };
        let unsettled = (!target.settled).then_some(0);
        Self { anchor: epoch + phase, interval, fast, unsettled, count, gap: interval }
    }

    /// When the next probe starts, after one that started at `started`, ended at `ended` and
    /// `passed` or failed (`None`: it could not be made, which says nothing of the target). `extra` is
    /// asked, once at most, whether one probe more than the ordinary ones may be made.
    pub fn next(
        &mut self,
        started: Instant,
        ended: Instant,
        passed: Option<bool>,
        extra: impl FnOnce() -> bool,
    ) -> Instant {
        let fall = self.count.fall;
        self.unsettled = match (self.unsettled, passed) {
            (Some(failures), None) => Some(failures),
            (Some(failures), Some(false)) => Some(failures + 1).filter(|&all| all < fall),
            (Some(_), Some(true)) | (None, _) => None,
        };
        if let Some(passed) = passed {
            self.count.add(passed);
        }
        let next;
        (next, self.gap) = match (self.unsettled, self.fast) {
            (Some(_), _) => {
                ((ended + RECHECK).min(started + self.interval), RECHECK.min(self.interval))
            }
            // What could not be asked is not asked sooner.
            (None, Some(fast)) if passed.is_some() && self.count.in_doubt() => {
                self.quick(started, fast, extra)
            }
            (None, _) => (self.regular(started), self.interval),
        };
        next.max(ended)
    }

    /// The next start in doubt and the interval in force: the fast one if the next slot is no farther
    /// than that anyway, or if the budget allows it.
    fn quick(
        &self,
        started: Instant,
        fast: Duration,
        extra: impl FnOnce() -> bool,
    ) -> (Instant, Duration) {
        let regular = self.regular(started);
        if regular <= started + fast {
            (regular, fast)
        } else if extra() {
            (started + fast, fast)
        } else {
            (regular, self.interval)
        }
    }

    /// The interval that is in force for the next probe.
    #[must_use]
    pub const fn gap(&self) -> Duration {
        self.gap
    }

    /// The target's first slot after `at`, at most an interval later.
    #[must_use]
    pub fn slot_after(&self, at: Instant) -> Instant {
        let interval = self.interval.as_nanos();
        let gap = match at.checked_duration_since(self.anchor) {
            Some(past) => interval - past.as_nanos() % interval,
            None => {
                let ahead = self.anchor.saturating_duration_since(at).as_nanos() % interval;
                if ahead == 0 { interval } else { ahead }
            }
        };
        at + Duration::from_nanos(u64::try_from(gap).unwrap_or(u64::MAX))
    }

    /// The next slot, unless it is so near that two results would hardly be independent: then
    /// the time up to the slot behind it is halved. The halves are longer than what is too near, so
    /// that a start that is a little late in between does not bring on another halving.
    fn regular(&self, started: Instant) -> Instant {
        let slot = self.slot_after(started);
        let gap = slot.saturating_duration_since(started);
        if gap < self.interval * 2 / 5 { started + (gap + self.interval) / 2 } else { slot }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rstest::rstest;

    use super::*;
    use crate::clock;
    use crate::model::{Check, Destination, Probe, TargetId, Timing};

    const INTERVAL: Duration = Duration::from_secs(10);

    fn target(name: &str, last: u8, interval: Duration, settled: bool) -> Target {
        let timing = Timing { interval, fast: None, timeout: interval / 5, fall: 3, rise: 2 };
        Target {
            id: TargetId(0),
            check: Arc::new(Check::new(name.into(), Probe::Tcp, 80, timing)),
            destination: Destination::Address([192, 0, 2, last].into()),
            settled,
        }
    }

    fn never() -> bool {
        false
    }

    /// The starts of the next `count` probes that each take `took`.
    fn starts(
        schedule: &mut Schedule,
        first: Instant,
        took: Duration,
        results: &[Option<bool>],
    ) -> Vec<Instant> {
        let mut start = first;
        let mut all = vec![start];
        for result in results {
            start = schedule.next(start, start + took, *result, never);
            all.push(start);
        }
        all
    }

    #[test]
    fn after_the_first_round_the_phase_is_fixed() {
        let epoch = clock::now();
        for last in 0..=255 {
            for first in [0, 3, 9_999, 123_456].map(Duration::from_millis) {
                let mut schedule = Schedule::new(&target("web", last, INTERVAL, true), epoch, 1);
                let took = Duration::from_millis(20);
                let starts = starts(&mut schedule, epoch + first, took, &[Some(true); 6]);
                for pair in starts.windows(2) {
                    let gap = pair[1] - pair[0];
                    assert!(gap <= INTERVAL, "a gap is never longer: {gap:?}");
                    assert!(gap >= INTERVAL * 2 / 5, "nor much shorter: {gap:?}");
                }
                for pair in starts[2..].windows(2) {
                    assert_eq!(pair[1] - pair[0], INTERVAL);
                }
            }
        }
    }

    #[test]
    fn late_starts_do_not_keep_it_from_its_phase() {
        let epoch = clock::now();
        for last in 0..=255 {
            for late in [0, 7, 49].map(Duration::from_millis) {
                let mut schedule = Schedule::new(&target("web", last, INTERVAL, true), epoch, 1);
                let slot = schedule.slot_after(epoch);
                // As near before its slot as can be: the most that there is to move.
                let mut start = slot - Duration::from_millis(1);
                for _ in 0..2 {
                    start = schedule.next(start, start, Some(true), never) + late;
                }
                assert_eq!(start, slot + INTERVAL + late, "at the third start");
                for n in 2..6 {
                    start = schedule.next(start, start, Some(true), never) + late;
                    assert_eq!(start, slot + INTERVAL * n + late, "lateness never adds up");
                }
            }
        }
    }

    #[test]
    fn phases_spread_over_the_interval() {
        let epoch = clock::now();
        let mut tenths = [0_u32; 10];
        for last in 0..=255 {
            let schedule = Schedule::new(&target("web", last, INTERVAL, true), epoch, 1);
            let phase = schedule.slot_after(epoch) - epoch;
            tenths[usize::try_from(phase.as_millis() / 1000).unwrap().min(9)] += 1;
        }
        assert!(tenths.iter().all(|count| (10..45).contains(count)), "{tenths:?}");
    }

    #[test]
    fn a_phase_depends_on_name_destination_and_seed_only() {
        let epoch = clock::now();
        let slot = |target: &Target, seed| Schedule::new(target, epoch, seed).slot_after(epoch);
        let one = target("web", 1, INTERVAL, true);
        let later = Target { id: TargetId(7), settled: false, ..one.clone() };
        assert_eq!(slot(&one, 1), slot(&later, 1));
        assert_ne!(slot(&one, 1), slot(&one, 2));
        assert_ne!(slot(&one, 1), slot(&target("api", 1, INTERVAL, true), 1));
        assert_ne!(slot(&one, 1), slot(&target("web", 2, INTERVAL, true), 1));
    }

    #[test]
    fn a_late_start_shortens_the_next_gap() {
        let epoch = clock::now();
        let mut schedule = Schedule::new(&target("web", 1, INTERVAL, true), epoch, 1);
        let slot = schedule.slot_after(epoch);
        let late = slot + Duration::from_secs(4);
        assert_eq!(schedule.next(late, late, Some(false), never), slot + INTERVAL);
        let missed = slot + INTERVAL * 5 + Duration::from_secs(4);
        assert_eq!(schedule.next(missed, missed, Some(true), never), slot + INTERVAL * 6);
    }

    #[rstest]
    #[case::fails_until_settled(&[Some(false); 3], &[1000, 1000])]
    #[case::settles_by_a_success(&[Some(false), Some(true)], &[1000])]
    #[case::a_probe_not_made_says_nothing(&[None, Some(false), None], &[1000, 1000, 1000])]
    #[case::passes_at_once(&[Some(true)], &[])]
    fn in_doubt_it_is_probed_again_after_a_second(
        #[case] results: &[Option<bool>],
        #[case] gaps_ms: &[u64],
    ) {
        let epoch = clock::now();
        let took = Duration::from_millis(250);
        let mut schedule = Schedule::new(&target("web", 1, INTERVAL, false), epoch, 1);
        let starts = starts(&mut schedule, epoch, took, results);
        let gaps: Vec<Duration> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let (last, quick) = gaps.split_last().unwrap();
        let wanted: Vec<Duration> =
            gaps_ms.iter().map(|ms| took + Duration::from_millis(*ms)).collect();
        if results.last() == Some(&None) {
            assert_eq!(gaps, wanted);
        } else {
            assert_eq!(quick, wanted);
            assert!(*last >= INTERVAL * 2 / 5, "settled: {last:?}");
        }
    }

    #[test]
    fn what_is_settled_is_not_probed_again_quickly() {
        let epoch = clock::now();
        let mut schedule = Schedule::new(&target("web", 1, INTERVAL, true), epoch, 1);
        assert!(schedule.next(epoch, epoch, Some(false), never) >= epoch + INTERVAL * 2 / 5);
    }

    #[test]
    fn a_recheck_is_never_later_than_the_interval() {
        let epoch = clock::now();
        let short = Duration::from_millis(500);
        let mut schedule = Schedule::new(&target("web", 1, short, false), epoch, 1);
        let ended = epoch + Duration::from_millis(400);
        assert_eq!(schedule.next(epoch, ended, Some(false), never), epoch + short);
    }

    #[test]
    fn a_probe_never_overlaps_itself() {
        let epoch = clock::now();
        for settled in [true, false] {
            let mut schedule = Schedule::new(&target("web", 1, INTERVAL, settled), epoch, 1);
            let ended = epoch + INTERVAL * 3;
            assert!(schedule.next(epoch, ended, Some(false), never) >= ended);
        }
    }

    #[rstest]
    #[case(Duration::ZERO)]
    #[case(Duration::MAX)]
    fn an_absurd_interval_does_not_overflow(#[case] interval: Duration) {
        let epoch = clock::now();
        for settled in [true, false] {
            let mut schedule = Schedule::new(&target("web", 1, interval, settled), epoch, 1);
            assert!(schedule.next(epoch, epoch, Some(false), never) > epoch);
        }
    }

    /// A target with a fast interval of a second whose first probe starts at its slot.
    fn doubtful() -> (Schedule, Instant) {
        let mut target = target("web", 1, INTERVAL, true);
        Arc::make_mut(&mut target.check).timing.fast = Some(Duration::from_secs(1));
        let epoch = clock::now();
        let schedule = Schedule::new(&target, epoch, 1);
        let slot = schedule.slot_after(epoch);
        (schedule, slot)
    }

    /// `results` a pass `+`, a failure `-` or nothing `.` each, `seconds` the start of each after the
    /// first, and after the last, in seconds; `gaps` what is told of each.
    #[rstest]
    #[case::calm("++++", &[10, 20, 30, 40], &[10; 4])]
    // 3 failures take it down; of the successes one is no doubt any more, as it was down.
    #[case::down_and_up("+---+++", &[10, 11, 12, 20, 21, 30, 40], &[10, 1, 1, 10, 1, 10, 10])]
    #[case::one_failure("+-++", &[10, 11, 20, 30], &[10, 1, 10, 10])]
    #[case::failing_on("------", &[1, 2, 10, 20, 30, 40], &[1, 1, 10, 10, 10, 10])]
    #[case::not_asked("-.-", &[1, 10, 11], &[1, 10, 1])]
    fn in_doubt_it_is_probed_at_its_fast_interval(
        #[case] results: &str,
        #[case] seconds: &[u64],
        #[case] gaps: &[u64],
    ) {
        let (mut schedule, slot) = doubtful();
        let (mut start, mut starts, mut told) = (slot, Vec::new(), Vec::new());
        for result in results.chars() {
            let passed = [('+', true), ('-', false)].into_iter().find(|(sign, _)| *sign == result);
            start = schedule.next(start, start, passed.map(|(_, passed)| passed), || true);
            starts.push((start - slot).as_secs());
            told.push(schedule.gap().as_secs());
        }
        assert_eq!((&*starts, &*told), (seconds, gaps), "of {results}");
    }

    #[test]
    fn without_a_budget_doubt_changes_nothing() {
        let (mut schedule, slot) = doubtful();
        let mut start = slot;
        for n in 1..6 {
            start = schedule.next(start, start, Some(false), never);
            assert_eq!((start, schedule.gap()), (slot + INTERVAL * n, INTERVAL));
        }
    }

    #[test]
    fn the_budget_is_not_asked_for_what_is_ordinary() {
        let (mut schedule, slot) = doubtful();
        let refuse = || panic!("nothing is in doubt, or the slot is near");
        assert_eq!(schedule.next(slot, slot, Some(true), refuse), slot + INTERVAL);
        // A first probe that is late by far: its slot is no farther than the fast interval.
        let Schedule { fast, .. } = &mut schedule;
        *fast = Some(INTERVAL * 9 / 10);
        let late = slot + INTERVAL + INTERVAL / 5;
        assert_eq!(schedule.next(late, late, Some(false), refuse), slot + INTERVAL * 2);
        assert_eq!(schedule.gap(), INTERVAL * 9 / 10);
    }
}
