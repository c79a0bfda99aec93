//! A file's octets, shared by those who read its parts.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::DatabaseError;
use crate::problem::readable;

/// A file in memory; clones share it.
#[derive(Clone)]
pub(super) struct Octets(Arc<Vec<u8>>);

impl Octets {
    /// Reads a file that must be a plain one and have something in it.
    pub(super) fn read(path: &Path) -> Result<Self, DatabaseError> {
        let error = |what: String| DatabaseError { path: path.to_owned(), what };
        let unreadable = |e: io::Error| {
            let hint = readable(&e).map(|hint| format!("; {hint}"));
            error(format!("cannot be read: {e}{}", hint.unwrap_or_default()))
        };
        let metadata = fs::metadata(path).map_err(unreadable)?;
        if metadata.is_dir() {
            return Err(error("is a directory, not an MMDB file".into()));
        }
        // A device or a pipe may never end.
        if !metadata.is_file() {
            return Err(error("is not a plain file".into()));
        }
        let octets = fs::read(path).map_err(unreadable)?;
        match octets.as_slice() {
            [] => Err(error("is empty".into())),
            [0x1F, 0x8B, ..] => Err(error("is compressed with gzip; unpack it".into())),
            [b'P', b'K', 3, 4, ..] => Err(error("is a zip archive; unpack it".into())),
            _ => Ok(Self(Arc::new(octets))),
        }
    }
}

impl AsRef<[u8]> for Octets {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} octets", self.0.len())
    }
}
