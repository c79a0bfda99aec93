//! What operators see, as plain data: JSON as it stands here for the API, and what the command line
//! renders. Times are RFC 3339 in UTC, durations are seconds, shares are parts of all answers from 0
//! to 1.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::control::command::OverrideKind;

/// All at a glance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// The version of the program.
    pub version: String,
    /// The time of this.
    pub time: String,
    /// For how long the server has been running.
    pub uptime_secs: f64,
    /// The number of the tables in force.
    pub generation: u64,
    /// The regions, in the order of the configuration.
    pub regions: Vec<RegionView>,
    /// The overrides in force, the oldest first.
    pub overrides: Vec<OverrideView>,
    /// The plans under way, and the windows ahead.
    #[serde(default)]
    pub plans: Vec<PlanView>,
    /// How many records there are.
    pub records: usize,
    /// How many of them are at risk.
    pub records_at_risk: usize,
    /// Those at risk, the worst first; at most 20.
    pub at_risk: Vec<RecordView>,
    /// The records, when there are no more than 20.
    pub all_records: Vec<RecordView>,
    /// The checks in numbers.
    pub checks: ChecksInNumbers,
    /// For how long this nameserver has taken itself to be cut off; `None`: it does not.
    #[serde(default)]
    pub cut_off_secs: Option<f64>,
    /// Certificates that expire soon or have expired, the first to go first; at most 20.
    #[serde(default)]
    pub certificates: Vec<CertificateView>,
    /// The names behind aliases, those that cannot be looked up first; at most 20.
    #[serde(default)]
    pub aliases: Vec<AliasView>,
}

/// A certificate that expires soon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CertificateView {
    /// The check that has seen it.
    pub check: String,
    /// Where.
    pub destination: String,
    /// When it expires.
    pub expires: String,
    /// After how long; below 0: it has expired.
    pub expires_in_secs: f64,
}

/// A name behind an alias.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AliasView {
    /// The name.
    pub name: String,
    /// The IPv4 addresses that it was looked up to have.
    pub ipv4: Vec<String>,
    /// The same of IPv6.
    pub ipv6: Vec<String>,
    /// The TTL in seconds of what led to them, within the bounds that are configured.
    pub ttl: Option<u32>,
    /// How long ago it was last looked up without trouble; `None`: it never was.
    pub found_secs: Option<f64>,
    /// What was wrong with the last look; `None`: nothing.
    pub trouble: Option<String>,
}

/// An endpoint of a record that is a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EndpointView {
    /// The region that it is for.
    pub region: String,
    /// The name whose addresses are served.
    pub alias: Option<AliasView>,
    /// The name that is served itself, as a CNAME.
    pub cname: Option<String>,
}

/// How many targets are probed, and what is known of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChecksInNumbers {
    /// All.
    pub targets: usize,
    /// Up.
    pub up: usize,
    /// Down.
    pub down: usize,
    /// Not known yet.
    pub unknown: usize,
    /// Those that cannot be asked, which are also counted as what they last were.
    #[serde(default)]
    pub abstaining: usize,
    /// For how long the result that is waited for longest has been; `None`: nothing is probed.
    pub oldest_secs: Option<f64>,
}

/// A region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RegionView {
    /// Its name.
    pub name: String,
    /// Its observed health.
    pub health: HealthWord,
    /// Why it is not just up: the failing check and what it saw, or what holds its share back.
    pub reason: Option<String>,
    /// The last results of that check, the oldest first: `+` passed, `-` failed, `?` not to be asked.
    #[serde(default)]
    pub recent: Option<String>,
    /// For how long it has been so; `None`: it is not probed.
    pub since_secs: Option<f64>,
    /// By family.
    pub families: Vec<RegionFamily>,
    /// Its configured weight; a policy may give it another.
    pub weight: u16,
    /// The weight that an override gives it in all records.
    pub weight_override: Option<u16>,
    /// The state that overrides of the region force, of several the most restrictive.
    pub forced: Option<OverrideKind>,
    /// The part that is drained, 0 to 1.
    pub drained: f64,
    /// Another region that answers in its place, in all records.
    #[serde(default)]
    pub shifted: Option<ShiftedView>,
    /// The least and most share that it has, over all records and classes of clients that it has a
    /// part in; `None`: none has.
    pub share: Option<Share>,
    /// In how many records it has a part.
    pub records: usize,
    /// The round trip to it in milliseconds, where that may decide anything.
    pub rtt_ms: Option<f64>,
    /// The load that it can bear, where that is known.
    #[serde(default)]
    pub capacity: Option<f64>,
}

