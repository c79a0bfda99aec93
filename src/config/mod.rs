//! The configuration: from TOML text to a [`Config`], with every problem of the text.
//!
//! Each section has a file: its type first, then its defaults (written nowhere else), then its
//! reader. What needs more than one section at a time is found here only where it concerns names;
//! everything that follows a reference is `app::resolve`'s.
//!
//! Paths are relative to the directory of the configuration file, `state.dir` included.

mod admin;
mod alias;
mod calm;
mod checks;
mod clients;
mod context;
mod cookies;
mod defaults;
mod geo;
mod geolocation;
mod names;
mod plans;
mod policies;
mod process;
mod query_log;
mod rate_limit;
mod read;
mod records;
mod regions;
mod schema;
mod server;
mod simulate;
mod syntax;
mod table;
#[cfg(test)]
mod tests;
mod transfer;
mod value;
mod webhooks;
mod zones;

pub use admin::{Admin, TlsFiles};
pub use alias::Alias;
pub use calm::{Damping, Safety};
pub use checks::{Check, CredentialFiles};
pub use context::Spanned;
pub use cookies::Cookies;
pub use defaults::Defaults;
pub use geo::{Geo, Latency, Network};
pub use geolocation::Rule;
pub use plans::{Plans, Window, rfc3339_ms};
pub use policies::{Policy, PolicyKind};
pub use process::{Concurrency, Log, LogFormat, Metrics, Probe, State};
pub use query_log::{Dnstap, LogClient, LogFile, QueryLog};
pub use rate_limit::RateLimit;
pub use read::{Config, Incomplete, in_file_order, parse, read};
pub use records::{AllDown, Endpoint, Endpoints, Record, RecordPolicy, Sharing};
pub use regions::Region;
pub use schema::schema;
pub use server::{Server, Tcp, Workers};
pub use transfer::{Dynamic, Secondary, Transfer, TsigKey};
pub use webhooks::{Topic, Webhook, WebhookFormat};
pub use zones::{Zone, ZoneData};
