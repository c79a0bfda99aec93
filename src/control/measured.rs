//! Who asks: the queries of the last day by record, family and class of clients, hour by hour.
//!
//! The answering threads count in the tally of the assembly; it is looked at once a minute. After a reload
//! what is known of records and classes that are still there is carried over. It is not stored: after a
//! restart it is measured anew.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::metrics::Tally;
use crate::model::{Family, RecordId, TreeId};
use crate::routing::{Assembly, CountedBy};
use crate::simulate::Mix;

const HOUR: Duration = Duration::from_secs(3600);
/// So many hours are kept, the one that is going on included.
const HOURS: u64 = 24;
/// How often the tally is looked at.
const EVERY: Duration = Duration::from_secs(60);

/// The queries of the last day.
#[derive(Debug)]
pub(super) struct Measured {
    tally: Arc<Tally>,
    /// Of the tally, when it was looked at last.
    seen: Vec<u32>,
    looked: Instant,
    since: Instant,
    /// The oldest first; an hour without queries is not there.
    hours: VecDeque<Hour>,
}

/// The queries of one hour.
#[derive(Debug)]
struct Hour {
    /// Since the start.
    number: u64,
    /// By cell; only what was counted.
    counts: HashMap<u32, u64>,
}

impl Measured {
    /// Nothing yet, of an assembly's tally.
    pub(super) fn new(assembly: &Assembly, now: Instant) -> Self {
        let (tally, seen) = (Arc::clone(&assembly.tally), vec![0; assembly.tally.cells()]);
        Self { tally, seen, looked: now, since: now, hours: VecDeque::new() }
    }

    fn hour(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.since).as_secs() / HOUR.as_secs()
    }

    /// Looks at the tally, if it is time for that.
    pub(super) fn tick(&mut self, now: Instant) {
        if now.saturating_duration_since(self.looked) >= EVERY {
            self.look(now);
        }
    }

    /// Puts what came since the last look into the hour of that look: it is at most a minute off.
    fn look(&mut self, now: Instant) {
        let number = self.hour(self.looked);
        let came = self.came();
        for (cell, count) in &came {
            if let Some(seen) = self.seen.get_mut(*cell as usize) {
                *seen = seen.wrapping_add(*count as u32);
            }
        }
        if !came.is_empty() {
            if self.hours.back().is_none_or(|hour| hour.number != number) {
                self.hours.push_back(Hour { number, counts: HashMap::new() });
            }
            if let Some(hour) = self.hours.back_mut() {
                for (cell, count) in came {
                    *hour.counts.entry(cell).or_default() += count;
                }
            }
        }
        self.looked = now;
        let oldest = (self.hour(now) + 1).saturating_sub(HOURS);
        self.hours.retain(|hour| hour.number >= oldest);
    }

    /// What has come to each cell since the last look, where anything has.
    fn came(&self) -> Vec<(u32, u64)> {
        let sums = (0..).zip(self.tally.sums()).zip(&self.seen);
        let came = sums.map(|((cell, sum), seen)| (cell, u64::from(sum.wrapping_sub(*seen))));
        came.filter(|(_, count)| *count > 0).collect()
    }

    /// The queries of each cell, of the last 24 hours at most, and over which time.
    pub(super) fn cells(&self, now: Instant) -> (Vec<u64>, Duration) {
        let mut cells = vec![0; self.seen.len()];
        let of_hours = self.hours.iter().flat_map(|hour| hour.counts.iter().map(|(c, n)| (*c, *n)));
        for (cell, count) in of_hours.chain(self.came()) {
            if let Some(sum) = cells.get_mut(cell as usize) {
                *sum += count;
            }
        }
        let first = (self.hour(now) + 1).saturating_sub(HOURS);
        let begins = HOUR.saturating_mul(u32::try_from(first).unwrap_or(u32::MAX));
        let over = now.saturating_duration_since(self.since).saturating_sub(begins);
        (cells, over)
    }

    /// The mix of clients, for the records of the assembly that is in force.
    pub(super) fn mix(&self, assembly: &Assembly, now: Instant) -> Mix {
        let (cells, over) = self.cells(now);
        Mix::measured(assembly, &cells, over)
    }

    /// Goes on with another assembly's tally.
    pub(super) fn carry(&mut self, before: &Assembly, after: &Assembly, now: Instant) {
        if Arc::ptr_eq(&self.tally, &after.tally) {
            return;
        }
        self.look(now);
        self.tally = Arc::clone(&after.tally);
        self.seen = vec![0; after.tally.cells()];
        if self.hours.is_empty() {
            return;
        }
        let moved = moved(before, after);
        for hour in &mut self.hours {
            let mut counts: HashMap<u32, u64> = HashMap::new();
            for (cell, count) in hour.counts.drain() {
                if let Some(to) = moved.get(&cell) {
                    *counts.entry(*to).or_default() += count;
                }
            }
            hour.counts = counts;
        }
    }
}

/// Where the cells of an assembly are in another: by the record's name, the family, and what the policies
/// say of the class. Records that are counted together go by the first of them.
fn moved(before: &Assembly, after: &Assembly) -> HashMap<u32, u32> {
    let mut moved = HashMap::new();
    // What was counted of several records together cannot be told apart.
    if before.counted_by != CountedBy::Record && before.counted_by != after.counted_by {
        return moved;
    }
    let names = after.records.iter().zip(0..).map(|(record, id)| (&record.name, RecordId(id)));
    let names: HashMap<_, RecordId> = names.collect();
    let mut trees: HashMap<(TreeId, TreeId), Vec<Option<u32>>> = HashMap::new();
    let mut done = HashSet::new();
    for (record, was) in before.records.iter().zip(before.served.iter()) {
        let is = names.get(&record.name).and_then(|id| after.served.get(id.index()));
        let Some(is) = is.filter(|_| done.insert(was.cells_from)) else { continue };
        let classes = trees.entry((was.tree, is.tree)).or_insert_with(|| {
            let is = after.class_numbers(is.tree).into_iter().zip(0..).collect::<HashMap<_, u32>>();
            before.class_numbers(was.tree).iter().map(|number| is.get(number).copied()).collect()
        });
        for (class, to) in (0..).zip(classes.iter()).filter_map(|(class, to)| Some((class, (*to)?)))
        {
            for family in Family::BOTH {
                moved.insert(was.cell(class, family), is.cell(to, family));
            }
        }
    }
    moved
}
