//! `trimtab drain`: no share for a region while any other pool is up.

use std::time::Duration;

use clap::Args;

use super::order::{Body, Order, Wanted};
use super::show::Did;

/// The arguments.
#[derive(Debug, Args)]
pub(super) struct Drain {
    /// The region
    region: String,
    /// In this record alone [default: in all]
    #[arg(long, value_name = "NAME")]
    record: Option<String>,
    /// End it after this time by itself, as 30m [default: when it is ended]
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    lasts: Option<Duration>,
    /// Drain gradually over this time, as 10m, and return as gradually when it ends by itself
    /// [default: at once]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    over: Option<Duration>,
    #[command(flatten)]
    order: Order,
}

impl Drain {
    /// The command.
    pub(super) fn wanted(self) -> Wanted {
        let Self { region, record, lasts, over, order } = self;
        let body = Body::default()
            .with("region", Some(region))
            .with("record", record)
            .with("kind", Some("drain"))
            .lasting("for", lasts)
            .lasting("over", over);
        Wanted { did: Did::Made, body, order }
    }
}
