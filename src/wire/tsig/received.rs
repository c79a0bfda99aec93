//! The record of a message that has come, and whether it is right.

use std::ops::Range;
use std::sync::Arc;

use subtle::ConstantTimeEq;

use crate::wire::{NAME_MAX, rtype};

use super::{CLASS_ANY, Error, Fields, Key, Mac};

/// A TSIG record as it was received. It keeps what a reply needs, since the reply may be written
/// over the message.
#[derive(Debug, Clone)]
pub struct Received {
    start: usize,
    pub(super) name: NameBuf,
    pub(super) algorithm: NameBuf,
    pub(super) time: u64,
    pub(super) fudge: u16,
    pub(super) mac: Mac,
    original_id: u16,
    error: u16,
    other: Range<usize>,
}

/// Octets of a header; the count of additional records is its last field.
const HEADER: usize = 12;

impl Received {
    /// Where the record of a message starts: it is the last one of all. `None` when there is none.
    #[must_use]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "positions within a message, or one record behind it"
    )]
    pub fn find(message: &[u8]) -> Option<usize> {
        let (header, _) = message.split_first_chunk::<HEADER>()?;
        let [_, _, _, _, q1, q0, counts @ ..] = *header;
        let mut at = HEADER;
        for _ in 0..u16::from_be_bytes([q1, q0]) {
            at = NameBuf::read(message, at)?.1 + 4;
        }
        let [n1, n0, u1, u0, d1, d0] = counts;
        let counts =
            [[n1, n0], [u1, u0], [d1, d0]].map(|count| u32::from(u16::from_be_bytes(count)));
        let mut last = None;
        for _ in 0..counts.iter().sum() {
            let (_, behind) = NameBuf::read(message, at)?;
            let (head, _) = message.get(behind..)?.split_first_chunk::<10>()?;
            let [t1, t0, .., l1, l0] = *head;
            last = Some((at, u16::from_be_bytes([t1, t0])));
            at = behind + head.len() + usize::from(u16::from_be_bytes([l1, l0]));
        }
        last.filter(|(_, rtype)| *rtype == rtype::TSIG).map(|(start, _)| start)
    }

    /// Reads the record at `start`; `None` when there is none that can be read.
    #[must_use]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "positions within a message, or one record behind it"
    )]
    pub fn read(message: &[u8], start: usize) -> Option<Self> {
        let (name, at) = NameBuf::read(message, start)?;
        let (head, rest) = message.get(at..)?.split_first_chunk::<10>()?;
        let [t1, t0, c1, c0, ttl @ .., l1, l0] = *head;
        let is_tsig = u16::from_be_bytes([t1, t0]) == rtype::TSIG;
        if !is_tsig || u16::from_be_bytes([c1, c0]) != CLASS_ANY || ttl != [0; 4] {
            return None;
        }
        let end = at + head.len() + usize::from(u16::from_be_bytes([l1, l0]));
        if rest.len() < end - at - head.len() {
            return None;
        }
        let (algorithm, at) = NameBuf::read(message, at + head.len())?;
        let (fixed, rest) = message.get(at..end)?.split_first_chunk::<10>()?;
        let [t5, t4, t3, t2, t1, t0, f1, f0, m1, m0] = *fixed;
        let (mac, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([m1, m0])))?;
        let (&[i1, i0, e1, e0, o1, o0], other) = rest.split_first_chunk::<6>()?;
        (other.len() == usize::from(u16::from_be_bytes([o1, o0]))).then_some(())?;
        Some(Self {
            start,
            name,
            algorithm,
            time: u64::from_be_bytes([0, 0, t5, t4, t3, t2, t1, t0]),
            fudge: u16::from_be_bytes([f1, f0]),
            mac: Mac::new(mac)?,
            original_id: u16::from_be_bytes([i1, i0]),
            error: u16::from_be_bytes([e1, e0]),
            other: end - other.len()..end,
        })
    }

    /// Octets of the record, as it was sent.
    #[must_use]
    pub const fn octets(&self) -> usize {
        self.other.end.saturating_sub(self.start)
    }

    /// Finds the key that a request was signed with. A key of another algorithm is no key.
    ///
    /// # Errors
    /// [`Error::BadKey`].
    pub fn key<'a>(
        &self,
        keys: impl IntoIterator<Item = &'a Arc<Key>>,
    ) -> Result<&'a Arc<Key>, Error> {
        let is_it = |key: &&Arc<Key>| {
            let (name, algorithm) = (key.name().as_wire(), key.algorithm().name());
            self.name.as_wire().eq_ignore_ascii_case(name)
                && self.algorithm.as_wire().eq_ignore_ascii_case(algorithm)
        };
        keys.into_iter().find(is_it).ok_or(Error::BadKey)
    }

    /// Checks the message that the record ends, in the order of RFC 8945 section 5.2: the MAC, then
    /// the time, then whether the MAC is whole, for no shorter one is taken here. `now` is in
    /// seconds since 1970.
    ///
    /// # Errors
    /// What is wrong; [`Error::BadTime`] and [`Error::BadTrunc`] only of messages that were signed
    /// with the key.
    pub fn check(&self, message: &[u8], key: &Key, now: u64) -> Result<(), Error> {
        self.check_reply(message, key, &Mac::NONE, now)
    }

    /// The same of a reply to a request with this MAC.
    pub(super) fn check_reply(
        &self,
        message: &[u8],
        key: &Key,
        request: &Mac,
        now: u64,
    ) -> Result<(), Error> {
        let mac = self.mac.as_slice();
        let algorithm = key.algorithm();
        if !(algorithm.mac_min()..=algorithm.mac_len()).contains(&mac.len()) {
            return Err(Error::Form);
        }
        let mut context = key.context();
        if request.len > 0 {
            context.update(&u16::from(request.len).to_be_bytes());
            context.update(request.as_slice());
        }
        let (&header, _) = message.split_first_chunk::<HEADER>().ok_or(Error::Form)?;
        let [_, _, rest @ .., ar1, ar0] = header;
        context.update(&self.original_id.to_be_bytes());
        context.update(&rest);
        let others = u16::from_be_bytes([ar1, ar0]).checked_sub(1).ok_or(Error::Form)?;
        context.update(&others.to_be_bytes());
        context.update(message.get(HEADER..self.start).ok_or(Error::Form)?);
        let other = message.get(self.other.clone()).ok_or(Error::Form)?;
        key.variables(
            &mut context,
            Fields { time: self.time, fudge: self.fudge, error: self.error, other },
        );
        let made = context.sign();
        let right = made.as_ref().get(..mac.len()).ok_or(Error::Form)?;
        if !bool::from(right.ct_eq(mac)) {
            return Err(Error::BadSig);
        }
        if now.abs_diff(self.time) > u64::from(self.fudge) {
            return Err(Error::BadTime);
        }
        if mac.len() < algorithm.mac_len() { Err(Error::BadTrunc) } else { Ok(()) }
    }
}

