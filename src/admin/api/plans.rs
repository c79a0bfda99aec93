//! Plans: shifts, drills and maintenance windows are begun, seen, and led on or given up.

use std::ops::RangeInclusive;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Api;
use super::bodies::{ChangePlan, NewDrill, NewShift, NewWindow, PlanAction};
use super::changes::{How, duration, record};
use crate::admin::body::Json;
use crate::admin::fault::{Fault, UNKNOWN_PLAN};
use crate::admin::parameters::Segment;
use crate::config::{Window, rfc3339_ms};
use crate::control::Request;
use crate::control::command::{Action, Actor, Command, Done, PlanOrder};
use crate::control::views::{PlanView, PlansView};
use crate::model::AbortWhen;

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);
/// How long a stage lasts at least.
const EVERY: RangeInclusive<Duration> = SECOND..=Duration::from_secs(30 * 86_400);
/// How long a drill lasts.
const LASTS: RangeInclusive<Duration> = SECOND..=Duration::from_secs(7 * 86_400);
/// How long a window's drain and return take.
const OVER: RangeInclusive<Duration> = Duration::ZERO..=DAY;
/// How long a window is at most.
const LONGEST: Duration = Duration::from_secs(31 * 86_400);
/// Stages of a shift, and regions of a window.
const MOST: usize = 100;
/// Octets of a query with its bound.
const QUERY: usize = 4096;

/// The plans under way, and the last that are over.
#[utoipa::path(get, path = "/plans", responses((status = OK, body = PlansView)))]
pub(super) async fn plans(State(api): State<Api>) -> Result<Json<PlansView>, Fault> {
    Ok(Json(api.helm.ask(Request::Plans).await?))
}

/// One plan, under way or over; of a drill with its report.
#[utoipa::path(get, path = "/plans/{id}",
    params(("id" = u64, Path, description = "The plan's number")),
    responses((status = OK, body = PlanView)))]
pub(super) async fn plan(
    State(api): State<Api>,
    Segment(id): Segment,
) -> Result<Json<PlanView>, Fault> {
    let wanted = plan_id(&id)?;
    let PlansView { under_way, over } = api.helm.ask(Request::Plans).await?;
    let found = under_way.into_iter().chain(over).find(|plan| plan.id == Some(wanted));
    let detail = || format!("there is no plan {id}; it may be over for long");
    found.map(Json).ok_or_else(|| Fault::new(UNKNOWN_PLAN, detail()).with("id", wanted))
}

/// A shift begins with its first stage.
#[utoipa::path(post, path = "/shifts", request_body = NewShift,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key is the same command")),
    responses((status = CREATED, body = Done), (status = OK, description = "A dry run", body = Done)))]
pub(super) async fn shift(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    Json(new): Json<NewShift>,
) -> Result<Response, Fault> {
    let order = PlanOrder::Shift {
        from: new.from,
        to: new.to,
        record: record(new.record.as_deref())?,
        stages: stages(&new.stages)?,
        every: duration("every", &new.every, EVERY)?,
        manual: new.manual,
        abort_when: abort_when(new.abort_when.as_deref())?,
    };
    let how = How { reason: new.reason, force: new.force, dry_run: new.dry_run };
    begin(&api, how.command(Action::Plan(order), actor, &headers)?).await
}

/// A drill begins.
#[utoipa::path(post, path = "/drills", request_body = NewDrill,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key is the same command")),
    responses((status = CREATED, body = Done), (status = OK, description = "A dry run", body = Done)))]
pub(super) async fn drill(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    Json(new): Json<NewDrill>,
) -> Result<Response, Fault> {
    let order = PlanOrder::Drill {
        region: new.region,
        record: record(new.record.as_deref())?,
        share: part("share", new.share.unwrap_or(100.0))?,
        lasts: duration("for", &new.lasts, LASTS)?,
        abort_when: abort_when(new.abort_when.as_deref())?,
    };
    let how = How { reason: new.reason, force: new.force, dry_run: new.dry_run };
    begin(&api, how.command(Action::Plan(order), actor, &headers)?).await
}

/// A maintenance window is announced.
#[utoipa::path(post, path = "/windows", request_body = NewWindow,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key is the same command")),
    responses((status = CREATED, body = Done), (status = OK, description = "A dry run", body = Done)))]
