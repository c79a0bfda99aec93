//! `[geo]` and `[latency]`: where clients are, and how far from regions.

use std::collections::HashSet;
use std::path::PathBuf;

use ipnet::IpNet;

use super::clients;
use super::context::Spanned;
use super::server::refuse_twice;
use super::table::Table;
use super::value::Value;
use crate::model::Attributes;
use crate::problem::Problem;

/// Where clients are.
#[derive(Debug, Clone, PartialEq)]
pub struct Geo {
    /// Databases in order of precedence; none twice.
    pub databases: Vec<Spanned<PathBuf>>,
    /// Whether an EDNS Client Subnet decides who the client is.
    pub client_subnet: bool,
    /// Own networks, which win over the databases.
    pub networks: Vec<Network>,
}

/// What is known of an own network.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// The prefix; each once.
    pub prefix: Spanned<IpNet>,
    /// What its clients are; something is known.
    pub attributes: Attributes,
}

/// How far clients are from regions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Latency {
    /// The table of round-trip times.
    pub table: Option<Spanned<PathBuf>>,
}

impl Default for Geo {
    fn default() -> Self {
        Self { databases: Vec::new(), client_subnet: true, networks: Vec::new() }
    }
}

impl Geo {
    pub(super) fn read(v: &Value<'_>) -> Option<Self> {
        v.table(|t| {
            let mut geo = Self::default();
            t.set("databases", &mut geo.databases, |v| whole(v, databases(v)));
            t.set("client_subnet", &mut geo.client_subnet, Value::boolean);
            t.set("networks", &mut geo.networks, |v| whole(v, networks(v)));
            geo
        })
    }
}

impl Latency {
    pub(super) fn read(v: &Value<'_>) -> Option<Self> {
        v.table(|t| {
            let mut latency = Self::default();
            t.set("table", &mut latency.table, |v| Some(Some(v.with_place(v.file()?))));
            latency
        })
    }
}

/// Notes when not all of a list of sources could be read.
fn whole<T>(v: &Value<'_>, list: Option<Vec<T>>) -> Option<Vec<T>> {
    if list.as_ref().is_none_or(|list| list.len() < v.elements().len()) {
        v.cx.lost(|lost| lost.sources = true);
    }
    list
}

fn databases(v: &Value<'_>) -> Option<Vec<Spanned<PathBuf>>> {
    let list = v.list("a list of MMDB files", |v| Some(v.with_place(v.file()?)))?;
    let shown = |file: &Spanned<PathBuf>| Spanned {
        value: file.display().to_string(),
        place: file.place.clone(),
    };
    refuse_twice(v, &list.iter().map(shown).collect::<Vec<_>>());
    Some(list)
}

fn networks(v: &Value<'_>) -> Option<Vec<Network>> {
    if v.tree.is_table() {
        return v.refuse_with("a list of networks", "write [[geo.networks]]");
    }
    let read = v.list("a list of networks: [[geo.networks]]", |v| {
        let mut v = v.clone();
        if let Some(prefix) = v.tree.get("prefix").and_then(|prefix| prefix.get_ref().as_str()) {
            v.path = format!("{}.{prefix:?}", v.path);
        }
        v.kind = format!("{}.*", v.kind);
        v.table(network).flatten()
    })?;
    let mut seen = HashSet::new();
    for Network { prefix, .. } in &read {
        if !seen.insert(prefix.value) {
            let found = format!("{} for a second time", prefix.value);
            v.cx.report(Problem::error(prefix.place.clone(), &v.path, found, "each prefix once"));
        }
    }
    Some(read)
}

fn network(t: &Table<'_>) -> Option<Network> {
    let wanted = "a prefix: \"10.20.0.0/16\"";
    let prefix = t.required("prefix", wanted, |v| Some(v.with_place(clients::prefix(v)?)));
    let country = t.optional("country", clients::country);
    let beside = match t.peek("country") {
        None => Some(&[][..]),
        Some(_) => country.as_ref().map(std::slice::from_ref),
    };
    let subdivision = t.optional("subdivision", |v| clients::subdivision(v, beside));
    // Both are asked for, so that both are known keys.
    let placed = [t.get("latitude"), t.get("longitude")].iter().any(Option::is_some);
    let location = if placed { clients::coordinates(t) } else { None };
    let attributes = Attributes {
        continent: t.optional("continent", clients::continent),
        // Who is in a subdivision is in its country.
        country: country.or(subdivision.map(|subdivision| subdivision.country())),
        subdivision,
        location,
        asn: t.optional("asn", clients::asn),
    };
    let said = ["continent", "country", "subdivision", "asn"].iter().any(|k| t.peek(k).is_some());
    if !said && !placed {
        let wanted = "at least one of continent, country, subdivision, asn, or latitude and \
                      longitude";
        let found = "a network of which nothing is said";
        t.report(Problem::error(t.place(), &t.path, found, wanted));
    }
    Some(Network { prefix: prefix?, attributes })
}
