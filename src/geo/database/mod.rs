//! Geolocation databases in MMDB files: from prefixes to records, and what a record says.

mod error;
mod fields;
mod file;
mod octets;
mod record;
mod supplies;
mod tree;
mod value;
mod walk;

pub use error::DatabaseError;
pub use file::Database;
pub use record::Record;
pub use supplies::Supplies;

#[cfg(test)]
mod tests;
