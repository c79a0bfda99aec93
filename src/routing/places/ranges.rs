//! Hot: a map from all addresses of a family to values, as a tree of bitmaps.
//!
//! Addresses are taken apart from the front, 6 bits at a time or a multiple of that. Each step comes to
//! a group of 64 prefixes beside each other. A bit for each of them says whether something else begins
//! there than what is before, so that counting bits gives the position of a prefix's value, or of the
//! node that tells apart what is within it. A group and its values mostly share a cache line; large
//! nodes have many groups, so that there are few steps.
//!
//! How far a value reaches follows from the same bits: a node is only made where not all is alike, so
//! no prefix of one value reaches beyond its group. Only in large nodes a group may be all alike; then
//! the length is written behind the value.
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

use std::fmt::Debug;
use std::marker::PhantomData;

/// An unsigned number as wide as the addresses of a family.
pub(super) trait Bits: Copy + Ord + Debug {
    /// From a full address.
    fn of(bits: u128) -> Self;
    /// Its first bits, of which there are at most [`MOST_BITS`].
    fn leading(self, bits: u32) -> u32;
    /// Without its first bits, and the others in their place.
    fn without(self, bits: u32) -> Self;
    /// The first address of a prefix within the one that begins here: a number that stands behind the
    /// bits of this one and ends at a length.
    fn inner(self, number: u32, len: u32) -> Self;
    /// The next lower address, if there is one.
    fn before(self) -> Option<Self>;
    /// How many leading bits two addresses have in common.
    fn common(self, other: Self) -> u32;
}

macro_rules! bits {
    ($number:ty) => {
        impl Bits for $number {
            #[inline]
            fn of(bits: u128) -> Self {
                bits as Self
            }

            #[inline]
            fn leading(self, bits: u32) -> u32 {
                self.unbounded_shr(Self::BITS.saturating_sub(bits)) as u32
            }

            #[inline]
            fn without(self, bits: u32) -> Self {
                self.unbounded_shl(bits)
            }

            fn inner(self, number: u32, len: u32) -> Self {
                // The last group may have bits that addresses no longer have; those are 0.
                let number = Self::from(number).unbounded_shr(len.saturating_sub(Self::BITS));
                self | number.unbounded_shl(Self::BITS.saturating_sub(len))
            }

            fn before(self) -> Option<Self> {
                self.checked_sub(1)
            }

            fn common(self, other: Self) -> u32 {
                (self ^ other).leading_zeros()
            }
        }
    };
}

bits!(u32);
bits!(u128);

/// How many bits tell the prefixes of a group apart.
pub(super) const GROUP_BITS: u32 = 6;
/// Prefixes of a group.
pub(super) const GROUP: u32 = 1 << GROUP_BITS;
/// The most bits that a node takes.
pub(super) const MOST_BITS: u32 = 4 * GROUP_BITS;
/// Words of a group: its 64 bits, the lower half first, and the position of its values.
pub(super) const GROUP_WORDS: u32 = 3;
/// Marks a word that is no value but says where a node is: its position in the lower bits, and in those
/// above how many bits it takes, as a multiple of [`GROUP_BITS`] without the first.
pub(super) const LINK: u32 = 1 << 29;
pub(super) const LINK_BITS_AT: u32 = 30;

/// Ranges that cover all addresses; a range ends where the next begins.
#[derive(Debug)]
pub(super) struct Ranges<K> {
    /// Nodes, and behind the groups of each their values; the first node is the root.
    pub(super) words: Box<[u32]>,
    /// The link to the root.
    pub(super) root: u32,
    /// How many ranges there are.
    pub(super) len: usize,
    pub(super) family: PhantomData<K>,
}