/// Observed health in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthWord {
    /// Nothing is known yet; it serves as up.
    Unknown,
    /// Up.
    Up,
    /// Up, but something in it has failed: it may go down, or only a part of its addresses is served.
    InDoubt,
    /// Up, but with less than its full share: it is degraded, sheds load, or grows after a recovery.
    Degraded,
    /// Up, but without a share: it is held down for changing too often, waits for an operator, or asks for
    /// none.
    Held,
    /// Down.
    Down,
    /// It has no check, and is taken to be up.
    Unchecked,
}

/// One family of a region's own addresses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RegionFamily {
    /// `ipv4` or `ipv6`.
    pub family: String,
    /// The health factor, 0 (down) to 1 (up).
    pub factor: f64,
    /// `ramping`, `damped`, `awaiting` (an operator) or `kept` (although it fails); `None`: it is what
    /// its checks make of it.
    #[serde(default)]
    pub held: Option<String>,
    /// How many addresses are up.
    pub up: usize,
    /// How many there are.
    pub addresses: usize,
}

/// A share that differs between classes of clients, or not.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Share {
    /// The least, 0 to 1.
    pub least: f64,
    /// The most, 0 to 1.
    pub most: f64,
}

/// An override.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OverrideView {
    /// Its number.
    pub id: u64,
    /// What is forced.
    pub kind: OverrideKind,
    /// The region that it stands on.
    pub region: String,
    /// The record in which it stands there; `None`: in all.
    pub record: Option<String>,
    /// The weight that is forced.
    pub weight: Option<u16>,
    /// Of a shift: the region that answers in its place.
    pub to: Option<String>,
    /// Of a drain: the part that is drained now, 0 to 1.
    pub drained: Option<f64>,
    /// Of a drain: the part that will be drained when its move is done, 0 to 1.
    pub drains_to: Option<f64>,
    /// Of a drain that is moving: after how long it is done.
    pub done_in_secs: Option<f64>,
    /// Who forces it.
    pub actor: String,
    /// Why.
    pub reason: Option<String>,
    /// Since when.
    pub since: String,
    /// When it ends by itself; `None`: it does not.
    pub until: Option<String>,
    /// The same from now.
    pub ends_in_secs: Option<f64>,
    /// What it stands on is not configured (any more), so that it has no effect.
    pub dangling: bool,
}

/// A record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecordView {
    /// Its owner name.
    pub name: String,
    /// The name or type of its policy.
    pub policy: String,
    /// The TTL in seconds when all is calm.
    pub ttl: u32,
    /// The least TTL in seconds.
    pub ttl_min: u32,
    /// What puts it at risk; `None`: nothing.
    pub risk: Option<Risk>,
    /// By family, those of which it has any address.
    pub families: Vec<RecordFamily>,
    /// Its endpoints that are names.
    #[serde(default)]
    pub endpoints: Vec<EndpointView>,
}

/// What puts a record at risk; the later, the worse.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Something that it serves may go down with the next failures.
    InDoubt,
    /// Of several pools one alone is up and not drained.
    LastPool,
    /// The all-down rules are engaged.
    AllDown,
}

/// One family of a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecordFamily {
    /// `ipv4` or `ipv6`.
    pub family: String,
    /// Which rule decides; of several classes of clients the first that is all down.
    pub reason: String,
    /// Whether the all-down rules are engaged for any class.
    pub all_down: bool,
    /// How many classes of clients it tells apart.
    pub classes: usize,
    /// How many of its pools are up and not drained.
    pub pools_up: usize,
    /// How many pools it has.
    pub pools: usize,
    /// The least and most TTL in seconds in force.
    pub ttl: [u32; 2],
    /// The regions that have a part in it, in the order of the configuration.
    pub shares: Vec<RegionShare>,
}

/// A region's share in a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RegionShare {
    /// The region.
    pub region: String,
    /// Its share of answers; answers of several regions at once count for each.
    pub share: Share,
    /// The state that is forced on it here.
    pub forced: Option<OverrideKind>,
    /// The part that is drained here, 0 to 1.
    pub drained: f64,
    /// Another region that answers in its place here.
    #[serde(default)]
    pub shifted: Option<ShiftedView>,
    /// The weight that is forced on it here.
    pub weight_override: Option<u16>,
}

/// That another region answers in a region's place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ShiftedView {
    /// The other region.
    pub to: String,
    /// In which part of the answers, 0 to 1.
    pub part: f64,
}

/// How the shares of a record change, in one family.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ShareChange {
    /// The record.
    pub record: String,
    /// `ipv4` or `ipv6`.
    pub family: String,
    /// The regions.
    pub regions: Vec<RegionChange>,
}

/// How a region's share in a record changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RegionChange {
    /// The region.
    pub region: String,
    /// Before.
    pub before: Share,
    /// After.
    pub after: Share,
}

