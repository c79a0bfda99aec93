//! Lays out the index: which names exist, in which zone, and what each of them is.
//!
//! The order matters. Delegations and DNAMEs go in first, the upper before the lower, so that
//! every later name can be asked what stands above it. Then all other owners, the empty
//! non-terminals between them and their apex, the dynamic names, and at last the links.

use std::collections::HashSet;

use crate::model::RecordId;
use crate::problem::{Place, Problem, Problems};
use crate::wire::{Name, hash_name, rtype};

use super::apexes::Apexes;
use super::cross::{self, Dynamic};
use super::entry::{EntryId, NONE, Zone, ZoneId, flag};
use super::findings::Findings;
use super::label::{count, is_wildcard, parent};
use super::loaded::Loaded;
use super::names::Names;
use super::owners::Above;
use super::short::ShortSoa;
use super::table::Table;

impl Names {
    /// Builds the index of all zones and dynamic names.
    ///
    /// Of nested zones the deepest holds a name. What cannot be served as it was written (a
    /// dynamic record beside a CNAME, beside A or AAAA, below a delegation or a DNAME, or outside
    /// every zone) goes to `problems` with its place; data that nothing can reach are a warning.
    /// With an error among the problems the index is not fit to be served.
    pub fn build(
        zones: Vec<Loaded>,
        dynamic: &[(Name, RecordId, Place)],
        problems: &mut Problems,
    ) -> Self {
        cross::zones(&zones, problems);
        let apexes = Apexes::of(&zones);
        let dynamic = cross::dynamic(&zones, &apexes, dynamic, problems);
        let dynamic_names: HashSet<&[u8]> = dynamic.iter().map(|d| d.name.as_wire()).collect();
        for (number, zone) in (0..).zip(&zones) {
            cross::nameservers(number, zone, &apexes, &dynamic_names, problems);
        }
        let mut builder = Builder::with_room(&zones, &dynamic, apexes);
        let whole = zones.first().map(|zone| zone.whole().clone());
        for (number, zone) in (0..).zip(zones) {
            builder.zone(number, zone, problems);
        }
        builder.between();
        builder.dynamic(&dynamic);
        builder.link();
        if let (true, Some(place)) = (builder.names.is_full, whole) {
            let wanted = "at most 4 GiB of names and data in one server";
            problems.push(Problem::error(place, "zones", "zones of over 4 GiB", wanted));
        }
        builder.names.blob.shrink_to_fit();
        builder.names.entries.shrink_to_fit();
        builder.names
    }
}

/// The index while it is built, and what its zones have in common.
pub(super) struct Builder {
    pub(super) names: Names,
    pub(super) apexes: Apexes,
    /// For each zone whether it has delegations or DNAMEs below its apex, or a DNAME at it.
    pub(super) has_marks: Vec<bool>,
    /// For each zone whether another one is below it.
    pub(super) has_nested: Vec<bool>,
}

impl Builder {
    fn with_room(zones: &[Loaded], dynamic: &[Dynamic], apexes: Apexes) -> Self {
        let owners = zones.iter().map(|zone| zone.owners().count() + 1).sum::<usize>();
        let room = owners + dynamic.len();
        let mut has_nested = vec![false; zones.len()];
        let mut list = vec![Zone::NOWHERE; zones.len()];
        for (zone, own) in zones.iter().zip(&mut list) {
            own.apex_labels = count(zone.apex().as_wire());
            own.parent = apexes.above(zone.apex().as_wire()).map(ZoneId);
            if let Some(above) = own.parent.and_then(|above| has_nested.get_mut(above.0 as usize)) {
                *above = true;
            }
        }
        let names = Names {
            table: Table::with_room(room),
            entries: Vec::with_capacity(room),
            blob: Vec::new(),
            zones: list,
            most_labels: 0,
            added: 0,
            is_full: false,
        };
        let has_marks = vec![false; zones.len()];
        Self { names, apexes, has_marks, has_nested }
    }

    /// Enters the owners of one zone, and lets go of it.
    fn zone(&mut self, number: u32, zone: Loaded, problems: &mut Problems) {
        if self.apexes.deepest(zone.apex().as_wire()) != Some(number) {
            return; // a second one of this name
        }
        let mut findings = Findings::default();
        let from = self.names.entries.len() as u32;
        let apex = zone.apex().as_wire();
        let (mut marked, mut has_apex) = (Vec::new(), false);
        for range in zone.owners() {
            let records = zone.records.get(range.clone()).unwrap_or_default();
            let Some(first) = records.first() else { continue };
            let is_apex = zone.owner(first) == apex;
            has_apex |= is_apex;
            if is_apex || records.iter().any(|r| matches!(r.rtype, rtype::NS | rtype::DNAME)) {
                marked.push((count(zone.owner(first)), range));
            }
        }
        if !has_apex {
            self.names.insert(apex, number, flag::APEX);
        }
        marked.sort_by_key(|(labels, range)| (*labels, range.start));
        for (_, range) in &marked {
            let records = zone.records.get(range.clone()).unwrap_or_default();
            self.owner(number, &zone, records, &mut findings);
        }
        let mut marked: Vec<usize> = marked.iter().map(|(_, range)| range.start).collect();
        marked.sort_unstable();
        for range in zone.owners().filter(|range| marked.binary_search(&range.start).is_err()) {
            let records = zone.records.get(range).unwrap_or_default();
            self.owner(number, &zone, records, &mut findings);
        }
        self.authority(number, &zone);
        if let Some(own) = self.names.zones.get_mut(number as usize) {
            own.entries = from..self.names.entries.len() as u32;
            own.hidden.shrink_to_fit();
        }
        findings.report(&zone.apex().to_string(), zone.whole(), problems);
    }

