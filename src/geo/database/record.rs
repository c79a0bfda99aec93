//! Which record of a database.

use std::hash::{Hash, Hasher};

/// A record of a database; the same one is often that of many prefixes. Records are of the
/// database that gave them.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    /// Where it stands in the data section.
    offset: u32,
    /// An address that has it, in parts, which keeps the whole small: records are only decoded for
    /// an address.
    at: [u32; 4],
}

impl Record {
    pub(super) const fn new(offset: u32, at: u128) -> Self {
        Self { offset, at: [(at >> 96) as u32, (at >> 64) as u32, (at >> 32) as u32, at as u32] }
    }

    /// Where it stands in its database: what makes it differ from the others.
    #[must_use]
    pub const fn offset(self) -> u32 {
        self.offset
    }

    /// An address that has it, as a key of the search tree.
    pub(super) fn at(self) -> u128 {
        self.at.into_iter().fold(0, |whole, part| whole << 32 | u128::from(part))
    }
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        self.offset == other.offset
    }
}

impl Eq for Record {}

impl Hash for Record {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.offset.hash(state);
    }
}
