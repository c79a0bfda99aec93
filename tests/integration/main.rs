//! The server as its users meet it: a real process, real sockets, targets that really fail, and a
//! DNS client that is not the server's own code.
//!
//! Each test starts a server of its own on ports that the system chooses, and waits for what can
//! be seen (an answer, a metric, a message of the log), never for a length of time.

mod admin;
mod all_down;
mod api;
mod bursts;
mod carried;
mod chaos;
mod client_subnet;
mod cookies;
mod databases;
mod example;
mod failover;
#[path = "../support/fuzz/mod.rs"]
mod fuzz;
mod geography;
mod given;
mod harness;
mod hostile;
mod kills;
#[path = "../../benches/versus/load/mod.rs"]
mod load;
mod lookup;
mod manager;
mod messages;
mod multivalue;
mod names;
mod nearest;
mod nested;
mod notify;
mod octets;
mod operator;
mod overview;
mod plans;
mod policies;
mod proximity;
mod push;
mod query_log;
mod rate_limit;
mod redirections;
mod refusals;
mod reload;
mod replay;
mod restart;
mod soak;
mod start;
mod sticky;
mod stop;
#[path = "../support/mod.rs"]
mod support;
mod transfers;
mod ttl;
mod under_load;
mod webhooks;
mod weights;
mod zones;
