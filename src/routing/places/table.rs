//! Hot: the class of whoever asks, and for whom else the answer is right.
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
use std::sync::Arc;

use super::address::{Block, Subject, mask, special_block, width};
use super::ranges::{LINK, Ranges};
use crate::model::Family;
use crate::routing::offer::Class;

/// One tree's clients.
#[derive(Debug)]
pub struct Table {
    pub(super) classes: Vec<Class>,
    pub(super) sticky: bool,
    pub(super) v4: Ranges<u32>,
    pub(super) v6: Ranges<u128>,
    /// For a configured prefix, the value for shorter prefixes that begin where it does: by family,
    /// first address and length, ascending.
    pub(super) covering: Box<[(Family, u128, u8, u32)]>,
    /// The configured prefixes that begin in special-purpose blocks and stand in no other: by family,
    /// first and last address, ascending.
    pub(super) holes: Arc<[(Family, u128, u128)]>,
}

/// Marks ranges in special-purpose blocks that no configured prefix covers.
pub(super) const SPECIAL: u32 = 1 << 31;
/// Marks the blocks of IPv6 that carry IPv4: addresses in them are looked up as what they carry.
pub(super) const CARRIER: u32 = 1 << 30;
/// The bits of the class itself.
pub(super) const CLASS: u32 = LINK - 1;

/// Whom an answer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asker {
    /// Where the query came from.
    pub source: IpAddr,
    /// The EDNS Client Subnet that it carried: an address and the length of its prefix; bits behind
    /// that do not count.
    pub subnet: Option<(IpAddr, u8)>,
}

/// What a table says of an asker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Found {
    /// The position of the class among the tree's.
    pub class: u32,
    /// The length of the widest prefix for which the answer is right, in bits of the subnet sent; 0
    /// where none was sent.
    pub scope: u8,
    /// What a sticky tree draws by: the client's network.
    pub network: u64,
    /// Whether the subnet decided, and not the source address.
    pub by_subnet: bool,
}

impl Table {
    /// The classes that the tree tells apart; at least one.
    #[must_use]
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// How many ranges of addresses it tells apart, IPv4 and IPv6 together.
    #[must_use]
    pub fn ranges(&self) -> usize {
        self.v4.len().saturating_add(self.v6.len())
    }

    /// What they take in memory, in octets.
    #[must_use]
    pub fn octets(&self) -> usize {
        self.v4.octets().saturating_add(self.v6.octets())
    }

    /// The class of an asker, and for whom else the answer is right.
    ///
    /// The subnet decides, but one of length 0, or in a special-purpose block that no configured
    /// prefix covers, leaves it to the source address (RFC 7871 sections 7.1.2 and 10).
    #[inline]
    #[must_use]
    pub fn find(&self, asker: &Asker) -> Found {
        if self.classes.len() == 1 && !self.sticky {
            return Found::default();
        }
        match asker.subnet {
            None | Some((_, 0)) => self.by_source(asker.source, 0),
            Some((address, len)) => self.by_subnet(asker.source, Subject::of_prefix(address, len)),
        }
    }

    fn by_source(&self, source: IpAddr, scope: u8) -> Found {
        let subject = Subject::of(source);
        let (value, _) = self.look_up(subject);
        Found { class: value & CLASS, scope, network: network(subject), by_subnet: false }
    }

    #[expect(
        clippy::arithmetic_side_effects,
        reason = "what is before an IPv4 address and its scope make up to 128 bits"
    )]
    fn by_subnet(&self, source: IpAddr, subject: Subject) -> Found {
        let (value, mut scope) = self.look_up(subject);
        let covering = if scope > subject.len { self.covering(subject) } else { None };
        let value = covering.unwrap_or(value);
        if value & SPECIAL != 0
            && let Some(block) = special_block(subject.bits, subject.family)
        {
            if covering.is_none() {
                // What databases say within the block does not matter.
                scope = self.apart(subject).max(block.len);
            }
            if block.len <= subject.len {
                return self.by_source(source, subject.outer + scope);
            }
        }
        // Too short to reach the address that it carries: any bit of that might matter.
        if value & CARRIER != 0 && scope <= subject.len {
            scope = width(subject.family);
        }
        if self.sticky {
            scope = scope.max(sticks_to(subject.family));
        }
        let (class, scope) = (value & CLASS, subject.outer + scope);
        Found { class, scope, network: network(subject), by_subnet: true }
    }

    #[inline]
    fn look_up(&self, subject: Subject) -> (u32, u8) {
        match subject.family {
            Family::V4 => self.v4.find(subject.bits as u32),
            Family::V6 => self.v6.find(subject.bits),
        }
    }

    /// How many leading bits tell an address in a special-purpose block from the configured prefixes
    /// next to it.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "two addresses that differ have less than 128 bits in common"
    )]
    fn apart(&self, subject: Subject) -> u8 {
        let from = (subject.family, subject.bits);
        let at = self.holes.partition_point(|&(family, first, _)| (family, first) <= from);
        let below = at.checked_sub(1).and_then(|at| self.holes.get(at));
        let below = below.map(|&(family, _, last)| (family, last));
        let above = self.holes.get(at).map(|&(family, first, _)| (family, first));
        let near = below.into_iter().chain(above).filter(|(family, _)| *family == subject.family);
        let whole = Block { bits: subject.bits, len: width(subject.family) };
        near.map(|(family, bits)| whole.common(bits, family) + 1).max().unwrap_or(0)
    }

    /// The value of a prefix that is shorter than a configured one with which it begins.
    fn covering(&self, subject: Subject) -> Option<u32> {
        let wanted = (subject.family, subject.bits, subject.len);
        let at = self.covering.partition_point(|&(f, bits, len, _)| (f, bits, len) <= wanted);
        let &(family, bits, _, value) = self.covering.get(at)?;
        ((family, bits) == (subject.family, subject.bits)).then_some(value)
    }
}

/// The length of the networks that stick together.
const fn sticks_to(family: Family) -> u8 {
    match family {
        Family::V4 => 24,
        Family::V6 => 56,
    }
}

/// The network of a client as a number: 4 or 6 in the highest octet, and the first 24 bits of an IPv4
/// address or 56 bits of an IPv6 one, right-aligned in the others; bits that are not known are 0.
#[expect(clippy::arithmetic_side_effects, reason = "networks are shorter than addresses")]
fn network(subject: Subject) -> u64 {
    let (family, len) = (subject.family, sticks_to(subject.family));
    let bits = (subject.bits & mask(family, len)) >> (width(family) - len);
    let tag = match family {
        Family::V4 => 4,
        Family::V6 => 6,
    };
    tag << 56 | bits as u64
}
