//! `/api/v1`: what operators see, and what they change.
//!
//! A handler takes a request apart, checks what can be checked without knowing the state, asks control or
//! `app`, and writes the reply. Each says what it takes and gives beside itself, and `openapi` makes the
//! description of that: a route that is not described cannot be added.
#![allow(unused_qualifications, reason = "what utoipa writes names types in full")]

pub mod bodies;
mod changes;
mod errands;
mod events;
mod openapi;
mod plans;
mod pushed;
mod seen;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::{Extension, Router};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::openapi::Document;
use super::fault::{Fault, METHOD_NOT_ALLOWED};
use crate::control::Helm;
use crate::probe::Reports;

pub use errands::{Errand, NotExplained};

/// What the API is connected to.
#[derive(Debug, Clone)]
pub struct Api {
    /// To the single writer.
    pub helm: Helm,
    /// To those who read files.
    pub errands: mpsc::Sender<Errand>,
    /// Where regions report themselves.
    pub reports: Arc<Reports>,
    /// Ends every wait for events.
    pub stop: CancellationToken,
}

/// Everything below `/api/v1`: what is for operators, and what is for regions, who have tokens of their own.
pub(super) fn routes(api: Api) -> (Router, Router) {
    let (router, mut description) = described().split_for_parts();
    let (regions, theirs) = for_regions().split_for_parts();
    description.merge(theirs);
    // Types that derive how they are written cannot fail to be.
    let json = serde_json::to_vec(&openapi::finished(description)).unwrap_or_default();
    let router: Router<Api> = router.layer(Extension(Document(json.into())));
    let not_allowed =
        async || Fault::new(METHOD_NOT_ALLOWED, "the header Allow has the methods of this path");
    let regions: Router<Api> = regions.method_not_allowed_fallback(not_allowed);
    let operators = router.method_not_allowed_fallback(not_allowed);
    (operators.with_state(api.clone()), regions.with_state(api))
}

/// The routes of regions with their description.
fn for_regions() -> OpenApiRouter<Api> {
    let routes = OpenApiRouter::default().routes(routes!(pushed::push));
    OpenApiRouter::default().nest("/api/v1", routes)
}

/// All routes with their description.
fn described() -> OpenApiRouter<Api> {
    let routes = OpenApiRouter::default()
        .routes(routes!(seen::status))
        .routes(routes!(seen::regions))
        .routes(routes!(seen::region))
        .routes(routes!(seen::records))
        .routes(routes!(seen::record))
        .routes(routes!(seen::checks))
        .routes(routes!(seen::overrides, changes::force))
        .routes(routes!(changes::end))
        .routes(routes!(changes::failback))
        .routes(routes!(seen::override_of, changes::end_one))
        .routes(routes!(plans::plans))
        .routes(routes!(plans::plan))
        .routes(routes!(plans::shift))
        .routes(routes!(plans::drill))
        .routes(routes!(plans::window))
        .routes(routes!(plans::change))
        .routes(routes!(events::events))
        .routes(routes!(errands::explain))
        .routes(routes!(errands::simulate))
        .routes(routes!(errands::reload))
        .routes(routes!(openapi::document))
        .routes(routes!(openapi::problem));
    OpenApiRouter::with_openapi(openapi::head()).nest("/api/v1", routes)
}
