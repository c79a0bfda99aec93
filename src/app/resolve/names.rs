//! Names of regions, policies and checks, and what they stand for.

use std::collections::HashMap;
use std::sync::Arc;

use super::Resolver;
use crate::config::{self, Config, Spanned};
use crate::model::{Check, RegionId};
use crate::problem::nearest;

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
