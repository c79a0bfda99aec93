//! Decides for each owner of a zone file what of it can be reached, while the index is built.

use crate::problem::Problem;
use crate::wire::{Key, rtype};

use super::build::Builder;
use super::entry::{EntryId, ZoneId, flag};
use super::findings::Findings;
use super::label::{count, show, show_type};
use super::loaded::{Loaded, Record, runs};

/// What stands above an owner in its zone.
pub(super) enum Above {
    Nothing,
    Cut(EntryId),
    Dname(EntryId),
}

impl Builder {
    /// Enters one owner with what of it can be reached.
    pub(super) fn owner(
        &mut self,
        number: u32,
        zone: &Loaded,
        records: &[Record],
        findings: &mut Findings,
    ) {
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
            return self.hide(number, zone, records, |_| true);
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
        self.hide(number, zone, records, |record| !is_seen(record));
    }

    /// Keeps for transfers those RRsets of an owner that are hidden.
    fn hide(
        &mut self,
        number: u32,
        zone: &Loaded,
        records: &[Record],
        is_hidden: impl Fn(&Record) -> bool,
    ) {
        let Some(first) = records.iter().find(|record| is_hidden(record)) else { return };
        let owner = zone.owner(first);
        let Some(mut hidden) = self.names.hidden_owner(owner) else { return };
        for range in runs(records, |a, b| a.rtype == b.rtype) {
            let rrset = records.get(range).unwrap_or_default();
            if rrset.first().is_some_and(&is_hidden) {
                hidden.rrsets += u16::from(self.names.write(zone, rrset).is_some());
            }
        }
        if let Some(own) = self.names.zones.get_mut(number as usize) {
            own.hidden.push(hidden);
        }
    }

    /// The parent's data at or below the apex of a zone that is served here too: of all that,
    /// only the DS RRset is ever answered.
    fn leave_to(
        &mut self,
        child: u32,
        number: u32,
        zone: &Loaded,
        records: &[Record],
        findings: &mut Findings,
    ) {
        let Some(first) = records.first() else { return };
        self.hide(number, zone, records, |_| true);
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
    pub(super) fn above(&self, owner: &[u8], number: u32) -> Above {
        let mut key = Key::ROOT;
        key.read(owner);
        let labels = self.names.zone(ZoneId(number)).apex_labels;
        let mut topmost = Above::Nothing;
        for suffix in key.suffixes().skip(1).take_while(|suffix| suffix.labels >= labels) {
            let name = owner.get(usize::from(suffix.at)..).unwrap_or_default();
            let Some(id) = self.names.exact(key.hash_of(suffix), name) else { continue };
            let entry = self.names.entry(id);
            if entry.is_cut() {
                topmost = Above::Cut(id);
            } else if entry.has_dname() {
                topmost = Above::Dname(id);
            }
        }
        topmost
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
}
