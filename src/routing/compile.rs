//! The only place where shares are derived: configuration and health in, a snapshot out.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{BindingId, Family, PoolId, Slot, TreeId};
use crate::wire::TailBuf;

use super::assembly::Assembly;
use super::classes::Classes;
use super::distribution::{Distribution, RingOf};
use super::inputs::Inputs;
use super::sight::{Seen, Sight};
use super::snapshot::{ClassSide, Ring, Served, Side, Snapshot};

/// Compiles a snapshot. What the inputs did not change since `previous` is taken over from it.
#[must_use]
pub fn compile(previous: Option<&Snapshot>, assembly: &Arc<Assembly>, inputs: &Inputs) -> Snapshot {
    let generation = previous.map_or(1, |previous| previous.generation + 1);
    let before = previous
        .filter(|previous| Arc::ptr_eq(&previous.assembly, assembly))
        .map(|previous| (previous, previous.inputs()));
    let before = before.as_ref().map(|(previous, inputs)| (*previous, inputs));
    let mut compile = Compile {
        assembly,
        inputs,
        before,
        shared: HashMap::new(),
        last: [None, None],
        is: Sight::default(),
        was: Sight::default(),
    };
    let bindings = match before {
        None => {
            let all = (0..assembly.bindings.len() as u32).map(BindingId);
            all.map(|id| compile.serve(id)).collect()
        }
        Some((previous, was)) => {
            let mut bindings = previous.bindings.clone();
            for id in touched(previous, was, inputs) {
                bindings[id.index()] = compile.serve(id);
            }
            bindings
        }
    };
    Snapshot {
        generation,
        names: Arc::clone(&assembly.names),
        places: Arc::clone(&assembly.places),
        records: Arc::clone(&assembly.served),
        tally: Arc::clone(&assembly.tally),
        bindings,
        options: assembly.options.clone(),
        assembly: Arc::clone(assembly),
        pools: Arc::clone(&inputs.pools),
        rtts: Arc::clone(&inputs.rtts),
        last_good: Arc::clone(&inputs.last_good),
        forces: Arc::clone(&inputs.forces),
    }
}

/// The bindings in which something has changed.
fn touched(previous: &Snapshot, was: &Inputs, is: &Inputs) -> Vec<BindingId> {
    let assembly = &previous.assembly;
    let pools = was.pools.iter().zip(is.pools.iter()).enumerate();
    let pools = pools.filter(|(_, (was, is))| !Arc::ptr_eq(was, is));
    let mut touched: Vec<BindingId> =
        pools.flat_map(|(pool, _)| assembly.bindings_of(PoolId(pool as u32))).copied().collect();
    if !Arc::ptr_eq(&was.last_good, &is.last_good) {
        let memory = |inputs: &Inputs, at: usize| inputs.last_good.get(at).cloned().flatten();
        let same = |at| match (memory(was, at), memory(is, at)) {
            (Some(was), Some(is)) => Arc::ptr_eq(&was, &is),
            (was, is) => was.is_none() && is.is_none(),
        };
        // What is remembered is looked at only where something is all down.
        let all_down = |served: &Served| Family::BOTH.iter().any(|f| served.is_all_down(*f));
        let engaged = previous.bindings.iter().enumerate();
        let engaged = engaged.filter(|(at, served)| !same(*at) && all_down(served));
        touched.extend(engaged.map(|(at, _)| BindingId(at as u32)));
    }
    if let Some(timed) = assembly.timed().filter(|_| was.rtts != is.rtts) {
        touched.extend(timed.bindings(assembly));
    }
    if !Arc::ptr_eq(&was.forces, &is.forces) {
        touched.extend(is.forces.changed(&was.forces, assembly));
    }
    touched.sort_unstable();
    touched.dedup();
    touched
}

/// One compile, and the distributions that it has made so far.
struct Compile<'a> {
    assembly: &'a Assembly,
    inputs: &'a Inputs,
    /// The snapshot before, if it is of the same assembly, and its inputs.
    before: Option<(&'a Snapshot, &'a Inputs)>,
    shared: HashMap<(TreeId, Family), BySight>,
    /// The distributions used last, by family: many bindings in a row are seen alike.
    last: [Option<Last>; 2],
    is: Sight<'a>,
    was: Sight<'a>,
}

