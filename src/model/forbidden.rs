//! Addresses that are not probed unless the configuration lists them: link-local ones and those
//! behind which clouds give out an instance's credentials. Who can set a check's target, or the
//! records of a name that is one, must not get the nameserver to ask there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Metadata services outside the link-local ranges.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200), // Alibaba Cloud
    Ipv4Addr::new(168, 63, 129, 16),   // Azure's wire server
    Ipv4Addr::new(192, 0, 0, 192),     // Oracle Cloud
];
const METADATA_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), // AWS
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),  // Google Cloud
];

/// Whether `address` must not be probed: link-local or metadata, also when it is an IPv4 address
/// within IPv6 (mapped, or NAT64's 64:ff9b::/96), and not within one of `allow`.
#[must_use]
pub fn forbidden(address: IpAddr, allow: &[IpNet]) -> bool {
    let inner = plain(address);
    let refused = match inner {
        IpAddr::V4(v4) => v4.is_link_local() || METADATA_V4.contains(&v4),
        IpAddr::V6(v6) => v6.is_unicast_link_local() || METADATA_V6.contains(&v6),
    };
    refused && !allow.iter().any(|net| net.contains(&address) || net.contains(&inner))
}

/// The IPv4 address that an IPv6 address leads to, or the address itself.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => match v6.segments() {
            [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
                let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
                Ipv4Addr::new(a, b, c, d).into()
            }
            _ => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        },
        IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("169.254.169.254", true)]
    #[case("169.254.0.1", true)]
    #[case("169.255.0.1", false)]
    #[case("100.100.100.200", true)]
    #[case("100.100.100.201", false)]
    #[case("::ffff:169.254.169.254", true)]
    #[case("64:ff9b::169.254.169.254", true)]
    #[case("64:ff9b::192.0.2.1", false)]
    #[case("fe80::1", true)]
    #[case("febf::1", true)]
    #[case("fec0::1", false)]
    #[case("fd00:ec2::254", true)]
    #[case("fd00:ec2::255", false)]
    #[case("::ffff:192.0.2.1", false)]
    #[case("127.0.0.1", false)]
    #[case("::1", false)]
    fn refused(#[case] address: IpAddr, #[case] expected: bool) {
        assert_eq!(forbidden(address, &[]), expected);
    }

    #[test]
    fn what_is_listed_is_probed() {
        let allow: Vec<IpNet> =
            ["169.254.7.0/24", "fe80::/64"].iter().map(|net| net.parse().unwrap()).collect();
        let refused = |text: &str| forbidden(text.parse().unwrap(), &allow);
        assert!(!refused("169.254.7.1"));
        assert!(!refused("::ffff:169.254.7.1"));
        assert!(refused("169.254.169.254"));
        assert!(!refused("fe80::1"));
        assert!(refused("fe80:0:0:1::1"));
    }
}
