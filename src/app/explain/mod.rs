//! Why a question is answered as it is: for `resolve`, from files or of the running server, and for the
//! API.

mod from;

use std::sync::Arc;

use domain::base::iana::Rtype;
use serde::{Deserialize, Serialize};

use super::clients::Clients;
use crate::dns::{self, RecordText, Reply};
use crate::geo::DatabaseError;
use crate::model::{Family, RegionId};
use crate::problem::nearest;
use crate::routing::explain::{Explanation, explain};
use crate::routing::{Asker, Assembly, Inputs, PoolStanding, Snapshot, compile};
use crate::wire::Name;

pub use from::{From, NotFrom};

/// What is asked, and for whom.
#[derive(Debug, Clone)]
pub struct Question {
    /// The name.
    pub name: Name,
    /// The type.
    pub qtype: Rtype,
    /// For whom; `None`: for somebody of whom nothing is known.
    pub from: Option<From>,
}

/// What is told: for programs as it stands here, for people as `text` renders it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// The name that was asked for.
    pub name: String,
    /// The type that was asked for.
    #[serde(rename = "type")]
    pub qtype: String,
    /// For whom; nothing is known of a client that is not given.
    pub from: Option<From>,
    /// The regions that are taken to be down.
    pub down: Vec<String>,
    /// The static records on the way to the record that is explained.
    pub chain: Vec<RecordText>,
    /// The chain leads to another zone: whoever asks will ask for the record's name again.
    pub anew: bool,
    /// What is served, where no policy decides.
    pub reply: Option<Reply>,
    /// The dynamic record of the name, where another type than A and AAAA is asked for.
    pub dynamic: Option<String>,
    /// Why a dynamic record answers as it does.
    pub explanation: Option<Explanation>,
    /// What the client's network keeps to, where it keeps to something.
    pub keeps_to: Option<Vec<String>>,
    /// Why the question is not answered at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// Why there is no explanation.
#[derive(Debug, thiserror::Error)]
pub enum NoExplanation {
    /// A region that is to be taken for down is not there.
    #[error("unknown region {region:?}: {hint}")]
    UnknownRegion {
        /// What was given.
        region: String,
        /// What to try.
        hint: String,
    },
    /// A database is broken.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The engine gives no reply.
    #[error("the engine gives no answer to this question")]
    NoReply,
}

/// What would be served if the regions given were down and all others up.
///
/// # Errors
/// When there is no such region.
pub fn assume(assembly: &Arc<Assembly>, down: &[String]) -> Result<Snapshot, NoExplanation> {
    let regions = regions(assembly, down)?;
    let pools = assembly.pools.iter().map(|pool| {
        let up = !regions.contains(&pool.region);
        Arc::new(PoolStanding::assumed(pool, up))
    });
    Ok(compile(None, assembly, &Inputs::of(pools.collect())))
}

/// What would be served if the regions given were down, and all else were as it is.
///
/// # Errors
/// When there is no such region.
pub fn suppose(snapshot: &Snapshot, down: &[String]) -> Result<Snapshot, NoExplanation> {
    let assembly = &snapshot.assembly;
    let regions = regions(assembly, down)?;
    let mut inputs = snapshot.inputs();
    let pools = assembly.pools.iter().zip(inputs.pools.iter());
    let pools = pools.map(|(pool, is)| match regions.contains(&pool.region) {
        true => Arc::new(PoolStanding::assumed(pool, false)),
        false => Arc::clone(is),
    });
    inputs.pools = Arc::new(pools.collect());
    Ok(compile(Some(snapshot), assembly, &inputs))
}

