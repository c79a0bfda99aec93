//! What is told of the names behind aliases.

use super::handle::Metrics;
use crate::clock::SystemTime;
use crate::model::Family;

impl Metrics {
    /// How many addresses of a family a name was looked up to have.
    pub fn alias_addresses(&self, name: &str, family: Family, count: usize) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let addresses = &self.gauges.alias_addresses;
        addresses.update([name, family.label()], |level| level.0 = count);
        // They exist from the start, so that the first failure shows as an increase.
        for result in ["found", "failed"] {
            self.gauges.alias_lookups.update([name, result], |_| ());
        }
    }

    /// A name was looked up.
    pub fn alias_looked(&self, name: &str, found: bool) {
        let result = if found { "found" } else { "failed" };
        self.gauges.alias_lookups.update([name, result], |count| count.0 += 1);
    }

    /// A look at a name came to an answer then, and none since.
    pub fn alias_found(&self, name: &str, at: SystemTime) {
        let unix = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let unix = u32::try_from(unix).unwrap_or(u32::MAX);
        self.gauges.alias_found.update([name], |level| level.0 = unix);
    }
}
