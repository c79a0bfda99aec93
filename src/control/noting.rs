//! What is kept of what happens: transitions with the shares before and after, all-down rules, reloads,
//! ends of overrides, and a clock that was set.

use std::time::Duration;

use super::apply::Moved;
use super::helm::Origin;
use super::overrides::{Lapsed, title};
use super::run::Control;
use super::tell;
use super::timeline::millis;
use super::views::{self, EventKind, EventView, Turn};
use crate::clock;
use crate::health::State as Judged;
use crate::metrics::OverridesInForce;
use crate::model::{Force, PoolId};
use crate::routing::Snapshot;

/// How many records are kept with an event.
const RECORDS: usize = 3;
/// How many transitions of one publication are kept one by one, and how many records with all-down
/// rules: when thousands fall at once, the first say what there is to say.
const EACH: usize = 50;
/// By so much a clock may be off before it was set.
const SET: Duration = Duration::from_secs(2);

/// A transition that waits for the publication that it brings about.
#[derive(Debug)]
pub(super) struct Noted {
    event: EventView,
    pools: Vec<PoolId>,
}

impl Control {
    /// An event as of now, about nothing yet.
    pub(super) fn event(&self) -> EventView {
        EventView {
            id: 0,
            time: views::time((self.wiring.wall)()),
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
            generation: self.handle.current().generation,
        }
    }

    /// Keeps an event, but not while a command has its number already.
    pub(super) fn keep_event(&mut self, event: EventView) {
        if self.storing.is_some() {
            self.held_back.push(event);
            return;
        }
        let kept = self.events.add(event);
        if let Some(store) = &self.wiring.store {
            store.keep_event(kept);
        }
        self.wiring.events.send_replace(self.events.newest());
    }

    /// The server has started.
    pub(super) fn note_start(&mut self, trouble: Option<String>) {
        let assembly = &self.state.assembly;
        let trouble = trouble.map_or_else(String::new, |trouble| format!("; {trouble}"));
        let count = |number: usize, what: &str| {
            format!("{number} {what}{}", if number == 1 { "" } else { "s" })
        };
        let text = format!(
            "trimtab {} has started: {}, {}, {} in force{trouble}",
            env!("CARGO_PKG_VERSION"),
            count(assembly.regions.len(), "region"),
            count(assembly.records.len(), "record"),
            count(self.state.overrides.list.len(), "override"),
        );
        self.keep_event(EventView { text, ..self.event() });
    }

    /// Notes a transition until what follows from it is published.
    pub(super) fn note_moved(&mut self, moved: &Moved, text: String) {
        let Moved { target, transition, pools, lasted } = moved;
        // They serve as up before, and all of them do this at the start: nothing has happened.
        if transition.from == Judged::Unknown && transition.to == Judged::Up {
            return;
        }
        if self.noted.len() >= EACH {
            self.more_noted += 1;
            return;
        }
        let assembly = &self.state.assembly;
        let region = pools.first().map(|pool| assembly.pools[pool.index()].region);
        let event = EventView {
            kind: EventKind::Transition,
            text,
            turn: if transition.to == Judged::Down { Turn::Worse } else { Turn::Better },
            subject: Some(target.subject()),
            region: region.map(|region| assembly.regions[region.index()].name.to_string()),
            reason: Some(format!("{}: {}", target.check.name, transition.cause)),
            lasted_secs: Some(lasted.as_secs_f64()),
            ..self.event()
        };
        self.noted.push(Noted { event, pools: pools.clone() });
    }

    /// Keeps what was noted, with what a publication has changed.
    pub(super) fn keep_noted(&mut self, before: Option<&Snapshot>, after: &Snapshot) {
        for Noted { mut event, pools } in std::mem::take(&mut self.noted) {
            event.generation = after.generation;
            if let Some(before) = before {
                let mut bindings: Vec<_> =
                    pools.iter().flat_map(|pool| after.assembly.bindings_of(*pool)).collect();
                bindings.sort_unstable();
                bindings.dedup();
                let bindings = bindings.into_iter().copied();
                (event.changes, event.records_changed) =
                    views::changes_in(before, after, bindings, RECORDS);
            }
            self.keep_event(event);
        }
        let more = std::mem::take(&mut self.more_noted);
        if more > 0 {
            let text = format!("{more} more targets have changed their state at the same time");
            let kind = EventKind::Transition;
            let event = EventView { kind, text, generation: after.generation, ..self.event() };
            self.keep_event(event);
        }
    }

    /// Tells and keeps where all-down rules were engaged or released.
    pub(super) fn note_all_down(&mut self, before: Option<&Snapshot>, after: &Snapshot) {
        let changes = tell::all_down_changes(before, after);
        for (number, change) in changes.iter().enumerate() {
            let text = tell::all_down(&after.assembly, change);
            if number >= EACH {
                continue;
            }
            let mut records = after.assembly.records_of(change.binding);
            let record = records.next().map(|record| record.name.to_string());
            let family = change.family.name();
            self.measure.all_down |= change.reason.is_all_down();
            let event = EventView {
                kind: EventKind::AllDown,
                text,
                turn: if change.reason.is_all_down() { Turn::Worse } else { Turn::Better },
                subject: record.as_ref().map(|record| format!("{record} {family}")),
                record,
                generation: after.generation,
                ..self.event()
            };
            self.keep_event(event);
        }
    }

