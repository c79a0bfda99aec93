//! One target's life: wait for its turn, probe, tell, again.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tokio::sync::{Semaphore, mpsc};

use super::budget::Budget;
use super::limits::permit;
use super::schedule::Schedule;
use crate::clock;
use crate::health::{Observation, Outcome, Phases, Report, Vantage};
use crate::model::{Probe, Target};

/// What a probe came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The target was asked, or what knows of it.
    Seen(Outcome, Report, Phases),
    /// This host could not ask (it is out of files or memory): nothing is known of the target.
    Abstained(Arc<str>),
}

/// What all tasks share.
#[derive(Debug)]
pub(super) struct Shared<F> {
    /// Makes one probe.
    pub(super) probe: F,
    pub(super) observations: mpsc::Sender<Observation>,
    pub(super) permits: Arc<Semaphore>,
    /// Probes beyond the ordinary ones.
    pub(super) budget: Arc<Budget>,
    /// The permits of exec checks.
    pub(super) programs: Arc<Semaphore>,
    /// How often a probe could not be made.
    pub(super) abstained: Arc<AtomicU64>,
}

/// Probes one target until the task is aborted or nobody listens any more.
///
/// The queue of observations is bounded; while it is full the target waits with its next probe
/// and holds no permit, so a stalled listener costs freshness and never memory.
pub(super) async fn run<F, P>(
    shared: Arc<Shared<F>>,
    target: Arc<Target>,
    mut schedule: Schedule,
    first: Instant,
) where
    F: Fn(Arc<Target>) -> P,
    P: Future<Output = Verdict>,
{
    let mut next = first;
    loop {
        tokio::time::sleep_until(next.into()).await;
        let permits = match target.check.probe {
            Probe::Exec(_) => &shared.programs,
            _ => &shared.permits,
        };
        let Some(permit) = permit(permits).await else { return };
        let started = clock::now();
        // In a box: while it waits for its turn, a target holds no room for what a probe needs.
        let verdict = Box::pin((shared.probe)(Arc::clone(&target))).await;
        let ended = clock::now();
        drop(permit);
        let (outcome, report, phases) = match verdict {
            Verdict::Seen(outcome, report, phases) => (outcome, report, phases),
            Verdict::Abstained(why) => {
                abstain(&shared.abstained, &target, &why);
                let phases = Phases { total: ended - started, ..Phases::default() };
                (Outcome::Missing(why), Report::default(), phases)
            }
        };
        let passed = outcome.passed();
        next = schedule.next(started, ended, passed, || shared.budget.grant(ended));
        let (target, at, gap) = (target.id, started, schedule.gap());
        let vantage = Vantage::Here;
        let seen = Observation { target, at, outcome, report, phases, gap, vantage };
        if shared.observations.send(seen).await.is_err() {
            return;
        }
    }
}

/// Counts a probe that could not be made, and logs the first and then each thousandth.
fn abstain(count: &AtomicU64, target: &Target, why: &str) {
    let before = count.fetch_add(1, Ordering::Relaxed);
    if before.is_multiple_of(1000) {
        let (check, destination) = (&target.check.name, &target.destination);
        tracing::warn!(
            "this host cannot probe (check {check} of {destination}, and {before} before it): {why}"
        );
    }
}
