//! From the answering threads to the query log: what is said of an answer, and the queues on which it
//! gets there.
//!
//! Each answering thread has an end of its own. It writes what it has to say into a queue of octets that
//! is there from the start, and goes on; when a queue is full, what was to be said is lost, and counted.
//! There is no lock, no allocation and no system call in it. Who reads the queues is `querylog`.
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

mod exchange;
mod line;
mod octets;
mod queue;

pub use exchange::Exchange;
pub use line::{Asked, Dynamic, Line, Moment, Regions, Transport};
pub use queue::{End, Full, QUEUE, Queue, Sink, Taps};
