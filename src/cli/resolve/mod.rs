//! `trimtab resolve`: what a client is answered, and why, by the engine and the tables that serve.
//!
//! Offline: the configuration is loaded as `serve` loads it, health is assumed, and neither the
//! state nor a socket is opened. With `--live` running servers tell it, and here it is only shown.

mod live;
mod path;
#[cfg(test)]
mod tests;
mod text;

use std::io::{Write, stdout};
use std::path::PathBuf;

use anyhow::anyhow;

use super::{Failure, args, check};
use crate::app::explain::{NoExplanation, Question, Told, assume, tell};

pub(super) use live::live;

pub(super) fn run(
    question: &Question,
    config: Option<PathBuf>,
    down: &[String],
    json: bool,
) -> Result<(), Failure> {
    let path = args::config_path(config);
    let loaded = check::load(&path, &mut |_, _| 0)?;
    let snapshot = match assume(&loaded.assembly, down) {
        Err(unknown @ NoExplanation::UnknownRegion { .. }) => {
            return Err(Failure::Usage(format!("--down: {unknown}")));
        }
        snapshot => snapshot?,
    };
    show(&tell(&snapshot, &loaded.clients, question, down)?, json)
}

/// Prints what was told; fails when the question is not answered at all.
fn show(told: &Told, json: bool) -> Result<(), Failure> {
    let out = match &told.refused {
        _ if json => serde_json::to_string_pretty(told)? + "\n",
        Some(_) => String::new(),
        None => text::render(told, false),
    };
    stdout().write_all(out.as_bytes())?;
    match &told.refused {
        None => Ok(()),
        Some(refused) => Err(Failure::Failed(anyhow!("{refused}"))),
    }
}
