//! Policy trees from plans: one for each root and what it does when all is down.

use std::collections::HashMap;
use std::sync::Arc;

use super::Resolver;
use super::names::{AllDown, Named};
use super::policies::Plan;
use crate::model::{
    Member, Node, NodeId, OnAllDown, PolicyNode, RegionId, Slot, Tree, TreeId, Weight,
};

/// Where a record's answers start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Root {
    /// Every region at its own weight.
    EveryRegion,
    /// A region or a policy.
    Named(Named),
}

impl Resolver<'_> {
    /// The tree of a root, built when it is asked for first. Only for plans without circles.
    pub(super) fn tree(&mut self, root: Root, all_down: AllDown) -> TreeId {
        if let Some(id) = self.trees.get(&(root, all_down)) {
            return *id;
        }
        let mut builder =
            Builder { resolver: self, tree: Vec::new(), slots: Vec::new(), built: HashMap::new() };
        let root_node = match root {
            Root::Named(named) => builder.named(named),
            Root::EveryRegion => {
                let members = builder.members(&builder.resolver.every_region());
                builder.push(Some("weighted".into()), Node::Weighted { members })
            }
        };
        let on_all_down = match all_down {
            AllDown::Open => OnAllDown::Open,
            AllDown::Closed => OnAllDown::Closed,
            AllDown::Instead(named) => OnAllDown::Instead(builder.named(named)),
        };
        let Builder { tree: nodes, slots, .. } = builder;
        let id = TreeId(number(self.out.trees.len()));
        self.out.trees.push(Tree { nodes, root: root_node, on_all_down, slots, sticky: false });
        self.trees.insert((root, all_down), id);
        id
    }
}

/// A tree that is being built. What stands in it several times is one node.
struct Builder<'a, 'b> {
    resolver: &'a Resolver<'b>,
    tree: Vec<PolicyNode>,
    slots: Vec<RegionId>,
    built: HashMap<Named, NodeId>,
}

impl Builder<'_, '_> {
    fn push(&mut self, name: Option<Arc<str>>, node: Node) -> NodeId {
        self.tree.push(PolicyNode { name, node });
        NodeId(number(self.tree.len() - 1))
    }

    fn named(&mut self, named: Named) -> NodeId {
        if let Some(id) = self.built.get(&named) {
            return *id;
        }
        let (name, node) = match named {
            Named::Region(region) => {
                let name = &self.resolver.config.regions[region.index()].name.value;
                // Every region stands once, and there are at most as many as a slot can number.
                let slot = Slot(u16::try_from(self.slots.len()).unwrap_or(u16::MAX));
                self.slots.push(region);
                (name, Node::Region(slot))
            }
            Named::Policy(at) => {
                let resolver = self.resolver;
                (&resolver.config.policies[at].name.value, self.policy(&resolver.plans[at]))
            }
        };
        let id = self.push(Some(Arc::clone(name)), node);
        self.built.insert(named, id);
        id
    }

    fn policy(&mut self, plan: &Plan) -> Node {
        match plan {
            Plan::Weighted(members) => Node::Weighted { members: self.members(members) },
            Plan::Failover { tiers, spill, missing } => {
                let tiers = tiers.iter().map(|tier| self.members(tier)).collect();
                Node::Failover { tiers, spill: *spill, missing: *missing }
            }
        }
    }

    fn members(&mut self, members: &[(Named, Weight)]) -> Vec<Member> {
        members.iter().map(|&(named, weight)| Member { weight, node: self.named(named) }).collect()
    }
}

/// A position as a number of an id. There are never more things than bytes in a configuration.
pub(super) fn number(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}
