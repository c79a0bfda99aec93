//! Addresses that are not probed unless the operator says so: what answers there is the machine
//! itself or its cloud, and a request may have effects or bring back secrets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Metadata services and machine agents of clouds, outside of the link-local blocks.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200), // Alibaba Cloud
    Ipv4Addr::new(168, 63, 129, 16),   // Azure
    Ipv4Addr::new(192, 0, 0, 192),     // Oracle Cloud
];
const METADATA_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), // AWS
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),  // Google Cloud
];

/// Whether an address is link-local (169.254.0.0/16, fe80::/10) or belongs to a cloud's metadata
/// service. An IPv4 address inside an IPv6 one counts as itself.
#[must_use]
pub fn is_sensitive(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_link_local() || METADATA_V4.contains(&v4),
        IpAddr::V6(v6) => v6.is_unicast_link_local() || METADATA_V6.contains(&v6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_and_link_local_addresses_are_known() {
        let sensitive = [
            "169.254.169.254",
            "169.254.0.1",
            "100.100.100.200",
            "168.63.129.16",
            "fe80::1",
            "febf::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "::ffff:169.254.169.254",
        ];
        for address in sensitive {
            assert!(is_sensitive(address.parse().unwrap()), "{address}");
        }
        for address in ["127.0.0.1", "10.0.0.1", "192.0.2.1", "fd00::1", "2001:db8::1", "::1"] {
            assert!(!is_sensitive(address.parse().unwrap()), "{address}");
        }
    }
}
