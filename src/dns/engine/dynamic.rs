//! Hot: the answer of a dynamic record: one draw, and a copy.

use crate::model::RecordId;
use crate::routing::{Snapshot, start};
use crate::wire::Family;

use super::Worker;
use super::reply::{Full, Owner, Reply};

/// What a draw came to.
pub(super) enum Drawn {
    /// The addresses are written.
    Addresses,
    /// Nothing is to be answered; the negative answer may be kept for so many seconds.
    Nodata { ttl: u32 },
}

pub(super) fn answer(
    snapshot: &Snapshot,
    record: RecordId,
    family: Family,
    owner: Owner,
    worker: &mut Worker,
    reply: &mut Reply<'_>,
) -> Result<Drawn, Full> {
    let Some((record, side)) = snapshot.side(record, family) else {
        return Ok(Drawn::Nodata { ttl: 0 });
    };
    // One class for now: no tree looks at the client yet.
    let Some(class) = side.class(0) else {
        return Ok(Drawn::Nodata { ttl: record.ttl_min });
    };
    let ttl = record.ttl(class);
    let slot = class.distribution.pick.draw(worker.rng.u64(..));
    let Some(answer) = slot.and_then(|slot| side.answer(class, slot)) else {
        return Ok(Drawn::Nodata { ttl });
    };
    let tail = answer.tail;
    let count = tail.count().min(record.max_answers).min(answer.most);
    let from = match tail.count() {
        0 => return Ok(Drawn::Nodata { ttl }),
        1 => 0,
        all => start(worker.rng.u32(..), all),
    };
    for (count, octets) in tail.ring(from, count) {
        reply.records(owner, tail.rtype(), ttl, count, octets)?;
    }
    for slot in answer.regions(from, count) {
        if let Some(&column) = record.columns.get(slot.index()) {
            worker.block.answer(column);
        }
    }
    Ok(Drawn::Addresses)
}
