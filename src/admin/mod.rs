//! HTTP for operators and their tools: `/metrics`, `/healthz`, `/readyz`, and the API under `/api/v1`.
//!
//! `admin.listen` has all of it, for those whom [`Access`] lets in; `metrics_listen` has only the first
//! three, for everybody. Binding is left to `app`, and so is what needs the files of a configuration: an
//! [`Errand`].

mod access;
pub mod api;
mod body;
pub mod fault;
mod guard;
mod guesses;
mod http;
mod parameters;
mod routes;
mod scrapes;
mod tokens;

pub use access::{Access, TlsFault, tls};
pub use api::{Api, Errand, NotExplained};
pub use guard::ACTOR;
pub use http::{Limits, Tls, run};
pub use parameters::IDEMPOTENCY_KEY;
pub use routes::{open_routes, routes, serve};
pub use tokens::{Holder, Role, Tokens, first_token};
