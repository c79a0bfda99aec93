//! What can be counted: every metric's name, help, type and labels, and the handles that set them.
//!
//! Counting costs an answering thread no shared cache line: each has a [`Block`] of its own, and
//! the blocks are summed when somebody scrapes. Everything slower (probes, health, reloads) goes
//! through methods of [`Metrics`]. There are no globals: whoever counts is handed a handle.
//!
//! Serving the text over HTTP is left to `admin`, and what is counted when to those who count.

mod aliases;
mod block;
mod collect;
mod columns;
mod connections;
mod gauges;
mod handle;
mod labels;
mod query_log;
mod series;
mod table;
mod tally;
#[cfg(test)]
mod tests;
mod webhooks;

pub use block::Block;
pub use connections::Connections;
pub use gauges::{CheckResults, CheckUp, Live, OverridesInForce};
pub use handle::{CONTENT_TYPE, Metrics};
pub use labels::{
    CookieStanding, DropReason, End, Limit, LimitAction, LogSink, Proto, TransferResult,
};
pub use query_log::QueryLog;
pub use tally::Tally;
