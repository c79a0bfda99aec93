//! Room for a region where it may have none: before it can answer in another's place, it needs a slot
//! in the trees that lead there.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use crate::model::{
    BindingId, Endpoint, Node, PoolId, Record, RecordId, Region, RegionId, Slot, TreeId,
};

use super::assembly::Assembly;
use super::sticky::Seeds;
use super::timed::Timed;

/// Records in which a region cannot answer in another's place: they bring endpoints, and none for it; or
/// what it has is a CNAME where the others have addresses, or the other way round; or it has nothing to
/// answer with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the region cannot answer there: in {} records", records.len())]
pub struct NoPlace {
    /// The records, in the order of the configuration. None: the other region takes part in no record,
    /// or is the same.
    pub records: Vec<RecordId>,
}

/// The regions that may answer in others' places, as far as trees have been made ready for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct StandIns {
    /// By tree: a region, and the other in whose place it may answer.
    pub(super) of: BTreeSet<(TreeId, RegionId, RegionId)>,
    /// The regions that no node of a tree leads to.
    pub(super) added: BTreeSet<(TreeId, RegionId)>,
}

/// What numbers the counters of answers, for slots that come later.
#[derive(Clone)]
pub(super) struct Columns(Arc<Column>);

type Column = dyn Fn(&Region, &Record) -> u32 + Send + Sync;

impl fmt::Debug for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Columns")
    }
}

impl Assembly {
    /// Takes note of what gives the counter for the answers that a record gives from a region, as
    /// [`Assembly::new`] was given: for regions that are not in the record's tree yet. Without it these
    /// share the counter of the region in another record, or else the first of all.
    pub fn set_columns(
        &mut self,
        column: impl Fn(&Region, &Record) -> u32 + Send + Sync + 'static,
    ) {
        self.columns = Some(Columns(Arc::new(column)));
    }

    /// The same, with a slot for the region `to` in every tree in which `from` takes part, in all
    /// records or in one (which should be [`Assembly::separated`]), so that it can answer in its place:
    /// [`crate::model::Forcing::shifted`]. It takes part there with the record's own endpoints for it,
    /// or where the record has none with the region's pool. Nothing leads to it otherwise. Trees,
    /// bindings and records keep their numbers.
    ///
    /// # Errors
    /// When it cannot answer in some records, or there are none.
    pub fn with_place(
        &self,
        from: RegionId,
        to: RegionId,
        record: Option<RecordId>,
    ) -> Result<Self, NoPlace> {
        let concerned = if from == to { Vec::new() } else { self.with_part(from, record) };
        if concerned.is_empty() || self.regions.get(to.index()).is_none() {
            return Err(NoPlace { records: Vec::new() });
        }
        let own = self.pools_of_records(to);
        let (mut found, mut lacking) = (Vec::new(), Vec::new());
        for id in concerned {
            match self.pool_in_place(id, to, &own) {
                Some(pool) => found.push((id, pool)),
                None => lacking.extend_from_slice(self.ids_of(id)),
            }
        }
        if !lacking.is_empty() {
            lacking.sort_unstable();
            return Err(NoPlace { records: lacking });
        }
        let mut assembly = self.clone();
        let trees = found.iter().map(|(id, _)| self.bindings[id.index()].tree).collect();
        assembly.widen(&trees, to);
        for (id, pool) in found {
            assembly.take_in(id, to, pool);
        }
        let of = trees.into_iter().map(|tree| (tree, to, from));
        assembly.stand_ins.of.extend(of);
        if assembly.timed.is_some() {
            assembly.timed = Timed::new(&assembly.parts, &assembly.places, &assembly.stand_ins);
        }
        Ok(assembly)
    }

    /// Whether a region is in a tree for nothing but to answer in another's place.
    #[must_use]
    pub fn only_stands_in(&self, tree: TreeId, region: RegionId) -> bool {
        self.stand_ins.added.contains(&(tree, region))
    }

    /// The bindings in which a region takes part, in a place of its own: all, or that of a record.
    fn with_part(&self, region: RegionId, record: Option<RecordId>) -> Vec<BindingId> {
        let own = record.map(|id| self.records.get(id.index()).map(|record| record.binding));
        let all = (0..self.bindings.len() as u32).map(BindingId);
        let wanted = all.filter(|id| own.is_none_or(|own| own == Some(*id)));
        let takes_part = |id: &BindingId| {
            let tree = self.bindings[id.index()].tree;
            self.pool_of(*id, region).is_some() && !self.only_stands_in(tree, region)
        };
        wanted.filter(takes_part).collect()
    }

    /// The pool of a region in a binding; `None`: it takes no part.
    fn pool_of(&self, id: BindingId, region: RegionId) -> Option<PoolId> {
        let binding = self.bindings.get(id.index())?;
        let slots = &self.trees[binding.tree.index()].slots;
        let at = slots.iter().position(|own| *own == region)?;
        binding.pools.get(at).copied().flatten()
    }

