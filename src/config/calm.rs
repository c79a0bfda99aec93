//! How health becomes a share without haste: the keys of a region, `[damping]`, `[safety]`.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::context::Spanned;
use super::names;
use super::table::Table;
use super::value::Value;
use crate::model::{self, Calm, Failback, Ramp};

const RAMP: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(24 * 60 * 60);
/// What a ramp begins with where nothing else is said.
const RAMP_FROM: f64 = 0.1;
const FAILBACK: [(&str, Failback); 2] = [("auto", Failback::Auto), ("manual", Failback::Manual)];

/// The keys of a region.
pub(super) fn region(t: &Table<'_>) -> Calm {
    let mut calm = Calm::default();
    let (mut over, mut from) = (Duration::ZERO, RAMP_FROM);
    t.set("ramp", &mut over, |v| v.duration(RAMP));
    t.set("ramp_from", &mut from, |v| v.number(0.0..=1.0, "a number from 0 to 1"));
    calm.ramp = (!over.is_zero()).then_some(Ramp { over, from });
    let load = |v: &Value<'_>| v.number(0.0..=1e9, "a load: a number from 0 to 1e9");
    t.set("shed_from", &mut calm.shed.from, load);
    t.set("shed_to", &mut calm.shed.to, load);
    if calm.shed.from >= calm.shed.to {
        let (from, to) = (calm.shed.from, calm.shed.to);
        if let Some(v) = t.peek("shed_to") {
            v.refuse::<()>(format!("a load above shed_from, which is {from}"));
        } else if let Some(v) = t.peek("shed_from") {
            v.refuse::<()>(format!("a load below shed_to, which is {to}"));
        }
    }
    t.set("failback", &mut calm.failback, |v| v.word(&FAILBACK));
    calm
}

/// Holding down what flaps.
#[derive(Debug, Clone, PartialEq)]
pub struct Damping {
    /// Whether it is done.
    pub enabled: bool,
    /// How.
    pub rules: model::Damping,
}

impl Default for Damping {
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(n * 60);
        let rules =
            model::Damping { above: 6.0, below: 2.0, half_life: minutes(5), at_most: minutes(30) };
        Self { enabled: false, rules }
    }
}

impl Damping {
    /// The rules, if they apply.
    #[must_use]
    pub fn in_force(&self) -> Option<model::Damping> {
        self.enabled.then_some(self.rules)
    }

    pub(super) fn read(v: &Value<'_>) -> Option<Self> {
        const TIME: RangeInclusive<Duration> =
            Duration::from_secs(1)..=Duration::from_secs(7 * 24 * 60 * 60);
        let penalty = |v: &Value<'_>| v.number(0.1..=1000.0, "a penalty from 0.1 to 1000");
        v.table(|t| {
            let mut damping = Self::default();
            t.set("enabled", &mut damping.enabled, Value::boolean);
            let rules = &mut damping.rules;
            t.set("above", &mut rules.above, penalty);
            t.set("below", &mut rules.below, penalty);
            t.set("half_life", &mut rules.half_life, |v| v.duration(TIME));
            t.set("at_most", &mut rules.at_most, |v| v.duration(TIME));
            if rules.below >= rules.above
                && let Some(v) = t.peek("below").or_else(|| t.peek("above"))
            {
                v.refuse::<()>("below less than above");
            }
            damping
        })
    }
}

/// What keeps this nameserver from trusting its own probes too far.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Safety {
    /// The bounds.
    pub bounds: model::Safety,
    /// The names of checks with targets of their own, by which it tells that it is cut off itself.
    pub references: Vec<Spanned<String>>,
}

impl Safety {
    pub(super) fn read(v: &Value<'_>) -> Option<Self> {
        v.table(|t| {
            let mut safety = Self::default();
            t.set("max_ejected", &mut safety.bounds.max_ejected, part);
            t.set("references", &mut safety.references, |v| {
                v.list("a list of names of checks that have a target", |v| {
                    names::reference(v, "the name of a check")
                })
            });
            safety
        })
    }
}

/// A part of a whole: 0.5, or "50%".
fn part(v: &Value<'_>) -> Option<f64> {
    const WANTED: &str = "a part: a number from 0 to 1, or \"0%\" to \"100%\"";
    if v.text().is_none() {
        return v.number(0.0..=1.0, WANTED);
    }
    v.parsed(WANTED, |text| {
        let percent: f64 = text.strip_suffix('%')?.parse().ok()?;
        (0.0..=100.0).contains(&percent).then_some(percent / 100.0)
    })
}
