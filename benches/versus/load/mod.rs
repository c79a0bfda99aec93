//! The generator. `tests/load` has its tests: a bench has none of its own.
//!
//! One thread: [`pace`] says how many queries are due, [`order`] which, [`messages`] writes them,
//! [`channel`] sends and receives in batches, [`waiting`] knows what is outstanding, and
//! [`tally`] counts what came back.

pub(crate) mod args;
mod channel;
pub(crate) mod histogram;
pub(crate) mod messages;
pub(crate) mod order;
pub(crate) mod pace;
pub(crate) mod questions;
pub(crate) mod rcode;
mod report;
mod run;
pub(crate) mod tally;
mod tcp;
mod udp;
pub(crate) mod waiting;

use args::Args;

/// Asks as the arguments say; returns what is to be printed.
pub(crate) fn run(args: &Args) -> anyhow::Result<String> {
    let summary = run::run(args)?;
    Ok(if args.json { report::json(&summary) } else { report::text(&summary) })
}
