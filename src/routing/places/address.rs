//! Hot: what an address or prefix is looked up as, and the blocks in which no client is.
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

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::model::Family;

/// A prefix in the form in which it is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) family: Family,
    /// The first address, an IPv4 one in the low 32 bits.
    pub(super) bits: u128,
    /// The length of the prefix within its family.
    pub(super) len: u8,
    /// How many bits of the form that an IPv4 address is carried in stand before it.
    pub(super) outer: u8,
}

/// A block of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) bits: u128,
    pub(super) len: u8,
}

/// How a form carries an IPv4 address within IPv6.
struct Form {
    block: Block,
    /// How many bits stand before the IPv4 address.
    outer: u8,
    /// Whether its bits are inverted.
    inverted: bool,
}

const fn v4(a: u8, b: u8, c: u8, d: u8, len: u8) -> Block {
    Block { bits: Ipv4Addr::new(a, b, c, d).to_bits() as u128, len }
}

const fn v6(a: u16, b: u16, c: u16, len: u8) -> Block {
    Block { bits: Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).to_bits(), len }
}

/// IPv4 within IPv6: mapped (RFC 4291 section 2.5.5.2), NAT64 (RFC 6052 section 2.1), 6to4 (RFC 3056
/// section 2), Teredo (RFC 4380 section 4).
const FORMS: [Form; 4] = [
    Form { block: Block { bits: 0xffff << 32, len: 96 }, outer: 96, inverted: false },
    Form { block: v6(0x64, 0xff9b, 0, 96), outer: 96, inverted: false },
    Form { block: v6(0x2002, 0, 0, 16), outer: 16, inverted: false },
    Form { block: v6(0x2001, 0, 0, 32), outer: 96, inverted: true },
];

/// Blocks that are not globally reachable (IANA's special-purpose registries, RFC 6890), and those of
/// multicast (RFC 5771, RFC 4291 section 2.7). Blocks beside each other that make a larger one are one.
const SPECIAL_V4: [Block; 13] = [
    v4(0, 0, 0, 0, 8),
    v4(10, 0, 0, 0, 8),
    v4(100, 64, 0, 0, 10),
    v4(127, 0, 0, 0, 8),
    v4(169, 254, 0, 0, 16),
    v4(172, 16, 0, 0, 12),
    v4(192, 0, 0, 0, 24),
    v4(192, 0, 2, 0, 24),
    v4(192, 168, 0, 0, 16),
    v4(198, 18, 0, 0, 15),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    v4(224, 0, 0, 0, 3),
];

const SPECIAL_V6: [Block; 10] = [
    Block { bits: 0, len: 127 },
    v6(0x64, 0xff9b, 1, 48),
    v6(0x100, 0, 0, 64),
    v6(0x2001, 2, 0, 48),
    v6(0x2001, 0xdb8, 0, 32),
    v6(0x3fff, 0, 0, 20),
    v6(0x5f00, 0, 0, 16),
    v6(0xfc00, 0, 0, 7),
    v6(0xfe80, 0, 0, 10),
    v6(0xff00, 0, 0, 8),
];

impl Block {
    /// Whether an address of a family is in it.
    pub(super) const fn has(self, bits: u128, family: Family) -> bool {
        (bits ^ self.bits) & mask(family, self.len) == 0
    }

    /// How many of its leading bits another address of the family has, which is not in it.
    pub(super) const fn common(self, bits: u128, family: Family) -> u8 {
        let unused = 128_u8.saturating_sub(width(family));
        ((bits ^ self.bits).leading_zeros() as u8).saturating_sub(unused)
    }

    /// Its last address.
    pub(super) const fn last(self, family: Family) -> u128 {
        self.bits | (!mask(family, self.len) & all(family))
    }
}

/// How many bits an address of a family has.
pub(super) const fn width(family: Family) -> u8 {
    match family {
        Family::V4 => 32,
        Family::V6 => 128,
    }
}

/// The highest address of a family.
pub(super) const fn all(family: Family) -> u128 {
    match family {
        Family::V4 => u32::MAX as u128,
        Family::V6 => u128::MAX,
    }
}

/// The bits of a prefix of a length; all when it is longer than its family has.
#[expect(clippy::arithmetic_side_effects, reason = "a shift by less than the family has bits")]
pub(super) const fn mask(family: Family, len: u8) -> u128 {
    let width = width(family);
    if len == 0 {
        0
    } else if len >= width {
        all(family)
    } else {
        all(family) << (width - len) & all(family)
    }
}

/// The blocks of a family in which no client is, in ascending order.
pub(super) const fn special(family: Family) -> &'static [Block] {
    match family {
        Family::V4 => &SPECIAL_V4,
        Family::V6 => &SPECIAL_V6,
    }
}

