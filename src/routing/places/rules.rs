//! Which geolocation rules match a client, most specific first.
//!
//! There may be thousands of rules and hundreds of thousands of kinds of clients, so rules are found by
//! what a client has, and are not all tried.

use std::cmp::Reverse;
use std::collections::HashMap;

use ipnet::IpNet;

use crate::geo::ClientKey;
use crate::model::{Attributes, GeoKeys, GeoRule, NodeId};

/// The rules of a geolocation node, in order of what finds them.
#[derive(Debug)]
pub(super) struct Rules<'a> {
    rules: &'a [GeoRule],
    /// Each rule stands under every value of the first of its keys; one without any under all clients.
    by_key: HashMap<ClientKey, Vec<usize>>,
    /// For each rule the first one that leads where it does.
    first: Vec<usize>,
}

impl<'a> Rules<'a> {
    pub(super) fn new(rules: &'a [GeoRule]) -> Self {
        let mut by_key: HashMap<ClientKey, Vec<usize>> = HashMap::new();
        let mut leading_to: HashMap<NodeId, usize> = HashMap::new();
        let mut first = Vec::with_capacity(rules.len());
        for (at, rule) in rules.iter().enumerate() {
            first.push(*leading_to.entry(rule.to).or_insert(at));
            for key in first_keys(&rule.keys) {
                let found = by_key.entry(key).or_default();
                // A value may be written twice.
                if found.last() != Some(&at) {
                    found.push(at);
                }
            }
        }
        Self { rules, by_key, first }
    }

    /// The rules that match a client, most specific first. `covering` are the configured prefixes that
    /// it is in, longest first.
    pub(super) fn chain(&self, client: &Attributes, covering: &[IpNet]) -> Vec<usize> {
        let specific =
            |at: usize| Some((matches(&self.rules.get(at)?.keys, client, covering)?, at));
        let found = self.found(client, covering);
        let mut chain: Vec<(Specificity, usize)> = found.filter_map(specific).collect();
        chain.sort_unstable_by_key(|(specificity, at)| (Reverse(*specificity), *at));
        // A rule that names several of the prefixes was found by each.
        chain.dedup();
        chain.into_iter().map(|(_, at)| at).collect()
    }

    /// The rules that may match a client.
    fn found(&self, client: &Attributes, covering: &[IpNet]) -> impl Iterator<Item = usize> {
        let keys = [
            client.asn.map(ClientKey::Asn),
            client.subdivision.map(ClientKey::Subdivision),
            client.country.map(ClientKey::Country),
            client.continent.map(ClientKey::Continent),
            Some(ClientKey::All),
        ];
        let prefixes = covering.iter().copied().map(ClientKey::Prefix);
        let keys = prefixes.chain(keys.into_iter().flatten());
        keys.filter_map(|key| self.by_key.get(&key)).flatten().copied()
    }

    /// Where a rule leads to.
    pub(super) fn to(&self, at: usize) -> Option<NodeId> {
        self.rules.get(at).map(|rule| rule.to)
    }

    /// The first rule that leads where this one does.
    pub(super) fn first(&self, at: usize) -> usize {
        self.first.get(at).copied().unwrap_or(at)
    }
}

/// The values of the first key that a rule has, in the order in which keys count.
fn first_keys(keys: &GeoKeys) -> Vec<ClientKey> {
    fn of<T: Copy>(values: &[T], key: impl Fn(T) -> ClientKey) -> Option<Vec<ClientKey>> {
        (!values.is_empty()).then(|| values.iter().copied().map(key).collect())
    }
    of(&keys.prefix, ClientKey::Prefix)
        .or_else(|| of(&keys.asn, ClientKey::Asn))
        .or_else(|| of(&keys.subdivision, ClientKey::Subdivision))
        .or_else(|| of(&keys.country, ClientKey::Country))
        .or_else(|| of(&keys.continent, ClientKey::Continent))
        .unwrap_or_else(|| vec![ClientKey::All])
}

/// How specific a matching rule is, key by key: the length of its prefix, ASN, subdivision, country,
/// continent.
type Specificity = (Option<u8>, bool, bool, bool, bool);

/// How specific a rule is for a client; `None` when it does not match.
fn matches(keys: &GeoKeys, client: &Attributes, covering: &[IpNet]) -> Option<Specificity> {
    let prefix = match keys.prefix.is_empty() {
        true => None,
        // The longest comes first.
        false => {
            let names = |prefix: &&IpNet| keys.prefix.binary_search(prefix).is_ok();
            Some(covering.iter().find(names)?.prefix_len())
        }
    };
    let asn = matches_any(&keys.asn, client.asn)?;
    let subdivision = matches_any(&keys.subdivision, client.subdivision)?;
    let country = matches_any(&keys.country, client.country)?;
    let continent = matches_any(&keys.continent, client.continent)?;
    Some((prefix, asn, subdivision, country, continent))
}

/// Whether a key is given; `None` when it is and the client is none of its values.
fn matches_any<T: Ord>(values: &[T], client: Option<T>) -> Option<bool> {
    if values.is_empty() {
        return Some(false);
    }
    client.is_some_and(|client| values.binary_search(&client).is_ok()).then_some(true)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use ipnet::Ipv4Net;

    use super::*;

    /// However many rules there are, few of them are looked at for one client.
    #[test]
    fn of_ten_thousand_rules_few_are_tried() {
        let prefix = |n: u32| Ipv4Net::new(Ipv4Addr::from(n << 12), 20).expect("a prefix").into();
        let by_prefix = |n| GeoKeys { prefix: vec![prefix(n)], ..GeoKeys::default() };
        let by_asn = |n| GeoKeys { asn: vec![n], ..GeoKeys::default() };
        let keys = (0..10_000).map(by_prefix).chain((0..10_000).map(by_asn));
        let rules: Vec<_> =
            keys.zip(0..).map(|(keys, n)| GeoRule { keys, to: NodeId(n) }).collect();
        let rules = Rules::new(&rules);
        for n in 0..10_000 {
            let client = Attributes { asn: Some(9_999 - n), ..Attributes::default() };
            let wanted = [n as usize, 19_999 - n as usize];
            assert_eq!(rules.chain(&client, &[prefix(n)]), wanted);
            assert_eq!(rules.found(&client, &[prefix(n)]).count(), 2);
        }
    }
}
