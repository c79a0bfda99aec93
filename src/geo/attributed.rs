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

impl Geo {
    /// STAND-IN
    pub fn join<'a>(
        own: impl Iterator<Item = (usize, &'a Network)>,
        databases: impl IntoIterator<Item = (usize, Option<Attributes>)>,
    ) -> Attributed {
        let own = own.map(|(at, n)| (Source::Network(at), n.attributes));
        let databases =
            databases.into_iter().filter_map(|(at, a)| Some((Source::Database(at), a?)));
        let mut out = Attributed::default();
        for (source, a) in own.chain(databases) {
            if out.located_by.is_none() && a.is_located() {
                out.located_by = Some(source);
                out.attributes = Attributes { asn: out.attributes.asn, ..a };
            }
            if out.asn_by.is_none() && a.asn.is_some() {
                out.asn_by = Some(source);
                out.attributes.asn = a.asn;
            }
        }
        out
    }
}
