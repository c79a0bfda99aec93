//! Whose answers move, from where to where: the biggest first, the rest in numbers.

use std::collections::BTreeMap;

use super::shares::each_region;
use super::views::{Movement, RegionPart};
use super::weigh::{At, Part};
use crate::model::{Family, RecordId, RegionId};
use crate::routing::Snapshot;

/// The movements of one scenario.
#[derive(Debug, Default)]
pub(super) struct Moves {
    biggest: Vec<Moved>,
    /// How many there are.
    pub(super) count: usize,
    /// How much of all weights moves.
    pub(super) weight: f64,
}

#[derive(Debug)]
struct Moved {
    record: RecordId,
    family: Family,
    classes: usize,
    weight: f64,
    before: Of,
    after: Of,
}

/// By region the share of what clients draw from.
type Of = BTreeMap<RegionId, f64>;

/// So many are told.
pub(super) const TOLD: usize = 100;
/// What is less is rounding.
const ROUNDING: f64 = 1e-9;

impl Moves {
    /// Takes in what clients draw from before and after.
    pub(super) fn add(&mut self, before: &Snapshot, after: &Snapshot, part: &Part<'_>) {
        if std::ptr::eq(part.before.class, part.after.class)
            || part.before.class.distribution == part.after.class.distribution
        {
            return;
        }
        let (was, is) = (regions(before, part.before), regions(after, part.after));
        let gains = |(region, share): (&RegionId, &f64)| {
            (share - was.get(region).copied().unwrap_or_default()).max(0.0)
        };
        let gained: f64 = is.iter().map(gains).sum();
        let loses = |(region, share): (&RegionId, &f64)| {
            (share - is.get(region).copied().unwrap_or_default()).max(0.0)
        };
        let lost: f64 = was.iter().map(loses).sum();
        // Where something is answered with nothing, more is lost than gained, or the other way round.
        let moved = gained.max(lost);
        if moved < ROUNDING {
            return;
        }
        let weight = moved * part.weight;
        self.count += 1;
        self.weight += weight;
        let Part { record, family, classes, .. } = *part;
        self.biggest.push(Moved { record, family, classes, weight, before: was, after: is });
        if self.biggest.len() >= TOLD * 8 {
            self.keep_biggest();
        }
    }

    fn keep_biggest(&mut self) {
        // Of those that move as much the first of the configuration.
        self.biggest.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        self.biggest.truncate(TOLD);
    }

    /// Those that are told; all weights sum to `total`.
    pub(super) fn told(mut self, snapshot: &Snapshot, total: f64) -> Vec<Movement> {
        self.keep_biggest();
        let name = |region: RegionId| snapshot.assembly.regions[region.index()].name.to_string();
        let parts = |of: Of| {
            let parts = of.into_iter().map(|(id, share)| RegionPart { region: name(id), share });
            parts.collect::<Vec<_>>()
        };
        let of = |moved: Moved| Movement {
            record: snapshot.assembly.records[moved.record.index()].name.to_string(),
            family: moved.family.label().into(),
            classes: moved.classes,
            moved: if total > 0.0 { moved.weight / total } else { 0.0 },
            before: parts(moved.before),
            after: parts(moved.after),
        };
        self.biggest.into_iter().map(of).collect()
    }
}

fn regions(snapshot: &Snapshot, at: At<'_>) -> Of {
    let mut all = Of::new();
    each_region(snapshot, at, |region, share| *all.entry(region).or_default() += share);
    all
}
