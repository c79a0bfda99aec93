//! Trimtab: a health-checking, weighted, authoritative nameserver.
//!
//! The modules are in layers; imports go strictly downward.

pub mod admin;
pub mod app {
    //! What starts and stops.
    pub mod demo_regions;
    pub mod resolve;
}
pub mod cli {
    //! The command line.
    pub mod log;
}
pub mod clock;
pub mod config;
pub mod control;
pub mod dns;
pub mod health;
pub mod metrics;
pub mod model;
pub mod probe;
pub mod problem;
pub mod routing;
pub mod wire;
pub mod zone;
