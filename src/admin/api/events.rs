//! What has happened; and waiting for what happens next.

use std::time::Duration;

use axum::extract::State;
use serde::Deserialize;
use tokio::time::sleep;
use utoipa::IntoParams;

use super::Api;
use super::seen::limit;
use crate::admin::body::Json;
use crate::admin::fault::Fault;
use crate::admin::parameters::{Parameters, duration, number};
use crate::control::views::EventView;
use crate::control::{EventFilter, Request};

/// How long may be waited for an event.
const WAIT: Duration = Duration::from_secs(60);

/// Which events.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WhichEvents {
    /// Only those behind this number, the oldest first; absent: the last ones.
    #[param(value_type = Option<u64>)]
    after: Option<String>,
    /// Only those about this region.
    region: Option<String>,
    /// At most so many, 1 to 1000; 100 unless said.
    #[param(value_type = Option<u64>)]
    limit: Option<String>,
    /// How long to wait when there are none, like `30s`: at most 60 s; absent: not at all.
    wait: Option<String>,
}

/// Events, the oldest first. With `wait` the reply comes as soon as there is one.
#[utoipa::path(get, path = "/events", params(WhichEvents),
    responses((status = OK, body = Vec<EventView>)))]
pub(super) async fn events(
    State(api): State<Api>,
    Parameters(which): Parameters<WhichEvents>,
) -> Result<Json<Vec<EventView>>, Fault> {
    let filter = EventFilter {
        after: number("after", which.after.as_deref(), 0..=u64::MAX)?,
        region: which.region,
        limit: limit(which.limit.as_deref())?,
    };
    let wait = which.wait.as_deref().map(|text| duration(text, Duration::ZERO..=WAIT)).transpose();
    let wait = wait.map_err(|wrong| Fault::parameter("wait", wrong))?.unwrap_or_default();
    let mut newest = api.helm.events();
    let mut over = std::pin::pin!(sleep(wait));
    loop {
        // Before the question: what comes behind it will have changed the number.
        newest.borrow_and_update();
        let filter = filter.clone();
        let events = api.helm.ask(|reply| Request::Events(filter, reply)).await?;
        if !events.is_empty() {
            return Ok(Json(events));
        }
        tokio::select! {
            changed = newest.changed() => if changed.is_err() { return Ok(Json(events)) },
            () = &mut over => return Ok(Json(events)),
            () = api.stop.cancelled() => return Ok(Json(events)),
        }
    }
}
