//! HTTP for operators and their tools: `/metrics`, `/healthz`, `/readyz`.
//!
//! The same routes serve `admin.listen` and `metrics_listen`. Who may connect is decided by what
//! the listener is bound to; binding is left to `app`.

mod http;
mod routes;
mod scrapes;

pub use http::{Limits, run};
pub use routes::{routes, serve};
