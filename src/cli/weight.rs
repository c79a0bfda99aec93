//! `trimtab weight`: another weight than the configured one, or that again.

use std::time::Duration;

use clap::Args;

use super::order::{Body, Order, Wanted};
use super::show::Did;

/// The arguments.
#[derive(Debug, Args)]
pub(super) struct Weight {
    /// The region
    region: String,
    /// The weight, 0 to 65535; 0: only when no other is up
    #[arg(required_unless_present = "reset", conflicts_with = "reset")]
    weight: Option<u16>,
    /// The configured weight again
    #[arg(long)]
    reset: bool,
    /// In this record alone [default: in all]
    #[arg(long, value_name = "NAME")]
    record: Option<String>,
    /// End it after this time by itself, as 30m [default: when it is ended]
    #[arg(long = "for", value_name = "TIME", conflicts_with = "reset", value_parser = humantime::parse_duration)]
    lasts: Option<Duration>,
    #[command(flatten)]
    order: Order,
}

impl Weight {
    /// The command.
    pub(super) fn wanted(self) -> Wanted {
        let Self { region, weight, reset: _, record, lasts, order } = self;
        let body = Body::default().with("region", Some(region)).with("record", record);
        let Some(weight) = weight else {
            let body = body.with("kinds", Some(vec!["weight"]));
            return Wanted { did: Did::Ended, body, order };
        };
        let body = body.with("kind", Some("weight")).with("weight", Some(weight));
        Wanted { did: Did::Made, body: body.lasting("for", lasts), order }
    }
}
