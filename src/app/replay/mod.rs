//! Whom another configuration would move: the queries of a log, answered by two configurations.
//!
//! Nothing is drawn. For each query both configurations tell from which regions its answers are, and by
//! which shares (the tables that serve say so), and the two are compared: where a client keeps to a region,
//! that is this region; everywhere else as much moves as must, from shares that shrink to those that grow.
//! Memory is bounded: a log may be longer than what it holds.

mod clients;
mod log;
mod movement;
mod names;
mod outcome;
mod report;
mod run;
mod tally;
#[cfg(test)]
mod tests;

pub use log::{Log, LogError};
pub use movement::Goal;
pub use report::{Flow, OfCountry, OfRecord, OfType, Part, Read, Report, To, Ttl, Unread};
pub use run::{Error, replay};
