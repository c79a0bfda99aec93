//! From one set of shares to another: what moves, and from where to where.

use serde::Serialize;

/// Where an answer leads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// To a region.
    Region(String),
    /// To what a zone file has.
    ZoneData,
    /// To another name, which whoever asks looks up elsewhere.
    OtherName,
    /// To another nameserver.
    Delegated,
    /// Nowhere: an empty answer.
    NoAddress,
    /// Nowhere: NXDOMAIN.
    NoSuchName,
    /// Nowhere: REFUSED, for the name is in no zone that is served.
    NotServed,
    /// Nowhere: SERVFAIL.
    Failure,
}

impl Goal {
    /// Whether there are addresses behind it.
    const fn leads_somewhere(&self) -> bool {
        matches!(self, Self::Region(_) | Self::ZoneData | Self::OtherName | Self::Delegated)
    }
}

/// Addresses (or a CNAME's target) in wire form.
type Addresses = Vec<Box<[u8]>>;

/// From where a query is answered, and by which shares; they sum to 1.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Spread {
    of: Vec<(Goal, f64, Addresses)>,
    /// For how many seconds an answer may be kept, if a dynamic record gives it.
    pub(super) ttl: Option<u32>,
}

impl Spread {
    /// All to one goal.
    pub(super) fn all(goal: Goal) -> Self {
        Self { of: vec![(goal, 1.0, Vec::new())], ttl: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// A further share; goals that are there already get more.
    pub(super) fn add(&mut self, goal: Goal, share: f64, addresses: impl FnOnce() -> Addresses) {
        match self.of.iter_mut().find(|(of, ..)| *of == goal) {
            Some((_, sum, _)) => *sum += share,
            None => {
                let mut addresses = addresses();
                addresses.sort_unstable();
                self.of.push((goal, share, addresses));
            }
        }
    }

    fn find(&self, goal: &Goal) -> (f64, &[Box<[u8]>]) {
        let found = self.of.iter().find(|(of, ..)| of == goal);
        found.map_or((0.0, &[]), |(_, share, addresses)| (*share, addresses))
    }

    /// Each goal and its share.
    pub(super) fn shares(&self) -> impl Iterator<Item = (&Goal, f64)> {
        self.of.iter().map(|(goal, share, _)| (goal, *share))
    }
}

/// What becomes of queries that are answered by one set of shares, and then by another.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Movement {
    pub(super) before: Spread,
    pub(super) after: Spread,
    /// Parts of all these queries, as all below: from where to where, and whether to the same addresses.
    pub(super) flows: Vec<(Goal, Goal, f64, bool)>,
    /// From a region to another.
    pub(super) moved: f64,
    /// From somewhere to nowhere.
    pub(super) lost: f64,
    /// From nowhere to somewhere.
    pub(super) gained: f64,
    /// Answered otherwise: by zone data and no more by a region, say, or with another kind of nothing.
    pub(super) otherwise: f64,
    /// Stay in their region, and get other addresses of it.
    pub(super) readdressed: f64,
}

/// Shares that differ by less are the same but for rounding.
const ROUNDING: f64 = 1e-9;

impl Movement {
    /// From one to the other. As much moves as must: what a goal has too much goes to those that had too
    /// little, to each in proportion.
    pub(super) fn new(before: Spread, after: Spread) -> Self {
        let mut this = Self::default();
        let over = excess(&before, &after);
        let under = excess(&after, &before);
        let total: f64 = under.iter().map(|(_, more)| more).sum();
        for (from, less) in &over {
            for (to, more) in &under {
                this.flow(from, to, less * more / total, before.find(from).1 == after.find(to).1);
            }
        }
        for (goal, share, addresses) in &before.of {
            let (then, others) = after.find(goal);
            if matches!(goal, Goal::Region(_)) && then > 0.0 && addresses != others {
                this.readdressed += share.min(then);
            }
        }
        Self { before, after, ..this }
    }

