//! What needs the files of the configuration: a reload. `app` does it.

use axum::Extension;
use axum::extract::State;
use tokio::sync::oneshot;

use super::Api;
use super::bodies::{Reload, Reloaded};
use super::changes::reason;
use crate::admin::body::{Json, MaybeJson};
use crate::admin::fault::{CONFIGURATION_REFUSED, Fault, GONE, INTERNAL};
use crate::control::command::Actor;

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

async fn run<T>(api: &Api, errand: impl FnOnce(oneshot::Sender<T>) -> Errand) -> Result<T, Fault> {
    let gone = || Fault::new(GONE, "the server is stopping, or this part of it has ended");
    let (reply, answer) = oneshot::channel();
    api.errands.send(errand(reply)).await.map_err(|_| gone())?;
    answer.await.map_err(|_| gone())
}
