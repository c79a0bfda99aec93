//! What routing must remember: by position while an assembly is in force, by name from one to the
//! next and across restarts.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::health::PoolHealth;
use crate::model::{BindingId, Family, OnAllDown, PoolId};
use crate::routing::{Assembly, Remembered, Snapshot};
use crate::wire::Name;

/// What `last_good` goes back to, by binding.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) last_good: Arc<Vec<Option<Arc<Remembered>>>>,
}

/// The last good health of a record: by family (IPv4 first) the health factor of each region by
/// name. `None`: there was never any.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LastGood(pub [Option<BTreeMap<String, f64>>; 2]);

impl Memory {
    /// For an assembly, from what is known of its records.
    pub(super) fn new(assembly: &Assembly, known: impl Fn(&Name) -> Option<LastGood>) -> Self {
        let all = (0..assembly.bindings.len() as u32).map(BindingId);
        let recall = |id| {
            let mut records = assembly.records_of(id).filter(|_| asks(assembly, id));
            let good = records.find_map(|record| known(&record.name))?;
            Some(Arc::new(placed(assembly, id, &good)))
        };
        Self { last_good: Arc::new(all.map(recall).collect()) }
    }

    /// The same for another assembly, in which bindings are found again by any of their records.
    pub(super) fn carried(&self, from: &Assembly, to: &Assembly) -> Self {
        let mut records: HashMap<&Name, BindingId> = HashMap::new();
        for (id, good) in (0..).map(BindingId).zip(self.last_good.iter()) {
            if good.is_some() {
                records.extend(from.records_of(id).map(|record| (&record.name, id)));
            }
        }
        Self::new(to, |record| self.of(from, *records.get(record)?))
    }

    /// Takes over what a snapshot has made of a binding, if that is good. Returns whether
    /// something is remembered now that was not.
    pub(super) fn learn(
        &mut self,
        snapshot: &Snapshot,
        id: BindingId,
        pools: &[PoolHealth],
    ) -> bool {
        if !asks(&snapshot.assembly, id) {
            return false;
        }
        let doubtful = |pool: PoolId, family| {
            let health = pools[pool.index()].of(family);
            let unknown = snapshot.assembly.pools[pool.index()].is_unresolved();
            health.flip.is_some() || !health.settled || unknown
        };
        let was = self.last_good.get(id.index()).cloned().flatten().unwrap_or_default();
        let mut is = Remembered::clone(&was);
        for family in Family::BOTH {
            if let Some(good) = snapshot.good(id, family, doubtful) {
                is.family[family.index()] = Some(good);
            }
        }
        if is == *was {
            return false;
        }
        if let Some(place) = Arc::make_mut(&mut self.last_good).get_mut(id.index()) {
            *place = Some(Arc::new(is));
        }
        true
    }

    /// What is remembered of a binding, by name.
    pub(super) fn of(&self, assembly: &Assembly, id: BindingId) -> Option<LastGood> {
        let good = self.last_good.get(id.index())?.as_ref()?;
        let slots = &assembly.trees[assembly.bindings[id.index()].tree.index()].slots;
        let names = slots.iter().map(|region| assembly.regions[region.index()].name.to_string());
        let by_name = |h: &[f64]| names.clone().zip(h.iter().copied()).collect();
        Some(LastGood(Family::BOTH.map(|f| good.family[f.index()].as_deref().map(by_name))))
    }

    /// The bindings of which something is remembered.
    pub(super) fn all(&self) -> impl Iterator<Item = BindingId> {
        let good = (0..).map(BindingId).zip(self.last_good.iter());
        good.filter(|(_, good)| good.is_some()).map(|(id, _)| id)
    }
}

fn asks(assembly: &Assembly, id: BindingId) -> bool {
    let tree = assembly.bindings[id.index()].tree;
    assembly.trees[tree.index()].on_all_down == OnAllDown::LastGood
}

/// By the slots of a binding: a region that was not there was down.
fn placed(assembly: &Assembly, id: BindingId, good: &LastGood) -> Remembered {
    let slots = &assembly.trees[assembly.bindings[id.index()].tree.index()].slots;
    let placed = |h: &BTreeMap<String, f64>| {
        let region = |region: &crate::model::RegionId| &*assembly.regions[region.index()].name;
        slots.iter().map(|slot| h.get(region(slot)).copied().unwrap_or_default()).collect()
    };
    Remembered { family: Family::BOTH.map(|f| good.0[f.index()].as_ref().map(placed)) }
}
