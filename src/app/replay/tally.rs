//! Counting queries: first by what is the same for many of them, then by what is told.

use std::collections::{BTreeMap, HashMap};

use crate::atlas::Country;
use crate::model::Family;
use crate::routing::Snapshot;

use super::movement::{Goal, Movement};
use super::names::Target;
use super::outcome::{Outcome, spread};

/// Queries of one kind of movement.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// For a target and what both configurations make of it, the position of the movement.
    pairs: HashMap<(usize, [Outcome; 2]), usize>,
    /// The target and the movement.
    movements: Vec<(usize, Movement)>,
    /// How many queries moved so, by country.
    counts: HashMap<(usize, Option<Country>), u64>,
    /// What was counted before.
    pub(super) sums: Sums,
}

/// What is told, by what it is told of.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub(super) all: Sum,
    pub(super) countries: BTreeMap<Option<Country>, Sum>,
    pub(super) targets: BTreeMap<usize, Sum>,
    pub(super) families: BTreeMap<Family, Sum>,
}

/// Sums over queries; parts of queries but for their number.
#[derive(Debug, Default)]
pub(super) struct Sum {
    pub(super) queries: u64,
    pub(super) moved: f64,
    pub(super) lost: f64,
    pub(super) gained: f64,
    pub(super) otherwise: f64,
    pub(super) readdressed: f64,
    /// How many went so, and how many of them to the same addresses.
    pub(super) flows: BTreeMap<(Goal, Goal), (f64, f64)>,
    pub(super) before: BTreeMap<Goal, f64>,
    pub(super) after: BTreeMap<Goal, f64>,
    /// How many queries records answer in both, and the sums of their TTLs.
    pub(super) ttl: (u64, f64, f64),
}

/// When so many are counted apart, they are summed up.
const APART: usize = 500_000;

impl Tally {
    /// Counts a query of a target, and returns which part of it goes from a region to another.
    pub(super) fn count(
        &mut self,
        snapshots: [&Snapshot; 2],
        (number, target): (usize, &Target),
        outcomes: [Outcome; 2],
        country: Option<Country>,
    ) -> f64 {
        if self.counts.len() >= APART || self.movements.len() >= APART {
            self.sum_up();
        }
        let at = *self.pairs.entry((number, outcomes)).or_insert_with(|| {
            let [before, after] = [0, 1].map(|at: usize| {
                spread(snapshots[at], &target.ways[at], target.family, outcomes[at])
            });
            self.movements.push((number, Movement::new(before, after)));
            self.movements.len() - 1
        });
        *self.counts.entry((at, country)).or_default() += 1;
        self.movements[at].1.moved
    }

    /// Adds what was counted apart to the sums.
    pub(super) fn sum_up(&mut self) {
        let mut counts: Vec<_> = self.counts.drain().collect();
        // Sums of fractions depend on their order, which is not to change from run to run.
        counts.sort_unstable();
        for ((at, country), queries) in counts {
            let (target, movement) = &self.movements[at];
            self.sums.add(*target, country, movement, queries);
        }
        self.pairs.clear();
        self.movements.clear();
    }

    /// Splits by family what was counted by target.
    pub(super) fn finish(mut self, targets: &[Target]) -> Sums {
        self.sum_up();
        for (at, sum) in &self.sums.targets {
            let family = targets.get(*at).map_or(Family::V4, |target| target.family);
            self.sums.families.entry(family).or_default().join(sum);
        }
        self.sums
    }
}

impl Sums {
    fn add(&mut self, target: usize, country: Option<Country>, movement: &Movement, queries: u64) {
        self.all.add(movement, queries);
        self.countries.entry(country).or_default().add(movement, queries);
        self.targets.entry(target).or_default().add(movement, queries);
    }
}

impl Sum {
    fn add(&mut self, movement: &Movement, queries: u64) {
        let of = |part: f64| part * queries as f64;
        self.queries += queries;
        self.moved += of(movement.moved);
        self.lost += of(movement.lost);
        self.gained += of(movement.gained);
        self.otherwise += of(movement.otherwise);
        self.readdressed += of(movement.readdressed);
        for (from, to, part, same) in &movement.flows {
            let (sum, of_same) = self.flows.entry((from.clone(), to.clone())).or_default();
            *sum += of(*part);
            *of_same += if *same { of(*part) } else { 0.0 };
        }
        let both = [(&mut self.before, &movement.before), (&mut self.after, &movement.after)];
        for (sums, spread) in both {
            for (goal, share) in spread.shares() {
                *sums.entry(goal.clone()).or_default() += of(share);
            }
        }
        if let (Some(before), Some(after)) = (movement.before.ttl, movement.after.ttl) {
            self.ttl.0 += queries;
            self.ttl.1 += of(before.into());
            self.ttl.2 += of(after.into());
        }
    }

    /// Adds another.
    pub(super) fn join(&mut self, other: &Self) {
        self.queries += other.queries;
        self.moved += other.moved;
        self.lost += other.lost;
        self.gained += other.gained;
        self.otherwise += other.otherwise;
        self.readdressed += other.readdressed;
        for (key, (sum, same)) in &other.flows {
            let to = self.flows.entry(key.clone()).or_default();
            *to = (to.0 + sum, to.1 + same);
        }
        for (sums, others) in [(&mut self.before, &other.before), (&mut self.after, &other.after)] {
            for (goal, sum) in others {
                *sums.entry(goal.clone()).or_default() += sum;
            }
        }
        let (queries, before, after) = other.ttl;
        self.ttl = (self.ttl.0 + queries, self.ttl.1 + before, self.ttl.2 + after);
    }
}
