//! Endpoints that are names: what stands behind a pool instead of addresses of the configuration, and
//! what looking such a name up came to.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use crate::wire::Name;

/// Where what a pool serves is from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Endpoint {
    /// Its addresses are in the configuration.
    #[default]
    Given,
    /// This name is looked up, and its addresses are served.
    Alias(Name),
    /// This name itself is served, as a CNAME. The pool then has one stand-in for an address in each
    /// family, so that it is counted and judged as one thing that both families have.
    Cname(Name),
}

/// The addresses behind an alias. Never of no family: what has no address is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resolved {
    /// The IPv4 addresses, in order, each once.
    pub v4: Vec<Ipv4Addr>,
    /// The IPv6 addresses, in order, each once.
    pub v6: Vec<Ipv6Addr>,
    /// The least TTL in seconds of what led to them, as it was received.
    pub ttl_secs: u32,
}

/// What looking a name up once came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// The name.
    pub name: Name,
    /// The IPv4 addresses, in order and each once, perhaps none; `None`: it is not known.
    pub v4: Option<Vec<Ipv4Addr>>,
    /// The same of IPv6.
    pub v6: Option<Vec<Ipv6Addr>>,
    /// The least TTL in seconds of what led to the addresses, as it was received.
    pub ttl_secs: u32,
    /// What went wrong, for people; `None`: nothing.
    pub trouble: Option<Arc<str>>,
}

impl Resolved {
    /// What is known after another look: of a family that could not be looked up, and where there is no
    /// address at all any more, what was known before. `None`: still nothing.
    #[must_use]
    pub fn after(was: Option<&Self>, looked: &Looked) -> Option<Self> {
        let (v4, v6) = (looked.v4.as_deref(), looked.v6.as_deref());
        let found = |list: Option<bool>| list == Some(false);
        // What has no address at all any more has most likely been deleted by mistake.
        if !found(v4.map(<[_]>::is_empty)) && !found(v6.map(<[_]>::is_empty)) {
            return was.cloned();
        }
        Some(Self {
            v4: v4.or(was.map(|was| &*was.v4)).unwrap_or_default().to_vec(),
            v6: v6.or(was.map(|was| &*was.v6)).unwrap_or_default().to_vec(),
            ttl_secs: looked.ttl_secs,
        })
    }

    /// Whether another has the same addresses.
    #[must_use]
    pub fn same_addresses(&self, other: &Self) -> bool {
        (&self.v4, &self.v6) == (&other.v4, &other.v6)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// `1 2`: these addresses; `-`: none; `?`: not known.
    fn list<A>(list: &str, address: impl Fn(u16) -> A) -> Option<Vec<A>> {
        let numbers = list.split(' ').filter_map(|number| number.parse().ok());
        (list != "?").then(|| numbers.map(address).collect())
    }

    fn looked(v4: &str, v6: &str) -> Looked {
        Looked {
            name: Name::from_text("lb.example.net").unwrap(),
            v4: list(v4, |n| [192, 0, 2, n as u8].into()),
            v6: list(v6, |n| [0x2001, 0xdb8, 0, 0, 0, 0, 0, n].into()),
            ttl_secs: 60,
            trouble: None,
        }
    }

    fn resolved((v4, v6): (&str, &str)) -> Resolved {
        let Looked { v4, v6, ttl_secs, .. } = looked(v4, v6);
        Resolved { v4: v4.unwrap_or_default(), v6: v6.unwrap_or_default(), ttl_secs }
    }

    #[rstest]
    #[case::both("1 2", "1", ("1 2", "1"), Some(("1 2", "1")))]
    #[case::one_family_has_gone("1", "-", ("1", "-"), Some(("1", "-")))]
    #[case::one_family_cannot_be_looked_up("1", "?", ("1", "9"), Some(("1", "-")))]
    #[case::the_other_one_cannot("?", "1", ("9", "1"), Some(("-", "1")))]
    #[case::neither_can("?", "?", ("9", "9"), None)]
    #[case::all_has_gone("-", "-", ("9", "9"), None)]
    #[case::gone_or_not_known("-", "?", ("9", "9"), None)]
    fn what_was_known_stays_where_nothing_better_is(
        #[case] v4: &str,
        #[case] v6: &str,
        #[case] wanted: (&str, &str),
        #[case] at_first: Option<(&str, &str)>,
    ) {
        let looked = looked(v4, v6);
        let before = resolved(("9", "9"));
        assert_eq!(Resolved::after(Some(&before), &looked), Some(resolved(wanted)));
        assert_eq!(Resolved::after(None, &looked), at_first.map(resolved));
    }
}
