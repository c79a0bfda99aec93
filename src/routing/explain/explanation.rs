//! The explanation of an answer, as plain data: for people it is rendered elsewhere, for programs it
//! is JSON as it stands here.
//!
//! Shares are parts of all answers that the client gets, from 0 to 1.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::routing::settle::Reason;

/// Why a record answers a client as it does, in one address family.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The record's owner name as configured, perhaps a wildcard.
    pub record: String,
    /// `ipv4` or `ipv6`: the family asked for.
    pub family: String,
    /// Who is answered.
    pub client: Client,
    /// Which rule decided.
    pub reason: Reason,
    /// Whether the all-down rules are engaged.
    pub all_down: bool,
    /// What the record does when all is down: `open`, `closed`, `last_good`, or a name.
    pub on_all_down: String,
    /// Whether a client network keeps to its region; then shares are over all networks of the class.
    pub sticky: bool,
    /// The way through the policies, from the root; `None`: none was gone.
    pub path: Option<Step>,
    /// While a region is drained or shifted in part: the parts of the answers that are decided with more
    /// drained or shifted than on that path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drained: Vec<Drained>,
    /// The regions of the record's policies, in the order of the configuration.
    pub regions: Vec<Region>,
    /// All that can be answered, the most likely first.
    pub answers: Vec<Answers>,
}

/// The client, as far as routing knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Client {
    /// The prefix that decides who the client is.
    pub looked_up: String,
    /// The continent's two letters.
    pub continent: Option<String>,
    /// The country (ISO 3166-1).
    pub country: Option<String>,
    /// The subdivision (ISO 3166-2).
    pub subdivision: Option<String>,
    /// Degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// The autonomous system.
    pub asn: Option<u32>,
    /// What said where the client is: an own network, or a database.
    pub located_by: Option<String>,
    /// What said which autonomous system it is of.
    pub asn_by: Option<String>,
    /// Its class among those that the record tells apart; `None`: the record is the same for all.
    pub class: Option<u32>,
    /// How many classes the record tells apart.
    pub classes: usize,
    /// Not all clients of the prefix are of the class that it gets as a whole.
    pub mixed: bool,
    /// The scope that an answer carries if the query has an EDNS Client Subnet; `None`: Client Subnet
    /// is switched off.
    pub scope: Option<u8>,
}

/// A part of the answers that is decided with some regions drained, or with others in their places.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Drained {
    /// How large a part of all answers, 0 to 1.
    pub share: f64,
    /// The regions that are drained.
    pub regions: Vec<String>,
    /// The places in which another region answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shifted: Vec<InPlace>,
    /// The way through the policies then.
    pub path: Option<Step>,
}

/// A region that answers in the place of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InPlace {
    /// The region that answers.
    pub region: String,
    /// The region in whose place it does.
    pub of: String,
}

/// A node of the policy tree on the way to the answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The region's or policy's name; a policy that a record names by its type has that.
    pub name: Option<String>,
    /// Of a region that answers in the place of another: that one. Weight, order and distance are of
    /// the place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_place_of: Option<String>,
    /// `region`, or the type of policy.
    pub policy: String,
    /// The share that comes from here.
    pub share: f64,
    /// What came of it.
    pub outcome: Outcome,
    /// What it weighs among its like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<u16>,
    /// Of a region: its health factor as judged, 0 (down) to 1 (up), in the family asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<f64>,
    /// Of a region: the state that an operator forces on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forced: Option<Forcibly>,
    /// How far the client is from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figure: Option<Figure>,
    /// Of latency and geoproximity: what was compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared: Option<Compared>,
    /// Of multivalue: the regions in the ring.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ring: Vec<String>,
    /// What it asked, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

/// The state that operators force on a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forcibly {
    /// As if up.
    Up,
    /// No share while any other pool is up.
    Drained,
    /// Never a share.
    Down,
}

/// What came of a node, or of a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Answers come from it.
    Used,
    /// It has nothing to offer: all of it is down.
    Down,
    /// Fewer of its members than its `min_up` have anything to offer, so that it counts as down.
    TooFew,
    /// All that it has was offered before.
    OfferedBefore,
    /// It has no address of the family asked for.
    NoAddress,
    /// It takes no part: the record lists endpoints, and none for it.
    NoPart,
    /// Of weight 0: it waits until all others have nothing to offer.
    StandsBy,
    /// What was asked before it is enough.
    NotNeeded,
}

