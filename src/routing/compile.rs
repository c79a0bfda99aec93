//! The only place where shares are derived: configuration and health in, a snapshot out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{Binding, Family, Node, Pool, PoolId, Slot, Tree, TreeId};
use crate::wire::TailBuf;

use super::assembly::Assembly;
use super::distribution::Distribution;
use super::levels::{Health, Reading};
use super::offer::{Class, Trace, Walk};
use super::snapshot::{ClassSide, Served, Side, Snapshot};

/// All that changes while a configuration stays.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// Each pool's health, in the order of the assembly's pools. A pool that has not changed
    /// keeps its `Arc`: that is how the next compile knows.
    pub pools: Arc<Vec<Arc<PoolStanding>>>,
}

/// A pool's health as routing sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolStanding {
    family: [Standing; 2],
}

/// One family of a pool.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// How many addresses it has, up or not.
    pub count: usize,
    /// The health factor, 0 (down) to 1 (up).
    pub h: f64,
    /// The addresses that are up.
    pub live: Vec<IpAddr>,
    /// The time until an address that is served may be taken out; `None`: none is in doubt.
    pub flip: Option<Duration>,
    /// What is served: the live addresses, or all when none is.
    pub tail: Arc<TailBuf>,
}

impl PoolStanding {
    /// From what is known of each family, IPv4 first.
    #[must_use]
    pub fn new(family: [Standing; 2]) -> Self {
        Self { family }
    }

    /// All up, or all down: what a simulation assumes.
    #[must_use]
    pub fn assumed(pool: &Pool, up: bool) -> Self {
        Self::new(Family::BOTH.map(|family| {
            let live = if up { pool.addresses(family).collect() } else { Vec::new() };
            Standing::new(pool, family, f64::from(u8::from(up)), live, None)
        }))
    }

    /// One family.
    #[must_use]
    pub const fn family(&self, family: Family) -> &Standing {
        &self.family[family.index()]
    }
}

impl Standing {
    /// Of a pool's addresses of a family, of which `live` are up.
    #[must_use]
    pub fn new(
        pool: &Pool,
        family: Family,
        h: f64,
        live: Vec<IpAddr>,
        flip: Option<Duration>,
    ) -> Self {
        let all: Vec<IpAddr>;
        let serve = if live.is_empty() {
            all = pool.addresses(family).collect();
            &all
        } else {
            &live
        };
        let tail = Arc::new(TailBuf::of_family(family, serve));
        Self { count: pool.count(family), h, live, flip, tail }
    }
}

/// Compiles a snapshot. What the inputs did not change since `previous` is taken over from it.
#[must_use]
pub fn compile(previous: Option<&Snapshot>, assembly: &Arc<Assembly>, inputs: &Inputs) -> Snapshot {
    let generation = previous.map_or(1, |previous| previous.generation + 1);
    let mut shared = Shared::default();
    let bindings = match previous.filter(|previous| Arc::ptr_eq(&previous.assembly, assembly)) {
        None => (assembly.bindings.iter())
            .map(|binding| Arc::new(serve(assembly, inputs, binding, &mut shared)))
            .collect(),
        Some(previous) => {
            let mut bindings = previous.bindings.clone();
            for id in touched(previous, assembly, inputs) {
                let binding = &assembly.bindings[id];
                bindings[id] = Arc::new(serve(assembly, inputs, binding, &mut shared));
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

/// Distributions of this compile, by tree, family and all that the tree sees of its pools.
type Shared = HashMap<(TreeId, Family, Vec<[(u64, usize, bool); 2]>), Arc<[Arc<Distribution>]>>;

fn serve(assembly: &Assembly, inputs: &Inputs, binding: &Binding, shared: &mut Shared) -> Served {
    let pools = pools_of(binding, &inputs.pools);
    Served {
        family: Family::BOTH.map(|family| {
            let distributions = shared
                .entry((binding.tree, family, seen(&pools)))
                .or_insert_with(|| distributions(assembly, binding.tree, family, &pools));
            let tails: Box<[Arc<TailBuf>]> = (pools.iter())
                .map(|pool| pool.map(|pool| Arc::clone(&pool.family(family).tail)))
                .map(Option::unwrap_or_default)
                .collect();
            let classes = distributions
                .iter()
                .map(|distribution| class_side(distribution, family, &pools, &tails))
                .collect();
            Side { classes, tails }
        }),
    }
}

/// The standings of the pools in a binding's slots; `None` takes no part.
pub(super) fn pools_of<'a>(
    binding: &Binding,
    pools: &'a [Arc<PoolStanding>],
) -> Vec<Option<&'a PoolStanding>> {
    let standing = |pool: &Option<PoolId>| Some(pools.get((*pool)?.index())?.as_ref());
    binding.pools.iter().map(standing).collect()
}

/// What a tree's walk can see of its pools.
fn seen(pools: &[Option<&PoolStanding>]) -> Vec<[(u64, usize, bool); 2]> {
    let family = |s: &Standing| (s.h.to_bits(), s.count.min(1), s.live.is_empty());
    let pool = |pool: &PoolStanding| Family::BOTH.map(|f| family(pool.family(f)));
    pools.iter().map(|p| p.map_or([(0, 0, true); 2], pool)).collect()
}

fn distributions(
    assembly: &Assembly,
    tree: TreeId,
    family: Family,
    pools: &[Option<&PoolStanding>],
) -> Arc<[Arc<Distribution>]> {
    let tree = &assembly.trees[tree.index()];
    let health = Health::new(pools);
    // One class for now: no tree looks at the client yet.
    [Arc::new(flatten(tree, family, &Class::default(), &health, &mut ()))].into()
}

/// What one class of clients is answered in one family. Whoever wants to know why brings a trace.
pub(super) fn flatten(
    tree: &Tree,
    family: Family,
    class: &Class,
    health: &Health,
    trace: &mut impl Trace,
) -> Distribution {
    let walk = Walk { tree, family, class, health, reading: Reading::Judged };
    let settled = walk.settle(tree.root, trace);
    let walk = Walk { reading: settled.reading, ..walk };
    let mut rings: Vec<(Slot, Vec<Slot>)> = (tree.nodes.iter())
        .filter_map(|node| match &node.node {
            Node::Multivalue { members, ring, .. } => Some((*ring, walk.ring(members))),
            _ => None,
        })
        .collect();
    rings.sort_by_key(|(ring, _)| *ring);
    let rings = rings.into_iter().map(|(_, members)| members).collect();
    Distribution::new(settled.offer, settled.reason, rings)
}

fn class_side(
    distribution: &Arc<Distribution>,
    family: Family,
    pools: &[Option<&PoolStanding>],
    tails: &[Arc<TailBuf>],
) -> ClassSide {
    let mut served: Vec<Slot> = Vec::new();
    for slot in distribution.slots() {
        match slot.index().checked_sub(pools.len()) {
            None => served.push(slot),
            Some(ring) => served.extend(distribution.rings.get(ring).into_iter().flatten()),
        }
    }
    let flip = served
        .iter()
        .filter_map(|slot| pools.get(slot.index()).copied().flatten()?.family(family).flip)
        .min();
    let ring = |members: &Vec<Slot>| {
        let tails = members.iter().filter_map(|slot| tails.get(slot.index())).map(Arc::as_ref);
        TailBuf::interleaved(&tails.collect::<Vec<_>>())
    };
    ClassSide {
        distribution: Arc::clone(distribution),
        flip_secs: flip.map_or(u32::MAX, |flip| u32::try_from(flip.as_secs()).unwrap_or(u32::MAX)),
        rings: distribution.rings.iter().map(ring).collect(),
    }
}
