//! Zones: master files become RRsets, and all of them become the one index of names.
//!
//! [`load`] reads a file and [`synthesize()`] makes a zone without one; [`Names::build`] takes them
//! all, with the dynamic names, and decides every rule of lookup that can be decided ahead. What
//! an answer looks like is the engine's business.

mod apexes;
mod build;
mod complaint;
mod cross;
mod directive;
mod entries;
mod entry;
mod findings;
mod generic;
mod label;
mod loaded;
mod master;
mod names;
mod origin;
mod owners;
mod rules;
mod scanner;
mod short;
mod store;
mod synthesize;
mod table;
mod units;

pub use entry::{Entry, EntryId, Found, Zone, ZoneId};
pub use loaded::Loaded;
pub use master::load;
pub use names::Names;
pub use short::ShortSoa;
pub use synthesize::synthesize;

#[cfg(test)]
mod tests;
