//! From a configuration to the model: names become numbers, policies become trees, regions and
//! records become pools, and everything that concerns more than one section is checked.
//!
//! What needs the contents of zone files is left to what loads them.

mod build;
mod circles;
mod names;
mod policies;
mod pools;
mod records;
mod supplied;
#[cfg(test)]
mod tests;
mod ties;
#[cfg(test)]
mod trees;
mod unused;

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use crate::config::{self, Config};
use crate::model::{self, Binding, BindingId, PoolId, TreeId};
use crate::problem::{Place, Problem, Problems};
use crate::routing::Parts;
use build::Root;
use names::{AllDown, Names};
use policies::Plan;

pub use pools::probed;
pub use supplied::{depends_on_sources, supplied};

/// Resolves a configuration, and leaves all its problems in the order of the file. What it
/// returns is only complete when no problem is an error.
#[must_use]
pub fn resolve(config: &Config, problems: &mut Problems) -> Parts {
    let mut resolver = Resolver::new(config, problems);
    resolver.calculated();
    resolver.region_pools();
    resolver.policies();
    resolver.default_all_down();
    for record in &config.records {
        resolver.record(record);
    }
    resolver.out.judging = resolver.judging();
    resolver.out.planning = resolver.planning();
    resolver.out.foresight = config.simulate;
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
    out: Parts,
}

#[derive(Default)]
struct Said {
    empty: HashSet<PoolId>,
    forbidden: HashSet<IpAddr>,
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
            out: Parts::default(),
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
