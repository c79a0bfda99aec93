//! What an operator's word about plans would come to. It is tried on a copy, like all commands.

use std::time::{Duration, Instant};

use super::list::{MOST, ended};
use super::step::Condition;
use crate::control::command::{Command, PlanOrder, Refusal};
use crate::control::overrides::{MOST as MOST_OVERRIDES, Tried, has_part, known_region};
use crate::control::state::State;
use crate::model::{
    AbortWhen, Drill, Findings, Force, How, Moment, Override, Plan, Shift, Task, Window,
};
use crate::wire::Name;

/// How many records a refusal names.
const NAMED: usize = 20;
/// The least and most time for which what comes of a drill's end is watched.
const WATCHED: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(300));

/// A word about plans, with all that it is tried on.
pub(in crate::control) struct Planned<'a> {
    pub(in crate::control) state: &'a State,
    pub(in crate::control) command: &'a Command,
    pub(in crate::control) now: Instant,
}

impl Planned<'_> {
    /// What it would come to.
    pub(in crate::control) fn attempt(&self, order: &PlanOrder) -> Result<Tried, Refusal> {
        match order {
            PlanOrder::Shift { from, to, record, stages, every, manual, abort_when } => {
                self.can_shift(from, to, record.as_ref())?;
                let shift = Shift {
                    from: from.clone(),
                    to: to.clone(),
                    record: record.clone(),
                    stages: stages.clone(),
                    every: *every,
                    manual: *manual,
                    at: 0,
                    entered: self.moment(),
                    paused: false,
                };
                self.begin(Task::Shift(shift), abort_when.as_ref())
            }
            PlanOrder::Drill { region, record, share, lasts, abort_when } => {
                self.can_drill(region, record.as_ref())?;
                let beside = self.state.pools_beside(region, record.as_ref());
                let (ttl, _) = self.ttls_of(region);
                let drill = Drill {
                    region: region.clone(),
                    record: record.clone(),
                    share: *share,
                    lasts: *lasts,
                    returned: None,
                    aborted: None,
                    known: self.state.unwell(&beside),
                    after: ttl.clamp(WATCHED.0, WATCHED.1),
                    found: Findings::default(),
                };
                self.begin(Task::Drill(drill), abort_when.as_ref())
            }
            PlanOrder::Window { regions, from_ms, to_ms, drain_over, return_over } => {
                for region in regions {
                    known_region(&self.state.assembly, region)?;
                }
                let known_ms = self.state.wall_ms(self.now);
                if *to_ms <= known_ms {
                    return Err(Refusal::Invalid("to: the window is over already".into()));
                }
                let window = Window {
                    regions: regions.clone(),
                    from_ms: *from_ms,
                    to_ms: *to_ms,
                    drain_over: *drain_over,
                    return_over: *return_over,
                    known_ms,
                };
                self.begin(Task::Window(window), None)
            }
            PlanOrder::Advance(id) => self.change_shift(*id, |shift| self.advance(shift)),
            PlanOrder::Pause(id) => self.change_shift(*id, |shift| match shift.paused {
                true => Err(Refusal::NotNow("it is paused already".into())),
                false => {
                    shift.paused = true;
                    Ok(())
                }
            }),
            PlanOrder::Abort(id) => self.end(*id, How::Aborted, "an operator gave it up"),
            PlanOrder::Finish { id, keep } => self.finish(*id, *keep),
        }
    }

    fn moment(&self) -> Moment {
        self.state.moment(self.now)
    }

    fn ttls_of(&self, region: &str) -> (Duration, Duration) {
        let region = known_region(&self.state.assembly, region).ok();
        let ttls = region.and_then(|region| self.state.ttls.get(region.index()));
        ttls.copied().unwrap_or_default()
    }

    fn begin(&self, task: Task, abort_when: Option<&AbortWhen>) -> Result<Tried, Refusal> {
        let State { plans, overrides, assembly, .. } = self.state;
        if abort_when.is_some() && assembly.planning.querying.is_none() {
            return Err(Refusal::NotNow(
                "abort_when: the configuration names no server to ask; add [plans] prometheus"
                    .into(),
            ));
        }
        if plans.list.len() >= MOST {
            return Err(Refusal::NotNow(format!(
                "there are {MOST} plans under way, and there may be no more; end some of them first"
            )));
        }
        let mut tried = Tried::nothing(overrides, plans);
        let plan = Plan {
            id: plans.next(),
            task,
            actor: self.command.actor.name.clone(),
            reason: self.command.reason.clone(),
            since: self.moment(),
            abort_when: abort_when.cloned(),
            ended: None,
        };
        tried.plans.add(plan.clone());
        tried.plan = Some(plan);
        Ok(tried)
    }

    fn can_shift(&self, from: &str, to: &str, record: Option<&Name>) -> Result<(), Refusal> {
        let State { plans, overrides, assembly, .. } = self.state;
        let giving = known_region(assembly, from)?;
        let taking = known_region(assembly, to)?;
        if giving == taking {
            return Err(Refusal::Invalid("to: another region than from is wanted".into()));
        }
        if let Some(record) = record {
            has_part(assembly, giving, record)?;
        }
        let meets = |other: Option<&Name>| other.is_none() || record.is_none() || other == record;
        let under_way = plans.list.iter().find_map(|plan| match &plan.task {
            Task::Shift(shift) if meets(shift.record.as_ref()) => Some(plan.title()),
            _ => None,
        });
        let kept = overrides
            .list
            .iter()
            .find(|one| matches!(one.force, Force::Shift(_)) && meets(one.record.as_ref()));
        let other = under_way.or_else(|| kept.map(|one| format!("override {}", one.id)));
        if let Some(other) = other {
            return Err(Refusal::NotNow(format!(
                "{other} shifts in the same records, and there can be one at a time; end it first"
            )));
        }
        if let Err(records) = self.state.place(giving, taking, record) {
            return Err(no_place(to, from, records));
        }
        let pools = self.state.pools_of(to, record);
        if let Condition::Down(what) = self.state.condition(&pools, &[]) {
            return Err(Refusal::NotNow(format!(
                "{what}: a shift to it would be given up at once"
            )));
        }
        Ok(())
    }

    fn can_drill(&self, region: &str, record: Option<&Name>) -> Result<(), Refusal> {
        let State { plans, assembly, .. } = self.state;
        let id = known_region(assembly, region)?;
        if let Some(record) = record {
            has_part(assembly, id, record)?;
        }
        let other = plans.list.iter().find(|plan| matches!(plan.task, Task::Drill(_)));
        match other {
            Some(other) => Err(Refusal::NotNow(format!(
                "{} is under way, and two would disturb each other's figures; wait, or abort it",
                other.title()
            ))),
            None => Ok(()),
        }
    }

    fn find(&self, id: u64) -> Result<&Plan, Refusal> {
        self.state.plans.find(id).ok_or_else(|| {
            let over = self.state.plans.over.iter().any(|plan| plan.id == id);
            let others = self.state.plans.list.iter().map(Plan::title).collect::<Vec<_>>();
            let what = if over { "is over" } else { "does not exist" };
            let there = match others.as_slice() {
                [] => "none is under way".into(),
                others => format!("under way: {}", others.join(", ")),
            };
            Refusal::UnknownPlan(format!("plan {id} {what}; {there}"))
        })
    }

    fn shift_of<'p>(&self, plan: &'p Plan) -> Result<&'p Shift, Refusal> {
        match &plan.task {
            Task::Shift(shift) => Ok(shift),
            Task::Drill(_) | Task::Window(_) => {
                Err(Refusal::Invalid(format!("{} has no stages; it can be aborted", plan.title())))
            }
        }
    }

    fn change_shift(
        &self,
        id: u64,
        change: impl FnOnce(&mut Shift) -> Result<(), Refusal>,
    ) -> Result<Tried, Refusal> {
        self.shift_of(self.find(id)?)?;
        let mut tried = Tried::nothing(&self.state.overrides, &self.state.plans);
        if let Some(plan) = tried.plans.find_mut(id)
            && let Task::Shift(shift) = &mut plan.task
        {
            change(shift)?;
            tried.plan = Some(plan.clone());
        }
        Ok(tried)
    }

    fn advance(&self, shift: &mut Shift) -> Result<(), Refusal> {
        if shift.is_last() {
            return Err(Refusal::NotNow("its last stage is reached: finish or abort it".into()));
        }
        let pools = self.state.pools_of(&shift.to, shift.record.as_ref());
        let well = self.state.condition(&pools, &[]);
        if let (Condition::Doubt(what) | Condition::Down(what), false) = (well, self.command.force)
        {
            return Err(Refusal::NotNow(format!("{what}; it goes on only if forced")));
        }
        shift.at += 1;
        shift.entered = self.moment();
        shift.paused = false;
        Ok(())
    }

    fn end(&self, id: u64, how: How, why: &str) -> Result<Tried, Refusal> {
        let plan = self.find(id)?;
        let mut tried = Tried::nothing(&self.state.overrides, &self.state.plans);
        let by = self.command.actor.name.as_str();
        // A drill returns, and what comes of it is still measured.
        if let Task::Drill(Drill { returned: None, .. }) = &plan.task {
            if let Some(plan) = tried.plans.find_mut(id)
                && let Task::Drill(drill) = &mut plan.task
            {
                drill.returned = Some(self.moment());
                drill.aborted = Some(format!("{by} gave it up"));
                tried.plan = Some(plan.clone());
            }
            return Ok(tried);
        }
        tried.plan = tried.plans.end(id, ended(self.moment(), how, why, Some(by)));
        Ok(tried)
    }

    fn finish(&self, id: u64, keep: bool) -> Result<Tried, Refusal> {
        let plan = self.find(id)?;
        let shift = self.shift_of(plan)?;
        if !shift.is_last() {
            return Err(Refusal::NotNow(format!(
                "it is at stage {} of {}: only what has reached its last stage is finished; advance or \
                 abort it",
                shift.at + 1,
                shift.stages.len()
            )));
        }
        if keep && shift.part() < 1.0 {
            return Err(Refusal::NotNow(format!(
                "its last stage is {:.0} %, and only a whole shift can be kept as an override",
                shift.part() * 100.0
            )));
        }
        let overrides = &self.state.overrides;
        if keep && overrides.list.len() >= MOST_OVERRIDES {
            return Err(Refusal::TooMany(overrides.list.len()));
        }
        let why = if keep { "kept as an override" } else { "the configuration says so by now" };
        let mut tried = self.end(id, How::Done, why)?;
        if keep {
            let made = Override {
                id: overrides.next(),
                region: shift.from.as_str().into(),
                record: shift.record.clone(),
                force: Force::Shift(shift.to.as_str().into()),
                actor: self.command.actor.name.clone(),
                reason: self.command.reason.clone().or_else(|| plan.reason.clone()),
                since: self.moment(),
                until: None,
            };
            tried.overrides.push(made.clone());
            tried.touched.push(made);
        }
        Ok(tried)
    }
}

fn no_place(to: &str, from: &str, records: Vec<String>) -> Refusal {
    let text = match records.as_slice() {
        [] => format!("{from} answers nowhere, so {to} cannot answer in its place"),
        [first, rest @ ..] => {
            let more = match rest.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!(
                "{to} cannot answer in the place of {from} in {first}{more}: the record lists endpoints, \
                 and none for {to}; shift in other records by name, or add an endpoint"
            )
        }
    };
    Refusal::NoPlace { text, records: records.into_iter().take(NAMED).collect() }
}
