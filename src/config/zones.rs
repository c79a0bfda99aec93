//! `[zones."NAME"]`: what this server has authority over.

use std::net::IpAddr;
use std::path::PathBuf;

use super::context::Spanned;
use super::defaults::TTL;
use super::regions::addresses;
use super::table::Table;
use super::value::Value;
use crate::problem::{Place, Problem};
use crate::wire::Name;

/// A zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Zone {
    /// Its apex.
    pub name: Spanned<Name>,
    /// Where its static data comes from.
    pub data: ZoneData,
}

/// Where the static data of a zone comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum ZoneData {
    /// A master file.
    File(Spanned<PathBuf>),
    /// The configuration: an SOA, the NS, their addresses, and nothing else.
    Made {
        /// Its nameservers; those within the zone have addresses.
        nameservers: Vec<(Spanned<Name>, Vec<IpAddr>)>,
        /// The mailbox of the SOA, as a name (RFC 1035 section 3.3.13).
        hostmaster: Name,
        /// How long a negative answer may be kept, in seconds; 0 to 604800.
        negative_ttl: u32,
    },
}

const NAME_WANTED: &str = "a domain name: \"example.com\"";
const SERVERS_WANTED: &str =
    "nameservers with their addresses: { \"ns1.example.com\" = [\"192.0.2.53\"] }";

impl Zone {
    /// How long a negative answer of a zone without a file may be kept, in seconds.
    pub const NEGATIVE_TTL: u32 = 60;

    pub(super) fn read_all(v: &Value<'_>) -> Option<Vec<Self>> {
        let entries = v.entries("a table of zones: [zones.\"example.com\"]")?;
        let mut zones: Vec<Self> = Vec::new();
        for (name, place, v) in entries {
            let Some(zone) = Self::read(name, place, &v) else {
                v.cx.lost(|l| l.zones = true);
                continue;
            };
            if zones.iter().any(|z| z.name == zone.name) {
                let found = format!("the zone {} for a second time", *zone.name);
                let place = zone.name.place.clone();
                v.cx.report(Problem::error(place, &v.path, found, "each zone once"));
            }
            zones.push(zone);
        }
        Some(zones)
    }

    fn read(text: &str, place: Place, v: &Value<'_>) -> Option<Self> {
        if let Some(whole) = unquoted(text, v) {
            let hint = format!("write the name in quotes: [zones.\"{whole}\"]");
            let found = format!("the parts of \"{whole}\"");
            v.cx.report(Problem::error(place, &v.path, found, NAME_WANTED).hint(hint));
            return None;
        }
        let Ok(name) = Name::from_text(text) else {
            v.cx.report(Problem::error(place, &v.path, format!("{text:?}"), NAME_WANTED));
            return None;
        };
        let data = v.table(|t| ZoneData::read(t, &name)).flatten()?;
        Some(Self { name: Spanned { value: name, place }, data })
    }
}

/// A name whose dots made tables of its labels, as in `[zones.example.com]`.
fn unquoted(text: &str, v: &Value<'_>) -> Option<String> {
    let (mut whole, mut tree) = (text.to_owned(), v.tree);
    while let Some(table) = tree.as_table()
        && table.len() == 1
        && let Some((key, value)) = table.iter().next()
        && value.get_ref().is_table()
        && key.get_ref() != "nameservers"
    {
        whole = format!("{whole}.{}", key.get_ref());
        tree = value.get_ref();
    }
    (whole != text).then_some(whole)
}

impl ZoneData {
    fn read(t: &Table<'_>, zone: &Name) -> Option<Self> {
        let file = t.optional("file", |v| v.file().map(|file| v.with_place(file)));
        let nameservers = t.optional("nameservers", |v| nameservers(v, zone));
        let hostmaster =
            t.optional("hostmaster", |v| v.parsed("a mail address: \"ops@example.net\"", mailbox));
        let mut negative_ttl = Zone::NEGATIVE_TTL;
        t.set("negative_ttl", &mut negative_ttl, |v| v.integer(TTL));
        if t.peek("file").is_some() {
            for key in ["nameservers", "hostmaster", "negative_ttl"] {
                if let Some(v) = t.peek(key) {
                    let hint = "the zone file says this; remove either";
                    v.refuse_with::<()>("no such key beside \"file\"", hint);
                }
            }
            return file.map(Self::File);
        }
        if t.peek("nameservers").is_none() {
            t.missing("file", "a zone file, or nameservers for a zone without one");
            return None;
        }
        let hostmaster = match hostmaster {
            Some(name) => name,
            None => mailbox(&format!("hostmaster@{zone}"))?,
        };
        Some(Self::Made { nameservers: nameservers.unwrap_or_default(), hostmaster, negative_ttl })
    }
}

fn nameservers(v: &Value<'_>, zone: &Name) -> Option<Vec<(Spanned<Name>, Vec<IpAddr>)>> {
    let entries = v.entries(SERVERS_WANTED)?;
    if entries.is_empty() {
        return v.refuse(SERVERS_WANTED);
    }
    let read = entries.into_iter().filter_map(|(text, place, v)| {
        let Ok(name) = Name::from_text(text) else {
            v.cx.report(Problem::error(place, &v.path, format!("{text:?}"), NAME_WANTED));
            return None;
        };
        let list = addresses(&v)?;
        match (name.is_within(zone), list.is_empty()) {
            (true, true) if v.elements().is_empty() => {
                v.refuse::<()>("at least one address: the name is within the zone");
            }
            (false, false) => {
                v.refuse::<()>("[], since the name is outside of the zone");
            }
            _ => {}
        }
        let addresses = list.into_iter().map(|a| a.value).collect();
        Some((Spanned { value: name, place }, addresses))
    });
    Some(read.collect())
}

/// A mail address as a name: what is before the `@` becomes one label.
fn mailbox(text: &str) -> Option<Name> {
    let (local, domain) = text.rsplit_once('@')?;
    if local.is_empty() || domain.is_empty() {
        return None;
    }
    let mut label = String::new();
    for byte in local.bytes() {
        match byte {
            b'.' | b'\\' | b'"' | b';' | b'(' | b')' | b'@' | b'$' => {
                label.push('\\');
                label.push(char::from(byte));
            }
            0x21..=0x7e => label.push(char::from(byte)),
            _ => return None,
        }
    }
    Name::from_text(&format!("{label}.{domain}")).ok()
}
