//! What became of what was said of answers: counted by those who write it to a sink.

use std::array;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::labels::LogSink;

/// The counters of all sinks.
#[derive(Debug)]
pub struct QueryLog {
    pub(super) written: [AtomicU64; LogSink::ALL.len()],
    pub(super) lost: [AtomicU64; LogSink::ALL.len()],
}

impl QueryLog {
    pub(super) fn new() -> Self {
        let zeroes = || array::from_fn(|_| AtomicU64::new(0));
        Self { written: zeroes(), lost: zeroes() }
    }

    /// So many answers were written to a sink.
    pub fn written(&self, sink: LogSink, count: u64) {
        add(&self.written, sink, count);
    }

    /// So many were taken from the answering threads, but could not be written.
    pub fn lost(&self, sink: LogSink, count: u64) {
        add(&self.lost, sink, count);
    }
}

fn add(cells: &[AtomicU64; LogSink::ALL.len()], sink: LogSink, count: u64) {
    if let Some(cell) = cells.get(sink as usize) {
        cell.fetch_add(count, Relaxed);
    }
}
