//! `trimtab plans`: shifts, drills and maintenance windows, under way and over.

use std::time::Duration;

use clap::Args;

use super::client::{Call, Fleet, Server, Servers, Trouble, block_on};
use super::order::Wanted;
use super::{Failure, show};
use crate::control::views::{PlanKind, PlanView, PlansView};

/// From one look at a drill to the next.
const PAUSE: Duration = Duration::from_secs(1);

/// The arguments.
#[derive(Debug, Args)]
pub(super) struct Plans {
    /// The number of one [default: all]
    id: Option<u64>,
    #[command(flatten)]
    servers: Servers,
}

/// What is asked of plans.
#[derive(Debug)]
pub(super) enum Asked {
    /// Something is to be done.
    Do(Wanted),
    /// They are to be looked at: one by its number, or all.
    See(Option<u64>, Servers),
}

pub(super) fn run(plans: &Plans) -> Result<(), Failure> {
    show(&plans.servers, None, plans.id)
}

/// Shows the plans of a kind, or one.
pub(super) fn show(
    servers: &Servers,
    kind: Option<PlanKind>,
    id: Option<u64>,
) -> Result<(), Failure> {
    let fleet = Fleet::of(servers)?;
    if let Some(id) = id {
        let all = block_on(fleet.all(|server| async move { plan(&server, id).await }))?;
        return show::print(&all, servers.json, |_, plan, paint| show::plan(plan, paint));
    }
    let all = block_on(fleet.all(|server| async move {
        let mut plans: PlansView = server.ask(&Call::get(&["plans"])).await?;
        let wanted = |plan: &PlanView| kind.is_none_or(|kind| plan.kind == kind);
        plans.under_way.retain(wanted);
        plans.over.retain(wanted);
        Ok(plans)
    }))?;
    show::print(&all, servers.json, |_, plans, paint| show::plans(plans, paint))
}

/// Shows what a drill found: one, or the last.
pub(super) fn report(servers: &Servers, id: Option<u64>) -> Result<(), Failure> {
    let fleet = Fleet::of(servers)?;
    let all = block_on(fleet.all(|server| async move { drill(&server, id).await }))?;
    show::print(&all, servers.json, |_, plan, paint| show::plan(plan, paint))
}

/// Waits until no drill is under way, and shows what the last one found. Fails when that is not as it
/// should be.
pub(super) fn wait_for_report(servers: &Servers) -> Result<(), Failure> {
    let fleet = Fleet::of(servers)?;
    let all = block_on(fleet.all(|server| async move {
        loop {
            let last = drill(&server, None).await?;
            if last.ended.is_some() {
                return Ok(last);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }))?;
    show::print(&all, servers.json, |_, plan, paint| show::plan(plan, paint))?;
    let bad = |plan: &PlanView| {
        let report = plan.report.as_ref();
        report.is_some_and(|found| matches!(found.verdict.as_str(), "aborted" | "deviated"))
    };
    match all.iter().filter_map(|told| told.said.as_ref().ok()).any(bad) {
        true => Err(Failure::Told(1)),
        false => Ok(()),
    }
}

async fn plan(server: &Server, id: u64) -> Result<PlanView, Trouble> {
    server.ask(&Call::get(&["plans", &id.to_string()])).await
}

async fn drill(server: &Server, id: Option<u64>) -> Result<PlanView, Trouble> {
    if let Some(id) = id {
        return plan(server, id).await;
    }
    let PlansView { under_way, over } = server.ask(&Call::get(&["plans"])).await?;
    let mut drills = over.into_iter().chain(under_way).filter(|plan| plan.kind == PlanKind::Drill);
    drills.next_back().ok_or_else(|| Trouble::Strange("there has been no drill".into()))
}
