//! The key of icmp checks.

use crate::config::table::Table;
use crate::model::{self, IcmpProbe};

/// How many echo requests are sent.
pub(super) fn read(t: &Table<'_>) -> model::Probe {
    t.misplaced("port", "a key of an icmp check", "an echo request goes to no port");
    let mut count = 1;
    t.set("count", &mut count, |v| v.integer(1..=10));
    model::Probe::Icmp(IcmpProbe { count })
}
