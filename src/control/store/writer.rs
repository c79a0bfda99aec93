//! The thread that writes, and what it is left to write.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use redb::{Database, WriteTransaction};

use super::file::{self, FILE, HEALTH, LAST_GOOD, RTTS, Rows, StoreError};
use super::row::{GoodRow, Restored, Row, RttRow, Stored, key};
use crate::clock;
use crate::control::LastGood;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::model::{Check, Destination};

/// The least time between two writes of what is not urgent.
const PAUSE: Duration = Duration::from_secs(1);
/// The least time between two writes of anything.
const LEAST_PAUSE: Duration = Duration::from_millis(100);

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
    lot: Lot,
    urgent: bool,
    closed: bool,
}

/// Rows to be written, by table and name.
#[derive(Debug, Clone, PartialEq, Default)]
struct Lot {
    health: HashMap<String, Row>,
    last_good: HashMap<String, GoodRow>,
    rtts: HashMap<String, RttRow>,
}

impl Lot {
    fn is_empty(&self) -> bool {
        self.health.is_empty() && self.last_good.is_empty() && self.rtts.is_empty()
    }

    /// Takes in an older lot: what is here is newer.
    fn put_back(&mut self, older: Self) {
        fn join<R>(newer: &mut HashMap<String, R>, older: HashMap<String, R>) {
            for (key, row) in older {
                newer.entry(key).or_insert(row);
            }
        }
        join(&mut self.health, older.health);
        join(&mut self.last_good, older.last_good);
        join(&mut self.rtts, older.rtts);
    }
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
            let (desk, path) = (Arc::clone(&desk), dir.join(FILE));
            let mut disk = Disk { path, database: Some(database) };
            move || write_all(&desk, |lot| disk.write(lot), &metrics)
        });
        let error = |error| StoreError::Directory { dir: dir.into(), error };
        Ok((Self { desk, thread: Some(thread.map_err(error)?) }, restored))
    }

    /// Keeps a target's health: `at_once` when it has changed its state, else with the next lot.
    /// Returns without waiting for the disk.
    pub fn keep(&self, check: &Check, destination: &Destination, health: &Health, at_once: bool) {
        let Some(row) = Row::of(health, clock::wall()) else { return };
        let key = key(check, destination);
        self.desk.leave(at_once, |lot| {
            lot.health.insert(key, row);
        });
    }

    /// Keeps the round-trip time to a region, with the next lot.
    pub fn keep_rtt(&self, region: &str, rtt: Duration) {
        let row = RttRow::of(rtt, clock::wall());
        self.desk.leave(false, |lot| {
            lot.rtts.insert(region.to_owned(), row);
        });
    }

    /// Keeps the last good health of a record, with the next lot.
    pub fn keep_last_good(&self, record: &str, good: &LastGood) {
        let row = GoodRow::of(good, clock::wall());
        self.desk.leave(false, |lot| {
            lot.last_good.insert(record.to_owned(), row);
        });
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

    /// Leaves something to be written. The thread is woken only where that changes what it waits for:
    /// for the first thing, and for the first that is urgent.
    fn leave(&self, urgent: bool, put: impl FnOnce(&mut Lot)) {
        let mut pending = self.lock();
        let wake = pending.lot.is_empty() || (urgent && !pending.urgent);
        put(&mut pending.lot);
        pending.urgent |= urgent;
        drop(pending);
        if wake {
            self.wake.notify_one();
        }
    }

    /// Lets a while pass between two writes, unless it is closed: when thousands of targets change one
    /// after the other, each change by itself would be waited for until it is on the disk.
    fn rest(&self) {
        let open = |pending: &mut Pending| !pending.closed;
        let _ = self
            .wake
            .wait_timeout_while(self.lock(), LEAST_PAUSE, open)
            .unwrap_or_else(PoisonError::into_inner);
    }

    /// Takes back what could not be written; what came meanwhile is newer. Of what is closed
    /// nothing is taken back, for there is no next time.
    fn put_back(&self, lot: Lot) {
        let mut pending = self.lock();
        if !pending.closed {
            pending.lot.put_back(lot);
        }
    }

    /// Waits for something to write; `None` when there will be nothing more.
    fn take(&self) -> Option<Lot> {
        let pending = self.lock();
        let idle = |pending: &mut Pending| pending.lot.is_empty() && !pending.closed;
        let pending = self.wake.wait_while(pending, idle).unwrap_or_else(PoisonError::into_inner);
        let calm = |pending: &mut Pending| !pending.urgent && !pending.closed;
        let (mut pending, _) = self
            .wake
            .wait_timeout_while(pending, PAUSE, calm)
            .unwrap_or_else(PoisonError::into_inner);
        pending.urgent = false;
        let lot = std::mem::take(&mut pending.lot);
        (!lot.is_empty() || !pending.closed).then_some(lot)
    }
}

