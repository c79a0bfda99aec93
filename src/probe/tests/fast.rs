//! Fast probes of what is in doubt, on paused time, and the budget that they share.

use std::collections::BTreeMap;

use super::prober::{INTERVAL, Manner, SECOND, Stage, of, target};
use super::*;
use crate::probe::Settings;

const FALL: u32 = 3;

/// A settled target with a fast interval of a second.
fn fast(id: u32) -> Arc<Target> {
    let mut target = target(id, INTERVAL, true);
    let check = &mut Arc::make_mut(&mut target).check;
    Arc::make_mut(check).timing.fast = Some(SECOND);
    target
}

fn budget(fast_budget: u32) -> Settings {
    Settings { limits: Limits { fast_budget, ..Limits::default() }, ..Settings::default() }
}

fn whole_secs(times: &[Duration]) -> Vec<u64> {
    times.iter().map(Duration::as_secs).collect()
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_followed_by_quick_probes_until_it_is_judged() {
    let mut stage = Stage::new(vec![fast(0)], &[], budget(50));
    let calm = of(&stage.until(INTERVAL * 3).await, 0);
    let last = calm[calm.len() - 1];
    // The next one fails, and those after it.
    stage.behave(0, Manner::Fails(Duration::ZERO));
    let down = of(&stage.until(last + INTERVAL * 4).await, 0);
    let since: Vec<Duration> = down.iter().map(|at| *at - last).collect();
    assert_eq!(whole_secs(&since), [10, 11, 12, 20, 30], "the third failure takes it down");
    // Its first success is checked quickly, too.
    stage.behave(0, Manner::Passes(Duration::ZERO));
    let up = of(&stage.until(last + INTERVAL * 7).await, 0);
    let since: Vec<Duration> = up.iter().map(|at| *at - last).collect();
    assert_eq!(whole_secs(&since), [40, 41, 50, 60], "its phase is what it was");
}

#[tokio::test(start_paused = true)]
async fn the_interval_in_force_is_told_with_each_result() {
    let mut stage = Stage::new(vec![fast(0)], &[(0, Manner::Fails(Duration::ZERO))], budget(50));
    let mut gaps = Vec::new();
    for _ in 0..FALL + 1 {
        gaps.push(stage.observations.recv().await.unwrap().gap.as_secs());
    }
    assert_eq!(gaps, [1, 1, 10, 10]);
}

/// How many probes start in each second.
async fn each_second(settings: Settings, count: u32, seconds: u32) -> Vec<usize> {
    let list: Vec<_> = (0..count).map(fast).collect();
    let failing: Vec<_> = (0..count).map(|id| (id, Manner::Fails(Duration::ZERO))).collect();
    let mut stage = Stage::new(list, &[], settings);
    // Two rounds in which all is well, so that each has its phase.
    stage.until(INTERVAL * 3).await;
    for (id, manner) in failing {
        stage.behave(id, manner);
    }
    let mut starts = BTreeMap::new();
    for (_, at) in stage.until(INTERVAL * 3 + SECOND * seconds).await {
        *starts.entry(at.as_secs()).or_insert(0) += 1;
    }
    (30..30 + u64::from(seconds)).map(|second| starts.get(&second).copied().unwrap_or(0)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_thousand_failing_targets_stay_within_the_budget() {
    let ordinary = each_second(budget(0), 1000, 30).await;
    let fast = each_second(budget(50), 1000, 30).await;
    // All phases come round in an interval: so much is ordinary in a second, give or take.
    let usual = *ordinary.iter().max().unwrap();
    assert!((80..150).contains(&usual), "{ordinary:?}");
    assert!(fast.iter().all(|count| *count <= usual + 50), "{fast:?} over {usual} and 50");
    let more = fast.iter().sum::<usize>() - ordinary.iter().sum::<usize>();
    assert!((500..=30 * 50).contains(&more), "the budget is used: {more} more");
    // The last of them was down after three intervals; then all is as calm as before.
    let (end, before) = (&fast[25..], &ordinary[25..]);
    let extra = end.iter().sum::<usize>().saturating_sub(before.iter().sum());
    assert!(extra <= 5 * 50, "{fast:?}");
}

#[tokio::test(start_paused = true)]
async fn a_few_failing_targets_are_all_probed_fast() {
    let list: Vec<_> = (0..20).map(fast).collect();
    let failing: Vec<_> = (0..20).map(|id| (id, Manner::Fails(Duration::ZERO))).collect();
    let mut stage = Stage::new(list, &failing, budget(50));
    let seen = stage.until(SECOND * 2 + SECOND / 2).await;
    for id in 0..20 {
        assert_eq!(whole_secs(&of(&seen, id))[..3], [0, 1, 2], "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reload_changes_the_budget() {
    let mut stage = Stage::new(vec![fast(0)], &[], budget(0));
    let calm = of(&stage.until(INTERVAL * 3).await, 0);
    let last = calm[calm.len() - 1];
    stage.behave(0, Manner::Fails(Duration::ZERO));
    let without = of(&stage.until(last + INTERVAL + SECOND * 5).await, 0);
    assert_eq!(whole_secs(&[without[0] - last]), [10]);
    assert_eq!(without.len(), 1, "no quick one");
    stage.prober.set_limits(budget(50).limits);
    let with = of(&stage.until(last + INTERVAL * 2 + SECOND * 5).await, 0);
    let since: Vec<Duration> = with.iter().map(|at| *at - last).collect();
    assert_eq!(whole_secs(&since), [20, 21]);
}
