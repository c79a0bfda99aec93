//! The trace that keeps the path: what a walk tells, as the nesting that it is.

use crate::model::{Member, NodeId, Slot};
use crate::routing::levels::Reading;
use crate::routing::offer::{Event, Offer, Trace};
use crate::routing::settle::Reason;

/// One node, walked once.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Visit {
    pub(super) node: NodeId,
    pub(super) reading: Reading,
    /// The pools that had been offered before.
    pub(super) used: Vec<Slot>,
    /// The members in bands, and whether figures made those.
    pub(super) bands: Option<(Vec<Vec<Member>>, bool)>,
    pub(super) parts: Vec<Asked>,
    pub(super) offer: Offer,
    /// Too few of its members offered anything.
    pub(super) too_few: bool,
}

/// A part of a node that was asked.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Asked {
    /// Its position in the node.
    pub(super) at: usize,
    /// What was walked below it; each with what it counts among its like, if it counts by weight.
    pub(super) visits: Vec<(Visit, Option<f64>)>,
    /// The members left out for lack of the family.
    pub(super) left_out: Vec<NodeId>,
    /// The availability of the empty answer that keeps its place.
    pub(super) lacks: Option<f64>,
    /// Which rule decided, where the part is a root or inside a fence.
    pub(super) settled: Option<Reason>,
    /// How much of the node's answers came from it.
    pub(super) takes: f64,
}

/// Keeps what it is told.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    /// What is not finished; the root's part is the outermost, and parts and nodes take turns.
    parts: Vec<Asked>,
    nodes: Vec<Visit>,
}

impl Recorder {
    pub(super) fn new() -> Self {
        Self { parts: vec![Asked { takes: 1.0, ..Asked::default() }], nodes: Vec::new() }
    }

    /// What the root came to.
    pub(super) fn finish(mut self) -> Asked {
        self.parts.pop().unwrap_or_default()
    }
}

impl Trace for Recorder {
    fn tell(&mut self, event: Event<'_>) {
        match event {
            Event::Enters { node, reading, used } => self.nodes.push(Visit {
                node,
                reading,
                used: used.to_vec(),
                bands: None,
                parts: Vec::new(),
                offer: Offer::default(),
                too_few: false,
            }),
            Event::Leaves(offer) => {
                let (Some(visit), Some(part)) = (self.nodes.pop(), self.parts.last_mut()) else {
                    return;
                };
                part.visits.push((Visit { offer: offer.clone(), ..visit }, None));
            }
            Event::Asks(at) => self.parts.push(Asked { at, ..Asked::default() }),
            Event::Takes(takes) => {
                let (Some(part), Some(node)) = (self.parts.pop(), self.nodes.last_mut()) else {
                    return;
                };
                node.parts.push(Asked { takes, ..part });
            }
            Event::TooFew => {
                if let Some(node) = self.nodes.last_mut() {
                    node.too_few = true;
                }
            }
            Event::Bands { bands, by_figures } => {
                if let Some(node) = self.nodes.last_mut() {
                    node.bands = Some((bands.to_vec(), by_figures));
                }
            }
            Event::Counts(_) | Event::LeavesOut(_) | Event::Lacks(_) | Event::Settles(_) => {
                let Some(part) = self.parts.last_mut() else { return };
                match event {
                    Event::Counts(counts) => {
                        if let Some((_, counted)) = part.visits.last_mut() {
                            *counted = Some(counts);
                        }
                    }
                    Event::LeavesOut(member) => part.left_out.push(member),
                    Event::Lacks(availability) => part.lacks = Some(availability),
                    Event::Settles(reason) => {
                        // Only the last attempt decided.
                        part.visits.drain(..part.visits.len().saturating_sub(1));
                        part.settled = Some(reason);
                    }
                    _ => {}
                }
            }
        }
    }
}
