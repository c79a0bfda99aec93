//! Plans as the writer steps them: stages, ends, and what is told, stored and measured on the way.

use std::collections::HashMap;
use std::time::Instant;

use super::list::{Plans, ended};
use super::measure::take_in;
use super::report::verdict;
use super::showing::went_on;
use super::step::{Seen, Step, step};
use crate::clock;
use crate::control::run::Control;
use crate::control::views::{self, EventKind, EventView, Turn};
use crate::model::{Counted, How, Moment, Phase, Plan, Task, Window};

/// How many records are kept with an event.
const RECORDS: usize = 3;

/// What was told last.
#[derive(Debug, Default)]
pub(in crate::control) struct Told {
    /// By plan: what it waits for, if for anything but time.
    pub(in crate::control) waits: HashMap<u64, String>,
    /// By window: how far it was; `None`: nothing was looked at yet.
    pub(super) phases: Option<HashMap<String, &'static str>>,
}

/// Something that has become of a plan.
struct News {
    plan: Plan,
    text: String,
    turn: Turn,
}

impl Control {
    /// Lets plans go on.
    pub(in crate::control) fn step_plans(&mut self) {
        // What is being stored was tried on these.
        if self.storing.is_some() {
            return;
        }
        let now = clock::now();
        let keep = self.measure_answers(now);
        self.tell_windows(now);
        if self.state.plans.is_idle() {
            return;
        }
        let (plans, news) = self.stepped(now);
        if news.is_empty() {
            self.state.plans = plans;
            // What is measured must not be lost when the process is.
            let drills = |plan: &Plan| matches!(plan.task, Task::Drill(_));
            let keep = keep && self.state.plans.list.iter().any(drills);
            if let Some(store) = self.wiring.store.as_ref().filter(|_| keep) {
                store.keep_plans(&self.state.plans);
            }
            return;
        }
        let before = self.handle.current();
        self.state.set_plans(plans, now);
        if let Some(store) = &self.wiring.store {
            store.keep_plans(&self.state.plans);
        }
        self.publish();
        self.watch_plans(now);
        self.show_plans();
        let after = self.handle.current();
        let (changes, records_changed) = views::changes(&before, &after, RECORDS);
        for News { plan, text, turn } in news {
            self.count_ending(&plan);
            match turn {
                Turn::Worse => tracing::warn!("{text}"),
                Turn::Neither | Turn::Better => tracing::info!("{text}"),
            }
            let event = EventView {
                kind: EventKind::Plan,
                text,
                turn,
                subject: Some(plan.title()),
                region: plan.task.regions().first().map(ToString::to_string),
                record: plan.task.record().map(ToString::to_string),
                reason: plan.ended.as_ref().map(|ended| ended.why.clone()),
                plan_id: Some(plan.id),
                changes: changes.clone(),
                records_changed,
                ..self.event()
            };
            self.keep_event(event);
        }
    }

    /// Has the queries asked that may give plans up.
    pub(in crate::control) fn watch_plans(&mut self, now: Instant) {
        if self.state.watch_plans(now) {
            self.retarget();
        }
    }

    /// What becomes of all plans, and what there is to tell of it.
    fn stepped(&mut self, now: Instant) -> (Plans, Vec<News>) {
        let moment = self.state.moment(now);
        let (mut plans, mut news) = (self.state.plans.clone(), Vec::new());
        let mut waits = HashMap::new();
        for plan in &self.state.plans.list {
            let seen = self.state.plan_seen(plan);
            if !seen.overridden.is_empty()
                && let Some(own) = plans.find_mut(plan.id)
                && let Task::Shift(shift) = &mut own.task
            {
                // What an override has changed is to be seen for a whole stage again.
                shift.entered = moment;
            }
            match self.step_of(plan, now, &seen) {
                Step::Stay(why) => waits.extend(why.map(|why| (plan.id, why))),
                Step::Next => {
                    let Some(own) = plans.find_mut(plan.id) else { continue };
                    let Task::Shift(shift) = &mut own.task else { continue };
                    (shift.at, shift.entered) = (shift.at + 1, moment);
                    let text = went_on(&plan.title(), shift);
                    news.push(News { plan: own.clone(), text, turn: Turn::Neither });
                }
                Step::Return => {
                    let Some(own) = plans.find_mut(plan.id) else { continue };
                    let Task::Drill(drill) = &mut own.task else { continue };
                    drill.returned = Some(moment);
                    let text =
                        format!("{} has lasted its time: {} returns", plan.title(), drill.region);
                    news.push(News { plan: own.clone(), text, turn: Turn::Neither });
                }
                Step::Abort(why) => {
                    news.extend(self.aborted(&mut plans, plan, why, moment));
                }
                Step::End => {
                    let (how, why) = self.how_it_went(plan);
                    let over = plans.end(plan.id, ended(moment, how, why.clone(), None));
                    let text = format!("{} is over: {why}", plan.title());
                    news.extend(over.map(|plan| News { plan, text, turn: Turn::Better }));
                }
            }
        }
        self.measure_drills(&mut plans, now);
        self.tell_waits(waits);
        (plans, news)
    }

