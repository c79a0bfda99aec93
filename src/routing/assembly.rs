//! What was configured, checked and immutable, in the form that shares are compiled from.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use crate::metrics::Tally;
use crate::model::{
    Binding, BindingId, Endpoint, Foresight, Judging, Planning, Pool, PoolId, Record, RecordId,
    Region, Resolved, Tree, TreeId, probed, worst_case,
};
use crate::wire::Name;
use crate::zone::Names;

use super::counting::{CELLS_MAX, CountedBy, Layout};
use super::options::Options;
use super::places::Places;
use super::snapshot::ServedRecord;
use super::stand_ins::{Columns, StandIns};
use super::sticky::Seeds;
use super::timed::Timed;

/// What a configuration says about shares; ids index its vectors.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parts {
    /// The regions, in the order of the configuration.
    pub regions: Vec<Region>,
    /// The regions' pools in the regions' order, then those of records.
    pub pools: Vec<Pool>,
    /// The policy trees, each once for all records that have the same policy and do the same when
    /// all is down.
    pub trees: Vec<Tree>,
    /// Trees with pools in their slots, each once.
    pub bindings: Vec<Binding>,
    /// The dynamic records, in the order of the configuration.
    pub records: Vec<Record>,
    /// How health is judged.
    pub judging: Judging,
    /// What is planned, and how plans are watched.
    pub planning: Planning,
    /// What a simulation goes by.
    pub foresight: Foresight,
}

impl Parts {
    /// The worst of the [worst cases](worst_case) of all checks that a record depends on:
    /// detection, and client cut-over. `None` when it depends on none.
    #[must_use]
    pub fn worst_case(&self, record: &Record) -> Option<(Duration, Duration)> {
        let binding = self.bindings.get(record.binding.index())?;
        let pools = binding.pools.iter().flatten().filter_map(|id| self.pools.get(id.index()));
        pools
            .flat_map(|pool| probed(&pool.checks))
            .filter(|check| check.decides())
            .map(|check| worst_case(check.timing, record.ttl, record.ttl_min))
            .reduce(|a, b| (a.0.max(b.0), a.1.max(b.1)))
    }
}

/// All that a configuration and its zones say about answers. Made by `app::load`, never changed.
#[derive(Debug, Clone)]
pub struct Assembly {
    pub(super) parts: Parts,
    /// The index over all names.
    pub names: Arc<Names>,
    /// The records in the form that is served.
    pub served: Arc<[ServedRecord]>,
    /// How to tell clients apart.
    pub places: Arc<Places>,
    /// What shapes answers beside names and shares.
    pub options: Options,
    pub(super) pool_bindings: Vec<Vec<BindingId>>,
    /// Where queries are counted by class of clients; assemblies that differ in overrides or addresses
    /// alone have it in common.
    pub tally: Arc<Tally>,
    /// What is counted by itself there.
    pub counted_by: CountedBy,
    binding_records: Vec<Vec<RecordId>>,
    pub(super) seeds: Vec<Option<Seeds>>,
    pub(super) timed: Option<Timed>,
    pub(super) stand_ins: StandIns,
    pub(super) columns: Option<Columns>,
}

impl Deref for Assembly {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

impl Assembly {
    /// Puts the parts together. `column` gives the counter for the answers that a record gives
    /// from a region.
    pub fn new(
        parts: Parts,
        names: Arc<Names>,
        places: Arc<Places>,
        options: Options,
        mut column: impl FnMut(&Region, &Record) -> u32,
    ) -> Self {
        let Parts { regions, pools, trees, bindings, records, .. } = &parts;
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
        let layout = Layout::new(&parts, &places, CELLS_MAX);
        let served = records
            .iter()
            .zip(layout.starts)
            .map(|(record, cells_from)| {
                let Binding { tree, pools: of_record } = &bindings[record.binding.index()];
                let tree = *tree;
                let is_cname =
                    |pool: &PoolId| matches!(pools[pool.index()].endpoint, Endpoint::Cname(_));
                let columns = trees[tree.index()]
                    .slots
                    .iter()
                    .map(|slot| column(&regions[slot.index()], record));
                ServedRecord {
                    binding: record.binding,
                    tree,
                    ttl: record.ttl,
                    ttl_min: record.ttl_min,
                    max_answers: u16::from(record.max_answers),
                    cname: of_record.iter().flatten().any(is_cname),
                    cells_from,
                    columns: columns.collect(),
                }
            })
            .collect();
        let seeds = trees.iter().map(|tree| tree.sticky.then(|| Seeds::new(tree, regions)));
        let seeds = seeds.collect();
        let stand_ins = StandIns::default();
        let timed = Timed::new(&parts, &places, &stand_ins);
        let (tally, counted_by) = (Arc::new(Tally::new(layout.cells)), layout.by);
        Self {
            parts,
            names,
            served,
            places,
            options,
            pool_bindings,
            binding_records,
            seeds,
            timed,
            stand_ins,
            columns: None,
            tally,
            counted_by,
        }
    }

