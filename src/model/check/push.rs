//! How a push check listens.

use std::path::PathBuf;
use std::time::Duration;

use crate::model::Digest;

/// Regions report themselves, each within a time of its last report.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PushProbe {
    /// After so long without a report the region has failed, and once more after each further.
    pub deadline: Duration,
    /// A file with the tokens of which one must be shown.
    pub token_file: PathBuf,
}

impl PushProbe {
    pub(super) fn digest(&self, digest: Digest) -> Digest {
        // Neither time nor token are what is asked.
        let Self { deadline: _, token_file: _ } = self;
        digest
    }
}
