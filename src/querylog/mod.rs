//! Who writes the query log: lines of JSON to a file or standard output, and dnstap to a socket.
//!
//! What is to be said comes on the queues of [`crate::tap`]. Each sink has a thread of its own, which
//! gives way to those that answer, so that one that is slow or gone is in the way of nothing: not of
//! answers, and not of the other sink. What a sink does not take stays in the queues until they are full;
//! the rest is lost, and counted.

mod dnstap;
mod door;
mod frames;
mod handle;
mod json;
mod lines;
mod outbox;
mod socket;
#[cfg(test)]
mod tests;
mod writer;

pub use handle::QueryLog;
pub use lines::{Lines, To};
pub use socket::{Sender, Socket};

/// How much of a client is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// Its network: an IPv4 /24, an IPv6 /56.
    Subnet,
    /// Its address.
    Address,
}

/// What is told of answers, and where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// Lines of JSON.
    pub lines: Option<Lines>,
    /// Messages as they are on the wire.
    pub socket: Option<Socket>,
}
