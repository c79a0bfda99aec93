//! Databases and the latency table: replaced while the server answers, changed by a reload, missing
//! or broken from the start.

mod clients;
mod reload;
mod replaced;
mod start;
mod swap;
