//! Hot: the answer of a dynamic record: the client's class, one draw, and a copy.

use crate::model::{RecordId, TreeId};
use crate::routing::{Asker, Found, Reason, Side, start};
use crate::wire::Family;

use super::lookup::{Client, Query};
use super::reply::{Full, Owner};

/// What a draw came to.
pub(super) enum Drawn {
    /// The addresses are written, or the CNAME.
    Records,
    /// Nothing is known that could be answered.
    Unknown,
    /// Nothing is to be answered; the negative answer may be kept for so many seconds.
    Nodata { ttl: u32 },
    /// The name is to be asked for by itself.
    Apart,
}

/// Answers for a dynamic name.
pub(super) fn answer(
    query: &mut Query<'_, '_>,
    id: RecordId,
    family: Family,
    owner: Owner,
) -> Result<Drawn, Full> {
    let Some((record, side)) = query.snapshot.side(id, family) else {
        return Ok(Drawn::Nodata { ttl: 0 });
    };
    let found = find(query, record.tree, side);
    if query.chain.is_some() && query.client.scope > 0 {
        // A reply has one scope. That of the CNAMEs is 0, and they are for all clients, so what
        // is for some stands in a reply of its own (RFC 7871 section 7.2.1).
        *query.client = Client::default();
        return Ok(Drawn::Apart);
    }
    let Some(class) = side.class(found.class) else {
        return Ok(Drawn::Nodata { ttl: record.ttl_min });
    };
    query.worker.block.client(&query.snapshot.tally, record.cell(found.class, family));
    query.all_down = class.distribution.reason.is_all_down();
    let ttl = record.ttl(class);
    let worker = &mut *query.worker;
    if worker.tap.note.wanted {
        worker.tap.note.drawn(id, record.tree, class.distribution.reason, ttl);
    }
    let slot = class.distribution.pick.draw(worker.rng.u64(..), found.network);
    let Some(answer) = slot.and_then(|slot| side.answer(class, slot)) else {
        return Ok(match class.distribution.reason {
            Reason::Unresolved => Drawn::Unknown,
            _ => Drawn::Nodata { ttl },
        });
    };
    let tail = answer.tail;
    let count = tail.count().min(record.max_answers).min(answer.most);
    let from = match tail.count() {
        0 => return Ok(Drawn::Nodata { ttl }),
        1 => 0,
        all => start(worker.rng.u32(..), all),
    };
    for (count, octets) in tail.ring(from, count).into_iter().filter(|(count, _)| *count > 0) {
        query.reply.records(owner, tail.rtype(), ttl, count, octets)?;
    }
    for slot in answer.regions(from, count) {
        if let Some(&column) = record.columns.get(slot.index()) {
            worker.block.answer(column);
        }
        if worker.tap.note.wanted {
            worker.tap.note.region(slot);
        }
    }
    Ok(Drawn::Records)
}

/// What the record's tree can tell of the client; nothing where it looks at none.
#[inline]
fn find(query: &mut Query<'_, '_>, tree: TreeId, side: &Side) -> Found {
    let Some(table) = query.snapshot.places.table(tree) else { return Found::default() };
    let subnet = query.at.asked.subnet.subnet().and_then(|subnet| subnet.prefix());
    let found = table.find(&Asker { source: query.at.from, subnet });
    // Where no region has the family, nobody gets an address, whoever asks.
    if subnet.is_some() && side.tails.iter().any(|tail| tail.count() > 0) {
        *query.client = Client { scope: found.scope, by_subnet: found.by_subnet };
    }
    found
}
