//! The engine on the data of an OPT record: EDNS Client Subnet, cookies and the rest.
#![no_main]

#[path = "../../tests/support/fuzz/mod.rs"]
mod fuzz;

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::engine::options(input));
