//! Slots for regions that are to answer in others' places, against assemblies that have them from the
//! start.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::compiling::{all_or_none, assemble, pool};
use super::tables::{Spec, plant};
use super::*;
use crate::model::{
    Binding, BindingId, Endpoint, Family, Forcing, Node, OnAllDown, Pool, PoolId, RecordId,
    RegionId, Shifted, Slot, TreeId,
};
use crate::wire::Name;

const A: RegionId = RegionId(0);
const B: RegionId = RegionId(2);

/// Regions 0 to 3, of which a sticky tree with a ring has 0 and 1, another 1 and 2, and a third 0 and 2.
/// Of the records
/// 0 and 1 have the first tree, 2 the second, 3 the third, and 4 the first with endpoints for 0 and 1.
fn world() -> Assembly {
    let two = |one, other| Spec::Weighted(vec![(1, Spec::Region(one)), (1, Spec::Region(other))]);
    let ring = Spec::Failover(vec![vec![(1, Spec::Ring(vec![0, 1]))], vec![(1, two(0, 1))]], true);
    let (mut first, class) = plant(&ring, 2, OnAllDown::Open);
    first.sticky = true;
    let plain = |slots: [u16; 2]| {
        let (mut tree, _) = plant(&two(0, 1), 2, OnAllDown::Open);
        tree.slots = slots.map(RegionId).to_vec();
        tree
    };
    let pools: Vec<Pool> = (0..4).map(|n| pool(n, 1, 1)).collect();
    let one = assemble(first.clone(), vec![class], pools);
    let mut parts = (**one).clone();
    parts.trees = vec![first, plain([1, 2]), plain([0, 2])];
    for region in [0, 1] {
        let own = Pool { record: Some("r4.test".into()), ..pool(region, 2, 0) };
        parts.pools.push(own);
    }
    let binding = |tree, pools: [u32; 2]| Binding {
        tree: TreeId(tree),
        pools: pools.map(|pool| Some(PoolId(pool))).to_vec(),
    };
    parts.bindings =
        vec![binding(0, [0, 1]), binding(1, [1, 2]), binding(2, [0, 2]), binding(0, [4, 5])];
    let record = |(n, id): (usize, u32)| crate::model::Record {
        name: Name::from_text(&format!("r{n}.test")).unwrap(),
        binding: BindingId(id),
        ..parts.records[0].clone()
    };
    parts.records = [0, 0, 1, 2, 3].into_iter().enumerate().map(record).collect();
    made(parts, &one)
}

fn column(region: &crate::model::Region, record: &crate::model::Record) -> u32 {
    let numbers = format!("{}{}", region.name, record.name).replace(|c: char| !c.is_numeric(), "");
    numbers.parse().unwrap()
}

fn made(parts: Parts, like: &Assembly) -> Assembly {
    let (names, places) = (Arc::clone(&like.names), Arc::clone(&like.places));
    let mut made = Assembly::new(parts, names, places, like.options.clone(), column);
    made.set_columns(column);
    made
}

/// Whether all that is derived of its parts is as a new assembly has it.
fn is_sound(assembly: &Assembly) {
    let anew = made((**assembly).clone(), assembly);
    assert_eq!(format!("{:?}", assembly.served), format!("{:?}", anew.served));
    for pool in (0..assembly.pools.len() as u32).map(PoolId) {
        assert_eq!(assembly.bindings_of(pool), anew.bindings_of(pool), "{pool:?}");
    }
    for binding in (0..assembly.bindings.len() as u32).map(BindingId) {
        assert_eq!(assembly.ids_of(binding), anew.ids_of(binding));
    }
    for (id, tree) in (0..).map(TreeId).zip(&assembly.trees) {
        assert_eq!(assembly.seeds(id), anew.seeds(id));
        let mut rings: Vec<Slot> = (tree.nodes.iter())
            .filter_map(|node| match &node.node {
                Node::Multivalue { ring, .. } => Some(*ring),
                _ => None,
            })
            .collect();
        rings.sort_unstable();
        let behind = (tree.slots.len() as u16..).map(Slot);
        assert!(behind.zip(&rings).all(|(want, ring)| want == *ring), "{rings:?}");
    }
    for binding in &assembly.bindings {
        let tree = &assembly.trees[binding.tree.index()];
        assert_eq!(binding.pools.len(), tree.slots.len());
        for (region, pool) in tree.slots.iter().zip(&binding.pools) {
            assert!(pool.is_none_or(|pool| assembly.pools[pool.index()].region == *region));
        }
    }
    // What nothing leads to changes nothing.
    let up = vec![true; assembly.pools.len()];
    let [assembly, anew] = [assembly.clone(), anew].map(Arc::new);
    let of = |assembly| compile(None, assembly, &all_or_none(assembly, &up)).bindings;
    assert_eq!(of(&assembly), of(&anew));
}

#[test]
fn trees_that_lead_to_a_region_get_a_slot_for_another() {
    let mut parts = (*world()).clone();
    // Nobody asks for the record that has no endpoints there.
    parts.records.pop();
    parts.bindings.pop();
    let world = made(parts, &world());
    let placed = world.with_place(A, B, None).unwrap();
    is_sound(&placed);
    let slots: Vec<Vec<u16>> =
        placed.trees.iter().map(|tree| tree.slots.iter().map(|slot| slot.0).collect()).collect();
    assert_eq!(slots, [vec![0, 1, 2], vec![1, 2], vec![0, 2]]);
    let pools = |assembly: &Assembly, id: usize| -> Vec<Option<u32>> {
        assembly.bindings[id].pools.iter().map(|pool| Some((*pool)?.0)).collect()
    };
    assert_eq!(pools(&placed, 0), [Some(0), Some(1), Some(2)]);
    assert!(placed.only_stands_in(TreeId(0), B));
    assert!(!placed.only_stands_in(TreeId(2), B));
    assert_eq!(*placed.served[1].columns, [1, 11, 21]);
    // It is there once, however often it is wanted.
    assert_eq!(*placed.with_place(A, B, None).unwrap().bindings, placed.bindings);
    // And a second one goes behind it.
    let more = placed.with_place(A, RegionId(3), None).unwrap();
    is_sound(&more);
    assert_eq!(pools(&more, 0), [Some(0), Some(1), Some(2), Some(3)]);
    assert_eq!(pools(&more, 2), [Some(0), Some(2), Some(3)]);
}

