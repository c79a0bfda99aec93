//! Which of the zones a name is in.

use std::collections::HashMap;

use super::label::{ancestors, parent};
use super::loaded::Loaded;

/// The names of all zones.
pub(super) struct Apexes(HashMap<Box<[u8]>, u32>);

impl Apexes {
    /// Of a list of zones, each by its position; of two with one name the first counts.
    pub(super) fn of(zones: &[Loaded]) -> Self {
        let mut apexes = HashMap::new();
        for (number, zone) in (0..).zip(zones) {
            apexes.entry(zone.apex().as_wire().into()).or_insert(number);
        }
        Self(apexes)
    }

    /// The deepest zone that a lower-case name is in.
    pub(super) fn deepest(&self, name: &[u8]) -> Option<u32> {
        ancestors(name).find_map(|name| self.0.get(name).copied())
    }

    /// The deepest zone that the parent of a lower-case name is in.
    pub(super) fn above(&self, name: &[u8]) -> Option<u32> {
        self.deepest(parent(name)?)
    }
}
