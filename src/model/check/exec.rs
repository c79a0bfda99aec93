//! The program that an exec check runs.

use super::placeholders::{ADDRESS, filled};
use crate::model::{Destination, Digest};

/// A program with its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ExecProbe {
    command: Vec<String>,
    about_address: bool,
}

impl ExecProbe {
    /// Of the program, an absolute path or a bare name, and its arguments; of nothing: nothing to run.
    #[must_use]
    pub fn new(command: Vec<String>) -> Self {
        let about_address = command.iter().any(|part| part.contains(ADDRESS));
        Self { command, about_address }
    }

    /// Whether it is about addresses, and not about regions as a whole.
    #[must_use]
    pub const fn about_address(&self) -> bool {
        self.about_address
    }

    /// The program: an absolute path, or a name without a slash.
    #[must_use]
    pub fn program(&self) -> &str {
        self.command.first().map_or("", String::as_str)
    }

    /// The arguments for one destination.
    #[must_use]
    pub fn arguments(&self, destination: &Destination) -> Vec<String> {
        let region = destination.region().unwrap_or_default();
        let address = destination.address().map(|at| at.to_string()).unwrap_or_default();
        self.command.iter().skip(1).map(|part| filled(part, region, &address)).collect()
    }

    pub(super) fn digest(&self, digest: Digest) -> Digest {
        let digest = digest.number(self.command.len() as u64);
        self.command.iter().fold(digest, |digest, part| digest.text(part))
    }
}
