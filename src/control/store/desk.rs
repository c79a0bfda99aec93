//! Where the single writer leaves what is to be stored, and the store's thread takes it from.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::row::{AliasRow, CalmRow, GoodRow, OverridesRow, Row, RttRow};
use crate::control::plans::Plans;
use crate::control::replies::Reply;
use crate::control::views::EventView;

/// The least time between two writes of what is not urgent.
const PAUSE: Duration = Duration::from_secs(1);
/// The least time between two writes of anything.
const LEAST_PAUSE: Duration = Duration::from_millis(100);

/// Where health is left to be written; the newest of each target counts.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pending: Mutex<Pending>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct Pending {
    lot: Lot,
    waiting: Vec<Waiting>,
    urgent: bool,
    closed: bool,
}

/// Who waits until a command is stored, and hears of it.
pub(super) type Waiting = oneshot::Sender<Result<(), String>>;

/// What is to be written, and who waits for it.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) lot: Lot,
    pub(super) waiting: Vec<Waiting>,
}

/// Rows to be written, by table and name.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Lot {
    pub(super) health: HashMap<String, Row>,
    pub(super) last_good: HashMap<String, GoodRow>,
    pub(super) rtts: HashMap<String, RttRow>,
    pub(super) calming: HashMap<String, CalmRow>,
    pub(super) aliases: HashMap<String, AliasRow>,
    /// All overrides, if they are others now.
    pub(super) overrides: Option<OverridesRow>,
    /// All plans, if they are others now.
    pub(super) plans: Option<Plans>,
    /// By number; `None`: it is not kept any more.
    pub(super) events: BTreeMap<u64, Option<EventView>>,
    /// Of the command that somebody waits for.
    pub(super) command: Option<CommandRows>,
}

/// What a command adds beside its overrides.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CommandRows {
    pub(super) event: EventView,
    /// Under its idempotency key, and the key that is not kept any more.
    pub(super) reply: Option<(String, Reply)>,
    pub(super) dropped: Option<String>,
}

impl Lot {
    fn is_empty(&self) -> bool {
        self.health.is_empty()
            && self.last_good.is_empty()
            && self.rtts.is_empty()
            && self.calming.is_empty()
            && self.aliases.is_empty()
            && self.overrides.is_none()
            && self.plans.is_none()
            && self.events.is_empty()
            && self.command.is_none()
    }

    /// Takes in an older lot: what is here is newer. A command that could not be stored was refused.
    fn put_back(&mut self, mut older: Self) {
        if older.command.take().is_some() {
            (older.overrides, older.plans) = (None, None);
        }
        self.overrides = self.overrides.take().or(older.overrides);
        self.plans = self.plans.take().or(older.plans);
        for (id, event) in older.events {
            self.events.entry(id).or_insert(event);
        }
        fn join<R>(newer: &mut HashMap<String, R>, older: HashMap<String, R>) {
            for (key, row) in older {
                newer.entry(key).or_insert(row);
            }
        }
        join(&mut self.health, older.health);
        join(&mut self.last_good, older.last_good);
        join(&mut self.rtts, older.rtts);
        join(&mut self.calming, older.calming);
        join(&mut self.aliases, older.aliases);
    }
}

impl Pending {
    /// Adds something. Returns whether that changes what the thread waits for: it was the first thing,
    /// or the first that is urgent.
    fn add(&mut self, urgent: bool, put: impl FnOnce(&mut Lot)) -> bool {
        let matters = self.lot.is_empty() || (urgent && !self.urgent);
        put(&mut self.lot);
        self.urgent |= urgent;
        matters
    }

    /// All that there is; `None` when there will be nothing more.
    fn take(&mut self) -> Option<Taken> {
        self.urgent = false;
        let lot = std::mem::take(&mut self.lot);
        let waiting = std::mem::take(&mut self.waiting);
        (!lot.is_empty() || !self.closed).then_some(Taken { lot, waiting })
    }
}

impl Desk {
    /// Leaves something to be written. The thread is not woken only to wait on: with thousands of
    /// checks that would cost more than the writing.
    pub(super) fn leave(&self, urgent: bool, put: impl FnOnce(&mut Lot)) {
        let wake = self.lock().add(urgent, put);
        if wake {
            self.wake.notify_one();
        }
    }

