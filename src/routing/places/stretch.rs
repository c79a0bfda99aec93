//! All addresses in order, as stretches in which no source changes its mind.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use ipnet::IpNet;

use super::address::{all, mask};
use crate::geo::{DatabaseError, Record};
use crate::model::Family;

/// What a source says of a range.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Said {
    /// What makes it differ from other things that the same source says; 0 is nothing.
    pub(super) number: u32,
    /// The record of a database.
    pub(super) record: Option<Record>,
}

/// A source as ranges: where each begins, in ascending order from 0, and what it says there.
pub(super) struct Layer<'a> {
    ranges: Box<dyn Iterator<Item = Result<(u128, Said), DatabaseError>> + 'a>,
    next: Option<(u128, Said)>,
    /// Whether it says the same everywhere, as a database of the other family does.
    is_constant: bool,
}

/// Walks several layers at once.
pub(super) struct Stretch<'a> {
    layers: Vec<Layer<'a>>,
    /// What the layers say in this stretch.
    said: Vec<Said>,
    /// For each layer, a number for what it and those before it say.
    numbers: Vec<u32>,
    /// For each layer, from the number of those before it and its own to that of both.
    known: Vec<Known>,
    begun: bool,
}

/// Numbers of pairs of numbers. They are looked up once or more for each of millions of ranges.
type Known = HashMap<u64, u32, BuildHasherDefault<Mixed>>;

/// Spreads the bits of a number. Who could choose numbers that meet has written the databases.
#[derive(Default)]
struct Mixed(u64);

impl Hasher for Mixed {
    fn write(&mut self, octets: &[u8]) {
        octets.iter().for_each(|octet| self.write_u64(u64::from(*octet)));
    }