pub(super) async fn window(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    Json(new): Json<NewWindow>,
) -> Result<Response, Fault> {
    if !(1..=MOST).contains(&new.regions.len()) {
        return Err(Fault::field("regions", format!("wanted 1 to {MOST} regions")));
    }
    let time = |field, text: &str| {
        let wanted = "wanted a time with its offset from UTC, like 2026-12-01T02:00:00Z";
        rfc3339_ms(text).ok_or_else(|| Fault::field(field, wanted))
    };
    let over = |field, text: Option<&str>| {
        text.map_or(Ok(Window::OVER), |text| duration(field, text, OVER))
    };
    let (from_ms, to_ms) = (time("from", &new.from)?, time("to", &new.to)?);
    let longest = u64::try_from(LONGEST.as_millis()).unwrap_or(u64::MAX);
    if to_ms <= from_ms || to_ms - from_ms > longest {
        return Err(Fault::field("to", "wanted a time behind from, and at most 31 days behind"));
    }
    let order = PlanOrder::Window {
        drain_over: over("drain_over", new.drain_over.as_deref())?,
        return_over: over("return_over", new.return_over.as_deref())?,
        regions: new.regions,
        from_ms,
        to_ms,
    };
    let how = How { reason: new.reason, force: new.force, dry_run: new.dry_run };
    begin(&api, how.command(Action::Plan(order), actor, &headers)?).await
}

/// A plan is led on, or given up.
#[utoipa::path(post, path = "/plans/{id}", request_body = ChangePlan,
    params(("id" = u64, Path, description = "The plan's number"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key is the same command")),
    responses((status = OK, body = Done)))]
pub(super) async fn change(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Segment(id): Segment,
    headers: HeaderMap,
    Json(change): Json<ChangePlan>,
) -> Result<Json<Done>, Fault> {
    let id = plan_id(&id)?;
    if change.keep && change.action != PlanAction::Finish {
        return Err(Fault::field("keep", "only what is finished can be kept"));
    }
    let order = match change.action {
        PlanAction::Advance => PlanOrder::Advance(id),
        PlanAction::Pause => PlanOrder::Pause(id),
        PlanAction::Abort => PlanOrder::Abort(id),
        PlanAction::Finish => PlanOrder::Finish { id, keep: change.keep },
    };
    let how = How { reason: change.reason, force: change.force, dry_run: change.dry_run };
    Ok(Json(api.helm.command(how.command(Action::Plan(order), actor, &headers)?).await?))
}

async fn begin(api: &Api, command: Command) -> Result<Response, Fault> {
    let done = api.helm.command(command).await?;
    let made = done.plan.as_ref().filter(|_| !done.dry_run).and_then(|plan| plan.id);
    let Some(made) = made else { return Ok(Json(done).into_response()) };
    let at = [(header::LOCATION, format!("/api/v1/plans/{made}"))];
    Ok((StatusCode::CREATED, at, Json(done)).into_response())
}

fn stages(percent: &[f64]) -> Result<Vec<f64>, Fault> {
    let rising = percent.windows(2).all(|two| two[0] < two[1]);
    let within = percent.iter().all(|part| *part > 0.0 && *part <= 100.0);
    if !(1..=MOST).contains(&percent.len()) || !rising || !within {
        let wanted =
            "wanted 1 to 100 percentages above 0 and at most 100, each above the one before";
        return Err(Fault::field("stages", wanted));
    }
    Ok(percent.iter().map(|part| part / 100.0).collect())
}

fn part(field: &'static str, percent: f64) -> Result<f64, Fault> {
    match percent > 0.0 && percent <= 100.0 {
        true => Ok(percent / 100.0),
        false => Err(Fault::field(field, "wanted a percentage above 0 and at most 100")),
    }
}

fn abort_when(text: Option<&str>) -> Result<Option<AbortWhen>, Fault> {
    let Some(text) = text else { return Ok(None) };
    let read = AbortWhen::parse(text).filter(|_| text.len() <= QUERY);
    let wanted = "wanted a query and a bound behind it, like: sum(rate(errors[1m])) > 0.05";
    read.map(Some).ok_or_else(|| Fault::field("abort_when", wanted))
}

/// The number of a plan in a path.
fn plan_id(text: &str) -> Result<u64, Fault> {
    text.parse().map_err(|_| Fault::parameter("id", "wanted the number of a plan"))
}
