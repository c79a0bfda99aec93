//! Hot: a map from all addresses of a family to values, as ranges of equal value.
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

/// An unsigned number as wide as the addresses of a family, or as the part of them that matters.
pub(super) trait Bits: Copy + Ord + Debug {
    /// The bucket of an address, below [`BUCKETS`]; it never descends as addresses ascend.
    fn bucket(self) -> usize;
    /// How many leading bits two addresses have in common.
    fn common(self, other: Self) -> u8;
    /// The next lower address, if there is one.
    fn before(self) -> Option<Self>;
    /// From a full address.
    fn of(bits: u128) -> Self;
}

/// How many bits of an address choose its bucket.
const BUCKET_BITS: u32 = 16;
const BUCKETS: usize = 1 << BUCKET_BITS;

impl Bits for u32 {
    #[inline]
    fn bucket(self) -> usize {
        (self >> (u32::BITS - BUCKET_BITS)) as usize
    }

    #[inline]
    fn common(self, other: Self) -> u8 {
        (self ^ other).leading_zeros() as u8
    }

    #[inline]
    fn before(self) -> Option<Self> {
        self.checked_sub(1)
    }

    #[inline]
    fn of(bits: u128) -> Self {
        bits as Self
    }
}

impl Bits for u128 {
    /// Of the addresses in use, 2000::/3, the 16 bits behind those three; addresses below are in the
    /// first bucket, those above in the last.
    #[inline]
    fn bucket(self) -> usize {
        const LOWEST: u128 = 0x2000 << 112;
        let bucket = self.saturating_sub(LOWEST) >> (Self::BITS - 3 - BUCKET_BITS);
        bucket.min(const { BUCKETS as Self - 1 }) as usize
    }

    #[inline]
    fn common(self, other: Self) -> u8 {
        (self ^ other).leading_zeros() as u8
    }

    #[inline]
    fn before(self) -> Option<Self> {
        self.checked_sub(1)
    }

    #[inline]
    fn of(bits: u128) -> Self {
        bits
    }
}

/// Ranges that cover all addresses; a range ends where the next begins.
#[derive(Debug)]
pub(super) struct Ranges<K> {
    /// Where each range begins, and its value; the first begins at 0, and neighbours differ.
    entries: Box<[(K, u32)]>,
    /// For each bucket the position of the range that its first address is in.
    buckets: Box<[u32]>,
}

/// Gathers ranges in order.
#[derive(Debug)]
pub(super) struct Gather<K> {
    entries: Vec<(K, u32)>,
}

impl<K: Bits> Gather<K> {
    pub(super) const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// From `start` on the value is this. Starts ascend from 0.
    pub(super) fn push(&mut self, start: u128, value: u32) {
        if self.entries.last().is_none_or(|(_, last)| *last != value) {
            self.entries.push((K::of(start), value));
        }
    }

    pub(super) fn finish(mut self) -> Ranges<K> {
        if self.entries.is_empty() {
            self.entries.push((K::of(0), 0));
        }
        let entries = self.entries.into_boxed_slice();
        let mut buckets = Vec::with_capacity(BUCKETS);
        let mut at = 0;
        for bucket in 0..BUCKETS {
            // On to the last range that begins in an earlier bucket, or right where this one does.
            let behind = entries.iter().skip(at).skip(1);
            at = behind.take_while(|(start, _)| start.bucket() < bucket).count().saturating_add(at);
            buckets.push(at as u32);
        }
        Ranges { entries, buckets: buckets.into() }
    }
}

impl<K: Bits> Ranges<K> {
    /// The value of an address, and the length of the widest prefix around it that has that value
    /// throughout.
    #[inline]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "positions among buckets and entries; two starts have less than all bits in common"
    )]
    pub(super) fn find(&self, address: K) -> (u32, u8) {
        let bucket = address.bucket();
        let low = self.buckets.get(bucket).map_or(0, |low| *low as usize);
        let high =
            self.buckets.get(bucket + 1).map_or(self.entries.len(), |high| *high as usize + 1);
        let high = (high + 1).min(self.entries.len());
        let some = self.entries.get(low..high).unwrap_or(&self.entries);
        // The first range of the slice begins at or below the address.
        let at = low + some.partition_point(|(start, _)| *start <= address).saturating_sub(1);
        let Some(&(start, value)) = self.entries.get(at) else { return (0, 0) };
        let below = start.before().map_or(0, |last| address.common(last) + 1);
        let above = self.entries.get(at + 1).map_or(0, |(next, _)| address.common(*next) + 1);
        (value, below.max(above))
    }

    /// How many ranges there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use proptest::prelude::*;

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
            // Close together, so that many stand in one bucket.
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
