//! Records: their TTLs, and the pools that stand in the slots of their trees.

use std::collections::HashMap;
use std::sync::Arc;

use super::Resolver;
use super::build::{Root, number};
use super::names::{AllDown, Named};
use crate::config::{self, Defaults, Endpoint, RecordPolicy, Sharing, Spanned};
use crate::model::{
    Binding, BindingId, Check, Family, Node, OnAllDown, PoolId, Record, RegionId, Slot, TreeId,
};
use crate::problem::{Place, line};

impl<'a> Resolver<'a> {
    /// Resolves one record.
    pub(super) fn record(&mut self, record: &'a config::Record) {
        let key = format!("records.\"{}\"", *record.name);
        self.owner(record, &key);
        let (ttl, ttl_min) = self.ttls(record, &key);
        let root = record.policy.as_ref().and_then(|policy| self.root(policy, &key));
        let all_down = match &record.on_all_down {
            Some(all_down) => self.all_down(all_down, &format!("{key}.on_all_down")),
            None => Some(self.default_all_down),
        };
        if let Some(AllDown::Instead(named)) = all_down {
            self.used.note(named);
        }
        let label: Arc<str> = record.name.to_string().into();
        let own = self.own(record, &key);
        let (Some(root), Some(all_down), true) = (root, all_down, self.buildable) else { return };
        let tree = self.tree(root, all_down);
        let Some(binding) = self.bind(record, tree, &own, &label, &key) else { return };
        self.out.records.push(Record {
            name: record.name.value.clone(),
            place: record.name.place.clone(),
            ttl,
            ttl_min,
            max_answers: record.max_answers,
            binding,
        });
    }

    /// The name must be within a zone, and nobody else's.
    fn owner(&mut self, record: &'a config::Record, key: &str) {
        let Spanned { value: name, place } = &record.name;
        if let Some(first) = self.records.get(name) {
            let hint = line(first).map(|line| format!("the first is in line {line}"));
            self.error(place, key, format!("a second record {name}"), "each name once", hint);
        } else {
            self.records.insert(name, place);
        }
        let zones = &self.config.zones;
        if !self.config.incomplete.zones && !zones.iter().any(|zone| name.is_within(&zone.name)) {
            let zones: Vec<_> = zones.iter().map(|z| z.name.to_string()).collect();
            let wanted = match zones.as_slice() {
                [] => "a name within a zone, of which there are none".into(),
                [one] => format!("a name within the zone {one}"),
                more => format!("a name within one of the zones {}", more.join(", ")),
            };
            self.error(place, key, format!("{name}, outside of every zone"), wanted, None);
        }
    }

    /// TTL and least TTL. One that is inherited gives way to a lower TTL; one that is written
    /// must fit.
    fn ttls(&mut self, record: &config::Record, key: &str) -> (u32, u32) {
        let defaults = &self.config.defaults;
        let ttl = record.ttl.as_ref().map_or(defaults.ttl, |ttl| ttl.value);
        let inherited = defaults.ttl_min.as_ref().map_or(Defaults::TTL_MIN, |least| least.value);
        if let Some(least) = record.ttl_min.as_ref().filter(|least| least.value > ttl) {
            let wanted = format!("a number of seconds up to the ttl of {ttl}");
            let key = format!("{key}.ttl_min");
            self.error(&least.place, key, least.value.to_string(), wanted, None);
        }
        let least = record.ttl_min.as_ref().map_or(inherited, |least| least.value);
        (ttl, least.min(ttl))
    }

    fn root(&mut self, policy: &Spanned<RecordPolicy>, key: &str) -> Option<Root> {
        let key = format!("{key}.policy");
        match &policy.value {
            RecordPolicy::Named(name) => {
                let name = Spanned { value: name.clone(), place: policy.place.clone() };
                let named = self.named(&name, &key, &Sharing::ALL.map(Sharing::word))?;
                self.used.note(named);
                Some(Root::Named(named))
            }
            RecordPolicy::Every(sharing) => {
                if self.config.regions.is_empty() && !self.config.incomplete.references {
                    let wanted = "at least one region to share among";
                    let found = format!("{:?} over no region", sharing.word());
                    self.error(&policy.place, key, found, wanted, None);
                    return None;
                }
                if *sharing == Sharing::Geoproximity {
                    let regions: Vec<_> =
                        self.every_region().into_iter().map(|(region, _)| region).collect();
                    self.unplaced(&regions, &policy.place, &key);
                }
                self.used.every_region = true;
                Some(Root::Every(*sharing))
            }
        }
    }