    /// Keeps what negative answers need.
    fn authority(&mut self, number: u32, zone: &Loaded) {
        let wire = zone.apex().as_wire();
        let apex = self.names.exact(hash_name(wire), wire);
        let soa = zone.find(wire).find(|record| record.rtype == rtype::SOA);
        let Some(own) = self.names.zones.get_mut(number as usize) else { return };
        own.apex = apex.unwrap_or(EntryId(NONE));
        if let Some(soa) = soa {
            own.soa = zone.prefixed(&soa).to_vec();
            own.short_soa = ShortSoa::new(&own.soa, wire);
            own.soa_ttl = soa.ttl;
            let minimum = own.soa.last_chunk().map_or(0, |last| u32::from_be_bytes(*last));
            own.negative_ttl = soa.ttl.min(minimum);
        }
    }

    /// The names between an entry and its apex that nothing was written for (RFC 4592 section
    /// 2.2.2), those above a nested zone too.
    fn between(&mut self) {
        let mut owner = Vec::new();
        self.names.added = self.names.entries.len() as u32;
        for number in 0..self.names.entries.len() as u32 {
            let entry = *self.names.entry(EntryId(number));
            let home = if entry.is_apex() {
                match self.parent_zone(number) {
                    Some(parent) => parent.0,
                    None => continue,
                }
            } else {
                entry.zone
            };
            if entry.labels > self.names.zone(ZoneId(home)).apex_labels + 1 {
                owner.clear();
                owner.extend_from_slice(self.names.owner(EntryId(number)));
                self.chain(&owner, home);
            }
        }
    }

    /// The zone above an apex; lets go of it when a delegation or a DNAME is between the two.
    fn parent_zone(&mut self, apex: u32) -> Option<ZoneId> {
        let zone = self.names.entry(EntryId(apex)).zone();
        let above = self.names.zone(zone).parent?;
        let is_free = match self.has_marks.get(above.0 as usize) {
            Some(true) => {
                matches!(self.above(self.names.owner(EntryId(apex)), above.0), Above::Nothing)
            }
            _ => true,
        };
        if is_free {
            return Some(above);
        }
        if let Some(own) = self.names.zones.get_mut(zone.0 as usize) {
            own.parent = None;
            own.parent_ds = None;
        }
        None
    }

    /// Enters the names above `owner` that are missing.
    fn chain(&mut self, owner: &[u8], zone: u32) {
        let labels = self.names.zone(ZoneId(zone)).apex_labels;
        let mut name = owner;
        while let Some(above) = parent(name) {
            if count(above) <= labels || self.names.exact(hash_name(above), above).is_some() {
                return;
            }
            self.names.insert(above, zone, 0);
            name = above;
        }
    }

    fn dynamic(&mut self, dynamic: &[Dynamic]) {
        for Dynamic { name, record, zone } in dynamic {
            let wire = name.as_wire();
            let id = match self.names.exact(hash_name(wire), wire) {
                Some(id) => Some(id),
                None => {
                    self.chain(wire, *zone);
                    self.names.insert(wire, *zone, 0)
                }
            };
            if let Some(entry) = id.and_then(|id| self.names.entries.get_mut(id.0 as usize)) {
                entry.record = record.0;
            }
            if let Some(zone) = self.names.zones.get_mut(*zone as usize) {
                zone.has_dynamic = true;
            }
        }
    }

    /// Tells each name its wildcard and its delegation.
    fn link(&mut self) {
        for number in 0..self.names.entries.len() as u32 {
            let id = EntryId(number);
            let (entry, owner) = (*self.names.entry(id), self.names.owner(id));
            let above = parent(owner).filter(|_| is_wildcard(owner) && !entry.is_apex());
            let above = above.and_then(|above| self.names.exact(hash_name(above), above));
            let cut = match self.has_marks.get(entry.zone as usize) {
                Some(true) if entry.is_cut() => number,
                Some(true) => match self.above(owner, entry.zone) {
                    Above::Cut(EntryId(cut)) => cut,
                    Above::Dname(_) | Above::Nothing => NONE,
                },
                _ => NONE,
            };
            if let Some(above) =
                above.and_then(|above| self.names.entries.get_mut(above.0 as usize))
            {
                above.wildcard = number;
            }
            if let Some(entry) = self.names.entries.get_mut(number as usize) {
                entry.cut = cut;
            }
        }
    }
}
