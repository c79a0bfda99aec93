//! What all answering threads have in common, and what outlives every configuration.

use std::io;
use std::sync::Arc;
use std::time::{Instant, UNIX_EPOCH};

use crate::clock;
use crate::routing::Secret;
use crate::tap::Taps;

use super::accounts::Accounts;

/// Made once in a process; a reload leaves it alone.
#[derive(Debug)]
pub struct Shared {
    started: Instant,
    secret: Secret,
    /// What client networks were sent of late.
    pub(super) accounts: Accounts,
    /// Where workers leave the other ends of their queues to the query log.
    pub taps: Arc<Taps>,
}

/// A moment, as the engine needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// Seconds of Unix time; wraps around.
    pub unix_secs: u32,
    /// Nanoseconds within that second.
    pub nanos: u32,
    /// Milliseconds since the process started; never goes back.
    pub millis: u64,
}

impl Shared {
    /// Draws a secret from the system.
    ///
    /// # Errors
    /// When the system has no random octets to give.
    pub fn new() -> io::Result<Self> {
        let (mut secret, mut key) = ([0; 16], [0; 16]);
        for octets in [&mut secret, &mut key] {
            getrandom::fill(octets).map_err(io::Error::other)?;
        }
        Ok(Self::with(Secret(secret), &key))
    }

    /// With secrets that are known beforehand, for replies that go nowhere.
    #[must_use]
    pub fn with_secret(secret: Secret) -> Self {
        Self::with(secret, &secret.0)
    }

    fn with(secret: Secret, key: &[u8; 16]) -> Self {
        Self { started: clock::now(), secret, accounts: Accounts::new(key), taps: Arc::default() }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Now {
        let unix = clock::wall().duration_since(UNIX_EPOCH).unwrap_or_default();
        let since = clock::now().saturating_duration_since(self.started);
        Now {
            unix_secs: unix.as_secs() as u32,
            nanos: unix.subsec_nanos(),
            millis: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// What server cookies are made with where no secret is configured.
    pub(super) const fn secret(&self) -> &Secret {
        &self.secret
    }
}
