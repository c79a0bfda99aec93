//! The metrics of a target's results, found once: looking them up by their labels for each result would
//! cost as much as all else that is done with it.

use std::net::IpAddr;
use std::time::Duration;

use super::state::Tracked;
use crate::metrics::{CheckResults, CheckUp, Metrics};
use crate::routing::Assembly;

/// Where the results of one target are counted.
#[derive(Debug)]
pub(super) struct Counters {
    /// One for each region whose pools it concerns.
    results: Vec<CheckResults>,
    /// One for each address that it stands for.
    up: Vec<CheckUp>,
}

impl Counters {
    /// Those of a target, which has been observed.
    pub(super) fn new(metrics: &Metrics, assembly: &Assembly, tracked: &Tracked) -> Self {
        let is_up = tracked.is_up();
        let check = &tracked.target.check.name;
        let (mut counted, mut results, mut up) = (Vec::new(), Vec::new(), Vec::new());
        for (pool, addresses) in &tracked.pools {
            let region = assembly.pools[pool.index()].region;
            let name = &assembly.regions[region.index()].name;
            if !counted.contains(&region) {
                counted.push(region);
                results.push(metrics.check_results(name, check));
            }
            let shown =
                |address: &IpAddr| metrics.check_up(name, check, &address.to_string(), is_up);
            up.extend(addresses.iter().map(shown));
        }
        Self { results, up }
    }

    /// Counts one result, and shows what it made of the target.
    pub(super) fn count(&self, passed: bool, took: Duration, up: bool) {
        self.results.iter().for_each(|results| results.count(passed, took));
        self.up.iter().for_each(|shown| shown.set(up));
    }
}
