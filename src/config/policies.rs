//! `[policies.NAME]`: how shares follow from weights and health.

use std::sync::Arc;

use super::context::Spanned;
use super::names;
use super::regions::weight;
use super::server::refuse_twice;
use super::table::Table;
use super::value::Value;
use crate::model::{MissingFamily, Weight};

/// A policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Its name.
    pub name: Spanned<Arc<str>>,
    /// What it does.
    pub kind: PolicyKind,
}

/// What a policy does.
#[derive(Debug, Clone, PartialEq)]
pub enum PolicyKind {
    /// Shares by weight.
    Weighted {
        /// Regions and policies with their weights; `None`: every region at its own weight.
        weights: Option<Vec<(Spanned<String>, Weight)>>,
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
}

const TYPES: [(&str, Kind); 2] = [("weighted", Kind::Weighted), ("failover", Kind::Failover)];
const TYPES_LATER: [&str; 4] = ["geolocation", "latency", "multivalue", "geoproximity"];
const ORDER_WANTED: &str = "a list of regions and policies, in order of preference";
const MEMBER_WANTED: &str = "the name of a region or a policy";

#[derive(Clone, Copy)]
enum Kind {
    Weighted,
    Failover,
}

impl Policy {
    pub(super) fn read_all(v: &Value<'_>) -> Option<Vec<Self>> {
        let entries = v.entries("a table of policies: [policies.main]")?;
        let read = entries.into_iter().map(|(name, place, v)| {
            let name = names::read(name, place, &v);
            let kind = v.table(PolicyKind::read).flatten();
            if kind.is_none() {
                v.cx.lost(|l| l.references = true);
            }
            // Stands for what cannot be read, so that references to it are not unknown.
            let kind = kind.unwrap_or(PolicyKind::Weighted { weights: None });
            Self { name, kind }
        });
        Some(read.collect())
    }
}

impl PolicyKind {
    fn read(t: &Table<'_>) -> Option<Self> {
        let wanted = "type = \"weighted\" or \"failover\"";
        match t.required("type", wanted, |v| v.word_or_later(&TYPES, &TYPES_LATER)) {
            Some(Kind::Weighted) => Some(Self::weighted(t)),
            Some(Kind::Failover) => Self::failover(t),
            None => {
                t.tolerate();
                None
            }
        }
    }

    fn weighted(t: &Table<'_>) -> Self {
        t.misplaced("order", "a key of a weighted policy", "it is a key of type = \"failover\"");
        let weights = t.optional("weights", weights);
        t.optional("sticky", |v| v.word_or_later(&[("none", ())], &["client"]));
        Self::Weighted { weights }
    }

    fn failover(t: &Table<'_>) -> Option<Self> {
        let hint = "it is a key of type = \"weighted\"; a nested list in \"order\" shares its tier";
        t.misplaced("weights", "a key of a failover policy", hint);
        let (mut spill, mut missing_family) = (false, MissingFamily::default());
        t.set("spill", &mut spill, Value::boolean);
        let words = [("nodata", MissingFamily::Nodata), ("skip", MissingFamily::Skip)];
        t.set("missing_family", &mut missing_family, |v| v.word(&words));
        let order = t.required("order", ORDER_WANTED, order)?;
        Some(Self::Failover { order, spill, missing_family })
    }
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