    fn step_of(&self, plan: &Plan, now: Instant, seen: &Seen) -> Step {
        let over = |window: &Window| {
            self.phases(window, now).iter().all(|phase| *phase == Phase::Over)
                && self.state.wall_ms(now) >= window.to_ms
        };
        match &plan.task {
            Task::Window(window) if over(window) => Step::End,
            _ => step(plan, self.state.moment(now), seen),
        }
    }

    fn aborted(&self, plans: &mut Plans, plan: &Plan, why: String, moment: Moment) -> Option<News> {
        let text = format!("{} is given up, and everything is as before: {why}", plan.title());
        let own = plans.find_mut(plan.id)?;
        if let Task::Drill(drill) = &mut own.task {
            (drill.returned, drill.aborted) = (Some(moment), Some(why));
            return Some(News { plan: own.clone(), text, turn: Turn::Worse });
        }
        let plan = plans.end(plan.id, ended(moment, How::Aborted, why, None))?;
        Some(News { plan, text, turn: Turn::Worse })
    }

    fn how_it_went(&self, plan: &Plan) -> (How, String) {
        match &plan.task {
            Task::Drill(drill) => {
                let verdict = verdict(drill);
                let how = if drill.aborted.is_some() { How::Aborted } else { How::Done };
                (how, format!("{}: {}", verdict.word.label(), verdict.text))
            }
            Task::Window(window) => {
                (How::Done, format!("{} serves again as before", window.regions.join(", ")))
            }
            Task::Shift(_) => (How::Done, String::new()),
        }
    }

    /// Counts answers for drills. Returns whether it is time to store what was found.
    fn measure_answers(&mut self, now: Instant) -> bool {
        let due = self.measure.is_due(now);
        if due {
            let counts = self.wiring.metrics.answers_by_region();
            self.measure.keep(now, counts);
        }
        due
    }

    /// What is answered, and what is engaged, from now on is a drill's.
    pub(in crate::control) fn begin_measuring(&mut self, now: Instant) {
        let counts = self.wiring.metrics.answers_by_region();
        // What was answered before is no part of it.
        let _ = self.measure.step(now, counts);
        self.measure.all_down = false;
    }

    fn measure_drills(&mut self, plans: &mut Plans, now: Instant) {
        let all_down = std::mem::take(&mut self.measure.all_down);
        if !plans.list.iter().any(|plan| matches!(plan.task, Task::Drill(_))) {
            self.measure.rest();
            return;
        }
        let counts = self.wiring.metrics.answers_by_region();
        let step: Counted = self.measure.step(now, counts);
        let moment = self.state.moment(now);
        for plan in &mut plans.list {
            let since = plan.since;
            if let Task::Drill(drill) = &mut plan.task {
                drill.found.all_down |= all_down && drill.returned.is_none();
                take_in(drill, since, moment, &step);
            }
        }
    }

    /// Tells what plans wait for, when that is something else than before.
    fn tell_waits(&mut self, waits: HashMap<u64, String>) {
        for (id, why) in &waits {
            if self.told_plans.waits.get(id) != Some(why) {
                let plan = self.state.plans.find(*id).map(Plan::title).unwrap_or_default();
                tracing::info!("{plan} waits: {why}");
            }
        }
        self.told_plans.waits = waits;
    }

    /// Counts a plan that has ended.
    pub(in crate::control) fn count_ending(&self, plan: &Plan) {
        if let Some(ended) = &plan.ended {
            let result = if ended.how == How::Done { "done" } else { "aborted" };
            self.wiring.metrics.plan_ended(plan.task.label(), result);
        }
    }

    /// Shows how many plans of each kind are under way.
    pub(in crate::control) fn show_plans(&self) {
        for kind in ["shift", "drill", "window"] {
            let of_kind = |plan: &&Plan| plan.task.label() == kind;
            let count = self.state.plans.list.iter().filter(of_kind).count();
            self.wiring.metrics.plans(kind, count);
        }
    }
}
