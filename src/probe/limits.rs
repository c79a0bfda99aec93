//! How many probes may be in flight, and where they may go.

use std::sync::Arc;

use ipnet::IpNet;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::model::{FAST_BUDGET, Target, Timing, probes_at_once};

/// No bound is computed below this: with few targets a bound saves nothing.
const FLOOR: usize = 16;

/// What a reload may change without touching a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Probes in flight at most, at least 1; `None`: computed, see [`concurrency`].
    pub concurrency: Option<usize>,
    /// Addresses that are probed although they are link-local or metadata.
    pub allow: Arc<[IpNet]>,
    /// Probes a second of all targets together that are made sooner because they are in doubt.
    pub fast_budget: u32,
    /// Programs that run at once at most, at least 1. They take no place of other probes.
    pub exec_at_once: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let (concurrency, allow) = Default::default();
        Self { concurrency, allow, fast_budget: FAST_BUDGET, exec_at_once: 8 }
    }
}

/// The bound that lets every target keep its interval while all of them hang: a quarter more
/// than Σ timeout ÷ interval, at least 16, and what the budget of fast probes adds to it. A lower one
/// that is set deserves a warning.
#[must_use]
pub fn concurrency<'a>(targets: impl IntoIterator<Item = &'a Target>, fast_budget: u32) -> usize {
    let timings: Vec<Timing> = targets.into_iter().map(|target| target.check.timing).collect();
    let needed = probes_at_once(timings.iter().copied());
    needed.saturating_add(fast_at_once(&timings, fast_budget)).clamp(FLOOR, Semaphore::MAX_PERMITS)
}

/// How many fast probes are in flight at most: those of the longest time-out, but no more than one a
/// target.
fn fast_at_once(timings: &[Timing], budget: u32) -> usize {
    let fast = || timings.iter().filter(|timing| timing.fast.is_some());
    let longest = fast().map(|timing| timing.timeout).max().unwrap_or_default();
    let in_flight = longest.as_millis().saturating_mul(u128::from(budget)).div_ceil(1000);
    usize::try_from(in_flight).unwrap_or(usize::MAX).min(fast().count())
}

/// The permits of probes in flight; their number can change while some are held.
#[derive(Debug)]
pub(super) struct Permits {
    semaphore: Arc<Semaphore>,
    /// How many there are, held or not. More than wanted while a shrink waits for held ones.
    there_are: usize,
}

impl Permits {
    pub(super) fn new() -> Self {
        Self { semaphore: Arc::new(Semaphore::new(0)), there_are: 0 }
    }

    /// The way by which tasks get at them, first come, first served.
    pub(super) fn handle(&self) -> Arc<Semaphore> {
        Arc::clone(&self.semaphore)
    }

    /// Makes it `wanted` permits; what is held beyond that is dropped at a later call.
    pub(super) fn resize(&mut self, wanted: usize) {
        let wanted = wanted.clamp(1, Semaphore::MAX_PERMITS);
        if wanted >= self.there_are {
            self.semaphore.add_permits(wanted - self.there_are);
            self.there_are = wanted;
        } else {
            self.there_are -= self.semaphore.forget_permits(self.there_are - wanted);
        }
    }
}

/// Waits for a permit; `None` only when the prober is gone.
pub(super) async fn permit(semaphore: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    Arc::clone(semaphore).acquire_owned().await.ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rstest::rstest;

    use super::*;
    use crate::model::{Check, Destination, Probe, TargetId};

    #[rstest]
    #[case::few(1, 10, 2, 16)]
    #[case::exactly(100, 10, 2, 25)]
    #[case::rounded_up(101, 10, 2, 26)]
    #[case::ten_thousand(10_000, 10, 2, 2500)]
    #[case::no_interval(100, 0, 2, 16)]
    fn the_bound_covers_everything_hanging(
        #[case] count: u32,
        #[case] interval: u64,
        #[case] timeout: u64,
        #[case] expected: usize,
    ) {
        let (interval, timeout) = (Duration::from_secs(interval), Duration::from_secs(timeout));
        let target = Target {
            id: TargetId(0),
            check: Arc::new(Check::new(
                "web".into(),
                Probe::Tcp,
                80,
                Timing { interval, fast: None, timeout, fall: 3, rise: 2 },
            )),
            destination: Destination::Address([192, 0, 2, 1].into()),
            settled: true,
        };
        let targets = vec![target; usize::try_from(count).unwrap()];
        assert_eq!(concurrency(&targets, FAST_BUDGET), expected);
    }

    #[rstest]
    #[case::no_fast_ones(100, 0, 50, 0)]
    #[case::the_budget_for_a_timeout(1000, 500, 50, 100)]
    #[case::one_a_target(1000, 30, 50, 30)]
    #[case::no_budget(1000, 500, 0, 0)]
    fn fast_probes_have_room(
        #[case] count: usize,
        #[case] fast: usize,
        #[case] budget: u32,
        #[case] expected: usize,
    ) {
        let (interval, timeout) = (Duration::from_secs(10), Duration::from_secs(2));
        let timing = |n| Timing {
            interval,
            fast: (n < fast).then_some(Duration::from_secs(3)),
            timeout,
            fall: 3,
            rise: 2,
        };
        let timings: Vec<Timing> = (0..count).map(timing).collect();
        assert_eq!(fast_at_once(&timings, budget), expected);
    }

    #[tokio::test]
    async fn permits_grow_and_shrink_under_those_that_hold_them() {
        let mut permits = Permits::new();
        let handle = permits.handle();
        permits.resize(2);
        let held = (permit(&handle).await, permit(&handle).await);
        permits.resize(1);
        assert_eq!(permits.there_are, 2, "both are held");
        permits.resize(3);
        assert_eq!(handle.available_permits(), 1);
        drop(held);
        permits.resize(1);
        assert_eq!((handle.available_permits(), permits.there_are), (1, 1));
        permits.resize(0);
        assert_eq!(handle.available_permits(), 1, "never none");
    }
}