pub(super) fn regions(
    assembly: &Assembly,
    names: &[String],
) -> Result<Vec<RegionId>, NoExplanation> {
    let known = || assembly.regions.iter().map(|region| &*region.name);
    let find = |name: &String| {
        let at = known().position(|region| region == name);
        at.and_then(|at| u16::try_from(at).ok()).map(RegionId).ok_or_else(|| {
            let hint = match nearest(name, known()) {
                Some(region) => format!("did you mean {region}?"),
                None => format!("the regions are {}", known().collect::<Vec<_>>().join(", ")),
            };
            NoExplanation::UnknownRegion { region: name.clone(), hint }
        })
    };
    names.iter().map(find).collect()
}

/// Tells what a snapshot answers, and why.
///
/// # Errors
/// When a database is broken, or there is no answer at all.
pub fn tell(
    snapshot: &Snapshot,
    clients: &Clients,
    question: &Question,
    down: &[String],
) -> Result<Told, NoExplanation> {
    let Question { name, qtype, from } = question;
    let asker = From::asker(*from, snapshot.options.client_subnet);
    let reply = dns::ask(snapshot, name, qtype.to_int(), &asker).ok_or(NoExplanation::NoReply)?;
    let mut told = Told {
        name: name.to_string(),
        qtype: qtype.to_string(),
        from: *from,
        down: down.to_vec(),
        chain: Vec::new(),
        anew: false,
        reply: None,
        dynamic: None,
        explanation: None,
        keeps_to: None,
        refused: None,
    };
    if let Some((explanation, anew, at)) = explained(snapshot, clients, question, &reply, &asker)? {
        let led_by = |record: &RecordText| !record.name.eq_ignore_ascii_case(&at) || anew;
        let (chain, drawn): (Vec<_>, Vec<_>) = reply.answer.into_iter().partition(led_by);
        let drawn = drawn.into_iter().map(|record| record.data).collect();
        told.keeps_to = (explanation.sticky && from.is_some() && !anew).then_some(drawn);
        told.chain = chain;
        told.anew = anew;
        told.explanation = Some(explanation);
    } else {
        let led = dns::led(snapshot, name, &reply);
        let record = led.record.filter(|_| reply.answer.is_empty());
        let record = record.and_then(|record| snapshot.assembly.records.get(record.index()));
        told.dynamic = record.map(|record| record.name.to_string());
        told.refused = (!is_answered(&reply)).then(|| refusal(question, &reply, snapshot));
        told.reply = Some(reply);
    }
    Ok(told)
}

/// The explanation of the dynamic record that the question leads to, if it does, whether its name has to
/// be asked for anew, and that name.
fn explained(
    snapshot: &Snapshot,
    clients: &Clients,
    question: &Question,
    reply: &Reply,
    asker: &Asker,
) -> Result<Option<(Explanation, bool, String)>, DatabaseError> {
    let led = dns::led(snapshot, &question.name, reply);
    let Some(record) = led.record else { return Ok(None) };
    let family = Family::asked_by(question.qtype.to_int());
    let Some(family) = family.or_else(|| snapshot.of_every_type(record)) else { return Ok(None) };
    let explanation = explain(snapshot, &clients.geo, &clients.latency, record, family, asker)?;
    Ok(explanation.map(|explanation| (explanation, led.anew, led.name.to_string())))
}

/// Whether a reply answers the question, be it that there is nothing.
fn is_answered(reply: &Reply) -> bool {
    ["NOERROR", "NXDOMAIN", "YXDOMAIN"].contains(&&*reply.rcode)
}

fn refusal(question: &Question, reply: &Reply, snapshot: &Snapshot) -> String {
    let (name, rcode) = (&question.name, &reply.rcode);
    let zones = snapshot.names.zones().iter().map(|zone| snapshot.names.owner(zone.apex));
    let zones: Vec<Name> = zones.filter_map(|wire| Name::from_wire(wire).ok()).collect();
    if zones.iter().any(|zone| name.is_within(zone)) {
        return format!("a question for {} is answered with {rcode}", question.qtype);
    }
    let zones: Vec<String> = zones.iter().map(ToString::to_string).collect();
    format!("{name} is in none of the zones served ({}): {rcode}", zones.join(", "))
}
