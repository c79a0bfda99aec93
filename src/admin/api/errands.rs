//! What needs the files of the configuration: a reload, and an explanation. `app` does it.

use axum::Extension;
use axum::extract::State;
use serde_json::Value;
use tokio::sync::oneshot;

use super::Api;
use super::bodies::{Explain, Reload, Reloaded};
use super::changes::reason;
use crate::admin::body::{Json, MaybeJson};
use crate::admin::fault::{BAD_PARAMETER, CONFIGURATION_REFUSED, Fault, GONE, INTERNAL};
use crate::admin::parameters::Parameters;
use crate::control::command::Actor;
use crate::control::{Foreseen, Request};
use crate::simulate::Board;

/// Something for `app` to do.
#[derive(Debug)]
pub enum Errand {
    /// Load again what is on disk.
    Reload {
        /// Who wants it.
        actor: Actor,
        /// Why.
        reason: Option<String>,
        /// Hears what came of it; of what was refused each problem as a line, none when it could not be
        /// tried.
        reply: oneshot::Sender<Result<Reloaded, Vec<String>>>,
    },
    /// Say what would come of deaths of regions.
    Simulate {
        /// The regions that die together; none: each by itself.
        down: Vec<String>,
        /// What it starts from.
        from: Box<Foreseen>,
        /// Hears it.
        reply: oneshot::Sender<Result<Board, NotExplained>>,
    },
    /// Say what a client would be answered, and why.
    Explain {
        /// What is asked.
        question: Explain,
        /// Hears what `trimtab resolve --json` prints.
        reply: oneshot::Sender<Result<Value, NotExplained>>,
    },
}

/// Why there is no explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotExplained {
    /// A value of the question cannot be taken.
    Value {
        /// Which.
        field: &'static str,
        /// Why.
        wrong: String,
    },
    /// A database cannot be read, or a fault of this program.
    Failed(String),
}

impl NotExplained {
    /// A value that cannot be taken, and why.
    pub fn value(field: &'static str, wrong: impl ToString) -> Self {
        Self::Value { field, wrong: wrong.to_string() }
    }
}

/// Load again what is on disk, as SIGHUP does: all of it, or nothing when there is a problem.
#[utoipa::path(post, path = "/reload", request_body = Option<Reload>,
    responses((status = OK, body = Reloaded)))]
pub(super) async fn reload(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    MaybeJson(wanted): MaybeJson<Reload>,
) -> Result<Json<Reloaded>, Fault> {
    let reason = reason(wanted.reason)?;
    let done = run(&api, |reply| Errand::Reload { actor, reason, reply }).await?;
    done.map(Json).map_err(|problems| {
        if problems.is_empty() {
            return Fault::new(INTERNAL, "the reload came to no end; the log says why");
        }
        let detail =
            format!("it has {} problems; what was in force stays in force", problems.len());
        Fault::new(CONFIGURATION_REFUSED, detail).with("problems", problems)
    })
}

/// What a client would be answered now, with shares and the way that leads to them: what
/// `trimtab resolve --json` prints. With `down` as if those regions were down.
#[utoipa::path(post, path = "/explain", request_body = Explain,
    responses((status = OK, body = Value)))]
pub(super) async fn explain(
    State(api): State<Api>,
    Json(question): Json<Explain>,
) -> Result<Json<Value>, Fault> {
    let answer = run(&api, |reply| Errand::Explain { question, reply }).await?;
    answer.map(Json).map_err(|not| match not {
        NotExplained::Value { field, wrong } => Fault::field(field, wrong),
        NotExplained::Failed(why) => Fault::new(INTERNAL, why),
    })
}

/// What the regions bear, and what would come of the death of each: where its share would go, what the
/// others would bear, how long it would take, and whether that is all right. With `down` (once for each
/// region) of the death of those together.
#[utoipa::path(get, path = "/simulate",
    params(("down" = Option<Vec<String>>, Query, description = "A region; several times: all of them")),
    responses((status = OK, body = Board)))]
pub(super) async fn simulate(
    State(api): State<Api>,
    Parameters(given): Parameters<Vec<(String, String)>>,
) -> Result<Json<Board>, Fault> {
    let mut down = Vec::new();
    for (name, value) in given {
        if name != "down" {
            let detail = format!("there is no parameter {name:?}; down names a region");
            return Err(Fault::new(BAD_PARAMETER, detail).with("parameter", name));
        }
        down.push(value);
    }
    let from = Box::new(api.helm.ask(Request::Simulate).await?);
    let answer = run(&api, |reply| Errand::Simulate { down, from, reply }).await?;
    answer.map(Json).map_err(|not| match not {
        NotExplained::Value { field, wrong } => {
            Fault::new(BAD_PARAMETER, wrong).with("parameter", field)
        }
        NotExplained::Failed(why) => Fault::new(INTERNAL, why),
    })
}

async fn run<T>(api: &Api, errand: impl FnOnce(oneshot::Sender<T>) -> Errand) -> Result<T, Fault> {
    let gone = || Fault::new(GONE, "the server is stopping, or this part of it has ended");
    let (reply, answer) = oneshot::channel();
    api.errands.send(errand(reply)).await.map_err(|_| gone())?;
    answer.await.map_err(|_| gone())
}
