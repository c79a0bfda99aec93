//! How many wrong tokens a client may show: ten at once, then one in ten seconds. Until then none of its
//! tokens is looked at, so that guessing gets nowhere; other clients notice nothing.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::model::canonical;

/// Wrong tokens at once.
const BURST: u32 = 10;
/// After which one more is allowed.
const EVERY: Duration = Duration::from_secs(10);
/// Clients that are remembered; of more, those are forgotten that have waited longest.
const CLIENTS: usize = 4096;

/// What each client has guessed: the moment at which all of it will be forgiven.
#[derive(Debug, Default)]
pub(super) struct Guesses(HashMap<IpAddr, Instant>);

impl Guesses {
    /// Whether another token of a client may be looked at.
    ///
    /// # Errors
    /// How long it has to wait.
    pub(super) fn may(&self, from: IpAddr, now: Instant) -> Result<(), Duration> {
        let Some(forgiven) = self.0.get(&client(from)) else { return Ok(()) };
        let owed = forgiven.saturating_duration_since(now);
        match owed.checked_sub(EVERY * (BURST - 1)) {
            Some(wait) if wait > Duration::ZERO => Err(wait),
            _ => Ok(()),
        }
    }

    /// A client has shown a wrong one.
    pub(super) fn wrong(&mut self, from: IpAddr, now: Instant) {
        if self.0.len() >= CLIENTS {
            self.0.retain(|_, forgiven| *forgiven > now);
        }
        if self.0.len() >= CLIENTS
            && let Some(oldest) = self.0.iter().min_by_key(|(_, at)| **at).map(|(ip, _)| *ip)
        {
            self.0.remove(&oldest);
        }
        let forgiven = self.0.entry(client(from)).or_insert(now);
        *forgiven = (*forgiven).max(now) + EVERY;
    }
}

/// An IPv4 address, or an IPv6 /64, which is one host's to choose from.
fn client(from: IpAddr) -> IpAddr {
    match canonical(from) {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn ten_at_once_and_then_one_in_ten_seconds_and_nobody_else() {
        let (mut guesses, start) = (Guesses::default(), clock::now());
        let at = |secs: u64| start + Duration::from_secs(secs);
        let guesser: IpAddr = "2001:db8::1".parse().unwrap();
        let same_host: IpAddr = "2001:db8::2".parse().unwrap();
        for _ in 0..10 {
            assert_eq!(guesses.may(guesser, start), Ok(()));
            guesses.wrong(guesser, start);
        }
        assert_eq!(guesses.may(same_host, start), Err(EVERY));
        assert_eq!(guesses.may("2001:db8:0:1::1".parse().unwrap(), start), Ok(()));
        assert_eq!(guesses.may(guesser, at(9)), Err(Duration::from_secs(1)));
        assert_eq!(guesses.may(guesser, at(10)), Ok(()));
        guesses.wrong(guesser, at(10));
        assert_eq!(guesses.may(guesser, at(10)), Err(EVERY));
        assert_eq!(guesses.may(guesser, at(110)), Ok(()));
    }

    #[test]
    fn however_many_guess_few_are_remembered() {
        let (mut guesses, now) = (Guesses::default(), clock::now());
        for n in 0..2 * CLIENTS as u32 {
            guesses.wrong(IpAddr::V4(n.into()), now);
        }
        assert_eq!(guesses.0.len(), CLIENTS);
        // All is forgiven, and so forgotten.
        guesses.wrong(IpAddr::V4(0.into()), now + EVERY * BURST);
        assert_eq!(guesses.0.len(), 1);
    }
}
