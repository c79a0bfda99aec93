//! What operators may want, and what they hear of it.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::views::{OverrideView, PlanView, ShareChange};
use crate::model::AbortWhen;
use crate::wire::Name;

/// Something to be changed. It is stored, applied and published before it is answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// What is to be done.
    pub action: Action,
    /// Who wants it.
    pub actor: Actor,
    /// Why.
    pub reason: Option<String>,
    /// Do it although a record would be left with nothing but drained or down pools, or a region pushed
    /// over its capacity.
    pub force: bool,
    /// Only tell what would come of it.
    pub dry_run: bool,
    /// The same key is the same command: it is done once, and answered the same again.
    pub key: Option<String>,
}

/// Who gives commands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Actor {
    /// A name, 1 to 128 characters.
    pub name: String,
    /// From where, if over a network.
    pub from: Option<IpAddr>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// A new override.
    Force {
        /// The region's name.
        region: String,
        /// The record in which it is to stand; `None`: in all.
        record: Option<Name>,
        /// What is forced.
        what: Wanted,
        /// After how long it ends by itself; `None`: it does not.
        lasts: Option<Duration>,
    },
    /// The return of a region that has recovered and waits for it.
    LetBack {
        /// The region's name.
        region: String,
    },
    /// A plan, or what is to become of one.
    Plan(PlanOrder),
    /// The end of overrides.
    End {
        /// Which.
        which: Which,
        /// Over how long a drain returns; the others end at once.
        over: Option<Duration>,
    },
}

impl Action {
    /// Whether answers go elsewhere by it; else it only ends what had them go.
    pub(super) const fn moves_answers(&self) -> bool {
        match self {
            Self::Force { .. } => true,
            Self::Plan(order) => !matches!(
                order,
                PlanOrder::Abort(_) | PlanOrder::Pause(_) | PlanOrder::Finish { .. }
            ),
            Self::LetBack { .. } | Self::End { .. } => false,
        }
    }
}

/// What is planned, and what is to become of plans.
#[derive(Debug, Clone, PartialEq)]
pub enum PlanOrder {
    /// A shift begins, with its first stage.
    Shift {
        /// The region that gives.
        from: String,
        /// The region that answers in its place.
        to: String,
        /// In this record alone; `None`: in all.
        record: Option<Name>,
        /// The part of the answers at each stage: above 0, rising, at most 1.
        stages: Vec<f64>,
        /// The least time from one stage to the next.
        every: Duration,
        /// Each stage waits for an operator.
        manual: bool,
        /// What gives it up.
        abort_when: Option<AbortWhen>,
    },
    /// A drill begins.
    Drill {
        /// The region that is drained.
        region: String,
        /// In this record alone; `None`: in all.
        record: Option<Name>,
        /// The part of its answers that is drained, above 0, at most 1.
        share: f64,
        /// For how long.
        lasts: Duration,
        /// What gives it up.
        abort_when: Option<AbortWhen>,
    },
    /// Maintenance is announced.
    Window {
        /// The regions that are to be empty.
        regions: Vec<String>,
        /// From when on, in milliseconds since 1970.
        from_ms: u64,
        /// Until when.
        to_ms: u64,
        /// Over how long they are drained before.
        drain_over: Duration,
        /// Over how long they return after.
        return_over: Duration,
    },
    /// A shift goes on to its next stage at once.
    Advance(u64),
    /// A shift stays at its stage.
    Pause(u64),
    /// A plan is given up: everything is as before.
    Abort(u64),
    /// A shift is over that has reached its last stage.
    Finish {
        /// Its number.
        id: u64,
        /// An override keeps what it came to; else nothing does, because the configuration says so by now.
        keep: bool,
    },
}

/// What is to be forced.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wanted {
    /// A drain, gradually over a time or at once.
    Drain(Option<Duration>),
    /// Never a share.
    Down,
    /// As if up.
    Up,
    /// Another weight.
    Weight(u16),
}

/// Which overrides are to end.
#[derive(Debug, Clone, PartialEq)]
pub enum Which {
    /// That of a number.
    Id(u64),
    /// All of some kinds on exactly this region, or on it in exactly this record.
    Of {
        /// The region's name.
        region: String,
        /// The record.
        record: Option<Name>,
        /// The kinds; none: all of them.
        kinds: Vec<OverrideKind>,
    },
}

