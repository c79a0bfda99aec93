//! Names of regions, policies and checks, and what they stand for.

use std::collections::HashMap;
use std::sync::Arc;

use super::Resolver;
use crate::config::{self, Config, Spanned};
use crate::model::{self, Calculated, Check, RegionId};
use crate::problem::nearest;

/// How deep calculated checks may be nested.
const CALCULATED_DEPTH: usize = 16;

/// What a name in the space of regions and policies stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Named {
    /// A region.
    Region(RegionId),
    /// A policy, by its position in the configuration.
    Policy(usize),
}

/// What is answered when all is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum AllDown {
    /// As if all were up.
    Open,
    /// Nothing.
    Closed,
    /// With the health that was last not all down.
    LastGood,
    /// As this would, health ignored.
    Instead(Named),
}

/// The names of regions and policies.
pub(super) struct Names<'a>(HashMap<&'a str, Named>);

impl<'a> Names<'a> {
    pub(super) fn new(config: &'a Config) -> Self {
        let policies = config.policies.iter().enumerate();
        let policies = policies.map(|(at, p)| (&**p.name, Named::Policy(at)));
        let regions = (0..=u16::MAX).zip(&config.regions);
        let regions = regions.map(|(id, r)| (&**r.name, Named::Region(RegionId(id))));
        Self(policies.chain(regions).collect())
    }
}

impl Resolver<'_> {
    /// The region or policy of a name; an unknown name is reported. Some words would have been
    /// understood, too.
    pub(super) fn named(
        &mut self,
        name: &Spanned<String>,
        key: &str,
        words: &[&str],
    ) -> Option<Named> {
        let found = self.names.0.get(name.as_str()).copied();
        if found.is_none() {
            let known = self.names.0.keys().chain(words).copied().collect();
            let or = words.iter().map(|word| format!(", or {word:?}")).collect::<String>();
            let wanted = format!("the name of a region or a policy{or}");
            self.report_unknown(name, key, &wanted, known);
        }
        found
    }

    /// The region of a name; anything else is reported.
    pub(super) fn region_named(&mut self, name: &Spanned<String>, key: &str) -> Option<RegionId> {
        match self.names.0.get(name.as_str()) {
            Some(Named::Region(id)) => return Some(*id),
            Some(Named::Policy(_)) => {
                let found = format!("\"{}\", a policy", name.value);
                self.error(&name.place, key, found, "the name of a region", None);
            }
            None => {
                let known = self.config.regions.iter().map(|r| &*r.name.value).collect();
                self.report_unknown(name, key, "the name of a region", known);
            }
        }
        None
    }

    /// The checks of these names; unknown names are reported and left out.
    pub(super) fn checks_named(&mut self, names: &[Spanned<String>], key: &str) -> Vec<Arc<Check>> {
        let mut checks = Vec::with_capacity(names.len());
        for name in names {
            if let Some(check) = self.checks.get(name.as_str()) {
                self.used.checks.insert(Arc::clone(&check.name));
                checks.push(Arc::clone(check));
            } else {
                let known = self.checks.keys().copied().collect();
                self.report_unknown(name, key, "the name of a check", known);
            }
        }
        checks
    }

    /// Gives each calculated check what it looks at: afterwards a name stands for all of it.
    pub(super) fn calculated(&mut self) {
        let mut path = Vec::new();
        for check in &self.config.checks {
            self.calculate(check, &mut path);
        }
    }

    fn calculate(&mut self, check: &config::Check, path: &mut Vec<Arc<str>>) -> Option<Arc<Check>> {
        let (name, key) = (&check.name, format!("checks.{}.of", check.name.value));
        let known = self.checks.get(&*name.value).cloned();
        let model::Probe::Calculated(Calculated { at_least, .. }) = check.spec.probe else {
            return known;
        };
        // It is done already.
        if known.as_ref().is_some_and(|known| !Arc::ptr_eq(known, &check.spec)) {
            return known;
        }
        if let Some(start) = path.iter().position(|above| *above == name.value) {
            let circle: String = path.iter().skip(start).map(|at| format!("{at} → ")).collect();
            let found = format!("the circle {circle}{}", name.value);
            let wanted = "checks that do not look at themselves";
            self.error(&name.place.clone(), key, found, wanted, None);
            return None;
        }
        if path.len() >= CALCULATED_DEPTH {
            let wanted = format!("calculated checks nested at most {CALCULATED_DEPTH} deep");
            self.error(&name.place.clone(), key, "more, one within the other", wanted, None);
            return None;
        }
        path.push(Arc::clone(&name.value));
        let mut of = Vec::with_capacity(check.of.len());
        for other in &check.of {
            match self.config.checks.iter().find(|check| *check.name.value == *other.value) {
                Some(found) => {
                    self.used.checks.insert(Arc::clone(&found.name.value));
                    of.extend(self.calculate(found, path));
                }
                None => {
                    let known = self.checks.keys().copied().collect();
                    self.report_unknown(other, &key, "the name of a check", known);
                }
            }
        }
        path.pop();
        let probe = model::Probe::Calculated(Calculated { of, at_least });
        let made = Arc::new(Check { probe, ..(*check.spec).clone() });
        let config = self.config;
        let mut names = config.checks.iter().map(|other| &*other.name.value);
        if let Some(name) = names.find(|name| **name == *check.name.value) {
            self.checks.insert(name, Arc::clone(&made));
        }
        Some(made)
    }

    /// The checks by which this nameserver tells whether it is cut off.
    pub(super) fn references(&mut self) -> Vec<Arc<Check>> {
        let mut checks = Vec::new();
        for name in &self.config.safety.references {
            let found = self.checks_named(std::slice::from_ref(name), "safety.references");
            let Some(check) = found.into_iter().next() else { continue };
            let probes_itself = !matches!(check.probe, model::Probe::Calculated(_));
            if probes_itself && check.asks_of_its_own() {
                checks.push(check);
                continue;
            }
            let found = format!("\"{}\", which is probed where it is served", name.value);
            let wanted = "a check that has a target";
            self.error(&name.place, "safety.references", found, wanted, None);
        }
        checks
    }

    /// What `on_all_down` means; `None` when it names what does not exist.
    pub(super) fn all_down(&mut self, all_down: &config::AllDown, key: &str) -> Option<AllDown> {
        match all_down {
            config::AllDown::Open => Some(AllDown::Open),
            config::AllDown::Closed => Some(AllDown::Closed),
            config::AllDown::LastGood => Some(AllDown::LastGood),
            config::AllDown::Named(name) => {
                self.named(name, key, &["open", "closed", "last_good"]).map(AllDown::Instead)
            }
        }
    }

    fn report_unknown(
        &mut self,
        name: &Spanned<String>,
        key: &str,
        wanted: &str,
        mut known: Vec<&str>,
    ) {
        // The same hint each time, whatever the order of the map.
        known.sort_unstable();
        let near = nearest(name, known.iter().copied());
        let hint = near.map(|near| format!("did you mean \"{near}\"?"));
        let wanted = match known.is_empty() {
            true => format!("{wanted}, of which there are none"),
            false => wanted.into(),
        };
        self.unknown = true;
        self.error(&name.place, key, format!("the unknown name \"{}\"", name.value), wanted, hint);
    }
}
