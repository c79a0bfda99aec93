//! What was configured, checked and immutable, in the form that shares are compiled from.

use std::sync::Arc;

use crate::model::{Binding, BindingId, Pool, PoolId, Record, RecordId, Region, Tree};
use crate::zone::Names;

use super::snapshot::{Options, ServedRecord};

/// All that a configuration and its zones say about answers. Made by `app::load`, never changed.
#[derive(Debug)]
pub struct Assembly {
    /// The regions.
    pub regions: Vec<Region>,
    /// The pools: the regions' own, then those of records.
    pub pools: Vec<Pool>,
    /// The policy trees.
    pub trees: Vec<Tree>,
    /// Trees with pools in their slots.
    pub bindings: Vec<Binding>,
    /// The dynamic records.
    pub records: Vec<Record>,
    /// The index over all names.
    pub names: Arc<Names>,
    /// The records in the form that is served.
    pub served: Arc<[ServedRecord]>,
    /// What shapes answers beside names and shares.
    pub options: Options,
    pool_bindings: Vec<Vec<BindingId>>,
    binding_records: Vec<Vec<RecordId>>,
}

/// What [`Assembly::new`] is made from.
#[derive(Debug, Default)]
pub struct Parts {
    /// The regions.
    pub regions: Vec<Region>,
    /// The pools: the regions' own, then those of records.
    pub pools: Vec<Pool>,
    /// The policy trees.
    pub trees: Vec<Tree>,
    /// Trees with pools in their slots.
    pub bindings: Vec<Binding>,
    /// The dynamic records.
    pub records: Vec<Record>,
}

impl Assembly {
    /// Puts the parts together. `column` gives the counter for the answers that a record gives
    /// from a region.
    pub fn new(
        parts: Parts,
        names: Arc<Names>,
        options: Options,
        mut column: impl FnMut(&Region, &Record) -> u32,
    ) -> Self {
        let Parts { regions, pools, trees, bindings, records } = parts;
        let mut pool_bindings = vec![Vec::new(); pools.len()];
        for (at, binding) in bindings.iter().enumerate() {
            for pool in binding.pools.iter().flatten() {
                let list: &mut Vec<BindingId> = &mut pool_bindings[pool.index()];
                let id = BindingId(at as u32);
                if list.last() != Some(&id) {
                    list.push(id);
                }
            }
        }
        let mut binding_records = vec![Vec::new(); bindings.len()];
        for (at, record) in records.iter().enumerate() {
            binding_records[record.binding.index()].push(RecordId(at as u32));
        }
        let served = records
            .iter()
            .map(|record| {
                let tree = &trees[bindings[record.binding.index()].tree.index()];
                let columns = tree.slots.iter().map(|slot| column(&regions[slot.index()], record));
                ServedRecord {
                    binding: record.binding,
                    ttl: record.ttl,
                    ttl_min: record.ttl_min,
                    max_answers: u16::from(record.max_answers),
                    columns: columns.collect(),
                }
            })
            .collect();
        Self {
            regions,
            pools,
            trees,
            bindings,
            records,
            names,
            served,
            options,
            pool_bindings,
            binding_records,
        }
    }

    /// The bindings that a pool stands in.
    #[must_use]
    pub fn bindings_of(&self, pool: PoolId) -> &[BindingId] {
        self.pool_bindings.get(pool.index()).map_or(&[], Vec::as_slice)
    }

    /// The records that draw from a binding.
    pub fn records_of(&self, binding: BindingId) -> impl ExactSizeIterator<Item = &Record> {
        let ids = self.binding_records.get(binding.index()).map_or(&[][..], Vec::as_slice);
        ids.iter().map(|id| &self.records[id.index()])
    }

    /// A pool as it is called in logs: its region, and the record that brought its own endpoints.
    #[must_use]
    pub fn pool_name(&self, id: PoolId) -> String {
        let pool = &self.pools[id.index()];
        let region = &self.regions[pool.region.index()].name;
        match &pool.record {
            Some(record) => format!("{region} (for {record})"),
            None => region.to_string(),
        }
    }
}
