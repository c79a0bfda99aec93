//! What must hold within one zone, owner by owner; what depends on other zones and on dynamic
//! records is checked when the index is built.

use std::collections::HashSet;

use crate::problem::Problem;
use crate::wire::rtype;

use super::findings::Findings;
use super::label::{is_wildcard, show, show_type};
use super::loaded::{Loaded, Record, runs};

/// The most records in one RRset.
pub(super) const RRSET_MAX: usize = 100;
/// The most octets of an RRset's data, so that it fits a message with its owners, types and TTLs.
pub(super) const RRSET_OCTETS_MAX: usize = 65_535 - 512 - RRSET_MAX * 10;

/// Types that stand beside a CNAME (RFC 4034 section 2.5): RRSIG and NSEC.
const BESIDE_CNAME: [u16; 2] = [46, 47];

/// Checks sorted records, drops duplicates and what breaks a rule, and gives each RRset one TTL.
pub(super) fn settle(zone: &Loaded, records: &mut Vec<Record>, findings: &mut Findings) {
    let mut kept = Vec::with_capacity(records.len());
    let mut has_soa = false;
    for owner in runs(records, |a, b| zone.is_same_owner(a, b)) {
        let from = kept.len();
        let records = records.get(owner).unwrap_or_default();
        for rrset in runs(records, |a, b| a.rtype == b.rtype) {
            let records = records.get(rrset).unwrap_or_default();
            Rules { zone, findings }.rrset(records, &mut kept);
        }
        let Some(owned) = kept.get(from..) else { continue };
        let Some(first) = owned.first() else { continue };
        if zone.owner(first) == zone.apex().as_wire() {
            has_soa = true;
            Rules { zone, findings }.apex(owned);
        } else {
            Rules { zone, findings }.below_apex(owned);
        }
    }
    if !has_soa {
        Rules { zone, findings }.apex(&[]);
    }
    *records = kept;
}

struct Rules<'a> {
    zone: &'a Loaded,
    findings: &'a mut Findings,
}

