//! `[[records]]`: names that are answered from shares.

use std::net::IpAddr;

use super::Region;
use super::context::Spanned;
use super::defaults::{TTL, ttl_min};
use super::names;
use super::regions::{addresses, check};
use super::table::Table;
use super::value::Value;
use crate::problem::Problem;
use crate::wire::Name;

/// A dynamic record.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its owner name.
    pub name: Spanned<Name>,
    /// Where its shares come from; `None` when that could not be read.
    pub policy: Option<Spanned<RecordPolicy>>,
    /// Seconds, when all is calm; 0 to 604800.
    pub ttl: Option<Spanned<u32>>,
    /// The least that doubt may make of it, in seconds.
    pub ttl_min: Option<Spanned<u32>>,
    /// The names of checks instead of the regions' own.
    pub check: Option<Vec<Spanned<String>>>,
    /// What is answered when all is down.
    pub on_all_down: Option<AllDown>,
    /// Addresses in one answer at most, 1 to 32.
    pub max_answers: u8,
    /// Addresses instead of the regions' own.
    pub endpoints: Option<Spanned<Endpoints>>,
}

/// What a record has instead of the regions' own addresses: only these regions take part. Either all of
/// them are CNAMEs, or none is.
pub type Endpoints = Vec<(Spanned<String>, Endpoint)>;

/// What a record has for one region.
#[derive(Debug, Clone, PartialEq)]
pub enum Endpoint {
    /// Addresses.
    Addresses(Vec<Spanned<IpAddr>>),
    /// A name that is looked up, and whose addresses are served.
    Alias(Spanned<Name>),
    /// A name that is served itself, as a CNAME.
    Cname(Spanned<Name>),
}

/// Where a record's shares come from.
#[derive(Debug, Clone, PartialEq)]
pub enum RecordPolicy {
    /// Every region, with all else at its default.
    Every(Sharing),
    /// A policy or a region.
    Named(String),
}

/// How all regions can share without a policy that says more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sharing {
    /// By their own weights.
    Weighted,
    /// By round-trip time.
    Latency,
    /// By distance.
    Geoproximity,
    /// All in one answer.
    Multivalue,
}

impl Sharing {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::Weighted, Self::Latency, Self::Geoproximity, Self::Multivalue];

    /// The word for it, which is that for the type of policy.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Weighted => "weighted",
            Self::Latency => "latency",
            Self::Geoproximity => "geoproximity",
            Self::Multivalue => "multivalue",
        }
    }
}

/// What is answered when all is down.
#[derive(Debug, Clone, PartialEq)]
pub enum AllDown {
    /// As if all were up.
    Open,
    /// Nothing.
    Closed,
    /// With the health that was in force when it was last not all down.
    LastGood,
    /// As this region or policy would, health ignored.
    Named(Spanned<String>),
}

const POLICY_WANTED: &str = "the name of a policy or a region, or, for every region, \
                             \"weighted\", \"latency\", \"geoproximity\" or \"multivalue\"";
const ALL_DOWN_WANTED: &str =
    "\"open\", \"closed\", \"last_good\", or the name of a region or a policy";
const ENDPOINTS_WANTED: &str = "a table of regions with addresses: us-east = [\"192.0.2.11\"]";
const ENDPOINT_WANTED: &str = "a list of addresses, { alias = \"lb.example.net\" } or \
                               { cname = \"lb.example.net\" }";
const TARGET_WANTED: &str = "the domain name of a host: \"lb.example.net\"";
/// Addresses in one answer: so many of IPv6 fit into 1232 octets with any owner name.
pub(super) const ANSWERS: std::ops::RangeInclusive<i64> = 1..=32;
/// A record's keys, which may have strayed behind the header of its endpoints.
const KEYS: [&str; 7] = ["name", "policy", "ttl", "ttl_min", "check", "on_all_down", "max_answers"];

impl Record {
    /// Addresses in one answer at most, where nothing else is said.
    pub const MAX_ANSWERS: u8 = 8;

    pub(super) fn read_all(v: &Value<'_>, regions: &[Region]) -> Option<Vec<Self>> {
        if v.tree.is_table() {
            return v.refuse_with("a list of records", "write [[records]]");
        }
        let records = v.list("a list of records: [[records]]", |v| {
            let mut v = v.clone();
            if let Some(name) = v.tree.get("name").and_then(|n| n.get_ref().as_str()) {
                v.path = format!("records.{name:?}");
            }
            v.kind = format!("{}.*", v.kind);
            let record = v.table(|t| Self::read(t, regions)).flatten();
            if record.is_none() {
                v.cx.lost(|l| l.references = true);
            }
            record
        })?;
        Some(records)
    }

