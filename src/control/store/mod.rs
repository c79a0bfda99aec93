//! What survives a restart, in one redb file a state directory: the judged health of each target, and
//! what routing must remember.
//!
//! The writer of snapshots never waits for the disk. It leaves the newest health of each target
//! here; a thread of the store's own writes what has changed, transitions at once and everything
//! else at most once a second, each time as one transaction and 100 ms after the last one at the
//! earliest.

mod desk;
mod file;
mod row;
mod writer;

pub use file::{FILE, StoreError};
pub use row::{Recalled, Restored};
pub use writer::Store;

pub(super) use writer::Commanded;

#[cfg(test)]
mod tests;
