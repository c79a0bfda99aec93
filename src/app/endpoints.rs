//! Endpoints that are names, held against the zones that are served here: a CNAME has nothing beside it,
//! and an alias leads to somebody else.

use domain::base::iana::Rtype;

use crate::config::{Config, Dynamic, Endpoint, Spanned};
use crate::problem::{Problem, Problems};
use crate::wire::{Name, rtype};
use crate::zone::{EntryId, Names};

/// How many CNAMEs of our own zones are followed from an alias.
const CHAIN_MAX: usize = 16;

/// The endpoints of one record that are names.
pub(super) struct Named {
    record: Name,
    aliases: Vec<Spanned<Name>>,
    /// The first of its CNAMEs.
    cname: Option<Spanned<Name>>,
}

/// Those of a configuration.
pub(super) fn named(config: &Config) -> Vec<Named> {
    let of_record = |record: &crate::config::Record| {
        let endpoints = &record.endpoints.as_ref()?.value;
        let mut named =
            Named { record: record.name.value.clone(), aliases: Vec::new(), cname: None };
        for (_, endpoint) in endpoints {
            match endpoint {
                Endpoint::Addresses(_) => {}
                Endpoint::Alias(name) => named.aliases.push(name.clone()),
                Endpoint::Cname(name) => named.cname = named.cname.or_else(|| Some(name.clone())),
            }
        }
        (named.cname.is_some() || !named.aliases.is_empty()).then_some(named)
    };
    config.records.iter().filter_map(of_record).collect()
}

/// Reports what cannot be served beside the zones.
pub(super) fn check(config: &Config, named: &[Named], names: &Names, problems: &mut Problems) {
    for one in named {
        if let Some(cname) = &one.cname {
            beside(one, cname, names, problems);
        }
        for alias in &one.aliases {
            own(one, alias, names, problems);
        }
    }
    if let (Some(Dynamic::Snapshot), Some(first)) = (config.server.transfer.dynamic, named.first())
    {
        let name = first.cname.as_ref().or(first.aliases.first());
        let Some(Spanned { value: name, place }) = name else { return };
        let found = format!("{name}, which no transfer has, for what is behind it may change");
        let wanted = "addresses, where secondaries are to have them";
        problems.push(Problem::warning(place.clone(), key(first), found, wanted));
    }
}

fn key(of: &Named) -> String {
    format!("records.\"{}\".endpoints", of.record)
}

/// A name that has a CNAME has nothing else (RFC 1034 section 3.6.2, RFC 2181 section 10.1).
fn beside(of: &Named, cname: &Spanned<Name>, names: &Names, problems: &mut Problems) {
    let Some(node) = names.node(&of.record) else { return };
    let entry = names.entry(node);
    let refuse = |found: String, wanted: &str| {
        let hint = "{ alias = … } serves the addresses behind a name, beside other data";
        Problem::error(cname.place.clone(), key(of), found, wanted).hint(hint)
    };
    if entry.is_apex() {
        let found = format!("a cname at {}, the name of a zone, which has SOA and NS", of.record);
        problems.push(refuse(found, "a cname below the name of its zone"));
        return;
    }
    let types: Vec<String> =
        names.rrsets(node).map(|tail| Rtype::from_int(tail.rtype).to_string()).collect();
    if !types.is_empty() {
        let found = format!("a cname beside the {} of {} in its zone", types.join(", "), of.record);
        problems.push(refuse(found, "nothing else at a name that has a cname"));
    }
}

/// An alias that leads back here would be looked up to have what it had before, for ever.
fn own(of: &Named, alias: &Spanned<Name>, names: &Names, problems: &mut Problems) {
    let mut at = alias.value.clone();
    for _ in 0..CHAIN_MAX {
        let Some(node) = names.node(&at) else { return };
        if names.entry(node).record().is_some() {
            let found = match at == of.record {
                true => format!("{}, which leads back to the record itself", alias.value),
                false => format!("{}, which leads to the record {at} of this server", alias.value),
            };
            let wanted = "the name of something that this server does not answer for by policy";
            let hint = "regions, endpoints and policies can be used by several records";
            let problem = Problem::error(alias.place.clone(), key(of), found, wanted);
            problems.push(problem.hint(hint));
            return;
        }
        match target(names, node) {
            Some(next) => at = next,
            None => return,
        }
    }
}