    /// What the record brings itself, with its references followed.
    fn own(&mut self, record: &'a config::Record, key: &str) -> Own<'a> {
        let checks = record.check.as_ref();
        let checks = checks.map(|names| self.checks_named(names, &format!("{key}.check")));
        let endpoints = record.endpoints.as_ref().map(|endpoints| {
            let key = format!("{key}.endpoints");
            let mut found = HashMap::new();
            for (name, endpoint) in &endpoints.value {
                if let Some(region) = self.region_named(name, &key) {
                    self.used.note(Named::Region(region));
                    found.insert(region, (name, endpoint));
                }
            }
            found
        });
        Own { checks, endpoints }
    }

    /// Puts pools into the slots of a tree.
    fn bind(
        &mut self,
        record: &config::Record,
        tree: TreeId,
        own: &Own<'_>,
        label: &Arc<str>,
        key: &str,
    ) -> Option<BindingId> {
        let slots = self.out.trees[tree.index()].slots.clone();
        self.astray(own, &slots, key);
        self.cnames(record, tree, key);
        let pools: Vec<_> =
            slots.iter().map(|&region| self.slot(region, own, label, key)).collect();
        if pools.iter().all(Option::is_none) {
            let place = record.endpoints.as_ref().map_or(&record.name.place, |e| &e.place);
            let wanted = "at least one region that the record's policy leads to";
            // What is unknown or could not be read has been reported already.
            let incomplete = self.config.incomplete;
            if !self.unknown && !incomplete.references && !incomplete.addresses {
                let key = format!("{key}.endpoints");
                self.error(place, key, "no region that takes part", wanted, None);
            }
            return None;
        }
        self.beyond(own, &slots, label, key);
        self.fallback(record, tree, &pools, key);
        let place = record.policy.as_ref().map_or(&record.name.place, |policy| &policy.place);
        for family in Family::BOTH {
            self.mixed(&pools, family, place, key);
        }
        self.empty(&pools, label);
        let binding = Binding { tree, pools };
        let next = BindingId(number(self.out.bindings.len()));
        let id = *self.bindings.entry(binding.clone()).or_insert(next);
        if id == next {
            self.out.bindings.push(binding);
        }
        Some(id)
    }

    /// Makes pools of the endpoints in regions that the record's policy does not lead to: such a region may
    /// answer in another's place.
    fn beyond(&mut self, own: &Own<'_>, slots: &[RegionId], label: &Arc<str>, key: &str) {
        let mut beyond: Vec<RegionId> =
            own.endpoints.iter().flatten().map(|(region, _)| *region).collect();
        beyond.retain(|region| !slots.contains(region));
        beyond.sort_unstable();
        for region in beyond {
            // No binding has it yet.
            let _ = self.slot(region, own, label, key);
        }
    }

    /// Warns when what is to be served instead takes no part in the record: then nothing is.
    fn fallback(
        &mut self,
        record: &config::Record,
        tree: TreeId,
        pools: &[Option<PoolId>],
        key: &str,
    ) {
        let tree = &self.out.trees[tree.index()];
        let OnAllDown::Instead(node) = tree.on_all_down else { return };
        let takes_part = |slot: &Slot| pools.get(slot.index()).is_some_and(Option::is_some);
        if self.config.incomplete.addresses || tree.slots_below(node).iter().any(takes_part) {
            return;
        }
        let place = record.endpoints.as_ref().map_or(&record.name.place, |e| &e.place);
        let found = "no endpoints in what on_all_down names, so that nothing is served then";
        let wanted = "endpoints in at least one region that on_all_down leads to";
        self.warn(place, format!("{key}.endpoints"), found, wanted);
    }

    /// The pool of a region in this record.
    fn slot(
        &mut self,
        region: RegionId,
        own: &Own<'_>,
        label: &Arc<str>,
        key: &str,
    ) -> Option<PoolId> {
        let of_region = &self.out.regions[region.index()];
        let (pool, configured) = (of_region.pool, &self.config.regions[region.index()]);
        let regions_checks = &self.out.pools[pool.index()].checks;
        let checks = own.checks.as_ref().unwrap_or(regions_checks).clone();
        let of_record = Some(Arc::clone(label));
        let (addresses, key) = match &own.endpoints {
            Some(endpoints) => match endpoints.get(&region)?.1 {
                Endpoint::Addresses(addresses) => (addresses, format!("{key}.endpoints")),
                Endpoint::Alias(name) => {
                    return Some(self.alias_pool(region, of_record, name, checks));
                }
                Endpoint::Cname(name) => {
                    return Some(self.cname_pool(region, of_record, name, checks));
                }
            },
            None if checks == *regions_checks => return Some(pool),
            None => (&configured.addresses, format!("regions.{}.addresses", configured.name.value)),
        };
        Some(self.pool(region, of_record, addresses, checks, &key))
    }

    /// A name has one CNAME at most, and it leads elsewhere.
    fn cnames(&mut self, record: &config::Record, tree: TreeId, key: &str) {
        let endpoints = record.endpoints.iter().flat_map(|endpoints| &endpoints.value);
        let mut names = endpoints.filter_map(|(_, endpoint)| match endpoint {
            Endpoint::Cname(name) => Some(name),
            Endpoint::Addresses(_) | Endpoint::Alias(_) => None,
        });
        let Some(first) = names.clone().next() else { return };
        let key = format!("{key}.endpoints");
        if let Some(own) = names.find(|name| name.value == record.name.value) {
            let wanted = "another name than the record's own";
            self.error(&own.place, &key, format!("{}, a circle", own.value), wanted, None);
        }
        let nodes = &self.out.trees[tree.index()].nodes;
        if nodes.iter().any(|node| matches!(node.node, Node::Multivalue { .. })) {
            let found = "a cname in a policy that answers with several regions at once";
            let wanted = "a policy that chooses one region, for a name has one CNAME at most";
            let hint = Some("{ alias = … } serves the addresses behind the names".into());
            self.error(&first.place, key, found, wanted, hint);
        }
    }

    /// Warns of endpoints in regions that the record never answers from.
    fn astray(&mut self, own: &Own<'_>, slots: &[RegionId], key: &str) {
        let mut astray: Vec<_> = own.endpoints.iter().flatten().collect();
        astray.retain(|(region, _)| !slots.contains(region));
        astray.sort_by_key(|(region, _)| **region);
        for (_, (name, _)) in astray {
            let found = format!("\"{}\", which the record's policy does not lead to", name.value);
            let key = format!("{key}.endpoints");
            self.warn(&name.place, key, found, "only regions that take part");
        }
    }

    /// Reports pools that have nothing to serve.
    fn empty(&mut self, pools: &[Option<PoolId>], label: &str) {
        for id in pools.iter().flatten() {
            let pool = &self.out.pools[id.index()];
            let empty = pool.v4.is_empty() && pool.v6.is_empty() && !pool.is_unresolved();
            // Addresses that could not be read are reported already.
            if !empty || self.config.incomplete.addresses {
                continue;
            }
            let region = &self.config.regions[pool.region.index()];
            let of_region = self.out.regions[pool.region.index()].pool;
            if self.said.empty.insert(of_region) {
                let key = format!("regions.{}.addresses", region.name.value);
                let wanted = "at least one address, or endpoints in every record that leads here";
                let hint = Some(format!("the record {label} leads here"));
                self.error(&region.name.place, key, "no address", wanted, hint);
            }
        }
    }

    /// Warns when some regions have a family that others lack: their shares differ by family then.
    fn mixed(&mut self, pools: &[Option<PoolId>], family: Family, place: &Place, key: &str) {
        let (with, without): (Vec<PoolId>, Vec<PoolId>) = pools
            .iter()
            .flatten()
            // Which families an alias has is not known before it is looked up.
            .filter(|id| Family::BOTH.iter().any(|f| self.out.pools[id.index()].count(*f) > 0))
            .partition(|id| self.out.pools[id.index()].count(family) > 0);
        if with.is_empty() || without.is_empty() || self.config.incomplete.addresses {
            return;
        }
        let names = |ids: &[PoolId]| {
            let pools = ids.iter().map(|id| &self.out.pools[id.index()]);
            let names = pools.map(|p| &*self.out.regions[p.region.index()].name);
            names.collect::<Vec<_>>().join(", ")
        };
        let family_name = match family {
            Family::V4 => "IPv4",
            Family::V6 => "IPv6",
        };
        let found =
            format!("{family_name} addresses in {}, none in {}", names(&with), names(&without));
        if self.said.mixed.insert((family, without)) {
            let wanted = "the same address families in every region that takes part";
            self.warn(place, format!("{key}.policy"), found, wanted);
        }
    }
}

/// What a record brings instead of what its regions have.
struct Own<'a> {
    checks: Option<Vec<Arc<Check>>>,
    endpoints: Option<HashMap<RegionId, Given<'a>>>,
}

/// A region's name in the record, and what is given for it.
type Given<'a> = (&'a Spanned<String>, &'a Endpoint);
