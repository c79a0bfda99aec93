//! A number for a piece of configuration that is the same in every run and every version:
//! for what is kept on disk, and for phases that are spread but fixed. The standard library's
//! hashers promise neither.
//!
//! FNV-1a over 64 bits, each text preceded by its length, and a final mix so that near inputs
//! give far numbers. Not for keeping secrets and not for input that wants to collide.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::todo,
    clippy::unimplemented,
    reason = "nothing that a packet says may reach a panic"
)]

/// A number far from those of near numbers, each once: the finaliser of SplitMix64 (Stafford's
/// variant 13 of MurmurHash3's).
#[inline]
#[must_use]
pub const fn mix(number: u64) -> u64 {
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A digest in the making.
#[derive(Debug, Clone, Copy)]
pub struct Digest(u64);

impl Digest {
    /// Of nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds a number.
    #[must_use]
    pub fn number(self, number: u64) -> Self {
        self.octets(&number.to_le_bytes())
    }

    /// Adds a text; two texts never read like one.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.number(text.len() as u64).octets(text.as_bytes())
    }

    /// Adds a text or the fact that there is none, which is not the same as an empty one.
    #[must_use]
    pub fn maybe(self, text: Option<&str>) -> Self {
        match text {
            None => self.number(0),
            Some(text) => self.number(1).text(text),
        }
    }

    /// The number.
    #[must_use]
    pub const fn finish(self) -> u64 {
        mix(self.0)
    }

    fn octets(self, octets: &[u8]) -> Self {
        Self(octets.iter().fold(self.0, |hash, octet| {
            (hash ^ u64::from(*octet)).wrapping_mul(0x0000_0100_0000_01b3)
        }))
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self::new()
    }
}
