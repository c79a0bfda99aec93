//! What verbs that change something have in common: flags, the request, `--wait`, and what is told.

#[cfg(test)]
mod tests;

use std::time::Duration;

use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::cli::Failure;
use crate::cli::client::{Call, Fleet, Server, Servers, Told, Trouble, block_on};
use crate::cli::show::{self, Did};
use crate::control::command::Done;
use crate::control::views::{OverrideView, PlanKind, PlansView, Status};

/// The longest pause between two looks at what is waited for.
const PAUSE_MOST: Duration = Duration::from_secs(1);
/// The shortest.
const PAUSE_LEAST: Duration = Duration::from_millis(100);

/// How a change is to be made.
#[derive(Debug, Clone, Default, Args)]
pub(in crate::cli) struct Order {
    /// Why; it stands beside the override and in the events
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) reason: Option<String>,
    /// Do it even if a record is left with nothing but drained or down pools, or a region pushed over its
    /// capacity
    #[arg(long)]
    pub(in crate::cli) force: bool,
    /// Only show the shares before and after
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// Return when all is served by it: after a gradual move, when that is done. Without it, a command
    /// returns when it is stored and its first step is served
    #[arg(long, conflicts_with = "dry_run")]
    pub(in crate::cli) wait: bool,
    #[command(flatten)]
    pub(in crate::cli) servers: Servers,
}

/// The fields of a request; those without a value are left out.
#[derive(Debug, Default)]
pub(in crate::cli) struct Body(Map<String, Value>);

impl Body {
    /// With a field, if there is a value for it.
    pub(in crate::cli) fn with(mut self, name: &str, value: Option<impl Into<Value>>) -> Self {
        if let Some(value) = value {
            self.0.insert(name.into(), value.into());
        }
        self
    }

    /// With a length of time, if there is one.
    pub(in crate::cli) fn lasting(self, name: &str, value: Option<Duration>) -> Self {
        self.with(name, value.map(|value| humantime::format_duration(value).to_string()))
    }

    /// All of it.
    pub(in crate::cli) fn value(self) -> Value {
        Value::Object(self.0)
    }
}

/// A random key: the command is done once, however often it has to be sent.
///
/// # Errors
/// The system has no randomness.
pub(in crate::cli) fn key() -> anyhow::Result<String> {
    let mut octets = [0; 16];
    getrandom::fill(&mut octets).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(octets.iter().map(|octet| format!("{octet:02x}")).collect())
}

/// A command of a verb.
#[derive(Debug)]
pub(in crate::cli) struct Wanted {
    /// New overrides, or the end of some.
    pub(in crate::cli) did: Did,
    /// Which, as the API has it.
    pub(in crate::cli) body: Body,
    /// How.
    pub(in crate::cli) order: Order,
}

impl Wanted {
    /// The body of the request.
    fn body(&self) -> Value {
        let (order, body) = (&self.order, Body(self.body.0.clone()));
        let body = (body.with("reason", order.reason.clone()))
            .with("force", (order.force && self.did != Did::LetBack).then_some(true))
            .with("dry_run", order.dry_run.then_some(true));
        body.value()
    }
}

/// The path that is asked; `id` is the number of the plan, if it is about one.
fn path(did: Did, id: &str) -> Vec<&str> {
    match did {
        Did::Made => vec!["overrides"],
        Did::Ended => vec!["overrides", "end"],
        Did::LetBack => vec!["failback"],
        Did::Planned(path) => vec![path],
        Did::Led(_) => vec!["plans", id],
    }
}

/// Which plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Which {
    /// The one of a number.
    Id(u64),
    /// The only one of a kind that is under way.
    Only(PlanKind),
}

