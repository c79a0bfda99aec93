//! What is bad to the eye: held against what events have said.

use std::collections::HashSet;

use crate::app::resolve::probed;
use crate::config::Topic;
use crate::model::{Family, RecordId, subject};
use crate::routing::{Assembly, Snapshot};
use crate::webhook::Message;
use crate::wire::Name;

/// What is to be seen.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sight {
    /// Targets that are down, as the subjects of their events.
    pub(super) down: HashSet<String>,
    /// Targets that there are, as the subjects of their events.
    pub(super) targets: HashSet<String>,
    /// Records that are all down, as the subjects of their events.
    pub(super) all_down: HashSet<String>,
    /// Plans that were given up lately, as the subjects of their events.
    pub(super) given_up: HashSet<String>,
    /// Regions that there are.
    pub(super) regions: HashSet<String>,
}

impl Sight {
    /// Whether what began with a message can still be so. What cannot be seen is believed, as long as
    /// there is whom it is about.
    pub(super) fn shows(&self, began: &Message) -> bool {
        let subject = began.subject.as_deref().unwrap_or_default();
        let is_target = |subject: &str| self.targets.contains(subject);
        match began.topic {
            Some(Topic::Transition) if is_of_state(began) => self.down.contains(subject),
            Some(Topic::Transition) if subject.contains(": ") => {
                let of = [" silent", " degraded"].iter().find_map(|end| subject.strip_suffix(end));
                is_target(of.unwrap_or(subject))
            }
            Some(Topic::AllDown) => self.all_down.contains(subject),
            Some(Topic::Certificate) => {
                is_target(subject.strip_suffix(" certificate").unwrap_or(subject))
            }
            Some(Topic::Plan) => self.given_up.contains(subject),
            _ => began.region.as_ref().is_none_or(|region| self.regions.contains(region)),
        }
    }
}

/// Whether a target went down: that has a cause. What it says of itself, or that it cannot be asked, has
/// none beside its sentence.
pub(super) fn is_of_state(began: &Message) -> bool {
    began.topic == Some(Topic::Transition) && began.reason.is_some()
}

/// All targets of an assembly, as the subjects of their events.
pub(super) fn targets(assembly: &Assembly) -> HashSet<String> {
    let all = probed(&assembly.regions, &assembly.pools).into_iter();
    all.map(|(check, destination)| subject(&destination, &check.name)).collect()
}

/// Which of these records are all down, and in which families, as the subjects of events.
pub(super) fn all_down(snapshot: &Snapshot, records: &HashSet<Name>) -> HashSet<String> {
    let mut found = HashSet::new();
    if records.is_empty() {
        return found;
    }
    for (id, record) in (0..).map(RecordId).zip(&snapshot.assembly.records) {
        if !records.contains(&record.name) {
            continue;
        }
        for family in Family::BOTH {
            let classes = snapshot.side(id, family).map(|(_, side)| side.classes());
            let mut classes = classes.unwrap_or_default().iter();
            if classes.any(|class| class.distribution.reason.is_all_down()) {
                found.insert(format!("{} {}", record.name, family.name()));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::Value;

    use super::*;
    use crate::webhook::Turn;

    #[rstest]
    #[case::down(Topic::Transition, "192.0.2.1: web", true, true)]
    #[case::up_again(Topic::Transition, "192.0.2.2: web", true, false)]
    #[case::gone(Topic::Transition, "192.0.2.3: web", true, false)]
    #[case::degraded_or_silent(Topic::Transition, "192.0.2.2: web", false, true)]
    #[case::degraded_and_gone(Topic::Transition, "192.0.2.3: web", false, false)]
    #[case::by_itself(Topic::Transition, "eu IPv4 by itself", false, true)]
    #[case::all_down(Topic::AllDown, "app.test IPv4", false, true)]
    #[case::released(Topic::AllDown, "app.test IPv6", false, false)]
    #[case::certificate(Topic::Certificate, "192.0.2.2: web certificate", false, true)]
    #[case::certificate_gone(Topic::Certificate, "192.0.2.3: web certificate", false, false)]
    #[case::damped(Topic::Damping, "eu IPv4", false, true)]
    #[case::given_up(Topic::Plan, "shift 3", true, true)]
    #[case::given_up_long_ago(Topic::Plan, "shift 2", true, false)]
    #[case::cut_off(Topic::SelfCheck, "self-check", false, true)]
    fn what_can_be_seen_is_seen_and_the_rest_believed(
        #[case] topic: Topic,
        #[case] subject: &str,
        #[case] caused: bool,
        #[case] wanted: bool,
    ) {
        let set = |all: &[&str]| all.iter().map(ToString::to_string).collect();
        let sight = Sight {
            down: set(&["192.0.2.1: web"]),
            targets: set(&["192.0.2.1: web", "192.0.2.2: web"]),
            all_down: set(&["app.test IPv4"]),
            given_up: set(&["shift 3"]),
            regions: set(&["eu"]),
        };
        let mut began = Message {
            id: "1".into(),
            time: String::new(),
            kind: String::new(),
            topic: Some(topic),
            turn: Turn::Worse,
            subject: Some(subject.into()),
            region: Some("eu".into()),
            record: None,
            text: String::new(),
            reason: caused.then(|| "web: HTTP 503".into()),
            data: Value::Null,
        };
        assert_eq!(sight.shows(&began), wanted);
        began.region = Some("us".into());
        let by_region = matches!(subject, "eu IPv4 by itself" | "eu IPv4" | "self-check");
        assert_eq!(sight.shows(&began), wanted && !by_region);
    }
}
