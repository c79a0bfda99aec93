//! Asks the admin servers that the command line names: one or several, all at the same time.
//!
//! What is asked and how the answer is shown is the verbs' business.

mod actor;
mod admin;
#[cfg(test)]
pub(super) mod fake;
mod fleet;
mod options;
mod server;
#[cfg(test)]
mod tests;
mod tls;
mod trouble;

pub(super) use fleet::{Fleet, Told, block_on};
pub(super) use options::Servers;
pub(super) use server::{Call, Server};
pub(super) use trouble::{Problem, Trouble};