impl Which {
    /// Its number on a server.
    async fn id(self, server: &Server) -> Result<u64, Trouble> {
        let kind = match self {
            Self::Id(id) => return Ok(id),
            Self::Only(kind) => kind,
        };
        let plans: PlansView = server.ask(&Call::get(&["plans"])).await?;
        let of_kind = plans.under_way.iter().filter(|plan| plan.kind == kind);
        match of_kind.filter_map(|plan| plan.id).collect::<Vec<u64>>().as_slice() {
            [id] => Ok(*id),
            [] => Err(Trouble::Strange("there is none under way".into())),
            ids => {
                let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
                Err(Trouble::Strange(format!("there are several: say which ({})", ids.join(", "))))
            }
        }
    }
}

/// Gives a command to all servers, waits if that is wanted, and tells what came of it.
///
/// # Errors
/// Not all did it.
pub(in crate::cli) fn give(wanted: &Wanted) -> Result<(), Failure> {
    let (order, did) = (&wanted.order, wanted.did);
    let (body, key) = (wanted.body(), key()?);
    let fleet = Fleet::of(&order.servers)?;
    let wait = order.wait;
    let all = block_on(fleet.all(|server| {
        let (body, key) = (body.clone(), key.clone());
        async move {
            let id = match did {
                Did::Led(which) => which.id(&server).await?.to_string(),
                _ => String::new(),
            };
            command(&server, &Call::post(&path(did, &id), body).once(&key), wait).await
        }
    }))?;
    finish(&all, order.servers.json, did)
}

async fn command(server: &Server, call: &Call, wait: bool) -> Result<Done, Trouble> {
    let done: Done = server.ask(call).await?;
    if wait {
        settled(server, done.generation, &done.overrides).await?;
    }
    Ok(done)
}

fn finish(all: &[Told<Done>], json: bool, did: Did) -> Result<(), Failure> {
    show::print(all, json, |_, done, paint| show::done(done, did, paint))
}

/// Waits until tables are in force that are no older, and the moves of these overrides are done.
pub(in crate::cli) async fn settled(
    server: &Server,
    generation: u64,
    moving: &[OverrideView],
) -> Result<(), Trouble> {
    let failed = |trouble: Trouble| {
        let why = match trouble {
            Trouble::Refused(problem) => problem.sentence().to_string(),
            Trouble::Unreachable(why)
            | Trouble::Silent(why)
            | Trouble::Broken(why)
            | Trouble::Strange(why)
            | Trouble::Afterwards(why) => why,
        };
        Trouble::Afterwards(format!("it is done, but can be waited for no longer: {why}"))
    };
    loop {
        let status: Status = server.ask(&Call::get(&["status"])).await.map_err(failed)?;
        let mut left = (status.generation < generation).then_some(0.0);
        for view in moving.iter().filter(|view| view.done_in_secs.is_some()) {
            let moving = still_moving(view, &status).map_err(Trouble::Afterwards)?;
            left = left.into_iter().chain(moving).reduce(f64::max);
        }
        let Some(left) = left else { return Ok(()) };
        let pause = Duration::try_from_secs_f64(left).unwrap_or(PAUSE_MOST);
        tokio::time::sleep(pause.clamp(PAUSE_LEAST, PAUSE_MOST)).await;
    }
}

/// In how many seconds a move is done, if it is not; an error when it goes elsewhere now.
fn still_moving(asked: &OverrideView, status: &Status) -> Result<Option<f64>, String> {
    let back = asked.drains_to.is_some_and(|to| to <= 0.0);
    let now = status.overrides.iter().find(|view| view.id == asked.id);
    match now {
        // What has returned is gone a moment later.
        None if back => Ok(None),
        Some(view) if back && view.drains_to == asked.drains_to => {
            Ok(Some(view.done_in_secs.unwrap_or_default()))
        }
        Some(view) if view.drains_to == asked.drains_to => Ok(view.done_in_secs),
        _ => Err(format!(
            "it was done, but override {} was ended or changed before its move was",
            asked.id
        )),
    }
}

/// What a reload came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub(in crate::cli) struct Reloaded {
    /// The number of the tables that serve it.
    pub(in crate::cli) generation: u64,
    /// What the configuration's author should know.
    #[serde(default)]
    pub(in crate::cli) warnings: Vec<String>,
}
