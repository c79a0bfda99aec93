//! What unit tests and integration tests both use; each includes it by its path, so it uses nothing
//! of the crate.

#![allow(dead_code, reason = "not every test that includes this uses all of it")]

pub(crate) mod mmdb;
pub(crate) mod world;
