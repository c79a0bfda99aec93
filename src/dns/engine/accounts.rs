//! Hot: the accounts of rate limiting, one table that all workers share.
//!
//! An account is a token bucket that holds a second's worth of replies, kept as one number: the
//! moment at which the bucket will be full again (the generic cell rate algorithm). Every reply
//! puts that moment off by its share of a second, and none may put it off further than a second
//! from now. So bursts pass up to a second's worth, the rate is exact in the long run, a rate that
//! is changed meets accounts that still mean the same, and an account that is full is worth
//! nothing: forgetting it changes nothing. That is why a small table is enough for any number of
//! clients: only those count that got a reply within the last second.
//!
//! An account is one word, so that a charge is one compare-and-swap; eight of them are a cache
//! line. An account is looked for in one line only, and takes the place of the emptiest debt
//! there. What can go wrong, and how far:
//!
//! - Nine accounts in debt in one line: the one with the least debt is forgotten, and may send up
//!   to a second's worth more. The one that floods has the most, and stays.
//! - Two accounts of one line with the same tag are one: for two given accounts a chance of one in
//!   2^34 (2^14 lines, tags of 20 bits), and another one after each start.
//! - An account that nobody took the place of in 18 hours may seem to be in debt, by up to a
//!   second: for a chance of one in 65,536 its burst is smaller.
//! - Two workers that open one account at the same moment may open it twice: it then gets a
//!   second's worth more, once.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use siphasher::sip::SipHasher13;

/// The table. Its size never changes.
pub(super) struct Accounts {
    lines: Box<[Line]>,
    /// Random in each process, so that nobody can aim at an account or at a line.
    hasher: SipHasher13,
}

/// What becomes of a reply that is charged to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charged {
    /// It is within the limit.
    Within,
    /// It is over the limit, and one of those that are not silent.
    Slip,
    /// It is over the limit.
    Over,
}

/// One word: a tag (20 bits), how many replies in a row were not sent (4 bits), and the moment at
/// which the account is full again, in ticks (40 bits).
#[derive(Clone, Copy)]
struct Account(u64);

#[repr(align(64))]
struct Line([AtomicU64; WAYS]);

const WAYS: usize = 8;
/// 1 MiB, 131,072 accounts: of all that get a reply within a second. A power of two.
const LINES: usize = 1 << 14;

/// Ticks of a second: fine enough for 100,000 replies in one, and 40 bits of them are 18 hours.
pub(super) const SECOND: u64 = 1 << 24;
const MILLIS_PER_SEC: u64 = 1000;

const DUE_BITS: u32 = 40;
const DUE: u64 = (1 << DUE_BITS) - 1;
const SKIPPED_BITS: u32 = 4;
const SKIPPED: u64 = (1 << SKIPPED_BITS) - 1;

impl Accounts {
    /// No account yet. The key is to be random, and nobody else's to know.
    pub(super) fn new(key: &[u8; 16]) -> Self {
        let line = || Line(std::array::from_fn(|_| AtomicU64::new(0)));
        Self { lines: (0..LINES).map(|_| line()).collect(), hasher: SipHasher13::new_with_key(key) }
    }

    /// The hash by which an account is known: of the client's network, what is answered, and for
    /// which name or zone by its number. A reload may give numbers to others, who then bear a debt of
    /// up to a second that is not theirs; to hash names would cost every answer more.
    #[inline]
    pub(super) fn hash(&self, network: u64, what: u32, number: u32) -> u64 {
        let all = u128::from(network) << 64 | u128::from(what) << 32 | u128::from(number);
        self.hasher.hash(&all.to_ne_bytes())
    }

