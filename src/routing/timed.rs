//! Where this nameserver's own round-trip times decide: in latency policies for clients of whom
//! neither a table nor distances say enough.

use std::time::Duration;

use crate::model::{BindingId, Node, NodeId, RegionId, Tree, TreeId};

use super::assembly::Parts;
use super::places::{Places, Table};
use super::stand_ins::StandIns;

/// A figure that has moved by no more than this has not moved.
const LEAST: Duration = Duration::from_millis(1);

/// The parts of an assembly that depend on round-trip times of this nameserver.
#[derive(Debug, Clone, Default)]
pub struct Timed {
    /// The figure of a region counts as another when it has moved by more than this: the least
    /// tolerance of the policies concerned, but at least a millisecond.
    pub tolerance: Duration,
    regions: Vec<bool>,
    trees: Vec<bool>,
}

impl Timed {
    /// `None` when nothing depends on them.
    pub(super) fn new(parts: &Parts, places: &Places, stand_ins: &StandIns) -> Option<Self> {
        let mut timed = Self {
            tolerance: Duration::MAX,
            regions: vec![false; parts.regions.len()],
            trees: vec![false; parts.trees.len()],
        };
        for (at, tree) in parts.trees.iter().enumerate() {
            let table = places.table(TreeId(at as u32));
            for (node, id) in tree.nodes.iter().zip((0..).map(NodeId)) {
                let Node::Latency { members, tolerance, .. } = &node.node else { continue };
                if !table.is_none_or(|table| some_class_lacks(table, id)) {
                    continue;
                }
                timed.trees[at] = true;
                timed.tolerance = timed.tolerance.min(*tolerance).max(LEAST);
                for region in members.iter().filter_map(|member| region(tree, member.node)) {
                    timed.regions[region.index()] = true;
                }
            }
        }
        // Who may answer in a region's place is compared by his own figures then.
        let first = |tree| (tree, RegionId(0), RegionId(0));
        let trees = (0..).map(TreeId).zip(&timed.trees).filter(|(_, timed)| **timed);
        let of = trees.flat_map(|(id, _)| stand_ins.of.range(first(id)..first(TreeId(id.0 + 1))));
        let of = of.filter(|(_, _, place)| timed.region(*place)).map(|(_, region, _)| *region);
        for region in of.collect::<Vec<_>>() {
            timed.regions[region.index()] = true;
        }
        timed.trees.contains(&true).then_some(timed)
    }

    /// Whether the figure of a region may decide anything.
    #[must_use]
    pub fn region(&self, region: RegionId) -> bool {
        self.regions.get(region.index()).copied().unwrap_or_default()
    }

    /// Whether a tree may depend on any figure.
    pub(super) fn tree(&self, tree: TreeId) -> bool {
        self.trees.get(tree.index()).copied().unwrap_or_default()
    }

    /// The bindings that may depend on any figure.
    pub(super) fn bindings<'a>(&'a self, parts: &'a Parts) -> impl Iterator<Item = BindingId> {
        let bindings = (0..).map(BindingId).zip(&parts.bindings);
        bindings.filter(|(_, binding)| self.tree(binding.tree)).map(|(id, _)| id)
    }
}

/// Whether a latency policy has no bands for some class. It may be one that never comes to the
/// policy; then figures are kept in vain, and nothing depends on them.
fn some_class_lacks(table: &Table, node: NodeId) -> bool {
    table.classes().iter().any(|class| class.bands.iter().all(|(id, _)| *id != node))
}

fn region(tree: &Tree, node: NodeId) -> Option<RegionId> {
    match tree.node(node) {
        Node::Region(slot) => tree.slots.get(slot.index()).copied(),
        _ => None,
    }
}