/// What classes of a tree draw from, and what was seen of the pools then.
struct Last {
    tree: TreeId,
    seen: Vec<Seen>,
    classes: Arc<Classes>,
}

/// What classes draw from, by what is seen of the pools.
type BySight = HashMap<Box<[Seen]>, Arc<Classes>>;

impl Compile<'_> {
    fn serve(&mut self, id: BindingId) -> Arc<Served> {
        self.is.look(self.assembly, id, self.inputs);
        let before = self.before.and_then(|(previous, inputs)| {
            self.was.look(self.assembly, id, inputs);
            previous.bindings.get(id.index())
        });
        let family = Family::BOTH.map(|family| {
            match before.filter(|_| self.was.seen(family).eq(self.is.seen(family))) {
                // Only addresses and flips have changed.
                Some(served) => {
                    let side = served.side(family);
                    let distributions = side.distinct.iter().map(|class| &class.distribution);
                    make_side(&self.is, family, &side.of_class, distributions)
                }
                None => {
                    let classes = self.classes(self.assembly.bindings[id.index()].tree, family);
                    make_side(&self.is, family, &classes.of_class, &classes.distinct)
                }
            }
        });
        Arc::new(Served { family })
    }

    /// What the classes of a tree draw from, made once for all bindings that are seen alike.
    fn classes(&mut self, tree: TreeId, family: Family) -> Arc<Classes> {
        let last = &mut self.last[family.index()];
        if let Some(last) = last
            && last.tree == tree
            && last.seen.iter().copied().eq(self.is.seen(family))
        {
            return Arc::clone(&last.classes);
        }
        let seen: Vec<Seen> = self.is.seen(family).collect();
        let made = self.shared.entry((tree, family)).or_default();
        let classes = match made.get(seen.as_slice()) {
            Some(classes) => Arc::clone(classes),
            None => {
                let classes = Arc::new(Classes::new(self.assembly, tree, family, &self.is));
                made.insert(seen.as_slice().into(), Arc::clone(&classes));
                classes
            }
        };
        *last = Some(Last { tree, seen, classes: Arc::clone(&classes) });
        classes
    }
}

fn make_side<'a>(
    sight: &Sight<'_>,
    family: Family,
    of_class: &Arc<[u32]>,
    distributions: impl IntoIterator<Item = &'a Arc<Distribution>>,
) -> Side {
    let tails = sight.pools.iter().map(|pool| match pool {
        Some(pool) => Arc::clone(&pool.family(family).tail),
        None => Arc::default(),
    });
    let distinct = distributions.into_iter().map(|shares| class_side(shares, family, sight));
    Side { of_class: Arc::clone(of_class), distinct: distinct.collect(), tails: tails.collect() }
}

fn class_side(distribution: &Arc<Distribution>, family: Family, sight: &Sight<'_>) -> ClassSide {
    let pool = |slot: Slot| sight.pools.get(slot.index()).copied().flatten();
    let standing = |slot: Slot| Some(pool(slot)?.family(family));
    let in_rings = distribution.rings.iter().flat_map(|ring| ring.members.iter().copied());
    // A slot behind the regions' is a ring, and finds no pool.
    let served = distribution.slots().chain(in_rings);
    let served: Vec<_> = served.filter_map(standing).collect();
    let flip = served.iter().filter_map(|standing| standing.flip).min();
    let aliases = served.iter().filter_map(|standing| standing.alias_ttl).min();
    let secs = |time: Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
    // What is going to be forced may give a share to who has none: it concerns every class.
    let keeps = flip.into_iter().chain(sight.flip).map(secs);
    let ring = |ring: &RingOf| {
        let parts = ring.members.iter().filter_map(|&slot| Some((slot, &*standing(slot)?.tail)));
        let (slots, tails): (Vec<Slot>, Vec<&TailBuf>) = parts.unzip();
        let (tail, from) = TailBuf::interleaved(&tails);
        let slots = from.into_iter().map(|part| slots[part]).collect();
        Ring { tail, slots, max_answers: ring.max_answers }
    };
    ClassSide {
        distribution: Arc::clone(distribution),
        keep_secs: keeps.chain(aliases).min().unwrap_or(u32::MAX),
        in_doubt: flip.is_some(),
        rings: distribution.rings.iter().map(ring).collect(),
    }
}
