//! What is asked of a family: every name that could matter, in several types and several ways.

use std::collections::BTreeSet;

use fastrand::Rng;
use trimtab::wire::{CLASS_IN, Name, rtype};

use crate::generate::{LABELS, below};
use crate::zone::{Family, MX, TXT, UNKNOWN};

/// The types that are asked for.
pub(crate) const TYPES: [u16; 12] = [
    rtype::A,
    rtype::AAAA,
    TXT,
    rtype::NS,
    rtype::SOA,
    rtype::CNAME,
    rtype::DNAME,
    rtype::DS,
    MX,
    rtype::ANY,
    UNKNOWN,
    666,
];
/// The names of a family that are asked for, beside those that it has.
const NAMES_MAX: usize = 120;

/// One query.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) name: Name,
    pub(crate) rtype: u16,
    /// The payload size that the client tells, and whether DO is set; `None`: no EDNS.
    pub(crate) edns: Option<(u16, bool)>,
    /// The message, its id 0.
    pub(crate) wire: Vec<u8>,
}

impl Question {
    fn new(name: &Name, rtype: u16, rng: &mut Rng) -> Self {
        let edns = match rng.u8(..10) {
            0..6 => Some(1232),
            6 | 7 => Some(rng.u16(512..1000)),
            _ => None,
        };
        let edns = edns.map(|payload| (payload, rng.u8(..4) == 0));
        let mut wire = vec![0, 0, rng.u8(..2), 0, 0, 1, 0, 0, 0, 0, 0, u8::from(edns.is_some())];
        let in_any_case = |octet: &u8| {
            if octet.is_ascii_lowercase() && rng.u8(..4) == 0 { octet ^ 0x20 } else { *octet }
        };
        wire.extend(name.as_wire().iter().map(in_any_case));
        wire.extend(rtype.to_be_bytes());
        wire.extend(CLASS_IN.to_be_bytes());
        if let Some((payload, dnssec_ok)) = edns {
            let [p1, p0] = payload.to_be_bytes();
            wire.extend([0, 0, 41, p1, p0, 0, 0, u8::from(dnssec_ok) << 7, 0, 0, 0]);
        }
        Self { name: name.clone(), rtype, edns, wire }
    }

    /// The most octets that the answer over UDP may have.
    pub(crate) fn limit(&self) -> usize {
        self.edns.map_or(512, |(payload, _)| usize::from(payload.min(1232)))
    }
}

/// All questions about a family.
pub(crate) fn questions(family: &Family, rng: &mut Rng) -> Vec<Question> {
    let mut questions = Vec::new();
    for name in names(family, rng) {
        for rtype in TYPES {
            questions.push(Question::new(&name, rtype, rng));
        }
    }
    questions
}

fn names(family: &Family, rng: &mut Rng) -> BTreeSet<Name> {
    let mut own = BTreeSet::new();
    own.extend(family.top.parent());
    for record in family.zones.iter().flat_map(|zone| &zone.records) {
        own.extend(record.data.target().cloned());
        let up = std::iter::successors(Some(record.owner.clone()), Name::parent);
        // Of the names with the most labels not every one between is asked for.
        own.extend(up.take_while(|name| name.labels() >= family.top.labels()).take(8));
    }
    let mut others = BTreeSet::new();
    for name in &own {
        let children: Vec<Name> = LABELS.iter().filter_map(|label| below(label, name)).collect();
        for child in children.iter().filter(|child| !own.contains(child)) {
            others.extend(below(LABELS[rng.usize(..LABELS.len())], child));
            others.insert(child.clone());
        }
    }
    let mut others: Vec<Name> = others.into_iter().collect();
    rng.shuffle(&mut others);
    own.extend(others.into_iter().take(NAMES_MAX));
    own
}
