//! `trimtab drill`: a region is drained for a while, to see what comes of it.

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
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Drill {
    #[command(subcommand)]
    verb: Option<DrillVerb>,
    #[command(flatten)]
    start: Start,
}

#[derive(Debug, Subcommand)]
enum DrillVerb {
    /// Show the one under way, and the reports of the last ones
    Report {
        /// Its number [default: the last one]
        id: Option<u64>,
        #[command(flatten)]
        servers: Servers,
    },
    /// Give it up: the region returns at once
    Abort {
        /// Its number [default: the one under way]
        id: Option<u64>,
        #[command(flatten)]
        order: Order,
    },
}

#[derive(Debug, Args)]
struct Start {
    /// The region that is drained
    #[arg(required = true)]
    region: Option<String>,
    /// For how long, as 10m
    #[arg(long = "for", value_name = "TIME", required = true, value_parser = humantime::parse_duration)]
    lasts: Option<Duration>,
    /// The part of its answers that is drained, as 10% [default: all]
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    share: Option<f64>,
    /// In this record alone [default: in all]
    #[arg(long, value_name = "NAME")]
    record: Option<String>,
    /// Give it up when a sample of this query to Prometheus is beyond the bound:
    /// 'max(http_errors_ratio) > 0.05'
    #[arg(long, value_name = "QUERY > BOUND")]
    abort_when: Option<String>,
    #[command(flatten)]
    order: Order,
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches('%').trim_end();
    let part = number.parse().ok().filter(|part| *part > 0.0 && *part <= 100.0);
    part.ok_or_else(|| "wanted a percentage above 0 and at most 100, as 10%".into())
}

pub(super) fn run(drill: Drill) -> Result<(), Failure> {
    match drill.wanted() {
        Asked::Do(wanted) => {
            order::give(&wanted)?;
            // It is waited for to its end, and then it has a report.
            let order = &wanted.order;
            if order.wait { plans::wait_for_report(&order.servers) } else { Ok(()) }
        }
        Asked::See(id, servers) => plans::report(&servers, id),
    }
}

impl Drill {
    /// What is asked.
    pub(super) fn wanted(self) -> Asked {
        match self.verb {
            None => Asked::Do(self.start.wanted()),
            Some(DrillVerb::Report { id, servers }) => Asked::See(id, servers),
            Some(DrillVerb::Abort { id, order }) => {
                let which = id.map_or(Which::Only(PlanKind::Drill), Which::Id);
                let body = Body::default().with("action", Some("abort"));
                Asked::Do(Wanted { did: Did::Led(which), body, order })
            }
        }
    }
}

impl Start {
    /// The command.
    fn wanted(self) -> Wanted {
        let Self { region, lasts, share, record, abort_when, order } = self;
        let body = Body::default()
            .with("region", region)
            .lasting("for", lasts)
            .with("share", share)
            .with("record", record)
            .with("abort_when", abort_when);
        Wanted { did: Did::Planned("drills"), body, order }
    }
}
