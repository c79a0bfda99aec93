//! The thread that writes, and how it is left something to write.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use redb::{Database, WriteTransaction};
use serde::Serialize;
use tokio::sync::oneshot;

use super::desk::{CommandRows, Desk, Lot, Taken};
use super::file::{
    self, ALIASES, CALMING, CLOCK, EVENTS, FILE, HEALTH, LAST_GOOD, OVERRIDES, PLANS, REPLIES,
    RTTS, Rows, SINGLE, StoreError,
};
use super::row::{AliasRow, CalmRow, GoodRow, OverridesRow, Restored, Row, RttRow, key};
use crate::clock;
use crate::control::events::Kept;
use crate::control::overrides::Overrides;
use crate::control::plans::Plans;
use crate::control::replies::Reply;
use crate::control::timeline::{Clocks, Stamp, Timeline};
use crate::control::views::EventView;
use crate::control::{Alias, LastGood};
use crate::health::{Health, KeptCalming};
use crate::metrics::Metrics;
use crate::model::{Check, Destination};
use crate::wire::Name;

/// The state on disk.
#[derive(Debug)]
pub struct Store {
    desk: Arc<Desk>,
    timeline: Timeline,
    thread: Option<JoinHandle<()>>,
}

/// What is stored of a command together with its overrides.
#[derive(Debug)]
pub(in crate::control) struct Commanded {
    /// Its event.
    pub(in crate::control) event: EventView,
    /// What is answered under its idempotency key.
    pub(in crate::control) reply: Option<(String, Reply)>,
    /// The key that is not kept any more.
    pub(in crate::control) dropped: Option<String>,
    /// What is remembered of the calming of pools from then on.
    pub(in crate::control) calming: Vec<(String, [Option<KeptCalming>; 2])>,
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
        let (database, restored) = file::open(dir, &Clocks::read())?;
        let timeline = restored.timeline;
        let desk = Arc::new(Desk::default());
        let thread = std::thread::Builder::new().name("store".into()).spawn({
            let (desk, path) = (Arc::clone(&desk), dir.join(FILE));
            let mut disk = Disk { path, database: Some(database) };
            let write = move |lot: &Lot| disk.write(lot, &timeline.stamp(&Clocks::read()));
            move || write_all(&desk, write, &metrics)
        });
        let error = |error| StoreError::Directory { dir: dir.into(), error };
        Ok((Self { desk, timeline, thread: Some(thread.map_err(error)?) }, restored))
    }

    /// Keeps a target's health: `at_once` when it has changed its state, else with the next lot.
    /// Returns without waiting for the disk.
    pub fn keep(&self, check: &Check, destination: &Destination, health: &Health, at_once: bool) {
        let (now, since) = (self.timeline.at(clock::now()), self.timeline.at(health.since));
        let Some(row) = Row::of(health, now, since) else { return };
        let key = key(check, destination);
        self.desk.leave(at_once, |lot| {
            lot.health.insert(key, row);
        });
    }

    /// Keeps the round-trip time to a region, with the next lot.
    pub fn keep_rtt(&self, region: &str, rtt: Duration) {
        let row = RttRow::of(rtt, self.timeline.at(clock::now()));
        self.desk.leave(false, |lot| {
            lot.rtts.insert(region.to_owned(), row);
        });
    }

    /// Keeps what is remembered of a pool's calming, by family, at once.
    pub fn keep_calming(&self, pool: &str, kept: [Option<KeptCalming>; 2]) {
        let row = CalmRow::of(kept, self.timeline.at(clock::now()));
        self.desk.leave(true, |lot| {
            lot.calming.insert(pool.to_owned(), row);
        });
    }

    /// Keeps the last good health of a record, with the next lot.
    pub fn keep_last_good(&self, record: &str, good: &LastGood) {
        let row = GoodRow::of(good, self.timeline.at(clock::now()));
        self.desk.leave(false, |lot| {
            lot.last_good.insert(record.to_owned(), row);
        });
    }

    /// Keeps the addresses behind an alias, with the next lot; nothing, if none were ever found.
    pub fn keep_alias(&self, name: &Name, alias: &Alias) {
        let Some(row) = AliasRow::of(alias, self.timeline.at(clock::now())) else { return };
        self.desk.leave(false, |lot| {
            lot.aliases.insert(name.to_string(), row);
        });
    }

    /// Keeps the overrides as they are now, at once; nobody waits for it.
    pub(in crate::control) fn keep_overrides(&self, overrides: &Overrides) {
        let row = OverridesRow::of(overrides);
        self.desk.leave(true, |lot| lot.overrides = Some(row));
    }

    /// Keeps the plans as they are now, at once; nobody waits for it.
    pub(in crate::control) fn keep_plans(&self, plans: &Plans) {
        let plans = plans.clone();
        self.desk.leave(true, |lot| lot.plans = Some(plans));
    }

    /// Keeps an event, with the next lot.
    pub(in crate::control) fn keep_event(&self, kept: Kept) {
        self.desk.leave(false, |lot| {
            lot.events.insert(kept.event.id, Some(kept.event));
            lot.events.extend(kept.dropped.map(|id| (id, None)));
        });
    }

    /// Keeps what a command comes to, all or nothing; what is returned hears when it is on the disk,
    /// or why it is not.
    pub(in crate::control) fn command(
        &self,
        overrides: &Overrides,
        plans: &Plans,
        commanded: Commanded,
    ) -> oneshot::Receiver<Result<(), String>> {
        let row = OverridesRow::of(overrides);
        let Commanded { event, reply, dropped, calming } = commanded;
        let now = self.timeline.at(clock::now());
        let (waiting, stored) = oneshot::channel();
        self.desk.leave_awaited(waiting, |lot| {
            lot.overrides = Some(row);
            lot.plans = Some(plans.clone());
            let rows = calming.into_iter().map(|(pool, kept)| (pool, CalmRow::of(kept, now)));
            lot.calming.extend(rows);
            lot.command = Some(CommandRows { event, reply, dropped });
        });
        stored
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
    while let Some(Taken { lot, waiting }) = desk.take() {
        let written = write(&lot);
        for who in waiting {
            // Who waited may have gone.
            let _ = who.send(written.as_ref().map(|&()| ()).map_err(ToString::to_string));
        }
        match written {
            Ok(()) if failing => {
                tracing::info!("the state is stored again");
                failing = false;
            }
            Ok(()) => {}
            Err(error) => {
                metrics.state_write_failed();
                if !failing {
                    tracing::error!(
                        "the state cannot be stored: commands are refused, and a restart would \
                         start without what is new: {error}"
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
    fn write(&mut self, lot: &Lot, stamp: &Stamp) -> Result<(), WriteError> {
        let written = file::guarded(|| {
            let database = match self.database.take() {
                Some(database) => database,
                None => file::reopen(&self.path).map_err(redb::Error::from)?,
            };
            write(&database, lot, stamp)?;
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

fn write(database: &Database, lot: &Lot, stamp: &Stamp) -> Result<(), redb::Error> {
    let write = database.begin_write()?;
    write_rows(&write, HEALTH, &lot.health)?;
    write_rows(&write, LAST_GOOD, &lot.last_good)?;
    write_rows(&write, RTTS, &lot.rtts)?;
    write_rows(&write, CALMING, &lot.calming)?;
    write_rows(&write, ALIASES, &lot.aliases)?;
    {
        let mut single = write.open_table(SINGLE)?;
        single.insert(CLOCK, json(stamp).as_slice())?;
        if let Some(overrides) = &lot.overrides {
            single.insert(OVERRIDES, json(overrides).as_slice())?;
        }
        if let Some(plans) = &lot.plans {
            single.insert(PLANS, json(plans).as_slice())?;
        }
        let mut events = write.open_table(EVENTS)?;
        let of_command = lot.command.as_ref().map(|command| (command.event.id, &command.event));
        let kept = lot.events.iter().filter_map(|(id, event)| Some((*id, event.as_ref()?)));
        for (id, event) in kept.chain(of_command) {
            events.insert(id, json(event).as_slice())?;
        }
        for (id, _) in lot.events.iter().filter(|(_, event)| event.is_none()) {
            events.remove(id)?;
        }
    }
    if let Some(CommandRows { reply, dropped, .. }) = &lot.command {
        let mut replies = write.open_table(REPLIES)?;
        if let Some((key, reply)) = reply {
            replies.insert(key.as_str(), json(reply).as_slice())?;
        }
        if let Some(key) = dropped {
            replies.remove(key.as_str())?;
        }
    }
    write.commit()?;
    Ok(())
}

/// A row. What is stored can always be written as JSON.
fn json(row: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(row).unwrap_or_default()
}

fn write_rows<R: Serialize>(
    write: &WriteTransaction,
    table: Rows,
    rows: &HashMap<String, R>,
) -> Result<(), redb::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut table = write.open_table(table)?;
    for (key, row) in rows {
        table.insert(key.as_str(), json(row).as_slice())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::timeline::millis;
    use crate::health::State;
    use crate::model::Moment;

    fn row(failures: u32) -> Row {
        let health = Health { state: State::Down, failures, ..Health::unknown(clock::now()) };
        let now = Moment(millis(clock::wall()));
        Row::of(&health, now, now).unwrap()
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
    fn a_command_that_cannot_be_written_is_told_and_forgotten() {
        let (desk, mut lots) = (Desk::default(), Vec::new());
        let event = |id| EventView { id, ..crate::control::events::nothing() };
        let (waiting, mut stored) = oneshot::channel();
        desk.leave(false, |lot| {
            lot.health.insert("web".into(), row(1));
        });
        desk.leave_awaited(waiting, |lot| {
            lot.overrides = Some(OverridesRow::default());
            lot.command = Some(CommandRows { event: event(1), reply: None, dropped: None });
        });
        let write = |lot: &Lot| {
            lots.push(lot.clone());
            match lots.len() {
                1 => Err(WriteError::Content("the disk is full")),
                _ => {
                    desk.close();
                    Ok(())
                }
            }
        };
        write_all(&desk, write, &Metrics::new());
        assert_eq!(stored.try_recv(), Ok(Err("the disk is full".into())));
        assert!(lots[0].command.is_some() && lots[0].overrides.is_some());
        assert!(lots[1].command.is_none() && lots[1].overrides.is_none());
        assert!(lots[1].health.contains_key("web"), "all else is tried again");
    }

    #[test]
    fn after_an_error_the_file_is_opened_anew() {
        let dir = tempfile::tempdir().unwrap();
        let (path, elsewhere) = (dir.path().join(FILE), dir.path().join("elsewhere"));
        let (database, first) = file::open(dir.path(), &Clocks::read()).unwrap();
        let stamp = first.timeline.stamp(&Clocks::read());
        drop(database);
        let mut disk = Disk { path: path.clone(), database: None };
        let lot = Lot { health: HashMap::from([("web".to_owned(), row(3))]), ..Lot::default() };
        std::fs::rename(&path, &elsewhere).unwrap();
        assert!(disk.write(&lot, &stamp).is_err());
        std::fs::rename(&elsewhere, &path).unwrap();
        assert!(disk.write(&lot, &stamp).is_ok());
        drop(disk);
        let (_, restored) = file::open(dir.path(), &Clocks::read()).unwrap();
        assert_eq!(restored.rows, lot.health);
    }
}
