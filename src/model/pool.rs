//! Regions, and pools: the unit whose health is judged and whose addresses are served.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::{Calm, Check, Family, Location, PoolId, RegionId, Weight};

/// A region of the configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    /// Its name.
    pub name: Arc<str>,
    /// Its weight where a policy gives none.
    pub weight: Weight,
    /// Where it is.
    pub location: Option<Location>,
    /// Its own pool.
    pub pool: PoolId,
}

/// One region's addresses and checks, or a record's own for that region.
#[derive(Debug, Clone, PartialEq)]
pub struct Pool {
    /// The region that it belongs to.
    pub region: RegionId,
    /// The record that brought its own endpoints, if one did.
    pub record: Option<Arc<str>>,
    /// Its IPv4 addresses, in the order of the configuration.
    pub v4: Vec<Ipv4Addr>,
    /// Its IPv6 addresses, in the order of the configuration.
    pub v6: Vec<Ipv6Addr>,
    /// All of these must pass for an address to be up; none: always up.
    pub checks: Vec<Arc<Check>>,
    /// How many addresses of a family must be up.
    pub min_healthy: MinHealthy,
    /// What becomes of its health before it is served.
    pub calm: Calm,
}

impl Pool {
    /// How many addresses of the family it has.
    #[must_use]
    pub const fn count(&self, family: Family) -> usize {
        match family {
            Family::V4 => self.v4.len(),
            Family::V6 => self.v6.len(),
        }
    }

    /// Its addresses of one family.
    pub fn addresses(&self, family: Family) -> impl Iterator<Item = IpAddr> + '_ {
        let v4 = (family == Family::V4).then_some(&self.v4);
        let v6 = (family == Family::V6).then_some(&self.v6);
        let v4 = v4.into_iter().flatten().copied().map(IpAddr::V4);
        v4.chain(v6.into_iter().flatten().copied().map(IpAddr::V6))
    }
}

/// How many addresses of a family must be up for a pool to be up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MinHealthy {
    /// So many, at least 1.
    Count(u16),
    /// This part of them, 1 to 100 percent, rounded up.
    Percent(u8),
}

impl MinHealthy {
    /// The number of addresses that must be up, of `count` that there are.
    #[must_use]
    pub fn of(self, count: usize) -> usize {
        match self {
            Self::Count(least) => usize::from(least).min(count),
            Self::Percent(percent) => (count * usize::from(percent)).div_ceil(100),
        }
    }
}
