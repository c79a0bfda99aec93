//! The table of round-trip times from clients to regions.

mod fields;
mod key;
mod read;
mod table;

pub use key::ClientKey;
pub use table::LatencyTable;

#[cfg(test)]
mod tests;
