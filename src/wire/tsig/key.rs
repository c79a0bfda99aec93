//! Keys: a name, an algorithm, a secret.

use std::fmt;

use ring::hmac;

use crate::wire::Name;

use super::{CLASS_ANY, Fields};

/// How a MAC is made (RFC 8945 section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC-SHA1; there for peers that know nothing better.
    Sha1,
    /// HMAC-SHA256.
    Sha256,
    /// HMAC-SHA384.
    Sha384,
    /// HMAC-SHA512.
    Sha512,
}

impl Algorithm {
    /// All, with their names in configurations, which are their names in DNS.
    pub const ALL: [(&'static str, Self); 4] = [
        ("hmac-sha256", Self::Sha256),
        ("hmac-sha384", Self::Sha384),
        ("hmac-sha512", Self::Sha512),
        ("hmac-sha1", Self::Sha1),
    ];

    /// Its name in wire form.
    pub(super) const fn name(self) -> &'static [u8] {
        match self {
            Self::Sha1 => b"\x09hmac-sha1\0",
            Self::Sha256 => b"\x0bhmac-sha256\0",
            Self::Sha384 => b"\x0bhmac-sha384\0",
            Self::Sha512 => b"\x0bhmac-sha512\0",
        }
    }

    /// Octets of a whole MAC.
    #[must_use]
    pub const fn mac_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The shortest MAC that may be sent (RFC 8945 section 5.2.2.1), in octets.
    pub(super) const fn mac_min(self) -> usize {
        match self {
            // Half of it would be less than ten.
            Self::Sha1 => 10,
            _ => self.mac_len() / 2,
        }
    }

    const fn hmac(self) -> hmac::Algorithm {
        match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha384 => hmac::HMAC_SHA384,
            Self::Sha512 => hmac::HMAC_SHA512,
        }
    }
}

/// A secret that two sides share, and what they call it.
#[derive(Clone)]
pub struct Key {
    name: Name,
    algorithm: Algorithm,
    secret: Box<[u8]>,
    hmac: hmac::Key,
}

impl Key {
    /// Of a secret of any length.
    #[must_use]
    pub fn new(name: Name, algorithm: Algorithm, secret: &[u8]) -> Self {
        let hmac = hmac::Key::new(algorithm.hmac(), secret);
        Self { name, algorithm, secret: secret.into(), hmac }
    }

    /// What both sides call it.
    #[must_use]
    pub const fn name(&self) -> &Name {
        &self.name
    }

    /// How its MACs are made.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Octets of a record that is signed with it and has no other data.
    #[must_use]
    #[expect(clippy::arithmetic_side_effects, reason = "lengths of names and of signatures")]
    pub fn room(&self) -> usize {
        let names = self.name.as_wire().len() + self.algorithm.name().len();
        names + super::signer::FIXED + self.algorithm.mac_len()
    }

    pub(super) fn context(&self) -> hmac::Context {
        hmac::Context::with_key(&self.hmac)
    }

    /// Adds the variables of a record to a MAC in the making (RFC 8945 section 4.3.3).
    pub(super) fn variables(&self, context: &mut hmac::Context, fields: Fields<'_>) {
        context.update(self.name.as_wire());
        context.update(&CLASS_ANY.to_be_bytes());
        context.update(&[0; 4]); // its TTL
        context.update(self.algorithm.name());
        context.update(&fields.timers());
        context.update(&fields.error.to_be_bytes());
        context.update(&(fields.other.len() as u16).to_be_bytes());
        context.update(fields.other);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        let same = self.name == other.name && self.algorithm == other.algorithm;
        same && self.secret == other.secret
    }
}

impl Eq for Key {}

/// Without the secret.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:?})", self.name, self.algorithm)
    }
}
