//! What the assembly in force is made of beside the one that was loaded: records set apart, for what is
//! forced in them alone, and places for regions that answer in the place of others.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::overrides::{Overrides, find_record, find_region};
use super::plans::Plans;
use crate::model::{Force, RecordId, RegionId};
use crate::routing::Assembly;

/// By positions of the assembly that was loaded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Arrangement {
    /// The records in which something is forced that is not forced in all.
    pub(super) records: BTreeSet<RecordId>,
    /// From where, to where, and in which record alone.
    shifts: BTreeSet<(RegionId, RegionId, Option<RecordId>)>,
}

impl Arrangement {
    /// What overrides and plans ask for. What is not configured any more is left out.
    pub(super) fn of(base: &Assembly, overrides: &Overrides, plans: &Plans) -> Self {
        let named = overrides.list.iter().filter_map(|one| one.record.as_ref());
        let records = named.chain(plans.records()).filter_map(|name| find_record(base, name));
        let kept = overrides.list.iter().filter_map(|one| match &one.force {
            Force::Shift(to) => Some((&*one.region, &**to, one.record.as_ref())),
            _ => None,
        });
        let shifts = kept.chain(plans.shifts()).filter_map(|(from, to, record)| {
            let record = match record {
                Some(name) => Some(find_record(base, name)?),
                None => None,
            };
            Some((find_region(base, from)?, find_region(base, to)?, record))
        });
        Self { records: records.collect(), shifts: shifts.collect() }
    }

    /// The assembly that is so. A shift to where there is no place (any more) is left out.
    pub(super) fn assembly(&self, base: &Arc<Assembly>) -> Arc<Assembly> {
        if *self == Self::default() {
            return Arc::clone(base);
        }
        let mut assembly = base.separated(&self.records);
        for (from, to, record) in &self.shifts {
            if let Ok(placed) = assembly.with_place(*from, *to, *record) {
                assembly = placed;
            }
        }
        Arc::new(assembly)
    }
}