/// A target: a check with one destination.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CheckView {
    /// The check's name.
    pub check: String,
    /// `http`, `tls`, `prometheus` …, as in the configuration.
    pub kind: String,
    /// `route`: its results decide; `monitor`: they are only told.
    #[serde(default)]
    pub role: String,
    /// Where it is probed.
    pub destination: String,
    /// The port.
    pub port: u16,
    /// The pools that depend on it: regions, or regions for a record.
    pub pools: Vec<String>,
    /// `unknown`, `up` or `down`.
    pub state: String,
    /// For how long.
    pub since_secs: f64,
    /// Failures since the last success.
    pub failures: u32,
    /// Successes since the last failure.
    pub successes: u32,
    /// Consecutive failures before it is down.
    pub fall: u32,
    /// Consecutive successes before it is up again.
    pub rise: u32,
    /// The interval of its probes.
    pub interval_secs: f64,
    /// Whether it cannot be asked, and so decides nothing.
    #[serde(default)]
    pub abstains: bool,
    /// How it calls itself, if it is degraded.
    #[serde(default)]
    pub degraded: Option<String>,
    /// The part of its share that it asks for, 0 to 1.
    #[serde(default)]
    pub wants: Option<f64>,
    /// The load that it reports.
    #[serde(default)]
    pub load: Option<f64>,
    /// When the certificate that it showed last expires.
    #[serde(default)]
    pub certificate_expires: Option<String>,
    /// The last results, the oldest first: `+` passed, `-` failed, `?` not to be asked.
    #[serde(default)]
    pub recent: String,
    /// The latest result; `None`: there has been none in this process.
    pub last: Option<LastView>,
    /// The last results, the oldest first, if they were asked for; at most 20.
    #[serde(default)]
    pub history: Vec<LastView>,
}

/// The latest result of a target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LastView {
    /// How long ago its probe started.
    pub ago_secs: f64,
    /// Whether it passed.
    pub passed: bool,
    /// Whether it could not be asked, which is neither.
    #[serde(default)]
    pub missing: bool,
    /// Why not.
    pub reason: Option<String>,
    /// The time to connect, in milliseconds.
    pub connect_ms: Option<f64>,
    /// The time of the TLS handshake, in milliseconds.
    pub tls_ms: Option<f64>,
    /// The time to the first octet, in milliseconds.
    pub first_byte_ms: Option<f64>,
    /// All of it, in milliseconds.
    pub total_ms: f64,
}

/// Something that has happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventView {
    /// Its number; later events have higher ones, also across restarts.
    pub id: u64,
    /// When.
    pub time: String,
    /// What kind of thing.
    pub kind: EventKind,
    /// It in a sentence.
    pub text: String,
    /// Whether something got worse or better by it.
    #[serde(default)]
    pub turn: Turn,
    /// What got worse or better, the same when it begins and when it ends: `127.0.1.2: web`.
    #[serde(default)]
    pub subject: Option<String>,
    /// The region that it is about.
    pub region: Option<String>,
    /// The record that it is about.
    pub record: Option<String>,
    /// Who did it; `None`: nobody.
    pub actor: Option<String>,
    /// From which address.
    pub from: Option<String>,
    /// Why: what a check saw, or what the operator said.
    pub reason: Option<String>,
    /// The override that it is about.
    pub override_id: Option<u64>,
    /// The plan that it is about.
    #[serde(default)]
    pub plan_id: Option<u64>,
    /// How long what it ended had lasted.
    pub lasted_secs: Option<f64>,
    /// The shares before and after, of at most 3 records.
    pub changes: Vec<ShareChange>,
    /// How many records have other shares by it in all.
    pub records_changed: usize,
    /// The number of the tables that serve it.
    pub generation: u64,
}

/// A kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// The server has started.
    Started,
    /// A target went from one state to another.
    Transition,
    /// The all-down rules of a record were engaged or released.
    AllDown,
    /// An operator has changed something.
    Command,
    /// An override has ended by itself.
    OverrideEnded,
    /// The configuration was loaded again.
    Reload,
    /// The system's clock was set.
    ClockSet,
    /// A region that changes too often is held down, or is not any more.
    Damping,
    /// A region has recovered and waits for an operator, or is let back.
    Failback,
    /// More regions fail than may be out at once, and the last of them are kept; or no longer.
    Ejection,
    /// This nameserver is cut off, or no longer.
    SelfCheck,
    /// A certificate expires soon, or was renewed.
    Certificate,
    /// The addresses behind a name cannot be looked up, or can again.
    Lookup,
    /// A plan went on, was given up, or is over.
    Plan,
}

/// Whether something got worse or better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// Neither.
    #[default]
    Neither,
    /// It begins to be as it should not.
    Worse,
    /// It is as it should be again.
    Better,
}