    /// Charges a reply to an account.
    ///
    /// `now` is in milliseconds since any start and may lag a little behind that of other workers;
    /// `cost` is a reply's share of a [`SECOND`]; of the replies over the limit each `slip`-th, at
    /// most 15, is not silent, and with 0 none.
    #[inline]
    pub(super) fn charge(&self, hash: u64, now_millis: u64, cost: u64, slip: u8) -> Charged {
        let now = (now_millis << SECOND.trailing_zeros()) / MILLIS_PER_SEC;
        // The mask keeps it within the table.
        let Some(line) = self.lines.get(hash as usize & (LINES - 1)) else {
            return Charged::Within;
        };
        let tag = hash >> (DUE_BITS + SKIPPED_BITS);
        loop {
            let (cell, found, account) = line.account(tag, now);
            let (changed, charged) = account.charge(now, cost, u64::from(slip));
            if changed == found
                || cell.compare_exchange_weak(found, changed, Relaxed, Relaxed).is_ok()
            {
                return charged;
            }
        }
    }
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accounts").field("lines", &self.lines.len()).finish_non_exhaustive()
    }
}

impl Line {
    /// The place of an account, what is found there, and the account: a new one, if what is found
    /// is another that makes room for it.
    #[inline]
    fn account(&self, tag: u64, now: u64) -> (&AtomicU64, u64, Account) {
        let Self([first, ..]) = self;
        let (mut place, mut found, mut least) = (first, 0, u64::MAX);
        for cell in &self.0 {
            let account = Account(cell.load(Relaxed));
            if account.tag() == tag {
                return (cell, account.0, account);
            }
            let debt = account.debt(now);
            if debt < least {
                (place, found, least) = (cell, account.0, debt);
            }
        }
        (place, found, Account::new(tag, 0, now))
    }
}

impl Account {
    #[inline]
    const fn new(tag: u64, skipped: u64, due: u64) -> Self {
        Self(tag << (DUE_BITS + SKIPPED_BITS) | skipped << DUE_BITS | due & DUE)
    }

    #[inline]
    const fn tag(self) -> u64 {
        self.0 >> (DUE_BITS + SKIPPED_BITS)
    }

    #[inline]
    const fn skipped(self) -> u64 {
        self.0 >> DUE_BITS & SKIPPED
    }

    /// How long it takes until the account is full again, in ticks.
    #[inline]
    const fn debt(self, now: u64) -> u64 {
        let debt = self.0.wrapping_sub(now) & DUE;
        // No debt is over a second, but for clocks that lag; what seems to be far ahead is past.
        if debt > 2 * SECOND { 0 } else { debt }
    }

