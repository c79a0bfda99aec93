//! Why a database cannot be used.

use std::path::{Path, PathBuf};

use maxminddb::MaxMindDbError;

/// Why a database cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {what}")]
pub struct DatabaseError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it, as the end of a sentence that the file begins.
    pub what: String,
}

impl DatabaseError {
    pub(super) fn new(path: &Path, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), what: what.into() }
    }

    /// Of a file whose header or record the reader of the format refused.
    pub(super) fn refused(path: &Path, error: &MaxMindDbError) -> Self {
        Self::new(path, format!("is broken, or cut off: {error}"))
    }
}
