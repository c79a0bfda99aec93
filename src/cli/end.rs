//! `trimtab end`: the end of one override, by the number that `status` shows.

use std::time::Duration;

use clap::Args;

use super::order::{Body, Order, Wanted};
use super::show::Did;

/// The arguments.
#[derive(Debug, Args)]
pub(super) struct End {
    /// The number of the override, as status shows it
    id: u64,
    /// Of a drain: return gradually over this time, as 10m [default: at once]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    over: Option<Duration>,
    #[command(flatten)]
    order: Order,
}

impl End {
    /// The command.
    pub(super) fn wanted(self) -> Wanted {
        let Self { id, over, order } = self;
        Wanted {
            did: Did::Ended,
            body: Body::default().with("id", Some(id)).lasting("over", over),
            order,
        }
    }
}
