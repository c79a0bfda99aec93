//! What is seen: regions, records, checks, overrides, and all at a glance.

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Api;
use crate::admin::body::Json;
use crate::admin::fault::{Fault, UNKNOWN_OVERRIDE, UNKNOWN_RECORD, UNKNOWN_REGION};
use crate::admin::parameters::{Parameters, Segment, number, switch};
use crate::control::views::{CheckView, OverrideView, Page, RecordView, RegionView, Status};
use crate::control::{CheckFilter, RecordFilter, Request};
use crate::problem::nearest;
use crate::wire::Name;

/// Of a list, when nothing is said.
const PAGE: u64 = 100;
/// Of a list, at most.
const MOST: u64 = 1000;

/// All at a glance.
#[utoipa::path(get, path = "/status", responses((status = OK, body = Status)))]
pub(super) async fn status(State(api): State<Api>) -> Result<Json<Status>, Fault> {
    Ok(Json(api.helm.ask(Request::Status).await?))
}

/// The regions, in the order of the configuration.
#[utoipa::path(get, path = "/regions", responses((status = OK, body = Vec<RegionView>)))]
pub(super) async fn regions(State(api): State<Api>) -> Result<Json<Vec<RegionView>>, Fault> {
    Ok(Json(api.helm.ask(Request::Regions).await?))
}

/// One region.
#[utoipa::path(get, path = "/regions/{name}", params(("name", description = "The region's name")),
    responses((status = OK, body = RegionView)))]
pub(super) async fn region(
    State(api): State<Api>,
    Segment(name): Segment,
) -> Result<Json<RegionView>, Fault> {
    let mut regions = api.helm.ask(Request::Regions).await?;
    if let Some(at) = regions.iter().position(|region| region.name == name) {
        return Ok(Json(regions.swap_remove(at)));
    }
    let near = nearest(&name, regions.iter().map(|region| region.name.as_str()));
    let hint = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
    let detail = format!("there is no region {name:?}{hint}");
    Err(Fault::new(UNKNOWN_REGION, detail).with("region", name))
}

/// Which records.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WhichRecords {
    /// Only those whose name contains this.
    contains: Option<String>,
    /// Only those that this region has a part in.
    region: Option<String>,
    /// Only those at risk.
    #[param(value_type = Option<bool>)]
    at_risk: Option<String>,
    /// So many are passed over.
    #[param(value_type = Option<u64>)]
    offset: Option<String>,
    /// At most so many, 1 to 1000; 100 unless said.
    #[param(value_type = Option<u64>)]
    limit: Option<String>,
}

/// The records by name, with their shares: a part of the list.
#[utoipa::path(get, path = "/records", params(WhichRecords),
    responses((status = OK, body = Page<RecordView>)))]
pub(super) async fn records(
    State(api): State<Api>,
    Parameters(which): Parameters<WhichRecords>,
) -> Result<Json<Page<RecordView>>, Fault> {
    let filter = RecordFilter {
        name: None,
        contains: which.contains,
        region: which.region,
        at_risk: switch("at_risk", which.at_risk.as_deref())?,
        offset: offset(which.offset.as_deref())?,
        limit: limit(which.limit.as_deref())?,
    };
    Ok(Json(api.helm.ask(|reply| Request::Records(filter, reply)).await?))
}

/// One record.
#[utoipa::path(get, path = "/records/{name}", params(("name", description = "The record's owner name")),
    responses((status = OK, body = RecordView)))]
pub(super) async fn record(
    State(api): State<Api>,
    Segment(name): Segment,
) -> Result<Json<RecordView>, Fault> {
    let unknown = |why: &str| {
        Fault::new(UNKNOWN_RECORD, format!("there is no record {name:?}{why}"))
            .with("record", name.as_str())
    };
    let read = Name::from_text(&name).map_err(|_| unknown(": it is no domain name"))?;
    let filter = RecordFilter { name: Some(read.to_string()), limit: 1, ..RecordFilter::default() };
    let page = api.helm.ask(|reply| Request::Records(filter, reply)).await?;
    page.items.into_iter().next().map(Json).ok_or_else(|| unknown(""))
}

/// Which targets.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WhichChecks {
    /// Only those that this region depends on.
    region: Option<String>,
    /// Only those of this check.
    check: Option<String>,
    /// Only those that are not up.
    #[param(value_type = Option<bool>)]
    not_up: Option<String>,
    /// With the last 20 results of each.
    #[param(value_type = Option<bool>)]
    history: Option<String>,
    /// So many are passed over.
    #[param(value_type = Option<u64>)]
    offset: Option<String>,
    /// At most so many, 1 to 1000; 100 unless said.
    #[param(value_type = Option<u64>)]
    limit: Option<String>,
}

/// What is probed, with the latest results: a part of the list.
#[utoipa::path(get, path = "/checks", params(WhichChecks),
    responses((status = OK, body = Page<CheckView>)))]
pub(super) async fn checks(
    State(api): State<Api>,
    Parameters(which): Parameters<WhichChecks>,
) -> Result<Json<Page<CheckView>>, Fault> {
    let filter = CheckFilter {
        region: which.region,
        check: which.check,
        not_up: switch("not_up", which.not_up.as_deref())?,
        history: switch("history", which.history.as_deref())?,
        offset: offset(which.offset.as_deref())?,
        limit: limit(which.limit.as_deref())?,
    };
    Ok(Json(api.helm.ask(|reply| Request::Checks(filter, reply)).await?))
}

/// The overrides in force, the oldest first.
#[utoipa::path(get, path = "/overrides", responses((status = OK, body = Vec<OverrideView>)))]
pub(super) async fn overrides(State(api): State<Api>) -> Result<Json<Vec<OverrideView>>, Fault> {
    Ok(Json(api.helm.ask(Request::Overrides).await?))
}

/// One override.
#[utoipa::path(get, path = "/overrides/{id}",
    params(("id" = u64, Path, description = "The override's number")),
    responses((status = OK, body = OverrideView)))]
pub(super) async fn override_of(
    State(api): State<Api>,
    Segment(id): Segment,
) -> Result<Json<OverrideView>, Fault> {
    let wanted = override_id(&id)?;
    let overrides = api.helm.ask(Request::Overrides).await?;
    let found = overrides.into_iter().find(|one| one.id == wanted);
    let detail = || format!("there is no override {id}; it may have ended");
    found.map(Json).ok_or_else(|| Fault::new(UNKNOWN_OVERRIDE, detail()).with("id", wanted))
}

/// The number of an override in a path.
pub(super) fn override_id(text: &str) -> Result<u64, Fault> {
    text.parse().map_err(|_| Fault::parameter("id", "wanted the number of an override"))
}

fn offset(text: Option<&str>) -> Result<usize, Fault> {
    let read = number("offset", text, 0..=u32::MAX.into())?;
    Ok(usize::try_from(read.unwrap_or_default()).unwrap_or(usize::MAX))
}

/// How many of a list.
pub(super) fn limit(text: Option<&str>) -> Result<usize, Fault> {
    let read = number("limit", text, 1..=MOST)?;
    Ok(usize::try_from(read.unwrap_or(PAGE)).unwrap_or(usize::MAX))
}
