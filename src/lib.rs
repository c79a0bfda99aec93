//! Trimtab: a health-checking, weighted, authoritative nameserver.
//!
//! ```text
//!  trimtab.toml ─┐
//!  zones/*.zone ─┼─► app::load ─► Assembly (checked, immutable)
//!  *.mmdb *.csv ─┘                    │
//!  probes ──Observation──► control (the single writer of health)
//!                                    │  first change at once, then at most one publish per 100 ms
//!                        routing::compile (pure) ─► Snapshot ─ publish: one swap ─┐
//!                                                                                 ▼
//!                                  udp workers · tcp ──► dns::engine: bytes in, bytes out
//! ```
//!
//! The modules are in layers, the highest first; imports go strictly downward, and modules of one
//! layer do not import each other. `tests/layers.rs` enforces it.

pub mod cli;

pub mod app;

pub mod admin;

pub mod alias;
pub mod control;
pub mod dns;
pub mod notify;
pub mod probe;
pub mod querylog;
pub mod webhook;

pub mod simulate;

pub mod routing;

pub mod admission;
pub mod config;
pub mod geo;
pub mod health;
pub mod metrics;
pub mod tap;
pub mod zone;

pub mod atlas;
pub mod clock;
pub mod model;
pub mod problem;
pub mod wire;
