//! `trimtab simulate --replay`: whom another configuration would move.

use std::path::{Path, PathBuf};

use crate::cli::Failure;

pub(super) fn run(
    _log: &Path,
    _config: Option<PathBuf>,
    _against: &Path,
    _json: bool,
) -> Result<(), Failure> {
    Err(Failure::Usage("not built yet".into()))
}
