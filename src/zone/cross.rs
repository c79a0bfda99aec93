//! What must hold between zones, their nameservers and the dynamic records.
//!
//! It is checked on the records as they were read, before the index is laid out, because they
//! still know the lines where they were written.

use std::collections::HashSet;

use crate::model::RecordId;
use crate::problem::{Place, Problem, Problems};
use crate::wire::{Name, rtype};

use super::apexes::Apexes;
use super::findings::Findings;
use super::label::{ancestors, is_within, show, show_type};
use super::loaded::{Loaded, Record};

/// A dynamic record that fits into its zone.
pub(super) struct Dynamic {
    pub(super) name: Name,
    pub(super) record: RecordId,
    pub(super) zone: u32,
}

/// Two zones of one name: the second is refused.
pub(super) fn zones(zones: &[Loaded], problems: &mut Problems) {
    let mut seen = HashSet::new();
    for zone in zones.iter().filter(|zone| !seen.insert(zone.apex())) {
        let key = zone.apex().to_string();
        let wanted = "each zone once; names are compared without case";
        problems.push(Problem::error(zone.whole().clone(), key, "the zone a second time", wanted));
    }
}

/// The dynamic records that can be served beside what the zones hold; the others are reported.
pub(super) fn dynamic(
    zones: &[Loaded],
    apexes: &Apexes,
    dynamic: &[(Name, RecordId, Place)],
    problems: &mut Problems,
) -> Vec<Dynamic> {
    let mut seen = HashSet::new();
    let mut good = Vec::with_capacity(dynamic.len());
    for (name, record, place) in dynamic {
        let home = apexes.deepest(name.as_wire());
        let Some((number, zone)) = home.and_then(|n| Some((n, zones.get(n as usize)?))) else {
            let wanted = "a name in one of the zones";
            let problem = Problem::error(
                place.clone(),
                name.to_string(),
                "a record outside every zone",
                wanted,
            );
            problems.push(problem);
            continue;
        };
        if !seen.insert(name) {
            let wanted = "one dynamic record for a name";
            problems.push(Problem::error(
                place.clone(),
                name.to_string(),
                "a second dynamic record",
                wanted,
            ));
        } else if let Some((found, wanted)) = conflict(zone, name) {
            problems.push(Problem::error(place.clone(), name.to_string(), found, wanted));
        } else {
            good.push(Dynamic { name: name.clone(), record: *record, zone: number });
        }
    }
    good
}

/// What the zone holds that leaves no room for a dynamic record.
fn conflict(zone: &Loaded, name: &Name) -> Option<(String, String)> {
    let beside = zone
        .find(name.as_wire())
        .find(|record| matches!(record.rtype, rtype::A | rtype::AAAA | rtype::CNAME));
    if let Some(record) = beside {
        let found = format!("a dynamic record beside {}", describe(zone, &record));
        return Some((found, "either of them, not both".to_owned()));
    }
    let above = obstacle(zone, name.as_wire(), true)?;
    let is_same = zone.owner(&above) == name.as_wire();
    let word = if is_same { "at" } else { "below" };
    let found = format!("a dynamic record {word} {}", describe(zone, &above));
    Some((found, "a name for which this zone answers itself".to_owned()))
}

/// `CNAME www.example.com (zones/example.com.zone line 7)`.
fn describe(zone: &Loaded, record: &Record) -> String {
    let owner = show(zone.owner(record));
    let at = match zone.place(record) {
        Place::Line { path, line, .. } => format!(" ({} line {line})", path.display()),
        Place::File(_) | Place::Span(..) => String::new(),
    };
    format!("{} {owner}{at}", show_type(record.rtype))
}

/// The topmost delegation at or above a name, or DNAME above it.
fn obstacle(zone: &Loaded, name: &[u8], or_dname: bool) -> Option<Record> {
    let apex = zone.apex().as_wire();
    let mut top = None;
    for above in ancestors(name) {
        let is_apex = above.len() == apex.len();
        let found = zone.find(above).find(|record| match record.rtype {
            rtype::NS => !is_apex,
            rtype::DNAME => or_dname && above.len() < name.len(),
            _ => false,
        });
        top = found.or(top);
        if is_apex {
            break;
        }
    }
    top
}

/// Nameservers in the zone must have addresses: they cannot be looked up anywhere else.
pub(super) fn nameservers(
    number: u32,
    zone: &Loaded,
    apexes: &Apexes,
    dynamic: &HashSet<&[u8]>,
    problems: &mut Problems,
) {
    let apex = zone.apex().as_wire();
    let mut findings = Findings::default();
    let all = zone.records.iter().filter(|record| record.rtype == rtype::NS);
    for record in all.filter(|_| !zone.is_partial()) {
        let target = zone.rdata(record).to_ascii_lowercase();
        if !is_within(&target, apex) || apexes.deepest(&target) != Some(number) {
            continue;
        }
        let (mut has_address, mut is_alias) = (dynamic.contains(target.as_slice()), false);
        for at_target in zone.find(&target) {
            has_address |= matches!(at_target.rtype, rtype::A | rtype::AAAA);
            is_alias |= at_target.rtype == rtype::CNAME;
        }
        if has_address {
            continue;
        }
        let found = if is_alias {
            format!("the nameserver {}, an alias", show(&target))
        } else if is_elsewhere(zone, record, &target) || is_wild(zone, &target, dynamic) {
            continue;
        } else {
            format!("the nameserver {}, without an address", show(&target))
        };
        let key = format!("{} NS", show(zone.owner(record)));
        let problem = Problem::warning(
            zone.place(record),
            key,
            found,
            "an A or AAAA record for each nameserver in the zone (RFC 1034 section 4.2.1)",
        );
        let is_relative_twice = target.ends_with(&[strip_root(apex), apex].concat());
        findings.push(if is_relative_twice {
            problem.hint("a name that does not end with a dot has the origin put behind it")
        } else {
            problem
        });
    }
    findings.report(&zone.apex().to_string(), zone.whole(), problems);
}

fn strip_root(wire: &[u8]) -> &[u8] {
    wire.split_last().map_or(wire, |(_, labels)| labels)
}

/// Whether a nameserver is below another delegation than its own, which then knows its address.
fn is_elsewhere(zone: &Loaded, ns: &Record, target: &[u8]) -> bool {
    obstacle(zone, target, false).is_some_and(|cut| !zone.is_same_owner(&cut, ns))
}

/// Whether a wildcard above may give the target its address.
fn is_wild(zone: &Loaded, target: &[u8], dynamic: &HashSet<&[u8]>) -> bool {
    let above = ancestors(target).skip(1);
    above.take_while(|name| name.len() >= zone.apex().as_wire().len()).any(|name| {
        let wildcard = [b"\x01*", name].concat();
        dynamic.contains(wildcard.as_slice()) || zone.find(&wildcard).next().is_some()
    })
}
