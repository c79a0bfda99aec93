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
    /// By cell, ascending; only what was counted.
    counts: Vec<(u32, u32)>,
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
                *seen = seen.wrapping_add(*count);
            }
        }
        if !came.is_empty() {
            match self.hours.back_mut().filter(|hour| hour.number == number) {
                Some(hour) => hour.counts = merged(&hour.counts, &came),
                None => self.hours.push_back(Hour { number, counts: came }),
            }
        }
        self.looked = now;
        let oldest = (self.hour(now) + 1).saturating_sub(HOURS);
        self.hours.retain(|hour| hour.number >= oldest);
    }

    /// What has come to each cell since the last look, where anything has, ascending.
    fn came(&self) -> Vec<(u32, u32)> {
        let sums = (0..).zip(self.tally.sums()).zip(&self.seen);
        let came = sums.map(|((cell, sum), seen)| (cell, sum.wrapping_sub(*seen)));
        came.filter(|(_, count)| *count > 0).collect()
    }

    /// The queries of each cell, of the last 24 hours at most, and over which time.
    pub(super) fn cells(&self, now: Instant) -> (Vec<u64>, Duration) {
        let mut cells = vec![0; self.seen.len()];
        let of_hours = self.hours.iter().flat_map(|hour| hour.counts.iter().copied());
        for (cell, count) in of_hours.chain(self.came()) {
            if let Some(sum) = cells.get_mut(cell as usize) {
                *sum += u64::from(count);
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
            let counts = hour.counts.iter().filter_map(|(cell, n)| Some((*moved.get(cell)?, *n)));
            let mut counts: Vec<(u32, u32)> = counts.collect();
            counts.sort_unstable();
            // Of several that are one now.
            hour.counts = merged(&counts, &[]);
        }
    }
}

/// Two lists in one, a cell that is in both once.
fn merged(one: &[(u32, u32)], other: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut all: Vec<(u32, u32)> = Vec::with_capacity(one.len().max(other.len()));
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    loop {
        let from_one = match (one.peek(), other.peek()) {
            (Some((first, _)), Some((second, _))) => first <= second,
            (first, _) => first.is_some(),
        };
        let Some((cell, count)) = (if from_one { one.next() } else { other.next() }) else {
            return all;
        };
        match all.last_mut().filter(|(last, _)| last == cell) {
            Some((_, sum)) => *sum = sum.saturating_add(*count),
            None => all.push((*cell, *count)),
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

#[cfg(test)]
mod tests {
    use super::super::tests::assembly_of;
    use super::*;
    use crate::clock;
    use crate::metrics::{Block, Metrics, Proto};
    use crate::model::{Check, OnAllDown, Probe, Role, Timing};

    fn assembly(regions: &[(u8, u8)]) -> Arc<Assembly> {
        let secs = Duration::from_secs;
        let timing = Timing { interval: secs(10), fast: None, timeout: secs(2), fall: 3, rise: 2 };
        let check = Check {
            name: "web".into(),
            port: 80,
            probe: Probe::Tcp,
            target: None,
            timing,
            role: Role::Route,
            degraded_factor: 1.0,
            warn_before: Duration::ZERO,
        };
        assembly_of(regions, &Arc::new(check), OnAllDown::Open, None)
    }

    /// So many queries for the only record.
    fn ask(block: &Block, assembly: &Assembly, family: Family, times: usize) {
        let cell = assembly.served[0].cell(0, family);
        (0..times).for_each(|_| block.client(&assembly.tally, cell));
    }

    fn counting(assembly: &Assembly) -> (Arc<Metrics>, Arc<Block>) {
        let metrics = Metrics::new();
        metrics.count_in(&assembly.tally);
        let block = metrics.block(Proto::Udp, Family::V4, false);
        (metrics, block)
    }

    #[test]
    fn an_hour_is_forgotten_after_a_day() {
        let assembly = assembly(&[(1, 1)]);
        let (_metrics, block) = counting(&assembly);
        let start = clock::now();
        let at = |minutes: u64| start + Duration::from_secs(minutes * 60);
        let mut measured = Measured::new(&assembly, start);
        ask(&block, &assembly, Family::V4, 3);
        // What was not looked at yet counts.
        assert_eq!(measured.cells(at(0)), (vec![3, 0], Duration::ZERO));
        measured.tick(at(1));
        ask(&block, &assembly, Family::V6, 2);
        measured.tick(at(90));
        assert_eq!(measured.cells(at(90)), (vec![3, 2], Duration::from_secs(5400)));
        ask(&block, &assembly, Family::V6, 4);
        measured.tick(at(91));
        // 24 hours and some minutes later the first hour is gone.
        let hour = Duration::from_secs(3600);
        assert_eq!(measured.cells(at(23 * 60 + 59)).0, [3, 6]);
        measured.tick(at(24 * 60 + 1));
        assert_eq!(
            measured.cells(at(24 * 60 + 1)),
            (vec![0, 4], hour * 23 + Duration::from_secs(60))
        );
        measured.tick(at(25 * 60));
        assert_eq!(measured.cells(at(25 * 60)), (vec![0, 0], hour * 23));
    }

    #[test]
    fn two_lists_become_one() {
        let one = [(1, 1), (3, u32::MAX), (3, 1), (9, 1)];
        assert_eq!(
            merged(&one, &[(0, 5), (3, 4), (9, 2)]),
            [(0, 5), (1, 1), (3, u32::MAX), (9, 3)]
        );
        assert_eq!(merged(&[], &[]), []);
    }

    #[test]
    fn another_assembly_goes_on_with_what_is_known_of_its_records() {
        let (first, second) = (assembly(&[(1, 1)]), assembly(&[(1, 1), (2, 1)]));
        let (metrics, block) = counting(&first);
        let start = clock::now();
        let mut measured = Measured::new(&first, start);
        ask(&block, &first, Family::V4, 5);
        metrics.count_in(&second.tally);
        measured.carry(&first, &second, start);
        ask(&block, &second, Family::V4, 1);
        ask(&block, &first, Family::V4, 100);
        assert_eq!(measured.cells(start).0, [6, 0], "the old tables count no more");
        assert!(Arc::ptr_eq(&measured.tally, &second.tally));
        // The same again changes nothing.
        measured.carry(&second, &second, start);
        assert_eq!(measured.cells(start).0, [6, 0]);
    }
}
