//! IPv4 prefixes in the form of IPv6 ones. Clients in them are looked up, counted and limited by
//! IPv4, so whoever reads prefixes refuses that form: it would never be found.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// The IPv4 prefix that an IPv6 prefix stands for: mapped (RFC 4291), NAT64's well-known prefix
/// (RFC 6052) and 6to4 (RFC 3056). `None` when it has addresses in it that carry none.
#[must_use]
pub fn embedded(prefix: Ipv6Net) -> Option<Ipv4Net> {
    let forms = [
        (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96),
        (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96),
        (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    ];
    let within = |(address, len): &(Ipv6Addr, u8)| {
        Ipv6Net::new(*address, *len).is_ok_and(|form| form.contains(&prefix))
    };
    let (_, at) = forms.into_iter().find(within)?;
    // The cast keeps the 32 bits behind the first `at`.
    let bits = (prefix.addr().to_bits() >> (96 - at)) as u32;
    let len = (prefix.prefix_len() - at).min(32);
    Ipv4Net::new(Ipv4Addr::from_bits(bits), len).ok()
}

/// The IPv4 address that an IPv6 one stands for, in the same forms; any other address as it is.
/// Behind a translator (RFC 7755) all of IPv4 comes from a single /96.
#[must_use]
#[inline]
pub const fn canonical(address: IpAddr) -> IpAddr {
    const MAPPED: u128 = 0xffff;
    const NAT64: u128 = 0x64_ff9b << 64;
    let IpAddr::V6(v6) = address else { return address };
    let bits = v6.to_bits();
    // The casts keep the 32 bits behind the form's own.
    let v4 = match (bits >> 32, bits >> 112) {
        (MAPPED | NAT64, _) => bits as u32,
        (_, 0x2002) => (bits >> 80) as u32,
        _ => return address,
    };
    IpAddr::V4(Ipv4Addr::from_bits(v4))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(prefix: &str) -> Option<String> {
        embedded(prefix.parse().unwrap()).map(|v4| v4.to_string())
    }

    #[test]
    fn ipv4_within_ipv6_is_found_where_a_prefix_holds_nothing_else() {
        for (prefix, found) in [
            ("::ffff:0:0/96", "0.0.0.0/0"),
            ("::ffff:192.0.2.128/121", "192.0.2.128/25"),
            ("64:ff9b::10.0.0.0/104", "10.0.0.0/8"),
            ("64:ff9b::10.0.0.1/128", "10.0.0.1/32"),
            ("2002::/16", "0.0.0.0/0"),
            ("2002:c000:200::/40", "192.0.2.0/24"),
            ("2002:c000:201:1::/64", "192.0.2.1/32"),
            ("2002:c000:201::1/128", "192.0.2.1/32"),
        ] {
            assert_eq!(v4(prefix).as_deref(), Some(found), "{prefix}");
        }
        for address in ["::ffff:192.0.2.1", "64:ff9b::192.0.2.1", "2002:c000:201:ff::1"] {
            let v6: Ipv6Addr = address.parse().unwrap();
            let v4 = embedded(v6.into()).unwrap().addr();
            assert_eq!((canonical(v6.into()), v4), (v4.into(), Ipv4Addr::new(192, 0, 2, 1)));
        }
        for address in
            ["192.0.2.1", "::1", "::192.0.2.1", "64:ff9b:1::1", "64:ff9b::1:0:0", "2003::"]
        {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(canonical(address), address);
        }
        for prefix in ["::/0", "::/64", "2000::/3", "2001:db8::/32", "64:ff9b:1::/48", "::/128"] {
            assert_eq!(v4(prefix), None, "{prefix}");
        }
    }
}
