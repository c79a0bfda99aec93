//! The task of one hook: sends what waits for it, tries again, and says when that begins to fail.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, watch};
use tokio::time::sleep_until;

use super::alarms::{self, Alarms, Alert};
use super::answer::{Outcome, pause};
use super::hook::{Hook, Item, Request};
use super::http::Carrier;
use super::message::Message;
use super::outbox::Outbox;
use crate::clock;
use crate::metrics::Metrics;

/// What is for one hook: shared by its task and by whoever hands messages over.
#[derive(Debug)]
pub(super) struct Tray {
    inner: Mutex<Inner>,
    bell: Notify,
    metrics: Arc<Metrics>,
    name: Arc<str>,
}

#[derive(Debug)]
struct Inner {
    outbox: Outbox<Item>,
    alarms: Alarms,
    /// Some had to go since the last one was delivered.
    overflown: bool,
}

/// What comes next.
enum Step {
    /// So many events wait in what is sent.
    Send(Vec<Item>),
    /// What is firing is said again.
    Repeat(Vec<Alert>),
    Wait(Option<Instant>),
}

impl Tray {
    pub(super) fn new(hook: &Hook, metrics: Arc<Metrics>) -> Self {
        let (alarms, outbox) = (Alarms::default(), Outbox::new(hook.queue));
        let inner = Mutex::new(Inner { outbox, alarms, overflown: false });
        Self { inner, bell: Notify::new(), metrics, name: Arc::clone(&hook.name) }
    }

    /// Adds a message that the hook wants.
    pub(super) fn add(&self, hook: &Hook, message: &Arc<Message>) {
        let mut inner = self.lock();
        let alert = match hook.repeats() {
            true => inner.alarms.note(&hook.instance, message),
            false => None,
        };
        let item = Item { message: Arc::clone(message), alert };
        let gone = inner.outbox.push(item, clock::now());
        self.overflow(&mut inner, gone);
        drop(inner);
        self.bell.notify_one();
    }

    /// The hook may be another one. What waits for it stays; `open` is what is bad now.
    pub(super) fn change(&self, hook: &Hook, open: &[Arc<Message>]) {
        let mut inner = self.lock();
        let gone = inner.outbox.set_room(hook.queue);
        self.overflow(&mut inner, gone);
        inner.outbox.hurry();
        let open = open.iter().map(|message| &**message).filter(|message| hook.wants(message));
        inner.alarms.restart(&hook.instance, open.filter(|_| hook.repeats()));
        drop(inner);
        self.bell.notify_one();
    }

    /// How many events wait.
    pub(super) fn len(&self) -> usize {
        self.lock().outbox.len()
    }

    fn overflow(&self, inner: &mut Inner, gone: usize) {
        self.metrics.webhook_queue(&self.name, inner.outbox.len());
        if gone == 0 {
            return;
        }
        self.metrics.webhook_events(&self.name, "dropped", gone);
        if !std::mem::replace(&mut inner.overflown, true) {
            let name = &self.name;
            tracing::warn!("too many events wait for the webhook {name}: the oldest are dropped");
        }
    }