/// A part of a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Which.
    pub part: Kind,
    /// What came of it.
    pub outcome: Outcome,
    /// The share that comes from here, empty answers included.
    pub share: f64,
    /// The share of empty answers that the part itself gives.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub nodata: f64,
    /// Inside a fence: which rule decided there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// What is below it.
    pub members: Vec<Step>,
}

/// Which part of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// All members of a weighted policy.
    Members,
    /// A tier of a failover, from 1.
    Tier(usize),
    /// A geolocation rule that matches.
    Rule(Keys),
    /// The default of a geolocation.
    Default,
    /// A band of regions that are about as near, from 1.
    Band(usize),
}

/// The keys of a rule, as texts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Keys {
    /// Network prefixes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prefix: Vec<String>,
    /// Autonomous system numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asn: Vec<u32>,
    /// ISO 3166-2 subdivisions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subdivision: Vec<String>,
    /// ISO 3166-1 countries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub country: Vec<String>,
    /// Continents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub continent: Vec<String>,
}

/// What a latency or geoproximity policy compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// What the figures are from.
    pub by: ComparedBy,
    /// Of distances: from where, degrees north and east.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<(f64, f64)>,
    /// Of distances: that place is the middle of the client's country.
    pub of_country: bool,
    /// How much worse than a band's best a member of the band may be: in ms for latency, in km for
    /// geoproximity.
    pub tolerance: f64,
}

/// What figures are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComparedBy {
    /// The table of round-trip times.
    Table,
    /// Great-circle distances.
    Distance,
    /// This nameserver's own probes.
    Probes,
    /// Nothing is known of all of them: shared by weight.
    Weight,
    /// Something, which differs within the client's prefix.
    Mixed,
}

/// How far a client is from a region.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Figure {
    /// Round trip in ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt_ms: Option<f64>,
    /// The row of the table that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<String>,
    /// Great-circle distance in km.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub km: Option<f64>,
    /// The bias of a geoproximity policy, -99 to 99.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias: Option<i8>,
    /// The distance as the bias makes it, in km.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub biased_km: Option<f64>,
}

/// A region of the record's policies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Region {
    /// Its name.
    pub name: String,
    /// Its health in the family asked for.
    pub health: Health,
    /// The health factor, 0 to 1.
    pub factor: f64,
    /// How many addresses of the family are up.
    pub up: usize,
    /// How many addresses of the family it has.
    pub addresses: usize,
    /// Its own weight; a policy may give it another.
    pub weight: u16,
    /// The name whose addresses these are, as they were looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// The name that is served itself, as a CNAME.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cname: Option<String>,
    /// The weight that an operator forces on it, in place of any other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_override: Option<u16>,
    /// The state that operators force on it; drained may be a part of it alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forced: Option<Forcibly>,
    /// The part of it that is drained, 0 to 1.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub drained: f64,
    /// Another region that answers in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shifted: Option<ShiftedTo>,
    /// The share of answers from it alone.
    pub share: f64,
    /// The share of answers from rings that it is part of.
    pub ring_share: f64,
}

/// That another region answers in a region's place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShiftedTo {
    /// The other region.
    pub to: String,
    /// In which part of the answers, 0 to 1.
    pub part: f64,
}

/// A region's health in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Up, if only in part.
    Up,
    /// Down.
    Down,
    /// It has no address of the family.
    NoAddress,
    /// It is an alias of which nothing is known (yet).
    NotLookedUp,
    /// It takes no part: the record lists endpoints, and none for it.
    NoPart,
}

/// The answers that one draw can lead to: the same addresses, starting anywhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answers {
    /// The share of answers that are one of these.
    pub share: f64,
    /// The regions whose addresses they are; none for an empty answer.
    pub regions: Vec<String>,
    /// The addresses, in ring order; none for an empty answer.
    pub addresses: Vec<IpAddr>,
    /// The target of a CNAME, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cname: Option<String>,
    /// The alias whose addresses they are, where these are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_looked_up: Option<String>,
    /// How many consecutive ones of the ring an answer has.
    pub at_once: u16,
    /// How many different sets of addresses that makes, each as likely as the others.
    pub sets: usize,
    /// The probability of each set.
    pub probability: f64,
    /// The TTL in seconds; of an empty answer that of the negative answer.
    pub ttl: u32,
    /// The scope that the answer carries if the query has an EDNS Client Subnet.
    pub scope: Option<u8>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_zero(share: &f64) -> bool {
    *share == 0.0
}
