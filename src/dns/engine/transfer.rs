//! Requests for whole zones: AXFR (RFC 5936) and IXFR (RFC 1995), which is answered as AXFR. Here it
//! is decided who gets what; the messages are made by `dns::transfer`.

use std::sync::Arc;

use crate::metrics::{Block, TransferResult};
use crate::routing::{Dynamic, Snapshot};
use crate::wire::{is_newer, rtype, tsig};
use crate::zone::{Found, ZoneId};

use super::Transport;
use super::message::{Ede, Rcode};
use super::request::Located;

/// A transfer that is to be sent.
#[derive(Debug)]
pub struct Transfer {
    /// The zone.
    pub zone: ZoneId,
    /// Header and question of the first message, with the counts of that.
    pub head: Vec<u8>,
    /// The OPT record of the first message, if it has one.
    pub opt: Vec<u8>,
    /// Who signs the messages, if the request was signed.
    pub signer: Option<tsig::Signer>,
}

impl Transfer {
    /// From a reply without records, whose header and question end there, and which has an OPT record
    /// behind them or nothing.
    pub(super) fn new(zone: ZoneId, reply: Option<&[u8]>, end: usize) -> Option<Box<Self>> {
        let (head, opt) = reply?.split_at_checked(end)?;
        Some(Box::new(Self { zone, head: head.into(), opt: opt.into(), signer: None }))
    }
}

/// What a request for a zone gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// Nothing but a code, and perhaps why.
    Refuse(Rcode, Option<Ede>),
    /// The SOA: there is nothing newer, or the rest is to be asked for over TCP.
    Soa(ZoneId),
    /// All of it.
    Whole(ZoneId),
}

impl Decision {
    /// The zone, if all of it is to be sent.
    pub(super) const fn zone(self) -> Option<ZoneId> {
        if let Self::Whole(zone) = self { Some(zone) } else { None }
    }
}

/// Counts what a request gets; a transfer is counted when it is over.
pub(super) fn count(decision: Decision, block: &Block) {
    match decision {
        Decision::Refuse(..) => block.transfer(TransferResult::Refused),
        Decision::Soa(_) => block.transfer(TransferResult::Soa),
        Decision::Whole(_) => {}
    }
}

const NO_DYNAMIC: Ede =
    Ede { text: "zones with dynamic names are not transferred", ..Ede::NOT_SUPPORTED };

/// Decides; `key` is what signed the request.
pub(super) fn decide(
    snapshot: &Snapshot,
    at: &Located,
    transport: Transport,
    key: Option<&Arc<tsig::Key>>,
) -> Decision {
    let is_ixfr = at.qtype == rtype::IXFR;
    if transport == Transport::Udp && !is_ixfr {
        return Decision::Refuse(Rcode::FORMERR, None);
    }
    let transfers = &snapshot.options.transfers;
    if !transfers.allows(at.from, key) {
        return Decision::Refuse(Rcode::REFUSED, Some(Ede::PROHIBITED));
    }
    let names = &snapshot.names;
    let apex = match names.find(&at.key) {
        Found::Exact(id) => Some(names.entry(id)).filter(|entry| entry.is_apex()),
        _ => None,
    };
    let Some(id) = apex.map(|apex| apex.zone()) else {
        return Decision::Refuse(Rcode::NOTAUTH, Some(Ede::NOT_AUTHORITATIVE));
    };
    let zone = names.zone(id);
    if zone.has_dynamic && transfers.dynamic == Dynamic::Refuse {
        return Decision::Refuse(Rcode::REFUSED, Some(NO_DYNAMIC));
    }
    match at.serial {
        // RFC 1995 section 2: who has this version or a later one gets the SOA alone, and so does who
        // asks over UDP, where the rest does not fit.
        Some(theirs) if transport == Transport::Udp || !is_newer(zone.serial(), theirs) => {
            Decision::Soa(id)
        }
        _ => Decision::Whole(id),
    }
}
