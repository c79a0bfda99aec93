//! `trimtab schema`

use std::io::{Write, stdout};

use super::Failure;
use crate::config;

pub(super) fn run() -> Result<(), Failure> {
    let schema = serde_json::to_string_pretty(&config::schema())?;
    writeln!(stdout(), "{schema}")?;
    Ok(())
}
