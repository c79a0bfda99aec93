//! `trimtab undrain`: the end of drains of a region, at once or gradually.

use std::time::Duration;

use clap::Args;

use super::order::{Body, Order, Wanted};
use super::show::Did;

/// The arguments.
#[derive(Debug, Args)]
pub(super) struct Undrain {
    /// The region
    region: String,
    /// The drains of it in this record [default: those of it in all]
    #[arg(long, value_name = "NAME")]
    record: Option<String>,
    /// Return gradually over this time, as 10m [default: at once]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    over: Option<Duration>,
    #[command(flatten)]
    order: Order,
}

impl Undrain {
    /// The command.
    pub(super) fn wanted(self) -> Wanted {
        let Self { region, record, over, order } = self;
        let body = Body::default()
            .with("region", Some(region))
            .with("record", record)
            .with("kinds", Some(vec!["drain"]))
            .lasting("over", over);
        Wanted { did: Did::Ended, body, order }
    }
}
