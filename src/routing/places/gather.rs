//! Ranges in order, and the tree of bitmaps made of them.

use std::marker::PhantomData;
use std::ops::Range;

use super::ranges::{Bits, GROUP, GROUP_BITS, GROUP_WORDS, LINK, LINK_BITS_AT, MOST_BITS, Ranges};

/// Gathers ranges in order.
#[derive(Debug)]
pub(super) struct Gather<K> {
    /// Where each range begins.
    starts: Vec<K>,
    /// The value of each; neighbours differ. They are apart because together they would be padded.
    values: Vec<u32>,
}

impl<K: Bits> Gather<K> {
    pub(super) const fn new() -> Self {
        Self { starts: Vec::new(), values: Vec::new() }
    }

    /// From `start` on the value is this. Starts ascend from 0.
    pub(super) fn push(&mut self, start: u128, value: u32) {
        if self.values.last() != Some(&value) {
            self.starts.push(K::of(start));
            self.values.push(value);
        }
    }

    pub(super) fn finish(mut self) -> Ranges<K> {
        if self.starts.is_empty() {
            self.push(0, 0);
        }
        let Self { starts, values } = self;
        let mut pack = Pack { starts: &starts, values: &values, words: Vec::new(), alike: None };
        let root = pack.node(K::of(0), 0, 1..starts.len());
        let (words, len) = (pack.words.into_boxed_slice(), starts.len());
        Ranges { words, root, len, family: PhantomData }
    }
}

/// A tree that is being made.
struct Pack<'a, K> {
    starts: &'a [K],
    values: &'a [u32],
    words: Vec<u32>,
    /// The value and length of the last group that was all alike, and where they are.
    alike: Option<([u32; 2], u32)>,
}