/// The special-purpose block that an address is in.
pub(super) fn special_block(bits: u128, family: Family) -> Option<Block> {
    special(family).iter().copied().find(|block| block.has(bits, family))
}

/// The blocks of IPv6 whose addresses carry IPv4 ones.
pub(super) fn carriers() -> impl Iterator<Item = Block> {
    FORMS.iter().map(|form| form.block)
}

impl Subject {
    /// Of a whole address.
    #[inline]
    pub(super) fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::of_prefix(address, 32),
            IpAddr::V6(_) => Self::of_prefix(address, 128),
        }
    }

    /// Of a prefix. IPv4 within IPv6 is looked up as IPv4 where the prefix reaches into it.
    #[inline]
    pub(super) fn of_prefix(address: IpAddr, len: u8) -> Self {
        match address {
            IpAddr::V4(address) => {
                let bits = u128::from(address.to_bits()) & mask(Family::V4, len);
                Self { family: Family::V4, bits, len: len.min(32), outer: 0 }
            }
            IpAddr::V6(address) => {
                let bits = address.to_bits() & mask(Family::V6, len);
                let whole = Self { family: Family::V6, bits, len: len.min(128), outer: 0 };
                let form = FORMS.iter().find(|form| form.block.has(bits, Family::V6));
                form.and_then(|form| whole.carried(form)).unwrap_or(whole)
            }
        }
    }

    #[expect(
        clippy::arithmetic_side_effects,
        reason = "forms have at most 96 bits before the 32 of an IPv4 address"
    )]
    fn carried(self, form: &Form) -> Option<Self> {
        // Teredo's prefix is not enough: without a bit of the client's address nothing is known.
        let least = if form.inverted { form.outer + 1 } else { form.outer };
        let len = self.len.checked_sub(form.outer).filter(|_| self.len >= least)?.min(32);
        let carried = (self.bits >> (128 - 32 - form.outer)) as u32;
        let bits = u128::from(if form.inverted { !carried } else { carried });
        let bits = bits & mask(Family::V4, len);
        Some(Self { family: Family::V4, bits, len, outer: form.outer })
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "tests")]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("192.0.2.77", 24, Family::V4, "192.0.2.0", 24, 0)]
    #[case("2001:db8:1:2::3", 56, Family::V6, "2001:db8:1::", 56, 0)]
    #[case("::ffff:192.0.2.77", 128, Family::V4, "192.0.2.77", 32, 96)]
    #[case("::ffff:192.0.2.77", 120, Family::V4, "192.0.2.0", 24, 96)]
    #[case("::ffff:192.0.2.77", 96, Family::V4, "0.0.0.0", 0, 96)]
    #[case("::ffff:192.0.2.77", 64, Family::V6, "::", 64, 0)]
    #[case("64:ff9b::192.0.2.77", 128, Family::V4, "192.0.2.77", 32, 96)]
    #[case("2002:c000:24d::1", 128, Family::V4, "192.0.2.77", 32, 16)]
    #[case("2002:c000:24d::1", 56, Family::V4, "192.0.2.77", 32, 16)]
    #[case("2002:c000:24d::1", 32, Family::V4, "192.0.0.0", 16, 16)]
    #[case("2001:0:1:2:3:4:3fff:fdb2", 128, Family::V4, "192.0.2.77", 32, 96)]
    #[case("2001:0:1:2:3:4:3fff:fdb2", 120, Family::V4, "192.0.2.0", 24, 96)]
    #[case("2001:0:1:2:3:4:3fff:fdb2", 96, Family::V6, "2001:0:1:2:3:4::", 96, 0)]
    fn prefixes_are_looked_up_as(
        #[case] address: IpAddr,
        #[case] len: u8,
        #[case] family: Family,
        #[case] first: IpAddr,
        #[case] inner: u8,
        #[case] outer: u8,
    ) {
        let bits = match first {
            IpAddr::V4(first) => u128::from(first.to_bits()),
            IpAddr::V6(first) => first.to_bits(),
        };
        assert_eq!(Subject::of_prefix(address, len), Subject { family, bits, len: inner, outer });
    }

    #[test]
    fn blocks_are_ascending_and_apart() {
        for family in Family::BOTH {
            for pair in special(family).windows(2) {
                assert!(pair[0].last(family) < pair[1].bits, "{pair:?}");
                // Else a prefix could be in none of them, and all of it in some.
                let beside = pair[0].last(family) + 1 == pair[1].bits;
                let around = mask(family, pair[0].len.saturating_sub(1));
                let one = pair[0].len == pair[1].len && (pair[0].bits ^ pair[1].bits) & around == 0;
                assert!(!(beside && one), "{pair:?} make one block");
            }
            for block in special(family) {
                assert_eq!(block.bits & !mask(family, block.len), 0, "{block:?}");
            }
        }
    }
}
