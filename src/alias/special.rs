//! Which addresses are taken from an answer, for they will be told to strangers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// So many addresses of a family are kept, the lowest; a name that has more is served in part.
pub(super) const MOST: usize = 64;

/// Addresses in order, each once, of those that a client can be sent to.
pub(super) fn taken<A: Copy + Ord + Into<IpAddr>>(found: &[A], loopback: bool) -> Vec<A> {
    let mut taken: Vec<A> = found.to_vec();
    taken.retain(|address| is_of_a_host((*address).into(), loopback));
    taken.sort_unstable();
    taken.dedup();
    taken.truncate(MOST);
    taken
}

/// Whether it may be that of a host that a client reaches. Loopback, where the client would reach
/// itself, is one only where all that is asked is on loopback, too: in tests and demonstrations.
fn is_of_a_host(address: IpAddr, loopback: bool) -> bool {
    let nowhere = match address {
        IpAddr::V4(v4) => v4 == Ipv4Addr::BROADCAST || v4.octets()[0] == 0 || v4.is_link_local(),
        IpAddr::V6(v6) => is_nowhere(v6),
    };
    !nowhere && !address.is_multicast() && (loopback || !address.is_loopback())
}

fn is_nowhere(v6: Ipv6Addr) -> bool {
    v6.is_unspecified() || v6.is_unicast_link_local() || v6.to_ipv4_mapped().is_some()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("192.0.2.1", true)]
    #[case("10.1.2.3", true)]
    #[case("2001:db8::1", true)]
    #[case("fd00::1", true)]
    #[case("0.0.0.0", false)]
    #[case("0.1.2.3", false)]
    #[case("255.255.255.255", false)]
    #[case("224.0.0.1", false)]
    #[case("169.254.169.254", false)]
    #[case("127.0.0.1", false)]
    #[case("::", false)]
    #[case("::1", false)]
    #[case("::ffff:192.0.2.1", false)]
    #[case("fe80::1", false)]
    #[case("ff02::1", false)]
    fn clients_are_sent_to_hosts(#[case] address: IpAddr, #[case] wanted: bool) {
        assert_eq!(is_of_a_host(address, false), wanted);
        assert_eq!(is_of_a_host(address, true), wanted || address.is_loopback());
    }

    #[test]
    fn in_order_and_each_once_and_not_without_an_end() {
        let of = |last: &[u8]| -> Vec<Ipv4Addr> {
            last.iter().map(|last| [192, 0, 2, *last].into()).collect()
        };
        assert_eq!(taken(&of(&[9, 3, 9, 1]), false), of(&[1, 3, 9]));
        let many: Vec<u8> = (0..=255).rev().collect();
        let few: Vec<u8> = (0..64).collect();
        assert_eq!(taken(&of(&many), false), of(&few));
    }
}
