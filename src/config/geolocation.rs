//! The rules of a geolocation policy.

use super::clients;
use super::context::Spanned;
use super::names;
use super::policies::MEMBER_WANTED;
use super::table::Table;
use super::value::Value;
use crate::model::GeoKeys;
use crate::problem::{Place, Problem};

/// One rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// What the client must be; at least one key is given.
    pub keys: GeoKeys,
    /// The region or policy where it is sent.
    pub to: Spanned<String>,
    /// Where the rule is written.
    pub place: Place,
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        (&self.keys, &self.to) == (&other.keys, &other.to)
    }
}

const RULES_WANTED: &str = "a list of rules: [{ continent = \"EU\", to = \"eu-west\" }]";
const DEFAULT_WANTED: &str =
    "the name of a region or a policy for clients that no rule names, or \"nodata\"";

/// Where clients are sent that no rule names; the inner `None` is nodata.
#[expect(clippy::option_option, reason = "could not be read, and nodata")]
pub(super) fn default(t: &Table<'_>) -> Option<Option<Spanned<String>>> {
    t.required("default", DEFAULT_WANTED, |v| match v.text() {
        Some("nodata") => Some(None),
        _ => names::reference(v, DEFAULT_WANTED).map(Some),
    })
}

/// All rules; those that cannot be read are left out.
pub(super) fn rules(t: &Table<'_>) -> Option<Vec<Rule>> {
    t.required("rules", RULES_WANTED, |v| {
        let rules = v.list(RULES_WANTED, |v| {
            let rule = Value { kind: format!("{}.*", v.kind), ..v.clone() };
            let rule = rule.table(rule_keys).flatten();
            if rule.is_none() {
                v.cx.lost(|l| l.references = true);
            }
            rule
        })?;
        if v.elements().is_empty() {
            return v.refuse(RULES_WANTED);
        }
        Some(rules)
    })
}

fn rule_keys(t: &Table<'_>) -> Option<Rule> {
    let to = t.required("to", MEMBER_WANTED, |v| match v.text() {
        Some("nodata") => v.refuse_with(MEMBER_WANTED, "only \"default\" may be \"nodata\""),
        _ => names::reference(v, MEMBER_WANTED),
    });
    let keys = clients::keys(t)?;
    if keys == GeoKeys::default() {
        let wanted = "at least one of prefix, asn, subdivision, country or continent";
        let problem = Problem::error(t.place(), &t.path, "a rule that names no clients", wanted);
        t.report(problem.hint("clients that no rule names get the default"));
        return None;
    }
    Some(Rule { keys, to: to?, place: t.place() })
}
