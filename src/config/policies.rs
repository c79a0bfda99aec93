//! `[policies.NAME]`: how shares follow from weights, health, and where the client is.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use super::context::Spanned;
use super::geolocation::{self, Rule};
use super::names;
use super::records::ANSWERS;
use super::regions::weight;
use super::server::refuse_twice;
use super::table::Table;
use super::value::{Value, list_of};
use crate::model::{MissingFamily, Weight};

/// A policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Its name.
    pub name: Spanned<Arc<str>>,
    /// What it does.
    pub kind: PolicyKind,
    /// With fewer members up all of it counts as down; 0: one is enough.
    pub min_up: u16,
}

/// What a policy does.
#[derive(Debug, Clone, PartialEq)]
pub enum PolicyKind {
    /// Shares by weight.
    Weighted {
        /// Regions and policies with their weights; `None`: every region at its own weight.
        weights: Option<Vec<(Spanned<String>, Weight)>>,
        /// Whether a client network keeps to its region.
        sticky: bool,
    },
    /// Prefers one tier over the next.
    Failover {
        /// Tiers of regions and policies, in order of preference; at least one, none empty.
        order: Vec<Vec<Spanned<String>>>,
        /// What a tier leaves goes to the next.
        spill: bool,
        /// What a member without the family asked yields.
        missing_family: MissingFamily,
    },
    /// Goes by where the client is.
    Geolocation {
        /// The rules, in the order of the file; at least one.
        rules: Vec<Rule>,
        /// The region or policy of clients that no rule names; `None` is nodata.
        default: Option<Spanned<String>>,
        /// Only the first rule that matches is used, even when all that it leads to is down.
        fence: bool,
        /// What a member without the family asked yields.
        missing_family: MissingFamily,
    },
    /// Goes by round-trip time.
    Latency {
        /// Regions; `None`: every region.
        to: Option<Vec<Spanned<String>>>,
        /// All within this of the best share by weight, 0 to 10 s.
        tolerance: Duration,
        /// What a member without the family asked yields.
        missing_family: MissingFamily,
    },
    /// Goes by biased distance.
    Geoproximity {
        /// Regions; `None`: every region.
        to: Option<Vec<Spanned<String>>>,
        /// Regions and by how many percent they seem nearer (above 0) or farther, -99 to 99.
        bias: Vec<(Spanned<String>, i8)>,
        /// All within this many km of the best share by weight, 0 to 20100.
        tolerance_km: f64,
        /// What a member without the family asked yields.
        missing_family: MissingFamily,
    },
    /// Puts several regions into one answer.
    Multivalue {
        /// Regions; `None`: every region.
        to: Option<Vec<Spanned<String>>>,
        /// Addresses in one answer at most, 1 to 32; `None`: as many as the record allows.
        max_answers: Option<u8>,
    },
}

const TYPES: [(&str, Kind); 6] = [
    ("weighted", Kind::Weighted),
    ("failover", Kind::Failover),
    ("geolocation", Kind::Geolocation),
    ("latency", Kind::Latency),
    ("geoproximity", Kind::Geoproximity),
    ("multivalue", Kind::Multivalue),
];

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Weighted,
    Failover,
    Geolocation,
    Latency,
    Geoproximity,
    Multivalue,
}

/// Every key beside the type, and the types that have it.
const KEYS: [(&str, &[Kind]); 13] = [
    ("weights", &[Kind::Weighted]),
    ("sticky", &[Kind::Weighted]),
    ("order", &[Kind::Failover]),
    ("spill", &[Kind::Failover]),
    ("rules", &[Kind::Geolocation]),
    ("default", &[Kind::Geolocation]),
    ("when_down", &[Kind::Geolocation]),
    ("to", &[Kind::Latency, Kind::Geoproximity, Kind::Multivalue]),
    ("tolerance", &[Kind::Latency, Kind::Geoproximity]),
    ("bias", &[Kind::Geoproximity]),
    ("max_answers", &[Kind::Multivalue]),
    (
        "min_up",
        &[Kind::Weighted, Kind::Failover, Kind::Latency, Kind::Geoproximity, Kind::Multivalue],
    ),
    ("missing_family", &[Kind::Failover, Kind::Geolocation, Kind::Latency, Kind::Geoproximity]),
];

