//! One result of one probe.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::model::TargetId;

/// What one probe saw.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The (check, destination) probed.
    pub target: TargetId,
    /// When the probe started.
    pub at: Instant,
    /// Whether the target passed.
    pub outcome: Outcome,
    /// What it said of itself beside that.
    pub report: Report,
    /// How long each phase took, as far as it came.
    pub phases: Phases,
    /// After how long it is probed again, as it is now: the interval in force.
    pub gap: Duration,
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
    /// It could not be asked, which says nothing of it, and why: `Prometheus: connect: connection
    /// refused`.
    Missing(Arc<str>),
}

impl Outcome {
    /// Whether it passed; `None`: nothing is known of it.
    #[must_use]
    pub const fn passed(&self) -> Option<bool> {
        match self {
            Self::Pass => Some(true),
            Self::Fail(_) => Some(false),
            Self::Missing(_) => None,
        }
    }

    /// Why it did not pass.
    #[must_use]
    pub const fn reason(&self) -> Option<&Arc<str>> {
        match self {
            Self::Pass => None,
            Self::Fail(reason) | Self::Missing(reason) => Some(reason),
        }
    }
}

/// What a target says of itself, beside whether it passes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// It works, but not well, and how that was said: `status degraded`.
    pub degraded: Option<Arc<str>>,
    /// The part of its usual share that it asks for, 0 to 1.
    pub weight: Option<f64>,
    /// How loaded it is; at 1 it is full.
    pub load: Option<f64>,
    /// It is under maintenance: not to be used, although nothing has failed.
    pub maintenance: bool,
    /// When the certificate that it showed expires.
    pub expires: Option<SystemTime>,
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
