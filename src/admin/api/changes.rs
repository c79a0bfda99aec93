//! What is changed: overrides are made and ended. Everything is stored and published when it is answered.

use std::ops::RangeInclusive;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Api;
use super::bodies::{EndOverrides, LetBack, NewOverride};
use super::seen::override_id;
use crate::admin::body::Json;
use crate::admin::fault::Fault;
use crate::admin::parameters::{self, Parameters, Segment, idempotency_key, switch};
use crate::control::command::{Action, Actor, Command, Done, OverrideKind, Wanted, Which};
use crate::wire::Name;

const SECOND: Duration = Duration::from_secs(1);
const DAY: u64 = 86_400;
/// How long an override may last.
const LASTS: RangeInclusive<Duration> = SECOND..=Duration::from_secs(366 * DAY);
/// How long a gradual move may take.
const OVER: RangeInclusive<Duration> = SECOND..=Duration::from_secs(7 * DAY);
/// Characters of a reason.
const REASON: usize = 500;

/// What all changes have in common.
pub(super) struct How {
    pub(super) reason: Option<String>,
    pub(super) force: bool,
    pub(super) dry_run: bool,
}

impl How {
    /// The command.
    pub(super) fn command(
        self,
        action: Action,
        actor: Actor,
        headers: &HeaderMap,
    ) -> Result<Command, Fault> {
        Ok(Command {
            action,
            actor,
            reason: reason(self.reason)?,
            force: self.force,
            dry_run: self.dry_run,
            key: idempotency_key(headers)?,
        })
    }
}

/// A new override: a drain, a state or a weight that is forced on a region, or on it in one record.
#[utoipa::path(post, path = "/overrides", request_body = NewOverride,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key is the same command")),
    responses((status = CREATED, body = Done), (status = OK, description = "A dry run", body = Done)))]
pub(super) async fn force(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    Json(new): Json<NewOverride>,
) -> Result<Response, Fault> {
    let action = Action::Force {
        record: record(new.record.as_deref())?,
        what: wanted(&new)?,
        lasts: new.lasts.as_deref().map(|text| duration("for", text, LASTS)).transpose()?,
        region: new.region,
    };
    let how = How { reason: new.reason, force: new.force, dry_run: new.dry_run };
    let done = api.helm.command(how.command(action, actor, &headers)?).await?;
    let Some(made) = done.overrides.first().filter(|_| !done.dry_run).map(|made| made.id) else {
        return Ok(Json(done).into_response());
    };
    let at = [(header::LOCATION, format!("/api/v1/overrides/{made}"))];
    Ok((StatusCode::CREATED, at, Json(done)).into_response())
}

/// The end of overrides: of one, or of all of some kinds on a region.
#[utoipa::path(post, path = "/overrides/end", request_body = EndOverrides,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key is the same command")),
    responses((status = OK, body = Done)))]
pub(super) async fn end(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    Json(end): Json<EndOverrides>,
) -> Result<Json<Done>, Fault> {
    let which = match (end.id, end.region) {
        (Some(id), None) if end.record.is_none() && end.kinds.is_empty() => Which::Id(id),
        (None, Some(region)) => {
            Which::Of { region, record: record(end.record.as_deref())?, kinds: end.kinds }
        }
        (Some(_), _) => return Err(Fault::field("id", "wanted alone, or a region without it")),
        (None, None) => return Err(Fault::field("region", "wanted a region, or an id")),
    };
    let over = end.over.as_deref().map(|text| duration("over", text, OVER)).transpose()?;
    let how = How { reason: end.reason, force: end.force, dry_run: end.dry_run };
    let command = how.command(Action::End { which, over }, actor, &headers)?;
    Ok(Json(api.helm.command(command).await?))
}

/// Lets a region back that has recovered and waits for it (`failback = "manual"`).
#[utoipa::path(post, path = "/failback", request_body = LetBack,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key is the same command")),
    responses((status = OK, body = Done)))]
