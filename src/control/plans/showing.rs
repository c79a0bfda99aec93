//! Plans as operators see them, and what is said of a command about one.

use std::time::Instant;

use crate::clock;
use crate::control::command::PlanOrder;
use crate::control::overrides::{Tried, find_region};
use crate::control::run::Control;
use crate::control::views::{self, PlanSight, PlanView, PlansView, Seen};
use crate::model::{Phase, Plan, Shift, Task, Window};
use crate::routing::Snapshot;
use crate::simulate;

impl Control {
    /// All plans.
    pub(in crate::control) fn plan_views(&self, seen: Seen<'_>) -> PlansView {
        let state = &self.state;
        let mut under_way: Vec<PlanView> =
            state.plans.list.iter().map(|plan| self.plan_view(seen, plan)).collect();
        let now = clock::now();
        for named in &state.assembly.planning.windows {
            let phases = self.phases(&named.window, now);
            if !phases.iter().all(|phase| *phase == Phase::Over) {
                let wall_ms = state.wall_ms(now);
                let sight = PlanSight { phases, wall_ms, ..PlanSight::default() };
                under_way.push(views::window_view(named, &sight));
            }
        }
        let over = state.plans.over.iter().map(|plan| self.plan_view(seen, plan)).collect();
        PlansView { under_way, over }
    }

    /// One plan as it is now.
    pub(in crate::control) fn plan_view(&self, seen: Seen<'_>, plan: &Plan) -> PlanView {
        let now = clock::now();
        let mut sight = PlanSight { wall_ms: self.state.wall_ms(now), ..PlanSight::default() };
        if plan.ended.is_none() {
            let sees = self.state.plan_seen(plan);
            sight.waits = self.told_plans.waits.get(&plan.id).cloned();
            sight.query = Some(sees.query);
            sight.overrides = sees.overridden;
        }
        if let Task::Window(window) = &plan.task {
            sight.phases = self.phases(window, now);
        }
        views::plan_view(seen, plan, &sight)
    }

    /// How far a window is for each of its regions that is configured, the one furthest behind first.
    pub(super) fn phases(&self, window: &Window, now: Instant) -> Vec<Phase> {
        let effects = self.effects(self.when(now));
        let known = window.regions.iter();
        let known = known.filter_map(|name| find_region(&self.state.assembly, name));
        let mut phases: Vec<Phase> = known.map(|region| effects.phase(window, region)).collect();
        phases.sort_by_key(|phase| match phase {
            Phase::Ahead => 0,
            Phase::Prepared => 1,
            Phase::Draining(_) => 2,
            Phase::Drained => 3,
            Phase::Returning(_) => 4,
            Phase::Over => 5,
        });
        phases
    }

    /// The share of each region of all dynamic answers that a snapshot should give, and what that rests on.
    fn predicted(&self, after: &Snapshot) -> (Vec<(String, f64)>, String) {
        let mix = self.mix();
        // Of answers with addresses of several regions each is counted, and so it is predicted.
        let counted = simulate::appearances(after, &mix);
        let all: f64 = counted.iter().sum();
        let names = after.assembly.regions.iter().map(|region| region.name.to_string());
        let all = names.zip(counted.iter().map(|count| count / all.max(f64::MIN_POSITIVE)));
        let all = all.filter(|(_, share)| *share > 0.0);
        (all.collect(), mix.basis().text.clone())
    }

    /// Completes what begins by what would come of it: a drill by what is to be expected.
    pub(in crate::control) fn foresee(
        &self,
        tried: &mut Tried,
        before: &Snapshot,
        after: &Snapshot,
        now: Instant,
    ) {
        let Some(plan) = tried.plan.as_mut().filter(|plan| plan.ended.is_none()) else { return };
        let since = plan.since;
        if let Task::Drill(drill) = &mut plan.task
            && drill.returned.is_none()
            && since == self.state.moment(now)
        {
            let counts = self.wiring.metrics.answers_by_region();
            let found = &mut drill.found;
            (found.predicted, found.basis) = self.predicted(after);
            found.before = self.measure.before(now, &counts);
            found.old_answers_secs = longest_ttl(before, &drill.region);
            if let Some(own) = tried.plans.find_mut(plan.id) {
                own.clone_from(plan);
            }
        }
    }
}

/// The longest TTL of the records that a region has a part in.
fn longest_ttl(snapshot: &Snapshot, region: &str) -> u32 {
    let assembly = &snapshot.assembly;
    let Some(region) = find_region(assembly, region) else { return 0 };
    let has_part = |record: &&crate::model::Record| {
        let binding = &assembly.bindings[record.binding.index()];
        let slots = assembly.trees[binding.tree.index()].slots.iter().zip(&binding.pools);
        slots.into_iter().any(|(slot, pool)| *slot == region && pool.is_some())
    };
    assembly.records.iter().filter(has_part).map(|record| record.ttl).max().unwrap_or(0)
}

/// That a shift is at its next stage.
pub(super) fn went_on(title: &str, shift: &Shift) -> String {
    format!(
        "{title} goes on to stage {} of {}: {} answers {:.0} % in the place of {}",
        shift.at + 1,
        shift.stages.len(),
        shift.to,
        shift.part() * 100.0,
        shift.from
    )
}

/// A command about a plan in a sentence.
pub(in crate::control) fn sentence(order: &PlanOrder, plan: &Plan) -> String {
    let title = plan.title();
    let place = plan.task.record().map_or_else(String::new, |record| format!(" in {record}"));
    match (order, &plan.task) {
        (PlanOrder::Shift { .. }, Task::Shift(shift)) => format!(
            "{title} begins: {} answers {:.0} % in the place of {}{place}, stage 1 of {}",
            shift.to,
            shift.part() * 100.0,
            shift.from,
            shift.stages.len()
        ),
        (PlanOrder::Advance(_), Task::Shift(shift)) => went_on(&title, shift) + &place,
        (PlanOrder::Drill { .. }, Task::Drill(drill)) => format!(
            "{title} begins: {:.0} % of {} is drained{place} for {}",
            drill.share * 100.0,
            drill.region,
            humantime::format_duration(drill.lasts)
        ),
        (PlanOrder::Window { .. }, Task::Window(window)) => {
            format!("{title} is announced for {}", window.regions.join(", "))
        }
        (PlanOrder::Pause(_), _) => format!("{title} is paused"),
        (PlanOrder::Finish { keep: true, .. }, _) => format!("{title} is finished, and kept"),
        (PlanOrder::Finish { .. }, _) => format!("{title} is finished"),
        _ => format!("{title} is given up, and everything is as before"),
    }
}
