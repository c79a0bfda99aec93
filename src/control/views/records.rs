//! Records: their shares, and whether they are at risk.

use super::types::{Page, RecordFamily, RecordView, RegionShare, Risk, ShiftedView};
use super::{Seen, page, shares::shares};
use crate::control::command::OverrideKind;
use crate::control::helm::RecordFilter;
use crate::control::tell::worst;
use crate::model::{BindingId, Family, Forcing, RecordId, RegionId, Slot};
use crate::routing::{Assembly, Snapshot};

/// How many pools of a binding there are in a family, and how many of them are up and not drained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::control) struct Standing {
    pub(in crate::control) up: usize,
    pub(in crate::control) pools: usize,
}

/// How the pools of a binding stand in a family. One that is drained or shifted in part still counts; one
/// that is in the tree for nothing but to stand in does when it does.
pub(in crate::control) fn standing(snapshot: &Snapshot, id: BindingId, family: Family) -> Standing {
    let binding = &snapshot.assembly.bindings[id.index()];
    let slots = &snapshot.assembly.trees[binding.tree.index()].slots;
    let mut standing = Standing { up: 0, pools: 0 };
    let stands_in = |region: RegionId| {
        slots.iter().zip(&binding.pools).any(|(place, pool)| {
            let shifted = snapshot.forces.of(id, *place).shifted;
            pool.is_some() && shifted.is_some_and(|to| to.to == region && to.part > 0.0)
        })
    };
    for (region, pool) in slots.iter().zip(&binding.pools) {
        if snapshot.assembly.only_stands_in(binding.tree, *region) && !stands_in(*region) {
            continue;
        }
        let Some(pool) = pool.and_then(|pool| snapshot.pools.get(pool.index())) else { continue };
        let of = pool.family(family);
        if of.count == 0 {
            continue;
        }
        standing.pools += 1;
        let Forcing { up, drained, down, shifted, .. } = snapshot.forces.of(id, *region);
        let gone = down || drained >= 1.0 || shifted.is_some_and(|shifted| shifted.part >= 1.0);
        standing.up += usize::from(!gone && (up || of.h > 0.0));
    }
    standing
}

/// What puts the records of a binding at risk.
pub(super) fn risk(snapshot: &Snapshot, id: BindingId) -> Option<Risk> {
    let served = snapshot.bindings.get(id.index())?;
    let both = Family::BOTH.into_iter();
    if both.clone().any(|family| served.is_all_down(family)) {
        return Some(Risk::AllDown);
    }
    let last = |family| {
        let standing = standing(snapshot, id, family);
        standing.pools > 1 && standing.up <= 1
    };
    if both.clone().any(last) {
        return Some(Risk::LastPool);
    }
    let doubtful =
        |family: Family| served.side(family).classes().iter().any(|class| class.in_doubt);
    both.clone().any(doubtful).then_some(Risk::InDoubt)
}

/// One record.
pub(super) fn record(seen: Seen<'_>, id: RecordId) -> Option<RecordView> {
    let snapshot = seen.snapshot;
    let record = snapshot.assembly.records.get(id.index())?;
    let tree = &snapshot.assembly.trees[snapshot.records.get(id.index())?.tree.index()];
    let families = Family::BOTH.into_iter().filter_map(|family| of_family(snapshot, id, family));
    Some(RecordView {
        name: record.name.to_string(),
        policy: tree.label(),
        ttl: record.ttl,
        ttl_min: record.ttl_min,
        risk: risk(snapshot, record.binding),
        families: families.collect(),
        endpoints: super::aliases::endpoints(seen, record.binding),
    })
}

fn of_family(snapshot: &Snapshot, id: RecordId, family: Family) -> Option<RecordFamily> {
    let (served, side) = snapshot.side(id, family)?;
    let Standing { up, pools } = standing(snapshot, served.binding, family);
    if pools == 0 {
        return None;
    }
    let all = snapshot.bindings.get(served.binding.index())?;
    let ttls = || side.classes().iter().map(|class| served.ttl(class));
    let tree = &snapshot.assembly.trees[served.tree.index()];
    let share = |(region, share)| {
        let slot = tree.slots.iter().position(|slot| *slot == region).unwrap_or_default();
        let takes_part = side.tails.get(Slot(slot as u16).index()).is_some_and(|t| t.count() > 0);
        let forcing = snapshot.forces.of(served.binding, region);
        takes_part.then(|| RegionShare {
            region: snapshot.assembly.regions[region.index()].name.to_string(),
            share,
            forced: forced(forcing),
            drained: forcing.drained,
            shifted: shifted(&snapshot.assembly, forcing),
            weight_override: forcing.weight.map(|weight| weight.0),
        })
    };
    Some(RecordFamily {
        family: family.label().into(),
        reason: worst(all, family).label().into(),
        all_down: all.is_all_down(family),
        classes: snapshot.places.table(served.tree).map_or(1, |table| table.classes().len()),
        pools_up: up,
        pools,
        ttl: [ttls().min().unwrap_or_default(), ttls().max().unwrap_or_default()],
        shares: shares(snapshot, id, family).into_iter().filter_map(share).collect(),
    })
}