    fn read(t: &Table<'_>, regions: &[Region]) -> Option<Self> {
        let wanted = "a domain name: \"app.example.com\"";
        let name = t.required("name", wanted, |v| {
            v.parsed(wanted, |text| Name::from_text(text).ok()).map(|name| v.with_place(name))
        });
        let policy = t.required("policy", POLICY_WANTED, RecordPolicy::read);
        if policy.is_none() {
            t.lost(|l| l.references = true);
        }
        let mut record = Self {
            name: name
                .clone()
                .unwrap_or(Spanned { value: Name::from_text(".").ok()?, place: t.place() }),
            policy,
            ttl: t.optional("ttl", |v| v.integer(TTL).map(|n| v.with_place(n))),
            ttl_min: t.optional("ttl_min", ttl_min).flatten(),
            check: t.optional("check", check),
            on_all_down: t.optional("on_all_down", AllDown::read),
            max_answers: Self::MAX_ANSWERS,
            endpoints: t.optional("endpoints", |v| endpoints(v, regions)),
        };
        t.set("max_answers", &mut record.max_answers, |v| v.integer(ANSWERS));
        name.map(|_| record)
    }
}

impl RecordPolicy {
    fn read(v: &Value<'_>) -> Option<Spanned<Self>> {
        let word = |sharing: &Sharing| v.text() == Some(sharing.word());
        if let Some(sharing) = Sharing::ALL.into_iter().find(word) {
            return Some(v.with_place(Self::Every(sharing)));
        }
        match v.text() {
            Some(text @ ("failover" | "geolocation")) => {
                let hint = format!("define a policy of type = \"{text}\" and name that");
                v.refuse_with(POLICY_WANTED, hint)
            }
            _ => v.string(POLICY_WANTED).map(|name| v.with_place(Self::Named(name))),
        }
    }
}

impl AllDown {
    pub(super) fn read(v: &Value<'_>) -> Option<Self> {
        match v.text() {
            Some("open") => Some(Self::Open),
            Some("closed") => Some(Self::Closed),
            Some("last_good") => Some(Self::LastGood),
            _ => names::reference(v, ALL_DOWN_WANTED).map(Self::Named),
        }
    }
}

fn endpoints(v: &Value<'_>, regions: &[Region]) -> Option<Spanned<Endpoints>> {
    let entries = v.entries(ENDPOINTS_WANTED)?;
    if entries.is_empty() {
        return v.refuse(ENDPOINTS_WANTED);
    }
    let is_region = |name: &str| regions.iter().any(|r| *r.name.value == *name);
    let mut read = Vec::new();
    for (name, place, v) in entries {
        if KEYS.contains(&name) && !is_region(name) {
            let hint = format!("move \"{name}\" above the header [records.endpoints]");
            v.refuse_with::<()>("no key of the record behind the header of its endpoints", hint);
        } else if let Some(endpoint) = Endpoint::read(&v) {
            read.push((Spanned { value: name.to_owned(), place }, endpoint));
        } else {
            v.cx.lost(|l| l.references = true);
        }
    }
    mixed(v, &read);
    Some(v.with_place(read))
}

/// Refuses CNAMEs for some regions and addresses for others: a name that has a CNAME has nothing else
/// (RFC 1034 section 3.6.2).
fn mixed(v: &Value<'_>, endpoints: &Endpoints) {
    let is_cname = |(_, endpoint): &&(_, Endpoint)| matches!(endpoint, Endpoint::Cname(_));
    let Some((first, _)) = endpoints.iter().find(is_cname) else { return };
    if let Some((other, _)) = endpoints.iter().find(|one| !is_cname(one)) {
        let found = format!("a cname for {}, and addresses for {}", first.value, other.value);
        let wanted = "a cname for every region of the record, or for none";
        let problem = Problem::error(other.place.clone(), &v.path, found, wanted);
        let hint = "{ alias = … } serves the addresses behind a name, beside other addresses";
        v.cx.report(problem.hint(hint));
        v.cx.lost(|l| l.addresses = true);
    }
}

impl Endpoint {
    fn read(v: &Value<'_>) -> Option<Self> {
        if v.tree.is_table() {
            let read = v.table(|t| {
                let alias = t.optional("alias", target);
                let cname = t.optional("cname", target);
                match (t.peek("alias"), t.peek("cname")) {
                    (Some(_), None) => alias.map(Self::Alias),
                    (None, Some(_)) => cname.map(Self::Cname),
                    _ => v.refuse(ENDPOINT_WANTED),
                }
            });
            let read = read.flatten();
            if read.is_none() {
                v.cx.lost(|l| l.addresses = true);
            }
            return read;
        }
        let list = addresses(v)?;
        if v.elements().is_empty() {
            let hint = "leave the region out if it shall take no part";
            v.refuse_with::<()>("at least one address", hint);
            v.cx.lost(|l| l.addresses = true);
        }
        Some(Self::Addresses(list))
    }
}

/// The name of something that has addresses.
fn target(v: &Value<'_>) -> Option<Spanned<Name>> {
    if v.text().is_some_and(|text| text.parse::<IpAddr>().is_ok()) {
        return v
            .refuse_with(TARGET_WANTED, format!("an address stands in a list: [{}]", v.found()));
    }
    let is_host = |name: &Name| name.labels() > 0 && !name.is_wildcard();
    v.parsed(TARGET_WANTED, |text| Name::from_text(text).ok().filter(is_host))
        .map(|name| v.with_place(name))
}
