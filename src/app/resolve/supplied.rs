//! What policies ask of clients, held against what the sources that were loaded say of them.

use std::collections::{HashMap, HashSet};

use crate::config::{Config, Policy, PolicyKind, Record, RecordPolicy, Rule, Sharing, Spanned};
use crate::geo::{ClientKey, Geo, LatencyTable, Supplies};
use crate::model::{Attributes, RegionId};
use crate::problem::{Place, Problem, Problems};

/// Reports what no policy can do with these sources: rules that no client can match, and regions
/// without which a source of round-trip times is not used. Nothing when the configuration's own part
/// of the sources could not be read; files must have been.
pub fn supplied(config: &Config, geo: &Geo, table: &LatencyTable, problems: &mut Problems) {
    if config.incomplete.sources {
        return;
    }
    let regions = (0..=u16::MAX).map(RegionId).zip(&config.regions);
    let supplies = geo.supplies();
    let located = supplies.location || supplies.country || supplies.subdivision;
    let regions = regions.map(|(id, region)| (&**region.name, id)).collect();
    let mut check = Check { config, table, regions, supplies, located, problems };
    for policy in &config.policies {
        check.policy(policy);
    }
    for record in config.records.iter().filter(|record| depends_on_sources(record)) {
        if let Some(policy) = &record.policy
            && let RecordPolicy::Every(sharing) = &policy.value
        {
            let key = format!("records.\"{}\".policy", *record.name);
            check.every(*sharing, &policy.place, &key);
        }
    }
    check.rows();
}

/// Whether a record says by itself that where clients are decides what they get.
#[must_use]
pub fn depends_on_sources(record: &Record) -> bool {
    let policy = record.policy.as_ref().map(|policy| &policy.value);
    matches!(policy, Some(RecordPolicy::Every(Sharing::Latency | Sharing::Geoproximity)))
}

struct Check<'a> {
    config: &'a Config,
    table: &'a LatencyTable,
    regions: HashMap<&'a str, RegionId>,
    supplies: Supplies,
    /// Whether it can be known how far clients are from a place.
    located: bool,
    problems: &'a mut Problems,
}

/// Attributes by the key that asks for them, and a source of each.
const SOURCES: [(&str, &str); 4] = [
    ("asn", "a database of autonomous systems does"),
    ("subdivision", "a database of cities does, one of countries does not"),
    ("country", "a database of countries or cities does"),
    ("continent", "a database of countries or cities does"),
];

