//! Which clients a row of the table is about.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::model::{Continent, Country, Subdivision, embedded};

/// Which clients a row is about. It is written as in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientKey {
    /// Those of a prefix.
    Prefix(IpNet),
    /// Those of an autonomous system.
    Asn(u32),
    /// Those of a subdivision.
    Subdivision(Subdivision),
    /// Those of a country.
    Country(Country),
    /// Those of a continent.
    Continent(Continent),
    /// All.
    All,
}

/// Why a text names no clients: what is wanted there, and advice.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) wanted: &'static str,
    pub(super) hint: Option<String>,
}

const WANTED: &str = "a prefix, a system (AS64500), a subdivision (DE-BE), a country (DE), a \
                      continent (continent:EU), or * for all";

impl ClientKey {
    /// From a field of the file; codes are taken in either case.
    pub(super) fn parse(text: &str) -> Result<Self, Refused> {
        if text == "*" {
            return Ok(Self::All);
        }
        if text.contains('/') {
            return prefix(text).map(Self::Prefix);
        }
        if let Some((kind, code)) = text.split_once(':')
            && kind.eq_ignore_ascii_case("continent")
        {
            let wanted = "continent: and one of AF, AN, AS, EU, NA, OC, SA";
            return code.trim().parse().map(Self::Continent).or(refused(wanted, None));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return refused(
                WANTED,
                Some(format!("write {} for one address", IpNet::from(address))),
            );
        }
        if let Some(asn) = asn(text) {
            return asn;
        }
        if text.contains('-') {
            let wanted = "a country and one to three letters or digits, as US-CA";
            return text.parse().map(Self::Subdivision).or(refused(wanted, None));
        }
        text.parse().map(Self::Country).or(refused(WANTED, None))
    }
}

fn refused<T>(wanted: &'static str, hint: Option<String>) -> Result<T, Refused> {
    Err(Refused { wanted, hint })
}

fn prefix(text: &str) -> Result<IpNet, Refused> {
    let Ok(prefix) = text.parse::<IpNet>() else {
        return refused("a prefix, as 192.0.2.0/24 or 2001:db8::/32", None);
    };
    if prefix != prefix.trunc() {
        let hint = format!("write {}", prefix.trunc());
        return refused("a prefix without bits behind its length", Some(hint));
    }
    if let IpNet::V6(v6) = prefix
        && let Some(v4) = embedded(v6)
    {
        let hint = format!("write {v4}");
        return refused("an IPv4 prefix as such: clients are looked up by it", Some(hint));
    }
    Ok(prefix)
}

/// `AS64500`; `None`: it is something else.
fn asn(text: &str) -> Option<Result<ClientKey, Refused>> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|o| o.is_ascii_digit());
    if is_number(text) {
        return Some(refused(WANTED, Some(format!("write AS{text} for a system"))));
    }
    let (_, digits) = text
        .split_at_checked(2)
        .filter(|(sign, digits)| sign.eq_ignore_ascii_case("AS") && is_number(digits))?;
    let asn = digits.parse().ok().filter(|asn| *asn != 0).map(ClientKey::Asn);
    Some(asn.map_or_else(|| refused("AS and a number from 1 to 4294967295", None), Ok))
}

impl fmt::Display for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefix(prefix) => prefix.fmt(f),
            Self::Asn(asn) => write!(f, "AS{asn}"),
            Self::Subdivision(subdivision) => subdivision.fmt(f),
            Self::Country(country) => country.fmt(f),
            Self::Continent(continent) => write!(f, "continent:{continent}"),
            Self::All => f.write_str("*"),
        }
    }
}
