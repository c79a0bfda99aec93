//! What a replay tells: for programs as it stands here, for people as the command line renders it.
//!
//! Numbers of queries are expected ones where answers are drawn, and have fractions.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::Family;
use crate::routing::Snapshot;

use super::movement::Goal;
use super::names::{Target, Way};
use super::outcome::name;
use super::tally::{Sum, Sums};

/// All of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// What moves of all queries that a dynamic record of either configuration answers.
    #[serde(flatten)]
    pub all: Part,
    /// How many client networks asked (IPv4 /24, IPv6 /56).
    pub networks: usize,
    /// There were more networks than were counted.
    pub networks_at_least: bool,
    /// Which part of the networks is answered by another region, where each counts once; 0 to 1.
    pub networks_moved: f64,
    /// By country, those where most moves first.
    pub by_country: Vec<OfCountry>,
    /// By record, those where most moves first.
    pub by_record: Vec<OfRecord>,
    /// By type.
    pub by_type: Vec<OfType>,
    /// What the log was.
    pub read: Read,
}

/// What moves of some queries.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// How many there are.
    pub queries: u64,
    /// How many are answered by a region and then by another.
    pub moved: f64,
    /// How many get addresses, and then none.
    pub lost: f64,
    /// How many get no address, and then some.
    pub gained: f64,
    /// How many are answered otherwise in other ways: by zone data instead of a region, say.
    pub otherwise: f64,
    /// How many stay in their region and get other addresses of it.
    pub readdressed: f64,
    /// From where to where, the most first.
    pub moves: Vec<Flow>,
    /// Where answers lead by the configuration in use.
    pub before: Vec<To>,
    /// Where they lead by the other.
    pub after: Vec<To>,
    /// The mean TTL of answers of dynamic records, where both configurations have one.
    pub ttl: Option<Ttl>,
}

/// From one goal to another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Flow {
    /// By the configuration in use.
    pub from: Goal,
    /// By the other.
    pub to: Goal,
    /// How many queries.
    pub queries: f64,
    /// How many of them get the same addresses, of a region that has another name.
    pub same_addresses: f64,
}

/// What leads to one goal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct To {
    /// Which.
    pub to: Goal,
    /// How many queries.
    pub queries: f64,
}

/// Mean TTLs in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ttl {
    /// By the configuration in use.
    pub before: f64,
    /// By the other.
    pub after: f64,
}

/// The clients of a country.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OfCountry {
    /// Its code; `None` where that is not known.
    pub country: Option<String>,
    /// What moves.
    #[serde(flatten)]
    pub part: Part,
}

/// The queries that a record answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OfRecord {
    /// The record of the configuration in use; `None`: it has none there.
    pub old_record: Option<String>,
    /// That of the other.
    pub new_record: Option<String>,
    /// A or AAAA.
    #[serde(rename = "type")]
    pub qtype: &'static str,
    /// What moves.
    #[serde(flatten)]
    pub part: Part,
}

/// The queries for one type.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OfType {
    /// A or AAAA.
    #[serde(rename = "type")]
    pub qtype: &'static str,
    /// What moves.
    #[serde(flatten)]
    pub part: Part,
}

/// What the log was. All its lines are counted once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Read {
    /// The files.
    pub files: Vec<String>,
    /// All lines.
    pub lines: u64,
    /// Those that cannot be read.
    pub unreadable: u64,
    /// The first of them.
    pub unread: Vec<Unread>,
    /// Questions for other types than A and AAAA.
    pub other_types: u64,
    /// Questions for names for which neither configuration has a dynamic record.
    pub other_names: u64,
    /// Replies that were cut short, so that the client asked again over TCP.
    pub cut_short: u64,
    /// Replies with nothing but the CNAMEs that lead to a record, which the client asked for next.
    pub led_on: u64,
    /// What was not answered: it was no question, or asked for what is not done.
    pub unanswered: u64,
    /// The least time of a query that counts, as it is written.
    pub since: Option<String>,
    /// The greatest.
    pub until: Option<String>,
    /// Queries that count whose clients were logged as networks.
    pub blurred: u64,
    /// Those of them in whose networks a configuration tells clients apart.
    pub coarse: u64,
}

