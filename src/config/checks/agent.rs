//! The keys of agent checks.

use crate::config::table::Table;
use crate::model::{self, AgentProbe};

/// The most that is sent to an agent, in octets.
const SEND_MAX: usize = 1024;

/// What is sent to an agent.
pub(super) fn read(t: &Table<'_>) -> model::Probe {
    let mut probe = AgentProbe::default();
    t.set("send", &mut probe.send, |v| {
        let fits = |text: &str| (1..=SEND_MAX).contains(&text.len());
        v.parsed("a text of 1 to 1024 octets", |text| fits(text).then(|| Some(text.into())))
    });
    model::Probe::Agent(probe)
}