#[test]
fn one_record_makes_room_alone() {
    let world = world().separated(&BTreeSet::from([RecordId(1)]));
    let placed = world.with_place(A, B, Some(RecordId(1))).unwrap();
    is_sound(&placed);
    let takes_part = |record: usize| {
        placed.bindings[placed.records[record].binding.index()].pools.last().unwrap().is_some()
    };
    // The tree is that of all three.
    assert_eq!([0, 1, 4].map(takes_part), [false, true, false]);
    // What it shares with others is no reason why it could not take part there, too.
    let lacking = placed.with_place(A, B, None).unwrap_err();
    assert_eq!(lacking.records, [RecordId(4)]);
    let other = placed.with_place(A, B, Some(RecordId(0))).unwrap();
    is_sound(&other);
    assert_eq!(other.bindings[0].pools, [0, 1, 2].map(|pool| Some(PoolId(pool))));
}

#[test]
fn a_record_with_endpoints_needs_some_for_it() {
    let world = world();
    let lacking = NoPlace { records: vec![RecordId(4)] };
    assert_eq!(world.with_place(A, B, None).unwrap_err(), lacking);
    assert_eq!(world.with_place(A, B, Some(RecordId(4))).unwrap_err(), lacking);
    let mut parts = (*world).clone();
    let own = Pool { record: Some("r4.test".into()), ..pool(2, 3, 0) };
    parts.pools.push(own.clone());
    let placed = made(parts.clone(), &world).with_place(A, B, None).unwrap();
    is_sound(&placed);
    assert_eq!(placed.bindings[3].pools, [4, 5, 6].map(|pool| Some(PoolId(pool))));
    // A CNAME does not go with addresses.
    parts.pools[6].endpoint = Endpoint::Cname(Name::from_text("elsewhere.test").unwrap());
    let mixed = made(parts.clone(), &world);
    assert_eq!(mixed.with_place(A, B, None).unwrap_err(), lacking);
    for own in &mut parts.pools[4..] {
        own.endpoint = Endpoint::Cname(Name::from_text("elsewhere.test").unwrap());
    }
    let placed = made(parts.clone(), &world).with_place(A, B, None).unwrap();
    is_sound(&placed);
    // Checks of its own are no endpoints: then the region's are as good.
    parts.pools.truncate(4);
    parts.pools.extend([0, 1].map(|n| Pool { record: Some("r4.test".into()), ..pool(n, 1, 1) }));
    let placed = made(parts, &world).with_place(A, B, None).unwrap();
    is_sound(&placed);
    assert_eq!(placed.bindings[3].pools, [4, 5, 2].map(|pool| Some(PoolId(pool))));
}

#[test]
fn there_is_no_place_where_there_is_none() {
    let world = world();
    let nowhere = NoPlace { records: Vec::new() };
    for (from, to, record) in [
        (RegionId(3), B, None),
        (A, A, None),
        (A, RegionId(9), None),
        (RegionId(9), A, None),
        (A, B, Some(RecordId(2))),
        (A, B, Some(RecordId(9))),
    ] {
        assert_eq!(world.with_place(from, to, record).unwrap_err(), nowhere, "{from:?} {to:?}");
    }
    // One that only stands in has no place in which another could.
    let placed = world.with_place(A, RegionId(3), Some(RecordId(0))).unwrap();
    assert_eq!(placed.with_place(RegionId(3), B, None).unwrap_err(), nowhere);
    // A region without addresses has nothing to answer with.
    let mut parts = (*world).clone();
    (parts.pools[3].v4, parts.pools[3].v6) = (Vec::new(), Vec::new());
    let lacking = made(parts, &world).with_place(A, RegionId(3), Some(RecordId(0))).unwrap_err();
    assert_eq!(lacking.records, [0, 1].map(RecordId), "whose binding it is");
}

/// A region that stands in where all that there is are aliases of which nothing is known: it is
/// no part of the tree, so that it hides nothing of that.
#[test]
fn one_that_waits_to_stand_in_is_no_part_of_its_tree() {
    let (tree, class) = plant(&Spec::Region(0), 1, OnAllDown::Open);
    let alias = Endpoint::Alias(Name::from_text("lb.example").unwrap());
    let unknown = Pool { endpoint: alias, ..pool(0, 0, 0) };
    let one = assemble(tree, vec![class], vec![unknown, pool(1, 1, 1), pool(2, 1, 1)]);
    let placed = Arc::new(one.with_place(A, RegionId(1), None).unwrap());
    let mut inputs = all_or_none(&placed, &[false, true, true]);
    let reason = |inputs: &Inputs| {
        let snapshot = compile(None, &placed, inputs);
        let (_, side) = snapshot.side(RecordId(0), Family::V4).unwrap();
        side.class(0).unwrap().distribution.reason
    };
    assert_eq!(reason(&inputs), Reason::Unresolved);
    let mut forces = Forces::default();
    let shifted = Some(Shifted { to: RegionId(1), part: 0.1 });
    *forces.on_region(A) = Forcing { shifted, ..Forcing::default() };
    inputs.forces = Arc::new(forces);
    assert_eq!(reason(&inputs), Reason::Available);
}
