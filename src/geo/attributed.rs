//! Own networks and databases joined: the attributes of a prefix, and which source gave them.

use ipnet::IpNet;

use super::Database;
use crate::model::Attributes;

/// All that says where clients are.
#[derive(Debug, Default)]
pub struct Geo {
    /// Own networks; they win over the databases, the longest first.
    pub networks: Vec<Network>,
    /// The databases, in order of precedence.
    pub databases: Vec<Database>,
}

/// A prefix of the configuration with what is said of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// The prefix.
    pub prefix: IpNet,
    /// What its clients are.
    pub attributes: Attributes,
}

/// Attributes, and where they come from.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Attributed {
    /// What the clients are.
    pub attributes: Attributes,
    /// What said where they are: continent, country, subdivision and location come as one group.
    pub located_by: Option<Source>,
    /// What said which autonomous system they are of.
    pub asn_by: Option<Source>,
}

/// One of the sources of a [`Geo`], by its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// An own network.
    Network(usize),
    /// A database.
    Database(usize),
}
