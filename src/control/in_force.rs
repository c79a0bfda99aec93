//! What overrides and plans come to: what is forced, and the assembly that this takes.

use std::sync::Arc;
use std::time::Instant;

use super::arrangement::Arrangement;
use super::overrides::{Overrides, Tried, find_record};
use super::plans::{Effects, Plans, When, watches};
use super::state::State;
use super::tracked::Tracked;
use crate::model::{Moment, RecordId, RegionId};
use crate::routing::{Assembly, Forces, Inputs};
use crate::wire::Name;

impl State {
    /// Takes an assembly for the one that was loaded; gives the one to be used.
    pub(super) fn arrange(&mut self, base: &Arc<Assembly>) -> Arc<Assembly> {
        self.base = Arc::clone(base);
        self.arrangement = Arrangement::of(base, &self.overrides, &self.plans);
        self.arrangement.assembly(base)
    }

    /// Has other overrides from now on. Returns whether they force anything else.
    pub(super) fn set_overrides(&mut self, overrides: Overrides, now: Instant) -> bool {
        self.overrides = overrides;
        self.rearrange(now)
    }

    /// Has other overrides and plans from now on. Returns whether they force anything else.
    pub(super) fn set_overrides_and_plans(
        &mut self,
        overrides: Overrides,
        plans: Plans,
        now: Instant,
    ) -> bool {
        (self.overrides, self.plans) = (overrides, plans);
        self.rearrange(now)
    }

    /// Has other plans from now on. Returns whether they force anything else.
    pub(super) fn set_plans(&mut self, plans: Plans, now: Instant) -> bool {
        self.plans = plans;
        self.rearrange(now)
    }

    /// Takes in what overrides and plans come to by now, be it another assembly.
    fn rearrange(&mut self, now: Instant) -> bool {
        let arrangement = Arrangement::of(&self.base, &self.overrides, &self.plans);
        let other = arrangement != self.arrangement;
        if other {
            let assembly = arrangement.assembly(&self.base);
            self.memory = self.memory.carried(&self.assembly, &assembly);
            (self.assembly, self.arrangement) = (assembly, arrangement);
        }
        self.force(now) || other
    }

    /// Whether nothing is forced, and nothing is planned that could come to be.
    pub(super) fn is_unforced(&self) -> bool {
        let none = self.overrides.list.is_empty() && self.plans.is_idle();
        none && self.assembly.planning.windows.is_empty() && self.forces.is_empty()
    }

    /// Takes in what is forced by now. Returns whether that is something else than before.
    pub(super) fn force(&mut self, now: Instant) -> bool {
        let when = When { now: self.moment(now), wall_ms: self.wall_ms(now), done: None };
        let forces = self.forces_at(&self.assembly, &self.overrides, &self.plans, when);
        let other = forces != *self.forces;
        if other {
            self.forces = Arc::new(forces);
        }
        other
    }

    fn forces_at(
        &self,
        assembly: &Assembly,
        overrides: &Overrides,
        plans: &Plans,
        when: When,
    ) -> Forces {
        let mut forces = Forces::default();
        Effects { assembly, overrides, ttls: &self.ttls, when }.add(&mut forces, plans);
        overrides.add(
            &mut forces,
            assembly,
            if when.done.is_some() { Moment(u64::MAX) } else { when.now },
        );
        forces
    }

    /// The wall clock's time in milliseconds since 1970.
    pub(super) fn wall_ms(&self, now: Instant) -> u64 {
        let wall = i128::from(self.moment(now).0) + self.wall_ahead;
        u64::try_from(wall.max(0)).unwrap_or(u64::MAX)
    }

    /// The wall clock is so far ahead of the timeline.
    pub(super) fn set_wall_ahead(&mut self, ahead: i128) {
        self.wall_ahead = ahead;
    }

    /// The records in which a region has no place in that of another.
    pub(super) fn place(
        &self,
        from: RegionId,
        to: RegionId,
        record: Option<&Name>,
    ) -> Result<(), Vec<String>> {
        let mut arrangement = self.arrangement.clone();
        let record = record.and_then(|name| find_record(&self.base, name));
        arrangement.records.extend(record);
        let separated = self.base.separated(&arrangement.records);
        let named = |id: RecordId| separated.records[id.index()].name.to_string();
        match separated.with_place(from, to, record) {
            Ok(_) => Ok(()),
            Err(no_place) => Err(no_place.records.into_iter().map(named).collect()),
        }
    }

    /// What would be compiled after a command, all moves and ramps being done.
    pub(super) fn supposing(&self, tried: &Tried, now: Instant) -> (Arc<Assembly>, Inputs) {
        let Tried { overrides, plans, plan, let_back, .. } = tried;
        let arrangement = Arrangement::of(&self.base, overrides, plans);
        let same = arrangement == self.arrangement;
        let assembly =
            if same { Arc::clone(&self.assembly) } else { arrangement.assembly(&self.base) };
        let done = Some(plan.as_ref().map_or(0, |plan| plan.id));
        let when = When { now: self.moment(now), wall_ms: self.wall_ms(now), done };
        let forces = Arc::new(self.forces_at(&assembly, overrides, plans, when));
        let memory = if same { None } else { Some(self.memory.carried(&self.assembly, &assembly)) };
        let last_good = &memory.as_ref().unwrap_or(&self.memory).last_good;
        let mut inputs = Inputs { forces, last_good: Arc::clone(last_good), ..self.inputs() };
        if let Some(region) = let_back {
            inputs.pools = self.standings_let_back(*region);
        }
        (assembly, inputs)
    }

    /// Has the queries asked of the plans that are under way, and no others. Returns whether those are
    /// others now.
    pub(super) fn watch_plans(&mut self, now: Instant) -> bool {
        let wanted = watches(&self.assembly, &self.plans);
        let asked = self.targets.iter().filter_map(|tracked| tracked.watch);
        if asked.eq(wanted.iter().map(|(plan, _, _)| *plan)) {
            return false;
        }
        // They stand behind all others, whose positions stay.
        let first = self.targets.iter().position(|tracked| tracked.watch.is_some());
        let mut known = self.targets.split_off(first.unwrap_or(self.targets.len()));
        for watch in wanted {
            let at = known.iter().position(|tracked| tracked.watch == Some(watch.0));
            let tracked = match at {
                Some(at) => known.remove(at),
                None => Tracked::query(watch, None, &mut self.next_id, now),
            };
            self.targets.push(tracked);
        }
        for gone in known {
            self.by_id.remove(&gone.target.id);
            self.abstaining -= usize::from(gone.abstains());
        }
        self.by_id.extend(self.targets.iter().enumerate().map(|(at, t)| (t.target.id, at)));
        true
    }
}