    /// The account after a reply, as a word, and what becomes of the reply.
    #[inline]
    #[expect(clippy::arithmetic_side_effects, reason = "a debt of seconds, a count of four bits")]
    const fn charge(self, now: u64, cost: u64, slip: u64) -> (u64, Charged) {
        let debt = self.debt(now);
        if debt + cost <= SECOND {
            let due = now.wrapping_add(debt + cost);
            return (Self::new(self.tag(), self.skipped(), due).0, Charged::Within);
        }
        let skipped = self.skipped() + 1;
        match slip {
            0 => (self.0, Charged::Over),
            slip if skipped >= slip => (Self::new(self.tag(), 0, self.0).0, Charged::Slip),
            _ => (Self::new(self.tag(), skipped, self.0).0, Charged::Over),
        }
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;

    /// The tags of accounts that share a line.
    fn hash(tag: u64) -> u64 {
        tag << (DUE_BITS + SKIPPED_BITS) | 5
    }

    const COST: u64 = SECOND / 200;

    /// How many of `count` replies at one moment are within the limit.
    fn within(accounts: &Accounts, hash: u64, now: u64, count: usize) -> usize {
        let one = |_: &usize| accounts.charge(hash, now, COST, 2) == Charged::Within;
        (0..count).filter(one).count()
    }

    #[test]
    fn a_line_is_a_cache_line() {
        assert_eq!((size_of::<Line>(), align_of::<Line>()), (64, 64));
        assert_eq!(size_of_val(&*Accounts::new(&[0; 16]).lines), 1 << 20);
    }

    #[test]
    fn a_burst_is_a_second_s_worth_and_comes_back_at_the_rate() {
        let accounts = Accounts::new(&[0; 16]);
        for start in [0, 10_001, 65_535_990, 20 * 365 * 86_400_000] {
            // Far enough apart for the account to be full.
            assert_eq!(within(&accounts, hash(1), start, 1000), 200, "{start}");
            assert_eq!(within(&accounts, hash(1), start + 4, 10), 0, "{start}");
            assert_eq!(within(&accounts, hash(1), start + 5, 10), 1, "{start}");
            assert_eq!(within(&accounts, hash(1), start + 505, 1000), 100, "{start}");
            assert_eq!(within(&accounts, hash(1), start + 5000, 1000), 200, "{start}");
        }
    }

    #[test]
    fn every_rate_is_kept_over_a_minute() {
        for (rate, most) in [(1, 61), (3, 183), (50, 3050), (1000, 61_000), (100_000, 6_136_000)] {
            let accounts = Accounts::new(&[0; 16]);
            let cost = SECOND / rate;
            let mut sent = 0;
            for now in 0..60_000 {
                while accounts.charge(hash(1), now, cost, 0) == Charged::Within {
                    sent += 1;
                }
            }
            let least = 60 * rate + rate - 1;
            assert!((least..=most).contains(&sent), "{rate} a second: {sent}");
        }
    }

    #[test]
    fn each_slip_th_reply_over_the_limit_is_not_silent() {
        for (slip, wanted) in [(0, "......"), (1, "ssssss"), (2, ".s.s.s"), (3, "..s..s")] {
            let accounts = Accounts::new(&[0; 16]);
            while accounts.charge(hash(1), 9, COST, slip) == Charged::Within {}
            let mut got = match slip {
                0 => ".",
                1 => "s",
                _ => ".",
            }
            .to_owned();
            for _ in 1..6 {
                got.push(match accounts.charge(hash(1), 9, COST, slip) {
                    Charged::Slip => 's',
                    Charged::Over => '.',
                    Charged::Within => 'w',
                });
            }
            assert_eq!(got, wanted, "slip {slip}");
        }
    }

    #[test]
    fn accounts_of_a_line_do_not_disturb_each_other_and_floods_stay() {
        let accounts = Accounts::new(&[0; 16]);
        assert_eq!(within(&accounts, hash(1), 0, 300), 200);
        for tag in 2..=8 {
            assert_eq!(within(&accounts, hash(tag), 0, 3), 3);
        }
        // Those that come now find no room, and push out one another, not the flood.
        for tag in 100..10_000 {
            assert_eq!(within(&accounts, hash(tag), 0, 1), 1);
            assert_eq!(within(&accounts, hash(1), 0, 1), 0, "after {tag}");
        }
    }

    #[test]
    fn workers_whose_clocks_lag_charge_the_same_account() {
        let accounts = Accounts::new(&[0; 16]);
        assert_eq!(within(&accounts, hash(1), 1000, 300), 200);
        assert_eq!(within(&accounts, hash(1), 990, 300), 0);
        assert_eq!(within(&accounts, hash(1), 1010, 300), 2);
    }

    #[test]
    fn workers_together_send_no_more_than_one() {
        let accounts = Accounts::new(&[0; 16]);
        assert_eq!(within(&accounts, hash(1), 0, 1), 1);
        let sent = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| sent.fetch_add(within(&accounts, hash(1), 0, 500) as u64, Relaxed));
            }
        });
        assert_eq!(sent.load(Relaxed), 199);
    }

    #[test]
    fn an_account_is_known_by_all_three_and_by_keys_of_its_own_process() {
        let accounts = Accounts::new(&[0; 16]);
        let hash = accounts.hash(1, 2, 3);
        assert_eq!(hash, accounts.hash(1, 2, 3));
        for other in [
            accounts.hash(2, 2, 3),
            accounts.hash(1, 3, 3),
            accounts.hash(1, 2, 4),
            Accounts::new(&[1; 16]).hash(1, 2, 3),
        ] {
            assert_ne!(hash, other);
        }
    }
}
