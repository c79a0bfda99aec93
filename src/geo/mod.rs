//! What is known of the clients of a prefix, and how far they are from regions: own networks,
//! geolocation databases, and a table of round-trip times.

mod attributed;
mod database;
mod latency;

pub use attributed::{Attributed, Geo, Network, Source};
pub use database::{Database, DatabaseError, Record, Supplies};
pub use latency::{ClientKey, LatencyTable};
