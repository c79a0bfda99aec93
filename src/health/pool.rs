//! From the health of addresses to that of a pool, each address family by itself. Pure.
//!
//! What is made of it (shares, all-down rules, TTLs) is routing's; who changed and what is
//! logged is control's. What time adds (ramps, damping) is [`super::Calming`]'s.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::address::Address;
use super::{Health, State};
use crate::model::{Check, Family, Pool};

/// The health of a pool.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolHealth {
    /// By [`Family::index`].
    pub family: [FamilyHealth; 2],
}

impl PoolHealth {
    /// That of one family.
    #[must_use]
    pub const fn of(&self, family: Family) -> &FamilyHealth {
        let [v4, v6] = &self.family;
        match family {
            Family::V4 => v4,
            Family::V6 => v6,
        }
    }
}

/// The health of a pool's addresses of one family.
#[derive(Debug, Clone, PartialEq)]
pub struct FamilyHealth {
    /// The health factor, 0 to 1; 0 also when the pool has no address of the family.
    pub h: f64,
    /// What it would be if it were not held back, nor asked for less: 1 when enough addresses are up,
    /// else 0.
    pub spare: f64,
    /// For each address, in the order of the configuration, whether it may be served. Meant for
    /// a pool that is down, too: one of two may be live and `min_healthy` want both. Its length
    /// is the number of the pool's addresses of the family; it may be 0.
    pub live: Vec<bool>,
    /// Whether any address is *observed* up, or has no check. An unknown one only serves as up.
    pub any_live: bool,
    /// Whether every address is settled: nothing here is still unknown.
    pub settled: bool,
    /// Whether so many addresses fail that it is down, whatever they say of themselves.
    pub fails: bool,
    /// The earliest time in which its share could change by itself or by a failure: one of the live
    /// addresses could be down, a ramp goes on. `None`: it is calm.
    pub flip: Option<Duration>,
    /// Why its factor is not what its addresses make of it.
    pub held: Option<Held>,
}

/// Why a pool is served otherwise than its addresses ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Held {
    /// It has recovered, and its share grows.
    Ramping,
    /// It changed its state too often, and is held down.
    Damped,
    /// It has recovered, and waits for an operator.
    Awaiting,
    /// It fails, but too many others do, and it is served all the same.
    Kept,
}

impl Held {
    /// Its word in metrics and JSON.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ramping => "ramping",
            Self::Damped => "damped",
            Self::Awaiting => "awaiting",
            Self::Kept => "kept",
        }
    }
}

impl FamilyHealth {
    /// How many addresses of the family the pool has.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.live.len()
    }

    /// How many of them may be served.
    #[must_use]
    pub fn live_count(&self) -> usize {
        self.live.iter().filter(|live| **live).count()
    }
}

/// Judges a pool. `health` finds that of one check for one of the pool's addresses (a check with
/// a `target` has the same for all, see [`Check::destination`]); `None`: nothing is known.
pub fn pool_health<'a>(
    pool: &Pool,
    health: impl Fn(&Arc<Check>, IpAddr) -> Option<&'a Health>,
) -> PoolHealth {
    PoolHealth { family: Family::BOTH.map(|family| family_health(pool, family, &health)) }
}

