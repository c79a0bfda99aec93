//! From a configuration to the model: names become numbers, policies become trees, regions and
//! records become pools, and everything that concerns more than one section is checked.
//!
//! What needs the contents of zone files is left to what loads them.

mod build;
mod names;
mod policies;
mod pools;
mod records;
#[cfg(test)]
mod tests;
mod unused;

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{self, Config};
use crate::model::{self, Binding, BindingId, Pool, PoolId, Record, Region, Tree, TreeId};
use crate::problem::{Place, Problem, Problems};
use build::Root;
use names::{AllDown, Names};
use policies::Plan;

pub use pools::probes_at_once;

/// What a configuration means. Ids index its vectors.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Resolved {
    /// The regions, in the order of the configuration.
    pub regions: Vec<Region>,
    /// The regions' pools in the regions' order, then those of records.
    pub pools: Vec<Pool>,
    /// The trees, each once for all records that have the same policy and do the same when all is
    /// down.
    pub trees: Vec<Tree>,
    /// Trees with pools in their slots, each once.
    pub bindings: Vec<Binding>,
    /// The records, in the order of the configuration.
    pub records: Vec<Record>,
}

impl Resolved {
    /// The worst of the [worst cases](model::worst_case) of all checks that a record depends on:
    /// detection, and client cut-over. `None` when it depends on none.
    #[must_use]
    pub fn worst_case(&self, record: &Record) -> Option<(Duration, Duration)> {
        let binding = self.bindings.get(record.binding.index())?;
        let pools = binding.pools.iter().flatten().filter_map(|id| self.pools.get(id.index()));
        pools
            .flat_map(|pool| &pool.checks)
            .map(|check| model::worst_case(check.timing, record.ttl, record.ttl_min))
            .reduce(|a, b| (a.0.max(b.0), a.1.max(b.1)))
    }
}

/// Resolves a configuration, and leaves all its problems in the order of the file. What it returns is only complete when no problem is an error.
#[must_use]
pub fn resolve(config: &Config, problems: &mut Problems) -> Resolved {
    let mut resolver = Resolver::new(config, problems);
    resolver.region_pools();
    resolver.policies();
    resolver.default_all_down();
    for record in &config.records {
        resolver.record(record);
    }
    resolver.concurrency();
    resolver.unused();
    let resolved = resolver.out;
    config::in_file_order(problems);
    resolved
}

/// What the parts of the work share.
struct Resolver<'a> {
    config: &'a Config,
    problems: &'a mut Problems,
    names: Names<'a>,
    checks: HashMap<&'a str, Arc<model::Check>>,
    /// The policies with their references followed, in the order of the configuration.
    plans: Vec<Plan>,
    /// No policy leads back to itself, and none is nested too deep.
    buildable: bool,
    /// Some name is unknown, so what looks unused may have been meant.
    unknown: bool,
    default_all_down: AllDown,
    trees: HashMap<(Root, AllDown), TreeId>,
    bindings: HashMap<Binding, BindingId>,
    records: HashMap<&'a crate::wire::Name, &'a Place>,
    /// The region that an address was first seen in.
    homes: HashMap<IpAddr, model::RegionId>,
    /// What has been reported once for all.
    said: Said,
    used: unused::Used,
    out: Resolved,
}

#[derive(Default)]
struct Said {
    empty: HashSet<PoolId>,
    sensitive: HashSet<IpAddr>,
    mixed: HashSet<(model::Family, Vec<PoolId>)>,
}

impl<'a> Resolver<'a> {
    fn new(config: &'a Config, problems: &'a mut Problems) -> Self {
        let checks = config.checks.iter().map(|c| (&**c.name, Arc::clone(&c.spec)));
        Self {
            config,
            problems,
            names: Names::new(config),
            checks: checks.collect(),
            plans: Vec::new(),
            buildable: true,
            unknown: false,
            default_all_down: AllDown::Open,
            trees: HashMap::new(),
            bindings: HashMap::new(),
            records: HashMap::new(),
            homes: HashMap::new(),
            said: Said::default(),
            used: unused::Used::default(),
            out: Resolved::default(),
        }
    }

    fn error(
        &mut self,
        place: &Place,
        key: impl Into<String>,
        found: impl Into<String>,
        wanted: impl Into<String>,
        hint: Option<String>,
    ) {
        let problem = Problem::error(place.clone(), key, found, wanted);
        self.problems.push(Problem { hint, ..problem });
    }

    fn warn(
        &mut self,
        place: &Place,
        key: impl Into<String>,
        found: impl Into<String>,
        wanted: impl Into<String>,
    ) {
        self.problems.push(Problem::warning(place.clone(), key, found, wanted));
    }
}
