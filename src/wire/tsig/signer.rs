//! Signing messages: a request, the replies to one, or what is wrong with it.

use std::sync::Arc;

use crate::wire::rtype;

use super::{CLASS_ANY, Error, FUDGE_SECS, Fields, Key, Mac, Received};

/// Octets of a record without its names and its MAC.
pub(super) const FIXED: usize = 10 + 16;
/// Octets of the other data that tell the server's time.
const TIME: usize = 6;

/// Signs the messages of one side of an exchange.
#[derive(Debug, Clone)]
pub struct Signer {
    key: Arc<Key>,
    /// The MAC that the next one covers: the request's, or that of the message before.
    before: Mac,
    /// How many messages have been signed.
    signed: u32,
}

impl Signer {
    /// Of a request.
    #[must_use]
    pub const fn request(key: Arc<Key>) -> Self {
        Self { key, before: Mac::NONE, signed: 0 }
    }

    /// Of the replies to a request, however many they are.
    #[must_use]
    pub fn reply(key: &Arc<Key>, request: &Received) -> Self {
        Self { key: Arc::clone(key), before: request.mac, signed: 0 }
    }

    /// The key that signs.
    #[must_use]
    pub const fn key(&self) -> &Arc<Key> {
        &self.key
    }

    /// Octets that signing adds to a message.
    #[must_use]
    pub fn room(&self) -> usize {
        self.key.room()
    }

    /// Appends the record to the message that is the first `len` octets of `buffer`, counts it in
    /// the header, and returns the length with it; `None` when there is no room. `now` is in seconds
    /// since 1970.
    #[must_use]
    pub fn sign(&mut self, buffer: &mut [u8], len: usize, now: u64) -> Option<usize> {
        self.append(buffer, len, Fields { time: now, fudge: FUDGE_SECS, error: 0, other: &[] })
    }

    /// The same for a reply that says what is wrong with a request, which was signed with this key
    /// (RFC 8945 section 5.2.3). It has the request's time, so that it is right for a client whose
    /// clock is not, and the server's beside it.
    #[must_use]
    pub fn sign_error(
        &mut self,
        buffer: &mut [u8],
        len: usize,
        error: Error,
        request: &Received,
        now: u64,
    ) -> Option<usize> {
        let [_, _, time @ ..] = now.to_be_bytes();
        let other = if error == Error::BadTime { &time[..] } else { &[] };
        debug_assert!(other.len() <= TIME);
        let (time, fudge) = match error {
            Error::BadTime => (request.time, request.fudge),
            _ => (now, FUDGE_SECS),
        };
        self.append(buffer, len, Fields { time, fudge, error: error.code(), other })
    }

    /// Checks the reply to a request that this has signed, where `at` says its record is.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check_reply(&self, message: &[u8], at: usize, now: u64) -> Result<(), Error> {
        let received = Received::read(message, at).ok_or(Error::Form)?;
        let key = received.key([&self.key])?;
        received.check_reply(message, key, &self.before, now)
    }

    fn append(&mut self, buffer: &mut [u8], len: usize, fields: Fields<'_>) -> Option<usize> {
        let mut context = self.key.context();
        if self.before.len > 0 {
            context.update(&u16::from(self.before.len).to_be_bytes());
            context.update(self.before.as_slice());
        }
        context.update(buffer.get(..len)?);
        match self.signed {
            0 => self.key.variables(&mut context, fields),
            // RFC 8945 section 5.3.1: of later messages of one reply, only the timers.
            _ => context.update(&fields.timers()),
        }
        let mac = Mac::new(context.sign().as_ref())?;
        let names = (self.key.name().as_wire(), self.key.algorithm().name());
        let end = append(buffer, len, names, fields, mac.as_slice())?;
        (self.before, self.signed) = (mac, self.signed.saturating_add(1));
        Some(end)
    }
}

impl Received {
    /// Octets that [`Received::refuse`] adds to a message.
    #[must_use]
    #[expect(clippy::arithmetic_side_effects, reason = "lengths of names and of signatures")]
    pub fn refusal_room(&self) -> usize {
        self.name.as_wire().len() + self.algorithm.as_wire().len() + FIXED
    }

    /// Appends the record of a reply to a request that could not be checked: it has no MAC (RFC 8945
    /// section 5.3.2).
    #[must_use]
    pub fn refuse(&self, buffer: &mut [u8], len: usize, error: Error) -> Option<usize> {
        let (time, fudge) = (self.time, self.fudge);
        let fields = Fields { time, fudge, error: error.code(), other: &[] };
        append(buffer, len, (self.name.as_wire(), self.algorithm.as_wire()), fields, &[])
    }
}

/// Writes a record behind a message and counts it.
#[expect(clippy::arithmetic_side_effects, reason = "lengths of names and of signatures")]
fn append(
    buffer: &mut [u8],
    len: usize,
    (name, algorithm): (&[u8], &[u8]),
    fields: Fields<'_>,
    mac: &[u8],
) -> Option<usize> {
    let (message, room) = buffer.split_at_mut_checked(len)?;
    let (&mut [i1, i0], _) = message.split_first_chunk_mut::<2>()?;
    let data = algorithm.len() + 16 + mac.len() + fields.other.len();
    let [t1, t0] = rtype::TSIG.to_be_bytes();
    let [c1, c0] = CLASS_ANY.to_be_bytes();
    let [d1, d0] = u16::try_from(data).ok()?.to_be_bytes();
    let [e1, e0] = fields.error.to_be_bytes();
    let [o1, o0] = u16::try_from(fields.other.len()).ok()?.to_be_bytes();
    let parts: [&[u8]; 8] = [
        name,
        &[t1, t0, c1, c0, 0, 0, 0, 0, d1, d0],
        algorithm,
        &fields.timers(),
        &u16::try_from(mac.len()).ok()?.to_be_bytes(),
        mac,
        &[i1, i0, e1, e0, o1, o0],
        fields.other,
    ];
    let mut at = 0;
    for part in parts {
        room.get_mut(at..at + part.len())?.copy_from_slice(part);
        at += part.len();
    }
    let count = message.get_mut(10..12)?.first_chunk_mut::<2>()?;
    *count = u16::from_be_bytes(*count).checked_add(1)?.to_be_bytes();
    Some(len + at)
}