/// Writes lot after lot until the desk is closed. What could not be written is tried again with
/// the next lot, a pause later, unless something newer came.
fn write_all(
    desk: &Desk,
    mut write: impl FnMut(&Lot) -> Result<(), WriteError>,
    metrics: &Metrics,
) {
    let mut failing = false;
    while let Some(lot) = desk.take() {
        match write(&lot) {
            Ok(()) if failing => {
                tracing::info!("health is stored again");
                failing = false;
            }
            Ok(()) => {}
            Err(error) => {
                metrics.state_write_failed();
                if !failing {
                    tracing::error!(
                        "health cannot be stored, and a restart would start without it: {error}"
                    );
                }
                failing = true;
                desk.put_back(lot);
            }
        }
        desk.rest();
    }
}

/// The file, as the thread has it.
#[derive(Debug)]
struct Disk {
    path: PathBuf,
    /// `None` after an error: redb refuses all further writes until it is opened anew.
    database: Option<Database>,
}

impl Disk {
    fn write(&mut self, lot: &Lot) -> Result<(), WriteError> {
        let written = file::guarded(|| {
            let database = match self.database.take() {
                Some(database) => database,
                None => file::reopen(&self.path).map_err(redb::Error::from)?,
            };
            write(&database, lot)?;
            self.database = Some(database);
            Ok(())
        });
        written.unwrap_or(Err(WriteError::Content("the content of the file contradicts itself")))
    }
}

/// Why a lot was not written.
#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error("{0}")]
    Disk(#[from] redb::Error),
    #[error("{0}")]
    Content(&'static str),
}

fn write(database: &Database, lot: &Lot) -> Result<(), redb::Error> {
    let write = database.begin_write()?;
    write_rows(&write, HEALTH, &lot.health)?;
    write_rows(&write, LAST_GOOD, &lot.last_good)?;
    write_rows(&write, RTTS, &lot.rtts)?;
    write.commit()?;
    Ok(())
}

fn write_rows<R: Stored>(
    write: &WriteTransaction,
    table: Rows,
    rows: &HashMap<String, R>,
) -> Result<(), redb::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut table = write.open_table(table)?;
    for (key, row) in rows {
        let json = serde_json::to_vec(row).unwrap_or_default();
        table.insert(key.as_str(), json.as_slice())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::State;

    fn row(failures: u32) -> Row {
        let health = Health { state: State::Down, failures, ..Health::unknown(clock::now()) };
        Row::of(&health, clock::wall()).unwrap()
    }

    #[test]
    fn what_fails_is_tried_again_unless_something_newer_came() {
        let (desk, mut lots) = (Desk::default(), Vec::new());
        let put = |key: &str, failures| {
            let mut pending = desk.lock();
            pending.lot.health.insert(key.into(), row(failures));
            pending.urgent = true;
        };
        put("web", 1);
        put("api", 1);
        let write = |lot: &Lot| {
            lots.push(lot.clone());
            match lots.len() {
                1 => {
                    put("web", 2);
                    Err(WriteError::Content("the disk is full"))
                }
                _ => {
                    desk.lock().closed = true;
                    Ok(())
                }
            }
        };
        write_all(&desk, write, &Metrics::new());
        let failures = |key: &str| lots[1].health.get(key).map(|row| row.failures);
        assert_eq!((lots.len(), failures("web"), failures("api")), (2, Some(2), Some(1)));
    }

    #[test]
    fn after_an_error_the_file_is_opened_anew() {
        let dir = tempfile::tempdir().unwrap();
        let (path, elsewhere) = (dir.path().join(FILE), dir.path().join("elsewhere"));
        let (database, _) = file::open(dir.path(), clock::wall()).unwrap();
        drop(database);
        let mut disk = Disk { path: path.clone(), database: None };
        let lot = Lot { health: HashMap::from([("web".to_owned(), row(3))]), ..Lot::default() };
        std::fs::rename(&path, &elsewhere).unwrap();
        assert!(disk.write(&lot).is_err());
        std::fs::rename(&elsewhere, &path).unwrap();
        assert!(disk.write(&lot).is_ok());
        drop(disk);
        let (_, restored) = file::open(dir.path(), clock::wall()).unwrap();
        assert_eq!(restored.rows, lot.health);
    }
}
