//! The prober: asks every target in its turn and says what it saw.
//!
//! It knows nothing of pools, weights or thresholds (`fall` only tells it how long a target that
//! was never seen may be in doubt). Targets come in over a watch channel, observations go out
//! over a queue; the cost is the same whether targets work or not.
//!
//! Every connection is closed abortively (a reset instead of the usual farewell) once the
//! verdict is in: with thousands of targets, connections that this side closes in the usual way
//! would each keep a socket waiting for a minute. Targets see a reset after the handshake (tcp)
//! or after their response (http).

mod agent;
mod attempt;
mod body;
mod budget;
mod connect;
mod credentials;
mod dns;
mod exec;
mod figures;
mod grpc;
mod headers;
mod health_body;
mod http;
mod icmp;
mod limits;
mod prober;
mod program;
mod prometheus;
mod push;
mod reason;
mod schedule;
mod task;
mod tls;
mod tls_only;
mod tools;
mod watched;
mod words;

pub use credentials::{CredentialsFault, check_credentials};
pub use exec::{PATH, find};
pub use limits::{Limits, concurrency};
pub use prober::{Prober, Settings};
pub use push::{Reports, Said, Standing};
pub use schedule::Schedule;
pub use task::Verdict;
pub use tls::Roots;

#[cfg(test)]
mod tests;
