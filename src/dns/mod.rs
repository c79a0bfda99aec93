//! DNS over sockets: one engine on bytes, and the transports that feed it.

pub mod engine;
mod tcp;
mod udp;

pub use tcp::{TcpLimits, TcpServer};
pub use udp::{UdpWorkers, bind};
