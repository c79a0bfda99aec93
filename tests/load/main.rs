//! The load generator of `benches/versus/load`: its parts, and the whole against a small server.

#[path = "../../benches/versus/load/mod.rs"]
mod load;

mod histogram;
mod messages;
mod order;
mod pace;
mod questions;
mod rcode;
mod tally;
mod waiting;
mod whole;
