//! The prober on paused time, with probes that are made up.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Instant;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::clock;
use crate::health::{Observation, Report};
use crate::probe::{Prober, Settings};

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const INTERVAL: Duration = Duration::from_secs(10);

/// A target whose last octet is its id.
pub(super) fn target(id: u32, interval: Duration, settled: bool) -> Arc<Target> {
    let address = [192, 0, 2, u8::try_from(id % 256).unwrap()];
    let mut target = target_at(Destination::Address(address.into()), 80);
    target.id = TargetId(id);
    target.settled = settled;
    let timing = Timing { interval, fast: None, timeout: interval / 5, fall: 3, rise: 2 };
    Arc::make_mut(&mut target.check).timing = timing;
    Arc::new(target)
}

/// How a made-up target behaves.
#[derive(Clone, Copy)]
pub(super) enum Manner {
    Passes(Duration),
    Fails(Duration),
    Abstains,
    Panics,
}

type Manners = Arc<Mutex<HashMap<TargetId, Manner>>>;

pub(super) struct Stage {
    targets: watch::Sender<Arc<[Arc<Target>]>>,
    pub(super) observations: mpsc::Receiver<Observation>,
    manners: Manners,
    pub(super) prober: Prober,
    shutdown: CancellationToken,
    start: Instant,
}

impl Stage {
    pub(super) fn new(
        list: Vec<Arc<Target>>,
        manners: &[(u32, Manner)],
        settings: Settings,
    ) -> Self {
        Self::with_queue(list, manners, settings, 4096)
    }

    fn with_queue(
        list: Vec<Arc<Target>>,
        manners: &[(u32, Manner)],
        settings: Settings,
        queue: usize,
    ) -> Self {
        let manners: Manners =
            Arc::new(Mutex::new(manners.iter().map(|(id, m)| (TargetId(*id), *m)).collect()));
        let (targets, list) = watch::channel(list.into());
        let (sender, observations) = mpsc::channel(queue);
        let shutdown = CancellationToken::new();
        let fake = Arc::clone(&manners);
        let probe = move |target: Arc<Target>| {
            let manner = fake.lock().unwrap().get(&target.id).copied();
            async move {
                match manner.unwrap_or(Manner::Passes(Duration::ZERO)) {
                    Manner::Passes(took) => {
                        tokio::time::sleep(took).await;
                        Verdict::Seen(Outcome::Pass, Report::default(), Phases::default())
                    }
                    Manner::Fails(took) => {
                        tokio::time::sleep(took).await;
                        Verdict::Seen(
                            Outcome::Fail("no".into()),
                            Report::default(),
                            Phases::default(),
                        )
                    }
                    Manner::Abstains => Verdict::Abstained("too many open files".into()),
                    Manner::Panics => panic!("a defect of the test's"),
                }
            }
        };
        let prober = Prober::spawn_with(probe, list, sender, settings, shutdown.clone());
        Self { targets, observations, manners, prober, shutdown, start: clock::now() }
    }

    pub(super) fn behave(&self, id: u32, manner: Manner) {
        self.manners.lock().unwrap().insert(TargetId(id), manner);
    }

    /// What is seen up to `time` after the start, as (id, when after the start).
    pub(super) async fn until(&mut self, time: Duration) -> Vec<(u32, Duration)> {
        let mut seen = Vec::new();
        let end = tokio::time::Instant::from_std(self.start + time);
        while let Ok(next) = tokio::time::timeout_at(end, self.observations.recv()).await {
            let seen_at = next.expect("the prober lives");
            seen.push((seen_at.target.0, seen_at.at - self.start));
        }
        seen
    }
}

pub(super) fn of(seen: &[(u32, Duration)], id: u32) -> Vec<Duration> {
    seen.iter().filter(|(other, _)| *other == id).map(|(_, at)| *at).collect()
}

fn limited(concurrency: usize) -> Settings {
    let limits = Limits { concurrency: Some(concurrency), ..Limits::default() };
    Settings { limits, ..Settings::default() }
}

#[tokio::test(start_paused = true)]
async fn the_first_round_starts_at_once_and_then_each_keeps_its_phase() {
    let list = (0..20).map(|id| target(id, INTERVAL, true)).collect();
    let mut stage = Stage::new(list, &[], Settings::default());
    let seen = stage.until(INTERVAL * 6).await;
    let mut phases = Vec::new();
    for id in 0..20 {
        let starts = of(&seen, id);
        assert_eq!(starts[0], Duration::ZERO);
        for pair in starts.windows(2) {
            // The runtime's timers count whole milliseconds.
            assert!(pair[1] - pair[0] <= INTERVAL + Duration::from_millis(1));
        }
        phases.push(starts[starts.len() - 1].as_millis() % INTERVAL.as_millis());
    }
    phases.sort_unstable();
    phases.dedup();
    assert!(phases.len() > 15, "they spread: {phases:?}");
}

