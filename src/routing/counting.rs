//! Under which cells the queries of a record are counted: by record where there are few enough cells for
//! that, else for all records together that draw from the same, else for all of a tree.

use std::collections::HashMap;

use crate::model::{Digest, Family, Member, Node, NodeId, Tree, TreeId};

use super::assembly::{Assembly, Parts};
use super::offer::Class;
use super::places::{Places, Table};
use super::snapshot::ServedRecord;

/// At most so many cells are counted in: a mebibyte for each answering thread.
pub(super) const CELLS_MAX: usize = 262_144;

/// What has cells of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountedBy {
    /// Each record.
    Record,
    /// Each tree with pools in its slots; its records count together.
    Binding,
    /// Each tree; its records count together.
    Tree,
    /// Nothing: trees alone tell too many classes of clients apart.
    Nothing,
}

/// Where the cells of each record begin, and how many there are in all.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) by: CountedBy,
    pub(super) starts: Vec<u32>,
    pub(super) cells: usize,
}

/// How many classes of clients a tree tells apart.
pub(super) fn classes_of(places: &Places, tree: TreeId) -> usize {
    places.table(tree).map_or(1, |table: &Table| table.classes().len())
}

impl Layout {
    /// The finest that has room.
    pub(super) fn new(parts: &Parts, places: &Places, most: usize) -> Self {
        let tree = |binding: usize| parts.bindings.get(binding).map(|binding| binding.tree);
        let binding =
            |record: usize| parts.records.get(record).map(|record| record.binding.index());
        let (records, bindings) = (parts.records.len(), parts.bindings.len());
        let of = |tree: Option<TreeId>| tree.map_or(0, |tree| 2 * classes_of(places, tree));
        let by_record = lay((0..records).map(|at| of(binding(at).and_then(tree))), most);
        if let Some((starts, cells)) = by_record {
            return Self { by: CountedBy::Record, starts, cells };
        }
        let of_records = |starts: &[u32], unit: &dyn Fn(usize) -> Option<usize>| {
            let start = |at| unit(at).and_then(|unit| starts.get(unit).copied());
            (0..records).map(|at| start(at).unwrap_or(u32::MAX)).collect::<Vec<u32>>()
        };
        if let Some((starts, cells)) = lay((0..bindings).map(|at| of(tree(at))), most) {
            let starts = of_records(&starts, &binding);
            return Self { by: CountedBy::Binding, starts, cells };
        }
        let trees = (0..parts.trees.len() as u32).map(|tree| of(Some(TreeId(tree))));
        if let Some((starts, cells)) = lay(trees, most) {
            let starts = of_records(&starts, &|at| Some(binding(at).and_then(tree)?.index()));
            return Self { by: CountedBy::Tree, starts, cells };
        }
        Self { by: CountedBy::Nothing, starts: vec![u32::MAX; records], cells: 0 }
    }
}

/// One behind the other; `None` when there is no room.
fn lay(sizes: impl Iterator<Item = usize>, most: usize) -> Option<(Vec<u32>, usize)> {
    let mut cells = 0_usize;
    let mut starts = Vec::new();
    for size in sizes {
        starts.push(u32::try_from(cells).ok()?);
        cells = cells.checked_add(size).filter(|cells| *cells <= most)?;
    }
    Some((starts, cells))
}

impl Assembly {
    /// A number for each class of clients of a tree that is the same in another assembly for those of whom
    /// its policies say the same there: by the names of policies and regions, and what rules ask for. The
    /// class of everybody is 0.
    #[must_use]
    pub fn class_numbers(&self, tree: TreeId) -> Vec<u64> {
        let (Some(table), Some(of)) = (self.places.table(tree), self.trees.get(tree.index()))
        else {
            return vec![0];
        };
        let mut rules = HashMap::new();
        table.classes().iter().map(|class| self.class_number(of, class, &mut rules)).collect()
    }

    fn class_number(
        &self,
        tree: &Tree,
        class: &Class,
        rules: &mut HashMap<(NodeId, usize), u64>,
    ) -> u64 {
        let mut digest = Digest::new();
        for (node, chain) in &class.chains {
            digest = digest.text(name(tree, *node));
            for rule in chain {
                let keys = rules.entry((*node, *rule)).or_insert_with(|| match tree.node(*node) {
                    Node::Geolocation { rules, .. } => {
                        let keys = rules.get(*rule).map(|rule| format!("{:?}", rule.keys));
                        Digest::new().maybe(keys.as_deref()).finish()
                    }
                    _ => 0,
                });
                digest = digest.number(*keys);
            }
        }
        for (node, bands) in &class.bands {
            digest = digest.text(name(tree, *node));
            let members = members(tree.node(*node));
            for band in bands {
                digest = digest.number(band.len() as u64);
                for member in band.iter().filter_map(|at| members.get(*at)) {
                    digest = digest.text(name(tree, member.node));
                }
            }
        }
        digest.finish()
    }
}

/// What a node is called.
fn name(tree: &Tree, id: NodeId) -> &str {
    tree.nodes.get(id.0 as usize).and_then(|node| node.name.as_deref()).unwrap_or_default()
}

/// The members of a node that compares them.
fn members(node: &Node) -> Vec<Member> {
    match node {
        Node::Latency { members, .. } => members.clone(),
        Node::Geoproximity { members, .. } => members.iter().map(|(member, _)| *member).collect(),
        _ => Vec::new(),
    }
}

impl ServedRecord {
    /// The cell of a class of clients in a family; one that does not exist where nothing is counted.
    #[inline]
    #[must_use]
    pub const fn cell(&self, class: u32, family: Family) -> u32 {
        let within = class.wrapping_mul(2).wrapping_add(family.index() as u32);
        self.cells_from.saturating_add(within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stand_one_behind_the_other_as_long_as_there_is_room() {
        assert_eq!(lay([2, 6, 2].into_iter(), 10), Some((vec![0, 2, 8], 10)));
        assert_eq!(lay([2, 6, 3].into_iter(), 10), None);
        assert_eq!(lay([].into_iter(), 10), Some((vec![], 0)));
    }
}
