//! Round-trip times by client and region.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use ipnet::IpNet;

use super::ClientKey;
use crate::model::{Attributes, RegionId};

/// Round-trip times by client and region.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LatencyTable {
    rows: HashMap<ClientKey, Vec<(RegionId, Duration)>>,
}

impl LatencyTable {
    /// Adds a row; false: there is one of these clients and this region already, which stays.
    pub(super) fn insert(&mut self, key: ClientKey, region: RegionId, time: Duration) -> bool {
        let row = self.rows.entry(key).or_default();
        let is_new = row.iter().all(|(known, _)| *known != region);
        if is_new {
            row.push((region, time));
        }
        is_new
    }

    /// How many rows it has: pairs of clients and a region.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.values().map(Vec::len).sum()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Which clients rows are about, each once, in no order.
    pub fn keys(&self) -> impl Iterator<Item = ClientKey> + '_ {
        self.rows.keys().copied()
    }

    /// The regions that any row knows.
    #[must_use]
    pub fn regions(&self) -> HashSet<RegionId> {
        self.rows.values().flatten().map(|(region, _)| *region).collect()
    }

    /// The prefixes that rows are about, each once, in order: IPv4 first, by address, the shorter
    /// of those that begin alike first.
    pub fn prefixes(&self) -> impl Iterator<Item = IpNet> + '_ {
        let prefixes = self.rows.keys().filter_map(|key| match key {
            ClientKey::Prefix(prefix) => Some(*prefix),
            _ => None,
        });
        let mut prefixes: Vec<_> = prefixes.collect();
        prefixes.sort_unstable_by_key(|prefix| (prefix.network(), prefix.prefix_len()));
        prefixes.into_iter()
    }

    /// The round-trip time to a region by the most specific key that has it: longest prefix,
    /// ASN, subdivision, country, continent, all. `covering` are the table's prefixes that the
    /// client is in, longest first.
    #[must_use]
    pub fn find(
        &self,
        region: RegionId,
        attributes: &Attributes,
        covering: &[IpNet],
    ) -> Option<(Duration, ClientKey)> {
        let prefixes = covering.iter().copied().map(ClientKey::Prefix);
        let places = [
            attributes.asn.map(ClientKey::Asn),
            attributes.subdivision.map(ClientKey::Subdivision),
            attributes.country.map(ClientKey::Country),
            attributes.continent.map(ClientKey::Continent),
            Some(ClientKey::All),
        ];
        prefixes.chain(places.into_iter().flatten()).find_map(|key| {
            let (_, time) = self.rows.get(&key)?.iter().find(|(of, _)| *of == region)?;
            Some((*time, key))
        })
    }
}
