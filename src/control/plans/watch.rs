//! The queries that may give plans up, as checks that are probed like all others.

use std::sync::Arc;

use super::list::Plans;
use crate::model::{Check, Destination, Task};
use crate::routing::Assembly;

/// Those of the plans that are under way: for which plan, what, and about which region.
pub(in crate::control) fn watches(
    assembly: &Assembly,
    plans: &Plans,
) -> Vec<(u64, Arc<Check>, Destination)> {
    let Some(querying) = &assembly.planning.querying else { return Vec::new() };
    let one = |plan: &crate::model::Plan| {
        let region = match &plan.task {
            Task::Shift(shift) => &shift.from,
            Task::Drill(drill) if drill.returned.is_none() => &drill.region,
            Task::Drill(_) | Task::Window(_) => return None,
        };
        Some((plan.id, querying.check(plan)?, Destination::Region(region.as_str().into())))
    };
    plans.list.iter().filter_map(one).collect()
}
