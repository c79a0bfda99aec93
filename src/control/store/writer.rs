//! The thread that writes, and what it is left to write.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use redb::Database;

use super::file::{self, HEALTH, StoreError};
use super::row::{Restored, Row, key};
use crate::clock;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::model::{Check, Destination};

/// The least time between two writes of what is not urgent.
const PAUSE: Duration = Duration::from_secs(1);

/// The state on disk.
#[derive(Debug)]
pub struct Store {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
}

/// Where health is left to be written; the newest of each target counts.
#[derive(Debug, Default)]
struct Desk {
    pending: Mutex<Pending>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct Pending {
    rows: HashMap<String, Row>,
    urgent: bool,
    closed: bool,
}

impl Store {
    /// Opens the state of a directory, which no other process may use meanwhile.
    ///
    /// A file that is damaged, foreign or from a newer program is renamed and reported, and a new
    /// one begun.
    ///
    /// # Errors
    /// When another process uses the directory, or it cannot be written to.
    pub fn open(dir: &Path, metrics: Arc<Metrics>) -> Result<(Self, Restored), StoreError> {
        let (database, restored) = file::open(dir, clock::wall())?;
        let desk = Arc::new(Desk::default());
        let thread = std::thread::Builder::new().name("store".into()).spawn({
            let desk = Arc::clone(&desk);
            move || write_all(&desk, &database, &metrics)
        });
        let error = |error| StoreError::Directory { dir: dir.into(), error };
        Ok((Self { desk, thread: Some(thread.map_err(error)?) }, restored))
    }

    /// Keeps a target's health: `at_once` when it has changed its state, else with the next lot.
    /// Returns without waiting for the disk.
    pub fn keep(&self, check: &Check, destination: &Destination, health: &Health, at_once: bool) {
        let Some(row) = Row::of(health, clock::wall()) else { return };
        let mut pending = self.desk.lock();
        pending.rows.insert(key(check, destination), row);
        pending.urgent |= at_once;
        drop(pending);
        self.desk.wake.notify_one();
    }

    /// Writes what is left and closes the file.
    pub fn close(mut self) {
        self.finish();
    }

    fn finish(&mut self) {
        self.desk.lock().closed = true;
        self.desk.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported by the thread itself.
            let _ = thread.join();
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Desk {
    /// Nothing is left half-done by a panic while it is locked.
    fn lock(&self) -> std::sync::MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for something to write; `None` when there will be nothing more.
    fn take(&self) -> Option<HashMap<String, Row>> {
        let pending = self.lock();
        let idle = |pending: &mut Pending| pending.rows.is_empty() && !pending.closed;
        let pending = self.wake.wait_while(pending, idle).unwrap_or_else(PoisonError::into_inner);
        let calm = |pending: &mut Pending| !pending.urgent && !pending.closed;
        let (mut pending, _) = self
            .wake
            .wait_timeout_while(pending, PAUSE, calm)
            .unwrap_or_else(PoisonError::into_inner);
        pending.urgent = false;
        let rows = std::mem::take(&mut pending.rows);
        (!rows.is_empty() || !pending.closed).then_some(rows)
    }
}

fn write_all(desk: &Desk, database: &Database, metrics: &Metrics) {
    let mut failing = false;
    while let Some(rows) = desk.take() {
        // At a file that was damaged meanwhile the library may panic; nothing of ours is left
        // half-done by that, and what is written later may still succeed.
        let written = catch_unwind(AssertUnwindSafe(|| write(database, &rows)));
        let written = match written {
            Ok(written) => written.map_err(|error| error.to_string()),
            Err(_) => Err("the state file is damaged".into()),
        };
        match written {
            Ok(()) => failing = false,
            Err(error) => {
                metrics.state_write_failed();
                if !failing {
                    tracing::error!(
                        "health cannot be stored, and a restart would start without it: {error}"
                    );
                }
                failing = true;
            }
        }
    }
}

fn write(database: &Database, rows: &HashMap<String, Row>) -> Result<(), redb::Error> {
    let write = database.begin_write()?;
    {
        let mut table = write.open_table(HEALTH)?;
        for (key, row) in rows {
            let json = serde_json::to_vec(row).unwrap_or_default();
            table.insert(key.as_str(), json.as_slice())?;
        }
    }
    write.commit()?;
    Ok(())
}
