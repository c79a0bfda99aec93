//! What is known of a client, evaluated directly: for explanations, and to check the tables by.

use ipnet::IpNet;
use std::net::IpAddr;

use super::address::{Subject, mask, special_block};
use super::build::prefixes;
use super::table::Asker;
use crate::geo::{Attributed, DatabaseError, Geo, LatencyTable};
use crate::model::{Family, Tree};

/// A client as routing sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Client {
    /// The address or prefix that decides, IPv4 within IPv6 unwrapped.
    pub prefix: IpNet,
    /// Whether that is the subnet, and not the source address.
    pub by_subnet: bool,
    /// What is known of it, and by which sources.
    pub attributed: Attributed,
    /// The configured prefixes that it is in, longest first.
    pub covering: Vec<IpNet>,
}

impl Client {
    /// Whoever asks, looked up in the sources themselves. Of a prefix, the first address is what
    /// databases are asked for, and configured prefixes cover it as a whole or not at all.
    ///
    /// # Errors
    /// When a database is broken.
    pub fn of(
        asker: &Asker,
        trees: &[Tree],
        geo: &Geo,
        latency: &LatencyTable,
    ) -> Result<Self, DatabaseError> {
        let source = Subject::of(asker.source);
        let subnet = asker.subnet.filter(|(_, len)| *len > 0);
        let subnet = subnet.map(|(address, len)| Subject::of_prefix(address, len));
        let covering = |subject: Subject| {
            let mut covering = prefixes(trees, geo, latency);
            covering.retain(|prefix| subject.is_within(prefix));
            covering.sort_unstable_by_key(|prefix| std::cmp::Reverse(prefix.prefix_len()));
            covering.dedup();
            covering
        };
        let decides = |subnet: &Subject| {
            let block = special_block(subnet.bits, subnet.family);
            block.is_none_or(|block| block.len > subnet.len) || !covering(*subnet).is_empty()
        };
        let subnet = subnet.filter(decides);
        let subject = subnet.unwrap_or(source);
        let covering = covering(subject);
        let network = |prefix: &IpNet| {
            geo.networks.iter().enumerate().find(|(_, network)| network.prefix == *prefix)
        };
        let own = covering.iter().filter_map(network);
        let databases = geo.databases.iter().enumerate().map(|(at, database)| {
            let record = database.find(subject.first())?;
            Ok((at, record.map(|(record, _)| database.attributes(record)).transpose()?))
        });
        let databases = databases.collect::<Result<Vec<_>, _>>()?;
        let attributed = Geo::join(own, databases.into_iter());
        Ok(Self { prefix: subject.prefix(), by_subnet: subnet.is_some(), attributed, covering })
    }
}

impl Subject {
    /// Its first address.
    fn first(self) -> IpAddr {
        match self.family {
            Family::V4 => IpAddr::V4((self.bits as u32).into()),
            Family::V6 => IpAddr::V6(self.bits.into()),
        }
    }

    fn prefix(self) -> IpNet {
        IpNet::new(self.first(), self.len).unwrap_or_else(|_| self.first().into())
    }

    /// Whether a prefix covers all of it.
    fn is_within(self, prefix: &IpNet) -> bool {
        let (family, bits) = match prefix {
            IpNet::V4(prefix) => (Family::V4, u128::from(prefix.network().to_bits())),
            IpNet::V6(prefix) => (Family::V6, prefix.network().to_bits()),
        };
        let len = prefix.prefix_len();
        family == self.family && len <= self.len && self.bits & mask(family, len) == bits
    }
}
