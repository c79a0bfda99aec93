//! Columns: the numbers under which answers are counted, and the cells that hold the counts.
//!
//! A region (or a record's region) gets its column when tables are built, so that an answering
//! thread counts by number. Cells come in chunks: a block grows without moving, and without the
//! answering thread having a part in it.
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

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;

/// The column of answers that have none of their own.
pub(super) const OTHER: u32 = 0;

/// How many columns there can be; later ones are counted as [`OTHER`].
pub(super) const COLUMNS_MAX: usize = CHUNKS * CHUNK;

const CHUNK: usize = 1024;
const CHUNKS: usize = 1024;

/// What one column counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Column {
    /// The region.
    pub(super) region: Box<str>,
    /// The record, when answers are counted by record too.
    pub(super) record: Option<Box<str>>,
}

/// Which column has which number. Numbers are never given again, so that a reader of an old
/// snapshot cannot count under a wrong name.
#[derive(Debug)]
pub(super) struct Columns {
    names: Vec<Column>,
    numbers: HashMap<Column, u32>,
    shown: HashSet<u32>,
}

impl Columns {
    /// Only [`OTHER`].
    pub(super) fn new() -> Self {
        let other = Column { region: super::labels::OTHER.into(), record: None };
        Self { names: vec![other], numbers: HashMap::new(), shown: HashSet::new() }
    }

    /// The number of a column, new or known; from now on it is shown.
    pub(super) fn number(&mut self, column: Column) -> u32 {
        let number = match self.numbers.get(&column) {
            Some(&number) => number,
            None if self.names.len() >= COLUMNS_MAX => return OTHER,
            None => {
                let number = u32::try_from(self.names.len()).unwrap_or(OTHER);
                self.names.push(column.clone());
                self.numbers.insert(column, number);
                number
            }
        };
        self.shown.insert(number);
        number
    }

    /// How many there are, [`OTHER`] included.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// Hides all others. A column that is asked for again is shown again and counts on.
    pub(super) fn show_only(&mut self, live: &HashSet<u32>) {
        self.shown.retain(|number| live.contains(number));
    }

    /// The columns to show.
    pub(super) fn shown(&self) -> impl Iterator<Item = (u32, &Column)> {
        let named = self.shown.iter().copied();
        std::iter::once(OTHER).chain(named).filter_map(|number| {
            let column = self.names.get(usize::try_from(number).ok()?)?;
            Some((number, column))
        })
    }
}

/// Aligned, so that no two blocks share a cache line at its ends.
#[repr(align(128))]
struct Chunk([AtomicU64; CHUNK]);

/// The counts of one block, one cell a column.
pub(super) struct Cells {
    chunks: [OnceLock<Box<Chunk>>; CHUNKS],
}

impl Cells {
    /// Cells for so many columns, and at least for [`OTHER`].
    pub(super) fn new(columns: usize) -> Self {
        let cells = Self { chunks: [const { OnceLock::new() }; CHUNKS] };
        cells.ensure(columns.max(1));
        cells
    }

    /// Makes room for so many columns.
    pub(super) fn ensure(&self, columns: usize) {
        for chunk in self.chunks.iter().take(columns.div_ceil(CHUNK)) {
            chunk.get_or_init(|| Box::new(Chunk([const { AtomicU64::new(0) }; CHUNK])));
        }
    }

    /// The cell of a column; that of [`OTHER`] for a number that was never given out.
    #[inline]
    pub(super) fn cell(&self, column: u32) -> Option<&AtomicU64> {
        self.find(column).or_else(|| self.find(OTHER))
    }

    #[inline]
    fn find(&self, column: u32) -> Option<&AtomicU64> {
        let column = column as usize;
        self.chunks.get(column / CHUNK)?.get()?.0.get(column % CHUNK)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::ptr;

    use super::*;

    fn column(region: &str) -> Column {
        Column { region: region.into(), record: None }
    }

    #[test]
    fn a_column_keeps_its_number() {
        let mut columns = Columns::new();
        let first = columns.number(column("a"));
        let second = columns.number(column("b"));
        assert_ne!(first, second);
        assert_ne!(first, OTHER);
        columns.show_only(&HashSet::from([second]));
        assert_eq!(columns.shown().map(|(number, _)| number).collect::<Vec<_>>(), [OTHER, second]);
        assert_eq!(columns.number(column("a")), first);
        assert_eq!(columns.shown().count(), 3);
    }

    #[test]
    fn past_the_limit_all_share_one_column() {
        let mut columns = Columns::new();
        columns.names.resize(COLUMNS_MAX - 1, column("filler"));
        assert_eq!(columns.number(column("last")) as usize, COLUMNS_MAX - 1);
        assert_eq!(columns.number(column("over")), OTHER);
        assert_eq!(columns.number(column("last")) as usize, COLUMNS_MAX - 1);
        assert!(columns.shown().all(|(_, column)| &*column.region != "over"));
    }

    #[test]
    fn cells_grow_without_moving_and_unknown_numbers_are_counted_as_other() {
        let cells = Cells::new(1);
        let other = cells.cell(OTHER).unwrap();
        let late = u32::try_from(CHUNK).unwrap();
        assert!(ptr::eq(cells.cell(late).unwrap(), other));
        cells.ensure(CHUNK + 1);
        assert!(ptr::eq(cells.cell(OTHER).unwrap(), other));
        assert!(!ptr::eq(cells.cell(late).unwrap(), other));
        assert!(ptr::eq(cells.cell(u32::MAX).unwrap(), other));
        cells.ensure(COLUMNS_MAX * 2);
    }
}
