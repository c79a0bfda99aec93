//! One probe under way: its clock, its deadline, and how it fails.

use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::reason;
use crate::clock;
use crate::health::{Phases, Report};

/// The clock of one probe.
#[derive(Debug)]
pub(super) struct Attempt {
    /// When it started.
    pub(super) start: Instant,
    /// The time that all phases have together.
    timeout: Duration,
    /// What each phase took so far.
    pub(super) phases: Phases,
    /// What the target said of itself so far.
    pub(super) report: Report,
    /// What it said that is not understood, and from which nothing was taken.
    pub(super) unclear: Option<Arc<str>>,
}

/// Why a probe gave no pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The target failed, for this reason.
    Target(Arc<str>),
    /// This host could not ask: nothing is known of the target.
    Local(Arc<str>),
    /// What knows of the target could not be asked: nothing is known of the target.
    Source(Arc<str>),
}

impl Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::Target(why) | Self::Local(why) | Self::Source(why)) = self;
        f.write_str(why)
    }
}

impl Failure {
    /// A failure of the target in a phase: `connect: connection refused`.
    pub(super) fn in_phase(phase: &str, why: impl Display) -> Self {
        Self::Target(reason::clean(&format!("{phase}: {why}")))
    }

    /// A failure of the target that needs no phase: `HTTP 503, wanted 200-299`.
    pub(super) fn target(why: &str) -> Self {
        Self::Target(reason::clean(why))
    }

    /// What knows of the target did not answer: `Prometheus: connect: connection refused`.
    pub(super) fn source(why: impl Display) -> Self {
        Self::Source(reason::clean(&why.to_string()))
    }

    /// Something that this host lacks.
    pub(super) fn local(why: impl Display) -> Self {
        Self::Local(reason::clean(&why.to_string()))
    }
}

impl Attempt {
    /// Starts the clock.
    pub(super) fn start(timeout: Duration) -> Self {
        let (phases, report) = (Phases::default(), Report::default());
        Self { start: clock::now(), timeout, phases, report, unclear: None }
    }

    /// The time since the start.
    pub(super) fn elapsed(&self) -> Duration {
        clock::now().saturating_duration_since(self.start)
    }

    /// The time that is left.
    pub(super) fn left(&self) -> Duration {
        self.timeout.saturating_sub(self.elapsed())
    }

    /// The output of `phase` if it is there before the probe's deadline.
    ///
    /// # Errors
    ///
    /// `name: timed out after 2 s`; `name` is asked when it has happened.
    pub(super) async fn within<T>(
        &self,
        name: impl Fn() -> &'static str,
        phase: impl Future<Output = T>,
    ) -> Result<T, Failure> {
        let deadline = tokio::time::Instant::from_std(self.start + self.timeout);
        tokio::time::timeout_at(deadline, phase).await.map_err(|_elapsed| {
            Failure::in_phase(
                name(),
                format_args!("timed out after {}", reason::told(self.timeout)),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn all_phases_share_one_deadline() {
        let attempt = Attempt::start(Duration::from_secs(2));
        let sleep = |ms| tokio::time::sleep(Duration::from_millis(ms));
        assert_eq!(attempt.within(|| "connect", sleep(1500)).await, Ok(()));
        let late = attempt.within(|| "first byte", sleep(600)).await;
        assert_eq!(late, Err(Failure::Target("first byte: timed out after 2 s".into())));
        assert_eq!(attempt.elapsed(), Duration::from_secs(2));
    }
}
