//! What plans come to at a moment, beside the overrides. Pure.
//!
//! An override beats a plan: a region that is forced up is not drained by one, and nothing is shifted to a
//! region that is drained or forced down. What else is forced counts beside it.

use std::time::Duration;

use super::list::Plans;
use crate::control::overrides::{Overrides, find_record, find_region};
use crate::model::{
    Drill, Force, Forcing, Moment, Move, Phase, RegionId, STEPS, Shift, Shifted, Task, Window,
};
use crate::routing::{Assembly, Forces};
use crate::wire::Name;

/// The time by which plans are read.
#[derive(Debug, Clone, Copy)]
pub(in crate::control) struct When {
    /// The moment of the timeline.
    pub(in crate::control) now: Moment,
    /// The wall clock's milliseconds since 1970.
    pub(in crate::control) wall_ms: u64,
    /// The plan that is read as if its last stage were reached.
    pub(in crate::control) done: Option<u64>,
}

/// What forces from plans are made of.
#[derive(Debug, Clone, Copy)]
pub(in crate::control) struct Effects<'a> {
    pub(in crate::control) assembly: &'a Assembly,
    pub(in crate::control) overrides: &'a Overrides,
    pub(in crate::control) ttls: &'a Ttls,
    pub(in crate::control) when: When,
}

/// The longest TTLs of the records that each region has a part in: `ttl` and `ttl_min`.
pub(in crate::control) type Ttls = Vec<(Duration, Duration)>;

/// Those of an assembly, in the order of its regions.
pub(in crate::control) fn ttls(assembly: &Assembly) -> Ttls {
    let mut ttls = vec![(Duration::ZERO, Duration::ZERO); assembly.regions.len()];
    for record in &assembly.records {
        let binding = &assembly.bindings[record.binding.index()];
        let slots = &assembly.trees[binding.tree.index()].slots;
        for (region, _) in slots.iter().zip(&binding.pools).filter(|(_, pool)| pool.is_some()) {
            let (ttl, ttl_min) = &mut ttls[region.index()];
            *ttl = (*ttl).max(Duration::from_secs(record.ttl.into()));
            *ttl_min = (*ttl_min).max(Duration::from_secs(record.ttl_min.into()));
        }
    }
    ttls
}

impl Effects<'_> {
    /// Adds what plans force to what overrides do.
    pub(in crate::control) fn add(&self, forces: &mut Forces, plans: &Plans) {
        for plan in &plans.list {
            let done = self.when.done == Some(plan.id);
            match &plan.task {
                Task::Shift(shift) => self.shift(forces, shift, done),
                Task::Drill(drill) => self.drill(forces, drill),
                Task::Window(window) => self.window(forces, window, done),
            }
        }
        for named in &self.assembly.planning.windows {
            self.window(forces, &named.window, false);
        }
    }

    fn shift(&self, forces: &mut Forces, shift: &Shift, done: bool) {
        let Shift { from, to, record, .. } = shift;
        let restricts = |force: &Force| matches!(force, Force::Drain(_) | Force::Down);
        if self.stands(to, record.as_ref(), restricts) {
            return;
        }
        let part = if done { shift.last_part() } else { shift.part() };
        self.shifted(forces, from, to, record.as_ref(), part);
    }

    /// Has a region answer in another's place.
    pub(in crate::control) fn shifted(
        &self,
        forces: &mut Forces,
        from: &str,
        to: &str,
        record: Option<&Name>,
        part: f64,
    ) {
        let Some(to) = find_region(self.assembly, to) else { return };
        if let Some(forcing) = self.on(forces, from, record) {
            forcing.shifted = Some(Shifted { to, part });
        }
    }

    fn drill(&self, forces: &mut Forces, drill: &Drill) {
        let Drill { region, record, share, returned, .. } = drill;
        let up = |force: &Force| matches!(force, Force::Up);
        if returned.is_some() || self.stands(region, record.as_ref(), up) {
            return;
        }
        if let Some(forcing) = self.on(forces, region, record.as_ref()) {
            forcing.drained = forcing.drained.max(*share);
        }
    }

    fn window(&self, forces: &mut Forces, window: &Window, done: bool) {
        for name in &window.regions {
            let Some(region) = find_region(self.assembly, name) else { continue };
            if self.stands(name, None, |force| matches!(force, Force::Up)) {
                continue;
            }
            let phase = if done { Phase::Drained } else { self.phase(window, region) };
            let now = Moment(self.when.wall_ms);
            let step = |moving: &Move| Duration::from_millis(moving.over_ms) / (STEPS - 1);
            let (drained, flip) = match phase {
                Phase::Ahead | Phase::Over => continue,
                Phase::Prepared => (0.0, Some(Duration::ZERO)),
                Phase::Draining(drain) => (drain.at(now), Some(step(&drain))),
                Phase::Drained => (1.0, None),
                Phase::Returning(back) => (back.at(now), Some(step(&back))),
            };
            let forcing = forces.on_region(region);
            forcing.drained = forcing.drained.max(drained);
            forcing.flip = forcing.flip.into_iter().chain(flip).min();
        }
    }

    /// How far a window is for one of its regions.
    pub(in crate::control) fn phase(&self, window: &Window, region: RegionId) -> Phase {
        let (ttl, ttl_min) = self.ttls.get(region.index()).copied().unwrap_or_default();
        window.phase(self.when.wall_ms, ttl, ttl_min)
    }

    /// Whether an override of a kind stands on a region, where a plan is about it.
    fn stands(&self, region: &str, record: Option<&Name>, kind: impl Fn(&Force) -> bool) -> bool {
        self.overrides.on(region, record).any(|one| kind(&one.force))
    }

    fn on<'f>(
        &self,
        forces: &'f mut Forces,
        region: &str,
        record: Option<&Name>,
    ) -> Option<&'f mut Forcing> {
        let region = find_region(self.assembly, region)?;
        match record {
            None => Some(forces.on_region(region)),
            Some(name) => {
                let record = find_record(self.assembly, name)?;
                let binding = self.assembly.records[record.index()].binding;
                Some(forces.in_binding(binding, region))
            }
        }
    }
}
