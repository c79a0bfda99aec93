//! Random families of zones over a small alphabet, so that names meet: wildcards, empty
//! non-terminals, aliases, delegations and nested zones where they matter to one another.

mod records;

use std::collections::BTreeSet;

use fastrand::Rng;
use trimtab::wire::{Name, rtype};

use crate::zone::{Data, Family, Record, Zone};

/// The labels that names are made of; one with octets of no character set, one with a dot.
pub(crate) const LABELS: [&[u8]; 8] = [b"a", b"b", b"c", b"*", b"ns", b"w-w", b"\x00 \xff", b"x.y"];
/// A zone's name and at most three zones below it.
const ZONES_MAX: usize = 4;

/// `label` in front of `name`; `None` when that would be too long.
pub(crate) fn below(label: &[u8], name: &Name) -> Option<Name> {
    let len = u8::try_from(label.len()).ok()?;
    Name::from_wire(&[&[len], label, name.as_wire()].concat()).ok()
}

/// The family of a seed at a top.
pub(crate) fn family(seed: u64, top: &Name) -> Family {
    let mut rng = Rng::with_seed(seed);
    let mut apexes = vec![top.clone()];
    while apexes.len() < ZONES_MAX && rng.u8(..100) < 55 {
        let above = apexes[rng.usize(..apexes.len())].clone();
        let apex = Maker { rng: &mut rng, apexes: &[] }.name_below(&above, 2);
        // BIND takes no zone whose name begins with `*`.
        if !apexes.contains(&apex) && !apex.is_wildcard() {
            apexes.push(apex);
        }
    }
    let mut zones: Vec<Zone> = Vec::new();
    for apex in &apexes {
        zones.push(Maker { rng: &mut rng, apexes: &apexes }.zone(apex));
    }
    let mut family = Family { seed, top: top.clone(), zones, dynamic: BTreeSet::new() };
    if rng.bool() {
        family.dynamic = dynamic(&family, &mut rng);
    }
    family
}

/// Some of the names that may be dynamic: they have addresses, in the deepest zone that they are
/// in, and neither a delegation nor a DNAME hides them.
fn dynamic(family: &Family, rng: &mut Rng) -> BTreeSet<Name> {
    let mut names = BTreeSet::new();
    for zone in &family.zones {
        for record in &zone.records {
            let name = &record.owner;
            let is_address = matches!(record.rtype, rtype::A | rtype::AAAA);
            let is_own = family.zone_of(name).is_some_and(|own| own.apex == zone.apex);
            if is_address && is_own && !is_hidden(zone, name) {
                names.insert(name.clone());
            }
        }
    }
    names.retain(|_| rng.u8(..10) < 6);
    names
}

/// Whether a name is at or below a delegation, or below a DNAME.
pub(crate) fn is_hidden(zone: &Zone, name: &Name) -> bool {
    let up = std::iter::successors(Some(name.clone()), Name::parent);
    up.take_while(|above| above.labels() >= zone.apex.labels()).any(|above| {
        (above != zone.apex && zone.has(&above, rtype::NS))
            || (above != *name && zone.has(&above, rtype::DNAME))
    })
}

/// Whether one of the zone's own nameservers is below a name.
fn is_above_nameserver(zone: &Zone, name: &Name) -> bool {
    let mut own = zone.at(&zone.apex).filter(|record| record.rtype == rtype::NS);
    own.any(|record| record.data.target().is_some_and(|target| target.is_within(name)))
}

struct Maker<'a> {
    rng: &'a mut Rng,
    /// All zones of the family.
    apexes: &'a [Name],
}

impl Maker<'_> {
    /// A name one to `most` labels below another.
    fn name_below(&mut self, above: &Name, most: usize) -> Name {
        let mut name = above.clone();
        for _ in 0..self.rng.usize(1..=most) {
            let label = LABELS[self.rng.usize(..LABELS.len())];
            name = below(label, &name).unwrap_or(name);
        }
        name
    }

    /// A name of exactly 255 octets: of short labels, or of long ones.
    fn longest_below(&mut self, above: &Name) -> Name {
        let most = if self.rng.bool() { 1 } else { 63 };
        let mut name = above.clone();
        loop {
            let room = 255 - name.as_wire().len();
            let len = most.min(room.saturating_sub(1));
            // One octet alone would remain, which no label fits into.
            let len = if room == len + 2 { len - usize::from(len > 1) } else { len };
            let len = if room == 3 { 2 } else { len };
            match below(&vec![b'z'; len], &name) {
                Some(longer) if len > 0 => name = longer,
                _ => return name,
            }
        }
    }

    fn zone(&mut self, apex: &Name) -> Zone {
        let mut zone = Zone { apex: apex.clone(), records: Vec::new() };
        let minimum = self.ttl();
        self.add(&mut zone, apex, rtype::SOA, Data::Soa(minimum));
        self.nameserver(&mut zone, apex);
        if self.rng.u8(..3) == 0 {
            self.data(&mut zone, apex);
        }
        let is_inside = |r: &Record| r.data.target().is_some_and(|ns| ns.is_within(apex));
        if self.rng.u8(..6) == 0 && !zone.records.iter().any(is_inside) {
            let target = self.target(&zone);
            self.add(&mut zone, apex, rtype::DNAME, Data::Name(target));
        }
        let children: Vec<Name> = self.apexes.to_vec();
        for child in children.iter().filter(|child| *child != apex && child.is_within(apex)) {
            if self.rng.u8(..10) < 8 && !child.is_wildcard() {
                self.delegation(&mut zone, child);
            }
        }
        for _ in 0..self.rng.usize(2..12) {
            self.owner(&mut zone);
        }
        if self.rng.u8(..10) == 0 {
            self.aliases(&mut zone);
        }
        let copy = zone.clone();
        // Not every server loads a zone with data below a DNAME (RFC 6672 section 2.4).
        zone.records.retain(|record| {
            let up = std::iter::successors(record.owner.parent(), Name::parent);
            !up.take_while(|above| above.labels() >= apex.labels())
                .any(|above| copy.has(&above, rtype::DNAME))
        });
        zone
    }

    /// One more name with what belongs to it, unless it has something already.
    fn owner(&mut self, zone: &mut Zone) {
        let apex = zone.apex.clone();
        let owner = match self.rng.u8(..40) {
            0 => self.longest_below(&apex),
            _ => self.name_below(&apex, 3),
        };
        if zone.at(&owner).next().is_some() {
            return;
        }
        match self.rng.u8(..100) {
            0..40 => self.data(zone, &owner),
            40..65 => {
                let target = self.target(zone);
                self.add(zone, &owner, rtype::CNAME, Data::Name(target));
            }
            // No server takes a zone whose own nameserver is below a DNAME.
            65..80 if !owner.is_wildcard() && !is_above_nameserver(zone, &owner) => {
                let target = self.target(zone);
                self.add(zone, &owner, rtype::DNAME, Data::Name(target));
                if self.rng.u8(..3) == 0 {
                    self.data(zone, &owner);
                }
            }
            80..97 if !owner.is_wildcard() => self.delegation(zone, &owner),
            _ => self.large(zone, &owner),
        }
    }
}
