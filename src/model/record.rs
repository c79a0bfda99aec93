//! Dynamic records, and what they are bound to.

use super::{BindingId, PoolId, TreeId};
use crate::problem::Place;
use crate::wire::Name;

/// A tree together with the pools that stand in its slots. Records with the same tree and the
/// same pools share one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Binding {
    /// The tree.
    pub tree: TreeId,
    /// The pool of each of the tree's slots; `None` where the region takes no part.
    pub pools: Vec<Option<PoolId>>,
}

/// A name whose A and AAAA are answered by policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its owner name, perhaps a wildcard.
    pub name: Name,
    /// Where it is configured.
    pub place: Place,
    /// TTL in seconds when all is calm.
    pub ttl: u32,
    /// The least TTL in seconds that doubt may make of it.
    pub ttl_min: u32,
    /// How many addresses one answer has at most, 1 to 255.
    pub max_answers: u8,
    /// What it answers from.
    pub binding: BindingId,
}