impl<K: Bits> Ranges<K> {
    /// The value of an address, and the length of the widest prefix around it that has that value
    /// throughout.
    #[inline]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "positions among the words, and lengths of prefixes, which end where no link is left"
    )]
    pub(super) fn find(&self, address: K) -> (u32, u8) {
        let (mut link, mut rest, mut depth) = (self.root, address, 0);
        loop {
            let bits = ((link >> LINK_BITS_AT) + 1) * GROUP_BITS;
            let number = rest.leading(bits);
            let group = (link & (LINK - 1)) + number / GROUP * GROUP_WORDS;
            let group = self.words.get(group as usize..).and_then(<[u32]>::first_chunk);
            let Some(&[low, high, values]) = group else { return (0, 0) };
            let (starts, place) = (u64::from(high) << 32 | u64::from(low), number % GROUP);
            // The first bit is always set.
            let upto = starts & u64::MAX >> (GROUP - 1 - place);
            let at = (values + upto.count_ones()) as usize - 1;
            let Some(&value) = self.words.get(at) else { return (0, 0) };
            if value & LINK == 0 {
                let scope = match starts {
                    1 => self.words.get(at + 1).map_or(0, |scope| *scope),
                    _ => depth + bits - GROUP_BITS + reach(starts, upto, place),
                };
                return (value, scope as u8);
            }
            (link, rest, depth) = (value, rest.without(bits), depth + bits);
        }
    }

    /// How many ranges there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// What it takes in memory, in octets.
    pub(super) fn octets(&self) -> usize {
        size_of_val(&*self.words)
    }
}

/// How many bits tell a place in a group from those where something else is: from the last one before
/// its range, and from the first one behind it.
#[inline]
#[expect(clippy::arithmetic_side_effects, reason = "places in a group are below 64")]
fn reach(starts: u64, upto: u64, place: u32) -> u32 {
    // How many bits of six two places have in common, and one more.
    let common = |other: u32| (place ^ other).leading_zeros() - (u32::BITS - GROUP_BITS) + 1;
    let start = u64::BITS - 1 - upto.leading_zeros();
    let below = if start == 0 { 0 } else { common(start - 1) };
    let next = starts ^ upto;
    let above = if next == 0 { 0 } else { common(next.trailing_zeros()) };
    below.max(above)
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::super::gather::Gather;
    use super::*;

    fn ranges(starts: &[(u32, u32)]) -> Ranges<u32> {
        let mut gather = Gather::new();
        gather.push(0, 0);
        for &(start, value) in starts {
            gather.push(u128::from(start), value);
        }
        gather.finish()
    }

    #[test]
    fn one_range_has_scope_nought() {
        assert_eq!(ranges(&[]).find(0x0a00_0001), (0, 0));
    }

    #[test]
    fn a_nested_prefix_splits_its_surroundings() {
        // 10.20.0.0/16 within all.
        let ranges = ranges(&[(0x0a14_0000, 1), (0x0a15_0000, 0)]);
        assert_eq!(ranges.find(0x0a14_ff01), (1, 16));
        assert_eq!(ranges.find(0x0a15_0000), (0, 16));
        assert_eq!(ranges.find(0x0a16_0000), (0, 15));
        assert_eq!(ranges.find(0x0b00_0000), (0, 8));
        assert_eq!(ranges.find(0xc000_0201), (0, 1));
    }

    proptest! {
        #[test]
        fn every_address_is_found(
            starts in prop::collection::btree_map(any::<u32>(), 0_u32..3, 0..40),
            spread in 0_u32..28,
            more in prop::collection::vec(any::<u32>(), 40),
        ) {
            // Close together, so that some nodes are large and others deep.
            let starts: std::collections::BTreeMap<u32, u32> =
                starts.into_iter().map(|(start, value)| (start >> spread, value)).collect();
            let list: Vec<_> = starts.iter().map(|(start, value)| (*start, *value)).collect();
            let ranges = ranges(&list);
            let value = |at: u32| starts.range(..=at).next_back().map_or(0, |(_, value)| *value);
            let around = list.iter().flat_map(|(s, _)| [s.wrapping_sub(1), *s, s.wrapping_add(1)]);
            let random = more.iter().flat_map(|m| [*m, m >> spread]);
            for address in around.chain(random) {
                let (found, scope) = ranges.find(address);
                prop_assert_eq!(found, value(address));
                let uniform = |len: u32| {
                    let low = if len == 0 { 0 } else { address & (u32::MAX << (32 - len)) };
                    let high = low | u32::MAX.checked_shr(len).unwrap_or(0);
                    starts.range(low..=high).all(|(_, value)| *value == found) && value(low) == found
                };
                prop_assert!(uniform(u32::from(scope)));
                prop_assert!(scope == 0 || !uniform(u32::from(scope) - 1));
            }
        }
    }
}
