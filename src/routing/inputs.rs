//! What a compile is given beside the assembly: all that changes while a configuration stays.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{Endpoint, Family, Pool};
use crate::wire::TailBuf;

use super::forces::Forces;

/// All that changes while a configuration stays. What has not changed keeps its `Arc`: that is
/// how the next compile knows.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// Each pool's health, in the order of the assembly's pools.
    pub pools: Arc<Vec<Arc<PoolStanding>>>,
    /// This nameserver's own round-trip time to each region, by [`crate::model::RegionId`], where it
    /// is known and in force; only for regions of [`super::Timed`] policies. One behind the end is not
    /// known.
    pub rtts: Arc<[Option<Duration>]>,
    /// What `last_good` goes back to, by [`crate::model::BindingId`]; only bindings of trees that
    /// ask for it need any. One behind the end has nothing.
    pub last_good: Arc<Vec<Option<Arc<Remembered>>>>,
    /// What operators force.
    pub forces: Arc<Forces>,
}

impl Inputs {
    /// Health alone, and nothing timed, remembered or forced.
    #[must_use]
    pub fn of(pools: Vec<Arc<PoolStanding>>) -> Self {
        Self { pools: Arc::new(pools), ..Self::default() }
    }
}

/// The health that was in force in a binding when it was last not all down and nothing in it was in
/// doubt.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Remembered {
    /// By [`Family::index`] of the family asked: the factor of each slot, in the family that counted
    /// there: the other one where its pool has not the one asked. `None`:
    /// nothing is remembered.
    pub family: [Option<Box<[f64]>>; 2],
}

/// A pool's health as routing sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolStanding {
    family: [Standing; 2],
}

/// One family of a pool.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// How many addresses it has, up or not; of an alias that was never looked up with success 1, as if
    /// it had one that is down.
    pub count: usize,
    /// The health factor, 0 (down) to 1 (up).
    pub h: f64,
    /// The factor that it would have if it were not held back: it is used where all else is down.
    pub spare: f64,
    /// The addresses that are up.
    pub live: Vec<IpAddr>,
    /// The time until an address that is served may be taken out; `None`: none is in doubt.
    pub flip: Option<Duration>,
    /// Of an alias: the TTL in seconds of what it was looked up to have.
    pub alias_ttl: Option<u32>,
    /// What is served: the live addresses, or all when none is; or the CNAME.
    pub tail: Arc<TailBuf>,
}

impl PoolStanding {
    /// From what is known of each family, IPv4 first.
    #[must_use]
    pub fn new(family: [Standing; 2]) -> Self {
        Self { family }
    }

    /// All up, or all down: what a simulation assumes.
    #[must_use]
    pub fn assumed(pool: &Pool, up: bool) -> Self {
        Self::new(Family::BOTH.map(|family| {
            let live = if up { pool.addresses(family).collect() } else { Vec::new() };
            Standing::new(pool, family, f64::from(u8::from(up)), live, None)
        }))
    }

    /// One family.
    #[must_use]
    pub const fn family(&self, family: Family) -> &Standing {
        &self.family[family.index()]
    }
}

impl Standing {
    /// Of a pool's addresses of a family, of which `live` are up.
    #[must_use]
    pub fn new(
        pool: &Pool,
        family: Family,
        h: f64,
        live: Vec<IpAddr>,
        flip: Option<Duration>,
    ) -> Self {
        let tail = match &pool.endpoint {
            Endpoint::Cname(name) => TailBuf::cname(name),
            _ if live.is_empty() => {
                let all: Vec<IpAddr> = pool.addresses(family).collect();
                TailBuf::of_family(family, &all)
            }
            _ => TailBuf::of_family(family, &live),
        };
        let count = if pool.is_unresolved() { 1 } else { pool.count(family) };
        Self { count, h, spare: h, live, flip, alias_ttl: None, tail: Arc::new(tail) }
    }

    /// The same, held back from this factor.
    #[must_use]
    pub fn held_back(self, spare: f64) -> Self {
        Self { spare, ..self }
    }

    /// Whether it is up, but held back altogether.
    pub(super) fn is_held_back(&self) -> bool {
        self.h == 0.0 && self.spare > 0.0
    }

    /// The same of an alias whose addresses came with a TTL.
    #[must_use]
    pub fn with_ttl(self, secs: u32) -> Self {
        Self { alias_ttl: Some(secs), ..self }
    }

    /// Whether there is nothing to serve, although it counts as something that is down: an alias of
    /// which nothing is known.
    #[must_use]
    pub fn is_unresolved(&self) -> bool {
        self.count > 0 && self.tail.count() == 0
    }
}