const ORDER_WANTED: &str = "a list of regions and policies, in order of preference";
const TO_WANTED: &str = "a list of regions";
pub(super) const MEMBER_WANTED: &str = "the name of a region or a policy";
const TOLERANCE: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(10);
/// In km; no two places are farther apart.
pub(super) const TOLERANCE_KM: RangeInclusive<f64> = 0.0..=20_100.0;
/// In percent.
pub(super) const BIAS: RangeInclusive<i64> = -99..=99;

impl Policy {
    /// How much longer than the best a round trip may take for a region to share with it, where
    /// nothing else is said.
    pub const TOLERANCE: Duration = Duration::from_millis(10);
    /// How much farther than the nearest a region may be to share with it, in km, where nothing
    /// else is said.
    pub const TOLERANCE_KM: f64 = 0.0;

    pub(super) fn read_all(v: &Value<'_>) -> Option<Vec<Self>> {
        let entries = v.entries("a table of policies: [policies.main]")?;
        let read = entries.into_iter().map(|(name, place, v)| {
            let name = names::read(name, place, &v);
            let mut min_up = 0;
            let kind = v.table(|t| {
                let kind = PolicyKind::read(t)?;
                if !matches!(kind, PolicyKind::Geolocation { .. }) {
                    t.set("min_up", &mut min_up, |v| v.integer(0..=65535));
                }
                Some(kind)
            });
            let kind = kind.flatten();
            if kind.is_none() {
                v.cx.lost(|l| l.references = true);
            }
            // Stands for what cannot be read, so that references to it are not unknown.
            let kind = kind.unwrap_or(PolicyKind::Weighted { weights: None, sticky: false });
            Self { name, kind, min_up }
        });
        Some(read.collect())
    }
}

impl PolicyKind {
    fn read(t: &Table<'_>) -> Option<Self> {
        let types: Vec<_> = TYPES.iter().map(|(name, _)| format!("{name:?}")).collect();
        let wanted = format!("type = {}", list_of(&types, "or"));
        let Some(kind) = t.required("type", &wanted, |v| v.word(&TYPES)) else {
            t.tolerate();
            return None;
        };
        misplaced(t, kind);
        match kind {
            Kind::Weighted => Some(Self::weighted(t)),
            Kind::Failover => Self::failover(t),
            Kind::Geolocation => Self::geolocation(t),
            Kind::Latency => Some(Self::latency(t)),
            Kind::Geoproximity => Some(Self::geoproximity(t)),
            Kind::Multivalue => Some(Self::multivalue(t)),
        }
    }

    fn weighted(t: &Table<'_>) -> Self {
        let weights = t.optional("weights", weights);
        let mut sticky = false;
        t.set("sticky", &mut sticky, |v| v.word(&[("none", false), ("client", true)]));
        Self::Weighted { weights, sticky }
    }

    fn failover(t: &Table<'_>) -> Option<Self> {
        let mut spill = false;
        t.set("spill", &mut spill, Value::boolean);
        let missing_family = missing_family(t);
        let order = t.required("order", ORDER_WANTED, order)?;
        Some(Self::Failover { order, spill, missing_family })
    }

    fn geolocation(t: &Table<'_>) -> Option<Self> {
        let mut fence = false;
        t.set("when_down", &mut fence, |v| v.word(&[("widen", false), ("fence", true)]));
        let missing_family = missing_family(t);
        let default = geolocation::default(t);
        let rules = geolocation::rules(t);
        Some(Self::Geolocation { rules: rules?, default: default?, fence, missing_family })
    }

    fn latency(t: &Table<'_>) -> Self {
        let mut tolerance = Policy::TOLERANCE;
        t.set("tolerance", &mut tolerance, |v| v.duration(TOLERANCE));
        Self::Latency { to: to(t), tolerance, missing_family: missing_family(t) }
    }

