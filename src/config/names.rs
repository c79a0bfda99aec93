//! Names that the user chooses for checks, regions and policies.
//!
//! Regions and policies share one space, since records and policies refer to both. Names that
//! differ only in case would be told apart by nobody who reads a log.

use std::collections::HashMap;
use std::sync::Arc;

use super::Config;
use super::context::{Context, Spanned};
use super::value::Value;
use crate::problem::{Place, Problem};

/// The longest name, in octets.
const NAME_MAX: usize = 63;

/// Names that mean something wherever a region or a policy may be named.
const RESERVED: [&str; 10] = [
    "open",
    "closed",
    "last_good",
    "nodata",
    "weighted",
    "failover",
    "geolocation",
    "latency",
    "geoproximity",
    "multivalue",
];

/// Takes the name of the table `v` from its key.
pub(super) fn read(name: &str, place: Place, v: &Value<'_>) -> Spanned<Arc<str>> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !(1..=NAME_MAX).contains(&name.len()) || !name.chars().all(good) {
        let wanted = "a name of 1 to 63 letters, digits, \"-\", \"_\" and \".\"";
        let problem = Problem::error(place.clone(), &v.path, format!("the name {name:?}"), wanted);
        v.cx.report(problem);
    }
    // It stays, so that references to it are not unknown.
    Spanned { value: name.into(), place }
}

/// Reports names that are reserved, and names that are (almost) the same.
pub(super) fn check(config: &Config, cx: &Context<'_>) {
    let checks = config.checks.iter().map(|c| ("checks", &c.name));
    alike(checks, cx);
    alike(config.webhooks.iter().map(|w| ("webhooks", &w.name)), cx);
    let regions = config.regions.iter().map(|r| ("regions", &r.name));
    let policies = config.policies.iter().map(|p| ("policies", &p.name));
    for (section, name) in regions.clone().chain(policies.clone()) {
        if RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
            let wanted =
                "a name that is not reserved for what answers and policies do by themselves";
            cx.report(problem(section, name, format!("the name \"{}\"", name.value), wanted));
        }
    }
    alike(regions.chain(policies), cx);
}

fn alike<'a>(names: impl Iterator<Item = (&'static str, &'a Spanned<Arc<str>>)>, cx: &Context<'_>) {
    let mut seen: HashMap<String, (&str, &str)> = HashMap::new();
    for (section, name) in names {
        let first = seen.entry(name.to_ascii_lowercase()).or_insert((section, name));
        if *first == (section, &**name) {
            continue;
        }
        let found = format!("the name \"{}\" beside {}.{}", name.value, first.0, first.1);
        let wanted = match first.0 == section {
            true => "names that differ in more than case",
            false => "a name of its own: regions and policies share one space of names",
        };
        cx.report(problem(section, name, found, wanted));
    }
}

fn problem(section: &str, name: &Spanned<Arc<str>>, found: String, wanted: &str) -> Problem {
    Problem::error(name.place.clone(), format!("{section}.{}", name.value), found, wanted)
}

/// One name or a list of names.
pub(super) fn one_or_more(v: &Value<'_>, wanted: &str) -> Option<Vec<Spanned<String>>> {
    if v.tree.is_str() || v.tree.is_array() {
        let elements = v.elements();
        if elements.is_empty() {
            v.cx.lost(|l| l.references = true);
            return v.refuse(wanted);
        }
        let names: Vec<_> = elements.iter().filter_map(|e| reference(e, wanted)).collect();
        return Some(names);
    }
    v.cx.lost(|l| l.references = true);
    v.refuse(wanted)
}

/// The name of something.
pub(super) fn reference(v: &Value<'_>, wanted: &str) -> Option<Spanned<String>> {
    let name = v.string(wanted).map(|name| v.with_place(name));
    if name.is_none() {
        v.cx.lost(|l| l.references = true);
    }
    name
}
