//! Hot: how many queries came from whom: a cell for each (record, family, class of clients) of one
//! assembly, in a shard for each answering thread.
//!
//! As in [`Block`](super::Block), one thread writes a shard and whoever sums reads it, so that counting
//! shares no cache line. Shards are made when tables are published or a thread comes, never while a
//! query is answered. Counts wrap around: who sums looks often enough to know how much came.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::todo,
    clippy::unimplemented,
    reason = "nothing that a packet says may reach a panic"
)]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// For so many blocks there is room; what later ones answer is not counted here.
const SHARDS: usize = 512;
/// Cells of one line: no two shards share one.
const LINE: usize = 32;

#[repr(align(128))]
struct Line([AtomicU32; LINE]);

/// The counts of one assembly.
pub struct Tally {
    cells: usize,
    shards: [OnceLock<Box<[Line]>>; SHARDS],
}

impl Tally {
    /// With so many cells, and no shard yet: nothing is counted before
    /// [`Metrics::count_in`](super::Metrics::count_in).
    #[must_use]
    pub fn new(cells: usize) -> Self {
        Self { cells, shards: [const { OnceLock::new() }; SHARDS] }
    }

    /// How many cells there are.
    #[must_use]
    pub const fn cells(&self) -> usize {
        self.cells
    }

    /// Makes the shards of the blocks before this number.
    pub(super) fn ensure(&self, blocks: usize) {
        for shard in self.shards.iter().take(blocks) {
            shard.get_or_init(|| {
                let line = || Line([const { AtomicU32::new(0) }; LINE]);
                (0..self.cells.div_ceil(LINE)).map(|_| line()).collect()
            });
        }
    }

    /// The cell of a shard; `None` where nothing is counted.
    #[inline]
    pub(super) fn cell(&self, shard: u32, cell: u32) -> Option<&AtomicU32> {
        let cell = cell as usize;
        self.shards.get(shard as usize)?.get()?.get(cell / LINE)?.0.get(cell % LINE)
    }

    /// The sums over all shards, cell by cell, each modulo 2³².
    #[must_use]
    pub fn sums(&self) -> Vec<u32> {
        let mut sums = vec![0_u32; self.cells];
        for shard in self.shards.iter().filter_map(OnceLock::get) {
            let counts = shard.iter().flat_map(|line| &line.0);
            for (sum, count) in sums.iter_mut().zip(counts) {
                *sum = sum.wrapping_add(count.load(Relaxed));
            }
        }
        sums
    }
}

impl std::fmt::Debug for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tally").field("cells", &self.cells).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::{Metrics, Proto};
    use super::*;
    use crate::model::Family;
    use std::sync::Arc;

    #[test]
    fn blocks_before_and_after_count_and_numbers_behind_the_end_do_not() {
        let metrics = Metrics::new();
        let early = metrics.block(Proto::Udp, Family::V4, false);
        let tally = Arc::new(Tally::new(40));
        early.client(&tally, 3);
        assert_eq!(tally.sums().iter().sum::<u32>(), 0, "nobody said that it counts");
        metrics.count_in(&tally);
        let late = metrics.block(Proto::Tcp, Family::V4, true);
        for (block, cell) in
            [(&early, 3), (&late, 3), (&late, 39), (&early, 1000), (&early, u32::MAX)]
        {
            block.client(&tally, cell);
        }
        let sums = tally.sums();
        assert_eq!((sums.len(), sums[3], sums[39]), (40, 2, 1));
        assert_eq!(sums.iter().sum::<u32>(), 3);
    }

    #[test]
    fn a_shard_has_cache_lines_to_itself() {
        assert_eq!((size_of::<Line>(), align_of::<Line>()), (128, 128));
    }
}
