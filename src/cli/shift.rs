//! `trimtab shift`: another region answers in a region's place, in stages.

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
pub(super) struct Shift {
    #[command(subcommand)]
    verb: ShiftVerb,
}

#[derive(Debug, Subcommand)]
enum ShiftVerb {
    /// Begin one: its first stage applies at once
    Start(Box<Start>),
    /// Show those under way, what they wait for, and the last that are over
    Status {
        /// Its number [default: all]
        id: Option<u64>,
        #[command(flatten)]
        servers: Servers,
    },
    /// Go on to the next stage at once, paused or not
    Advance(Change),
    /// Stay at the stage in force
    Pause(Change),
    /// Give it up: everything is as it was before
    Abort(Change),
    /// End one that has reached its last stage
    Finish {
        /// Keep what it came to as an override
        #[arg(long, conflicts_with = "drop", required_unless_present = "drop")]
        keep: bool,
        /// Let it go: the configuration says so by now
        #[arg(long)]
        drop: bool,
        #[command(flatten)]
        change: Change,
    },
}

#[derive(Debug, Args)]
struct Start {
    /// The region that gives
    #[arg(long, value_name = "REGION")]
    from: String,
    /// The region that answers in its place
    #[arg(long, value_name = "REGION")]
    to: String,
    /// The part of the answers at each stage, in percent, rising
    #[arg(long, value_name = "PERCENT", value_delimiter = ',', default_value = "25,50,75,90,100")]
    stages: Vec<f64>,
    /// The least time from one stage to the next, as 15m
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = humantime::parse_duration)]
    every: Duration,
    /// In this record alone [default: in all]
    #[arg(long, value_name = "NAME")]
    record: Option<String>,
    /// Give it up when a sample of this query to Prometheus is beyond the bound:
    /// 'max(http_errors_ratio) > 0.05'
    #[arg(long, value_name = "QUERY > BOUND")]
    abort_when: Option<String>,
    /// Have each stage wait for `shift advance`
    #[arg(long)]
    manual: bool,
    #[command(flatten)]
    order: Order,
}

#[derive(Debug, Args)]
struct Change {
    /// Its number [default: the one under way, if it is the only one]
    id: Option<u64>,
    #[command(flatten)]
    order: Order,
}

impl Change {
    fn wanted(self, action: &str, keep: bool) -> Wanted {
        let which = self.id.map_or(Which::Only(PlanKind::Shift), Which::Id);
        let body = Body::default().with("action", Some(action)).with("keep", keep.then_some(true));
        Wanted { did: Did::Led(which), body, order: self.order }
    }
}

pub(super) fn run(shift: Shift) -> Result<(), Failure> {
    match shift.wanted() {
        Asked::Do(wanted) => order::give(&wanted),
        Asked::See(id, servers) => plans::show(&servers, Some(PlanKind::Shift), id),
    }
}

impl Shift {
    /// What is asked.
    pub(super) fn wanted(self) -> Asked {
        Asked::Do(match self.verb {
            ShiftVerb::Start(start) => start.wanted(),
            ShiftVerb::Status { id, servers } => return Asked::See(id, servers),
            ShiftVerb::Advance(change) => change.wanted("advance", false),
            ShiftVerb::Pause(change) => change.wanted("pause", false),
            ShiftVerb::Abort(change) => change.wanted("abort", false),
            ShiftVerb::Finish { keep, drop: _, change } => change.wanted("finish", keep),
        })
    }
}

impl Start {
    /// The command.
    fn wanted(self) -> Wanted {
        let Self { from, to, stages, every, record, abort_when, manual, order } = self;
        let body = Body::default()
            .with("from", Some(from))
            .with("to", Some(to))
            .with("stages", Some(stages))
            .lasting("every", Some(every))
            .with("record", record)
            .with("abort_when", abort_when)
            .with("manual", manual.then_some(true));
        Wanted { did: Did::Planned("shifts"), body, order }
    }
}
