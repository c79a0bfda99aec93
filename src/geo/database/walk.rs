//! All of a search tree in the order of its addresses.

use super::record::Record;
use super::tree::{Broken, LOOPS, Target, Tree};
use crate::model::Family;

impl Tree {
    /// All leaves of a family in order; those beside each other with the same record as one.
    pub(super) fn walk(&self, family: Family) -> Walk<'_> {
        let (branch, bits) = self.root(family);
        // A sound tree has each node once. Some may be shared; a damaged one would never end.
        let steps = 4 * u64::from(self.nodes);
        let to_do = vec![Pending { branch, start: 0, depth: 0 }];
        Walk { tree: self, family, bits, to_do, steps, last: None }
    }
}

/// A branch that has not been walked yet.
struct Pending {
    branch: u32,
    start: u128,
    depth: u32,
}

/// See [`Tree::walk`]: the first address of each range, and its record.
pub(super) struct Walk<'a> {
    tree: &'a Tree,
    family: Family,
    bits: u32,
    /// The next one last.
    to_do: Vec<Pending>,
    /// How many nodes may still be entered.
    steps: u64,
    last: Option<Option<Record>>,
}

impl Walk<'_> {
    /// The record of a leaf; `None`: it was a node, whose branches come next.
    fn enter(&mut self, at: &Pending) -> Result<Option<Option<Record>>, Broken> {
        if self.tree.is_v4_part(self.family, at.branch, at.start, at.depth) {
            return Ok(Some(None));
        }
        let node = match self.tree.target(at.branch)? {
            Target::Nothing => return Ok(Some(None)),
            Target::Record(offset) => return Ok(Some(Some(Record::new(offset, at.start)))),
            Target::Node(node) => node,
        };
        let depth = at.depth + 1;
        self.steps = self.steps.checked_sub(1).ok_or(LOOPS)?;
        let half = 1_u128 << self.bits.checked_sub(depth).ok_or(LOOPS)?;
        for (is_right, start) in [(true, at.start | half), (false, at.start)] {
            let branch = self.tree.child(node, is_right)?;
            self.to_do.push(Pending { branch, start, depth });
        }
        Ok(None)
    }
}

impl Iterator for Walk<'_> {
    type Item = Result<(u128, Option<Record>), Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(at) = self.to_do.pop() {
            match self.enter(&at) {
                Ok(None) => {}
                Ok(Some(record)) if self.last == Some(record) => {}
                Ok(Some(record)) => {
                    self.last = Some(record);
                    return Some(Ok((at.start, record)));
                }
                Err(broken) => {
                    self.to_do.clear();
                    return Some(Err(broken));
                }
            }
        }
        None
    }
}
