//! What no record leads to: probably a record or a policy names something else than was meant.

use std::collections::HashSet;
use std::sync::Arc;

use super::Resolver;
use super::names::Named;
use crate::model::RegionId;

/// What is referred to.
#[derive(Default)]
pub(super) struct Used {
    /// Checks of regions and records.
    pub(super) checks: HashSet<Arc<str>>,
    /// Some record shares among every region.
    pub(super) every_region: bool,
    /// What records name themselves.
    roots: Vec<Named>,
}

impl Used {
    /// Notes that a record names this.
    pub(super) fn note(&mut self, named: Named) {
        self.roots.push(named);
    }
}

impl Resolver<'_> {
    /// Warns of checks, regions and policies that nothing refers to.
    pub(super) fn unused(&mut self) {
        if self.unknown || self.config.incomplete.references {
            return;
        }
        let config = self.config;
        let reached = self.reached();
        for check in config.checks.iter().filter(|c| !self.used.checks.contains(&*c.name.value)) {
            let key = format!("checks.{}", check.name.value);
            self.problems.push(unused(&check.name, key, "a check that nothing uses"));
        }
        for (id, region) in (0..=u16::MAX).zip(&config.regions) {
            if !reached.contains(&Named::Region(RegionId(id))) && !self.used.every_region {
                let key = format!("regions.{}", region.name.value);
                self.problems.push(unused(&region.name, key, "a region that no record leads to"));
            }
        }
        for (at, policy) in config.policies.iter().enumerate() {
            if !reached.contains(&Named::Policy(at)) {
                let key = format!("policies.{}", policy.name.value);
                self.problems.push(unused(&policy.name, key, "a policy that no record leads to"));
            }
        }
    }

    /// Everything that records lead to.
    fn reached(&self) -> HashSet<Named> {
        let mut reached = HashSet::new();
        let mut next = self.used.roots.clone();
        while let Some(named) = next.pop() {
            if reached.insert(named)
                && let Named::Policy(at) = named
            {
                next.extend(self.plans[at].members());
            }
        }
        reached
    }
}

fn unused(
    name: &crate::config::Spanned<Arc<str>>,
    key: String,
    found: &str,
) -> crate::problem::Problem {
    let wanted = "something that refers to it, or no such table";
    crate::problem::Problem::warning(name.place.clone(), key, found, wanted)
}
