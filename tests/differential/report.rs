//! What was compared, and what came of it.

use std::collections::BTreeMap;
use std::fmt;

use fastrand::Rng;

use crate::compare::label;
use crate::peers::{Peer, Refused};
use crate::zone::Family;

/// Differences of one kind that are shown in full.
const SHOWN_MAX: usize = 2;
/// Families whose zones are shown.
const FAMILIES_MAX: usize = 3;

/// The counts of a run.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) zones: usize,
    pub(crate) queries: usize,
    pub(crate) compared: usize,
    families: usize,
    dynamic: usize,
    records: usize,
    refused: BTreeMap<&'static str, usize>,
    reasons: BTreeMap<(&'static str, Peer), usize>,
    unexplained: BTreeMap<String, usize>,
    /// The families whose zones were shown.
    shown: Vec<u64>,
}

impl Report {
    /// Counts a zone that one of the servers does not take.
    pub(crate) fn refused(&mut self, refused: &Refused) {
        let count = self.refused.entry(refused.by).or_default();
        *count += 1;
        if *count <= 3 {
            println!("{} refuses {}: {}", refused.by, refused.apex, refused.why);
        }
    }

    /// Counts a family and the questions about it.
    pub(crate) fn family(&mut self, family: &Family, questions: usize) {
        self.families += 1;
        self.zones += family.zones.len();
        self.dynamic += family.dynamic.len();
        self.records += family.zones.iter().map(|zone| zone.records.len()).sum::<usize>();
        self.queries += questions;
    }

    /// Counts a difference and its reasons.
    pub(crate) fn explained(&mut self, peer: Peer, reasons: &[&'static str]) {
        for reason in reasons {
            *self.reasons.entry((reason, peer)).or_default() += 1;
        }
    }

    /// Counts and shows a difference without a reason.
    pub(crate) fn unexplained(&mut self, family: &Family, what: &str, text: &str) {
        let count = self.unexplained.entry(what.to_owned()).or_default();
        *count += 1;
        if *count > SHOWN_MAX {
            return;
        }
        println!("unexplained, {what}: {text}");
        if !self.shown.contains(&family.seed) && self.shown.len() < FAMILIES_MAX {
            self.shown.push(family.seed);
            let mut never = Rng::with_seed(0);
            for zone in &family.zones {
                println!("{}", zone.file(&Default::default(), &mut never).to_ascii_lowercase());
            }
            println!("; dynamic: {:?}", family.dynamic);
        }
    }

    /// Whether every difference has a reason.
    pub(crate) fn is_clean(&self) -> bool {
        self.unexplained.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { families, zones, records, dynamic, queries, compared, .. } = self;
        writeln!(
            f,
            "{zones} zones in {families} families, {records} records, {dynamic} dynamic names"
        )?;
        writeln!(f, "{queries} queries to each server, {compared} comparisons")?;
        for (by, count) in &self.refused {
            writeln!(f, "{count} zones refused by {by}, and others taken for them")?;
        }
        for ((reason, peer), count) in &self.reasons {
            writeln!(f, "{count:>9} {:<4} {reason}", label(*peer))?;
        }
        for (what, count) in &self.unexplained {
            writeln!(f, "{count:>9} unexplained: {what}")?;
        }
        writeln!(f, "{:>9} differences without a reason", self.unexplained.values().sum::<usize>())
    }
}
