//! From what is known of a client to what each node of a tree makes of it.

use std::collections::{HashMap, HashSet};

use ipnet::IpNet;

use crate::geo::{ClientKey, LatencyTable};
use crate::model::{Attributes, Location, Member, Node, NodeId, OnAllDown, RegionId, Tree};

use super::super::assembly::Parts;
use super::super::bands::bands_of;
use super::super::offer::Class;
use super::rules::Rules;

/// A round trip for a great-circle distance: 1 ms for 66 km. Light in fibre goes 100 km and back in
/// that time, and cables are half as long again as the straight line.
const NANOS_PER_METRE: f64 = 1e6 / 66e3;

/// What a tree makes of a client, and by which figures.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Classified {
    /// What answers depend on. Of rules that lead to the same the first stands for all, so that
    /// clients who differ only in the rule that names them are of one class.
    pub class: Class,
    /// For each geolocation node that the client can come to and that has a rule for it: the rules
    /// that match, most specific first.
    pub matched: Vec<(NodeId, Vec<usize>)>,
    /// For each latency or geoproximity node that the client can come to: how its members compare.
    pub figures: Vec<(NodeId, Figures)>,
}

/// How the members of a node compare for a client.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// Where the figures come from.
    pub source: FigureSource,
    /// For each member its round-trip time in nanoseconds, or its biased distance in metres, in whole
    /// numbers; empty when no source knows them all.
    pub of: Vec<f64>,
}

/// Where figures come from.
#[derive(Debug, Clone, PartialEq)]
pub enum FigureSource {
    /// The latency table: for each member the row that was the most specific.
    Table(Vec<ClientKey>),
    /// Great-circle distances from here.
    Distance {
        /// Where the client is taken to be.
        from: Location,
        /// Whether that is only the middle of its country.
        of_country: bool,
    },
    /// Neither knows all members: for round-trip times this nameserver's own probes are asked next,
    /// and without any figures members share by weight.
    None,
}

/// Tells the clients of a tree apart.
#[derive(Debug)]
pub struct Classifier<'a> {
    parts: &'a Parts,
    tree: &'a Tree,
    latency: &'a LatencyTable,
    /// Of each geolocation node.
    rules: HashMap<NodeId, Rules<'a>>,
}

impl<'a> Classifier<'a> {
    /// Of a tree.
    #[must_use]
    pub fn new(parts: &'a Parts, tree: &'a Tree, latency: &'a LatencyTable) -> Self {
        let rules = (0..).map(NodeId).zip(&tree.nodes).filter_map(|(id, node)| match &node.node {
            Node::Geolocation { rules, .. } => Some((id, Rules::new(rules))),
            _ => None,
        });
        Self { parts, tree, latency, rules: rules.collect() }
    }

    /// What the tree makes of clients with these attributes. `covering` are the configured prefixes
    /// that they are in, longest first. Only what such a client can come to is looked at.
    #[must_use]
    pub fn classify(&self, attributes: &Attributes, covering: &[IpNet]) -> Classified {
        let (seen, out) = (HashSet::new(), Classified::default());
        let mut walk = Walk { of: self, attributes, covering, seen, out };
        walk.node(self.tree.root);
        if let OnAllDown::Instead(node) = self.tree.on_all_down {
            walk.node(node);
        }
        // The order in which nodes are come to says nothing.
        let mut out = walk.out;
        out.class.chains.sort_unstable_by_key(|(node, _)| *node);
        out.class.bands.sort_unstable_by_key(|(node, _)| *node);
        out.matched.sort_unstable_by_key(|(node, _)| *node);
        out.figures.sort_by_key(|(node, _)| *node);
        out
    }
}

struct Walk<'a> {
    of: &'a Classifier<'a>,
    attributes: &'a Attributes,
    covering: &'a [IpNet],
    /// The nodes that were come to, but for those that do not look at the client.
    seen: HashSet<NodeId>,
    out: Classified,
}

