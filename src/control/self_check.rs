//! Whether this nameserver is cut off: when every target fails and the references fail as well, it is
//! this nameserver that sees nothing, and what was known stays in force.

use std::time::{Duration, Instant};

use super::calms::Turned;
use super::state::State;
use super::tracked::Tracked;
use crate::health::{Observation, Outcome, State as Judged};
use crate::model::PoolId;

/// The counts by which it is told.
#[derive(Debug, Default)]
pub(super) struct SelfCheck {
    /// The targets that are probed over the network for pools, and how many of them failed last.
    routes: Count,
    /// The same of the references.
    references: Count,
    /// Within this all of them have been probed.
    round: Duration,
    /// Since when this nameserver is cut off.
    pub(super) cut_off: Option<Instant>,
    /// When the probe began by which it was seen to be cut off no longer.
    ended: Option<Instant>,
}

#[derive(Debug, Default)]
struct Count {
    all: usize,
    failing: usize,
}

impl Count {
    fn all_fail(&self) -> bool {
        self.all > 0 && self.failing == self.all
    }

    fn add(&mut self, tracked: &Tracked) {
        self.all += 1;
        self.failing += usize::from(tracked.failing);
    }
}

impl State {
    /// Counts anew, for other targets.
    pub(super) fn look_at_itself(&mut self) {
        let cut_off = self.self_check.cut_off;
        let mut check = SelfCheck::default();
        for tracked in &self.targets {
            let timing = &tracked.target.check.timing;
            let count = match (tracked.reference, tracked.is_route()) {
                (true, _) => &mut check.references,
                (false, true) => &mut check.routes,
                (false, false) => continue,
            };
            count.add(tracked);
            check.round = check.round.max(timing.interval + timing.timeout);
        }
        check.ended = self.self_check.ended;
        check.cut_off = cut_off.filter(|_| check.routes.all_fail() && check.references.all_fail());
        self.self_check = check;
    }

    /// Takes in that the target at a position fails or not, and did before. Returns whether this nameserver is cut off from
    /// now on, or no longer, if that has changed, and what follows from it.
    pub(super) fn notice(
        &mut self,
        at: usize,
        was: bool,
        began: Instant,
        now: Instant,
    ) -> Option<(bool, Turned)> {
        let tracked = &self.targets[at];
        let is = tracked.failing;
        let count = match (tracked.reference, tracked.is_route()) {
            (true, _) => &mut self.self_check.references,
            (false, true) => &mut self.self_check.routes,
            (false, false) => return None,
        };
        count.failing = count.failing + usize::from(is) - usize::from(was);
        let cut_off = self.self_check.routes.all_fail() && self.self_check.references.all_fail();
        match (self.self_check.cut_off, cut_off) {
            (None, true) => {
                self.self_check.cut_off = Some(now);
                Some((true, self.take_back(now)))
            }
            (Some(_), false) => {
                (self.self_check.cut_off, self.self_check.ended) = (None, Some(began));
                Some((false, Turned::default()))
            }
            _ => None,
        }
    }

    /// What a result says of a probe that began while this nameserver was cut off: a failure says nothing.
    pub(super) fn discounted(&self, seen: Observation) -> Observation {
        match seen.outcome {
            Outcome::Fail(reason)
                if self.self_check.cut_off.is_some()
                    || self.self_check.ended.is_some_and(|ended| seen.at <= ended) =>
            {
                let why = format!("this nameserver was cut off ({reason})");
                Observation { outcome: Outcome::Missing(why.into()), ..seen }
            }
            _ => seen,
        }
    }

    /// What went down in the round in which all failed is up again, as it was.
    fn take_back(&mut self, now: Instant) -> Turned {
        let round = self.self_check.round;
        let mut pools: Vec<PoolId> = Vec::new();
        for tracked in self.targets.iter_mut().filter(|tracked| tracked.is_route()) {
            let health = &mut tracked.health;
            let recent = now.saturating_duration_since(health.since) <= round;
            if health.state == Judged::Down && recent {
                (health.state, health.since) = (Judged::Up, now);
            }
            if health.state != Judged::Down && health.failures > 0 {
                health.failures = 0;
                pools.extend(tracked.pool_ids());
            }
        }
        pools.sort_unstable();
        pools.dedup();
        self.restore(&pools, now)
    }
}
