//! One MMDB file.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use maxminddb::{MaxMindDbError, Reader};

use super::fields::Fields;
use super::octets::Octets;
use super::tree::Tree;
use super::{DatabaseError, Record, Supplies};
use crate::model::{Attributes, Family};

/// An MMDB file, read into memory: a file that is overwritten while it is in use harms nothing.
#[derive(Debug)]
pub struct Database {
    path: PathBuf,
    reader: Reader<Octets>,
    tree: Tree,
    supplies: Supplies,
}

/// What begins the metadata of an MMDB file, and how near to its end they are at least.
const METADATA_MAX: usize = 128 << 10;
const MARKER: &[u8] = b"\xAB\xCD\xEFMaxMind.com";
/// From so many records it is judged what a database supplies, and from as many addresses.
const LOOKED_AT: usize = 4096;
/// Looking for them ends after so many ranges.
const RANGES_LOOKED_AT: usize = 1 << 16;

impl Database {
    /// Reads a file, and looks at enough of its records to know what they supply.
    ///
    /// # Errors
    /// When it cannot be read, is no MMDB file, or is broken where it was looked at.
    pub fn open(path: &Path) -> Result<Self, DatabaseError> {
        let octets = Octets::read(path)?;
        let error = |what: &str| DatabaseError::new(path, what);
        let tail = octets.as_ref().len().saturating_sub(METADATA_MAX);
        let tail = octets.as_ref().get(tail..).unwrap_or_default();
        if !tail.windows(MARKER.len()).any(|window| window == MARKER) {
            return Err(error(
                "is no MMDB file, or cut off: it does not end in the metadata of one",
            ));
        }
        let reader = Reader::from_source(octets.clone());
        let reader = reader.map_err(|e| DatabaseError::refused(path, &e))?;
        let tree = Tree::new(octets, reader.metadata()).map_err(error)?;
        let path = path.to_owned();
        let mut database = Self { path, reader, tree, supplies: Supplies::default() };
        database.supplies = database.look()?;
        Ok(database)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// When it was built, in seconds since 1970.
    #[must_use]
    pub fn built(&self) -> u64 {
        self.reader.metadata().build_epoch
    }

    /// Which attributes it has. Of a large database only a part is looked at: its first records of
    /// each family, and some from all over.
    #[must_use]
    pub const fn supplies(&self) -> Supplies {
        self.supplies
    }

    /// All addresses of a family in order, from 0 up, as ranges of one record each: where a range
    /// begins (an IPv4 address in the low 32 bits), and its record. A range ends where the next
    /// begins, the last one with the last address; two beside each other differ in their record.
    ///
    /// For IPv6 the IPv4 part of a database is nothing, where it is as well as where a database
    /// repeats it (6to4, Teredo, mapped addresses).
    ///
    /// # Errors
    /// One, as the last item, when the file is broken.
    pub fn ranges(
        &self,
        family: Family,
    ) -> impl Iterator<Item = Result<(u128, Option<Record>), DatabaseError>> + '_ {
        let error = |what: &'static str| DatabaseError::new(&self.path, what);
        self.tree.walk(family).map(move |range| range.map_err(error))
    }

    /// The record of an address, and the length of the prefix that has it; the same as by
    /// [`Database::ranges`].
    ///
    /// # Errors
    /// When the file is broken there.
    pub fn find(&self, address: IpAddr) -> Result<Option<(Record, u8)>, DatabaseError> {
        self.tree.find(address).map_err(|what| DatabaseError::new(&self.path, what))
    }

    /// What a record says; a continent that it lacks follows from its country.
    ///
    /// # Errors
    /// When the file is broken there, or the record is another database's.
    pub fn attributes(&self, record: Record) -> Result<Attributes, DatabaseError> {
        let refused = |e: &MaxMindDbError| DatabaseError::refused(&self.path, e);
        let address = match self.tree.family() {
            Family::V4 => IpAddr::V4(Ipv4Addr::from(record.at() as u32)),
            Family::V6 => IpAddr::V6(Ipv6Addr::from(record.at())),
        };
        let found = self.reader.lookup(address).map_err(|e| refused(&e))?;
        if found.offset() != usize::try_from(record.offset()).ok() {
            return Err(DatabaseError::new(&self.path, "has no such record"));
        }
        match found.decode::<Fields<'_>>() {
            Ok(fields) => Ok(fields.unwrap_or_default().attributes()),
            // A sound value, but not in a form that could say anything.
            Err(MaxMindDbError::Decoding { .. }) => Ok(Attributes::default()),
            Err(e) => Err(refused(&e)),
        }
    }

    /// What the first records of each family have, and, if there are more, those of addresses from
    /// all over.
    fn look(&self) -> Result<Supplies, DatabaseError> {
        let mut records = HashSet::new();
        for family in Family::BOTH {
            let most = records.len() + LOOKED_AT;
            let mut ranges = self.ranges(family);
            let mut left = RANGES_LOOKED_AT;
            while left > 0
                && records.len() < most
                && let Some(range) = ranges.next()
            {
                records.extend(range?.1);
                left -= 1;
            }
            if ranges.next().is_some() {
                for address in all_over(family) {
                    records.extend(self.find(address)?.map(|(record, _)| record));
                }
            }
        }
        records.into_iter().try_fold(Supplies::default(), |sum, record| {
            Ok(sum | Supplies::from(&self.attributes(record)?))
        })
    }
}

/// Addresses that are evenly spread over those in use.
fn all_over(family: Family) -> impl Iterator<Item = IpAddr> {
    (0..LOOKED_AT as u128).map(move |step| match family {
        Family::V4 => Ipv4Addr::from((step << 20) as u32).into(),
        // Of 2000::/4: what has been allocated lies there.
        Family::V6 => Ipv6Addr::from(0x2 << 124 | step << 112).into(),
    })
}