    fn write_u64(&mut self, number: u64) {
        // 2^64 over the golden ratio; the best bits of a product are in its upper half.
        let product = u128::from(self.0 ^ number) * 0x9e37_79b9_7f4a_7c15;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl<'a> Layer<'a> {
    pub(super) fn new(
        ranges: impl Iterator<Item = Result<(u128, Said), DatabaseError>> + 'a,
    ) -> Self {
        Self { ranges: Box::new(ranges), next: None, is_constant: false }
    }

    fn advance(&mut self) -> Result<(), DatabaseError> {
        self.next = self.ranges.next().transpose()?;
        Ok(())
    }
}

impl<'a> Stretch<'a> {
    pub(super) fn new(layers: Vec<Layer<'a>>) -> Self {
        let said = vec![Said::default(); layers.len()];
        let known = layers.iter().map(|_| Known::default()).collect();
        Self { numbers: vec![0; layers.len()], said, layers, known, begun: false }
    }

    /// Goes on to the next stretch, and returns where it begins.
    pub(super) fn next(&mut self) -> Result<Option<u128>, DatabaseError> {
        if !self.begun {
            for layer in &mut self.layers {
                layer.advance()?;
            }
        }
        let Some(at) = self.layers.iter().filter_map(|layer| Some(layer.next?.0)).min() else {
            return Ok(None);
        };
        let mut changed = self.layers.len();
        for (n, layer) in self.layers.iter_mut().enumerate() {
            // A source may repeat itself; what it says last counts.
            while let Some((_, said)) = layer.next.filter(|(start, _)| *start <= at) {
                self.said[n] = said;
                changed = changed.min(n);
                layer.advance()?;
            }
        }
        if !self.begun {
            self.begun = true;
            self.layers.iter_mut().for_each(|layer| layer.is_constant = layer.next.is_none());
        }
        for n in changed..self.layers.len() {
            let before = if n == 0 { 0 } else { self.numbers[n - 1] };
            if self.layers[n].is_constant {
                self.numbers[n] = before;
                continue;
            }
            let next = self.known[n].len() as u32;
            let pair = u64::from(before) << 32 | u64::from(self.said[n].number);
            self.numbers[n] = *self.known[n].entry(pair).or_insert(next);
        }
        Ok(Some(at))
    }

    /// The number of this stretch's kind: of what all layers say together. Kinds are numbered in the
    /// order in which they are come to, from 0.
    pub(super) fn kind(&self) -> usize {
        self.numbers.last().map_or(0, |number| *number as usize)
    }

    /// What the layers say.
    pub(super) fn said(&self) -> &[Said] {
        &self.said
    }
}

/// Configured prefixes of a family, which stand within each other or apart.
pub(super) struct Nested {
    family: Family,
    /// By first address and length, ascending; the position plus 1 is a prefix's value in its layer.
    prefixes: Vec<Prefix>,
}

struct Prefix {
    net: IpNet,
    bits: u128,
    len: u8,
    /// The value of the longest prefix around it; 0 is none.
    parent: u32,
}

impl Nested {
    pub(super) fn new(nets: Vec<IpNet>, family: Family) -> Self {
        let mut prefixes: Vec<Prefix> = nets
            .into_iter()
            .filter(|net| Family::of(net.addr()) == family)
            .map(|net| {
                let bits = match net {
                    IpNet::V4(net) => u128::from(net.network().to_bits()),
                    IpNet::V6(net) => net.network().to_bits(),
                };
                Prefix { net: net.trunc(), bits, len: net.prefix_len(), parent: 0 }
            })
            .collect();
        prefixes.sort_unstable_by_key(|prefix| (prefix.bits, prefix.len));
        prefixes.dedup_by_key(|prefix| (prefix.bits, prefix.len));
        let mut nested = Self { family, prefixes };
        let mut around: Vec<usize> = Vec::new();
        for at in 0..nested.prefixes.len() {
            while around.last().is_some_and(|&outer| nested.last(outer) < nested.prefixes[at].bits)
            {
                around.pop();
            }
            nested.prefixes[at].parent = around.last().map_or(0, |&outer| outer as u32 + 1);
            around.push(at);
        }
        nested
    }

    fn last(&self, at: usize) -> u128 {
        let Prefix { bits, len, .. } = self.prefixes[at];
        bits | (all(self.family) & !mask(self.family, len))
    }

    /// All addresses as ranges of the longest prefix that has them.
    pub(super) fn ranges(&self) -> Vec<(u128, u32)> {
        let mut ranges: Vec<(u128, u32)> = vec![(0, 0)];
        let mut push = |start: u128, value: u32| {
            if ranges.last().is_some_and(|(last, _)| *last == start) {
                ranges.pop();
            }
            ranges.push((start, value));
        };
        let mut around: Vec<usize> = Vec::new();
        let behind =
            |at: usize| self.last(at).checked_add(1).filter(|next| *next <= all(self.family));
        for (at, prefix) in self.prefixes.iter().enumerate() {
            while let Some(&outer) = around.last().filter(|&&outer| self.last(outer) < prefix.bits)
            {
                around.pop();
                if let Some(next) = behind(outer) {
                    push(next, self.prefixes[outer].parent);
                }
            }
            push(prefix.bits, at as u32 + 1);
            around.push(at);
        }
        while let Some(outer) = around.pop() {
            if let Some(next) = behind(outer) {
                push(next, self.prefixes[outer].parent);
            }
        }
        ranges
    }

    /// The prefixes that stand in no other, in order: their first and last addresses.
    pub(super) fn outermost(&self) -> impl Iterator<Item = (u128, u128)> + '_ {
        let prefixes = self.prefixes.iter().enumerate().filter(|(_, prefix)| prefix.parent == 0);
        prefixes.map(|(at, prefix)| (prefix.bits, self.last(at)))
    }

    /// A prefix by its value in the layer and all around it, longest first.
    pub(super) fn chain(&self, value: u32) -> Vec<IpNet> {
        let mut chain = Vec::new();
        let mut next = value;
        while let Some(prefix) = next.checked_sub(1).and_then(|at| self.prefixes.get(at as usize)) {
            chain.push(prefix.net);
            next = prefix.parent;
        }
        chain
    }

    /// Of a prefix by its value and those around it, the ones that begin at an address: their
    /// lengths, each with the value of what is around it.
    pub(super) fn beginning(&self, value: u32, at: u128) -> Vec<(u8, u32)> {
        let mut found = Vec::new();
        let mut next = value;
        while let Some(prefix) = next.checked_sub(1).and_then(|at| self.prefixes.get(at as usize))
            && prefix.bits == at
        {
            found.push((prefix.len, prefix.parent));
            next = prefix.parent;
        }
        found
    }
}
