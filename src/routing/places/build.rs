//! From sources to tables: all addresses are walked once, and every tree sees each stretch.

use std::collections::HashMap;
use std::sync::Arc;

use ipnet::IpNet;

use super::address::{self, Block};
use super::classify::Classifier;
use super::gather::Gather;
use super::ranges::{Bits, Ranges};
use super::stretch::{Layer, Nested, Said, Stretch};
use super::table::{CARRIER, SPECIAL, Table};
use crate::geo::{DatabaseError, Geo, LatencyTable, Network, Record};
use crate::model::{Family, Node, Tree, TreeId};
use crate::routing::assembly::Parts;
use crate::routing::offer::Class;

/// For each tree that looks at the client, or keeps client networks to their regions: how to tell.
#[derive(Debug, Default)]
pub struct Places {
    tables: Box<[Option<Table>]>,
}

impl Places {
    /// Maps all prefixes to the classes of all trees.
    ///
    /// # Errors
    /// When a database is broken.
    pub fn build(parts: &Parts, geo: &Geo, latency: &LatencyTable) -> Result<Self, DatabaseError> {
        let trees: Vec<&Tree> = parts.trees.iter().filter(|tree| looks_at_client(tree)).collect();
        if trees.is_empty() {
            return Ok(Self { tables: parts.trees.iter().map(|_| None).collect() });
        }
        let networks = geo.networks.iter().enumerate();
        let networks = networks.map(|(at, network)| (network.prefix, (at, network)));
        let mut build = Build {
            parts,
            geo,
            latency,
            networks: networks.collect(),
            classes: trees.iter().map(|_| Classes::default()).collect(),
            covering: trees.iter().map(|_| Vec::new()).collect(),
            classifiers: trees.iter().map(|tree| Classifier::new(parts, tree, latency)).collect(),
            trees,
            holes: Vec::new(),
            values: Vec::new(),
        };
        let v4 = build.family::<u32>(Family::V4)?;
        let v6 = build.family::<u128>(Family::V6)?;
        let Build { trees, classes, covering, holes, .. } = build;
        let holes: Arc<[_]> = holes.into();
        let mut built = (trees.iter().zip(classes).zip(covering).zip(v4).zip(v6)).map(
            |((((tree, classes), covering), v4), v6)| Table {
                classes: classes.list,
                sticky: tree.sticky,
                v4,
                v6,
                covering: covering.into(),
                holes: Arc::clone(&holes),
            },
        );
        let table = |tree: &Tree| looks_at_client(tree).then(|| built.next()).flatten();
        Ok(Self { tables: parts.trees.iter().map(table).collect() })
    }

    /// The table of a tree; `None`: its answers do not depend on the client.
    #[inline]
    #[must_use]
    pub fn table(&self, tree: TreeId) -> Option<&Table> {
        self.tables.get(tree.index())?.as_ref()
    }
}

#[cfg(test)]
impl Places {
    /// For the trees in order, tables with these classes and no way to tell who is in them.
    pub(in crate::routing) fn for_tests(classes: Vec<Vec<Class>>) -> Self {
        let table = |classes| {
            let (v4, v6) = (Gather::new().finish(), Gather::new().finish());
            let (covering, holes) = (Box::default(), Arc::default());
            Some(Table { classes, sticky: true, v4, v6, covering, holes })
        };
        Self { tables: classes.into_iter().map(table).collect() }
    }
}

/// Whether the answers of a tree may depend on the client.
fn looks_at_client(tree: &Tree) -> bool {
    let looks = |node: &Node| {
        matches!(node, Node::Geolocation { .. } | Node::Latency { .. } | Node::Geoproximity { .. })
    };
    tree.sticky || tree.nodes.iter().any(|node| looks(&node.node))
}

/// All configured prefixes that something depends on, in no order.
pub(super) fn prefixes(trees: &[Tree], geo: &Geo, latency: &LatencyTable) -> Vec<IpNet> {
    let rules = trees.iter().flat_map(|tree| &tree.nodes).filter_map(|node| match &node.node {
        Node::Geolocation { rules, .. } => Some(rules),
        _ => None,
    });
    let rules = rules.flatten().flat_map(|rule| rule.keys.prefix.iter().copied());
    let networks = geo.networks.iter().map(|network| network.prefix);
    rules.chain(networks).chain(latency.prefixes()).collect()
}

/// The classes of one tree.
#[derive(Default)]
struct Classes {
    list: Vec<Class>,
    known: HashMap<Class, u32>,
}

impl Classes {
    fn number(&mut self, class: Class) -> u32 {
        let next = self.list.len() as u32;
        *self.known.entry(class).or_insert_with_key(|class| {
            self.list.push(class.clone());
            next
        })
    }
}

/// The position of the layer of configured prefixes, behind that of marks; databases follow.
const CONFIGURED: usize = 1;

