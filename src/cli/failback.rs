//! `trimtab failback`: a region that has recovered and waits for an operator is let back.

use clap::Args;

use super::order::{Body, Order, Wanted};
use super::show::Did;

/// The arguments.
#[derive(Debug, Args)]
pub(super) struct Failback {
    /// The region
    region: String,
    #[command(flatten)]
    order: Order,
}

impl Failback {
    /// The command.
    pub(super) fn wanted(self) -> Wanted {
        let Self { region, order } = self;
        Wanted { did: Did::LetBack, body: Body::default().with("region", Some(region)), order }
    }
}
