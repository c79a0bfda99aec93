//! Zones as the generator makes them, and as the servers are given them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use fastrand::Rng;
use trimtab::wire::{Name, rtype};

/// Types that [`rtype`] has no use for.
pub(crate) const MX: u16 = 15;
pub(crate) const TXT: u16 = 16;
/// A type that no server knows (RFC 3597).
pub(crate) const UNKNOWN: u16 = 65_280;

/// Zones that belong together: those of one top, parents and children.
#[derive(Debug, Clone)]
pub(crate) struct Family {
    /// What the family can be made from again.
    pub(crate) seed: u64,
    /// Where all of it is at or below.
    pub(crate) top: Name,
    pub(crate) zones: Vec<Zone>,
    /// Names whose addresses Trimtab draws from a dynamic record; the others have them in a file.
    pub(crate) dynamic: BTreeSet<Name>,
}

impl Family {
    /// The zone that a name is in: the deepest.
    pub(crate) fn zone_of(&self, name: &Name) -> Option<&Zone> {
        let all = self.zones.iter().filter(|zone| name.is_within(&zone.apex));
        all.max_by_key(|zone| zone.apex.labels())
    }

    /// The dynamic names of a zone.
    pub(crate) fn dynamic_in(&self, zone: &Zone) -> BTreeSet<Name> {
        let is_here = |name: &&Name| self.zone_of(name).is_some_and(|own| own.apex == zone.apex);
        self.dynamic.iter().filter(is_here).cloned().collect()
    }
}

/// One zone.
#[derive(Debug, Clone)]
pub(crate) struct Zone {
    pub(crate) apex: Name,
    pub(crate) records: Vec<Record>,
}

/// One record.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) owner: Name,
    pub(crate) ttl: u32,
    pub(crate) rtype: u16,
    pub(crate) data: Data,
}

/// What a record says.
#[derive(Debug, Clone)]
pub(crate) enum Data {
    V4(Ipv4Addr),
    V6(Ipv6Addr),
    /// Of NS, CNAME and DNAME.
    Name(Name),
    Mx(Name),
    Text(String),
    /// A key tag.
    Ds(u16),
    Octets(Vec<u8>),
    /// MINIMUM.
    Soa(u32),
}

impl Data {
    /// The name that the data lead to.
    pub(crate) fn target(&self) -> Option<&Name> {
        match self {
            Self::Name(name) | Self::Mx(name) => Some(name),
            _ => None,
        }
    }
}

impl Zone {
    /// The records of one name.
    pub(crate) fn at<'a>(&'a self, owner: &'a Name) -> impl Iterator<Item = &'a Record> {
        self.records.iter().filter(move |record| record.owner == *owner)
    }

    /// Whether a name has a type here.
    pub(crate) fn has(&self, owner: &Name, rtype: u16) -> bool {
        self.at(owner).any(|record| record.rtype == rtype)
    }

    /// A master file, in upper and lower case, with names of all forms; without the addresses of
    /// those in `left_out`.
    pub(crate) fn file(&self, left_out: &BTreeSet<Name>, rng: &mut Rng) -> String {
        let mut text = String::new();
        for record in &self.records {
            let is_address = matches!(record.rtype, rtype::A | rtype::AAAA);
            if is_address && left_out.contains(&record.owner) {
                continue;
            }
            let owner = self.written(&record.owner, rng);
            let (rtype, data) = self.data(record, rng);
            let _ = writeln!(text, "{owner} {} IN {rtype} {data}", record.ttl);
        }
        text
    }
}

impl Zone {
    fn data(&self, record: &Record, rng: &mut Rng) -> (&'static str, String) {
        let rtype = match record.rtype {
            rtype::A => "A",
            rtype::AAAA => "AAAA",
            rtype::NS => "NS",
            rtype::CNAME => "CNAME",
            rtype::DNAME => "DNAME",
            rtype::SOA => "SOA",
            rtype::DS => "DS",
            MX => "MX",
            TXT => "TXT",
            _ => "TYPE65280",
        };
        let data = match &record.data {
            Data::V4(address) => address.to_string(),
            Data::V6(address) => address.to_string(),
            Data::Name(name) => self.written(name, rng),
            Data::Mx(name) => format!("10 {}", self.written(name, rng)),
            Data::Text(text) => format!("\"{text}\""),
            Data::Ds(tag) => format!("{tag} 13 2 {}", "5a".repeat(32)),
            Data::Octets(octets) => {
                let hex: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
                format!("\\# {} {hex}", octets.len())
            }
            Data::Soa(minimum) => format!("mname @ 7 7200 900 1209600 {minimum}"),
        };
        (rtype, data)
    }

    /// A name of the zone as it is, relative to the zone's, or as `@`; any other as it is.
    fn written(&self, name: &Name, rng: &mut Rng) -> String {
        let whole = written(name, rng);
        let (text, apex) = (name.to_string(), self.apex.to_string());
        match text.strip_suffix(&apex).filter(|_| name.is_within(&self.apex) && apex != ".") {
            Some("") if rng.bool() => "@".to_owned(),
            Some(labels) if !labels.is_empty() && rng.u8(..3) == 0 => {
                labels.trim_end_matches('.').to_owned()
            }
            _ => whole,
        }
    }
}

/// A name as a master file has it, with its final dot; each letter in either case.
pub(crate) fn written(name: &Name, rng: &mut Rng) -> String {
    let text = name.to_string();
    let text = if text == "." { text } else { format!("{text}.") };
    text.chars().map(|c| if rng.u8(..4) == 0 { c.to_ascii_uppercase() } else { c }).collect()
}