/// The state that is forced, as it is called.
pub(super) fn forced(forcing: Forcing) -> Option<OverrideKind> {
    match forcing {
        Forcing { down: true, .. } => Some(OverrideKind::ForceDown),
        Forcing { drained, .. } if drained > 0.0 => Some(OverrideKind::Drain),
        Forcing { shifted: Some(shifted), .. } if shifted.part > 0.0 => Some(OverrideKind::Shift),
        Forcing { up: true, .. } => Some(OverrideKind::ForceUp),
        _ => None,
    }
}

/// Who answers in a region's place.
pub(super) fn shifted(assembly: &Assembly, forcing: Forcing) -> Option<ShiftedView> {
    let shifted = forcing.shifted.filter(|shifted| shifted.part > 0.0)?;
    let to = assembly.regions.get(shifted.to.index())?.name.to_string();
    Some(ShiftedView { to, part: shifted.part })
}

/// The records that are wanted, in the order of the configuration.
pub(in crate::control) fn records(seen: Seen<'_>, filter: &RecordFilter) -> Page<RecordView> {
    let assembly = &seen.snapshot.assembly;
    let region = filter.region.as_ref();
    let at_risk = |id: BindingId| risk(seen.snapshot, id).is_some();
    let wanted = |(_, record): &(RecordId, &crate::model::Record)| {
        let name = record.name.to_string();
        let binding = &assembly.bindings[record.binding.index()];
        let slots = &assembly.trees[binding.tree.index()].slots;
        let mut taking = slots.iter().zip(&binding.pools).filter(|(_, pool)| pool.is_some());
        filter.name.as_ref().is_none_or(|own| own.eq_ignore_ascii_case(&name))
            && filter.contains.as_ref().is_none_or(|part| name.contains(&part.to_ascii_lowercase()))
            && region.is_none_or(|region| {
                taking.any(|(slot, _)| *assembly.regions[slot.index()].name == **region)
            })
            && (!filter.at_risk || at_risk(record.binding))
    };
    let ids = (0..).map(RecordId).zip(&assembly.records).filter(wanted).map(|(id, _)| id);
    let ids = page(ids.collect(), filter.offset, filter.limit);
    Page {
        total: ids.total,
        items: ids.items.into_iter().filter_map(|id| record(seen, id)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::control::tests::{assembly_of, check};
    use crate::model::{Forcing, Node, OnAllDown, Shifted};
    use crate::routing::{Forces, Inputs, Options, PoolStanding, compile};

    const FROM: RegionId = RegionId(0);
    const TO: RegionId = RegionId(2);

    /// Two regions by weight, and a third that may stand in for the first.
    fn world() -> Assembly {
        let all = assembly_of(&[(0, 1), (1, 1), (2, 1)], &check("web"), OnAllDown::Open, None);
        let mut parts = (**all).clone();
        parts.trees[0].slots.truncate(2);
        parts.bindings[0].pools.truncate(2);
        let root = parts.trees[0].root.0 as usize;
        if let Node::Weighted { members } = &mut parts.trees[0].nodes[root].node {
            members.truncate(2);
        }
        parts.trees[0].nodes[2].node = Node::Region(Slot(0));
        let (names, places) = (Arc::clone(&all.names), Arc::clone(&all.places));
        let assembly = Assembly::new(parts, names, places, Options::default(), |_, _| 0);
        assembly.with_place(FROM, TO, None).unwrap()
    }

    fn told(part: f64, up: [bool; 3]) -> (Standing, RecordFamily) {
        let assembly = Arc::new(world());
        let mut forces = Forces::default();
        let shifted = Some(Shifted { to: TO, part });
        *forces.on_region(FROM) = Forcing { shifted, ..Forcing::default() };
        let pools = assembly.pools.iter().zip(up);
        let pools = pools.map(|(pool, up)| Arc::new(PoolStanding::assumed(pool, up))).collect();
        let inputs = Inputs { forces: Arc::new(forces), ..Inputs::of(pools) };
        let snapshot = compile(None, &assembly, &inputs);
        let family = of_family(&snapshot, RecordId(0), Family::V4).unwrap();
        (standing(&snapshot, BindingId(0), Family::V4), family)
    }

    #[test]
    fn a_shift_is_told_of_the_region_in_whose_place_another_answers() {
        let (_, family) = told(0.25, [true; 3]);
        let share = |at: usize| (family.shares[at].region.as_str(), family.shares[at].share.most);
        assert_eq!([share(0), share(1), share(2)], [("r0", 0.375), ("r1", 0.5), ("r2", 0.125)]);
        assert_eq!(family.shares[0].forced, Some(OverrideKind::Shift));
        let to = ShiftedView { to: "r2".into(), part: 0.25 };
        assert_eq!(family.shares[0].shifted, Some(to));
        assert_eq!((family.shares[2].forced, &family.shares[2].shifted), (None, &None));
        // Before it begins nothing is told of it.
        let (_, family) = told(0.0, [true; 3]);
        assert_eq!((family.shares[0].forced, &family.shares[0].shifted), (None, &None));
    }

    #[test]
    fn who_stands_in_counts_while_he_does_and_who_is_shifted_as_long_as_he_serves() {
        let up = |part, up| {
            let (Standing { up, pools }, _) = told(part, up);
            (up, pools)
        };
        assert_eq!(up(0.0, [true; 3]), (2, 2));
        assert_eq!(up(0.5, [true; 3]), (3, 3));
        assert_eq!(up(1.0, [true; 3]), (2, 3));
        assert_eq!(up(1.0, [true, true, false]), (1, 3));
    }
}