impl Walk<'_> {
    fn node(&mut self, id: NodeId) {
        let tree = self.of.tree;
        let node = tree.node(id);
        if matches!(node, Node::Region(_) | Node::Multivalue { .. }) || !self.seen.insert(id) {
            return;
        }
        match node {
            Node::Region(_) | Node::Multivalue { .. } => {}
            Node::Weighted { members } => self.members(members),
            Node::Failover { tiers, .. } => tiers.iter().for_each(|tier| self.members(tier)),
            Node::Geolocation { default, fence, .. } => self.geolocation(id, *default, *fence),
            Node::Latency { members, tolerance, .. } => {
                let regions = members.iter().map(|member| self.region(*member)).collect();
                let figures = self.round_trips(regions);
                self.compare(id, figures, tolerance.as_nanos() as f64);
            }
            Node::Geoproximity { members, tolerance_km, .. } => {
                let near = |(member, bias): &(Member, i8)| (self.region(*member), *bias);
                let figures = self.distances(members.iter().map(near).collect());
                self.compare(id, figures, (tolerance_km * 1e3).round());
            }
        }
    }

    fn members(&mut self, members: &[Member]) {
        for member in members {
            self.node(member.node);
        }
    }

    fn geolocation(&mut self, id: NodeId, default: Option<NodeId>, fence: bool) {
        let Some(rules) = self.of.rules.get(&id) else { return };
        let mut matched = rules.chain(self.attributes, self.covering);
        if fence {
            // Nothing behind the first match is ever used.
            matched.truncate(1);
        }
        let default = default.filter(|_| !fence || matched.is_empty());
        let to = matched.iter().filter_map(|at| rules.to(*at)).chain(default);
        to.for_each(|node| self.node(node));
        if !matched.is_empty() {
            let first = matched.iter().map(|at| rules.first(*at)).collect();
            self.out.class.chains.push((id, first));
            self.out.matched.push((id, matched));
        }
    }

    fn compare(&mut self, id: NodeId, figures: Figures, tolerance: f64) {
        if !figures.of.is_empty() {
            self.out.class.bands.push((id, bands_of(&figures.of, tolerance)));
        }
        self.out.figures.push((id, figures));
    }

    /// The region of a member; these policies have no other members.
    fn region(&self, member: Member) -> Option<RegionId> {
        match self.of.tree.node(member.node) {
            Node::Region(slot) => self.of.tree.slots.get(slot.index()).copied(),
            _ => None,
        }
    }

    /// Round-trip times by the first source that knows all regions.
    fn round_trips(&self, regions: Vec<Option<RegionId>>) -> Figures {
        let row = |region: &Option<RegionId>| {
            self.of.latency.find((*region)?, self.attributes, self.covering)
        };
        if let Some(rows) = regions.iter().map(row).collect::<Option<Vec<_>>>() {
            let (of, keys) =
                rows.into_iter().map(|(rtt, key)| (rtt.as_nanos() as f64, key)).unzip();
            return Figures { source: FigureSource::Table(keys), of };
        }
        let mut figures = self.distances(regions.into_iter().map(|region| (region, 0)).collect());
        for metres in &mut figures.of {
            *metres = (*metres * NANOS_PER_METRE).round();
        }
        figures
    }

    /// Biased distances in metres, where all of them are known.
    fn distances(&self, regions: Vec<(Option<RegionId>, i8)>) -> Figures {
        let unknown = Figures { source: FigureSource::None, of: Vec::new() };
        let middle = || self.attributes.country.and_then(|country| country.middle());
        let (from, of_country) = match (self.attributes.location, middle()) {
            (Some(from), _) => (from, false),
            (None, Some(from)) => (from, true),
            (None, None) => return unknown,
        };
        let distance = |(region, bias): &(Option<RegionId>, i8)| {
            let to = self.of.parts.regions.get(region.as_ref()?.index())?.location?;
            Some((biased(from.distance_km(to), *bias) * 1e3).round())
        };
        match regions.iter().map(distance).collect::<Option<Vec<_>>>() {
            Some(of) => Figures { source: FigureSource::Distance { from, of_country }, of },
            None => unknown,
        }
    }
}

