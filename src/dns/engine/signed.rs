//! Requests that are signed (RFC 8945): whoever signs with a key that is known here gets a signed
//! reply, whatever it says.
//!
//! A reply is made as for any other request, with room kept for its record. What costs most is one
//! HMAC over the request and one over the reply, and both only with a key that is known.

use std::sync::Arc;

use crate::routing::Snapshot;
use crate::wire::tsig::{Error, Key, Received, Signer};

use super::message::Rcode;
use super::request::Located;
use super::{Transport, Verdict, Worker, answer, opt};

/// What a request's signature came to.
pub(super) struct Signature<'a> {
    /// Octets of a reply that its record takes.
    pub(super) room: usize,
    /// The key that it was made with, or what is wrong with it.
    pub(super) checked: Result<&'a Arc<Key>, Error>,
}

/// The response code of a reply to a request that is signed in vain (RFC 8945 sections 5.2 and
/// 5.2.2.1).
pub(super) const fn rcode(error: Error) -> Rcode {
    match error {
        Error::Form => Rcode::FORMERR,
        _ => Rcode::NOTAUTH,
    }
}

/// Octets that an error may add to a record: the server's time.
const OTHER: usize = 6;

/// What [`super::finish`] does for a request whose signature starts there.
#[cold]
#[expect(clippy::arithmetic_side_effects, reason = "lengths of names and of signatures")]
pub(super) fn finish(
    snapshot: &Snapshot,
    at: &Located,
    start: usize,
    transport: Transport,
    buffer: &mut [u8],
    worker: &mut Worker,
) -> Verdict {
    let now = u64::from(worker.now.unix_secs);
    let Some(received) = Received::read(buffer, start) else {
        worker.block.tsig_failure(Error::Form);
        let signature = Signature { room: 0, checked: Err(Error::Form) };
        return answer::reply(snapshot, at, transport, buffer, worker, Some(&signature));
    };
    let key = received.key(&snapshot.options.transfers.keys);
    let mut checked = key.and_then(|key| received.check(buffer, key, now).map(|()| key));
    let mut room = match (checked, key) {
        (Ok(key), _) => key.room(),
        (Err(Error::Form), _) => 0,
        (Err(Error::BadTime | Error::BadTrunc), Ok(key)) => key.room() + OTHER,
        // Who has not shown that he knows the key gets nothing that it has signed.
        (Err(_), _) => received.refusal_room(),
    };
    // Names that were compressed are whole in a reply, which must not grow by that for nobody knows
    // whom, and some leave no room for what else belongs to a reply.
    let grows = matches!(checked, Err(Error::BadKey | Error::BadSig)) && room > received.octets();
    let opt = at.edns.map_or(0, |_| opt::LEN_MAX);
    if grows || at.question_end + opt + room > answer::size_max(&snapshot.options, at, transport) {
        (checked, room) = (Err(Error::Form), 0);
    }
    if let Err(error) = checked {
        worker.block.tsig_failure(error);
    }
    let signature = Signature { room, checked };
    let verdict = answer::reply(snapshot, at, transport, buffer, worker, Some(&signature));
    let len = match verdict {
        Verdict::Reply(len) => len,
        Verdict::Transfer => {
            if let (Some(transfer), Ok(key)) = (&mut worker.transfer, checked) {
                transfer.signer = Some(Signer::reply(key, &received));
            }
            return Verdict::Transfer;
        }
        Verdict::Nothing => return Verdict::Nothing,
    };
    let end = match (checked, key) {
        (Ok(key), _) => Signer::reply(key, &received).sign(buffer, len, now),
        (Err(Error::Form), _) => Some(len),
        (Err(error @ (Error::BadTime | Error::BadTrunc)), Ok(key)) => {
            Signer::reply(key, &received).sign_error(buffer, len, error, &received, now)
        }
        (Err(error), _) => received.refuse(buffer, len, error),
    };
    end.map_or(Verdict::Nothing, Verdict::Reply)
}
