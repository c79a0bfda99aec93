//! `trimtab window`: regions are empty for maintenance from a time to another.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::client::Servers;
use super::order::{self, Body, Order, Wanted, Which};
use super::plans::Asked;
use super::show::Did;
use super::{Failure, plans};
use crate::control::views::PlanKind;

/// The arguments.
#[derive(Debug, Args)]
pub(super) struct Window {
    #[command(subcommand)]
    verb: WindowVerb,
}

#[derive(Debug, Subcommand)]
enum WindowVerb {
    /// Announce one
    Add(Box<Add>),
    /// Show those ahead and under way, those of the configuration as well, and the last that are over
    List {
        #[command(flatten)]
        servers: Servers,
    },
    /// Call one off: what it has drained returns at once
    Cancel {
        /// Its number [default: the one there is, if it is the only one]
        id: Option<u64>,
        #[command(flatten)]
        order: Order,
    },
}

#[derive(Debug, Args)]
struct Add {
    /// The regions that are to be empty
    #[arg(required = true, value_name = "REGION")]
    regions: Vec<String>,
    /// From when on, as 2026-12-01T02:00:00Z
    #[arg(long, value_name = "TIME")]
    from: String,
    /// Until when
    #[arg(long, value_name = "TIME")]
    to: String,
    /// Drain over this time before, as 10m [default: 5m]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    drain_over: Option<Duration>,
    /// Return over this time after, as 10m [default: 5m]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    return_over: Option<Duration>,
    #[command(flatten)]
    order: Order,
}

pub(super) fn run(window: Window) -> Result<(), Failure> {
    match window.wanted() {
        Asked::Do(wanted) => order::give(&wanted),
        Asked::See(id, servers) => plans::show(&servers, Some(PlanKind::Window), id),
    }
}

impl Window {
    /// What is asked.
    pub(super) fn wanted(self) -> Asked {
        Asked::Do(match self.verb {
            WindowVerb::Add(add) => add.wanted(),
            WindowVerb::List { servers } => return Asked::See(None, servers),
            WindowVerb::Cancel { id, order } => {
                let which = id.map_or(Which::Only(PlanKind::Window), Which::Id);
                let body = Body::default().with("action", Some("abort"));
                Wanted { did: Did::Led(which), body, order }
            }
        })
    }
}

impl Add {
    /// The command.
    fn wanted(self) -> Wanted {
        let Self { regions, from, to, drain_over, return_over, order } = self;
        let body = Body::default()
            .with("regions", Some(regions))
            .with("from", Some(from))
            .with("to", Some(to))
            .lasting("drain_over", drain_over)
            .lasting("return_over", return_over);
        Wanted { did: Did::Planned("windows"), body, order }
    }
}
