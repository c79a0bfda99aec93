//! A distribution over answer groups, in the form that a draw reads: an alias table, or for sticky
//! trees what rendezvous hashing needs.

use crate::model::Slot;

use super::offer::{Group, Offer};
use super::settle::Reason;
use super::sticky::{Seeds, Stick};

/// What one class of clients is answered in one family, shared by all records that are alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// What a draw reads.
    pub pick: Pick,
    /// The same, for people: each group and its share; the shares sum to 1, or there are none.
    pub shares: Vec<(Group, f64)>,
    /// Which rule made it.
    pub reason: Reason,
    /// What each ring of the tree holds, in the order of their slots; one without a share holds
    /// nothing.
    pub rings: Vec<RingOf>,
}

/// A ring of regions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RingOf {
    /// The regions that take part, in ring order.
    pub members: Vec<Slot>,
    /// How many addresses an answer from it has at most, if the policy says so.
    pub max_answers: Option<u8>,
}

/// The form of a distribution that suits what it holds, so that a draw has no case to handle
/// that the table does not have.
#[derive(Debug, Clone, PartialEq)]
pub enum Pick {
    /// Always an empty answer.
    Nodata,
    /// Always this slot.
    One(Slot),
    /// By share.
    Many(Box<[Cell]>),
    /// By share, for each client network the same.
    Sticky(Box<[Stick]>),
}

/// One column of an alias table (Walker 1977, built by Vose's method).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// A draw below this takes `own`, any other takes `alias`.
    pub threshold: u32,
    /// The position that the column stands for; [`NODATA`] is an empty answer.
    pub own: u16,
    /// The position that fills the column up.
    pub alias: u16,
}

/// The position in a table that stands for an empty answer.
pub(super) const NODATA: u16 = u16::MAX;

impl Distribution {
    /// From what a root settled on. With `seeds` a client network keeps to its group.
    #[must_use]
    pub(super) fn new(
        offer: Offer,
        reason: Reason,
        rings: Vec<RingOf>,
        seeds: Option<&Seeds>,
    ) -> Self {
        Self { pick: Pick::new(&offer.shares, seeds), shares: offer.shares, reason, rings }
    }

    /// The slots that have a share.
    pub fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        self.shares.iter().filter_map(|(group, _)| match group {
            Group::Slot(slot) => Some(*slot),
            Group::Nodata => None,
        })
    }
}

impl Pick {
    fn new(shares: &[(Group, f64)], seeds: Option<&Seeds>) -> Self {
        match shares {
            [] | [(Group::Nodata, _)] => Self::Nodata,
            [(Group::Slot(slot), _)] => Self::One(*slot),
            _ => match seeds {
                Some(seeds) => Self::Sticky(seeds.sticks(shares)),
                None => Self::Many(alias_table(shares)),
            },
        }
    }
}

/// The position of a group in a table.
pub(super) fn position(group: Group) -> u16 {
    match group {
        Group::Slot(slot) => slot.0,
        Group::Nodata => NODATA,
    }
}

fn alias_table(shares: &[(Group, f64)]) -> Box<[Cell]> {
    let total: f64 = shares.iter().map(|(_, share)| share).sum();
    let columns = shares.len() as f64;
    // How much of its column each group fills; what a large one has too much fills up others.
    let mut fill: Vec<f64> = shares.iter().map(|(_, share)| share / total * columns).collect();
    let mut cells: Vec<Cell> = shares
        .iter()
        .map(|&(group, _)| {
            let own = position(group);
            Cell { threshold: u32::MAX, own, alias: own }
        })
        .collect();
    let (mut small, mut large): (Vec<usize>, Vec<usize>) =
        (0..fill.len()).partition(|&at| fill[at] < 1.0);
    while let (Some(&under), Some(&over)) = (small.last(), large.last()) {
        small.pop();
        cells[under].threshold = (fill[under] * f64::from(u32::MAX)).round() as u32;
        cells[under].alias = cells[over].own;
        fill[over] -= 1.0 - fill[under];
        if fill[over] < 1.0 {
            large.pop();
            small.push(over);
        }
    }
    // What is left in either list fills its column but for rounding: own and alias are the same.
    cells.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn groups(weights: &[f64]) -> Vec<(Group, f64)> {
        let total: f64 = weights.iter().sum();
        let slots = (0..).map(|n| Group::Slot(Slot(n)));
        slots.zip(weights.iter().map(|w| w / total)).collect()
    }

    /// The share that a table really gives to a position.
    fn given(cells: &[Cell], position: u16) -> f64 {
        let of = |cell: &Cell| {
            let own = f64::from(cell.threshold) / f64::from(u32::MAX);
            let own = if cell.own == cell.alias { 1.0 } else { own };
            (if cell.own == position { own } else { 0.0 })
                + (if cell.alias == position && cell.own != position { 1.0 - own } else { 0.0 })
        };
        cells.iter().map(of).sum::<f64>() / cells.len() as f64
    }

    proptest! {
        #[test]
        fn a_table_gives_each_its_share(
            weights in prop::collection::vec(1_u16..=u16::MAX, 2..40),
        ) {
            let weights: Vec<f64> = weights.into_iter().map(f64::from).collect();
            let shares = groups(&weights);
            let Pick::Many(cells) = Pick::new(&shares, None) else { panic!("one column for each") };
            for (group, share) in shares {
                prop_assert!((given(&cells, position(group)) - share).abs() < 1e-8);
            }
        }
    }

    #[test]
    fn degenerate_cases_are_variants() {
        assert_eq!(Pick::new(&[], None), Pick::Nodata);
        assert_eq!(Pick::new(&[(Group::Nodata, 1.0)], None), Pick::Nodata);
        assert_eq!(Pick::new(&groups(&[7.0]), None), Pick::One(Slot(0)));
    }
}
