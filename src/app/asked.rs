//! Explanations of what is being served now, and simulations, for those who ask the running server.
//!
//! A server keeps nothing of databases but the tables made of them. So what says where clients are is
//! opened anew for each explanation, on a thread that gives way, and for one after the other.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::{Semaphore, oneshot};

use super::background::in_background;
use super::clients::Clients;
use super::explain::{self, NoExplanation, Question};
use super::foresee;
use crate::admin::NotExplained;
use crate::admin::api::bodies::Explain;
use crate::config::Config;
use crate::control::Foreseen;
use crate::problem::Problems;
use crate::routing::{Handle, Snapshot};
use crate::simulate::Board;
use crate::wire::Name;

/// Who explains.
#[derive(Debug, Clone)]
pub(super) struct Explainer {
    handle: Handle,
    one: Arc<Semaphore>,
}

impl Explainer {
    pub(super) fn new(handle: Handle) -> Self {
        Self { handle, one: Arc::new(Semaphore::new(1)) }
    }

    /// Explains in a task of its own.
    pub(super) fn spawn(
        &self,
        question: Explain,
        config: Arc<Config>,
        reply: oneshot::Sender<Result<Value, NotExplained>>,
    ) {
        let Self { handle, one } = self.clone();
        tokio::spawn(async move {
            let _turn = one.acquire_owned().await;
            // Who asked may have gone meanwhile.
            if reply.is_closed() {
                return;
            }
            let work = move || explained(&handle.current(), &config, &question);
            let failed = |_| Err(NotExplained::Failed("the explanation came to no end".into()));
            let _ = reply.send(in_background(work).await.unwrap_or_else(failed));
        });
    }
}

impl Explainer {
    /// Simulates in a task of its own.
    pub(super) fn foresee(
        &self,
        down: Vec<String>,
        from: Box<Foreseen>,
        reply: oneshot::Sender<Result<Board, NotExplained>>,
    ) {
        let one = Arc::clone(&self.one);
        tokio::spawn(async move {
            let _turn = one.acquire_owned().await;
            if reply.is_closed() {
                return;
            }
            let told = |unknown| NotExplained::value("down", unknown);
            let work = move || foresee::live(&from, &down).map_err(told);
            let failed = |_| Err(NotExplained::Failed("the simulation came to no end".into()));
            let _ = reply.send(in_background(work).await.unwrap_or_else(failed));
        });
    }
}

fn explained(
    snapshot: &Arc<Snapshot>,
    config: &Config,
    wanted: &Explain,
) -> Result<Value, NotExplained> {
    let question = question(wanted)?;
    let failed = |error: NoExplanation| match error {
        NoExplanation::UnknownRegion { .. } => NotExplained::value("down", error),
        error => NotExplained::Failed(error.to_string()),
    };
    let mut problems = Problems::default();
    let clients = Clients::open(config, &mut problems);
    if problems.any_error() {
        return Err(NotExplained::Failed(problems.to_string()));
    }
    let told = match wanted.down.as_slice() {
        [] => explain::tell(snapshot, &clients, &question, &[]),
        down => explain::suppose(snapshot, down)
            .and_then(|supposed| explain::tell(&supposed, &clients, &question, down)),
    };
    let told = serde_json::to_value(told.map_err(failed)?);
    told.map_err(|error| NotExplained::Failed(error.to_string()))
}

fn question(wanted: &Explain) -> Result<Question, NotExplained> {
    let name = Name::from_text(&wanted.name)
        .map_err(|_| NotExplained::value("name", "wanted a domain name"))?;
    let qtype = wanted.rtype.as_deref().unwrap_or("A").parse();
    let qtype = qtype.map_err(|_| NotExplained::value("type", "wanted a type: A, AAAA, TXT, …"))?;
    let from = wanted.from.as_deref().map(str::parse).transpose();
    let from = from.map_err(|error: explain::NotFrom| NotExplained::value("from", error))?;
    Ok(Question { name, qtype, from })
}
