//! `trimtab status`: one screen of each server.

use clap::Args;

use super::client::{Call, Fleet, Servers, block_on};
use super::{Failure, show};
use crate::control::views::Status;

/// The arguments.
#[derive(Debug, Args)]
pub(super) struct StatusOf {
    #[command(flatten)]
    servers: Servers,
}

pub(super) fn run(status: &StatusOf) -> Result<(), Failure> {
    let fleet = Fleet::of(&status.servers)?;
    let all = block_on(
        fleet.all(|server| async move { server.ask::<Status>(&Call::get(&["status"])).await }),
    )?;
    show::print(&all, status.servers.json, show::status)
}