    /// What comes next; `repeated` is when all that is firing was last said.
    fn step(&self, hook: &Hook, now: Instant, repeated: &mut Option<Instant>) -> Step {
        let mut inner = self.lock();
        let next = inner.outbox.next(hook.manner());
        if next.is_some_and(|next| next <= now) {
            // What begins to fire is said by this.
            repeated.get_or_insert(now);
            return Step::Send(inner.outbox.take(hook.manner(), now));
        }
        if !hook.repeats() || inner.alarms.is_empty() {
            *repeated = None;
            return Step::Wait(next);
        }
        let again = repeated.map_or(now, |repeated| repeated + hook.repeat);
        match next {
            // What waits comes first. While that fails, nothing else is tried.
            Some(next) => Step::Wait(Some(next)),
            None if again <= now => {
                *repeated = Some(now);
                Step::Repeat(inner.alarms.firing())
            }
            None => Step::Wait(Some(again)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends what is in a tray.
pub(super) struct Task<C> {
    pub(super) tray: Arc<Tray>,
    pub(super) hook: watch::Receiver<Arc<Hook>>,
    pub(super) carrier: C,
    pub(super) metrics: Arc<Metrics>,
    /// The last request was not taken.
    pub(super) failing: bool,
}

impl<C: Carrier> Task<C> {
    pub(super) async fn run(mut self) {
        // What is firing already is said at once.
        let mut repeated = None;
        loop {
            let hook = Arc::clone(&self.hook.borrow_and_update());
            let now = clock::now();
            match self.tray.step(&hook, now, &mut repeated) {
                Step::Send(items) => self.send(&hook, &items).await,
                Step::Repeat(alerts) => self.repeat(&hook, &alerts).await,
                Step::Wait(until) => {
                    let over = async {
                        match until {
                            Some(until) => sleep_until(until.into()).await,
                            None => std::future::pending().await,
                        }
                    };
                    tokio::select! {
                        () = self.tray.bell.notified() => {}
                        changed = self.hook.changed() => if changed.is_err() { return },
                        () = over => {}
                    }
                }
            }
        }
    }

    async fn send(&mut self, hook: &Hook, items: &[Item]) {
        let Some(request) = hook.tell(items, clock::wall()) else {
            // What waited when the format became one that has no words for it.
            let mut inner = self.tray.lock();
            let gone = inner.outbox.done();
            self.tray.overflow(&mut inner, gone);
            return;
        };
        let outcome = self.carry(hook, request).await;
        let now = clock::now();
        let mut inner = self.tray.lock();
        let (result, count) = match &outcome {
            Outcome::Delivered => {
                inner.overflown = false;
                ("delivered", inner.outbox.done())
            }
            Outcome::Never(_) => ("failed", inner.outbox.done()),
            Outcome::Later(asked, _) => {
                let wait = pause(inner.outbox.count_failure(), fastrand::f64(), *asked);
                ("failed", inner.outbox.failed(now, wait, hook.retry_for))
            }
        };
        self.metrics.webhook_queue(&hook.name, inner.outbox.len());
        drop(inner);
        self.metrics.webhook_events(&hook.name, result, count);
        self.tell(hook, &outcome);
    }

    /// What is firing, in several requests if it is much; until one fails, for there will be another time.
    async fn repeat(&mut self, hook: &Hook, alerts: &[Alert]) {
        for part in alerts.chunks(alarms::MOST) {
            let Some(request) = hook.alert(part) else { return };
            let outcome = self.carry(hook, request).await;
            self.tell(hook, &outcome);
            if outcome != Outcome::Delivered {
                return;
            }
        }
    }

    async fn carry(&self, hook: &Hook, request: Request) -> Outcome {
        let answer = self.carrier.carry(hook, request).await;
        Outcome::of(&answer, clock::wall())
    }

    /// Says what has changed in the log.
    fn tell(&mut self, hook: &Hook, outcome: &Outcome) {
        let name = &hook.name;
        let was = self.failing;
        self.failing = *outcome != Outcome::Delivered;
        match outcome {
            Outcome::Delivered => {
                self.metrics.webhook_success(name, clock::wall());
                if was {
                    tracing::info!("the webhook {name} works again");
                }
            }
            Outcome::Later(_, why) if !was => tracing::warn!(
                "the webhook {name} does not work: {why}; each event is tried again for {}",
                humantime::format_duration(hook.retry_for)
            ),
            Outcome::Never(why) if !was => {
                tracing::warn!("the webhook {name} refuses what it is sent: {why}");
            }
            Outcome::Later(_, why) | Outcome::Never(why) => {
                tracing::debug!("the webhook {name} still does not work: {why}");
            }
        }
    }
}
