//! Policy trees: what a record's shares are derived from.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::{Continent, Country, RegionId, Slot, Subdivision, Weight};

/// The tree behind one or more records. It exists only until shares are compiled.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// All nodes; children are named by position. There are no circles.
    pub nodes: Vec<PolicyNode>,
    /// The node that an answer starts from.
    pub root: NodeId,
    /// What is answered when nothing is available.
    pub on_all_down: OnAllDown,
    /// The region of each slot, in order of first appearance. Every region stands once; rings
    /// get slots of their own behind these.
    pub slots: Vec<RegionId>,
    /// Whether a client network keeps to its region: one sticky policy makes its whole tree so.
    pub sticky: bool,
}

impl Tree {
    /// The node at `id`.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize].node
    }

    /// How many of its members a node must have that offer anything.
    #[must_use]
    pub fn min_up(&self, id: NodeId) -> usize {
        self.nodes.get(id.0 as usize).map_or(0, |node| usize::from(node.min_up))
    }

    /// What it is called: the name or type of its root's policy, or its region's name.
    #[must_use]
    pub fn label(&self) -> String {
        let root = self.nodes.get(self.root.0 as usize);
        let name = root.and_then(|root| root.name.as_ref());
        name.map_or_else(|| self.node(self.root).label().into(), ToString::to_string)
    }

    /// The regions' slots at and below a node.
    #[must_use]
    pub fn slots_below(&self, id: NodeId) -> Vec<Slot> {
        let (mut slots, mut seen, mut next) = (Vec::new(), HashSet::new(), vec![id]);
        while let Some(id) = next.pop() {
            if !seen.insert(id) {
                continue;
            }
            match self.node(id) {
                Node::Region(slot) => slots.push(*slot),
                Node::Weighted { members } | Node::Latency { members, .. } => {
                    next.extend(members.iter().map(|member| member.node));
                }
                Node::Failover { tiers, .. } => {
                    next.extend(tiers.iter().flatten().map(|member| member.node));
                }
                Node::Geolocation { rules, default, .. } => {
                    next.extend(rules.iter().map(|rule| rule.to).chain(*default));
                }
                Node::Geoproximity { members, .. } => {
                    next.extend(members.iter().map(|(member, _)| member.node));
                }
                Node::Multivalue { members, .. } => slots.extend(members),
            }
        }
        slots
    }
}

/// A node's position in [`Tree::nodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// A node with the name that a person knows it by.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyNode {
    /// The region's or policy's name; a nested list of a failover has none.
    pub name: Option<Arc<str>>,
    /// What it does.
    pub node: Node,
    /// With fewer members that offer anything it offers nothing; 0 where that is no matter.
    pub min_up: u16,
}

/// A member of a group that is shared by weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The policy's own weight for it, else the region's, else [`Weight::DEFAULT`].
    pub weight: Weight,
    /// The member.
    pub node: NodeId,
}

/// What a pool without addresses of the family asked yields where it keeps its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingFamily {
    /// An empty answer, with the availability of the pool's other family.
    #[default]
    Nodata,
    /// Nothing: the next is asked.
    Skip,
}

/// The kinds of policy.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// One region's pool.
    Region(Slot),
    /// Shared by weight; members of weight 0 stand by.
    Weighted {
        /// The members.
        members: Vec<Member>,
    },
    /// Tiers in order of preference; a tier is shared by weight.
    Failover {
        /// The tiers.
        tiers: Vec<Vec<Member>>,
        /// Whether what a tier leaves goes to the next.
        spill: bool,
        /// What a member without the family yields.
        missing: MissingFamily,
    },
    /// Rules over the client's attributes.
    Geolocation {
        /// The rules, in the order of the configuration.
        rules: Vec<GeoRule>,
        /// Clients that no rule names; `None` is nodata.
        default: Option<NodeId>,
        /// Whether only the first match is used.
        fence: bool,
        /// What a member without the family yields.
        missing: MissingFamily,
    },
    /// Regions by round-trip time.
    Latency {
        /// The regions.
        members: Vec<Member>,
        /// All within this of a band's best share by weight.
        tolerance: Duration,
        /// What a member without the family yields.
        missing: MissingFamily,
    },
    /// Regions by biased distance.
    Geoproximity {
        /// The regions, each with its bias of -99 to 99.
        members: Vec<(Member, i8)>,
        /// All within this many km of a band's best share by weight.
        tolerance_km: f64,
        /// What a member without the family yields.
        missing: MissingFamily,
    },
    /// Several regions in one answer.
    Multivalue {
        /// The regions, in ring order.
        members: Vec<Slot>,
        /// The slot of the ring itself, behind the regions' slots.
        ring: Slot,
        /// How many addresses an answer has at most, where that is less than what the record says.
        max_answers: Option<u8>,
    },
}

impl Node {
    /// `region`, or the type of policy.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Region(_) => "region",
            Self::Weighted { .. } => "weighted",
            Self::Failover { .. } => "failover",
            Self::Geolocation { .. } => "geolocation",
            Self::Latency { .. } => "latency",
            Self::Geoproximity { .. } => "geoproximity",
            Self::Multivalue { .. } => "multivalue",
        }
    }
}

/// One rule of a geolocation policy.
#[derive(Debug, Clone, PartialEq)]
pub struct GeoRule {
    /// What the client must be; all given keys must match.
    pub keys: GeoKeys,
    /// Where it is sent.
    pub to: NodeId,
}

/// The keys of a geolocation rule. Those that are not empty must all match; one matches when any of
/// its values does. Values ascend, for there may be many to look for one among.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GeoKeys {
    /// Network prefixes.
    pub prefix: Vec<ipnet::IpNet>,
    /// Autonomous system numbers.
    pub asn: Vec<u32>,
    /// ISO 3166-2 subdivisions.
    pub subdivision: Vec<Subdivision>,
    /// ISO 3166-1 countries.
    pub country: Vec<Country>,
    /// Continents.
    pub continent: Vec<Continent>,
}

/// What a record answers when all that its tree could use is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnAllDown {
    /// As if all were up.
    Open,
    /// NODATA.
    Closed,
    /// The health that was last in force.
    LastGood,
    /// This node (of the same tree's nodes), health ignored.
    Instead(NodeId),
}
