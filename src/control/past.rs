//! What is known before anything is observed: from an earlier process, or nothing.

use std::collections::HashMap;
use std::time::Duration;

use crate::health::{Health, KeptCalming};
use crate::model::{Check, Destination, Moment};
use crate::wire::Name;

use super::aliases::Alias;
use super::memory::LastGood;
use super::overrides::Overrides;
use super::plans::Plans;
use super::replies::Reply;
use super::timeline::Timeline;
use super::views::EventView;

/// What an earlier process has left behind. A function from a check and where it is probed is one
/// that knows of health alone.
pub trait Past {
    /// The health of a target.
    fn health(&self, check: &Check, destination: &Destination) -> Option<Health>;

    /// The round-trip time to a region.
    fn rtt(&self, _region: &str) -> Option<Duration> {
        None
    }

    /// The last good health of a record.
    fn last_good(&self, _record: &str) -> Option<LastGood> {
        None
    }

    /// What was known of the name behind an alias.
    fn alias(&self, _name: &Name) -> Option<Alias> {
        None
    }

    /// The timeline that goes on; `None`: a new one begins.
    fn timeline(&self) -> Option<Timeline> {
        None
    }

    /// What is remembered of the calming of pools, by name, as of a moment.
    fn calming(&self) -> Vec<(String, Moment, [Option<KeptCalming>; 2])> {
        Vec::new()
    }

    /// What operators force.
    fn overrides(&self) -> Overrides {
        Overrides::default()
    }

    /// What is planned.
    fn plans(&self) -> Plans {
        Plans::default()
    }

    /// What has happened.
    fn events(&self) -> Vec<EventView> {
        Vec::new()
    }

    /// What an operator should know of what was left behind.
    fn trouble(&self) -> Option<String> {
        None
    }

    /// What was answered to commands, by idempotency key.
    fn replies(&self) -> HashMap<String, Reply> {
        HashMap::new()
    }
}

impl<F: Fn(&Check, &Destination) -> Option<Health>> Past for F {
    fn health(&self, check: &Check, destination: &Destination) -> Option<Health> {
        self(check, destination)
    }
}
