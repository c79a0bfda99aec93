//! Why an answer is what it is: the distribution that a client draws from, and the path through
//! the policies that led to it.
//!
//! Nothing is reckoned a second time here. The path is what the walk that serves tells while it is
//! walked once more; shares, answers, TTLs and scopes are read from the snapshot that answers.

mod client;
mod explanation;
mod finished;
mod measure;
mod path;
mod record;
mod recorder;
#[cfg(test)]
mod tests;

pub use explanation::{
    Answers, Client, Compared, ComparedBy, Drained, Explanation, Figure, Forcibly, Health, InPlace,
    Keys, Kind, Outcome, Part, Region, ShiftedTo, Step,
};
pub use record::explain;
