//! Hot: what clients may get over UDP, and who may get any number.
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

use std::net::IpAddr;

use ipnet::IpNet;

use crate::model::canonical;

/// The limits of replies over UDP to one client network (an IPv4 /24, an IPv6 /56).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimit {
    /// Answers for one name and type in a second, 1 to 100,000.
    pub responses_per_second: u32,
    /// Errors, and answers for names that do not exist, for one zone in a second, 1 to 100,000.
    pub errors_per_second: u32,
    /// Of the replies over the limit each so many-th is sent without records, 0 to 10; 0: none.
    pub slip: u8,
    /// Whether replies over the limit are sent all the same, and only counted.
    pub dry_run: bool,
    /// Whose replies are not limited.
    pub exempt: Networks,
}

/// A set of addresses, asked for every query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks {
    v4: Box<[Range<u32>]>,
    v6: Box<[Range<u128>]>,
}

/// The first and the last address. Ranges of a set ascend and do not overlap.
type Range<T> = (T, T);

impl Networks {
    /// All addresses of these networks.
    #[must_use]
    pub fn new(networks: &[IpNet]) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for network in IpNet::aggregate(&networks.to_vec()) {
            match network {
                IpNet::V4(net) => v4.push((net.network().to_bits(), net.broadcast().to_bits())),
                IpNet::V6(net) => v6.push((net.network().to_bits(), net.broadcast().to_bits())),
            }
        }
        v4.sort_unstable();
        v6.sort_unstable();
        Self { v4: v4.into(), v6: v6.into() }
    }

    /// Whether an address is in the set; one of IPv4 in any form.
    #[must_use]
    #[inline]
    pub fn contains(&self, address: IpAddr) -> bool {
        match canonical(address) {
            IpAddr::V4(address) => within(&self.v4, address.to_bits()),
            IpAddr::V6(address) => within(&self.v6, address.to_bits()),
        }
    }
}

#[inline]
fn within<T: Ord + Copy>(ranges: &[Range<T>], address: T) -> bool {
    let behind = ranges.partition_point(|&(first, _)| first <= address);
    let range = behind.checked_sub(1).and_then(|at| ranges.get(at));
    range.is_some_and(|&(_, last)| address <= last)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_the_addresses_of_its_networks_and_no_others() {
        let networks =
            ["192.0.2.0/28", "10.0.0.0/9", "10.128.0.0/9", "192.0.2.7/32", "2001:db8::/56"];
        let networks: Vec<IpNet> = networks.iter().map(|net| net.parse().unwrap()).collect();
        let set = Networks::new(&networks);
        assert_eq!(set.v4.len(), 2, "what lies in another or beside it is one with it");
        for (address, is_in) in [
            ("9.255.255.255", false),
            ("10.0.0.0", true),
            ("10.255.255.255", true),
            ("11.0.0.0", false),
            ("192.0.1.255", false),
            ("192.0.2.15", true),
            ("::ffff:192.0.2.15", true),
            ("64:ff9b::192.0.2.15", true),
            ("64:ff9b::192.0.2.16", false),
            ("192.0.2.16", false),
            ("255.255.255.255", false),
            ("2001:db7:ffff::", false),
            ("2001:db8::", true),
            ("2001:db8:0:ff::1", true),
            ("2001:db8:0:100::", false),
            ("::", false),
        ] {
            let parsed = address.parse().unwrap();
            assert_eq!(set.contains(parsed), is_in, "{address}");
            assert!(!Networks::default().contains(parsed));
        }
        let all = Networks::new(&["0.0.0.0/0".parse().unwrap()]);
        assert!(all.contains(IpAddr::from([255; 4])) && !all.contains(IpAddr::from([0; 16])));
    }
}
