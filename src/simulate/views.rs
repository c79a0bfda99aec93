//! What a simulation comes to, as the API and `--json` give it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether one would be all right.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// One would be.
    Ready,
    /// Most likely, but something would not go as it should, or is not known.
    AtRisk,
    /// One would not.
    NotReady,
}

impl Verdict {
    /// As people read it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ready => "READY",
            Self::AtRisk => "AT RISK",
            Self::NotReady => "NOT READY",
        }
    }
}

/// What regions bear, what each would bear if others died, and whether that is all right.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Board {
    /// Of the whole: the worst of all reasons that are not accepted, here and of the scenarios.
    pub verdict: Verdict,
    /// The tables that it was made of.
    pub generation: u64,
    /// Whether it was asked of a running server; else every pool is taken to be up.
    pub live: bool,
    /// What the weights of records and clients rest on.
    pub basis: Basis,
    /// The load of all regions together; `None`: no region that answers says what it can bear.
    pub demand: Option<DemandView>,
    /// The regions as things are.
    pub regions: Vec<RegionLoad>,
    /// The part of all answers that is answered with nothing.
    pub unanswered: f64,
    /// What is wrong as things are, whatever dies.
    pub reasons: Vec<Reason>,
    /// What would come of each region's death, or of that of the regions given.
    pub scenarios: Vec<Scenario>,
    /// How many more regions there are than scenarios that are told.
    pub scenarios_left_out: usize,
}

/// What the weights of records and clients rest on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Basis {
    /// For programs.
    pub kind: BasisKind,
    /// In a few words.
    pub text: String,
    /// Of a measured mix: the seconds over which it was measured.
    pub secs: Option<f64>,
    /// Of a measured mix: how many queries.
    pub answers: Option<u64>,
}

/// Where a mix is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BasisKind {
    /// Queries were counted.
    Measured,
    /// A file says it.
    File,
    /// Nothing is known: all count alike.
    Nothing,
}

/// The load of all regions together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DemandView {
    /// It, in the unit of capacities.
    pub load: f64,
    /// Whether it is configured; else it is the most that the regions can bear when all is healthy.
    pub configured: bool,
}

/// What a region bears.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RegionLoad {
    /// The region.
    pub region: String,
    /// Whether it is taken to be down.
    pub down: bool,
    /// Its part of all answers.
    pub share: f64,
    /// The load that this is, where the demand is known.
    pub load: Option<f64>,
    /// What it can bear, where that is known.
    pub capacity: Option<f64>,
}

/// What would come of the death of regions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Scenario {
    /// The regions that die.
    pub down: Vec<String>,
    /// By the reasons below alone.
    pub verdict: Verdict,
    /// What would be wrong.
    pub reasons: Vec<Reason>,
    /// What the regions would bear.
    pub regions: Vec<RegionLoad>,
    /// The part of all answers that would be answered with nothing.
    pub unanswered: f64,
    /// The part of all answers that would be another.
    pub moved: f64,
    /// Whose answers move most, those that move more first; at most 100.
    pub movements: Vec<Movement>,
    /// How many there are in all.
    pub movements_count: usize,
    /// At most 100 of the records that would come to their all-down rules, for some clients at least.
    pub all_down: Vec<String>,
    /// How many they are in all.
    pub all_down_count: usize,
    /// At most 100 of the records that nothing would answer that is up, for some clients at least.
    pub nothing_left: Vec<String>,
    /// How many they are in all.
    pub nothing_left_count: usize,
    /// At the worst so long nobody would notice; `None`: for ever, or there is nothing to notice.
    pub detection_secs: Option<f64>,
    /// At the worst so long clients would stay.
    pub cut_over_secs: Option<f64>,
    /// The record of which that is so.
    pub slowest: Option<String>,
}

/// Clients whose answers would be others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Movement {
    /// The record.
    pub record: String,
    /// `ipv4` or `ipv6`.
    pub family: String,
    /// How many of the record's classes of clients these are: those with the same shares before and after.
    pub classes: usize,
    /// Their part of all answers that moves.
    pub moved: f64,
    /// From where they are answered now.
    pub before: Vec<RegionPart>,
    /// From where they would be.
    pub after: Vec<RegionPart>,
}

/// A region's share of what some clients are answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RegionPart {
    /// The region.
    pub region: String,
    /// Its share.
    pub share: f64,
}

/// Something that is wrong, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reason {
    /// Its code, for programs and for `[simulate] accept`.
    pub code: String,
    /// What it makes of the verdict.
    pub verdict: Verdict,
    /// Whether it is accepted, and so makes nothing of the verdict.
    pub accepted: bool,
    /// It in a sentence, with names and numbers.
    pub text: String,
}
