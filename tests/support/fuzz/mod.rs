//! What must hold of any input, whoever makes it up: the fuzzer (`fuzz/`), the corpus that it left
//! (`tests/fixtures/fuzz`) and a seeded generator (`tests/fuzz.rs`) all come here.
//!
//! A property takes octets and panics when it does not hold. It uses nothing of the crate that is
//! not public, and reads what the crate makes by code of its own and by another codec.

#![allow(dead_code, reason = "not every target that includes this uses all of it")]

pub(crate) mod ask;
pub(crate) mod dice;
pub(crate) mod edns;
pub(crate) mod engine;
pub(crate) mod files;
pub(crate) mod query;
pub(crate) mod reading;
pub(crate) mod reply;
pub(crate) mod sequence;
pub(crate) mod world;
pub(crate) mod worst;

/// A property by its name, which is that of its fuzz target and of its corpus.
pub(crate) type Property = (&'static str, fn(&[u8]));

/// All of them.
pub(crate) const PROPERTIES: &[Property] = &[
    ("decoder", engine::decoder),
    ("engine", engine::engine),
    ("options", engine::options),
    ("cookie", sequence::cookie),
    ("limit", sequence::limit),
    ("zone", files::zone),
    ("config", files::config),
    ("latency", files::latency),
    ("mmdb", files::mmdb),
];
