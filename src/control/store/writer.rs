//! The thread that writes, and how it is left something to write.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use redb::{Database, WriteTransaction};

use super::desk::{Desk, Lot};
use super::file::{self, FILE, HEALTH, LAST_GOOD, RTTS, Rows, StoreError};
use super::row::{GoodRow, Restored, Row, RttRow, Stored, key};
use crate::clock;
use crate::control::LastGood;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::model::{Check, Destination};

/// The state on disk.
#[derive(Debug)]
pub struct Store {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
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
        self.desk.close();
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
            desk.leave(true, |lot| {
                lot.health.insert(key.into(), row(failures));
            });
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
                    desk.close();
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
