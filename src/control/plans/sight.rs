//! What is seen of what plans depend on: the health of where answers go, queries, and overrides.

use std::collections::BTreeSet;

use super::step::{Condition, Queried, Seen};
use crate::control::overrides::{find_record, find_region};
use crate::control::state::State;
use crate::health::Outcome;
use crate::model::{Family, Force, Moment, Plan, PoolId, RegionId, Task};
use crate::wire::Name;

impl State {
    /// What is seen of what a plan depends on.
    pub(super) fn plan_seen(&self, plan: &Plan) -> Seen {
        let record = plan.task.record();
        let overridden = |region: &str| {
            self.overrides.on(region, record).map(|one| one.id).collect::<Vec<u64>>()
        };
        let (others, since) = match &plan.task {
            Task::Shift(shift) => {
                let pools = self.pools_of(&shift.to, record);
                let up = self.overrides.on(&shift.to, record).any(|one| one.force == Force::Up);
                // What somebody has count as up is up.
                let others = if up { Condition::Well } else { self.condition(&pools, &[]) };
                (others, shift.entered)
            }
            Task::Drill(drill) => {
                let pools = self.pools_beside(&drill.region, record);
                (self.condition(&pools, &drill.known), plan.since)
            }
            Task::Window(_) => (Condition::Well, plan.since),
        };
        let mut regions = plan.task.regions().into_iter();
        let gone = regions.find(|region| find_region(&self.assembly, region).is_none());
        let others = match (gone, &plan.task) {
            (None, _) | (_, Task::Window(_)) => others,
            (Some(region), _) => Condition::Doubt(format!("{region} is not configured any more")),
        };
        Seen {
            others,
            query: self.queried(plan, since),
            overridden: plan.task.regions().into_iter().flat_map(overridden).collect(),
        }
    }

    /// The pools of a region, in all records or in one; its own where the record has no place for it yet.
    pub(super) fn pools_of(&self, region: &str, record: Option<&Name>) -> BTreeSet<PoolId> {
        let Some(region) = find_region(&self.assembly, region) else { return BTreeSet::new() };
        let of_region = |pool: &PoolId| self.assembly.pools[pool.index()].region == region;
        match record {
            None => self.calms.of_region(region).iter().copied().collect(),
            Some(name) => {
                let own = self.assembly.regions[region.index()].pool;
                let there = self.pools_in(name).into_iter().filter(of_region);
                let there: BTreeSet<PoolId> = there.collect();
                if there.is_empty() { BTreeSet::from([own]) } else { there }
            }
        }
    }

    /// The pools of other regions in the records that a region has a part in: in all, or in one.
    pub(super) fn pools_beside(&self, region: &str, record: Option<&Name>) -> BTreeSet<PoolId> {
        let Some(region) = find_region(&self.assembly, region) else { return BTreeSet::new() };
        let others = |pool: &PoolId| self.assembly.pools[pool.index()].region != region;
        match record {
            Some(name) => self.pools_in(name).into_iter().filter(others).collect(),
            None => self.pools_together(region).into_iter().filter(others).collect(),
        }
    }

    fn pools_in(&self, record: &Name) -> Vec<PoolId> {
        let Some(record) = find_record(&self.assembly, record) else { return Vec::new() };
        let binding = self.assembly.records[record.index()].binding;
        self.assembly.bindings[binding.index()].pools.iter().flatten().copied().collect()
    }

    fn pools_together(&self, region: RegionId) -> BTreeSet<PoolId> {
        let bindings: BTreeSet<_> = (self.calms.of_region(region).iter())
            .flat_map(|pool| self.assembly.bindings_of(*pool))
            .collect();
        let pools = |id: &crate::model::BindingId| self.assembly.bindings[id.index()].pools.iter();
        bindings.into_iter().flat_map(pools).flatten().copied().collect()
    }

    /// The names of those of some pools that are not just up.
    pub(super) fn unwell(&self, pools: &BTreeSet<PoolId>) -> Vec<String> {
        let unwell = |pool: &&PoolId| self.pool_condition(**pool) != Condition::Well;
        pools.iter().filter(unwell).map(|pool| self.assembly.pool_name(*pool)).collect()
    }

    /// The worst of some pools, those of these names left out.
    pub(super) fn condition(&self, pools: &BTreeSet<PoolId>, known: &[String]) -> Condition {
        let mut worst = Condition::Well;
        for pool in pools {
            match self.pool_condition(*pool) {
                Condition::Well => {}
                _ if known.contains(&self.assembly.pool_name(*pool)) => {}
                Condition::Down(what) => return Condition::Down(what),
                doubt if worst == Condition::Well => worst = doubt,
                Condition::Doubt(_) => {}
            }
        }
        worst
    }

    fn pool_condition(&self, pool: PoolId) -> Condition {
        let health = &self.pools[pool.index()];
        let mut condition = Condition::Well;
        for family in Family::BOTH {
            let of_family = health.of(family);
            if of_family.live.is_empty() {
                continue;
            }
            let name = || format!("{} ({})", self.assembly.pool_name(pool), family.name());
            if of_family.h <= 0.0 {
                return Condition::Down(format!("{} is down", name()));
            }
            if of_family.flip.is_some() || of_family.h < 1.0 {
                condition = Condition::Doubt(format!("{} is in doubt", name()));
            } else if !of_family.settled && condition == Condition::Well {
                condition = Condition::Doubt(format!("{} has not been probed yet", name()));
            }
        }
        condition
    }

    /// What the query of a plan has come to since a moment.
    fn queried(&self, plan: &Plan, since: Moment) -> Queried {
        if plan.abort_when.is_none() {
            return Queried::None;
        }
        let asked = self.targets.iter().rev().find(|tracked| tracked.watch == Some(plan.id));
        let Some(asked) = asked else {
            return Queried::Missing("the configuration has no [plans] prometheus any more".into());
        };
        match asked.health.last.as_ref().filter(|last| self.moment(last.at) >= since) {
            None => Queried::Waiting,
            Some(last) => match &last.outcome {
                Outcome::Pass => Queried::Quiet,
                Outcome::Fail(why) => Queried::Beyond(why.to_string()),
                Outcome::Missing(why) => Queried::Missing(why.to_string()),
            },
        }
    }
}
