//! The store on a real disk: closed, opened again, damaged, used twice.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::file::{HEALTH, META, VERSION};
use super::*;
use crate::clock;
use crate::control::Past;
use crate::control::timeline::Clocks;
use crate::health::{Health, KeptCalming, State};
use crate::metrics::Metrics;
use crate::model::{Check, Destination, Moment, Probe, Timing};

fn check(port: u16) -> Check {
    Check::new(
        "web".into(),
        Probe::Tcp,
        port,
        Timing {
            interval: Duration::from_secs(10),
            fast: None,
            timeout: Duration::from_secs(2),
            fall: 3,
            rise: 2,
        },
    )
}

fn at() -> Destination {
    Destination::Address([192, 0, 2, 1].into())
}

fn down() -> Health {
    Health { state: State::Down, failures: 4, ..Health::unknown(clock::now()) }
}

fn open(dir: &Path) -> Result<(Store, Restored), StoreError> {
    Store::open(dir, Metrics::new())
}

fn health(restored: &Restored, check: &Check, moment: Moment) -> Option<(State, u32)> {
    restored.health(check, &at(), clock::now(), moment).map(|h| (h.state, h.failures))
}

fn moment(restored: &Restored) -> Moment {
    restored.moment(clock::now())
}

/// A directory in which the target is stored as down.
fn written() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let (store, restored) = open(dir.path()).unwrap();
    assert!(restored.is_empty());
    store.keep(&check(80), &at(), &down(), true);
    store.close();
    dir
}

#[test]
fn health_survives_for_ten_intervals() {
    let dir = written();
    let (_store, restored) = open(dir.path()).unwrap();
    let now = moment(&restored);
    assert_eq!(health(&restored, &check(80), now), Some((State::Down, 4)));
    let later = |secs| now.after(Duration::from_secs(secs));
    assert!(health(&restored, &check(80), later(90)).is_some());
    assert_eq!(health(&restored, &check(80), later(110)), None);
    assert_eq!(health(&restored, &check(80), Moment(now.0 - 110_000)), None);
    // Another question is another target; another timing is not.
    assert_eq!(health(&restored, &check(81), now), None);
    let mut slower = check(80);
    slower.timing.interval = Duration::from_secs(20);
    assert!(health(&restored, &slower, later(190)).is_some());
}

#[test]
fn what_waits_or_grows_survives_as_long_as_it_takes() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path()).unwrap();
    let awaiting = KeptCalming { up: Some(true), awaiting: true, ..KeptCalming::default() };
    let ramping = Some(Duration::from_secs(20));
    let growing = KeptCalming { up: Some(true), ramping, penalty: 1.5, ..awaiting };
    store.keep_calming("us-east", [Some(growing), None]);
    store.keep_calming("us-east", [Some(awaiting), None]);
    store.keep_calming("eu-west (for app.example.com)", [None, Some(growing)]);
    store.close();
    let (_store, restored) = open(dir.path()).unwrap();
    let now = moment(&restored);
    let mut calming = restored.at_moment(clock::now(), now).calming();
    calming.sort_by(|a, b| b.0.cmp(&a.0));
    let [east, west] = <[_; 2]>::try_from(calming).unwrap();
    assert_eq!((&*east.0, east.2), ("us-east", [Some(awaiting), None]));
    assert_eq!(west.2, [None, Some(growing)]);
    assert!(now.since(east.1) < Duration::from_secs(60));
}

#[test]
fn what_is_not_settled_is_not_stored() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path()).unwrap();
    store.keep(&check(80), &at(), &Health::unknown(clock::now()), true);
    store.close();
    assert!(open(dir.path()).unwrap().1.is_empty());
}

#[test]
fn one_process_a_directory() {
    let dir = written();
    let (_first, _) = open(dir.path()).unwrap();
    let error = open(dir.path()).unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
}

#[test]
fn a_damaged_file_is_put_aside() {
    let spoil: [fn(&mut Vec<u8>); 8] = [
        |octets| octets.truncate(octets.len() / 3),
        |octets| *octets = b"this is no database\n".repeat(500),
        |octets| octets[..64].fill(0x5a),
        |octets| octets.truncate(10),
        |octets| octets.truncate(octets.len() - 1),
        |octets| octets.fill(0),
        |octets| octets[4096..].fill(0),
        |octets| {
            let mut random = fastrand::Rng::with_seed(7);
            octets[4096..].fill_with(|| random.u8(..));
        },
    ];
    for spoil in spoil {
        let dir = written();
        let path = dir.path().join(FILE);
        let mut octets = std::fs::read(&path).unwrap();
        spoil(&mut octets);
        std::fs::write(&path, &octets).unwrap();
        let (store, restored) = open(dir.path()).unwrap();
        let (aside, why) = restored.set_aside.as_ref().expect("it was reported");
        assert_eq!(std::fs::read(aside).unwrap().len(), octets.len(), "kept as it was");
        assert!(!why.is_empty() && restored.is_empty());
        // And the new file works.
        store.keep(&check(80), &at(), &down(), true);
        store.close();
        assert_eq!(open(dir.path()).unwrap().1.len(), 1);
    }
}