pub(super) async fn failback(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    Json(back): Json<LetBack>,
) -> Result<Json<Done>, Fault> {
    let how = How { reason: back.reason, force: false, dry_run: back.dry_run };
    let command = how.command(Action::LetBack { region: back.region }, actor, &headers)?;
    Ok(Json(api.helm.command(command).await?))
}

/// How one override is to end.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HowToEnd {
    /// Over how long a drain returns, like `10m`: 1 s to 7 days; absent: at once.
    over: Option<String>,
    /// Do it although records would be left with nothing but drained or down pools.
    #[param(value_type = Option<bool>)]
    force: Option<String>,
    /// Only tell what would come of it.
    #[param(value_type = Option<bool>)]
    dry_run: Option<String>,
}

/// The end of one override.
#[utoipa::path(delete, path = "/overrides/{id}",
    params(("id" = u64, Path, description = "The override's number"), HowToEnd,
        ("Idempotency-Key" = Option<String>, Header, description = "The same key is the same command")),
    responses((status = OK, body = Done)))]
pub(super) async fn end_one(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Segment(id): Segment,
    Parameters(how): Parameters<HowToEnd>,
    headers: HeaderMap,
) -> Result<Json<Done>, Fault> {
    let over = how.over.as_deref().map(|text| parameters::duration(text, OVER)).transpose();
    let command = Command {
        action: Action::End {
            which: Which::Id(override_id(&id)?),
            over: over.map_err(|wrong| Fault::parameter("over", wrong))?,
        },
        actor,
        reason: None,
        force: switch("force", how.force.as_deref())?,
        dry_run: switch("dry_run", how.dry_run.as_deref())?,
        key: idempotency_key(&headers)?,
    };
    Ok(Json(api.helm.command(command).await?))
}

/// What is forced; what belongs to another kind is refused, for it may have been meant.
fn wanted(new: &NewOverride) -> Result<Wanted, Fault> {
    if new.over.is_some() && new.kind != OverrideKind::Drain {
        return Err(Fault::field("over", "only a drain is made gradually"));
    }
    match (new.kind, new.weight) {
        (OverrideKind::Weight, Some(weight)) => Ok(Wanted::Weight(weight)),
        (OverrideKind::Weight, None) => Err(Fault::field("weight", "wanted 0 to 65535")),
        (_, Some(_)) => Err(Fault::field("weight", "only the kind weight has one")),
        (OverrideKind::Drain, None) => {
            let over = new.over.as_deref().map(|text| duration("over", text, OVER));
            over.transpose().map(Wanted::Drain)
        }
        (OverrideKind::ForceDown, None) => Ok(Wanted::Down),
        (OverrideKind::ForceUp, None) => Ok(Wanted::Up),
        (OverrideKind::Shift, None) => {
            Err(Fault::field("kind", "a shift is made by a plan that is finished, and kept"))
        }
    }
}

pub(super) fn record(text: Option<&str>) -> Result<Option<Name>, Fault> {
    let read = text.map(|text| {
        Name::from_text(text).map_err(|_| Fault::field("record", "wanted a domain name"))
    });
    read.transpose()
}

pub(super) fn duration(
    field: &str,
    text: &str,
    range: RangeInclusive<Duration>,
) -> Result<Duration, Fault> {
    parameters::duration(text, range).map_err(|wrong| Fault::field(field, wrong))
}

/// Reasons are shown in logs and terminals.
pub(super) fn reason(text: Option<String>) -> Result<Option<String>, Fault> {
    let Some(text) = text else { return Ok(None) };
    let text = text.trim();
    if text.chars().count() > REASON || text.chars().any(char::is_control) {
        let wanted = format!("wanted at most {REASON} characters, none of control");
        return Err(Fault::field("reason", wanted));
    }
    Ok(Some(text).filter(|text| !text.is_empty()).map(Into::into))
}
