//! Databases, written for the purpose.

mod damage;
mod fixture;
mod lookup;
mod opening;
mod records;

use std::io::Write;
use std::path::Path;

use super::{Database, DatabaseError};
use crate::geo::support::mmdb::{Data, Mmdb};

/// Opens a file with these octets.
fn open(octets: &[u8]) -> Result<Database, DatabaseError> {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(octets).expect("room for it");
    Database::open(file.path())
}

fn write(mmdb: &Mmdb, entries: &[(&str, Data)]) -> Vec<u8> {
    let parsed = entries.iter().map(|(net, data)| (net.parse().expect("a prefix"), data.clone()));
    mmdb.write(&parsed.collect::<Vec<_>>())
}

fn fixtures() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/geo")
}
