//! `trimtab checks`: what probes saw of each target, with the last results.

use clap::Args;

use super::client::{Call, Fleet, Servers, block_on};
use super::{Failure, show};
use crate::control::views::{CheckView, Page};

/// The most that a server gives at once.
const MOST: u64 = 1000;

/// The arguments.
#[derive(Debug, Args)]
pub(super) struct Checks {
    /// Only those that this region depends on
    #[arg(long)]
    region: Option<String>,
    /// Only those of this check
    #[arg(long)]
    check: Option<String>,
    /// Only those that are not up
    #[arg(long)]
    not_up: bool,
    /// With the last 20 results of each, and their reasons
    #[arg(long)]
    history: bool,
    #[command(flatten)]
    servers: Servers,
}

pub(super) fn run(checks: &Checks) -> Result<(), Failure> {
    let fleet = Fleet::of(&checks.servers)?;
    let all = block_on(fleet.all(|server| {
        let call = Call::get(&["checks"])
            .with("region", checks.region.as_deref())
            .with("check", checks.check.as_deref())
            .with("not_up", checks.not_up.then_some(true))
            .with("history", checks.history.then_some(true))
            .with("limit", Some(MOST));
        async move { server.ask::<Page<CheckView>>(&call).await }
    }))?;
    show::print(&all, checks.servers.json, |_, page, paint| show::checks(page, paint))
}
