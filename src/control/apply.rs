//! What an event does to the state. Pure: time comes in, effects go out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::health::{Health, Observation, Report, State as Judged, Transition, judge};
use crate::model::{Looked, PoolId, RegionId, Target, TargetId, Timing};
use crate::routing::Assembly;

use super::aliases::News;
use super::calms::Turned;
use super::state::State;

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// A probe has a result.
    Observed(Observation),
    /// A configuration was loaded without a problem.
    Reloaded(Arc<Assembly>),
    /// The name behind an alias was looked up.
    Looked(Looked),
}

/// What is to be done about an event.
#[derive(Debug, Default)]
pub struct Effects {
    /// What is served has changed.
    pub publish: bool,
    /// What is to be probed has changed.
    pub retarget: bool,
    /// The regions with other round-trip times by that.
    pub timed: Vec<(RegionId, Duration)>,
    /// The target that was observed.
    pub observed: Option<TargetId>,
    /// It went from one state to another.
    pub transition: Option<Moved>,
    /// It has nothing to say from now on, or has again.
    pub silent: Option<bool>,
    /// It calls itself degraded from now on, or does not any more.
    pub degraded: Option<bool>,
    /// It shows a certificate that expires at another time.
    pub certificate: bool,
    /// This nameserver is cut off from now on, or is not any more.
    pub cut_off: Option<bool>,
    /// What has become of pools.
    pub(super) turned: Turned,
    /// What was found behind an alias.
    pub news: Option<News>,
}

/// A target's change of state and the pools that depend on it.
#[derive(Debug)]
pub struct Moved {
    /// The target.
    pub target: Arc<Target>,
    /// From what, to what, and why.
    pub transition: Transition,
    /// Each pool that depends on it.
    pub pools: Vec<PoolId>,
    /// How long the state that it left had lasted.
    pub lasted: Duration,
}

/// Applies an event. The state is always left whole.
pub fn apply(state: &mut State, event: Event, now: Instant) -> Effects {
    match event {
        Event::Observed(observation) => observed(state, observation, now),
        Event::Reloaded(assembly) => {
            state.reload(assembly, now);
            Effects { publish: true, retarget: true, ..Effects::default() }
        }
        Event::Looked(looked) => {
            let news = state.looked(&looked, now);
            // Several names that move at about the same time are taken over together.
            let publish = news.as_ref().is_some_and(|news| news.moved() || news.other_ttl());
            Effects { publish, news, ..Effects::default() }
        }
    }
}

fn observed(state: &mut State, observation: Observation, now: Instant) -> Effects {
    let Some(at) = state.position(observation.target) else {
        // A probe that was under way when a reload removed its target.
        return Effects::default();
    };
    let mut effects = Effects { observed: Some(observation.target), ..Effects::default() };
    let failed_before = state.targets[at].failing;
    effects.certificate = state.targets[at].keep(&observation);
    if let Some((cut_off, turned)) = state.notice(at, failed_before, observation.at, now) {
        (effects.cut_off, effects.turned) = (Some(cut_off), turned);
    }
    let observation = state.discounted(observation);
    let tracked = &mut state.targets[at];
    let target = Arc::clone(&tracked.target);
    let timing = target.check.timing;
    let (is, transition) = judge(now, tracked.health.clone(), &observation, &timing);
    let was = std::mem::replace(&mut tracked.health, is);
    let is = &tracked.health;
    let changed = looks(&was, &timing) != looks(is, &timing);
    let settles = !was.settled() && is.settled() && tracked.watch.is_none();
    effects.silent = other(was.abstains(&timing), is.abstains(&timing));
    effects.degraded = other(was.report.degraded.is_some(), is.report.degraded.is_some());
    let pools: Vec<PoolId> = tracked.pool_ids().collect();
    state.unsettled -= usize::from(settles);
    match effects.silent {
        Some(true) => state.abstaining += 1,
        Some(false) => state.abstaining -= 1,
        None => {}
    }
    if let Some(took) = observation.phases.connect {
        (effects.timed, effects.publish) = state.connected(target.id, took);
    }
    if changed {
        let failed = observation.outcome.passed() == Some(false);
        effects.turned.join(state.refresh(&pools, failed, now));
    }
    effects.publish |= !effects.turned.pools.is_empty();
    let lasted = now.saturating_duration_since(was.since);
    effects.transition = transition.map(|transition| Moved { target, transition, pools, lasted });
    effects
}

/// What something is now, if it was not.
fn other(was: bool, is: bool) -> Option<bool> {
    (was != is).then_some(is)
}

/// All of a health that a pool can see; the count of successes is not part of it, nor is that of the
/// failures of what is down already: it would be judged again for as long as it is.
fn looks<'a>(
    health: &'a Health,
    timing: &Timing,
) -> (Judged, u32, bool, bool, &'a Report, Option<Duration>) {
    let failures = if health.state == Judged::Down { 0 } else { health.failures };
    let gap = health.gap.filter(|_| failures > 0);
    (health.state, failures, health.newcomer, health.abstains(timing), &health.report, gap)
}
