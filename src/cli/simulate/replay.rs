//! `trimtab simulate --replay`: whom another configuration would move.
//!
//! Both configurations are loaded as `check` loads them; all is taken to be up, and neither the state nor a
//! socket is opened.

mod numbers;
#[cfg(test)]
mod tests;
mod text;

use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

use crate::app::explain::assume;
use crate::app::replay::{Log, replay};
use crate::cli::style::Paint;
use crate::cli::{Failure, args, check};

pub(super) fn run(
    logs: &[PathBuf],
    config: Option<PathBuf>,
    against: &Path,
    json: bool,
) -> Result<(), Failure> {
    let logs = logs.iter().map(|path| Log::open(path)).collect::<Result<Vec<_>, _>>()?;
    let before = check::load(&args::config_path(config), &mut |_, _| 0)?;
    let after = check::load(against, &mut |_, _| 0)?;
    let snapshots = [assume(&before.assembly, &[])?, assume(&after.assembly, &[])?];
    let [first, second] = &snapshots;
    let report = replay(logs, [first, second], &after.clients)?;
    let out = match json {
        true => serde_json::to_string_pretty(&report)? + "\n",
        false => text::render(&report, Paint::stdout()),
    };
    stdout().write_all(out.as_bytes())?;
    Ok(())
}
