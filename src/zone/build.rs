//! Lays out the index: which names exist, in which zone, and what each of them is.
//!
//! The order matters. Delegations and DNAMEs go in first, the upper before the lower, so that
//! every later name can be asked what stands above it. Then all other owners, the empty
//! non-terminals between them and their apex, the dynamic names, and at last the links.

use std::collections::HashSet;

use crate::model::RecordId;
use crate::problem::{Place, Problem, Problems};
use crate::wire::{Key, Name, Suffix, hash_name, rtype};

use super::apexes::Apexes;
use super::cross::{self, Dynamic};
use super::entry::{EntryId, NONE, Zone, ZoneId, flag};
use super::findings::Findings;
use super::label::{count, is_wildcard, parent, show, show_type};
use super::loaded::{Loaded, Record, runs};
use super::names::Names;
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

struct Builder {
    names: Names,
    apexes: Apexes,
    /// For each zone whether it has delegations or DNAMEs below its apex, or a DNAME at it.
    has_marks: Vec<bool>,
    /// For each zone whether another one is below it.
    has_nested: Vec<bool>,
}

/// What stands above an owner in its zone.
enum Above {
    Nothing,
    Cut(EntryId),
    Dname(EntryId),
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
            own.soa_ttl = soa.ttl;
            let minimum = own.soa.last_chunk().map_or(0, |last| u32::from_be_bytes(*last));
            own.negative_ttl = soa.ttl.min(minimum);
        }
    }

    /// Enters one owner with what of it can be reached.
    fn owner(&mut self, number: u32, zone: &Loaded, records: &[Record], findings: &mut Findings) {
        let Some(first) = records.first() else { return };
        let owner = zone.owner(first);
        let at = number as usize;
        if self.has_nested.get(at) == Some(&true)
            && let Some(child) = self.apexes.deepest(owner).filter(|&deepest| deepest != number)
        {
            return self.leave_to(child, number, zone, records, findings);
        }
        let above = if self.has_marks.get(at) == Some(&true) {
            self.above(owner, number)
        } else {
            Above::Nothing
        };
        let is_apex = owner == zone.apex().as_wire();
        let has = |wanted| records.iter().any(|record| record.rtype == wanted);
        let is_cut = has(rtype::NS) && !is_apex && matches!(above, Above::Nothing);
        let is_seen = |record: &Record| match above {
            Above::Dname(_) => false,
            Above::Cut(_) => matches!(record.rtype, rtype::A | rtype::AAAA),
            // Beside its own data a delegation has those of DNSSEC, and glue.
            Above::Nothing if is_cut => {
                matches!(record.rtype, rtype::NS | rtype::A | rtype::AAAA | rtype::DS | 46 | 47)
            }
            Above::Nothing => true,
        };
        // A DNAME beside a delegation is an error already.
        let is_told = |record: &&Record| is_cut && record.rtype == rtype::DNAME;
        let mut hidden = records.iter().filter(|record| !is_seen(record) && !is_told(record));
        if let Some(hidden) = hidden.next() {
            findings.push(self.hidden(zone, hidden, &above));
        }
        if !records.iter().any(is_seen) {
            return;
        }
        let mut flags = 0;
        for (is_set, flag) in [
            (is_apex, flag::APEX),
            (is_cut, flag::CUT),
            (has(rtype::DNAME) && matches!(above, Above::Nothing) && !is_cut, flag::DNAME),
            (has(rtype::CNAME) && matches!(above, Above::Nothing), flag::CNAME),
        ] {
            flags |= if is_set { flag } else { 0 };
        }
        if let Some(has_marks) = self.has_marks.get_mut(at) {
            *has_marks |= flags & (flag::CUT | flag::DNAME) > 0;
        }
        let Some(id) = self.names.insert(owner, number, flags) else { return };
        let mut rrsets = 0;
        for range in runs(records, |a, b| a.rtype == b.rtype) {
            let rrset = records.get(range).unwrap_or_default();
            if rrset.first().is_some_and(is_seen) {
                rrsets += u16::from(self.names.write(zone, rrset).is_some());
            }
        }
        if let Some(entry) = self.names.entries.get_mut(id.0 as usize) {
            entry.rrsets = rrsets;
        }
    }

    /// The parent's data at or below the apex of a zone that is served here too: of all that,
    /// only the DS RRset is of use.
    fn leave_to(
        &mut self,
        child: u32,
        number: u32,
        zone: &Loaded,
        records: &[Record],
        findings: &mut Findings,
    ) {
        let Some(first) = records.first() else { return };
        let owner = zone.owner(first);
        let child_labels = self.names.zone(ZoneId(child)).apex_labels;
        let is_its_parent = self.names.zone(ZoneId(child)).parent == Some(ZoneId(number));
        if is_its_parent && count(owner) == child_labels {
            let is_ds = |record: &&Record| record.rtype == rtype::DS;
            let ds: Vec<Record> = records.iter().filter(is_ds).copied().collect();
            let at = self.names.write(zone, &ds);
            if let Some(own) = self.names.zones.get_mut(child as usize) {
                own.parent_ds = at;
            }
        }
        let is_expected = |r: &Record| {
            matches!(r.rtype, rtype::NS | rtype::DS | rtype::A | rtype::AAAA | 46 | 47)
        };
        if let Some(other) = records.iter().find(|record| !is_expected(record)) {
            let key = format!("{} {}", show(owner), show_type(other.rtype));
            let found = "data of a name that is in a deeper zone served here";
            let wanted = "them in that zone; they are not used here";
            findings.push(Problem::warning(zone.place(other), key, found, wanted));
        }
    }

    /// The topmost delegation or DNAME above an owner, within its zone.
    fn above(&self, owner: &[u8], number: u32) -> Above {
        let mut key = Key::ROOT;
        let mut room = [Suffix { at: 0, labels: 0, hash: 0 }; 128];
        key.read(owner);
        let labels = self.names.zone(ZoneId(number)).apex_labels;
        let suffixes = key.suffixes(&mut room);
        for suffix in suffixes.iter().skip(usize::from(labels)).filter(|s| s.at > 0) {
            let name = owner.get(usize::from(suffix.at)..).unwrap_or_default();
            let Some(id) = self.names.exact(suffix.hash, name) else { continue };
            let entry = self.names.entry(id);
            if entry.is_cut() {
                return Above::Cut(id);
            }
            if entry.has_dname() {
                return Above::Dname(id);
            }
        }
        Above::Nothing
    }

    fn hidden(&self, zone: &Loaded, record: &Record, above: &Above) -> Problem {
        let owner = zone.owner(record);
        let key = format!("{} {}", show(owner), show_type(record.rtype));
        let (found, wanted) = match above {
            Above::Dname(id) => (
                format!("data below the DNAME {}", show(self.names.owner(*id))),
                "nothing below a DNAME (RFC 6672 section 2.4); it is never answered",
            ),
            Above::Cut(id) => (
                format!("data below the delegation {}", show(self.names.owner(*id))),
                "only A and AAAA of nameservers there; the rest is never answered",
            ),
            Above::Nothing => (
                "data beside a delegation".to_owned(),
                "only NS, DS and addresses there; the rest is never answered",
            ),
        };
        Problem::warning(zone.place(record), key, found, wanted)
    }

    /// The names between an entry and its apex that nothing was written for (RFC 4592 section
    /// 2.2.2), those above a nested zone too.
    fn between(&mut self) {
        let mut owner = Vec::new();
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
