//! Where a client is, as far as a tree cares: from prefixes to (class, scope).
//!
//! Ahead of time ([`build`]) all addresses are walked once, in order, through own networks, rules and
//! databases together. What is known of each stretch is [classified](classify) for each tree, and
//! neighbours of one class merge into ranges. At a query ([`table`]) the range of the client is looked
//! up; the widest prefix around the client that the range holds is the scope of the answer (RFC 7871
//! section 7.2.1), so that no scope can be too wide, nor narrower than it must be.

mod address;
mod build;
#[cfg(test)]
mod cases;
mod classify;
mod client;
mod gather;
mod ranges;
mod rules;
mod stretch;
mod table;
#[cfg(test)]
mod tests;

pub use build::Places;
pub use classify::{Classified, Classifier, FigureSource, Figures};
pub use client::Client;
pub use table::{Asker, Found, Table};