/// A kind of override.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OverrideKind {
    /// No share while any other pool is up.
    Drain,
    /// Never a share.
    ForceDown,
    /// As if up.
    ForceUp,
    /// Another weight.
    Weight,
    /// Another region answers in its place.
    Shift,
}

/// What a command came to: it is stored and published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Done {
    /// The number of the tables that serve it (those in force, when nothing was to be done).
    pub generation: u64,
    /// Nothing was done: this is what would come of it.
    pub dry_run: bool,
    /// It had been done before, under the same idempotency key: this is what was answered then.
    pub repeated: bool,
    /// The overrides that it made or ended, as they are now or were at their end.
    pub overrides: Vec<OverrideView>,
    /// The plan that it made or changed, as it is now.
    #[serde(default)]
    pub plan: Option<PlanView>,
    /// The shares that it changes, of at most 20 records. Of a gradual move, what it comes to in the
    /// end.
    pub changes: Vec<ShareChange>,
    /// How many records have other shares by it in all.
    pub records_changed: usize,
    /// What the operator should know.
    pub warnings: Vec<String>,
}

/// Why a command was not done. Nothing has changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// There is no such region.
    #[error("there is no region {region:?}{hint}")]
    UnknownRegion {
        /// What was given.
        region: String,
        /// What to try.
        hint: String,
    },
    /// There is no such record.
    #[error("there is no record {record}{hint}")]
    UnknownRecord {
        /// What was given.
        record: String,
        /// What to try.
        hint: String,
    },
    /// The region has no part in the record.
    #[error("{region} has no part in {record}, which is answered from {regions}")]
    NoPart {
        /// The region.
        region: String,
        /// The record.
        record: String,
        /// The regions that have.
        regions: String,
    },
    /// There is nothing to end.
    #[error("{0}")]
    NothingToEnd(String),
    /// There is no such plan under way.
    #[error("{0}")]
    UnknownPlan(String),
    /// It cannot be done as things are.
    #[error("{0}")]
    NotNow(String),
    /// Records have no place for a region.
    #[error("{text}")]
    NoPlace {
        /// A sentence with their names.
        text: String,
        /// At most 20 of those records.
        records: Vec<String>,
    },
    /// Records would be left with nothing but drained or down pools.
    #[error("{text}")]
    NothingLeft {
        /// A sentence with the numbers.
        text: String,
        /// At most 20 of those records.
        records: Vec<LeftWithNothing>,
        /// How many there are in all.
        count: usize,
    },
    /// Regions would bear more than they can.
    #[error("{text}; it is done only if forced")]
    OverCapacity {
        /// A sentence with the numbers.
        text: String,
        /// These regions.
        regions: Vec<OverCapacity>,
        /// The load of all regions together.
        demand: f64,
    },
    /// There are as many overrides as there may be.
    #[error("there are {0} overrides, and there may be no more; end some of them first")]
    TooMany(usize),
    /// The idempotency key was used for another command.
    #[error("the idempotency key was used before, for another command; use a new one for each")]
    KeyReused,
    /// A value is out of its range.
    #[error("{0}")]
    Invalid(String),
    /// It could not be stored, so it was not done.
    #[error("the command could not be stored, and was not done: {0}")]
    NotStored(String),
    /// The single writer has ended.
    #[error(
        "what judges health and publishes has ended by a fault of this program; restart the server"
    )]
    Gone,
}

/// A record that a command would leave with nothing but drained or down pools.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeftWithNothing {
    /// The record.
    pub record: String,
    /// `ipv4` or `ipv6`.
    pub family: String,
    /// How many of its pools are up and not drained now.
    pub now: usize,
    /// How many would be.
    pub then: usize,
    /// How many pools it has of that family.
    pub pools: usize,
}

/// A region that a command would push over its capacity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OverCapacity {
    /// The region.
    pub region: String,
    /// The load that it bears now.
    pub now: f64,
    /// The load that it would bear.
    pub then: f64,
    /// The load that it can bear.
    pub capacity: f64,
}
