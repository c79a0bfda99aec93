//! Bodies of requests and replies that are not control's: as the server reads and the command line
//! writes them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::control::command::OverrideKind;

/// A new override.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOverride {
    /// The region that it stands on.
    pub region: String,
    /// The record in which it stands there; absent: in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// What is forced.
    pub kind: OverrideKind,
    /// The weight, 0 to 65535; for the kind `weight`, and for that alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<u16>,
    /// After how long it ends by itself, like `30m`: 1 s to 366 days; absent: it does not.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub lasts: Option<String>,
    /// Over how long a drain is made gradually, like `10m`: 1 s to 7 days; absent: at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<String>,
    /// Why: at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Do it although records would be left with nothing but drained or down pools, or a region pushed over
    /// its capacity.
    #[serde(default)]
    pub force: bool,
    /// Only tell what would come of it.
    #[serde(default)]
    pub dry_run: bool,
}

/// Which overrides are to end: one by its number, or all of some kinds on a region.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndOverrides {
    /// The number of one; then there is no region, record or kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// The region that they stand on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The record in which they stand there; absent: those that stand in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// Their kinds; none: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<OverrideKind>,
    /// Over how long a drain returns, like `10m`: 1 s to 7 days; absent: at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<String>,
    /// Why: at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Do it although records would be left with nothing but drained or down pools, or a region pushed over
    /// its capacity.
    #[serde(default)]
    pub force: bool,
    /// Only tell what would come of it.
    #[serde(default)]
    pub dry_run: bool,
}

/// The return of a region that has recovered and waits for an operator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LetBack {
    /// The region.
    pub region: String,
    /// Why: at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Only tell what would come of it.
    #[serde(default)]
    pub dry_run: bool,
}

/// A shift: another region answers in a region's place, in stages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewShift {
    /// The region that gives.
    pub from: String,
    /// The region that answers in its place.
    pub to: String,
    /// In this record alone; absent: in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// The part of the answers at each stage in percent: above 0, rising, at most 100; 1 to 100 stages.
    pub stages: Vec<f64>,
    /// The least time from one stage to the next, like `15m`: 1 s to 30 days.
    pub every: String,
    /// Each stage waits for an operator.
    #[serde(default)]
    pub manual: bool,
    /// A query to the Prometheus server of the configuration and a bound, like
    /// `sum(rate(errors[1m])) > 0.05`: a sample beyond gives the shift up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abort_when: Option<String>,
    /// Why: at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Do it although records would be left with nothing but drained or down pools, or a region pushed over
    /// its capacity.
    #[serde(default)]
    pub force: bool,
    /// Only tell what would come of it.
    #[serde(default)]
    pub dry_run: bool,
}

/// A drill: a region is drained for a while, to see what comes of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDrill {
    /// The region that is drained.
    pub region: String,
    /// In this record alone; absent: in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// The part of its answers that is drained in percent, above 0, at most 100; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// For how long, like `10m`: 1 s to 7 days.
    #[serde(rename = "for")]
    pub lasts: String,
    /// As of a shift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abort_when: Option<String>,
    /// Why: at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// As of a shift.
    #[serde(default)]
    pub force: bool,
    /// Only tell what would come of it.
    #[serde(default)]
    pub dry_run: bool,
}

/// A maintenance window: regions are empty from a time to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWindow {
    /// The regions, 1 to 100.
    pub regions: Vec<String>,
    /// From when on, like `2026-12-01T02:00:00Z`.
    pub from: String,
    /// Until when: at most 31 days later, and not over yet.
    pub to: String,
    /// Over how long they are drained before, like `10m`: 0 s to 1 day; absent: 5 min.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drain_over: Option<String>,
    /// Over how long they return after, like `10m`: 0 s to 1 day; absent: 5 min.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_over: Option<String>,
    /// Why: at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// As of a shift.
    #[serde(default)]
    pub force: bool,
    /// Only tell what would come of it.
    #[serde(default)]
    pub dry_run: bool,
}

/// What is to become of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePlan {
    /// What is to be done.
    pub action: PlanAction,
    /// Of a shift that is finished: an override keeps what it came to. Without it nothing does, because
    /// the configuration says so by now.
    #[serde(default)]
    pub keep: bool,
    /// Why: at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// As of a shift.
    #[serde(default)]
    pub force: bool,
    /// Only tell what would come of it.
    #[serde(default)]
    pub dry_run: bool,
}

/// What is to be done with a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanAction {
    /// A shift goes on to its next stage at once, paused or not.
    Advance,
    /// A shift stays at its stage.
    Pause,
    /// It is given up, and everything is as before.
    Abort,
    /// A shift that has reached its last stage is over.
    Finish,
}

/// What is asked to be explained.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Explain {
    /// The name that a client would ask for.
    pub name: String,
    /// The type: `A` (as when absent), `AAAA`, or another.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub rtype: Option<String>,
    /// The client: an address, or a prefix as in EDNS Client Subnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Regions that are taken to be down.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub down: Vec<String>,
}

/// What a region says of itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Push {
    /// How it is; absent: `pass`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<PushStatus>,
    /// Why, at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The part of its usual share that it asks for: 0 to 1, or a percentage like `"75%"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<serde_json::Value>,
    /// How loaded it is, 0 to 1000; at 1 it is full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<f64>,
}

/// How a region says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PushStatus {
    /// Well.
    #[default]
    Pass,
    /// It works, but not well.
    Warn,
    /// It does not work.
    Fail,
}

/// A reload.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reload {
    /// Why: at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A reload that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reloaded {
    /// The number of the tables that serve it.
    pub generation: u64,
    /// What is used although it is probably not meant, a line each.
    pub warnings: Vec<String>,
}