    fn geoproximity(t: &Table<'_>) -> Self {
        let mut tolerance_km = Policy::TOLERANCE_KM;
        let wanted = "a number of km, 0 to 20100";
        t.set("tolerance", &mut tolerance_km, |v| v.number(TOLERANCE_KM, wanted));
        let bias = t.optional("bias", bias).unwrap_or_default();
        let (to, missing_family) = (to(t), missing_family(t));
        Self::Geoproximity { to, bias, tolerance_km, missing_family }
    }

    fn multivalue(t: &Table<'_>) -> Self {
        let max_answers = t.optional("max_answers", |v| v.integer(ANSWERS));
        Self::Multivalue { to: to(t), max_answers }
    }
}

/// Refuses the keys of other types.
fn misplaced(t: &Table<'_>, kind: Kind) {
    let name = |kind: &Kind| TYPES.iter().find(|(_, k)| k == kind).map_or("", |(name, _)| name);
    for (key, kinds) in KEYS {
        if kinds.contains(&kind) {
            continue;
        }
        let quoted: Vec<_> = kinds.iter().map(|kind| format!("{:?}", name(kind))).collect();
        let of = format!("it is a key of type = {}", list_of(&quoted, "or"));
        let hint = match (key, kind) {
            ("weights", Kind::Failover) => {
                format!("{of}; a nested list in \"order\" shares its tier")
            }
            ("weights", Kind::Latency | Kind::Geoproximity) => {
                format!("{of}; here regions share by their own weights")
            }
            ("to", Kind::Geolocation) => format!("{of}, and of each rule"),
            _ => of,
        };
        t.misplaced(key, &format!("a key of a {} policy", name(&kind)), &hint);
    }
}

fn missing_family(t: &Table<'_>) -> MissingFamily {
    let mut missing = MissingFamily::default();
    let words = [("nodata", MissingFamily::Nodata), ("skip", MissingFamily::Skip)];
    t.set("missing_family", &mut missing, |v| v.word(&words));
    missing
}

fn weights(v: &Value<'_>) -> Option<Vec<(Spanned<String>, Weight)>> {
    let wanted =
        "a table of regions and policies with their weights: { us-east = 95, us-west = 5 }";
    let entries = v.entries(wanted)?;
    if entries.is_empty() {
        return v.refuse(wanted);
    }
    let read = entries.into_iter().map(|(name, place, v)| {
        let name = Spanned { value: name.to_owned(), place };
        (name, weight(&v).unwrap_or(Weight::DEFAULT))
    });
    Some(read.collect())
}

fn order(v: &Value<'_>) -> Option<Vec<Vec<Spanned<String>>>> {
    let tiers = v.list(ORDER_WANTED, |v| names::one_or_more(v, MEMBER_WANTED))?;
    if v.elements().is_empty() {
        return v.refuse(ORDER_WANTED);
    }
    refuse_twice(v, &tiers.concat());
    Some(tiers)
}

/// The regions that take part; `None`: all.
fn to(t: &Table<'_>) -> Option<Vec<Spanned<String>>> {
    let v = t.get("to")?;
    let names = v.list(TO_WANTED, |v| names::reference(v, "the name of a region"));
    if names.is_none() || v.elements().is_empty() {
        v.cx.lost(|l| l.references = true);
    }
    if v.elements().is_empty() {
        return v.refuse_with("at least one region", "leave \"to\" out for every region");
    }
    refuse_twice(&v, names.as_deref().unwrap_or_default());
    names
}

fn bias(v: &Value<'_>) -> Option<Vec<(Spanned<String>, i8)>> {
    let entries = v.entries("a table of regions with their bias: { eu-west = 20 }")?;
    let read = entries.into_iter().filter_map(|(name, place, v)| {
        Some((Spanned { value: name.to_owned(), place }, v.integer(BIAS)?))
    });
    Some(read.collect())
}