/// A distance as a bias of -99 to 99 makes it, by Route 53's formulas: a positive bias draws clients in
/// from further away, a negative one leaves them to others.
fn biased(km: f64, bias: i8) -> f64 {
    let bias = f64::from(bias) / 100.0;
    if bias > 0.0 { km * (1.0 - bias) } else { km / (1.0 + bias) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::model::{
        Continent, Country, GeoKeys, GeoRule, MissingFamily, PolicyNode, Slot, Subdivision,
    };

    fn keys(text: &str) -> GeoKeys {
        let mut keys = GeoKeys::default();
        for key in text.split_whitespace() {
            match key.split_once('=') {
                Some(("prefix", value)) => keys.prefix.extend(value.parse::<IpNet>()),
                Some(("asn", value)) => keys.asn.extend(value.parse::<u32>()),
                Some(("sub", value)) => keys.subdivision.extend(value.parse::<Subdivision>()),
                Some(("country", value)) => keys.country.extend(value.parse::<Country>()),
                Some(("continent", value)) => keys.continent.extend(value.parse::<Continent>()),
                other => panic!("{other:?}"),
            }
        }
        keys.prefix.sort_unstable();
        keys.country.sort_unstable();
        keys
    }

    /// A Californian of AS 64500 in 10.1.0.0/16, itself in 10.0.0.0/8.
    fn chain(rules: &[&str], fence: bool) -> Vec<usize> {
        let rules = rules.iter().map(|rule| GeoRule { keys: keys(rule), to: NodeId(0) }).collect();
        let missing = MissingFamily::Nodata;
        let geolocation = Node::Geolocation { rules, default: None, fence, missing };
        let nodes = [Node::Region(Slot(0)), geolocation];
        let tree = Tree {
            nodes: nodes.map(|node| PolicyNode { name: None, node, min_up: 0 }).into(),
            root: NodeId(1),
            on_all_down: OnAllDown::Open,
            slots: vec![RegionId(0)],
            sticky: false,
        };
        let attributes = Attributes {
            continent: "NA".parse().ok(),
            country: "US".parse().ok(),
            subdivision: "US-CA".parse().ok(),
            asn: Some(64500),
            location: None,
        };
        let covering = ["10.1.0.0/16", "10.0.0.0/8"].map(|net| net.parse().expect("a prefix"));
        let (parts, latency) = (Parts::default(), LatencyTable::default());
        let classified = Classifier::new(&parts, &tree, &latency).classify(&attributes, &covering);
        assert!(
            classified.class.chains.iter().all(|(_, chain)| chain.iter().all(|&rule| rule == 0))
        );
        classified.matched.into_iter().flat_map(|(_, chain)| chain).collect()
    }

    #[rstest]
    #[case::none(&["country=DE", "continent=EU"], &[])]
    #[case::any_value(&["country=DE country=US"], &[0])]
    #[case::all_keys(&["country=US asn=64501", "country=US asn=64500"], &[1])]
    #[case::key_by_key(
        &["continent=NA", "country=US", "sub=US-CA", "asn=64500", "prefix=10.0.0.0/8"],
        &[4, 3, 2, 1, 0]
    )]
    #[case::the_longer_prefix(&["prefix=10.0.0.0/8", "prefix=10.1.0.0/16"], &[1, 0])]
    #[case::the_longest_of_several(
        &["prefix=10.0.0.0/8 asn=64500", "prefix=10.0.0.0/8 prefix=10.1.0.0/16"],
        &[1, 0]
    )]
    #[case::a_key_more(&["asn=64500", "asn=64500 continent=NA"], &[1, 0])]
    #[case::one_early_key_beats_all_later(&["sub=US-CA country=US continent=NA", "asn=64500"], &[1, 0])]
    #[case::other_prefixes(&["prefix=10.2.0.0/16", "prefix=10.1.1.0/24"], &[])]
    fn the_more_specific_rule_comes_first(#[case] rules: &[&str], #[case] want: &[usize]) {
        assert_eq!(chain(rules, false), want);
        assert_eq!(chain(rules, true), want.get(..want.len().min(1)).unwrap_or_default());
    }

    #[test]
    fn a_bias_draws_in_or_pushes_away() {
        assert!((biased(100.0, 0) - 100.0).abs() < 1e-9);
        assert!((biased(100.0, 20) - 80.0).abs() < 1e-9);
        assert!((biased(100.0, 99) - 1.0).abs() < 1e-9);
        assert!((biased(100.0, -50) - 200.0).abs() < 1e-9);
        assert!((biased(100.0, -99) - 10_000.0).abs() < 1e-6);
    }
}
