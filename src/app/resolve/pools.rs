//! Pools: a region's addresses and checks, or a record's own; and how they will be probed.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::Resolver;
use super::build::number;
use crate::config::{self, Concurrency, Policy, PolicyKind, Spanned};
use crate::model::{
    self, Check, Destination, Endpoint, Family, Judging, NamedWindow, Planning, Pool, PoolId,
    Probe, Querying, Region, RegionId, Window, forbidden, probes_at_once,
};
use crate::problem::Place;
use crate::wire::Name;

/// Everything that is probed for these pools, each (check, destination) once, in the pools' order.
#[must_use]
pub fn probed(regions: &[Region], pools: &[Pool]) -> Vec<(Arc<Check>, Destination)> {
    let mut seen = HashSet::new();
    let mut all = Vec::new();
    for pool in pools {
        let region = &regions[pool.region.index()].name;
        for check in &model::probed(&pool.checks) {
            for address in Family::BOTH.into_iter().flat_map(|family| pool.addresses(family)) {
                let destination = pool.destination(region, check, address);
                if seen.insert((Arc::clone(&check.name), destination.clone())) {
                    all.push((Arc::clone(check), destination));
                }
            }
        }
    }
    all
}

impl Resolver<'_> {
    /// Makes the regions and their own pools.
    pub(super) fn region_pools(&mut self) {
        let config = self.config;
        for (id, region) in (0..=u16::MAX).zip(&config.regions) {
            let key = format!("regions.{}", region.name.value);
            let checks = self.checks_named(&region.check, &format!("{key}.check"));
            let pool = self.pool(
                RegionId(id),
                None,
                &region.addresses,
                checks,
                &format!("{key}.addresses"),
            );
            self.out.regions.push(Region {
                name: Arc::clone(&region.name),
                weight: region.weight,
                location: region.location,
                capacity: region.capacity,
                pool,
            });
        }
        // A tree numbers its regions and its rings together.
        let is_ring = |policy: &&Policy| matches!(policy.kind, PolicyKind::Multivalue { .. });
        let rings = 1 + config.policies.iter().filter(is_ring).count();
        if let Some(region) = config.regions.get(65_536_usize.saturating_sub(rings)) {
            let wanted = "fewer than 65536 regions and multivalue policies";
            self.error(&region.name.place, "regions", "more", wanted, None);
        }
        for check in &config.checks {
            self.target(check);
        }
    }

    /// Adds a pool, and reports what is wrong with its addresses. `key` names who brings them.
    pub(super) fn pool(
        &mut self,
        region: RegionId,
        record: Option<Arc<str>>,
        addresses: &[Spanned<IpAddr>],
        checks: Vec<Arc<Check>>,
        key: &str,
    ) -> PoolId {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for address in addresses {
            match address.value {
                IpAddr::V4(a) => v4.push(a),
                IpAddr::V6(a) => v6.push(a),
            }
            self.home(address, region, key);
            if checks.iter().any(|c| c.target.is_none()) {
                self.forbidden(address.value, &address.place, key);
            }
        }
        self.add(region, record, Endpoint::Given, (v4, v6), checks)
    }

    /// Adds a pool of a name that is looked up.
    pub(super) fn alias_pool(
        &mut self,
        region: RegionId,
        record: Option<Arc<str>>,
        name: &Spanned<Name>,
        checks: Vec<Arc<Check>>,
    ) -> PoolId {
        let endpoint = Endpoint::Alias(name.value.clone());
        self.add(region, record, endpoint, (Vec::new(), Vec::new()), checks)
    }

    /// Adds a pool of a name that is served itself.
    pub(super) fn cname_pool(
        &mut self,
        region: RegionId,
        record: Option<Arc<str>>,
        name: &Spanned<Name>,
        checks: Vec<Arc<Check>>,
    ) -> PoolId {
        let (v4, v6) = Pool::STAND_INS;
        let endpoint = Endpoint::Cname(name.value.clone());
        self.add(region, record, endpoint, (vec![v4], vec![v6]), checks)
    }

    fn add(
        &mut self,
        region: RegionId,
        record: Option<Arc<str>>,
        endpoint: Endpoint,
        (v4, v6): (Vec<Ipv4Addr>, Vec<Ipv6Addr>),
        checks: Vec<Arc<Check>>,
    ) -> PoolId {
        let spec = &self.config.regions[region.index()];
        let (min_healthy, calm) = (spec.min_healthy, spec.calm);
        let pool = Pool { region, record, endpoint, v4, v6, checks, min_healthy, calm };
        self.out.pools.push(pool);
        PoolId(number(self.out.pools.len() - 1))
    }

    /// Warns of an address that two regions have: what is done to one then hits the other.
    fn home(&mut self, address: &Spanned<IpAddr>, region: RegionId, key: &str) {
        let first = *self.homes.entry(address.value).or_insert(region);
        if first != region {
            let other = &self.config.regions[first.index()].name.value;
            let found = format!("{}, which is an address of {other}, too", address.value);
            self.warn(&address.place, key, found, "each address in one region");
        }
    }

    fn target(&mut self, check: &config::Check) {
        if let Some(target) = &check.target
            && let Destination::Address(address) = target.value
        {
            let key = format!("checks.{}.target", check.name.value);
            self.forbidden(address, &target.place, &key);
        }
    }

    /// Refuses to probe the machine's surroundings unless that is allowed.
    fn forbidden(&mut self, address: IpAddr, place: &Place, key: &str) {
        let forbidden = forbidden(address, &self.config.probe.allow);
        if forbidden && self.said.forbidden.insert(address) {
            let found = format!("{address}, which would be probed");
            let wanted = "an address that is neither link-local nor of a cloud's metadata service";
            let hint = format!("if it must be probed: [probe] allow = [\"{address}\"]");
            self.error(place, key, found, wanted, Some(hint));
        }
    }

    /// How health is judged as a whole.
    pub(super) fn judging(&mut self) -> Judging {
        Judging {
            damping: self.config.damping.in_force(),
            safety: self.config.safety.bounds,
            references: self.references(),
        }
    }

    /// What is planned, and how plans are watched.
    pub(super) fn planning(&mut self) -> Planning {
        let plans = &self.config.plans;
        let querying = plans.prometheus.clone().map(|url| Querying {
            url,
            token_file: plans.token_file.clone(),
            ca_file: plans.ca_file.clone(),
            interval: plans.interval,
            timeout: plans.timeout,
        });
        let mut windows = Vec::new();
        for window in &self.config.windows {
            let key = format!("windows.{}.regions", window.name.value);
            let known = window.regions.iter();
            let known = known.filter(|name| self.region_named(name, &key).is_some());
            let regions = known.map(|name| name.value.clone()).collect();
            windows.push(NamedWindow {
                name: Arc::clone(&window.name.value),
                window: Window {
                    regions,
                    from_ms: window.from_ms,
                    to_ms: window.to_ms,
                    drain_over: window.drain_over,
                    return_over: window.return_over,
                    known_ms: 0,
                },
                reason: window.reason.clone(),
            });
        }
        Planning { querying, windows }
    }

    /// Warns when probes would wait for each other while everything hangs.
    pub(super) fn concurrency(&mut self) {
        let probed = probed(&self.out.regions, &self.out.pools);
        let needed = probes_at_once(probed.iter().map(|(check, _)| check.timing));
        if let Concurrency::Count(count) = &self.config.probe.concurrency
            && usize::from(count.value) < needed
        {
            let wanted = format!(
                "\"auto\" or at least {needed}, so that no probe waits while every target hangs"
            );
            self.warn(&count.place, "probe.concurrency", count.value.to_string(), wanted);
        }
        let programs = probed.iter().filter(|(check, _)| matches!(check.probe, Probe::Exec(_)));
        let needed = probes_at_once(programs.map(|(check, _)| check.timing));
        let at_once = self.config.probe.exec_at_once.clone();
        // Where nothing is written, the first of those that are too many.
        let mut exec = self.config.checks.iter();
        let exec = exec.find(|check| matches!(check.spec.probe, Probe::Exec(_)));
        let place = match (&at_once.place, exec) {
            (Place::File(none), Some(check)) if none.as_os_str().is_empty() => &check.name.place,
            (written, _) => written,
        };
        if usize::from(at_once.value) < needed {
            let wanted = format!(
                "at least {needed}, so that no program waits while every one of them hangs"
            );
            self.warn(place, "probe.exec_at_once", at_once.value.to_string(), wanted);
        }
    }
}