    /// The same with other tables of clients.
    #[must_use]
    pub fn with_places(&self, places: Arc<Places>) -> Self {
        let timed = Timed::new(self, &places, &self.stand_ins);
        let layout = Layout::new(self, &places, CELLS_MAX);
        let mut served = self.served.to_vec();
        for (record, cells_from) in served.iter_mut().zip(layout.starts) {
            record.cells_from = cells_from;
        }
        let (tally, counted_by) = (Arc::new(Tally::new(layout.cells)), layout.by);
        Self { places, timed, served: served.into(), tally, counted_by, ..self.clone() }
    }

    /// The same with the addresses that its aliases were looked up to have; those that are not found
    /// have none.
    #[must_use]
    pub fn resolved<'a>(&self, find: impl Fn(&Name) -> Option<&'a Resolved>) -> Self {
        let mut assembly = self.clone();
        for pool in &mut assembly.parts.pools {
            if let Endpoint::Alias(name) = &pool.endpoint {
                let found = find(name);
                pool.v4 = found.map(|found| found.v4.clone()).unwrap_or_default();
                pool.v6 = found.map(|found| found.v6.clone()).unwrap_or_default();
            }
        }
        assembly
    }

    /// The names that are to be looked up, each once, in order.
    #[must_use]
    pub fn aliases(&self) -> BTreeSet<&Name> {
        let names = self.pools.iter().filter_map(|pool| match &pool.endpoint {
            Endpoint::Alias(name) => Some(name),
            Endpoint::Given | Endpoint::Cname(_) => None,
        });
        names.collect()
    }

    /// The same with a binding of its own for each of these records: what an operator forces there then
    /// concerns it alone.
    #[must_use]
    pub fn separated(&self, records: &BTreeSet<RecordId>) -> Self {
        let mut assembly = self.clone();
        let mut served = assembly.served.to_vec();
        for id in records {
            let Some(was) = self.parts.records.get(id.index()).map(|record| record.binding) else {
                continue;
            };
            // The last one left has it to itself.
            if assembly.binding_records[was.index()].len() < 2 {
                continue;
            }
            let own = BindingId(assembly.parts.bindings.len() as u32);
            let binding = assembly.parts.bindings[was.index()].clone();
            for pool in binding.pools.iter().flatten() {
                let list = &mut assembly.pool_bindings[pool.index()];
                if list.last() != Some(&own) {
                    list.push(own);
                }
            }
            assembly.parts.bindings.push(binding);
            assembly.parts.records[id.index()].binding = own;
            served[id.index()].binding = own;
            assembly.binding_records[was.index()].retain(|record| record != id);
            assembly.binding_records.push(vec![*id]);
        }
        assembly.served = served.into();
        assembly
    }

    /// The bindings that a pool stands in.
    #[must_use]
    pub fn bindings_of(&self, pool: PoolId) -> &[BindingId] {
        self.pool_bindings.get(pool.index()).map_or(&[], Vec::as_slice)
    }

    /// The records that draw from a binding.
    pub fn records_of(&self, binding: BindingId) -> impl ExactSizeIterator<Item = &Record> {
        self.ids_of(binding).iter().map(|id| &self.records[id.index()])
    }

    /// The same by their positions.
    #[must_use]
    pub fn ids_of(&self, binding: BindingId) -> &[RecordId] {
        self.binding_records.get(binding.index()).map_or(&[], Vec::as_slice)
    }

    /// What depends on round-trip times of this nameserver; `None`: nothing.
    #[must_use]
    pub const fn timed(&self) -> Option<&Timed> {
        self.timed.as_ref()
    }

    /// What client networks stick by in a tree; `None`: they do not.
    pub(super) fn seeds(&self, tree: TreeId) -> Option<&Seeds> {
        self.seeds.get(tree.index())?.as_ref()
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
