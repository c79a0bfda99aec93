//! The server as its users meet it: a real process, real sockets, targets that really fail, and a
//! DNS client that is not the server's own code.
//!
//! Each test starts a server of its own on ports that the system chooses, and waits for what can
//! be seen (an answer, a metric, a message of the log), never for a length of time.

mod admin;
mod all_down;
mod client_subnet;
mod example;
mod failover;
mod harness;
mod lookup;
mod messages;
mod policies;
mod reload;
mod restart;
mod start;
mod stop;
mod ttl;
mod weights;
mod zones;
