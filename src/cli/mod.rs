//! The command line: one file a verb, which parses, calls, prints, and gives the exit code.

mod args;
mod check;
mod checks;
mod client;
mod demo;
mod drain;
mod drill;
mod end;
mod environment;
mod events;
mod failback;
mod force;
mod log;
mod order;
mod plans;
mod reload;
mod resolve;
mod schema;
mod serve;
mod shell;
mod shift;
mod show;
mod simulate;
mod status;
mod style;
mod undrain;
mod watch;
mod webhook;
mod weight;
mod window;

use std::io;
use std::process::ExitCode;

use clap::Parser;

use crate::app::explain::Question;
use args::{Cli, Verb};

/// What a verb came to; exit codes are 0, 1, 2, and 3 for servers none of which can be reached.
#[derive(Debug)]
enum Failure {
    /// Something went wrong: 1.
    Failed(anyhow::Error),
    /// An argument is wrong, which only the configuration told: 2.
    Usage(String),
    /// The configuration is wrong, and has been reported: 2.
    Configuration,
    /// Not all servers did it, which has been told: this exit code.
    Told(u8),
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
        Verb::Resolve { name, qtype, config, from, down, live, servers } => {
            let question = Question { name, qtype, from };
            if live {
                resolve::live(&question, &down, &servers)
            } else if servers.name_any() {
                Err(Failure::Usage(
                    "only --live asks servers: give it, or leave out their options".into(),
                ))
            } else {
                resolve::run(&question, config, &down, servers.json)
            }
        }
        Verb::Simulate(simulate) => simulate::run(simulate),
        Verb::Status(status) => status::run(&status),
        Verb::Checks(checks) => checks::run(&checks),
        Verb::Drain(drain) => order::give(&drain.wanted()),
        Verb::Undrain(undrain) => order::give(&undrain.wanted()),
        Verb::Force(force) => force.wanted().and_then(|wanted| order::give(&wanted)),
        Verb::Weight(weight) => order::give(&weight.wanted()),
        Verb::End(end) => order::give(&end.wanted()),
        Verb::Failback(failback) => order::give(&failback.wanted()),
        Verb::Shift(shift) => shift::run(shift),
        Verb::Drill(drill) => drill::run(drill),
        Verb::Window(window) => window::run(window),
        Verb::Plans(plans) => plans::run(&plans),
        Verb::Reload(reload) => reload::run(reload),
        Verb::Events(events) => events::run(&events),
        Verb::Watch(watch) => watch::run(&watch),
        Verb::Webhook(webhook) => webhook::run(webhook),
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
        Err(Failure::Told(code)) => ExitCode::from(code),
        Err(Failure::Failed(error)) => {
            eprintln!("{}: {error:#}", style::error("error"));
            ExitCode::FAILURE
        }
    }
}
