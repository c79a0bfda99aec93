//! The keys of calculated checks.

use crate::config::context::Spanned;
use crate::config::names;
use crate::config::server::refuse_twice;
use crate::config::table::Table;

/// The names of the others, and how many of them must be up: all, where nothing else is said.
pub(super) fn read(t: &Table<'_>) -> (Vec<Spanned<String>>, u32) {
    let wanted = "a list of names of checks";
    let of = t.required("of", wanted, |v| {
        let of = names::one_or_more(v, wanted)?;
        refuse_twice(v, &of);
        Some(of)
    });
    let of = of.unwrap_or_default();
    let mut at_least = u32::try_from(of.len()).unwrap_or(u32::MAX);
    t.set("at_least", &mut at_least, |v| v.integer(0..=10_000));
    (of, at_least)
}
