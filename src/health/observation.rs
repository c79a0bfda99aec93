//! One result of one probe.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::model::TargetId;

/// What one probe saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The (check, destination) probed.
    pub target: TargetId,
    /// When the probe started.
    pub at: Instant,
    /// Whether the target passed.
    pub outcome: Outcome,
    /// How long each phase took, as far as it came.
    pub phases: Phases,
    /// Which nameserver saw it.
    pub vantage: Vantage,
}

/// Whether a target passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It did.
    Pass,
    /// It did not, and why, as a person understands it: `HTTP 503, wanted 200-299`.
    Fail(Arc<str>),
}

/// The time that each phase of a probe took; `None` for a phase that it has not or did not reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Phases {
    /// From the start to an established TCP connection.
    pub connect: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// From the request to the first byte of the response.
    pub first_byte: Option<Duration>,
    /// From the start to the verdict.
    pub total: Duration,
}

/// The nameserver that made an observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Vantage {
    /// This one.
    #[default]
    Here,
}
