//! Options of features that do not exist yet: known by name, so that they are refused as what they
//! are, and accepted where their value switches the feature off.

use super::table::Table;
use super::value::Value;

/// Sections of the root.
pub(super) fn sections(t: &Table<'_>) {
    t.later_unless("damping", empty);
    t.later_unless("safety", empty);
}

/// Keys of every check.
pub(super) fn check(t: &Table<'_>) {
    t.later_unless("role", |v| v.text() == Some("route"));
    t.later("fast_interval");
}

/// Keys of checks that read a response.
pub(super) fn http_check(t: &Table<'_>) {
    t.later_unless("body", |v| v.text() == Some("none"));
    t.later("degraded_factor");
}

/// Keys of a region. `ramp = "0s"` is no ramp, and then where it starts does not matter.
pub(super) fn region(t: &Table<'_>) {
    let none = |v: &Value<'_>| {
        v.text().and_then(|t| humantime::parse_duration(t).ok()).is_some_and(|d| d.is_zero())
    };
    t.later_unless("ramp", none);
    let off = t.peek("ramp").is_some_and(|v| none(&v));
    t.later_unless("ramp_from", |_| off);
    t.later("shed_from");
    t.later("shed_to");
    t.later_unless("failback", |v| v.text() == Some("auto"));
}

fn empty(v: &Value<'_>) -> bool {
    v.tree.as_array().is_some_and(|a| a.is_empty())
        || v.tree.as_table().is_some_and(|t| t.is_empty())
}