impl<K: Bits> Pack<'_, K> {
    /// Makes the node of the prefix that begins at `first` and has `depth` bits; the ranges at
    /// `inside` begin in it, but behind its first address. Gives the link to it.
    fn node(&mut self, first: K, depth: u32, inside: Range<usize>) -> u32 {
        // The fewer nodes an address is taken through the better, but no more groups than ranges.
        let mut bits = GROUP_BITS;
        while bits < MOST_BITS && inside.len() >= 1 << bits {
            bits += GROUP_BITS;
        }
        let base = self.words.len();
        let groups = 1_u32 << (bits - GROUP_BITS);
        self.words.resize(base + (groups * GROUP_WORDS) as usize, 0);
        let mut rest = inside;
        for (at, group) in (base..).step_by(GROUP_WORDS as usize).zip(0..groups) {
            let place = |start: K| start.without(depth).leading(bits);
            let len = depth + bits - GROUP_BITS;
            let first = first.inner(group, len);
            let here = self.take(&mut rest, |start| place(start) / GROUP == group);
            let (starts, values) = self.group(first, len, self.behind(first, here));
            if let Some([low, high, position]) = self.words.get_mut(at..at + 3) {
                (*low, *high, *position) = (starts as u32, (starts >> 32) as u32, values);
            }
        }
        (bits / GROUP_BITS - 1) << LINK_BITS_AT | LINK | base as u32
    }

    /// Makes the values of a group, which is the prefix of `depth` bits that begins at `first`: its bits, and
    /// where its values are. The ranges at `inside` begin in it, but behind its first address.
    fn group(&mut self, first: K, depth: u32, inside: Range<usize>) -> (u64, u32) {
        if inside.is_empty() {
            return (1, self.alike(first, inside.start - 1));
        }
        let mut starts = 1_u64;
        // For each bit its place, the range in force there, and those that begin within its prefix.
        let mut places = vec![(0, inside.start - 1, inside.start..inside.start)];
        let (all, mut rest) = (self.starts, inside);
        while let Some(start) = all.get(rest.start).filter(|_| !rest.is_empty()) {
            let place = start.without(depth).leading(GROUP_BITS);
            let is_here = |start: K| start.without(depth).leading(GROUP_BITS) == place;
            let within = self.take(&mut rest, is_here);
            let last = within.end - 1;
            let within = self.behind(first.inner(place, depth + GROUP_BITS), within);
            let is_split = !within.is_empty();
            if starts >> place & 1 == 1 {
                places.pop();
            }
            starts |= 1 << place;
            places.push((place, within.start - 1, within));
            // What the last one of a prefix has goes on behind it.
            if is_split && place + 1 < GROUP {
                starts |= 1 << (place + 1);
                places.push((place + 1, last, rest.start..rest.start));
            }
        }
        let values = self.words.len();
        self.words.extend(places.iter().map(|(_, at, _)| self.values[*at]));
        for (value, (place, _, within)) in (values..).zip(places) {
            if !within.is_empty() {
                let first = first.inner(place, depth + GROUP_BITS);
                self.words[value] = self.node(first, depth + GROUP_BITS, within);
            }
        }
        (starts, values as u32)
    }

    /// A group within one range: where its value is, with the length of the widest prefix behind it.
    fn alike(&mut self, first: K, at: usize) -> u32 {
        let below = self.starts[at].before().map_or(0, |last| first.common(last) + 1);
        let above = self.starts.get(at + 1).map_or(0, |next| first.common(*next) + 1);
        let words = [self.values[at], below.max(above)];
        match self.alike {
            Some((last, position)) if last == words => position,
            _ => {
                let position = self.words.len() as u32;
                self.alike = Some((words, position));
                self.words.extend(words);
                position
            }
        }
    }

    /// The ranges of a prefix without one that begins right where it does.
    fn behind(&self, first: K, inside: Range<usize>) -> Range<usize> {
        let begins = self.starts.get(inside.clone()).and_then(<[_]>::first);
        let is_first = begins == Some(&first);
        inside.start + usize::from(is_first)..inside.end
    }

    /// Takes the ranges off the front that begin where this says.
    fn take(&self, rest: &mut Range<usize>, is_here: impl Fn(K) -> bool) -> Range<usize> {
        let start = rest.start;
        let starts = self.starts.get(rest.clone()).unwrap_or_default();
        rest.start += starts.iter().take_while(|start| is_here(**start)).count();
        start..rest.start
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use fastrand::Rng;

    use super::super::address::all;
    use super::*;
    use crate::model::Family;

    /// Begins of ranges as prefixes make them: crowded in some places, and of any length up to `width`.
    fn starts(rng: &mut Rng, width: u32, many: usize) -> Vec<u128> {
        let crowds: Vec<u128> = (0..4).map(|_| rng.u128(..) >> (128 - width)).collect();
        let mut starts: Vec<u128> = (0..many)
            .map(|_| {
                let crowd = crowds[rng.usize(..4)];
                let (shared, len) = (rng.u32(..width), rng.u32(..=width));
                let noise = rng.u128(..) >> (128 - width) >> shared;
                let cut = (width - len).min(width - 1);
                (crowd ^ noise) >> cut << cut
            })
            .collect();
        starts.sort_unstable();
        starts.dedup();
        starts
    }

    /// The value and scope by the ranges beside an address.
    fn wanted(ranges: &[(u128, u32)], at: u128, width: u32) -> (u32, u8) {
        let common = |other: u128| (at ^ other).leading_zeros() - (128 - width) + 1;
        let behind = ranges.partition_point(|(start, _)| *start <= at);
        let (start, value) = ranges[behind - 1];
        let below = start.checked_sub(1).map_or(0, common);
        let above = ranges.get(behind).map_or(0, |(next, _)| common(*next));
        (value, below.max(above) as u8)
    }

    fn check<K: Bits>(family: Family, width: u32) {
        let mut large = 0;
        for seed in 0..40 {
            let rng = &mut Rng::with_seed(seed);
            let many = 1 << rng.u32(..14);
            let mut ranges = vec![(0, 7)];
            for start in starts(rng, width, many) {
                let value = rng.u32(..5) | [0, 1 << 31, 1 << 30][rng.usize(..3)];
                if start > 0 && ranges[ranges.len() - 1].1 != value {
                    ranges.push((start, value));
                }
            }
            let mut gather = Gather::<K>::new();
            ranges.iter().for_each(|(start, value)| gather.push(*start, *value));
            let packed = gather.finish();
            assert_eq!(packed.len(), ranges.len());
            large += u32::from(packed.root >> LINK_BITS_AT > 0);
            let near = ranges.iter().flat_map(|(at, _)| [at.saturating_sub(1), *at, at + 1]);
            let any = starts(rng, width, 1000);
            for at in near.chain(any).chain([all(family)]).filter(|at| *at <= all(family)) {
                assert_eq!(packed.find(K::of(at)), wanted(&ranges, at, width), "{seed} {at:x}");
            }
        }
        assert!(large > 10, "{large}");
    }

    #[test]
    fn many_ranges_are_found_with_their_scopes() {
        check::<u32>(Family::V4, 32);
        check::<u128>(Family::V6, 128);
    }
}