struct Build<'a> {
    parts: &'a Parts,
    geo: &'a Geo,
    latency: &'a LatencyTable,
    /// Own networks with their positions.
    networks: HashMap<IpNet, (usize, &'a Network)>,
    /// Those that look at the client; the others' vectors go by their positions.
    trees: Vec<&'a Tree>,
    classifiers: Vec<Classifier<'a>>,
    classes: Vec<Classes>,
    covering: Vec<Vec<(Family, u128, u8, u32)>>,
    /// Configured prefixes in special-purpose blocks.
    holes: Vec<(Family, u128, u128)>,
    /// The trees' values of each kind of stretch seen in this family, one tree after the other.
    values: Vec<u32>,
}

impl Build<'_> {
    /// The ranges of each tree in a family.
    fn family<K: Bits>(&mut self, family: Family) -> Result<Vec<Ranges<K>>, DatabaseError> {
        self.values.clear();
        let nested = Nested::new(prefixes(&self.parts.trees, self.geo, self.latency), family);
        let holes = nested
            .outermost()
            .filter(|(first, _)| address::special_block(*first, family).is_some());
        self.holes.extend(holes.map(|(first, last)| (family, first, last)));
        let databases = self.geo.databases.iter().map(|database| {
            let ranges = database.ranges(family);
            Layer::new(ranges.map(|range| range.map(|(at, record)| (at, of_record(record)))))
        });
        let plain = |(at, number)| Ok((at, Said { number, record: None }));
        let marks = Layer::new(marks(family).into_iter().map(plain));
        let configured = Layer::new(nested.ranges().into_iter().map(plain));
        let layers = [marks, configured].into_iter().chain(databases).collect();
        let mut stretches = Stretch::new(layers);
        let mut gather: Vec<Gather<K>> = self.trees.iter().map(|_| Gather::new()).collect();
        while let Some(at) = stretches.next()? {
            let values = self.values_of(&stretches, &nested)?;
            for (gather, value) in gather.iter_mut().zip(values) {
                gather.push(at, *value);
            }
            // What shorter prefixes that begin here are: as if the longer ones were not there.
            let mut said = stretches.said().to_vec();
            for (len, around) in nested.beginning(said[CONFIGURED].number, at) {
                said[CONFIGURED].number = around;
                for (tree, value) in self.evaluate(&said, &nested)?.into_iter().enumerate() {
                    self.covering[tree].push((family, at, len, value));
                }
            }
        }
        for covering in &mut self.covering {
            covering.sort_unstable();
        }
        Ok(gather.into_iter().map(Gather::finish).collect())
    }

    /// The value of each tree in a stretch.
    fn values_of(
        &mut self,
        stretch: &Stretch<'_>,
        nested: &Nested,
    ) -> Result<&[u32], DatabaseError> {
        let start = stretch.kind() * self.trees.len();
        if start == self.values.len() {
            let values = self.evaluate(stretch.said(), nested)?;
            self.values.extend(values);
        }
        Ok(self.values.get(start..start + self.trees.len()).unwrap_or_default())
    }

    /// The value of each tree where the layers say this.
    fn evaluate(&mut self, said: &[Said], nested: &Nested) -> Result<Vec<u32>, DatabaseError> {
        let [mark, configured, databases @ ..] = said else { return Ok(Vec::new()) };
        let covering = nested.chain(configured.number);
        let own = covering.iter().filter_map(|prefix| self.networks.get(prefix).copied());
        let databases = databases.iter().zip(&self.geo.databases).enumerate();
        let databases = databases.map(|(at, (said, database))| {
            Ok((at, said.record.map(|record| database.attributes(record)).transpose()?))
        });
        let databases = databases.collect::<Result<Vec<_>, _>>()?;
        let attributes = Geo::join(own, databases.into_iter()).attributes;
        // A configured prefix makes clients of addresses in a special-purpose block.
        let keep = if configured.number == 0 { u32::MAX } else { !SPECIAL };
        let mark = mark.number & keep;
        let classes = self.classifiers.iter().zip(&mut self.classes).map(|(tree, classes)| {
            classes.number(tree.classify(&attributes, &covering).class) | mark
        });
        Ok(classes.collect())
    }
}

/// What a database says.
fn of_record(record: Option<Record>) -> Said {
    Said { number: record.map_or(0, |record| record.offset() + 1), record }
}

/// The blocks that are not looked up like others, as ranges.
fn marks(family: Family) -> Vec<(u128, u32)> {
    let special = address::special(family).iter().map(|block| (*block, SPECIAL));
    let carriers = address::carriers().filter(|_| family == Family::V6);
    let mut blocks: Vec<(Block, u32)> =
        special.chain(carriers.map(|block| (block, CARRIER))).collect();
    blocks.sort_unstable_by_key(|(block, _)| block.bits);
    let mut ranges = vec![(0, 0)];
    for (block, mark) in blocks {
        if ranges.last().is_some_and(|(start, _)| *start == block.bits) {
            ranges.pop();
        }
        ranges.push((block.bits, mark));
        if let Some(behind) =
            block.last(family).checked_add(1).filter(|at| *at <= address::all(family))
        {
            ranges.push((behind, 0));
        }
    }
    ranges
}
