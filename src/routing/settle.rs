//! What a root answers: its offer, and the rules for when nothing is available.

use crate::model::{Node, NodeId, OnAllDown};

use super::levels::{self, Level, Reading};
use super::offer::{Event, Offer, Trace, Walk};

/// What a root came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// Shares that sum to 1; none at all is NODATA.
    pub offer: Offer,
    /// Which rule decided.
    pub reason: Reason,
    /// The reading of health that the offer was made under.
    pub reading: Reading,
}

/// Which rule decided what is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Something is available.
    Available,
    /// No pool of the tree has an address of the family: NODATA, and nothing is wrong.
    NoFamily,
    /// All down but for pools that are up and drained or held back; these are served.
    Drained,
    /// All down; served as when it was last not, and nothing was in doubt.
    LastGood,
    /// All down; served as if pools with any live address were up.
    OpenLive,
    /// All down; served as if all were up.
    Open,
    /// All down; NODATA, as configured.
    Closed,
    /// All down; another region or policy is used, health ignored.
    Instead,
    /// All down, and nothing at all may be served.
    Nothing,
    /// All that there is are aliases of which nothing is known (yet): SERVFAIL.
    Unresolved,
}

impl Reason {
    /// Its word in JSON.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::NoFamily => "no_family",
            Self::Drained => "drained",
            Self::LastGood => "last_good",
            Self::OpenLive => "open_live",
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Instead => "instead",
            Self::Nothing => "nothing",
            Self::Unresolved => "unresolved",
        }
    }

    /// Whether the all-down rules are engaged.
    #[must_use]
    pub const fn is_all_down(self) -> bool {
        !matches!(self, Self::Available | Self::NoFamily)
    }
}

impl Walk<'_> {
    /// The offer of a root (or of what is inside a fence), the all-down rules included.
    pub(super) fn settle(&self, root: NodeId, trace: &mut impl Trace) -> Settled {
        let settled = self.came_to(root, trace);
        trace.tell(Event::Settles(settled.reason));
        settled
    }

    fn came_to(&self, root: NodeId, trace: &mut impl Trace) -> Settled {
        let settled = |offer: Offer, reason, reading| {
            Some(Settled { offer: offer.scaled(1.0), reason, reading })
                .filter(|settled| !settled.offer.shares.is_empty())
        };
        let empty = |reason| Settled { offer: Offer::default(), reason, reading: self.reading };
        if self.lacks_family(root) {
            return empty(Reason::NoFamily);
        }
        if let Some(settled) =
            settled(self.offer(root, &[], trace), Reason::Available, self.reading)
        {
            return settled;
        }
        let mut under = |node, reading, reason| {
            let offer = Walk { reading, ..*self }.offer(node, &[], trace);
            settled(offer, reason, reading)
        };
        if self.health.any_spare()
            && let Some(settled) = under(root, Reading::Undrained, Reason::Drained)
        {
            return settled;
        }
        // Whatever is to be done when all is down: nothing is known that it could be done with.
        if self.is_unresolved() {
            return empty(Reason::Unresolved);
        }
        match self.tree.on_all_down {
            OnAllDown::Closed => Some(empty(Reason::Closed)),
            // A region or policy without the family is an empty answer, and meant to be.
            OnAllDown::Instead(node) if self.lacks_family(node) => Some(empty(Reason::Instead)),
            OnAllDown::Instead(node) => under(node, Reading::AllUp, Reason::Instead),
            OnAllDown::Open | OnAllDown::LastGood => {
                let good = match self.tree.on_all_down {
                    OnAllDown::LastGood => under(root, Reading::Remembered, Reason::LastGood),
                    _ => None,
                };
                good.or_else(|| under(root, Reading::AnyLive, Reason::OpenLive))
                    .or_else(|| under(root, Reading::AllUp, Reason::Open))
            }
        }
        .unwrap_or_else(|| match self.levels().any(|level| level.unresolved) {
            // As far as is known, addresses are of the other family alone.
            true => empty(Reason::NoFamily),
            false => empty(Reason::Nothing),
        })
    }

    /// Whether there is an alias of which nothing is known, and beside it nothing that may be served in
    /// either family.
    fn is_unresolved(&self) -> bool {
        self.levels().any(|level| level.unresolved)
            && self.levels().all(|level| level.h.iter().all(|h| *h == 0.0))
    }

    /// What all that the tree leads to is worth if every address is up.
    fn levels(&self) -> impl Iterator<Item = Level> {
        let levels = self.health.levels(Reading::AllUp);
        let slots = self.tree.nodes.iter().flat_map(|node| match &node.node {
            Node::Region(slot) => std::slice::from_ref(slot),
            Node::Multivalue { members, .. } => members,
            _ => &[],
        });
        slots.map(|slot| levels::of(levels, self.stands(*slot)))
    }
}

#[cfg(test)]
mod tests {
    use super::Reason::{
        Available, Closed, Drained, Instead, LastGood, NoFamily, Nothing, Open, OpenLive,
        Unresolved,
    };

    #[test]
    fn programs_read_the_same_word_everywhere() {
        for reason in [
            Available, NoFamily, Drained, LastGood, OpenLive, Open, Closed, Instead, Nothing,
            Unresolved,
        ] {
            assert_eq!(serde_json::json!(reason), reason.label());
        }
    }
}
