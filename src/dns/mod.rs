//! DNS over sockets: one engine on bytes, and the transports that feed it.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::todo,
    clippy::unimplemented,
    reason = "nothing that a packet says may reach a panic"
)]

mod ask;
pub mod engine;
mod tcp;
mod transfer;
#[cfg(test)]
mod transfer_tests;
mod udp;

pub use ask::{Desk, Led, RecordText, Reply, ask, led};
pub use tcp::{TcpLimits, TcpServer};
pub use udp::{UdpWorkers, adopt, bind};
