//! All plans: those under way, and what became of the last ones. One row of the stored state.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::model::{Ended, How, Moment, Plan, Task};
use crate::wire::Name;

/// How many plans may be under way at once.
pub(in crate::control) const MOST: usize = 100;
/// How many of those that are over are kept.
const KEPT: usize = 100;

/// All plans.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Plans {
    /// Those under way, the oldest first.
    pub(in crate::control) list: Vec<Plan>,
    /// The last ones that are over, the oldest first.
    pub(in crate::control) over: VecDeque<Plan>,
    /// How many there ever were.
    count: u64,
}

impl Plans {
    /// Whether nothing is planned.
    pub(in crate::control) fn is_idle(&self) -> bool {
        self.list.is_empty()
    }

    /// The number of the next one.
    pub(in crate::control) const fn next(&self) -> u64 {
        self.count.saturating_add(1)
    }

    /// One that is under way.
    pub(in crate::control) fn find(&self, id: u64) -> Option<&Plan> {
        self.list.iter().find(|plan| plan.id == id)
    }

    pub(in crate::control) fn find_mut(&mut self, id: u64) -> Option<&mut Plan> {
        self.list.iter_mut().find(|plan| plan.id == id)
    }

    /// Takes one in that has the next number.
    pub(in crate::control) fn add(&mut self, plan: Plan) {
        self.count = self.count.max(plan.id);
        self.list.push(plan);
    }

    /// Ends one. Returns it as it is then.
    pub(in crate::control) fn end(&mut self, id: u64, ended: Ended) -> Option<Plan> {
        let at = self.list.iter().position(|plan| plan.id == id)?;
        let mut plan = self.list.remove(at);
        plan.ended = Some(ended);
        if self.over.len() >= KEPT {
            self.over.pop_front();
        }
        self.over.push_back(plan.clone());
        Some(plan)
    }

    /// The records that some of them are about alone.
    pub(in crate::control) fn records(&self) -> impl Iterator<Item = &Name> {
        self.list.iter().filter_map(|plan| plan.task.record())
    }

    /// The shifts under way: from where, to where, in which record alone.
    pub(in crate::control) fn shifts(&self) -> impl Iterator<Item = (&str, &str, Option<&Name>)> {
        self.list.iter().filter_map(|plan| match &plan.task {
            Task::Shift(shift) => Some((&*shift.from, &*shift.to, shift.record.as_ref())),
            Task::Drill(_) | Task::Window(_) => None,
        })
    }
}

/// The end of a plan.
pub(in crate::control) fn ended(
    at: Moment,
    how: How,
    why: impl Into<String>,
    actor: Option<&str>,
) -> Ended {
    Ended { at, how, why: why.into(), actor: actor.map(Into::into) }
}
