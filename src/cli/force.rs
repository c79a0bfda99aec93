//! `trimtab force`: a region that counts as up, or as down, whatever its checks see.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::Failure;
use super::order::{Body, Order, Wanted};
use super::show::Did;

/// The arguments.
#[derive(Debug, Args)]
pub(super) struct Force {
    /// The region
    region: String,
    /// What it counts as
    state: State,
    /// In this record alone [default: in all]
    #[arg(long, value_name = "NAME")]
    record: Option<String>,
    /// End it after this time by itself, as 30m [default: when it is ended]
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    lasts: Option<Duration>,
    #[command(flatten)]
    order: Order,
}

/// What a region counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum State {
    /// Up, whatever its checks see
    Up,
    /// Down: it has no share at all, even if nothing else is up
    Down,
    /// What its checks see: ends what was forced
    Clear,
}

impl Force {
    /// The command.
    ///
    /// # Errors
    /// An argument that stands for nothing.
    pub(super) fn wanted(self) -> Result<Wanted, Failure> {
        let Self { region, state, record, lasts, order } = self;
        let body = Body::default().with("region", Some(region)).with("record", record);
        let kind = match state {
            State::Up => "force-up",
            State::Down => "force-down",
            State::Clear if lasts.is_some() => {
                return Err(Failure::Usage("--for: nothing lasts behind clear".into()));
            }
            State::Clear => {
                let body = body.with("kinds", Some(vec!["force-up", "force-down"]));
                return Ok(Wanted { did: Did::Ended, body, order });
            }
        };
        let body = body.with("kind", Some(kind)).lasting("for", lasts);
        Ok(Wanted { did: Did::Made, body, order })
    }
}
