//! How much each pair of distributions counts that clients of a record come from and go to.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::mix::{Mix, Weights};
use crate::model::{BindingId, Family, RecordId, TreeId};
use crate::routing::{ClassSide, CountedBy, ServedRecord, Side, Snapshot};

/// Clients of a record and family who draw from the same, before and after.
pub(super) struct Part<'a> {
    pub(super) record: RecordId,
    pub(super) family: Family,
    pub(super) before: At<'a>,
    pub(super) after: At<'a>,
    /// How much they count; all parts of a walk together have no particular sum.
    pub(super) weight: f64,
    /// How many classes they are.
    pub(super) classes: usize,
}

/// What such clients draw from in a snapshot.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) binding: BindingId,
    pub(super) side: &'a Side,
    pub(super) class: &'a ClassSide,
}

/// Walks all records, families and classes of two snapshots of the same records, classes together that
/// draw from the same.
pub(super) fn walk<'a>(
    before: &'a Snapshot,
    after: &'a Snapshot,
    mix: &Mix,
    mut tell: impl FnMut(Part<'a>),
) {
    let mut weigher = Weigher { mix, snapshot: after, known: HashMap::new() };
    for id in (0..after.records.len() as u32).map(RecordId) {
        let has = Family::BOTH.map(|family| has_family(after, id, family));
        let families = has.iter().filter(|has| **has).count();
        for family in Family::BOTH.into_iter().filter(|family| has[family.index()]) {
            let (Some((was, from)), Some((is, to))) =
                (before.side(id, family), after.side(id, family))
            else {
                continue;
            };
            let (factor, pairs) = weigher.pairs(id, is, family, families, from, to);
            for &(old, new, weight, classes) in pairs.iter() {
                let (old, new) = (from.classes().get(old as usize), to.classes().get(new as usize));
                let (Some(old), Some(new)) = (old, new) else { continue };
                tell(Part {
                    record: id,
                    family,
                    before: At { binding: was.binding, side: from, class: old },
                    after: At { binding: is.binding, side: to, class: new },
                    weight: weight * factor,
                    classes,
                });
            }
        }
    }
}

/// Whether any pool of a record has addresses of a family, up or not: queries for another are no load.
fn has_family(snapshot: &Snapshot, record: RecordId, family: Family) -> bool {
    let binding = snapshot.records.get(record.index()).map(|record| record.binding);
    let binding = binding.and_then(|binding| snapshot.assembly.bindings.get(binding.index()));
    let mut pools = binding.into_iter().flat_map(|binding| binding.pools.iter().flatten());
    pools.any(|pool| snapshot.pools.get(pool.index()).is_some_and(|p| p.family(family).count > 0))
}

/// Of classes that have their weights in common.
#[derive(PartialEq, Eq, Hash, Clone, Copy)]
enum Unit {
    All,
    Cells(u32, Family),
    Tree(TreeId),
}

/// Positions before and after, weight, and number of classes.
type Pairs = Rc<[(u32, u32, f64, usize)]>;

struct Weigher<'a> {
    mix: &'a Mix,
    snapshot: &'a Snapshot,
    /// By the addresses of the lists that say what classes draw from: the snapshots keep them.
    known: HashMap<(Unit, *const u32, *const u32), Pairs>,
}

impl Weigher<'_> {
    /// The pairs of a record in a family, and what to multiply their weights by.
    fn pairs(
        &mut self,
        id: RecordId,
        record: &ServedRecord,
        family: Family,
        families: usize,
        from: &Side,
        to: &Side,
    ) -> (f64, Pairs) {
        let (from, to) = (from.of_class(), to.of_class());
        let each = (families.max(1) as f64).recip();
        match &self.mix.weights {
            Weights::Alike => {
                let part = (to.len().max(1) as f64).recip();
                (each, self.known(Unit::All, from, to, |_| part))
            }
            Weights::Counted { cells, part } => {
                let weight = |class| {
                    let cell = record.cell(class, family) as usize;
                    cells.get(cell).copied().unwrap_or_default()
                };
                let factor = part.get(id.index()).copied().unwrap_or(1.0);
                match self.snapshot.assembly.counted_by {
                    CountedBy::Record => (factor, paired(from, to, weight)),
                    _ => (
                        factor,
                        self.known(Unit::Cells(record.cells_from, family), from, to, weight),
                    ),
                }
            }
            Weights::Given { everyone, own, part } => {
                let of = |list: Option<&Vec<f64>>, class: u32| {
                    list.and_then(|list| list.get(class as usize)).copied().unwrap_or_default()
                };
                let all = everyone.get(&record.tree);
                match own.get(&id) {
                    Some(own) => {
                        let weight = |class| of(Some(own), class) + part * of(all, class);
                        (each, paired(from, to, weight))
                    }
                    None => {
                        let weight = |class| part * of(all, class);
                        (each, self.known(Unit::Tree(record.tree), from, to, weight))
                    }
                }
            }
        }
    }

    fn known(
        &mut self,
        unit: Unit,
        from: &Arc<[u32]>,
        to: &Arc<[u32]>,
        weight: impl Fn(u32) -> f64,
    ) -> Pairs {
        let key = (unit, from.as_ptr(), to.as_ptr());
        Rc::clone(self.known.entry(key).or_insert_with(|| paired(from, to, weight)))
    }
}

/// The pairs of positions that classes have, each once, in order of first appearance.
fn paired(from: &[u32], to: &[u32], weight: impl Fn(u32) -> f64) -> Pairs {
    if let ([from], [to]) = (from, to) {
        return Rc::new([(*from, *to, weight(0), 1)]);
    }
    let mut at: HashMap<(u32, u32), usize> = HashMap::new();
    let mut pairs: Vec<(u32, u32, f64, usize)> = Vec::new();
    for (class, (from, to)) in (0..).zip(from.iter().zip(to)) {
        let place = *at.entry((*from, *to)).or_insert_with(|| {
            pairs.push((*from, *to, 0.0, 0));
            pairs.len() - 1
        });
        if let Some((_, _, sum, classes)) = pairs.get_mut(place) {
            *sum += weight(class);
            *classes += 1;
        }
    }
    pairs.into()
}