fn family_health<'a>(
    pool: &Pool,
    family: Family,
    health: &impl Fn(&Arc<Check>, IpAddr) -> Option<&'a Health>,
) -> FamilyHealth {
    let judge = |ip| Address::judge(&pool.checks, pool.calm.shed, &|check| health(check, ip));
    let addresses: Vec<Address> = pool.addresses(family).map(judge).collect();
    // Where everything is new there is nothing to join: unknown serves as up, as at the start.
    let all_new = addresses.iter().all(|address| address.new);
    let waits = |address: &Address| address.state == State::Unknown && address.new && !all_new;
    let passes = |address: &Address| address.state != State::Down && !waits(address);
    let up = |address: &Address| passes(address) && !address.maintenance;
    let members = addresses.iter().filter(|address| !waits(address)).count();
    let wanted = pool.min_healthy.of(members).max(1);
    let served = || addresses.iter().filter(|address| up(address));
    // One that asks for nothing gets nothing while another takes something.
    let some_take = served().any(|address| address.part.factor() > 0.0);
    let takes = |address: &Address| address.part.factor() > 0.0 || !some_take;
    let live: Vec<bool> = addresses.iter().map(|address| up(address) && takes(address)).collect();
    let is_up = served().count() >= wanted;
    let sum: f64 = served().map(|address| address.part.factor()).sum();
    FamilyHealth {
        h: if is_up { sum / served().count() as f64 } else { 0.0 },
        spare: f64::from(u8::from(is_up)),
        any_live: served().any(|address| address.state == State::Up),
        settled: addresses.iter().all(|address| address.settled),
        fails: !addresses.is_empty() && addresses.iter().filter(|a| passes(a)).count() < wanted,
        flip: served().filter_map(|address| address.flip).min(),
        held: None,
        live,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::clock;
    use crate::model::{Calm, Endpoint, MinHealthy, Probe, RegionId, Timing};

    fn check(name: &str) -> Arc<Check> {
        Arc::new(Check::new(
            name.into(),
            Probe::Tcp,
            80,
            Timing {
                interval: Duration::from_secs(10),
                fast: None,
                timeout: Duration::from_secs(2),
                fall: 3,
                rise: 2,
            },
        ))
    }

    fn pool(count: u8, v6: u16, checks: &[&str], min_healthy: MinHealthy) -> Pool {
        Pool {
            region: RegionId(0),
            record: None,
            endpoint: Endpoint::Given,
            v4: (0..count).map(|n| [192, 0, 2, n].into()).collect(),
            v6: (0..v6).map(|n| [0x2001, 0xdb8, 0, 0, 0, 0, 0, n].into()).collect(),
            checks: checks.iter().map(|name| check(name)).collect(),
            min_healthy,
            calm: Calm::default(),
        }
    }

    /// `u` up, `d` down, `?` unknown, `n` unknown newcomer, `x` newcomer that is down, `1` and
    /// `2` up with so many failures, `!` unknown with one failure, ` ` nothing known.
    fn health(letter: u8) -> Option<Health> {
        let calm = Health::unknown(clock::now());
        Some(match letter {
            b'u' => Health { state: State::Up, ..calm },
            b'd' => Health { state: State::Down, failures: 3, ..calm },
            b'?' => calm,
            b'!' => Health { failures: 1, ..calm },
            b'n' => Health::newcomer(clock::now()),
            b'x' => Health { state: State::Down, failures: 3, newcomer: true, ..calm },
            b'1' => Health { state: State::Up, failures: 1, ..calm },
            b'2' => Health { state: State::Up, failures: 2, ..calm },
            _ => return None,
        })
    }

    fn v4(pool: &Pool, letters: &[&str]) -> FamilyHealth {
        let states: Vec<Vec<Option<Health>>> =
            letters.iter().map(|row| row.bytes().map(health).collect()).collect();
        let find = |check: &Arc<Check>, ip: IpAddr| {
            let row = pool.checks.iter().position(|other| other.name == check.name)?;
            let column = pool.addresses(Family::of(ip)).position(|other| other == ip)?;
            states[row][column].as_ref()
        };
        pool_health(pool, find).of(Family::V4).clone()
    }

    fn shown(live: &[bool]) -> String {
        live.iter().map(|live| if *live { '1' } else { '0' }).collect()
    }

    #[rstest]
    #[case::all_up("uuu", MinHealthy::Count(1), 1.0, "111")]
    #[case::one_is_enough("ddu", MinHealthy::Count(1), 1.0, "001")]
    #[case::none("ddd", MinHealthy::Count(1), 0.0, "000")]
    #[case::two_are_wanted("ddu", MinHealthy::Count(2), 0.0, "001")]
    #[case::two_are_there("duu", MinHealthy::Count(2), 1.0, "011")]
    #[case::no_more_than_there_are("uuu", MinHealthy::Count(9), 1.0, "111")]
    #[case::all_of_them_then("udu", MinHealthy::Count(9), 0.0, "101")]
    #[case::half_rounded_up("udd", MinHealthy::Percent(50), 0.0, "100")]
    #[case::half_is_two("uud", MinHealthy::Percent(50), 1.0, "110")]
    #[case::unknown_serves("?dd", MinHealthy::Count(1), 1.0, "100")]
    #[case::nothing_known_serves("   ", MinHealthy::Count(1), 1.0, "111")]
    #[case::newcomer_waits("unn", MinHealthy::Count(1), 1.0, "100")]
    #[case::newcomer_waits_even_beside_the_dead("ddn", MinHealthy::Count(1), 0.0, "000")]
    #[case::only_newcomers_serve("nnn", MinHealthy::Count(1), 1.0, "111")]
    #[case::and_go_on_when_one_of_them_fails("xnn", MinHealthy::Count(1), 1.0, "011")]
    #[case::the_first_that_joins_serves_alone("unx", MinHealthy::Count(1), 1.0, "100")]
    #[case::who_waits_is_not_counted("unn", MinHealthy::Percent(100), 1.0, "100")]
    #[case::who_has_failed_is_counted("uxx", MinHealthy::Percent(50), 0.0, "100")]
    fn one_check(
        #[case] states: &str,
        #[case] min_healthy: MinHealthy,
        #[case] h: f64,
        #[case] live: &str,
    ) {
        let health = v4(&pool(3, 0, &["web"], min_healthy), &[states]);
        assert_eq!(health.h, h);
        assert_eq!(shown(&health.live), live);
    }

    #[rstest]
    #[case::both_must_pass("ud", "uu", 1.0, "10")]
    #[case::each_fails_one("ud", "du", 0.0, "00")]
    #[case::unknown_beside_up("u?", "?u", 1.0, "11")]
    #[case::unknown_beside_down("d?", "?d", 0.0, "00")]
    #[case::a_new_check_on_all_is_unknown("uu", "nn", 1.0, "11")]
    #[case::but_what_is_down_stays_down("du", "nn", 1.0, "01")]
    #[case::a_new_check_on_one_makes_it_wait("uu", "un", 1.0, "10")]
    fn two_checks(#[case] web: &str, #[case] tcp: &str, #[case] h: f64, #[case] live: &str) {
        let health = v4(&pool(2, 0, &["web", "tcp"], MinHealthy::Count(1)), &[web, tcp]);
        assert_eq!(health.h, h);
        assert_eq!(shown(&health.live), live);
    }

    #[rstest]
    #[case::calm("uu", None, true, true)]
    #[case::the_earliest("12", Some(10), true, true)]
    #[case::one_that_is_not_served_does_not_count("1d", Some(20), true, true)]
    #[case::unknown_is_not_observed("??", None, false, false)]
    #[case::unknown_in_doubt("!u", Some(2), true, false)]
    #[case::down("dd", None, false, true)]
    fn doubt_and_evidence(
        #[case] states: &str,
        #[case] flip: Option<u64>,
        #[case] any_live: bool,
        #[case] settled: bool,
    ) {
        let health = v4(&pool(2, 0, &["web"], MinHealthy::Count(1)), &[states]);
        assert_eq!(health.flip, flip.map(Duration::from_secs));
        assert_eq!((health.any_live, health.settled), (any_live, settled));
    }

    #[test]
    fn without_a_check_it_is_always_up() {
        let health = v4(&pool(2, 0, &[], MinHealthy::Percent(100)), &[]);
        assert_eq!((health.h, health.any_live, health.settled), (1.0, true, true));
        assert_eq!(shown(&health.live), "11");
        assert_eq!(health.flip, None);
    }

    #[test]
    fn families_are_judged_apart() {
        let pool = pool(2, 1, &["web"], MinHealthy::Count(1));
        let (up, down) = (health(b'u').unwrap(), health(b'd').unwrap());
        let health = pool_health(&pool, |_, ip| Some(if ip.is_ipv4() { &down } else { &up }));
        assert_eq!(health.of(Family::V4).h, 0.0);
        assert_eq!(health.of(Family::V6).h, 1.0);
        assert_eq!(health.family[Family::V6.index()].live_count(), 1);
    }

    #[test]
    fn a_family_without_addresses_has_none() {
        let pool = pool(1, 0, &[], MinHealthy::Percent(100));
        let health = pool_health(&pool, |_, _| None);
        let v6 = health.of(Family::V6);
        assert_eq!((v6.h, v6.count(), v6.any_live, v6.settled), (0.0, 0, false, true));
    }
}
