//! What an event does to the state. Pure: time comes in, effects go out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::health::{Health, Observation, PoolHealth, State as Judged, Transition, judge};
use crate::model::{PoolId, RegionId, Target, TargetId};
use crate::routing::Assembly;

use super::state::State;

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// A probe has a result.
    Observed(Observation),
    /// A configuration was loaded without a problem.
    Reloaded(Arc<Assembly>),
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
}

/// A target's change of state and what it did to the pools that depend on it.
#[derive(Debug)]
pub struct Moved {
    /// The target.
    pub target: Arc<Target>,
    /// From what, to what, and why.
    pub transition: Transition,
    /// Each pool that depends on it, with its health before.
    pub pools: Vec<(PoolId, PoolHealth)>,
    /// How long the state that it left had lasted.
    pub lasted: Duration,
}

/// Applies an event. The state is always left whole.
pub fn apply(state: &mut State, event: Event, now: Instant) -> Effects {
    match event {
        Event::Observed(observation) => observed(state, &observation, now),
        Event::Reloaded(assembly) => {
            state.reload(assembly, now);
            Effects { publish: true, retarget: true, ..Effects::default() }
        }
    }
}

fn observed(state: &mut State, observation: &Observation, now: Instant) -> Effects {
    let Some(tracked) = state.find(observation.target) else {
        // A probe that was under way when a reload removed its target.
        return Effects::default();
    };
    let was = tracked.health.clone();
    let timing = tracked.target.check.timing;
    let (is, transition) = judge(now, was.clone(), observation, &timing);
    let changed = looks(&was) != looks(&is);
    let settles = !was.settled() && is.settled();
    tracked.health = is;
    let target = Arc::clone(&tracked.target);
    let ids: Vec<PoolId> = tracked.pools.iter().map(|(pool, _)| *pool).collect();
    state.unsettled -= usize::from(settles);
    let mut effects = Effects { observed: Some(target.id), ..Effects::default() };
    if let Some(took) = observation.phases.connect {
        (effects.timed, effects.publish) = state.connected(target.id, took);
    }
    if !changed {
        return effects;
    }
    let pools: Vec<_> = ids.into_iter().map(|pool| (pool, state.refresh(pool))).collect();
    effects.publish |= pools.iter().any(|(pool, was)| state.pools[pool.index()] != *was);
    let lasted = now.saturating_duration_since(was.since);
    effects.transition = transition.map(|transition| Moved { target, transition, pools, lasted });
    effects
}

/// All of a health that a pool can see; the count of successes is not part of it, nor is that of the
/// failures of what is down already: it would be judged again for as long as it is.
fn looks(health: &Health) -> (Judged, u32, bool) {
    let failures = if health.state == Judged::Down { 0 } else { health.failures };
    (health.state, failures, health.newcomer)
}
