//! Files that are read again when they are replaced, whether by a rename or in place.
//!
//! They are polled: notifications of the system miss what happens on some file systems, and what
//! happens to a directory that is itself replaced. A file is taken for another when its device,
//! inode, size or time of modification is, and for finished when all of them have stayed the same
//! for a second: whoever writes a file in place may pause, and half a file is not worth reading.
//! Several files may be one set (IPv4 and IPv6), so all must be finished.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

/// How often the files are looked at; that costs some microseconds a file.
const POLL: Duration = Duration::from_millis(500);
/// At how many polls in a row nothing may have changed since the one before.
const QUIET: u32 = 2;

/// What tells one content of a file from the next, without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
}

impl Stamp {
    /// Of a file; `None` when it cannot be looked at.
    fn of(path: &Path) -> Option<Self> {
        let file = std::fs::metadata(path).ok()?;
        let modified = (file.mtime(), file.mtime_nsec());
        Some(Self { device: file.dev(), inode: file.ino(), size: file.size(), modified })
    }
}

/// Files as they are at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Files {
    paths: Arc<[PathBuf]>,
    stamps: Vec<Option<Stamp>>,
}

impl Files {
    /// As they are now.
    pub(super) fn look(paths: impl Into<Arc<[PathBuf]>>) -> Self {
        let paths = paths.into();
        let stamps = paths.iter().map(|path| Stamp::of(path)).collect();
        Self { paths, stamps }
    }

    /// Whether they are still the same.
    pub(super) fn are_the_same(&self) -> bool {
        Self::look(Arc::clone(&self.paths)) == *self
    }

    /// Those that are another than in `before`, which is about the same files.
    pub(super) fn changed<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = &'a Path> {
        let stamps = self.stamps.iter().zip(&before.stamps);
        let changed = self.paths.iter().zip(stamps).filter(|(_, (is, was))| is != was);
        changed.map(|(path, _)| path.as_path())
    }
}

/// Waits for files to be replaced.
#[derive(Debug)]
pub(super) struct Watch {
    /// As they were when they were last read, for better or for worse.
    read: Files,
    /// As they were at the last poll.
    seen: Files,
    /// At how many polls up to then they were as at the one before.
    quiet: u32,
    poll: Interval,
}

impl Watch {
    /// Of files that have been read; must be called within a runtime.
    pub(super) fn new(read: Files) -> Self {
        let mut poll = interval(POLL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { seen: read.clone(), read, quiet: 0, poll }
    }

    /// Waits until some file is another than was read, and none has changed for a while; gives what
    /// was found. Nothing is lost when it is dropped before.
    pub(super) async fn replaced(&mut self) -> Files {
        if self.read.paths.is_empty() {
            return std::future::pending().await;
        }
        loop {
            self.poll.tick().await;
            let paths = Arc::clone(&self.read.paths);
            // A file system that hangs must not hold up the tasks of this thread.
            let looking = tokio::task::spawn_blocking(move || Files::look(paths));
            let Ok(found) = looking.await else { continue };
            self.quiet = if found == self.seen { self.quiet.saturating_add(1) } else { 0 };
            self.seen = found;
            if self.quiet >= QUIET && self.seen != self.read {
                return self.seen.clone();
            }
        }
    }

    /// Takes what was found for read; gives what was read before.
    pub(super) fn has_read(&mut self, found: Files) -> Files {
        std::mem::replace(&mut self.read, found)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::SystemTime;

    use tempfile::TempDir;
    use tokio::time::timeout;

    use super::*;

    /// Writes a file in place, and says when that was: the clock of a file system is coarse.
    fn write(path: &Path, text: &str, secs: u64) {
        fs::write(path, text).unwrap();
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(secs)).unwrap();
    }

    fn watch(dir: &TempDir) -> (Watch, [PathBuf; 2]) {
        let paths = ["a", "b"].map(|name| dir.path().join(name));
        paths.iter().for_each(|path| write(path, "one", 1));
        (Watch::new(Files::look(paths.clone())), paths)
    }

    /// From one poll that finds a change to the one that tells it, and one before.
    const ENOUGH: u32 = QUIET + 2;

    /// What is found within so many polls.
    async fn found(watch: &mut Watch, polls: u32) -> Option<Files> {
        // The first poll is at once.
        timeout(POLL * polls - POLL / 2, watch.replaced()).await.ok()
    }

    fn names(found: &Files, watch: &Watch) -> Vec<PathBuf> {
        found.changed(&watch.read).map(Into::into).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn files_that_stay_are_not_told() {
        let dir = TempDir::new().unwrap();
        let (mut watch, _) = watch(&dir);
        assert_eq!(found(&mut watch, 100).await, None);
        let mut none = Watch::new(Files::default());
        assert_eq!(found(&mut none, 100).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_rename_over_a_file_is_told_once_it_is_read() {
        let dir = TempDir::new().unwrap();
        let (mut watch, [a, b]) = watch(&dir);
        let new = dir.path().join("new");
        // The same size and time: only the inode tells.
        write(&new, "two", 1);
        fs::rename(&new, &b).unwrap();
        let replaced = found(&mut watch, ENOUGH).await.unwrap();
        assert_eq!(names(&replaced, &watch), [b]);
        assert!(replaced.are_the_same());
        // Until it is said to be read.
        assert!(found(&mut watch, ENOUGH).await.is_some());
        watch.has_read(replaced);
        assert_eq!(found(&mut watch, 10).await, None);
        write(&a, "three", 1);
        assert!(found(&mut watch, ENOUGH).await.is_some(), "in place, by its size");
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_is_being_written_is_left_alone() {
        let dir = TempDir::new().unwrap();
        let (mut watch, [a, b]) = watch(&dir);
        write(&b, "two", 2);
        for secs in 3..20 {
            // The other is finished, but they may belong together.
            write(&a, "half", secs);
            // Whoever writes it may pause, for as long as makes it almost look finished.
            assert_eq!(found(&mut watch, QUIET).await, None, "{secs}");
            tokio::time::advance(POLL / 2).await;
        }
        let replaced = found(&mut watch, ENOUGH).await.unwrap();
        assert_eq!(names(&replaced, &watch), [a.clone(), b]);
        write(&a, "whole", 20);
        assert!(!replaced.are_the_same(), "what was read meanwhile is of no use");
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_may_go_and_come_back() {
        let dir = TempDir::new().unwrap();
        let (mut watch, [a, _]) = watch(&dir);
        fs::remove_file(&a).unwrap();
        let gone = found(&mut watch, ENOUGH).await.unwrap();
        watch.has_read(gone);
        assert_eq!(found(&mut watch, 10).await, None);
        write(&a, "one", 1);
        let back = found(&mut watch, ENOUGH).await.unwrap();
        assert_eq!(names(&back, &watch), [a]);
    }
}