    /// Leaves something for which somebody waits.
    pub(super) fn leave_awaited(&self, waiting: Waiting, put: impl FnOnce(&mut Lot)) {
        let mut pending = self.lock();
        pending.add(true, put);
        pending.waiting.push(waiting);
        drop(pending);
        // Whatever it waits for: a pause between two writes, too.
        self.wake.notify_one();
    }

    /// There will be nothing more.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_one();
    }

    /// Takes back what could not be written; what came meanwhile is newer. Of what is closed
    /// nothing is taken back, for there is no next time.
    pub(super) fn put_back(&self, lot: Lot) {
        let mut pending = self.lock();
        if !pending.closed {
            pending.lot.put_back(lot);
        }
    }

    /// Waits for something to write; `None` when there will be nothing more.
    pub(super) fn take(&self) -> Option<Taken> {
        self.take_from(self.lock())
    }

    fn take_from(&self, pending: MutexGuard<'_, Pending>) -> Option<Taken> {
        let idle = |pending: &mut Pending| pending.lot.is_empty() && !pending.closed;
        let pending = self.wake.wait_while(pending, idle).unwrap_or_else(PoisonError::into_inner);
        let calm = |pending: &mut Pending| !pending.urgent && !pending.closed;
        let (mut pending, _) = self
            .wake
            .wait_timeout_while(pending, PAUSE, calm)
            .unwrap_or_else(PoisonError::into_inner);
        pending.take()
    }

    /// Lets a while pass between two writes, unless it is closed or somebody waits: when thousands of targets change one
    /// after the other, each change by itself would be waited for until it is on the disk.
    pub(super) fn rest(&self) {
        let open = |pending: &mut Pending| !pending.closed && pending.waiting.is_empty();
        let _ = self
            .wake
            .wait_timeout_while(self.lock(), LEAST_PAUSE, open)
            .unwrap_or_else(PoisonError::into_inner);
    }

    /// Nothing is left half-done by a panic while it is locked.
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc};

    use super::*;

    #[test]
    fn who_waits_is_woken() {
        let desk = Arc::new(Desk::default());
        let (told, hears) = mpsc::channel();
        let waits = {
            let desk = Arc::clone(&desk);
            move || {
                let pending = desk.lock();
                // From here on nothing can be left before it waits.
                told.send(None).unwrap();
                told.send(Some(desk.take_from(pending).map(|taken| taken.lot))).unwrap();
                told.send(Some(desk.take().map(|taken| taken.lot))).unwrap();
            }
        };
        let hear = || hears.recv_timeout(Duration::from_secs(60)).expect("it was woken");
        let leave = |key: &str| {
            desk.leave(true, |lot| {
                lot.rtts.insert(key.into(), RttRow { rtt_us: 1, at_ms: 1 });
            });
        };
        let waiting = std::thread::spawn(waits);
        assert_eq!(hear(), None);
        leave("while it waits");
        let lot = hear().flatten().expect("something was left");
        assert!(lot.rtts.contains_key("while it waits"));
        desk.close();
        assert_eq!(hear(), Some(None), "nothing more");
        waiting.join().unwrap();
    }

    #[test]
    fn the_thread_is_woken_for_the_first_thing_and_the_first_that_is_urgent() {
        let mut pending = Pending::default();
        let mut add = |urgent, key: &str| {
            pending.add(urgent, |lot| {
                lot.rtts.insert(key.into(), RttRow { rtt_us: 1, at_ms: 1 });
            })
        };
        let woken = [
            add(false, "the first"),
            add(false, "another"),
            add(true, "the first that is urgent"),
            add(true, "another that is"),
            add(false, "another"),
            add(true, "one more that is"),
        ];
        assert_eq!(woken, [true, false, true, false, false, false]);
        assert_eq!(pending.take().map(|taken| taken.lot.rtts.len()), Some(5));
        let put = |lot: &mut Lot| {
            lot.rtts.insert("the first of the next".into(), RttRow { rtt_us: 1, at_ms: 1 });
        };
        assert!(pending.add(false, put));
        assert!(pending.add(true, put), "the first that is urgent of the next");
        assert!(pending.take().is_some());
        assert!(pending.take().is_some(), "nothing to write, but there may be");
        pending.closed = true;
        assert!(pending.take().is_none());
    }
}
