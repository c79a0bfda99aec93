//! Problem documents (RFC 9457): what the API says when it does not do what it was asked.

mod kinds;
mod of_control;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

pub(super) use kinds::{
    BAD_HEADER, BAD_JSON, BAD_PARAMETER, BODY_TIMEOUT, BODY_TOO_LARGE, CONFIGURATION_REFUSED, GONE,
    INTERNAL, INVALID_VALUE, METHOD_NOT_ALLOWED, NOT_FOUND, NOTHING_PUSHED, READ_ONLY, TIMED_OUT,
    TOKEN_MISSING, TOKEN_WRONG, TOO_MANY_GUESSES, UNKNOWN_OVERRIDE, UNKNOWN_PLAN, UNKNOWN_RECORD,
    UNKNOWN_REGION, WRONG_HOST, WRONG_MEDIA_TYPE, WRONG_ORIGIN,
};
pub use kinds::{KINDS, Kind};

/// The media type of a problem document.
pub const PROBLEM_JSON: &str = "application/problem+json";
/// What stands before a code in `type`: a reference below which the server tells of it.
pub const TYPES: &str = "/api/v1/problems/";

/// A problem document, as it is sent and read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProblemDocument {
    /// A URI reference for the kind of problem: `/api/v1/problems/CODE`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of problem, for programs.
    pub code: String,
    /// The kind of problem in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What it is this time, and what to do.
    pub detail: String,
    /// What else there is to say of a problem of this kind.
    #[serde(flatten)]
    pub members: Map<String, Value>,
}

/// A problem on its way out.
#[derive(Debug)]
pub(super) struct Fault {
    kind: &'static Kind,
    detail: String,
    members: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Fault {
    /// A problem of this kind; `detail` is a sentence.
    pub(super) fn new(kind: &'static Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), members: Map::new(), headers: Vec::new() }
    }

    /// A value of a body that cannot be taken.
    pub(super) fn field(field: &str, detail: impl std::fmt::Display) -> Self {
        Self::new(INVALID_VALUE, format!("{field}: {detail}")).with("field", field)
    }

    /// A parameter that cannot be taken.
    pub(super) fn parameter(name: &str, detail: impl std::fmt::Display) -> Self {
        Self::new(BAD_PARAMETER, format!("{name}: {detail}")).with("parameter", name)
    }

    /// A header that cannot be taken.
    pub(super) fn header(name: &str, detail: impl std::fmt::Display) -> Self {
        Self::new(BAD_HEADER, format!("{name}: {detail}")).with("header", name)
    }

    /// With an extension member.
    #[must_use]
    pub(super) fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.members.insert(member.into(), value.into());
        self
    }

    /// With a header.
    #[must_use]
    pub(super) fn sending(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        if let Ok(value) = HeaderValue::try_from(value.into()) {
            self.headers.push((name, value));
        }
        self
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let Kind { code, status, title, .. } = *self.kind;
        let document = ProblemDocument {
            kind: format!("{TYPES}{code}"),
            code: code.into(),
            title: title.into(),
            status,
            detail: self.detail,
            members: self.members,
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, [(header::CONTENT_TYPE, PROBLEM_JSON)], body).into_response();
        response.headers_mut().extend(self.headers);
        response
    }
}
