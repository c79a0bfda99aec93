//! The file: opened by one process at a time, versioned, and set aside when it cannot be used.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::de::DeserializeOwned;

use redb::{
    Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError, TableDefinition,
    TableHandle, WriteTransaction,
};

use super::row::{AliasRow, CalmRow, GoodRow, KEPT, OverridesRow, Restored, Row, RttRow, Stored};
use crate::control::timeline::{Clocks, Timeline, millis};
use crate::model::Moment;

/// The file's name within the state directory.
pub const FILE: &str = "trimtab.redb";
/// The version of what is in the file; a higher one is from a newer program. Version 1 had no overrides,
/// events and replies.
pub(super) const VERSION: u64 = 2;
pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// Some thousand targets fit in a fraction of it; redb's own default is a gigabyte.
const CACHE_BYTES: usize = 4 << 20;
/// A table of rows as JSON, by name.
pub(super) type Rows = TableDefinition<'static, &'static str, &'static [u8]>;
pub(super) const HEALTH: Rows = TableDefinition::new("health");
pub(super) const RTTS: Rows = TableDefinition::new("round_trips");
pub(super) const CALMING: Rows = TableDefinition::new("calming");
pub(super) const LAST_GOOD: Rows = TableDefinition::new("last_good");
/// The addresses behind aliases, by name.
pub(super) const ALIASES: Rows = TableDefinition::new("aliases");
/// What operators were answered, by idempotency key.
pub(super) const REPLIES: Rows = TableDefinition::new("replies");
/// What there is one of: [`CLOCK`], [`OVERRIDES`] and [`PLANS`].
pub(super) const SINGLE: Rows = TableDefinition::new("single");
/// What the clocks said when the file was last written.
pub(super) const CLOCK: &str = "clock";
/// All overrides.
pub(super) const OVERRIDES: &str = "overrides";
/// All plans.
pub(super) const PLANS: &str = "plans";
/// What has happened, as JSON, by number.
pub(super) const EVENTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("events");

