//! Follows control's events, and tells them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;

use super::open::Open;
use super::sight::{self, Sight};
use super::told;
use crate::clock::{self, Instant};
use crate::config::Topic;
use crate::control::views::{EventKind, EventView, PlanView, Turn};
use crate::control::{CheckFilter, EventFilter, Gone, Helm, Request};
use crate::model::subject;
use crate::routing::Handle;
use crate::webhook::{self, Carrier, Hook, Hooks};
use crate::wire::Name;

/// So many events are asked for at once.
const LOT: usize = 500;
/// For so long a plan that was given up is something that is as it should not be.
const GIVEN_UP_SECS: f64 = 3600.0;
/// How often what is open is compared with what is seen.
const COMPARE: Duration = Duration::from_secs(30);
/// When something may have ended without an event.
const COMPARE_AGAIN: Duration = Duration::from_secs(2);

/// Where events come from, and what is so now.
#[derive(Debug, Clone)]
pub(super) struct Sources {
    pub(super) helm: Helm,
    pub(super) handle: Handle,
}

/// Follows events.
pub(super) struct Feed<C> {
    sources: Sources,
    hooks: Hooks<C>,
    plan: watch::Receiver<Vec<Arc<Hook>>>,
    open: Open,
    /// The number of the last event that was told or passed over.
    after: u64,
}

impl<C: Carrier> Feed<C> {
    pub(super) fn new(
        sources: Sources,
        hooks: Hooks<C>,
        plan: watch::Receiver<Vec<Arc<Hook>>>,
    ) -> Self {
        Self { sources, hooks, plan, open: Open::default(), after: 0 }
    }

    /// Tells what happens: from the start of the server on, or only from now on.
    pub(super) async fn run(mut self, since_start: bool, stop: CancellationToken) {
        let _gone = stop.run_until_cancelled(self.follow(since_start)).await;
        self.hooks.stopped().await;
    }

    async fn follow(&mut self, since_start: bool) -> Result<(), Gone> {
        let mut newest = self.sources.helm.events();
        self.begin(since_start).await?;
        let mut compare = clock::now() + COMPARE;
        loop {
            // Before the question: what comes behind it will have changed the number.
            newest.borrow_and_update();
            self.tell_news().await?;
            tokio::select! {
                changed = newest.changed() => changed.map_err(|_| Gone)?,
                changed = self.plan.changed() => {
                    changed.map_err(|_| Gone)?;
                    self.follow_plan();
                }
                () = sleep_until(compare.into()), if !self.open.is_empty() => {
                    compare = self.compare().await?;
                }
            }
        }
    }

    fn follow_plan(&mut self) {
        let hooks = self.plan.borrow_and_update().clone();
        self.hooks.plan(&hooks, &self.open.all());
    }

    /// Learns from what is kept what is still bad. Before this start only what can be seen counts.
    async fn begin(&mut self, since_start: bool) -> Result<(), Gone> {
        let all = EventFilter { limit: usize::MAX, ..EventFilter::default() };
        let kept = self.sources.helm.ask(|reply| Request::Events(all, reply)).await?;
        let started = kept.iter().rev().find(|event| event.kind == EventKind::Started);
        let started = started.map_or(0, |event| event.id);
        let newest = kept.last().map_or(0, |event| event.id);
        self.after = if since_start { started } else { newest };
        for event in kept.into_iter().filter(|event| event.id <= self.after) {
            let is_new = event.id > started;
            let Some(message) = told::message(event) else { continue };
            // An end counts in any case.
            let can_be_seen = message.topic == Some(Topic::AllDown) || sight::is_of_state(&message);
            if is_new || can_be_seen || message.turn == webhook::Turn::Better {
                self.open.note(&Arc::new(message));
            }
        }
        let sight = self.look().await?;
        self.open.compare(&sight, false);
        self.follow_plan();
        Ok(())
    }

    /// Tells all events that have not been told.
    async fn tell_news(&mut self) -> Result<(), Gone> {
        loop {
            let filter = EventFilter { after: Some(self.after), limit: LOT, region: None };
            let events = self.sources.helm.ask(|reply| Request::Events(filter, reply)).await?;
            let Some(last) = events.last().map(|event| event.id) else { return Ok(()) };
            let passed = last.saturating_sub(self.after);
            let missed = passed.saturating_sub(u64::try_from(events.len()).unwrap_or(u64::MAX));
            if missed > 0 {
                tracing::warn!(
                    "{missed} events were not told to webhooks: more happened at once than are kept"
                );
            }
            self.after = last;
            events.into_iter().for_each(|event| self.tell(event));
        }
    }

    fn tell(&mut self, event: EventView) {
        let is_good_reload = event.kind == EventKind::Reload && event.turn == Turn::Better;
        let Some(message) = told::message(event).map(Arc::new) else { return };
        let ended = self.open.note(&message);
        // Somebody is told that it was loaded again only if he was told that it was not.
        if ended || !is_good_reload {
            self.hooks.tell(&message);
        }
    }

    /// Ends what has ended without an event; gives when to look again.
    async fn compare(&mut self) -> Result<Instant, Gone> {
        let sight = self.look().await?;
        // What has happened before it was looked at.
        self.tell_news().await?;
        for began in self.open.compare(&sight, true) {
            self.hooks.tell(&Arc::new(told::ended(&began)));
        }
        let pause = if self.open.is_doubted() { COMPARE_AGAIN } else { COMPARE };
        Ok(clock::now() + pause)
    }

    /// What is bad to the eye, of what is open.
    async fn look(&self) -> Result<Sight, Gone> {
        let open = self.open.all();
        let mut sight = Sight::default();
        if open.iter().any(|message| sight::is_of_state(message)) {
            let filter = CheckFilter { not_up: true, limit: usize::MAX, ..CheckFilter::default() };
            let checks = self.sources.helm.ask(|reply| Request::Checks(filter, reply)).await?;
            let down = checks.items.into_iter().filter(|check| check.state == "down");
            sight.down = down.map(|one| subject(&one.destination, &one.check)).collect();
        }
        let snapshot = self.sources.handle.current();
        let regions = snapshot.assembly.regions.iter().map(|region| region.name.to_string());
        sight.regions = regions.collect();
        let records = open.iter().filter(|message| message.topic == Some(Topic::AllDown));
        let records = records.filter_map(|message| Name::from_text(message.record.as_ref()?).ok());
        sight.all_down = sight::all_down(&snapshot, &records.collect());
        if open.iter().any(|message| message.topic == Some(Topic::Plan)) {
            let plans = self.sources.helm.ask(Request::Plans).await?;
            let lately = |plan: &PlanView| plan.ended_secs.is_none_or(|ago| ago < GIVEN_UP_SECS);
            let all = plans.under_way.into_iter().chain(plans.over).filter(lately);
            sight.given_up = all.map(|plan| plan.title).collect();
        }
        if !open.is_empty() {
            sight.targets = sight::targets(&snapshot.assembly);
        }
        Ok(sight)
    }
}