    /// A configuration or a database was loaded again, with what it changed; in vain, if nothing says
    /// what was served before.
    pub(super) fn note_reload(&mut self, origin: &Origin, before: Option<&Snapshot>) {
        let after = self.handle.current();
        let (changes, records_changed) =
            before.map(|before| views::changes(before, &after, RECORDS)).unwrap_or_default();
        let event = EventView {
            kind: EventKind::Reload,
            turn: if before.is_some() { Turn::Better } else { Turn::Worse },
            subject: Some("configuration".into()),
            text: origin.text.clone(),
            actor: origin.actor.as_ref().map(|actor| actor.name.clone()),
            from: origin.actor.as_ref().and_then(|actor| Some(actor.from?.to_string())),
            reason: origin.reason.clone(),
            changes,
            records_changed,
            ..self.event()
        };
        self.keep_event(event);
    }

    /// Lets overrides end whose time has come, and gradual moves go on.
    pub(super) fn advance_overrides(&mut self) {
        let now = clock::now();
        // What is being stored was tried on these.
        if self.storing.is_some() || self.state.is_unforced() {
            return;
        }
        let lapsed = self.state.overrides.lapse(self.state.moment(now));
        if !lapsed.is_empty() {
            let overrides = self.state.overrides.clone();
            self.pending |= self.state.set_overrides(overrides, now);
            self.show_overrides();
        }
        self.pending |= self.state.force(now);
        self.note_lapsed(lapsed);
    }

    /// Tells, keeps and stores that overrides have come to their end by themselves.
    pub(super) fn note_lapsed(&mut self, lapsed: Vec<Lapsed>) {
        if lapsed.is_empty() {
            return;
        }
        if let Some(store) = &self.wiring.store {
            store.keep_overrides(&self.state.overrides);
        }
        let moment = self.state.moment(clock::now());
        for Lapsed { what, returns } in lapsed {
            let verb = match (returns, &what.force) {
                (true, _) => "comes to its end, and returns gradually",
                (false, Force::Drain(drain)) if drain.to == 0.0 => "has returned",
                (false, _) => "has come to its end",
            };
            let text = format!("{} {verb}", title(&what));
            tracing::info!(region = &*what.region, "{text}");
            let event = EventView {
                kind: EventKind::OverrideEnded,
                text,
                region: Some(what.region.to_string()),
                record: what.record.as_ref().map(ToString::to_string),
                actor: Some(what.actor.clone()),
                reason: what.reason.clone(),
                override_id: Some(what.id),
                lasted_secs: Some(moment.since(what.since).as_secs_f64()),
                ..self.event()
            };
            self.keep_event(event);
        }
    }

    /// Notes that the system's clock was set: nothing depends on it, but times that are told do.
    pub(super) fn watch_clock(&mut self) {
        let offset = self.clock_offset();
        self.state.set_wall_ahead(offset);
        let by = offset - self.offset;
        if by.unsigned_abs() <= SET.as_millis() {
            return;
        }
        self.offset = offset;
        let way = if by > 0 { "ahead" } else { "back" };
        let by = Duration::from_millis(u64::try_from(by.unsigned_abs()).unwrap_or(u64::MAX));
        let by = tell::whole_secs(by);
        let text = format!(
            "the system's clock was set {way} by {by}; nothing but maintenance windows goes by it"
        );
        tracing::warn!("{text}");
        self.keep_event(EventView { kind: EventKind::ClockSet, text, ..self.event() });
    }

    /// How far the wall clock is ahead of the timeline of the state, in milliseconds.
    pub(super) fn clock_offset(&self) -> i128 {
        let moment = self.state.moment(clock::now());
        i128::from(millis((self.wiring.wall)())) - i128::from(moment.0)
    }

    /// Shows how many overrides of each kind are in force.
    pub(super) fn show_overrides(&self) {
        let mut in_force = OverridesInForce::default();
        for one in &self.state.overrides.list {
            match one.force {
                Force::Drain(_) => in_force.drain += 1,
                Force::Down => in_force.force_down += 1,
                Force::Up => in_force.force_up += 1,
                Force::Weight(_) => in_force.weight += 1,
                Force::Shift(_) => in_force.shift += 1,
            }
        }
        self.wiring.metrics.overrides(in_force);
        for (id, region) in (0..).map(crate::model::RegionId).zip(&self.state.assembly.regions) {
            let forced = self.state.forces().of_region(id).weight;
            self.wiring.metrics.region_weight(&region.name, forced.unwrap_or(region.weight));
        }
    }
}
