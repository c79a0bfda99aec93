//! TSIG: messages signed with a secret that both sides know (RFC 8945).
//!
//! The arithmetic is `ring`'s; here is the record around it, for those who answer signed requests
//! ([`Received`], [`Signer`]) and those who send them ([`Signer::request`]). The record is always
//! the last one of its message. Whom a key lets do what is left to others.
#![deny(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    reason = "nothing that a packet says may reach a panic"
)]

mod key;
mod received;
mod signer;
#[cfg(test)]
mod tests;

pub use key::{Algorithm, Key};
pub use received::Received;
pub use signer::Signer;

/// How far the clocks of two sides may be apart, in seconds, as RFC 8945 section 10 recommends.
pub const FUDGE_SECS: u16 = 300;

/// The longest MAC, that of HMAC-SHA512, in octets.
const MAC_MAX: usize = 64;

/// Class ANY, which these records have.
const CLASS_ANY: u16 = 255;

/// What is wrong with a signed message: the codes of RFC 8945 section 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// The record cannot be read, or its MAC has a length that none can have.
    Form,
    /// The key is not known, or not with this algorithm.
    BadKey,
    /// The MAC is not that of the message.
    BadSig,
    /// It was signed too long ago, or by a clock that is ahead.
    BadTime,
    /// The MAC is right, but shorter than is taken here.
    BadTrunc,
}

impl Error {
    /// All, in the order of their counters.
    pub const ALL: [Self; 5] =
        [Self::Form, Self::BadKey, Self::BadSig, Self::BadTime, Self::BadTrunc];

    /// The code in the record's field of that name.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Form => 1,
            Self::BadSig => 16,
            Self::BadKey => 17,
            Self::BadTime => 18,
            Self::BadTrunc => 22,
        }
    }

    /// Its name in metrics and logs.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Form => "FORMERR",
            Self::BadKey => "BADKEY",
            Self::BadSig => "BADSIG",
            Self::BadTime => "BADTIME",
            Self::BadTrunc => "BADTRUNC",
        }
    }
}

/// A MAC as it was sent.
#[derive(Debug, Clone, Copy)]
struct Mac {
    octets: [u8; MAC_MAX],
    len: u8,
}

impl Mac {
    const NONE: Self = Self { octets: [0; MAC_MAX], len: 0 };

    /// `None` when it is longer than any can be.
    fn new(octets: &[u8]) -> Option<Self> {
        let mut mac = Self::NONE;
        mac.octets.get_mut(..octets.len())?.copy_from_slice(octets);
        mac.len = u8::try_from(octets.len()).ok()?;
        Some(mac)
    }

    fn as_slice(&self) -> &[u8] {
        self.octets.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// The fields that a MAC covers beside the message and the names (RFC 8945 section 4.3.3).
#[derive(Debug, Clone, Copy)]
struct Fields<'a> {
    /// Seconds since 1970, 48 bits.
    time: u64,
    fudge: u16,
    error: u16,
    other: &'a [u8],
}

impl Fields<'_> {
    /// The time and the fudge as they are sent.
    fn timers(&self) -> [u8; 8] {
        let [_, _, t5, t4, t3, t2, t1, t0] = self.time.to_be_bytes();
        let [f1, f0] = self.fudge.to_be_bytes();
        [t5, t4, t3, t2, t1, t0, f1, f0]
    }
}
