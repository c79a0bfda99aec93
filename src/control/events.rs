//! What has happened: the last transitions, and the last of what operators did, each kept by itself
//! so that a flapping region does not push out who drained it.

use std::collections::VecDeque;

use super::helm::EventFilter;
#[cfg(test)]
use super::views::Turn;
use super::views::{EventKind, EventView};

/// How many of either are kept.
pub(super) const KEPT: usize = 2000;

/// The events that are kept.
#[derive(Debug, Default)]
pub(super) struct Events {
    observed: VecDeque<EventView>,
    done: VecDeque<EventView>,
    newest: u64,
}

/// An event that is kept, and one that is not any more.
#[derive(Debug, PartialEq)]
pub(super) struct Kept {
    pub(super) event: EventView,
    pub(super) dropped: Option<u64>,
}

impl Events {
    /// Those of an earlier process.
    #[must_use]
    pub(super) fn new(mut kept: Vec<EventView>) -> Self {
        kept.sort_unstable_by_key(|event| event.id);
        let mut events = Self::default();
        for event in kept {
            events.newest = events.newest.max(event.id);
            events.push(event);
        }
        events
    }

    /// The number of the newest event; 0: there is none.
    #[must_use]
    pub(super) const fn newest(&self) -> u64 {
        self.newest
    }

    /// Gives an event its number, and keeps it.
    pub(super) fn add(&mut self, event: EventView) -> Kept {
        self.newest = self.newest.saturating_add(1);
        let event = EventView { id: self.newest, ..event };
        let dropped = self.push(event.clone());
        Kept { event, dropped }
    }

    fn push(&mut self, event: EventView) -> Option<u64> {
        let list = match event.kind {
            EventKind::Started
            | EventKind::Command
            | EventKind::OverrideEnded
            | EventKind::Plan
            | EventKind::Reload
            | EventKind::ClockSet => &mut self.done,
            _ => &mut self.observed,
        };
        list.push_back(event);
        if list.len() > KEPT { list.pop_front().map(|event| event.id) } else { None }
    }

    /// What was observed, as far as it is kept.
    pub(super) fn observed(&self) -> impl Iterator<Item = &EventView> {
        self.observed.iter()
    }

    /// Since when all that was observed is kept.
    pub(super) fn observed_since(&self) -> Option<&str> {
        let (observed, done) = (self.observed.front(), self.done.front());
        let oldest = match self.observed.len() < KEPT {
            true => observed.into_iter().chain(done).min_by_key(|event| event.id),
            false => observed,
        };
        oldest.map(|event| event.time.as_str())
    }

    /// Those that are wanted, the oldest first.
    pub(super) fn list(&self, filter: &EventFilter) -> Vec<EventView> {
        let wanted = |event: &&EventView| {
            filter.after.is_none_or(|after| event.id > after)
                && filter.region.as_ref().is_none_or(|region| event.region.as_ref() == Some(region))
        };
        let mut all: Vec<&EventView> =
            self.observed.iter().chain(&self.done).filter(wanted).collect();
        all.sort_unstable_by_key(|event| event.id);
        let surplus = all.len().saturating_sub(filter.limit);
        match filter.after {
            Some(_) => all.truncate(filter.limit),
            None => drop(all.drain(..surplus)),
        }
        all.into_iter().cloned().collect()
    }
}

/// An event about nothing.
#[cfg(test)]
pub(super) fn nothing() -> EventView {
    EventView {
        id: 0,
        time: String::new(),
        kind: EventKind::Started,
        text: String::new(),
        turn: Turn::Neither,
        subject: None,
        region: None,
        record: None,
        actor: None,
        from: None,
        reason: None,
        override_id: None,
        plan_id: None,
        lasted_secs: None,
        changes: Vec::new(),
        records_changed: 0,
        generation: 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: EventKind, region: &str) -> EventView {
        EventView { kind, region: Some(region.into()), ..nothing() }
    }

    fn ids(events: &Events, after: Option<u64>, limit: usize) -> Vec<u64> {
        let filter = EventFilter { after, limit, ..EventFilter::default() };
        events.list(&filter).iter().map(|event| event.id).collect()
    }

    #[test]
    fn a_flapping_region_does_not_push_out_commands() {
        let mut events = Events::default();
        events.add(event(EventKind::Command, "a"));
        let mut dropped = Vec::new();
        for _ in 0..KEPT + 3 {
            dropped.extend(events.add(event(EventKind::Transition, "b")).dropped);
        }
        assert_eq!(dropped, [2, 3, 4]);
        assert_eq!(ids(&events, Some(0), 2), [1, 5]);
        let newest = events.newest();
        assert_eq!(ids(&events, None, 2), [newest - 1, newest]);
        assert_eq!(ids(&events, Some(newest), 9), [0; 0]);
        let of_a = EventFilter { region: Some("a".into()), limit: 9, ..EventFilter::default() };
        assert_eq!(events.list(&of_a).len(), 1);
    }

    #[test]
    fn numbers_go_on_from_what_was_kept() {
        let mut kept = vec![event(EventKind::Command, "a"), event(EventKind::Transition, "a")];
        (kept[0].id, kept[1].id) = (9, 4);
        let mut events = Events::new(kept);
        assert_eq!(events.add(event(EventKind::Reload, "a")).event.id, 10);
        assert_eq!(ids(&events, None, 9), [4, 9, 10]);
    }
}
