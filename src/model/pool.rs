//! Regions, and pools: the unit whose health is judged and whose addresses are served.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::{Calm, Check, Destination, Endpoint, Family, Location, PoolId, RegionId, Weight};

/// A region of the configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    /// Its name.
    pub name: Arc<str>,
    /// Its weight where a policy gives none.
    pub weight: Weight,
    /// Where it is.
    pub location: Option<Location>,
    /// How much load it bears, in a unit that is the same for all; `None`: that is not known.
    pub capacity: Option<f64>,
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
    /// Where what it serves is from.
    pub endpoint: Endpoint,
    /// Its IPv4 addresses, in the order of the configuration; of an alias those that it was looked up
    /// to have, and none before that.
    pub v4: Vec<Ipv4Addr>,
    /// Its IPv6 addresses, likewise.
    pub v6: Vec<Ipv6Addr>,
    /// All of these must pass for an address to be up; none: always up.
    pub checks: Vec<Arc<Check>>,
    /// How many addresses of a family must be up.
    pub min_healthy: MinHealthy,
    /// What becomes of its health before it is served.
    pub calm: Calm,
}

impl Pool {
    /// What stands for a name that is served itself, in either family.
    pub const STAND_INS: (Ipv4Addr, Ipv6Addr) = (Ipv4Addr::UNSPECIFIED, Ipv6Addr::UNSPECIFIED);

    /// Whether it is an alias that was never looked up with success: not one without a family, but one
    /// of which nothing is known.
    #[must_use]
    pub const fn is_unresolved(&self) -> bool {
        matches!(self.endpoint, Endpoint::Alias(_)) && self.v4.is_empty() && self.v6.is_empty()
    }

    /// What a probe of one of its checks for one of its addresses asks; `region` is the name of its
    /// region. Of a CNAME it is the name that the address stands for.
    #[must_use]
    pub fn destination(&self, region: &Arc<str>, check: &Check, address: IpAddr) -> Destination {
        match (&self.endpoint, check.destination(region, address)) {
            (Endpoint::Cname(name), Destination::Address(at)) if at == address => {
                Destination::Name(name.to_string())
            }
            (_, destination) => destination,
        }
    }

    /// One of its addresses as it is shown.
    #[must_use]
    pub fn shown(&self, address: IpAddr) -> String {
        match &self.endpoint {
            Endpoint::Cname(name) => name.to_string(),
            Endpoint::Given | Endpoint::Alias(_) => address.to_string(),
        }
    }

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