    /// The pools that records bring for a region, by the records' names.
    fn pools_of_records(&self, region: RegionId) -> HashMap<&str, PoolId> {
        let pools = (0..).map(PoolId).zip(&self.pools);
        let of = pools.filter(|(_, pool)| pool.region == region);
        of.filter_map(|(id, pool)| Some((pool.record.as_deref()?, id))).collect()
    }

    /// The pool with which a region would take part in a binding; `None`: it cannot.
    fn pool_in_place(
        &self,
        id: BindingId,
        region: RegionId,
        own: &HashMap<&str, PoolId>,
    ) -> Option<PoolId> {
        if let Some(pool) = self.pool_of(id, region) {
            return Some(pool);
        }
        let there = self.bindings[id.index()].pools.iter().flatten();
        let there: Vec<_> = there.map(|pool| &self.pools[pool.index()]).collect();
        let record = there.iter().find_map(|pool| pool.record.as_deref());
        let pool = match record.and_then(|record| own.get(record)) {
            Some(pool) => *pool,
            None if self.lists_endpoints(id) => return None,
            None => self.regions[region.index()].pool,
        };
        let would = &self.pools[pool.index()];
        let is_cname = |endpoint: &Endpoint| matches!(endpoint, Endpoint::Cname(_));
        let empty = would.v4.is_empty() && would.v6.is_empty() && !would.is_unresolved();
        let alike = there.iter().any(|pool| is_cname(&pool.endpoint)) == is_cname(&would.endpoint);
        (alike && !empty).then_some(pool)
    }

    /// Whether the record of a binding brings endpoints of its own, and not only checks. Endpoints that
    /// are those of the regions anyway are as good as none.
    fn lists_endpoints(&self, id: BindingId) -> bool {
        let binding = &self.bindings[id.index()];
        let slots = &self.trees[binding.tree.index()].slots;
        binding.pools.iter().zip(slots).any(|(pool, region)| match pool {
            None => !self.only_stands_in(binding.tree, *region),
            Some(pool) => {
                let own = &self.pools[pool.index()];
                let regions = &self.pools[self.regions[region.index()].pool.index()];
                own.record.is_some()
                    && (own.endpoint != regions.endpoint
                        || own.v4 != regions.v4
                        || own.v6 != regions.v6)
            }
        })
    }

    /// Gives trees a slot for a region, where they have none, in which it takes no part yet. Rings make
    /// room.
    fn widen(&mut self, trees: &BTreeSet<TreeId>, region: RegionId) {
        let lacks = |id: &&TreeId| !self.trees[id.index()].slots.contains(&region);
        let trees: BTreeSet<TreeId> = trees.iter().filter(lacks).copied().collect();
        if trees.is_empty() {
            return;
        }
        for id in &trees {
            let tree = &mut self.parts.trees[id.index()];
            tree.slots.push(region);
            for node in &mut tree.nodes {
                if let Node::Multivalue { ring, .. } = &mut node.node {
                    *ring = Slot(ring.0.saturating_add(1));
                }
            }
            if tree.sticky {
                self.seeds[id.index()] = Some(Seeds::new(tree, &self.parts.regions));
            }
            self.stand_ins.added.insert((*id, region));
        }
        for binding in &mut self.parts.bindings {
            if trees.contains(&binding.tree) {
                binding.pools.push(None);
            }
        }
        let other = self.counted_elsewhere(region);
        let mut served = self.served.to_vec();
        for (at, record) in served.iter_mut().enumerate() {
            if trees.contains(&record.tree) {
                let mut columns = std::mem::take(&mut record.columns).into_vec();
                columns.push(match &self.columns {
                    Some(Columns(column)) => {
                        column(&self.regions[region.index()], &self.records[at])
                    }
                    None => other,
                });
                record.columns = columns.into();
            }
        }
        self.served = served.into();
    }

    /// Has a region take part in a binding whose tree has a slot for it.
    fn take_in(&mut self, id: BindingId, region: RegionId, pool: PoolId) {
        let binding = &mut self.parts.bindings[id.index()];
        let slots = &self.parts.trees[binding.tree.index()].slots;
        let Some(at) = slots.iter().position(|own| *own == region) else { return };
        binding.pools[at] = Some(pool);
        let list = &mut self.pool_bindings[pool.index()];
        if let Err(at) = list.binary_search(&id) {
            list.insert(at, id);
        }
    }

    /// The counter of the answers from a region that some record has.
    fn counted_elsewhere(&self, region: RegionId) -> u32 {
        let counted = self.served.iter().find_map(|served| {
            let slots = &self.trees[served.tree.index()].slots;
            let at = slots.iter().position(|own| *own == region)?;
            served.columns.get(at).copied()
        });
        counted.unwrap_or_default()
    }
}
