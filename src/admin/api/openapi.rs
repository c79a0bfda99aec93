//! The description of the API, made of its routes and of the types that they take and give.

use axum::Extension;
use axum::body::Bytes;
use axum::http::header;
use axum::response::IntoResponse;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};

use crate::admin::body::Json;
use crate::admin::fault::{Fault, KINDS, NOT_FOUND, PROBLEM_JSON, ProblemDocument};

const ABOUT: &str = "What a running Trimtab serves and why, and how operators change it. Where the server \
    has tokens, one is sent as a bearer; the role read may only read.";

/// What stands above the routes.
pub(super) fn head() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Trimtab")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT));
    OpenApiBuilder::new().info(info.build()).build()
}

/// With what all routes have in common: tokens, and problems.
pub(super) fn finished(mut description: OpenApi) -> OpenApi {
    let components = description.components.get_or_insert_default();
    let name = ProblemDocument::name();
    components.schemas.insert(name.to_string(), ProblemDocument::schema());
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components.add_security_scheme("token", SecurityScheme::Http(bearer));
    description.security = Some(vec![
        SecurityRequirement::new::<_, [&str; 0], &str>("token", []),
        SecurityRequirement::default(),
    ]);
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name(name))).build();
    let response = ResponseBuilder::new()
        .description("A problem; its code says which")
        .content(PROBLEM_JSON, problem)
        .build();
    for path in description.paths.paths.values_mut() {
        let operations = [&mut path.get, &mut path.post, &mut path.put, &mut path.delete];
        for operation in operations.into_iter().flatten() {
            let responses = &mut operation.responses.responses;
            responses.insert("default".into(), response.clone().into());
        }
    }
    description
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", responses((status = OK, body = serde_json::Value)))]
pub(super) async fn document(Extension(Document(json)): Extension<Document>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], json)
}

/// The description as it is sent.
#[derive(Debug, Clone)]
pub(super) struct Document(pub(super) Bytes);

/// A kind of problem: what `type` of a problem document refers to.
#[derive(Debug, serde::Serialize, ToSchema)]
pub(super) struct KindOfProblem {
    /// The kind, for programs.
    code: &'static str,
    /// The HTTP status that it comes with.
    status: u16,
    /// It in a few words.
    title: &'static str,
    /// When it comes, and what to do.
    meaning: &'static str,
}

/// What a kind of problem means.
#[utoipa::path(get, path = "/problems/{code}", params(("code", description = "The kind's code")),
    responses((status = OK, body = KindOfProblem)))]
pub(super) async fn problem(
    crate::admin::parameters::Segment(code): crate::admin::parameters::Segment,
) -> Result<Json<KindOfProblem>, Fault> {
    let kind = KINDS.iter().find(|kind| kind.code == code);
    let found = kind.map(|kind| KindOfProblem {
        code: kind.code,
        status: kind.status,
        title: kind.title,
        meaning: kind.meaning,
    });
    found.map(Json).ok_or_else(|| Fault::new(NOT_FOUND, format!("there is no code {code:?}")))
}