impl Rules<'_> {
    /// Rules of one RRset; adds what stays of it to `kept`.
    fn rrset(&mut self, records: &[Record], kept: &mut Vec<Record>) {
        let Some(first) = records.first() else { return };
        let from = kept.len();
        self.add_distinct(records, kept);
        let Some(rrset) = kept.get_mut(from..) else { return };
        let ttl = records.iter().map(|record| record.ttl).min().unwrap_or_default();
        let differs = records.iter().find(|record| record.ttl != first.ttl).copied();
        for record in &mut *rrset {
            record.ttl = ttl;
        }
        let octets: usize = rrset.iter().map(|record| self.zone.prefixed(record).len()).sum();
        let (count, second) = (rrset.len(), rrset.get(1).copied());
        if let Some(other) = differs {
            let found = format!("TTL {} beside {}", other.ttl, first.ttl);
            let problem = Problem::warning(
                self.zone.place(&other),
                self.key(first),
                found,
                "one TTL for all records of a name and type",
            );
            self.findings.push(problem.hint(format!("{ttl}, the smallest, is used")));
        }
        if count > RRSET_MAX {
            let wanted = format!("at most {RRSET_MAX} for one name and type");
            self.error(first, &format!("{count} records"), &wanted, None);
        } else if octets > RRSET_OCTETS_MAX {
            let wanted = format!("at most {RRSET_OCTETS_MAX}, or no message can hold them");
            self.error(first, &format!("{octets} octets of data"), &wanted, None);
        }
        let single = match first.rtype {
            rtype::CNAME => Some("one CNAME for a name (RFC 2181 section 10.1)"),
            rtype::DNAME => Some("one DNAME for a name (RFC 6672 section 2.4)"),
            rtype::SOA => Some("one SOA for a zone"),
            _ => None,
        };
        if let (Some(wanted), Some(second)) = (single, second) {
            let found = format!("{count} of them, the first {}", self.at(first));
            self.error(&second, &found, wanted, None);
        }
    }

    /// Adds the records whose data did not appear before, in the order in which they were written.
    fn add_distinct(&self, records: &[Record], kept: &mut Vec<Record>) {
        if let [one] = records {
            kept.push(*one);
            return;
        }
        let mut seen = HashSet::new();
        kept.extend(records.iter().filter(|record| seen.insert(self.zone.rdata(record))));
    }

    /// Rules of the apex; `owned` is empty when nothing is there.
    fn apex(&mut self, owned: &[Record]) {
        let has = |wanted| owned.iter().any(|record| record.rtype == wanted);
        if !self.zone.is_partial() {
            let place = self.zone.whole().clone();
            let zone = self.zone.apex().to_string();
            if !has(rtype::SOA) {
                self.findings.push(Problem::error(
                    place.clone(),
                    &*zone,
                    "no SOA record",
                    "one SOA record at the zone's name",
                ));
            }
            if !has(rtype::NS) {
                self.findings.push(Problem::error(
                    place,
                    &*zone,
                    "no NS record at the zone's name",
                    "one for each nameserver of the zone",
                ));
            }
        }
        self.alias(owned);
        if let Some(ds) = find(owned, rtype::DS) {
            self.warning(
                &ds,
                "a DS record at the zone's own name",
                "DS records in the parent zone",
            );
        }
    }

    /// Rules of every other owner.
    fn below_apex(&mut self, owned: &[Record]) {
        self.alias(owned);
        if let Some(soa) = find(owned, rtype::SOA) {
            let hint = format!("another zone needs a [zones.\"{}\"] of its own", self.key_of(&soa));
            self.error(&soa, "an SOA below the zone's name", "one at the zone's name", Some(&hint));
        }
        let (ns, dname) = (find(owned, rtype::NS), find(owned, rtype::DNAME));
        if let (Some(ns), Some(dname)) = (ns, dname) {
            let found = format!("a DNAME beside the delegation {}", self.at(&ns));
            self.error(&dname, &found, "one of them (RFC 6672 section 2.3)", None);
        }
        if let Some(ds) = find(owned, rtype::DS)
            && ns.is_none()
        {
            self.warning(&ds, "a DS record without a delegation", "NS records beside it");
        }
        let is_wild = owned.first().is_some_and(|first| is_wildcard(self.zone.owner(first)));
        if is_wild {
            if let Some(ns) = ns {
                let wanted = "delegations of names without a wildcard (RFC 4592 section 4.2)";
                self.error(&ns, "a delegation at a wildcard", wanted, None);
            }
            if let Some(dname) = dname {
                let wanted = "a DNAME at a name without a wildcard (RFC 6672 section 3.3)";
                self.warning(&dname, "a DNAME at a wildcard, which redirects nothing", wanted);
            }
        }
    }

    /// A CNAME stands alone (RFC 2181 section 10.1).
    fn alias(&mut self, owned: &[Record]) {
        let Some(cname) = find(owned, rtype::CNAME) else { return };
        let other = owned
            .iter()
            .find(|record| record.rtype != rtype::CNAME && !BESIDE_CNAME.contains(&record.rtype));
        if let Some(other) = other {
            let found = format!("a CNAME beside {} {}", show_type(other.rtype), self.at(other));
            let hint =
                "an alias has no other data; at a zone's name use a dynamic record, or A and AAAA";
            self.error(&cname, &found, "the CNAME alone (RFC 2181 section 10.1)", Some(hint));
        }
    }

    fn error(&mut self, at: &Record, found: &str, wanted: &str, hint: Option<&str>) {
        let problem = Problem::error(self.zone.place(at), self.key(at), found, wanted);
        self.findings.push(match hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        });
    }

    fn warning(&mut self, at: &Record, found: &str, wanted: &str) {
        self.findings.push(Problem::warning(self.zone.place(at), self.key(at), found, wanted));
    }

    fn key_of(&self, record: &Record) -> String {
        show(self.zone.owner(record))
    }

    fn key(&self, record: &Record) -> String {
        format!("{} {}", self.key_of(record), show_type(record.rtype))
    }

    /// `in line 7`, for a second place within a sentence.
    fn at(&self, record: &Record) -> String {
        self.zone.at(record)
    }
}

fn find(owned: &[Record], wanted: u16) -> Option<Record> {
    owned.iter().filter(|r| r.rtype == wanted).min_by_key(|r| r.age()).copied()
}