impl Check<'_> {
    fn policy(&mut self, policy: &Policy) {
        let name = &policy.name;
        let key = format!("policies.{}", name.value);
        match &policy.kind {
            PolicyKind::Geolocation { rules, .. } => self.rules(rules, &format!("{key}.rules")),
            PolicyKind::Latency { to, .. } => {
                let members = self.members(to.as_deref());
                self.latency(&members, &name.place, &key);
            }
            PolicyKind::Geoproximity { .. } => self.distances(&name.place, &key),
            PolicyKind::Weighted { .. }
            | PolicyKind::Failover { .. }
            | PolicyKind::Multivalue { .. } => {}
        }
    }

    fn every(&mut self, sharing: Sharing, place: &Place, key: &str) {
        match sharing {
            Sharing::Latency => {
                let members = self.members(None);
                self.latency(&members, place, key);
            }
            Sharing::Geoproximity => self.distances(place, key),
            Sharing::Weighted | Sharing::Multivalue => {}
        }
    }

    /// The regions of a policy that are known; without a list, every region.
    fn members(&self, to: Option<&[Spanned<String>]>) -> Vec<RegionId> {
        match to {
            None => (0..=u16::MAX).map(RegionId).take(self.config.regions.len()).collect(),
            Some(to) => {
                to.iter().filter_map(|name| self.regions.get(name.as_str()).copied()).collect()
            }
        }
    }

    /// Reports, once for each policy, every attribute that its rules ask for in vain.
    fn rules(&mut self, rules: &[Rule], key: &str) {
        for (attribute, source) in SOURCES {
            let supplied = self.supplies(attribute);
            let asks = |rule: &&Rule| match attribute {
                "asn" => !rule.keys.asn.is_empty(),
                "subdivision" => !rule.keys.subdivision.is_empty(),
                "country" => !rule.keys.country.is_empty(),
                _ => !rule.keys.continent.is_empty(),
            };
            let mut asking = rules.iter().filter(asks);
            if let Some(rule) = asking.next().filter(|_| !supplied) {
                let others = match asking.count() {
                    0 => String::new(),
                    1 => ", and so does another rule".into(),
                    n => format!(", and so do {n} other rules"),
                };
                let found = format!("a rule that asks for \"{attribute}\"{others}");
                let wanted = "something loaded that supplies it: nothing does";
                let hint = format!("load a source in [geo] databases: {source}");
                let problem = Problem::error(rule.place.clone(), key, found, wanted);
                self.problems.push(problem.hint(hint));
            }
        }
    }

    fn supplies(&self, attribute: &str) -> bool {
        match attribute {
            "asn" => self.supplies.asn,
            "subdivision" => self.supplies.subdivision,
            "country" => self.supplies.country,
            _ => self.supplies.continent,
        }
    }

    /// Warns of regions that a source of round-trip times does not know: it is used for clients only
    /// for which it knows all of a policy's regions.
    fn latency(&mut self, members: &[RegionId], place: &Place, key: &str) {
        let in_table = self.table.regions();
        let without: Vec<_> = members.iter().filter(|id| !in_table.contains(id)).collect();
        if !without.is_empty() && without.len() < members.len() {
            let found = format!("no row for {} in the latency table", self.names(&without));
            let wanted =
                "rows for every region that takes part, or else the table is not used here";
            self.warn(place, key, found, wanted);
        }
        let for_all = |id: &RegionId| self.table.find(*id, &Attributes::default(), &[]).is_some();
        if self.config.incomplete.locations || members.iter().all(for_all) {
            return;
        }
        let placed = |id: &RegionId| {
            self.config.regions.get(id.index()).is_some_and(|region| region.location.is_some())
        };
        let without: Vec<_> = members.iter().filter(|id| !placed(id)).collect();
        if !without.is_empty() && without.len() < members.len() {
            let found = format!("no location of {}", self.names(&without));
            let wanted =
                "a location of every region that takes part, or else distances are not used here";
            self.warn(place, key, found, wanted);
        }
    }

    /// Warns when no distance can be measured.
    fn distances(&mut self, place: &Place, key: &str) {
        if !self.located {
            let wanted = "a database or network that says where clients are: without, all share \
                          by weight";
            self.warn(place, key, "a policy of distances from clients", wanted);
        }
    }

    /// Warns of rows of the latency table that no client can be found by.
    fn rows(&mut self) {
        let Some(file) = &self.config.latency.table else { return };
        let asked: HashSet<_> = (self.table.keys())
            .filter_map(|key| match key {
                ClientKey::Asn(_) => Some("asn"),
                ClientKey::Subdivision(_) => Some("subdivision"),
                ClientKey::Country(_) => Some("country"),
                ClientKey::Continent(_) => Some("continent"),
                ClientKey::Prefix(_) | ClientKey::All => None,
            })
            .collect();
        for (attribute, source) in SOURCES {
            if asked.contains(attribute) && !self.supplies(attribute) {
                let found = format!("rows by \"{attribute}\", which are never used");
                let wanted = "something loaded that supplies it: nothing does";
                let problem = Problem::warning(file.place.clone(), "latency.table", found, wanted);
                let hint = format!("load a source in [geo] databases: {source}");
                self.problems.push(problem.hint(hint));
            }
        }
    }

    fn names(&self, regions: &[&RegionId]) -> String {
        let named = regions.iter().filter_map(|id| self.config.regions.get(id.index()));
        named.map(|region| &*region.name.value).collect::<Vec<_>>().join(", ")
    }

    fn warn(&mut self, place: &Place, key: &str, found: impl Into<String>, wanted: &str) {
        self.problems.push(Problem::warning(place.clone(), key, found, wanted));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config;
    use crate::geo::Network;
    use crate::problem::Source;

    /// What is told of a latency policy over a, b and c with this table, where own networks say in
    /// which country clients are, or nothing does.
    fn told(policy: &str, rows: &str, countries: bool) -> Vec<String> {
        let dir = tempfile::TempDir::new().unwrap();
        let file = dir.path().join("latency.csv");
        std::fs::write(&file, rows).unwrap();
        let text = format!(
            "version = 1\nlatency.table = {file:?}\nregions.a = {{ location = \"aws:us-east-1\" }}\n\
             regions.b = {{}}\nregions.c = {{}}\n[policies.near]\ntype = \"latency\"\n{policy}\n"
        );
        let source = Arc::new(Source { path: "t.toml".into(), text });
        let (config, mut problems) = config::parse(&source);
        let regions: Vec<_> =
            config.regions.iter().map(|region| Arc::clone(&region.name.value)).collect();
        let table = LatencyTable::read(&file, &regions, &mut problems);
        assert_eq!(problems, Problems::default(), "{}", problems.render(false));
        let attributes = Attributes { country: "DE".parse().ok(), ..Attributes::default() };
        let network = Network { prefix: "192.0.2.0/24".parse().unwrap(), attributes };
        let networks = if countries { vec![network] } else { Vec::new() };
        supplied(&config, &Geo { networks, databases: Vec::new() }, &table, &mut problems);
        assert!(!problems.any_error());
        problems
            .0
            .into_iter()
            .map(|problem| format!("{}: {}", problem.key, problem.found))
            .collect()
    }

    #[test]
    fn regions_that_a_table_lacks_are_named() {
        let rows = "DE,a,10\nDE,b,20\n";
        assert_eq!(
            told("", rows, true),
            [
                "policies.near: no row for c in the latency table",
                "policies.near: no location of b, c",
            ]
        );
        let of_some = "to = [\"b\", \"a\"]";
        assert_eq!(told(of_some, rows, true), ["policies.near: no location of b"]);
        // A source that knows none of them is none.
        assert_eq!(told("to = [\"c\"]", rows, true), Vec::<String>::new());
    }

    #[test]
    fn rows_that_no_client_is_found_by_are_told() {
        let rows = "DE,b,10\nDE,c,20\n";
        let told = told("to = [\"b\", \"c\"]", rows, false);
        assert_eq!(told, ["latency.table: rows by \"country\", which are never used"]);
    }
}
