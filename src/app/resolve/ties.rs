//! Rules of a geolocation policy between which nothing decides.
//!
//! Of the rules that match a client the more specific wins, compared key by key: prefix (the longest
//! that matches), ASN, subdivision, country, continent. So two are equal for a client when they have
//! the same keys, and match it by the same prefix, if by any. Then nobody could tell which is meant.

use std::fmt::Display;

use super::Resolver;
use crate::config::Rule;
use crate::model::GeoKeys;
use crate::problem::line;

impl Resolver<'_> {
    /// Reports each rule that some client may match no less than an earlier one.
    pub(super) fn ties(&mut self, rules: &[Rule], key: &str) {
        for (at, rule) in rules.iter().enumerate() {
            let mut earlier = rules[..at].iter();
            let Some((first, common)) =
                earlier.find_map(|first| Some((first, tie(&first.keys, &rule.keys)?)))
            else {
                continue;
            };
            let which = match line(&first.place) {
                Some(line) if Some(line) != self::line(&rule.place) => {
                    format!("the rule in line {line}")
                }
                _ => format!("the rule to \"{}\"", first.to.value),
            };
            let found = format!("{common}, no more specific than {which}");
            let wanted = "rules of which one is more specific where a client matches both";
            let hint = "leave what they have in common to one of the two";
            self.error(&rule.place, key, found, wanted, Some(hint.into()));
        }
    }
}

/// What two rules have in common, when they can match the same client and neither is more specific.
fn tie(a: &GeoKeys, b: &GeoKeys) -> Option<String> {
    let common = [
        common(&a.prefix, &b.prefix)?,
        common(&a.asn, &b.asn)?.map(|asn| format!("AS{asn}")),
        common(&a.subdivision, &b.subdivision)?,
        common(&a.country, &b.country)?,
        common(&a.continent, &b.continent)?,
    ];
    let common: Vec<_> = common.into_iter().flatten().collect();
    (!common.is_empty()).then(|| common.join(" and "))
}

/// The first value in both lists; `Some(None)` when both are empty, `None` when they exclude each
/// other or only one has such a key.
#[expect(clippy::option_option, reason = "no such key in either, and no value in both")]
fn common<T: Ord + Display>(a: &[T], b: &[T]) -> Option<Option<String>> {
    match (a, b) {
        ([], []) => Some(None),
        _ => a
            .iter()
            .find(|value| b.binary_search(value).is_ok())
            .map(|value| Some(value.to_string())),
    }
}
