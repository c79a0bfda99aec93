//! What answers for a name, in each of two configurations.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use crate::dns::{self, Desk, Reply};
use crate::model::{Family, RecordId};
use crate::routing::{Asker, Snapshot};
use crate::wire::{Name, rtype};

use super::movement::Goal;

/// What answers for a name in one configuration.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Way {
    /// A record whose answers are shared out.
    Record {
        /// Which.
        id: RecordId,
        /// Whether CNAMEs of the zone lead to it.
        by_alias: bool,
    },
    /// The same for everybody.
    Fixed(Goal),
}

/// What is asked for, as far as it makes a difference.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Target {
    /// By the configuration in use, and by the other.
    pub(super) ways: [Way; 2],
    /// A or AAAA.
    pub(super) family: Family,
}

/// The names that were asked for.
#[derive(Debug, Default)]
pub(super) struct Names {
    desk: Desk,
    /// For each family; `None` where neither configuration has a dynamic record for the name.
    known: [HashMap<Box<str>, Option<usize>>; 2],
    numbers: HashMap<Target, usize>,
    /// All there are: few, for the names under a wildcard have one.
    pub(super) targets: Vec<Target>,
}

/// So many names are remembered; whoever asks for more has made them up.
const NAMES: usize = 200_000;

impl Names {
    /// The target behind a name as it is written, unless neither configuration has a dynamic record
    /// there.
    ///
    /// # Errors
    /// When it is no name, in words.
    pub(super) fn target(
        &mut self,
        snapshots: [&Snapshot; 2],
        text: &str,
        family: Family,
    ) -> Result<Option<usize>, String> {
        let [v4, v6] = &mut self.known;
        let known = match family {
            Family::V4 => v4,
            Family::V6 => v6,
        };
        if let Some(target) = known.get(text) {
            return Ok(*target);
        }
        let name = Name::from_text(text).map_err(|error| format!("name {text:?}: {error}"))?;
        let ways = snapshots.map(|snapshot| way(&mut self.desk, snapshot, &name, family));
        let is_dynamic = ways.iter().any(|way| matches!(way, Way::Record { .. }));
        let target = is_dynamic.then(|| {
            let target = Target { ways, family };
            *self.numbers.entry(target).or_insert_with_key(|target| {
                self.targets.push(target.clone());
                self.targets.len() - 1
            })
        });
        if known.len() >= NAMES {
            known.clear();
        }
        known.insert(text.into(), target);
        Ok(target)
    }
}

fn way(desk: &mut Desk, snapshot: &Snapshot, name: &Name, family: Family) -> Way {
    let names = &snapshot.names;
    if let Some(id) = names.node(name).and_then(|node| names.entry(node).record()) {
        return Way::Record { id, by_alias: false };
    }
    let qtype = match family {
        Family::V4 => rtype::A,
        Family::V6 => rtype::AAAA,
    };
    let nobody = Asker { source: Ipv4Addr::UNSPECIFIED.into(), subnet: None };
    let Some(reply) = desk.ask(snapshot, name, qtype, &nobody) else {
        return Way::Fixed(Goal::Failure);
    };
    match dns::led(snapshot, name, &reply) {
        dns::Led { record: Some(id), anew: false, .. } => Way::Record { id, by_alias: true },
        _ => Way::Fixed(fixed(&reply)),
    }
}

/// What a reply that no policy made leads to.
fn fixed(reply: &Reply) -> Goal {
    match &*reply.rcode {
        "NOERROR" if reply.answer.iter().any(|record| record.rtype != "CNAME") => Goal::ZoneData,
        "NOERROR" if !reply.answer.is_empty() => Goal::OtherName,
        "NOERROR" if !reply.authoritative => Goal::Delegated,
        "NOERROR" => Goal::NoAddress,
        "NXDOMAIN" => Goal::NoSuchName,
        "REFUSED" => Goal::NotServed,
        _ => Goal::Failure,
    }
}
