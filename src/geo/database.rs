//! Geolocation databases in MMDB files.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use crate::model::{Attributes, Family};

/// An MMDB file, read into memory: a file that is overwritten while it is in use harms nothing.
#[derive(Debug)]
pub struct Database {
    path: PathBuf,
}

/// Where a record stands in its database; the same record is often that of many prefixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Record(pub u32);

/// Which attributes a database has anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Supplies {
    /// Continents, or countries, from which continents follow.
    pub continent: bool,
    /// Countries.
    pub country: bool,
    /// Subdivisions.
    pub subdivision: bool,
    /// Coordinates.
    pub location: bool,
    /// Autonomous systems.
    pub asn: bool,
}

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {what}")]
pub struct DatabaseError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub what: String,
}

impl Database {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read or is no MMDB file.
    pub fn open(path: &Path) -> Result<Self, DatabaseError> {
        Err(DatabaseError { path: path.to_owned(), what: "cannot be read yet".into() })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All addresses of a family in order, from 0 up, as ranges of one record each: where a range
    /// begins (an IPv4 address in the low 32 bits), and its record. A range ends where the next begins.
    pub fn ranges(
        &self,
        _family: Family,
    ) -> impl Iterator<Item = Result<(u128, Option<Record>), DatabaseError>> + '_ {
        std::iter::empty()
    }

    /// The record of an address, and the length of the prefix that has it.
    #[must_use]
    pub fn find(&self, _address: IpAddr) -> Option<(Record, u8)> {
        None
    }

    /// What a record says.
    ///
    /// # Errors
    /// When the file is broken there.
    pub fn attributes(&self, _record: Record) -> Result<Attributes, DatabaseError> {
        Ok(Attributes::default())
    }
}
