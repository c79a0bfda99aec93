//! One writer hands snapshots to many readers: the only swap in the crate.
//!
//! The publisher keeps what it has replaced until no reader holds it any more, and drops it
//! itself, so that no answering thread ever frees a snapshot.
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

use std::sync::Arc;

use arc_swap::{ArcSwap, Cache};

use super::snapshot::Snapshot;

/// The writing end; there is one.
#[derive(Debug)]
pub struct Publisher {
    current: Arc<ArcSwap<Snapshot>>,
    retired: Vec<Arc<Snapshot>>,
}

/// Where readers come from; holds no snapshot itself.
#[derive(Debug, Clone)]
pub struct Handle {
    current: Arc<ArcSwap<Snapshot>>,
}

/// A reading end; each answering thread has its own.
#[derive(Debug, Clone)]
pub struct Reader {
    cache: Cache<Arc<ArcSwap<Snapshot>>, Arc<Snapshot>>,
}

impl Publisher {
    /// Starts with a first snapshot.
    #[must_use]
    pub fn new(first: Snapshot) -> Self {
        Self { current: Arc::new(ArcSwap::from_pointee(first)), retired: Vec::new() }
    }

    /// For those who answer from what is published.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle { current: Arc::clone(&self.current) }
    }

    /// Replaces what is published, and frees what no reader holds any more.
    pub fn publish(&mut self, snapshot: Snapshot) {
        self.swap(snapshot);
        self.sweep();
    }

    /// Replaces what is published; what that was is freed by the next [`Publisher::sweep`].
    pub fn swap(&mut self, snapshot: Snapshot) {
        let before = self.current.swap(Arc::new(snapshot));
        self.retired.push(before);
    }

    /// Frees what no reader holds any more; returns how many snapshots are still held.
    pub fn sweep(&mut self) -> usize {
        self.retired.retain(|snapshot| Arc::strong_count(snapshot) > 1);
        self.retired.len()
    }
}

impl Handle {
    /// A reader for a thread that answers many queries. The thread had better ask for it itself: the
    /// first load of a thread allocates what protects it, and with that it is done.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader { cache: Cache::new(Arc::clone(&self.current)) }
    }

    /// What is published now, to hold across an answer or two.
    #[must_use]
    pub fn current(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }
}

impl Reader {
    /// What is published now; call it once a batch, and now and then when there is none, for a
    /// reader holds on to what it has loaded.
    #[inline]
    pub fn load(&mut self) -> &Snapshot {
        self.cache.load()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use std::sync::Weak;
    use std::sync::mpsc;
    use std::thread;

    use super::super::assembly::{Assembly, Parts};
    use super::super::compile::compile;
    use super::super::inputs::Inputs;
    use super::super::options::Options;
    use super::super::places::Places;
    use super::*;
    use crate::problem::Problems;
    use crate::zone::Names;

    fn snapshot() -> Snapshot {
        let names = Arc::new(Names::build(Vec::new(), &[], &mut Problems::default()));
        let places = Arc::new(Places::default());
        let options = Options::default();
        let assembly = Assembly::new(Parts::default(), names, places, options, |_, _| 0);
        compile(None, &Arc::new(assembly), &Inputs::default())
    }

    /// What only the snapshot that is published now holds.
    fn inside(publisher: &Publisher) -> Weak<Names> {
        Arc::downgrade(&publisher.handle().current().names)
    }

    #[test]
    fn whoever_lets_go_last_the_publisher_frees() {
        let mut publisher = Publisher::new(snapshot());
        let mut readers: Vec<Reader> = (0..4).map(|_| publisher.handle().reader()).collect();
        let held = publisher.handle().current();
        let before = inside(&publisher);
        publisher.publish(snapshot());
        assert_eq!(publisher.sweep(), 1);
        // Every reader goes on to what is new, and somebody who held an answer lets go.
        for reader in &mut readers {
            reader.load();
        }
        assert_eq!(publisher.sweep(), 1);
        drop(held);
        assert!(before.upgrade().is_some(), "freed by a reader");
        assert_eq!(publisher.sweep(), 0);
        assert!(before.upgrade().is_none(), "not freed by the publisher");
    }

    #[test]
    fn readers_on_other_threads_free_nothing() {
        let mut publisher = Publisher::new(snapshot());
        let (done, seen) = mpsc::channel();
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let (mut reader, done) = (publisher.handle().reader(), done.clone());
                let (go, turns) = mpsc::channel::<()>();
                let thread = thread::spawn(move || {
                    for () in turns {
                        done.send(reader.load().generation).unwrap();
                    }
                });
                (go, thread)
            })
            .collect();
        for _ in 0..200 {
            let before = inside(&publisher);
            publisher.swap(snapshot());
            readers.iter().for_each(|(go, _)| go.send(()).unwrap());
            readers.iter().for_each(|_| assert_eq!(seen.recv(), Ok(1)));
            // Both have let go of it.
            assert!(before.upgrade().is_some(), "freed by a reader");
            assert_eq!(publisher.sweep(), 0);
            assert!(before.upgrade().is_none(), "not freed by the publisher");
        }
        for (go, thread) in readers {
            drop(go);
            thread.join().unwrap();
        }
    }
}
