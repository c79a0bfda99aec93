//! The table of round-trip times from clients to regions.

use std::collections::HashMap;
use std::time::Duration;

use ipnet::IpNet;

use crate::model::{Attributes, Continent, Country, RegionId, Subdivision};

/// Round-trip times by client and region.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LatencyTable {
    rows: HashMap<ClientKey, Vec<(RegionId, Duration)>>,
}

/// Which clients a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientKey {
    /// Those of a prefix.
    Prefix(IpNet),
    /// Those of an autonomous system.
    Asn(u32),
    /// Those of a subdivision.
    Subdivision(Subdivision),
    /// Those of a country.
    Country(Country),
    /// Those of a continent.
    Continent(Continent),
    /// All.
    All,
}

impl LatencyTable {
    /// The prefixes that rows are about.
    pub fn prefixes(&self) -> impl Iterator<Item = IpNet> + '_ {
        self.rows.keys().filter_map(|key| match key {
            ClientKey::Prefix(prefix) => Some(*prefix),
            _ => None,
        })
    }

    /// The round-trip time to a region by the most specific key that has it: longest prefix,
    /// ASN, subdivision, country, continent, all. `covering` are the table's prefixes that the client is in,
    /// longest first.
    #[must_use]
    pub fn find(
        &self,
        _region: RegionId,
        _attributes: &Attributes,
        _covering: &[IpNet],
    ) -> Option<(Duration, ClientKey)> {
        None
    }
}