/// Where the CNAME of a node leads.
fn target(names: &Names, node: EntryId) -> Option<Name> {
    let cname = names.rrset(node, rtype::CNAME)?;
    Name::from_wire(cname.rdata().next()?).ok()
}

#[cfg(test)]
mod tests {
    use super::super::load::load;
    use crate::problem::Severity;

    /// What a load says of records of the zone example.com.
    fn told(zone: &str, records: &str, rest: &str) -> Vec<(Severity, String)> {
        let dir = tempfile::tempdir().unwrap();
        let head = "$TTL 60\n@ SOA ns hostmaster 1 2 3 4 5\n@ NS ns\nns A 192.0.2.53\n";
        std::fs::write(dir.path().join("zone"), format!("{head}{zone}")).unwrap();
        let path = dir.path().join("trimtab.toml");
        let text = format!(
            "version = 1\n{rest}\n[zones.\"example.com\"]\nfile = \"zone\"\n\
             [regions.a]\naddresses = [\"192.0.2.1\"]\n{records}"
        );
        std::fs::write(&path, text).unwrap();
        let problems = match load(&path, &Default::default(), &mut |_, _| 0) {
            Ok(loaded) => loaded.warnings,
            Err(problems) => problems,
        };
        problems.0.into_iter().map(|problem| (problem.severity, problem.found)).collect()
    }

    fn record(name: &str, endpoint: &str) -> String {
        format!("[[records]]\nname = \"{name}\"\npolicy = \"a\"\nendpoints.a = {endpoint}\n")
    }

    #[test]
    fn a_cname_has_nothing_beside_it() {
        let cname = "{ cname = \"lb.example.net\" }";
        let zone = "app TXT x\napp MX 10 mail.example.net.\n";
        let found = told(zone, &record("app.example.com", cname), "");
        let wanted = "a cname beside the MX, TXT of app.example.com in its zone";
        assert_eq!(found, [(Severity::Error, wanted.to_owned())]);
        let found = told("", &record("example.com", cname), "");
        let wanted = "a cname at example.com, the name of a zone, which has SOA and NS";
        assert_eq!(found, [(Severity::Error, wanted.to_owned())]);
        assert_eq!(told("", &record("app.example.com", cname), ""), []);
        assert_eq!(told("x.app TXT x\n", &record("app.example.com", cname), ""), []);
    }

    #[test]
    fn an_alias_stands_at_the_name_of_a_zone_and_beside_other_data() {
        let alias = "{ alias = \"lb.example.net\" }";
        assert_eq!(told("@ TXT x\n", &record("example.com", alias), ""), []);
    }

    #[test]
    fn an_alias_does_not_lead_back_here() {
        let alias = |to: &str| record("app.example.com", &format!("{{ alias = \"{to}\" }}"));
        let other = record("*.dynamic.example.com", "[\"192.0.2.9\"]");
        let zone = "lb CNAME lb.example.net.\nback CNAME app\nlong CNAME back\n";
        for (to, found) in [
            ("app.example.com", "app.example.com, which leads back to the record itself"),
            ("long.example.com", "long.example.com, which leads back to the record itself"),
            (
                "x.dynamic.example.com",
                "x.dynamic.example.com, which leads to the record x.dynamic.example.com of this \
                 server",
            ),
        ] {
            let all = told(zone, &(alias(to) + &other), "");
            assert_eq!(all, [(Severity::Error, found.to_owned())]);
        }
        for to in ["lb.example.com", "nowhere.example.com", "lb.example.net"] {
            assert_eq!(told(zone, &(alias(to) + &other), ""), []);
        }
    }

    #[test]
    fn secondaries_do_not_get_what_is_behind_a_name() {
        let transfer = "[server.transfer]\nallow = [\"192.0.2.0/24\"]\ndynamic = \"snapshot\"\n";
        let alias = record("app.example.com", "{ alias = \"lb.example.net\" }");
        let found = told("", &alias, transfer);
        let wanted = "lb.example.net, which no transfer has, for what is behind it may change";
        assert_eq!(found, [(Severity::Warning, wanted.to_owned())]);
    }
}
