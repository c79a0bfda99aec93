//! The answering path allocates and frees nothing: neither the engine, for any kind of answer, nor the
//! UDP workers around it, also while snapshots are replaced.
//!
//! What each thread allocates and frees is counted by the allocator of this program.

mod counting;
mod engine;
mod filter;
mod workers;

#[path = "../support/answers/mod.rs"]
mod answers;