#[tokio::test(start_paused = true)]
async fn the_first_round_of_many_is_steady_and_over_in_half_an_interval() {
    for (count, shortest, interval, round) in [
        (1064, INTERVAL, INTERVAL, SECOND),
        (10_000, INTERVAL, INTERVAL, INTERVAL / 2),
        (1064, SECOND, SECOND, SECOND / 2),
        (1064, SECOND, INTERVAL, SECOND / 2),
    ] {
        let timed = |id| if id == 500 { shortest } else { interval };
        let list = (0..count).map(|id| target(id, timed(id), true)).collect();
        let mut stage = Stage::new(list, &[], Settings::default());
        let firsts = stage.until(round + Duration::from_millis(2)).await;
        let mut first = HashMap::new();
        for (id, at) in firsts {
            first.entry(id).or_insert(at);
        }
        assert_eq!(first.len(), count as usize, "each has had its first");
        let within = |from: Duration| {
            first.values().filter(|&at| (from..from + round / 10).contains(at)).count()
        };
        assert_eq!(first.values().filter(|at| at.is_zero()).count(), 64, "at once");
        let tenths: Vec<usize> = (1..9).map(|n| within(round / 10 * n)).collect();
        let fair = count as usize / 10;
        assert!(tenths.iter().all(|few| few.abs_diff(fair) <= fair / 4), "steady: {tenths:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_settled_comes_first() {
    let list = (0..1000).map(|id| target(id, INTERVAL, id < 990)).collect();
    let mut stage = Stage::new(list, &[], Settings::default());
    let seen = stage.until(Duration::from_millis(1)).await;
    for id in (0..54).chain(990..1000) {
        assert_eq!(of(&seen, id), [Duration::ZERO], "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_target_delays_no_other() {
    let list = (0..8).map(|id| target(id, INTERVAL, true)).collect();
    let slow = [(0, Manner::Fails(SECOND * 2)), (1, Manner::Fails(SECOND * 2))];
    let mut stage = Stage::new(list, &slow, Settings::default());
    let seen = stage.until(INTERVAL * 4).await;
    for id in 0..8 {
        assert!(of(&seen, id).len() >= 4, "{id}");
        assert!(of(&seen, id).windows(2).all(|two| two[1] - two[0] <= INTERVAL + SECOND / 100));
    }
}

#[tokio::test(start_paused = true)]
async fn what_fails_unsettled_is_seen_again_after_a_second() {
    let took = SECOND / 2;
    let mut stage = Stage::new(
        vec![target(0, INTERVAL, false)],
        &[(0, Manner::Fails(took))],
        Settings::default(),
    );
    let seen = of(&stage.until(SECOND * 4).await, 0);
    assert_eq!(seen, [Duration::ZERO, took + SECOND, (took + SECOND) * 2]);
}

#[tokio::test(start_paused = true)]
async fn failing_costs_no_more_than_passing() {
    let list: Vec<_> = (0..50).map(|id| target(id, INTERVAL, true)).collect();
    let failing: Vec<_> = (0..50).map(|id| (id, Manner::Fails(Duration::ZERO))).collect();
    let mut good = Stage::new(list.clone(), &[], Settings::default());
    let mut bad = Stage::new(list, &failing, Settings::default());
    let passed = good.until(INTERVAL * 5).await.len();
    bad.start = good.start;
    assert_eq!(bad.until(INTERVAL * 5).await.len(), passed);
}

#[tokio::test(start_paused = true)]
async fn the_bound_holds_back_without_failing_anything() {
    let list = (0..10).map(|id| target(id, INTERVAL, true)).collect();
    let slow: Vec<_> = (0..10).map(|id| (id, Manner::Passes(SECOND))).collect();
    let mut stage = Stage::new(list, &slow, limited(2));
    let seen = stage.until(SECOND * 6).await;
    let mut starts: Vec<u64> = seen.iter().take(10).map(|(_, at)| at.as_secs()).collect();
    starts.sort_unstable();
    assert_eq!(starts, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_bound_that_is_raised_counts_at_once() {
    let list = (0..10).map(|id| target(id, INTERVAL, true)).collect();
    let slow: Vec<_> = (0..10).map(|id| (id, Manner::Passes(SECOND))).collect();
    let mut stage = Stage::new(list, &slow, limited(1));
    tokio::task::yield_now().await;
    stage.prober.set_limits(limited(100).limits);
    let seen = stage.until(SECOND * 2).await;
    assert_eq!(seen.iter().filter(|(_, at)| at.is_zero()).count(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_new_list_touches_only_what_changed() {
    let (stays, changes, goes) =
        (target(0, INTERVAL, true), target(1, INTERVAL, true), target(2, INTERVAL, true));
    let mut stage =
        Stage::new(vec![Arc::clone(&stays), Arc::clone(&changes), goes], &[], Settings::default());
    let reload = INTERVAL * 3 + SECOND;
    let before = of(&stage.until(reload).await, 0);
    // The same by value is the same, settled or not.
    let again =
        Target { settled: false, check: Arc::new((*stays.check).clone()), ..(*stays).clone() };
    let mut other = Target::clone(&changes);
    Arc::make_mut(&mut other.check).timing.interval = SECOND * 3;
    let list = vec![Arc::new(again), Arc::new(other), target(3, INTERVAL, false)];
    stage.targets.send(list.into()).unwrap();
    let seen = stage.until(reload + INTERVAL * 3).await;
    assert_eq!(of(&seen, 0)[0] - before[before.len() - 1], INTERVAL, "undisturbed");
    let changed = of(&seen, 1);
    assert_eq!(changed[0], reload, "anew, at once");
    assert_eq!(changed[4] - changed[3], SECOND * 3);
    assert!(of(&seen, 2).is_empty());
    assert_eq!(of(&seen, 3)[0], reload);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_delays_and_loses_nothing() {
    let list = (0..5).map(|id| target(id, INTERVAL, true)).collect();
    let mut stage = Stage::with_queue(list, &[], limited(1), 1);
    // Nobody listens for long: every target waits with what it saw, and none is probed again.
    tokio::time::sleep(INTERVAL * 10).await;
    let seen = stage.until(INTERVAL * 10 + SECOND / 100).await;
    let early = seen.iter().filter(|(_, at)| *at < SECOND).count();
    assert_eq!(early, 5, "the first round of each: {seen:?}");
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_cannot_be_made_says_nothing_of_the_target() {
    let mut stage =
        Stage::new(vec![target(0, INTERVAL, false)], &[(0, Manner::Abstains)], Settings::default());
    let seen = stage.until(SECOND * 2 + SECOND / 2).await;
    assert_eq!(seen, [0, 1, 2].map(|secs| (0, SECOND * secs)));
    assert_eq!(stage.prober.abstained(), 3, "at 0, 1 and 2 seconds");
    stage.behave(0, Manner::Passes(Duration::ZERO));
    assert_eq!(stage.until(SECOND * 3 + SECOND / 2).await, [(0, SECOND * 3)]);
}

#[tokio::test(start_paused = true)]
async fn a_defect_costs_one_probe_and_not_the_target() {
    let mut stage =
        Stage::new(vec![target(0, INTERVAL, true)], &[(0, Manner::Panics)], Settings::default());
    assert_eq!(stage.until(SECOND / 100).await, []);
    stage.behave(0, Manner::Passes(Duration::ZERO));
    assert_eq!(stage.until(INTERVAL).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn it_stops_in_the_midst_of_probes_and_full_queues() {
    let list = (0..5).map(|id| target(id, INTERVAL, true)).collect();
    let hangs: Vec<_> = (3..5).map(|id| (id, Manner::Passes(INTERVAL * 1000))).collect();
    let mut stage = Stage::with_queue(list, &hangs, Settings::default(), 1);
    tokio::time::sleep(SECOND).await;
    stage.shutdown.cancel();
    stage.prober.stopped().await;
    assert!(stage.observations.recv().await.is_some(), "what was queued is still there");
    assert_eq!(stage.observations.recv().await, None);
    assert!(clock::now() - stage.start < SECOND * 2);
}

#[tokio::test(start_paused = true)]
async fn the_last_list_holds_when_its_owner_is_gone() {
    let mut stage = Stage::new(vec![target(0, INTERVAL, true)], &[], Settings::default());
    let (orphan, _) = watch::channel(Arc::from([]));
    drop(std::mem::replace(&mut stage.targets, orphan));
    assert!(stage.until(INTERVAL * 4).await.len() >= 4);
}
