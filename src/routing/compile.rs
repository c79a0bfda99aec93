//! The only place where shares are derived: configuration and health in, a snapshot out.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{Binding, Family, PoolId, Slot, TreeId};
use crate::wire::TailBuf;

use super::assembly::Assembly;
use super::classes::{Classes, Seen, seen};
use super::distribution::{Distribution, RingOf};
use super::inputs::{Inputs, PoolStanding};
use super::snapshot::{ClassSide, Ring, Served, Side, Snapshot};

/// Compiles a snapshot. What the inputs did not change since `previous` is taken over from it.
#[must_use]
pub fn compile(previous: Option<&Snapshot>, assembly: &Arc<Assembly>, inputs: &Inputs) -> Snapshot {
    let generation = previous.map_or(1, |previous| previous.generation + 1);
    let previous = previous.filter(|previous| Arc::ptr_eq(&previous.assembly, assembly));
    let mut compile =
        Compile { assembly, inputs, previous, shared: HashMap::new(), sees: Vec::new() };
    let bindings = match previous {
        None => (0..assembly.bindings.len()).map(|id| compile.serve(id)).collect(),
        Some(previous) => {
            let mut bindings = previous.bindings.clone();
            for id in touched(previous, assembly, inputs) {
                bindings[id] = compile.serve(id);
            }
            bindings
        }
    };
    Snapshot {
        generation,
        names: Arc::clone(&assembly.names),
        places: Arc::clone(&assembly.places),
        records: Arc::clone(&assembly.served),
        bindings,
        options: assembly.options,
        assembly: Arc::clone(assembly),
        pools: Arc::clone(&inputs.pools),
    }
}

/// The positions of the bindings in which a pool has changed.
fn touched(previous: &Snapshot, assembly: &Assembly, inputs: &Inputs) -> Vec<usize> {
    let mut touched: Vec<usize> = previous
        .pools
        .iter()
        .zip(inputs.pools.iter())
        .enumerate()
        .filter(|(_, (was, is))| !Arc::ptr_eq(was, is))
        .flat_map(|(pool, _)| assembly.bindings_of(PoolId(pool as u32)))
        .map(|id| id.index())
        .collect();
    touched.sort_unstable();
    touched.dedup();
    touched
}

/// One compile, and the distributions that it has made so far.
struct Compile<'a> {
    assembly: &'a Assembly,
    inputs: &'a Inputs,
    previous: Option<&'a Snapshot>,
    shared: HashMap<(TreeId, Family), BySight>,
    sees: Vec<Seen>,
}

/// What classes draw from, by what is seen of the pools.
type BySight = HashMap<Box<[Seen]>, Arc<Classes>>;

impl Compile<'_> {
    fn serve(&mut self, id: usize) -> Arc<Served> {
        let binding = &self.assembly.bindings[id];
        let pools = pools_of(binding, &self.inputs.pools);
        let before = self.previous.and_then(|previous| {
            Some((previous.bindings.get(id)?, pools_of(binding, &previous.pools)))
        });
        let family = Family::BOTH.map(|family| {
            let same =
                before.as_ref().filter(|(_, was)| seen(was, family).eq(seen(&pools, family)));
            match same {
                // Only addresses and flips have changed.
                Some((served, _)) => {
                    let side = served.side(family);
                    let distributions = side.distinct.iter().map(|class| &class.distribution);
                    make_side(&pools, family, &side.of_class, distributions)
                }
                None => {
                    let classes = self.classes(binding.tree, &pools, family);
                    make_side(&pools, family, &classes.of_class, &classes.distinct)
                }
            }
        });
        Arc::new(Served { family })
    }

    /// What the classes of a tree draw from, made once for all pools that are seen alike.
    fn classes(
        &mut self,
        tree: TreeId,
        pools: &[Option<&PoolStanding>],
        family: Family,
    ) -> Arc<Classes> {
        self.sees.clear();
        self.sees.extend(seen(pools, family));
        let made = self.shared.entry((tree, family)).or_default();
        if let Some(classes) = made.get(self.sees.as_slice()) {
            return Arc::clone(classes);
        }
        let classes = Arc::new(Classes::new(self.assembly, tree, family, pools));
        made.insert(self.sees.as_slice().into(), Arc::clone(&classes));
        classes
    }
}

/// The standings of the pools in a binding's slots; `None` takes no part.
pub(super) fn pools_of<'a>(
    binding: &Binding,
    pools: &'a [Arc<PoolStanding>],
) -> Vec<Option<&'a PoolStanding>> {
    let standing = |pool: &Option<PoolId>| pools.get(pool.as_ref()?.index()).map(Arc::as_ref);
    binding.pools.iter().map(standing).collect()
}

fn make_side<'a>(
    pools: &[Option<&PoolStanding>],
    family: Family,
    of_class: &Arc<[u32]>,
    distributions: impl IntoIterator<Item = &'a Arc<Distribution>>,
) -> Side {
    let tails = pools.iter().map(|pool| match pool {
        Some(pool) => Arc::clone(&pool.family(family).tail),
        None => Arc::default(),
    });
    let distinct = distributions.into_iter().map(|shares| class_side(shares, family, pools));
    Side { of_class: Arc::clone(of_class), distinct: distinct.collect(), tails: tails.collect() }
}

fn class_side(
    distribution: &Arc<Distribution>,
    family: Family,
    pools: &[Option<&PoolStanding>],
) -> ClassSide {
    let standing = |slot: Slot| Some(pools.get(slot.index()).copied().flatten()?.family(family));
    let in_rings = distribution.rings.iter().flat_map(|ring| ring.members.iter().copied());
    // A slot behind the regions' is a ring, and finds no pool.
    let served = distribution.slots().chain(in_rings);
    let flip = served.filter_map(|slot| standing(slot)?.flip).min();
    let ring = |ring: &RingOf| {
        let parts = ring.members.iter().filter_map(|&slot| Some((slot, &*standing(slot)?.tail)));
        let (slots, tails): (Vec<Slot>, Vec<&TailBuf>) = parts.unzip();
        let (tail, from) = TailBuf::interleaved(&tails);
        let slots = from.into_iter().map(|part| slots[part]).collect();
        Ring { tail, slots, max_answers: ring.max_answers }
    };
    ClassSide {
        distribution: Arc::clone(distribution),
        flip_secs: flip.map_or(u32::MAX, |flip| u32::try_from(flip.as_secs()).unwrap_or(u32::MAX)),
        rings: distribution.rings.iter().map(ring).collect(),
    }
}
