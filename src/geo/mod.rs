//! What is known of the clients of a prefix, and how far they are from regions: own networks,
//! geolocation databases, and a table of round-trip times.

mod attributed;
mod database;
mod latency;

pub use attributed::{Attributed, Geo, Network, Source};
pub use database::{Database, DatabaseError, Record, Supplies};
pub use latency::{ClientKey, LatencyTable};

/// A writer of databases, and a small world.
#[cfg(test)]
#[path = "../../tests/support/mod.rs"]
pub(crate) mod support;
