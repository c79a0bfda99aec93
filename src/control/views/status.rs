//! All at a glance.

use std::time::SystemTime;

use super::records::{record, risk};
use super::types::{CertificateView, ChecksInNumbers, RecordView, Risk, Status};
use super::{Seen, override_view, regions, time};
use crate::control::tracked::Tracked;
use crate::health::State as Judged;
use crate::model::{BindingId, RecordId};

/// How many records and aliases are told one by one.
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
        plans: Vec::new(),
        overrides: seen.state.overrides.list.iter().map(|one| override_view(seen, one)).collect(),
        records: assembly.records.len(),
        records_at_risk: at_risk.len(),
        at_risk: told(&mut at_risk.iter().take(TOLD).map(|(_, id)| *id)),
        all_records: match few {
            true => told(&mut (0..assembly.records.len() as u32).map(RecordId)),
            false => Vec::new(),
        },
        checks: in_numbers(seen),
        cut_off_secs: seen.state.self_check.cut_off.map(|since| seen.ago(since)),
        certificates: certificates(seen),
        aliases: super::aliases::aliases(seen, TOLD),
    }
}

/// The certificates that expire soon.
fn certificates(seen: Seen<'_>) -> Vec<CertificateView> {
    let mut soon: Vec<(SystemTime, &Tracked)> = (seen.state.targets.iter())
        .filter(|tracked| tracked.warned)
        .filter_map(|tracked| Some((tracked.expires?, tracked)))
        .collect();
    soon.sort_by_key(|(expires, _)| *expires);
    let view = |(expires, tracked): (SystemTime, &Tracked)| CertificateView {
        check: tracked.target.check.name.to_string(),
        destination: tracked.target.destination.to_string(),
        expires: time(expires),
        expires_in_secs: match expires.duration_since(seen.wall) {
            Ok(left) => left.as_secs_f64(),
            Err(past) => -past.duration().as_secs_f64(),
        },
    };
    soon.into_iter().take(TOLD).map(view).collect()
}

fn in_numbers(seen: Seen<'_>) -> ChecksInNumbers {
    let of = |judged| seen.state.targets.iter().filter(|t| t.health.state == judged).count();
    ChecksInNumbers {
        targets: seen.state.targets.len(),
        up: of(Judged::Up),
        down: of(Judged::Down),
        unknown: of(Judged::Unknown),
        abstaining: seen.state.abstaining,
        oldest_secs: seen.state.oldest_observation().map(|at| seen.ago(at)),
    }
}
