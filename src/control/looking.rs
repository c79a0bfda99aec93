//! What becomes of each look behind an alias: sentences, events, metrics, and what is stored.

use std::net::IpAddr;

use super::aliases::{Alias, News};
use super::apply::{Event, apply};
use super::run::Control;
use super::tell;
use super::views::{EventKind, EventView, Turn};
use crate::clock;
use crate::model::{Endpoint, Family, Looked, Pool, Resolved};
use crate::wire::Name;

/// How many addresses a sentence lists before it only counts.
const LISTED: usize = 4;

impl Control {
    /// Takes in what looking a name up came to; what follows from it waits for its publication.
    pub(super) fn take_look(&mut self, looked: Looked) {
        let name = looked.name.clone();
        // A family that cannot be looked up does not keep the other from being stored.
        let any = looked.ttl_secs > 0;
        let effects = apply(&mut self.state, Event::Looked(looked), clock::now());
        let Some(news) = effects.news else { return };
        self.wiring.metrics.alias_looked(&name.to_string(), news.is.trouble.is_none());
        self.show_alias(&name, &news.is);
        if let Some(store) = self.wiring.store.as_ref().filter(|_| any) {
            store.keep_alias(&name, &news.is);
        }
        self.tell_look(&name, &news);
        self.pending |= effects.publish;
        if news.first {
            self.tell_settled();
        }
    }

    /// Shows what is known of every alias: after a start or a reload.
    pub(super) fn show_aliases(&self) {
        for (name, alias) in self.state.aliases.all() {
            self.show_alias(name, alias);
        }
    }

    fn show_alias(&self, name: &Name, alias: &Alias) {
        let (name, metrics) = (name.to_string(), &self.wiring.metrics);
        let count = |family| alias.resolved.as_ref().map_or(0, |found| count(found, family));
        for family in Family::BOTH {
            metrics.alias_addresses(&name, family, count(family));
        }
        if let Some(found) = alias.found {
            metrics.alias_found(&name, self.wall_of(found));
        }
    }

    /// The wall clock's time at a moment that has been.
    fn wall_of(&self, moment: crate::model::Moment) -> std::time::SystemTime {
        let wall = (self.wiring.wall)();
        let ago = self.state.moment(clock::now()).since(moment);
        wall.checked_sub(ago).unwrap_or(wall)
    }

    /// Tells and keeps that a name cannot be looked up, or can again; tells of other addresses.
    fn tell_look(&mut self, name: &Name, news: &News) {
        let News { was, is, .. } = news;
        let served = is.resolved.as_ref().map(listed);
        match (&was.trouble, &is.trouble) {
            (None, Some(why)) => {
                let rest = match &served {
                    Some(last) => format!("what it had before is served: {last}"),
                    None => "nothing is known of it, and it counts as down".into(),
                };
                let text = format!("the alias {name} cannot be looked up: {why}; {rest}");
                tracing::warn!(alias = %name, "{text}");
                self.note_look(name, is, Turn::Worse, text);
            }
            (Some(_), None) => {
                let served = served.unwrap_or_default();
                let text = format!("the alias {name} is looked up again: {served}");
                tracing::info!(alias = %name, "{text}");
                self.note_look(name, is, Turn::Better, text);
            }
            // What has many addresses may have others with each look: that is no event.
            _ if news.moved() && !news.first => tracing::info!(
                alias = %name,
                "the alias {name} has other addresses: {}; before: {}",
                served.unwrap_or_default(),
                was.resolved.as_ref().map(listed).unwrap_or_default()
            ),
            _ => {}
        }
    }

    fn note_look(&mut self, name: &Name, is: &Alias, turn: Turn, text: String) {
        let assembly = &self.state.assembly;
        let own = |pool: &&Pool| matches!(&pool.endpoint, Endpoint::Alias(own) if own == name);
        let pool = assembly.pools.iter().find(own);
        let region = pool.map(|pool| assembly.regions[pool.region.index()].name.to_string());
        let event = EventView {
            kind: EventKind::Lookup,
            turn,
            subject: Some(name.to_string()),
            region,
            record: pool.and_then(|pool| Some(pool.record.as_ref()?.to_string())),
            reason: is.trouble.as_ref().map(ToString::to_string),
            text,
            ..self.event()
        };
        self.keep_event(event);
    }
}

fn count(found: &Resolved, family: Family) -> usize {
    match family {
        Family::V4 => found.v4.len(),
        Family::V6 => found.v6.len(),
    }
}

/// `192.0.2.1, 192.0.2.2 and 7 more`.
fn listed(found: &Resolved) -> String {
    let v4 = found.v4.iter().copied().map(IpAddr::V4);
    let all: Vec<IpAddr> = v4.chain(found.v6.iter().copied().map(IpAddr::V6)).collect();
    tell::listed(all, LISTED, ", ")
}