/// Whatever is damaged, the store opens: with what could be read, or with a new file.
#[test]
fn damage_anywhere_does_not_keep_it_from_opening() {
    let octets = std::fs::read(written().path().join(FILE)).unwrap();
    let used: Vec<usize> = (0..octets.len()).filter(|&at| octets[at] != 0).collect();
    let mut rng = fastrand::Rng::with_seed(5);
    let mut put_aside = 0;
    for _ in 0..60 {
        let dir = tempfile::tempdir().unwrap();
        let mut octets = octets.clone();
        let from = used[rng.usize(..used.len())];
        let to = (from + rng.usize(1..4096)).min(octets.len());
        octets[from..to].fill(rng.u8(..));
        std::fs::write(dir.path().join(FILE), &octets).unwrap();
        let (store, restored) = open(dir.path()).unwrap();
        put_aside += u32::from(restored.set_aside.is_some());
        store.keep(&check(80), &at(), &down(), true);
        store.close();
    }
    assert!(put_aside > 20, "{put_aside}");
}

#[test]
fn any_single_flipped_bit_is_harmless_or_told() {
    let dir = written();
    let path = dir.path().join(FILE);
    let whole = std::fs::read(&path).unwrap();
    // Most of the file is empty.
    let used: Vec<usize> = (0..whole.len()).filter(|&at| whole[at] != 0).collect();
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..60 {
        let at = used[random.usize(..used.len())];
        let mut spoilt = whole.clone();
        spoilt[at] ^= 1 << random.u8(..8);
        std::fs::write(&path, &spoilt).unwrap();
        let (store, restored) = open(dir.path()).unwrap();
        let found = health(&restored, &check(80), moment(&restored));
        match restored.set_aside {
            None => assert_eq!(found, Some((State::Down, 4)), "octet {at}"),
            Some(_) => assert_eq!(found, None, "octet {at}"),
        }
        store.close();
    }
}

#[test]
fn the_file_of_another_program_is_put_aside() {
    let dir = tempfile::tempdir().unwrap();
    let database = redb::Database::create(dir.path().join(FILE)).unwrap();
    let write = database.begin_write().unwrap();
    let books: redb::TableDefinition<'_, &str, u64> = redb::TableDefinition::new("books");
    write.open_table(books).unwrap().insert("shelf", 1).unwrap();
    write.commit().unwrap();
    drop(database);
    let (_store, restored) = open(dir.path()).unwrap();
    assert!(restored.set_aside.unwrap().1.contains("another program"));
}

#[test]
fn a_file_of_version_1_is_brought_to_this_one() {
    let dir = tempfile::tempdir().unwrap();
    let database = redb::Database::create(dir.path().join(FILE)).unwrap();
    let write = database.begin_write().unwrap();
    let at_ms = crate::control::timeline::millis(clock::wall());
    let row = format!(r#"{{"state":"down","failures":4,"successes":0,"at_ms":{at_ms}}}"#);
    write.open_table(META).unwrap().insert("version", 1).unwrap();
    let key = row::key(&check(80), &at());
    write.open_table(HEALTH).unwrap().insert(key.as_str(), row.as_bytes()).unwrap();
    write.commit().unwrap();
    drop(database);
    let (store, restored) = open(dir.path()).unwrap();
    assert_eq!(restored.set_aside, None);
    assert_eq!(health(&restored, &check(80), moment(&restored)), Some((State::Down, 4)));
    store.close();
    let database = redb::Database::open(dir.path().join(FILE)).unwrap();
    let read = redb::ReadableDatabase::begin_read(&database).unwrap();
    let version = read.open_table(META).unwrap().get("version").unwrap().unwrap().value();
    assert_eq!(version, VERSION);
}

/// A restart of the program, not of the system.
#[test]
fn health_outlives_a_clock_that_is_set() {
    let dir = written();
    let now = Clocks::read();
    for by in [86_400, -86_400_i64] {
        let span = Duration::from_secs(by.unsigned_abs());
        let wall = if by < 0 { now.wall - span } else { now.wall + span };
        let (_, restored) = file::open(dir.path(), &Clocks { wall, ..now.clone() }).unwrap();
        let found = health(&restored, &check(80), restored.moment(now.now));
        assert_eq!(found, Some((State::Down, 4)), "set by {by} s");
    }
}

#[test]
fn a_newer_version_is_put_aside() {
    let dir = written();
    let database = redb::Database::create(dir.path().join(FILE)).unwrap();
    let write = database.begin_write().unwrap();
    write.open_table(META).unwrap().insert("version", VERSION + 1).unwrap();
    write.commit().unwrap();
    drop(database);
    let (_store, restored) = open(dir.path()).unwrap();
    assert!(restored.set_aside.unwrap().1.contains("version 3"));
}

#[test]
fn a_directory_that_cannot_be_made_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = open(&file.join("state")).unwrap_err().to_string();
    assert!(error.contains("cannot be used") && error.contains("file/state"), "{error}");
}

#[test]
fn the_newest_of_many_counts() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path()).unwrap();
    let store = Arc::new(store);
    for failures in 1..=1000 {
        store.keep(&check(80), &at(), &Health { failures, ..down() }, failures % 7 == 0);
    }
    drop(store);
    let (_store, restored) = open(dir.path()).unwrap();
    assert_eq!(health(&restored, &check(80), moment(&restored)), Some((State::Down, 1000)));
}
