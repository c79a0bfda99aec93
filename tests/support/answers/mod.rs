//! The answering path as its measurements see it: the same tables, the same queries and the same loop
//! for the test of allocations, the benches and the counts of instructions. Each includes it by its path.

#![allow(dead_code, reason = "not everything that includes this uses all of it")]

pub(crate) mod cases;
pub(crate) mod desk;
pub(crate) mod kinds;
pub(crate) mod reading;
pub(crate) mod request;
pub(crate) mod world;
