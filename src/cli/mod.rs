//! The command line: one file a verb, which parses, calls, prints, and gives the exit code.

mod args;
mod check;
mod demo;
mod environment;
mod log;
mod resolve;
mod schema;
mod serve;
mod shell;
mod style;

use std::io;
use std::process::ExitCode;

use clap::Parser;

use crate::app::explain::Question;
use args::{Cli, Verb};

/// What a verb came to; exit codes are 0, 1 and 2 (3 is for a server that cannot be reached).
#[derive(Debug)]
enum Failure {
    /// Something went wrong: 1.
    Failed(anyhow::Error),
    /// An argument is wrong, which only the configuration told: 2.
    Usage(String),
    /// The configuration is wrong, and has been reported: 2.
    Configuration,
    /// Whoever read the output has gone (`trimtab check | head`); that is no failure: 0.
    Hangup,
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        match error.downcast_ref::<io::Error>() {
            Some(io) if io.kind() == io::ErrorKind::BrokenPipe => Self::Hangup,
            _ => Self::Failed(error),
        }
    }
}

/// Runs the program with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    let done = match Cli::parse().verb {
        Verb::Serve { config } => serve::run(config),
        Verb::Check { config } => check::run(config),
        Verb::Resolve { name, qtype, config, from, down, json } => {
            resolve::run(&Question { name, qtype, from }, config, &down, json)
        }
        Verb::Demo => demo::run(),
        Verb::Schema => schema::run(),
        Verb::Completions { shell } => shell::completions(shell),
        Verb::Man => shell::man(),
    };
    match done {
        Ok(()) | Err(Failure::Hangup) => ExitCode::SUCCESS,
        Err(Failure::Usage(what)) => {
            eprintln!("{}: {what}", style::error("error"));
            ExitCode::from(2)
        }
        Err(Failure::Configuration) => ExitCode::from(2),
        Err(Failure::Failed(error)) => {
            eprintln!("{}: {error:#}", style::error("error"));
            ExitCode::FAILURE
        }
    }
}