/// A name in wire form, as it was sent but for compression.
#[derive(Debug, Clone)]
pub(super) struct NameBuf {
    octets: [u8; NAME_MAX],
    len: u8,
}

impl NameBuf {
    /// Reads the name at a place, which may be compressed, and what is behind it.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "positions within a message, or one record behind it"
    )]
    fn read(message: &[u8], mut at: usize) -> Option<(Self, usize)> {
        let mut name = Self { octets: [0; NAME_MAX], len: 0 };
        let (mut len, mut behind) = (0, None);
        loop {
            match *message.get(at)? {
                0 => break,
                label @ 1..=63 => {
                    let next = at + 1 + usize::from(label);
                    let end = len + 1 + usize::from(label);
                    // One octet is kept for the root.
                    name.octets
                        .get_mut(len..end)
                        .filter(|_| end < NAME_MAX)?
                        .copy_from_slice(message.get(at..next)?);
                    (at, len) = (next, end);
                }
                high @ 0xc0.. => {
                    let low = *message.get(at + 1)?;
                    behind = behind.or(Some(at + 2));
                    let to = usize::from(u16::from_be_bytes([high & 0x3f, low]));
                    // Ever further to the front, so that it ends.
                    (to < at).then_some(())?;
                    at = to;
                }
                _ => return None,
            }
        }
        name.len = u8::try_from(len + 1).ok()?;
        Some((name, behind.unwrap_or(at + 1)))
    }

    pub(super) fn as_wire(&self) -> &[u8] {
        self.octets.get(..usize::from(self.len)).unwrap_or_default()
    }
}
