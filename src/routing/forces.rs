//! What operators force, by position: the third input of a compile, beside configuration and health.

use std::collections::BTreeMap;

use crate::model::{BindingId, Forcing, RegionId};

use super::assembly::Assembly;

/// What is forced on regions everywhere, and on regions in the records of a binding.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Forces {
    regions: BTreeMap<RegionId, Forcing>,
    bindings: BTreeMap<BindingId, BTreeMap<RegionId, Forcing>>,
}

impl Forces {
    /// Whether nothing is forced.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.regions.is_empty() && self.bindings.is_empty()
    }

    /// What is forced on a region in all records, to be added to.
    pub fn on_region(&mut self, region: RegionId) -> &mut Forcing {
        self.regions.entry(region).or_default()
    }

    /// What is forced on a region in the records of a binding alone, to be added to.
    pub fn in_binding(&mut self, binding: BindingId, region: RegionId) -> &mut Forcing {
        self.bindings.entry(binding).or_default().entry(region).or_default()
    }

    /// All that is forced on a region in the records of a binding.
    #[must_use]
    pub fn of(&self, binding: BindingId, region: RegionId) -> Forcing {
        let all = self.regions.get(&region).copied().unwrap_or_default();
        let own = self.bindings.get(&binding).and_then(|own| own.get(&region));
        all.with(own.copied().unwrap_or_default())
    }

    /// What is forced on a region in all records.
    #[must_use]
    pub fn of_region(&self, region: RegionId) -> Forcing {
        self.regions.get(&region).copied().unwrap_or_default()
    }

    /// The bindings in which something else is forced than in `was`.
    pub(super) fn changed<'a>(
        &'a self,
        was: &'a Self,
        assembly: &'a Assembly,
    ) -> impl Iterator<Item = BindingId> + 'a {
        let regions = self.regions.keys().chain(was.regions.keys());
        let regions: Vec<RegionId> = regions
            .copied()
            .filter(|region| self.of_region(*region) != was.of_region(*region))
            .collect();
        let pools = (0..).map(crate::model::PoolId).zip(&assembly.pools);
        let pools = pools.filter(move |(_, pool)| regions.contains(&pool.region));
        let of_regions = pools.flat_map(|(pool, _)| assembly.bindings_of(pool)).copied();
        let own = self.bindings.keys().chain(was.bindings.keys()).copied();
        let own = own.filter(|id| self.bindings.get(id) != was.bindings.get(id));
        of_regions.chain(own)
    }
}