    fn flow(&mut self, from: &Goal, to: &Goal, part: f64, same: bool) {
        let sum = match (from, to) {
            (Goal::Region(_), Goal::Region(_)) => &mut self.moved,
            _ => match (from.leads_somewhere(), to.leads_somewhere()) {
                (true, false) => &mut self.lost,
                (false, true) => &mut self.gained,
                _ => &mut self.otherwise,
            },
        };
        *sum += part;
        let is_region = matches!((from, to), (Goal::Region(_), Goal::Region(_)));
        self.flows.push((from.clone(), to.clone(), part, same && is_region));
    }
}

/// What each goal has more in one than in the other.
fn excess<'a>(of: &'a Spread, other: &Spread) -> Vec<(&'a Goal, f64)> {
    let more = of.shares().map(|(goal, share)| (goal, share - other.find(goal).0));
    more.filter(|(_, more)| *more > ROUNDING).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(shares: &[(&str, f64)]) -> Spread {
        let mut spread = Spread::default();
        for &(region, share) in shares {
            let (goal, addresses) = match region {
                "" => (Goal::NoAddress, Vec::new()),
                _ => (Goal::Region(region.into()), vec![region.as_bytes().into()]),
            };
            spread.add(goal, share, || addresses);
        }
        spread
    }

    fn flows(movement: &Movement) -> Vec<(String, String, f64)> {
        let name = |goal: &Goal| match goal {
            Goal::Region(name) => name.clone(),
            other => format!("{other:?}"),
        };
        let rounded = |part: f64| (part * 1e6).round() / 1e6;
        movement.flows.iter().map(|(a, b, part, _)| (name(a), name(b), rounded(*part))).collect()
    }

    #[test]
    fn as_much_moves_as_must_and_to_each_in_proportion() {
        let before = spread(&[("a", 0.6), ("b", 0.4)]);
        let after = spread(&[("a", 0.3), ("b", 0.3), ("c", 0.3), ("d", 0.1)]);
        let movement = Movement::new(before, after);
        assert!((movement.moved - 0.4).abs() < 1e-12);
        let of = |from: &str, to: &str, part| (from.to_owned(), to.to_owned(), part);
        assert_eq!(
            flows(&movement),
            [of("a", "c", 0.225), of("a", "d", 0.075), of("b", "c", 0.075), of("b", "d", 0.025)]
        );
    }

    #[test]
    fn nothing_moves_between_equals() {
        let shares = [("a", 1.0 / 3.0), ("b", 2.0 / 3.0)];
        let movement = Movement::new(spread(&shares), spread(&[shares[1], shares[0]]));
        assert_eq!((movement.moved, movement.readdressed, movement.flows.len()), (0.0, 0.0, 0));
    }

    #[test]
    fn who_gets_nothing_is_told_apart_from_who_moves() {
        let lost = Movement::new(spread(&[("a", 1.0)]), spread(&[("a", 0.25), ("", 0.75)]));
        assert_eq!((lost.moved, lost.lost, lost.gained, lost.otherwise), (0.0, 0.75, 0.0, 0.0));
        let gained = Movement::new(Spread::all(Goal::NoSuchName), spread(&[("a", 1.0)]));
        assert_eq!((gained.moved, gained.lost, gained.gained), (0.0, 0.0, 1.0));
        let fixed = Movement::new(spread(&[("a", 1.0)]), Spread::all(Goal::ZoneData));
        assert_eq!((fixed.moved, fixed.lost, fixed.otherwise), (0.0, 0.0, 1.0));
    }

    #[test]
    fn other_addresses_and_other_names_are_told() {
        let mut after = Spread::default();
        after.add(Goal::Region("a".into()), 0.5, || vec![b"elsewhere"[..].into()]);
        after.add(Goal::Region("z".into()), 0.5, || vec![b"b"[..].into()]);
        let movement = Movement::new(spread(&[("a", 0.6), ("b", 0.4)]), after);
        assert_eq!(movement.readdressed, 0.5);
        let same: Vec<bool> = movement.flows.iter().map(|(.., same)| *same).collect();
        assert_eq!(same, [false, true], "b is called z now");
    }
}
