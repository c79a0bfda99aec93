//! Names behind aliases, looked up in the background: a task a name, as often as its TTL says.
//!
//! What a look came to goes to the single writer, which decides what becomes of it. Here nothing is
//! remembered but how often in a row it has failed. The resolver is hickory's, without its cache: that
//! would hide how old an answer is.

mod ask;
mod look;
mod schedule;
mod special;
#[cfg(test)]
mod tests;

pub use look::{Looker, Settings};
pub use schedule::Pace;