/// The plans.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct PlansView {
    /// Those under way, the oldest first; windows of the configuration behind them.
    pub under_way: Vec<PlanView>,
    /// The last ones that are over, the oldest first; at most 100.
    pub over: Vec<PlanView>,
}

/// A kind of plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanKind {
    /// A region answers in another's place, in stages.
    Shift,
    /// A region is drained for a while, to see what comes of it.
    Drill,
    /// Regions are drained for maintenance.
    Window,
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlanView {
    /// Its number; `None`: it is a window of the configuration.
    pub id: Option<u64>,
    /// What it is called: `shift 3`.
    pub title: String,
    /// Its kind.
    pub kind: PlanKind,
    /// The regions that answers are taken from.
    pub regions: Vec<String>,
    /// Of a shift: the region that answers in the place of the other.
    #[serde(default)]
    pub to: Option<String>,
    /// The record in which alone it does anything; `None`: in all.
    #[serde(default)]
    pub record: Option<String>,
    /// How far it is: `running`, `paused` or `last_stage` (a shift), `drained` or `returned` (a drill),
    /// `ahead`, `prepared`, `draining`, `drained`, `returning` (a window), `done` or `aborted`.
    pub state: String,
    /// The part of the answers that it moves now, 0 to 1.
    pub part: f64,
    /// Of a shift: the part at each stage, 0 to 1.
    #[serde(default)]
    pub stages: Vec<f64>,
    /// Of a shift: the stage in force, from 1 on.
    #[serde(default)]
    pub stage: Option<usize>,
    /// Of a shift: the least time from one stage to the next.
    #[serde(default)]
    pub every_secs: Option<f64>,
    /// Of a shift: each stage waits for an operator.
    #[serde(default)]
    pub manual: bool,
    /// In how many seconds something happens next by the clock; `None`: nothing does.
    #[serde(default)]
    pub next_in_secs: Option<f64>,
    /// What it waits for, if for anything but time.
    #[serde(default)]
    pub waits: Option<String>,
    /// The query and the bound that give it up.
    #[serde(default)]
    pub abort_when: Option<String>,
    /// What that came to last.
    #[serde(default)]
    pub query: Option<String>,
    /// The overrides that stand where it does something: they beat it.
    #[serde(default)]
    pub overrides: Vec<u64>,
    /// Of a window: from when on its regions are empty.
    #[serde(default)]
    pub from: Option<String>,
    /// Of a window: until when.
    #[serde(default)]
    pub until: Option<String>,
    /// Who gave it; `None`: it is in the configuration.
    #[serde(default)]
    pub actor: Option<String>,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
    /// Since when it is known; `None`: it is in the configuration.
    #[serde(default)]
    pub since: Option<String>,
    /// When it ended.
    #[serde(default)]
    pub ended: Option<String>,
    /// How long ago that was.
    #[serde(default)]
    pub ended_secs: Option<f64>,
    /// Who ended it; `None`: it ended by itself, or has not.
    #[serde(default)]
    pub ended_by: Option<String>,
    /// Why it ended.
    #[serde(default)]
    pub why: Option<String>,
    /// Of a drill: what it found so far.
    #[serde(default)]
    pub report: Option<DrillReport>,
}

/// What a drill found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DrillReport {
    /// `passed`, `deviated`, `aborted` or `not measured`; while it goes on, by what was found so far.
    pub verdict: String,
    /// Why, in a sentence.
    pub text: String,
    /// For how long its region was drained so far.
    pub drained_secs: f64,
    /// From the drain to the first second in which answers had moved half of the way; `None`: that was not
    /// seen.
    pub moved_after_secs: Option<f64>,
    /// For how long answers from before could be kept after it began.
    pub old_answers_secs: u32,
    /// Whether the all-down rules of a record were engaged meanwhile.
    pub all_down: bool,
    /// What the prediction rests on.
    pub basis: String,
    /// How many answers were counted before, while it was drained, and after.
    pub answers: [u64; 3],
    /// Over how many seconds.
    pub over_secs: [f64; 3],
    /// Each region's answers.
    pub regions: Vec<DrillRegion>,
}

/// A region's answers before, during and after a drill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DrillRegion {
    /// Its name.
    pub region: String,
    /// Answers a second before, while it was drained, and after; `None`: not measured.
    pub rates: [Option<f64>; 3],
    /// Its share of all answers before, while it was drained, and after, 0 to 1; `None`: none were counted.
    pub shares: [Option<f64>; 3],
    /// The share that was predicted for the time in which it was drained, 0 to 1.
    pub predicted: Option<f64>,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// This part.
    pub items: Vec<T>,
    /// How many there are in all.
    pub total: usize,
}
