//! `trimtab resolve`: what a client is answered, and why, by the engine and the tables that serve.
//!
//! Offline: the configuration is loaded as `serve` loads it, health is assumed, and neither the
//! state nor a socket is opened.

mod from;
mod path;
#[cfg(test)]
mod tests;
mod text;

use std::io::{Write, stdout};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::anyhow;
use domain::base::iana::Rtype;
use serde::Serialize;

use super::{Failure, args, check};
use crate::app::Loaded;
use crate::dns::{self, RecordText, Reply};
use crate::model::{Family, RegionId};
use crate::problem::nearest;
use crate::routing::explain::{Explanation, explain};
use crate::routing::{Asker, Inputs, PoolStanding, Snapshot, compile};
use crate::wire::Name;

pub(super) use from::From;

/// What is asked, and for whom.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) name: Name,
    pub(super) qtype: Rtype,
    pub(super) from: Option<From>,
}

/// What is told: for programs as it stands here, for people as `text` renders it.
#[derive(Debug, Serialize)]
struct Told {
    /// The question.
    name: String,
    #[serde(rename = "type")]
    qtype: String,
    /// For whom; nothing is known of a client that is not given.
    from: Option<From>,
    /// The regions that are taken to be down.
    down: Vec<String>,
    /// The static records on the way to the record that is explained.
    chain: Vec<RecordText>,
    /// The chain leads to another zone: whoever asks will ask for the record's name again.
    anew: bool,
    /// What is served, where no policy decides.
    reply: Option<Reply>,
    /// The dynamic record of the name, where another type than A and AAAA is asked for.
    dynamic: Option<String>,
    /// Why a dynamic record answers as it does.
    explanation: Option<Explanation>,
    /// What the client's network keeps to, where it keeps to something.
    keeps_to: Option<Vec<String>>,
}

pub(super) fn run(
    question: &Question,
    config: Option<PathBuf>,
    down: &[String],
    json: bool,
) -> Result<(), Failure> {
    let path = args::config_path(config);
    let loaded = check::load(&path, &mut |_, _| 0)?;
    let snapshot = assume(&loaded, down)?;
    let told = tell(&loaded, &snapshot, question, down)?;
    let refused = told.reply.as_ref().filter(|reply| !is_answered(reply));
    let out = match refused {
        _ if json => serde_json::to_string_pretty(&told)? + "\n",
        Some(_) => String::new(),
        None => text::render(&told),
    };
    stdout().write_all(out.as_bytes())?;
    match refused {
        None => Ok(()),
        Some(reply) => Err(Failure::Failed(refusal(question, reply, &snapshot))),
    }
}

/// Compiles what would be served if the regions given were down and all others up.
fn assume(loaded: &Loaded, down: &[String]) -> Result<Snapshot, Failure> {
    let assembly = &loaded.assembly;
    let names = || assembly.regions.iter().map(|region| &*region.name);
    let mut regions = Vec::new();
    for name in down {
        let Some(at) = names().position(|region| region == name) else {
            let hint = match nearest(name, names()) {
                Some(region) => format!("did you mean {region}?"),
                None => format!("the regions are {}", names().collect::<Vec<_>>().join(", ")),
            };
            return Err(Failure::Usage(format!("--down: unknown region {name:?}: {hint}")));
        };
        regions.push(RegionId(u16::try_from(at).unwrap_or(u16::MAX)));
    }
    let pools = assembly.pools.iter().map(|pool| {
        let up = !regions.contains(&pool.region);
        Arc::new(PoolStanding::assumed(pool, up))
    });
    Ok(compile(None, assembly, &Inputs::of(pools.collect())))
}

fn tell(
    loaded: &Loaded,
    snapshot: &Snapshot,
    question: &Question,
    down: &[String],
) -> Result<Told, Failure> {
    let Question { name, qtype, from } = question;
    let asker = From::asker(*from, snapshot.options.client_subnet);
    let reply = dns::ask(snapshot, name, qtype.to_int(), &asker);
    let reply = reply.ok_or_else(|| anyhow!("the engine gives no answer to this question"))?;
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
    };
    if let Some((explanation, anew)) = explained(loaded, snapshot, question, &reply, &asker)? {
        let mine = |record: &RecordText| record.rtype != told.qtype;
        let (chain, drawn): (Vec<_>, Vec<_>) = reply.answer.into_iter().partition(mine);
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
        told.reply = Some(reply);
    }
    Ok(told)
}

/// The explanation of the dynamic record that the question leads to, if it does, and whether its
/// name has to be asked for anew.
fn explained(
    loaded: &Loaded,
    snapshot: &Snapshot,
    question: &Question,
    reply: &Reply,
    asker: &Asker,
) -> Result<Option<(Explanation, bool)>, Failure> {
    let Some(family) = Family::asked_by(question.qtype.to_int()) else { return Ok(None) };
    let led = dns::led(snapshot, &question.name, reply);
    let Some(record) = led.record else { return Ok(None) };
    let explanation =
        explain(snapshot, &loaded.clients.geo, &loaded.clients.latency, record, family, asker)?;
    Ok(explanation.map(|explanation| (explanation, led.anew)))
}

/// Whether a reply answers the question, be it that there is nothing.
fn is_answered(reply: &Reply) -> bool {
    ["NOERROR", "NXDOMAIN", "YXDOMAIN"].contains(&&*reply.rcode)
}

fn refusal(question: &Question, reply: &Reply, snapshot: &Snapshot) -> anyhow::Error {
    let (name, rcode) = (&question.name, &reply.rcode);
    let zones = snapshot.names.zones().iter().map(|zone| snapshot.names.owner(zone.apex));
    let zones: Vec<Name> = zones.filter_map(|wire| Name::from_wire(wire).ok()).collect();
    if zones.iter().any(|zone| name.is_within(zone)) {
        return anyhow!("a question for {} is answered with {rcode}", question.qtype);
    }
    let zones: Vec<String> = zones.iter().map(ToString::to_string).collect();
    anyhow!("{name} is in none of the zones served ({}): {rcode}", zones.join(", "))
}
