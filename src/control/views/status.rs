//! All at a glance.

use super::records::{record, risk};
use super::types::{ChecksInNumbers, RecordView, Risk, Status};
use super::{Seen, override_view, regions, time};
use crate::health::State as Judged;
use crate::model::{BindingId, RecordId};

/// How many records are told one by one.
const TOLD: usize = 20;

/// All at a glance.
pub(in crate::control) fn status(seen: Seen<'_>) -> Status {
    let assembly = &seen.snapshot.assembly;
    let risks: Vec<Option<Risk>> =
        (0..assembly.bindings.len() as u32).map(|id| risk(seen.snapshot, BindingId(id))).collect();
    let mut at_risk: Vec<(Risk, RecordId)> = (0..)
        .map(RecordId)
        .zip(&assembly.records)
        .filter_map(|(id, record)| Some((risks[record.binding.index()]?, id)))
        .collect();
    at_risk.sort_by(|(one, _), (other, _)| other.cmp(one));
    let told = |ids: &mut dyn Iterator<Item = RecordId>| -> Vec<RecordView> {
        ids.filter_map(|id| record(seen, id)).collect()
    };
    let few = assembly.records.len() <= TOLD;
    Status {
        version: env!("CARGO_PKG_VERSION").into(),
        time: time(seen.wall),
        uptime_secs: seen.ago(seen.started),
        generation: seen.snapshot.generation,
        regions: regions(seen),
        overrides: seen.state.overrides.list.iter().map(|one| override_view(seen, one)).collect(),
        records: assembly.records.len(),
        records_at_risk: at_risk.len(),
        at_risk: told(&mut at_risk.iter().take(TOLD).map(|(_, id)| *id)),
        all_records: match few {
            true => told(&mut (0..assembly.records.len() as u32).map(RecordId)),
            false => Vec::new(),
        },
        checks: in_numbers(seen),
    }
}

fn in_numbers(seen: Seen<'_>) -> ChecksInNumbers {
    let of = |judged| seen.state.targets.iter().filter(|t| t.health.state == judged).count();
    ChecksInNumbers {
        targets: seen.state.targets.len(),
        up: of(Judged::Up),
        down: of(Judged::Down),
        unknown: of(Judged::Unknown),
        oldest_secs: seen.state.oldest_observation().map(|at| seen.ago(at)),
    }
}