/// Why the state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has it open.
    #[error(
        "the state directory {} is used by another process; stop it, or give this one another \
         `state.dir`", dir.display()
    )]
    InUse {
        /// The directory.
        dir: PathBuf,
    },
    /// The directory or the file cannot be created, read or written.
    #[error(
        "the state directory {} cannot be used: {error}; it must belong to the user that the \
         server runs as",
        dir.display()
    )]
    Directory {
        /// The directory.
        dir: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A fresh file cannot be used either.
    #[error("the state file {} cannot be used: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

/// Opens the file, or a new one in its place when it cannot be used.
pub(super) fn open(dir: &Path, clocks: &Clocks) -> Result<(Database, Restored), StoreError> {
    let directory = |error| StoreError::Directory { dir: dir.into(), error };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(directory)?;
    let path = dir.join(FILE);
    match try_open(&path, clocks) {
        Ok(opened) => Ok(opened),
        Err(Unusable::InUse) => Err(StoreError::InUse { dir: dir.into() }),
        Err(Unusable::Io(error)) => Err(directory(error)),
        Err(Unusable::Content(why)) => {
            let aside = set_aside(&path, clocks.wall).map_err(directory)?;
            tracing::error!(
                "the state file {} cannot be used ({why}); it was put aside as {}: health, \
                 overrides and events start anew",
                path.display(),
                aside.display()
            );
            match try_open(&path, clocks) {
                Ok((database, restored)) => {
                    Ok((database, Restored { set_aside: Some((aside, why)), ..restored }))
                }
                Err(Unusable::InUse) => Err(StoreError::InUse { dir: dir.into() }),
                Err(Unusable::Io(error)) => Err(directory(error)),
                Err(Unusable::Content(why)) => Err(StoreError::File { path, why }),
            }
        }
    }
}

/// Why a file was not opened.
enum Unusable {
    InUse,
    Io(io::Error),
    /// It is damaged, foreign, or from a newer program.
    Content(String),
}

impl<E: Into<redb::Error>> From<E> for Unusable {
    fn from(error: E) -> Self {
        match error.into() {
            redb::Error::DatabaseAlreadyOpen => Self::InUse,
            redb::Error::Io(error)
                if error.kind() != io::ErrorKind::InvalidData
                    && error.kind() != io::ErrorKind::UnexpectedEof =>
            {
                Self::Io(error)
            }
            other => Self::Content(other.to_string()),
        }
    }
}

type Opened = (Database, Restored);

fn try_open(path: &Path, clocks: &Clocks) -> Result<Opened, Unusable> {
    let opened = guarded(|| {
        let mut builder = Database::builder();
        let mut database = match builder.set_cache_size(CACHE_BYTES).create(path) {
            Err(DatabaseError::Storage(StorageError::Io(error)))
                if error.kind() == io::ErrorKind::WouldBlock =>
            {
                return Err(Unusable::InUse);
            }
            opened => opened?,
        };
        // What damage there is shows now, and not as health that nobody saw.
        if !database.check_integrity()? {
            tracing::warn!("the state file {} was damaged, and is repaired", path.display());
        }
        let timeline = prepare(&database, path, clocks)?;
        let overrides: OverridesRow = single(&database, OVERRIDES)?.unwrap_or_default();
        let plans = single(&database, PLANS)?.unwrap_or_default();
        let restored = Restored {
            rows: read(&database, HEALTH)?,
            last_good: read(&database, LAST_GOOD)?,
            rtts: read(&database, RTTS)?,
            calming: read(&database, CALMING)?,
            aliases: read(&database, ALIASES)?,
            overrides: overrides.overrides().map_err(Unusable::Content)?,
            plans,
            events: events(&database)?,
            replies: read(&database, REPLIES)?,
            timeline,
            set_aside: None,
        };
        Ok((database, restored))
    });
    opened.unwrap_or_else(|| Err(Unusable::Content("its content contradicts itself".into())))
}

/// A damaged file can break what redb takes for granted; it panics then. `None` if it did.
pub(super) fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

/// Opens the file anew for writing, after an error.
pub(super) fn reopen(path: &Path) -> Result<Database, DatabaseError> {
    Database::builder().set_cache_size(CACHE_BYTES).open(path)
}

/// Makes the tables of a new file or of an older version, refuses that of another program or a newer
/// version, and drops what is long out of use. Gives the timeline that goes on.
fn prepare(database: &Database, path: &Path, clocks: &Clocks) -> Result<Timeline, Unusable> {
    let write = database.begin_write()?;
    check_version(&write, path)?;
    write.open_table(SINGLE)?;
    write.open_table(REPLIES)?;
    write.open_table(EVENTS)?;
    let stamp = match write.open_table(SINGLE)?.get(CLOCK)? {
        Some(stamp) => Some(understood(stamp.value(), CLOCK)?),
        None => None,
    };
    let timeline = Timeline::resume(stamp.as_ref(), clocks);
    let Moment(now) = timeline.at(clocks.now);
    let oldest = now.saturating_sub(KEPT.as_millis() as u64);
    drop_old::<Row>(&write, HEALTH, oldest)?;
    drop_old::<GoodRow>(&write, LAST_GOOD, oldest)?;
    drop_old::<RttRow>(&write, RTTS, oldest)?;
    drop_old::<CalmRow>(&write, CALMING, oldest)?;
    drop_old::<AliasRow>(&write, ALIASES, oldest)?;
    write.commit()?;
    Ok(timeline)
}

/// What a row says.
fn understood<R: DeserializeOwned>(row: &[u8], of: &str) -> Result<R, Unusable> {
    serde_json::from_slice(row)
        .map_err(|error| Unusable::Content(format!("a row of {of} cannot be understood: {error}")))
}

/// What there is one of, if it is there.
fn single<R: DeserializeOwned>(database: &Database, key: &str) -> Result<Option<R>, Unusable> {
    let open = database.begin_read()?.open_table(SINGLE)?;
    let row = open.get(key)?;
    row.map(|row| understood(row.value(), key)).transpose()
}

/// All events.
fn events<R: DeserializeOwned>(database: &Database) -> Result<Vec<R>, Unusable> {
    let open = database.begin_read()?.open_table(EVENTS)?;
    let mut events = Vec::new();
    for item in open.iter()? {
        events.push(understood(item?.1.value(), "events")?);
    }
    Ok(events)
}

/// Makes a table, or drops the rows of one that is there which are older than `oldest`. One that
/// cannot be read stays, to be found by [`read`].
fn drop_old<R: Stored>(write: &WriteTransaction, table: Rows, oldest: u64) -> Result<(), Unusable> {
    write.open_table(table)?.retain(|_, row| {
        serde_json::from_slice::<R>(row).map_or(true, |row| row.at_ms() >= oldest)
    })?;
    Ok(())
}

fn check_version(write: &WriteTransaction, path: &Path) -> Result<(), Unusable> {
    let tables: Vec<String> = write.list_tables()?.map(|table| table.name().to_owned()).collect();
    let ours = tables.iter().any(|name| name == META.name());
    if !ours && !tables.is_empty() {
        return Err(Unusable::Content("it is of another program".into()));
    }
    let mut meta = write.open_table(META)?;
    let version = meta.get("version")?.map(|version| version.value());
    match version {
        None => drop(meta.insert("version", VERSION)?),
        Some(VERSION) => {}
        Some(older @ 1..VERSION) => {
            meta.insert("version", VERSION)?;
            tracing::info!(
                "the state file {} was of version {older}, and is of version {VERSION} now",
                path.display()
            );
        }
        Some(other) => {
            return Err(Unusable::Content(format!(
                "it has version {other}, and this program knows {VERSION}"
            )));
        }
    }
    Ok(())
}

fn read<R: DeserializeOwned>(
    database: &Database,
    table: Rows,
) -> Result<HashMap<String, R>, Unusable> {
    let open = database.begin_read()?.open_table(table)?;
    let mut rows = HashMap::new();
    for item in open.iter()? {
        let (key, row) = item?;
        rows.insert(key.value().to_owned(), understood(row.value(), table.name())?);
    }
    Ok(rows)
}

/// Renames the file to a name that no other has.
fn set_aside(path: &Path, wall: SystemTime) -> io::Result<PathBuf> {
    let stamp = millis(wall) / 1000;
    let names = (0..).map(|n| match n {
        0 => path.with_extension(format!("redb.damaged-{stamp}")),
        _ => path.with_extension(format!("redb.damaged-{stamp}-{n}")),
    });
    for aside in names.take(1000) {
        if !aside.try_exists()? {
            fs::rename(path, &aside)?;
            return Ok(aside);
        }
    }
    Err(io::Error::other("there are too many damaged state files beside it"))
}
