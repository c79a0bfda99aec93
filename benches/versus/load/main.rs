//! A load generator for nameservers: `cargo build --release --bench load`, then `load --help`.
//!
//! It is here because the generator, not the server, is the limit of such measurements, because
//! answers have to be checked while they are counted, and because an open loop tells what users
//! of a busy server wait for. `../README.md` says how it compares with dnsperf.

use std::process::ExitCode;

use clap::Parser;

#[path = "mod.rs"]
mod load;

fn main() -> ExitCode {
    match load::run(&load::args::Args::parse()) {
        Ok(report) => {
            print!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("load: {error:#}");
            ExitCode::FAILURE
        }
    }
}
