//! Shares of regions in records, and how they change.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::types::{RegionChange, Share, ShareChange};
use crate::model::{BindingId, Family, RecordId, RegionId};
use crate::routing::{ClassSide, Group, Served, Snapshot};
use crate::simulate::parts;
use crate::wire::Name;

/// The share of each region that has a part in a record, in one family: least and most over the
/// classes of clients. Answers of several regions at once count for each.
pub(in crate::control) fn shares(
    snapshot: &Snapshot,
    record: RecordId,
    family: Family,
) -> BTreeMap<RegionId, Share> {
    let Some((served, side)) = snapshot.side(record, family) else { return BTreeMap::new() };
    let Some(tree) = snapshot.assembly.trees.get(served.tree.index()) else {
        return BTreeMap::new();
    };
    let mut shares = BTreeMap::new();
    for class in side.classes() {
        let mut of_class = vec![0.0; tree.slots.len()];
        for (group, share) in &class.distribution.shares {
            let Group::Slot(slot) = group else { continue };
            for (slot, part) in parts(served, side, class, *slot) {
                if let Some(sum) = of_class.get_mut(slot.index()) {
                    *sum += share * part;
                }
            }
        }
        for (region, share) in tree.slots.iter().zip(of_class) {
            let known = shares.entry(*region).or_insert(Share { least: share, most: share });
            *known = Share { least: known.least.min(share), most: known.most.max(share) };
        }
    }
    shares
}

/// The records whose shares another snapshot changes: those of at most `most`, and how many there are.
/// The snapshots may be of different assemblies.
pub(in crate::control) fn changes(
    before: &Snapshot,
    after: &Snapshot,
    most: usize,
) -> (Vec<ShareChange>, usize) {
    let all = (0..after.records.len() as u32).map(RecordId);
    changes_of(before, after, all, most)
}

/// The same of the records of some bindings alone; the snapshots are of one assembly.
pub(in crate::control) fn changes_in(
    before: &Snapshot,
    after: &Snapshot,
    bindings: impl Iterator<Item = BindingId>,
    most: usize,
) -> (Vec<ShareChange>, usize) {
    let (mut told, mut count) = (Vec::new(), 0);
    for binding in bindings {
        let was = before.bindings.get(binding.index());
        let is = after.bindings.get(binding.index());
        if !is.is_some_and(|is| differs(was, is)) {
            continue;
        }
        let records = after.assembly.ids_of(binding);
        let room = most.saturating_sub(count);
        let records = records.iter().copied();
        told.extend(records.clone().take(room).flat_map(|id| change(before, Some(id), after, id)));
        count += records.len();
    }
    (told, count)
}

fn changes_of(
    before: &Snapshot,
    after: &Snapshot,
    records: impl Iterator<Item = RecordId>,
    most: usize,
) -> (Vec<ShareChange>, usize) {
    let mut by_name: Option<HashMap<&Name, RecordId>> = None;
    let (mut told, mut count) = (Vec::new(), 0);
    for id in records {
        let Some(record) = after.assembly.records.get(id.index()) else { continue };
        let same = before.assembly.records.get(id.index());
        let was_id = match same.filter(|same| same.name == record.name) {
            Some(_) => Some(id),
            None => {
                let all = || (0..).map(RecordId).zip(&before.assembly.records);
                let names = by_name
                    .get_or_insert_with(|| all().map(|(id, record)| (&record.name, id)).collect());
                names.get(&record.name).copied()
            }
        };
        let served = |snapshot: &Snapshot, id: RecordId| {
            let binding = snapshot.records.get(id.index())?.binding;
            snapshot.bindings.get(binding.index()).cloned()
        };
        let Some(is) = served(after, id) else { continue };
        let was = was_id.and_then(|id| served(before, id));
        if !differs(was.as_ref(), &is) {
            continue;
        }
        let of_it = change(before, was_id, after, id);
        if !of_it.is_empty() {
            count += 1;
            if count <= most {
                told.extend(of_it);
            }
        }
    }
    (told, count)
}

/// Whether anything may be drawn otherwise.
fn differs(was: Option<&Arc<Served>>, is: &Arc<Served>) -> bool {
    let Some(was) = was else { return true };
    if Arc::ptr_eq(was, is) {
        return false;
    }
    Family::BOTH.into_iter().any(|family| {
        let (was, is) = (was.side(family).classes(), is.side(family).classes());
        let alike = |(was, is): (&ClassSide, &ClassSide)| was.distribution == is.distribution;
        was.len() != is.len() || !was.iter().zip(is).all(alike)
    })
}

/// How the shares of a record change, by family; nothing where they do not.
fn change(
    before: &Snapshot,
    was_id: Option<RecordId>,
    after: &Snapshot,
    id: RecordId,
) -> Vec<ShareChange> {
    const NONE: Share = Share { least: 0.0, most: 0.0 };
    let Some(record) = after.assembly.records.get(id.index()) else { return Vec::new() };
    let of_family = |family: Family| {
        let named = |snapshot: &Snapshot, shares: BTreeMap<RegionId, Share>| {
            let name = |id: RegionId| snapshot.assembly.regions[id.index()].name.to_string();
            let shares = shares.into_iter().map(|(id, share)| (name(id), share));
            shares.collect::<Vec<(String, Share)>>()
        };
        let is = named(after, shares(after, id, family));
        let was = was_id.map(|id| named(before, shares(before, id, family))).unwrap_or_default();
        let find = |list: &[(String, Share)], name: &str| {
            list.iter().find(|(own, _)| own == name).map_or(NONE, |(_, share)| *share)
        };
        let gone = was.iter().filter(|(name, _)| !is.iter().any(|(own, _)| own == name));
        let names = is.iter().chain(gone).map(|(name, _)| name.clone());
        let regions: Vec<RegionChange> = names
            .map(|region| {
                let (before, after) = (find(&was, &region), find(&is, &region));
                RegionChange { region, before, after }
            })
            .collect();
        let changed = regions.iter().any(|region| !alike(region.before, region.after));
        changed.then(|| ShareChange {
            record: record.name.to_string(),
            family: family.label().into(),
            regions,
        })
    };
    Family::BOTH.into_iter().filter_map(of_family).collect()
}

/// Whether two shares are the same but for rounding.
fn alike(one: Share, other: Share) -> bool {
    const ROUNDING: f64 = 1e-9;
    (one.least - other.least).abs() < ROUNDING && (one.most - other.most).abs() < ROUNDING
}