/// A line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// The file.
    pub file: String,
    /// The line, from 1 on.
    pub line: u64,
    /// What is wrong with it.
    pub why: String,
}

impl Report {
    /// Of what was summed up.
    pub(super) fn new(
        snapshots: [&Snapshot; 2],
        targets: &[Target],
        sums: &Sums,
        (networks, networks_moved, networks_at_least): (usize, f64, bool),
        read: Read,
    ) -> Self {
        let mut by_country: Vec<OfCountry> = (sums.countries.iter())
            .map(|(country, sum)| OfCountry {
                country: country.map(|country| country.to_string()),
                part: Part::new(sum),
            })
            .collect();
        by_country.sort_by_key(|of| (of.part.order(), of.country.is_none()));
        let by_type = sums.families.iter();
        let by_type = by_type
            .map(|(family, sum)| OfType { qtype: qtype(*family), part: Part::new(sum) })
            .collect();
        Self {
            all: Part::new(&sums.all),
            networks,
            networks_at_least,
            networks_moved: rounded(networks_moved),
            by_country,
            by_record: by_record(snapshots, targets, sums),
            by_type,
            read,
        }
    }
}

fn by_record(snapshots: [&Snapshot; 2], targets: &[Target], sums: &Sums) -> Vec<OfRecord> {
    let mut joined: BTreeMap<(Option<String>, Option<String>, Family), Sum> = BTreeMap::new();
    for (at, sum) in &sums.targets {
        let Some(Target { ways: [before, after], family }) = targets.get(*at) else { continue };
        let [first, second] = snapshots;
        let name = |snapshot, way: &Way| match way {
            Way::Record { id, .. } => Some(name(snapshot, *id)),
            Way::Fixed(_) => None,
        };
        let key = (name(first, before), name(second, after), *family);
        joined.entry(key).or_default().join(sum);
    }
    let of = |((before, after, family), sum): (_, Sum)| OfRecord {
        old_record: before,
        new_record: after,
        qtype: qtype(family),
        part: Part::new(&sum),
    };
    let mut all: Vec<OfRecord> = joined.into_iter().map(of).collect();
    all.sort_by_key(|of| of.part.order());
    all
}

const fn qtype(family: Family) -> &'static str {
    match family {
        Family::V4 => "A",
        Family::V6 => "AAAA",
    }
}

impl Part {
    fn new(sum: &Sum) -> Self {
        let mut moves: Vec<Flow> = (sum.flows.iter())
            .map(|((from, to), &(queries, same_addresses))| Flow {
                from: from.clone(),
                to: to.clone(),
                queries: rounded(queries),
                same_addresses: rounded(same_addresses),
            })
            .collect();
        moves.sort_by(|a, b| b.queries.total_cmp(&a.queries));
        let goals = |of: &BTreeMap<Goal, f64>| {
            of.iter()
                .map(|(to, queries)| To { to: to.clone(), queries: rounded(*queries) })
                .collect()
        };
        let (count, before, after) = sum.ttl;
        let mean = |sum: f64| rounded(sum / count as f64);
        Self {
            queries: sum.queries,
            moved: rounded(sum.moved),
            lost: rounded(sum.lost),
            gained: rounded(sum.gained),
            otherwise: rounded(sum.otherwise),
            readdressed: rounded(sum.readdressed),
            moves,
            before: goals(&sum.before),
            after: goals(&sum.after),
            ttl: (count > 0).then(|| Ttl { before: mean(before), after: mean(after) }),
        }
    }

    /// How many queries are answered otherwise in any way.
    #[must_use]
    pub fn changed(&self) -> f64 {
        self.moved + self.lost + self.gained + self.otherwise
    }

    /// By how many change, then by how many there are, the most first.
    fn order(&self) -> impl Ord + use<> {
        let rounded = (self.changed() * 1e3).round() as u64;
        std::cmp::Reverse((rounded, self.queries))
    }
}

/// Without what sums of fractions have too much.
fn rounded(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}
