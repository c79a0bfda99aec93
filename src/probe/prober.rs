//! Keeps one task a target, as the list of targets says.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, Id, JoinError, JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::budget::Budget;
use super::limits::{Limits, Permits, concurrency};
use super::push::{self, Reports};
use super::schedule::Schedule;
use super::task::{self, Shared, Verdict};
use super::tls::Roots;
use super::tools::Tools;
use crate::clock;
use crate::health::Observation;
use crate::model::{Probe, Target, TargetId};

/// So many new targets of a list are probed at once; the others follow steadily. Thousands of
/// connections in one moment would fail for want of what they share: this machine's cores, a proxy before
/// the targets, a firewall's table.
const AT_ONCE: u32 = 64;
/// The time from one first probe to the next, for those that follow.
const FIRST_PACE: Duration = Duration::from_millis(1);

/// The list of what is probed; a new one replaces the old.
type Targets = watch::Receiver<Arc<[Arc<Target>]>>;

/// How the prober works.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// What a reload may change later, by [`Prober::set_limits`].
    pub limits: Limits,
    /// Gives each nameserver phases of its own; the same seed, the same phases.
    pub seed: u64,
    /// Which authorities https checks trust.
    pub roots: Roots,
    /// Where regions report themselves.
    pub reports: Arc<Reports>,
}

/// The running prober. Dropping it does not stop it; its token does.
#[derive(Debug)]
pub struct Prober {
    supervisor: JoinHandle<()>,
    limits: watch::Sender<Limits>,
    abstained: Arc<AtomicU64>,
}

impl Prober {
    /// Starts probing `targets`, and whatever later lists of them say, until `shutdown`.
    ///
    /// A target that stays in the list as it is goes on undisturbed; one whose check or
    /// destination changed under the same id starts anew, like one that was not there before.
    #[must_use]
    pub fn spawn(
        targets: Targets,
        observations: mpsc::Sender<Observation>,
        settings: Settings,
        shutdown: CancellationToken,
    ) -> Self {
        let limits = watch::Sender::new(settings.limits.clone());
        let tools = Arc::new(Tools::new(limits.subscribe(), settings.roots));
        let probe = move |target: Arc<Target>| {
            let tools = Arc::clone(&tools);
            async move { tools.probe(&target).await }
        };
        let more = (settings.seed, settings.reports);
        Self::start(probe, targets, observations, limits, more, shutdown)
    }

    /// [`Prober::spawn`] with another way to probe: tests of schedules, simulations.
    #[must_use]
    pub fn spawn_with<F, P>(
        probe: F,
        targets: Targets,
        observations: mpsc::Sender<Observation>,
        settings: Settings,
        shutdown: CancellationToken,
    ) -> Self
    where
        F: Fn(Arc<Target>) -> P + Send + Sync + 'static,
        P: Future<Output = Verdict> + Send + 'static,
    {
        let limits = watch::Sender::new(settings.limits);
        let more = (settings.seed, settings.reports);
        Self::start(probe, targets, observations, limits, more, shutdown)
    }

    /// Changes the limits; probes in flight are not touched.
    pub fn set_limits(&self, limits: Limits) {
        self.limits.send_if_modified(|now| {
            let changed = *now != limits;
            *now = limits;
            changed
        });
    }

    /// How many probes this host could not make, for want of files or memory.
    #[must_use]
    pub fn abstained(&self) -> u64 {
        self.abstained.load(Ordering::Relaxed)
    }

    /// Returns when the prober has stopped after its token was cancelled: no task is left.
    pub async fn stopped(self) {
        // An error is a defect that was reported when it happened.
        let _ = self.supervisor.await;
    }

    fn start<F, P>(
        probe: F,
        targets: Targets,
        observations: mpsc::Sender<Observation>,
        limits: watch::Sender<Limits>,
        (seed, reports): (u64, Arc<Reports>),
        shutdown: CancellationToken,
    ) -> Self
    where
        F: Fn(Arc<Target>) -> P + Send + Sync + 'static,
        P: Future<Output = Verdict> + Send + 'static,
    {
        let abstained = Arc::new(AtomicU64::new(0));
        let (permits, programs) = (Permits::new(), Permits::new());
        let budget = Arc::new(Budget::new(limits.borrow().fast_budget));
        let shared = Arc::new(Shared {
            probe,
            observations,
            permits: permits.handle(),
            budget: Arc::clone(&budget),
            programs: programs.handle(),
            abstained: Arc::clone(&abstained),
        });
        let tasks = Tasks {
            shared,
            permits,
            budget,
            programs,
            reports,
            epoch: clock::now(),
            seed,
            running: HashMap::new(),
            set: JoinSet::new(),
        };
        let supervisor = tokio::spawn(supervise(tasks, targets, limits.subscribe(), shutdown));
        Self { supervisor, limits, abstained }
    }
}

async fn supervise<F, P>(
    mut tasks: Tasks<F>,
    mut targets: Targets,
    mut limits: watch::Receiver<Limits>,
    shutdown: CancellationToken,
) where
    F: Fn(Arc<Target>) -> P + Send + Sync + 'static,
    P: Future<Output = Verdict> + Send + 'static,
{
    // When nobody can change the list any more, what is in it goes on.
    let (mut lists, mut settings) = (true, true);
    tasks.adopt(&targets.borrow_and_update().clone(), &limits.borrow_and_update().clone());
    loop {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            changed = targets.changed(), if lists => lists = changed.is_ok(),
            changed = limits.changed(), if settings => settings = changed.is_ok(),
            Some(ended) = tasks.set.join_next() => {
                tasks.ended(ended);
                continue;
            }
        }
        tasks.adopt(&targets.borrow_and_update().clone(), &limits.borrow_and_update().clone());
    }
    tasks.set.shutdown().await;
}

/// The tasks of all targets.
struct Tasks<F> {
    shared: Arc<Shared<F>>,
    permits: Permits,
    budget: Arc<Budget>,
    /// Those of exec checks, which may wait for each other but hold up no others.
    programs: Permits,
    reports: Arc<Reports>,
    epoch: Instant,
    seed: u64,
    running: HashMap<TargetId, Running>,
    set: JoinSet<()>,
}

struct Running {
    target: Arc<Target>,
    task: AbortHandle,
}

impl<F, P> Tasks<F>
where
    F: Fn(Arc<Target>) -> P + Send + Sync + 'static,
    P: Future<Output = Verdict> + Send + 'static,
{
    /// Makes the tasks those of this list.
    fn adopt(&mut self, list: &[Arc<Target>], limits: &Limits) {
        let computed = || concurrency(list.iter().map(|t| &**t), limits.fast_budget);
        self.permits.resize(limits.concurrency.unwrap_or_else(computed));
        self.budget.resize(limits.fast_budget);
        self.programs.resize(limits.exec_at_once);
        self.reports.keep(list);
        let listed: HashMap<TargetId, &Arc<Target>> = list.iter().map(|t| (t.id, t)).collect();
        self.running.retain(|id, running| {
            let stays = listed.get(id).is_some_and(|target| same(target, &running.target));
            if !stays {
                running.task.abort();
            }
            stays
        });
        let new = |target: &&Arc<Target>| !self.running.contains_key(&target.id);
        let mut new: Vec<Arc<Target>> = list.iter().filter(new).cloned().collect();
        // At a start nothing is answered before they are settled, and later they are not served.
        new.sort_by_key(|target| target.settled);
        let (now, pace) = (clock::now(), first_pace(&new));
        for (target, nth) in new.into_iter().zip(1_u32..) {
            let first = now + pace * nth.saturating_sub(AT_ONCE);
            self.begin(target, |_| first);
        }
    }

    fn begin(&mut self, target: Arc<Target>, first: impl Fn(&Schedule) -> Instant) {
        let schedule = Schedule::new(&target, self.epoch, self.seed);
        let first = first(&schedule);
        let (shared, of) = (Arc::clone(&self.shared), Arc::clone(&target));
        let task = match &target.check.probe {
            Probe::Push(_) => {
                let (reports, observations) =
                    (Arc::clone(&self.reports), shared.observations.clone());
                self.set.spawn(push::run(reports, observations, of))
            }
            _ => self.set.spawn(task::run(shared, of, schedule, first)),
        };
        self.running.insert(target.id, Running { target, task });
    }

    /// A task ended: removed, or nobody listens, or by a defect, which must not cost the target.
    fn ended(&mut self, ended: Result<(), JoinError>) {
        let Err(defect) = ended else { return };
        if !defect.is_panic() {
            return;
        }
        let Some(target) = self.of_task(defect.id()) else { return };
        let (check, destination) = (&target.check.name, &target.destination);
        tracing::error!(
            "a defect ended the probe of check {check} at {destination}; it goes on: {defect}"
        );
        let now = clock::now();
        self.begin(target, |schedule| schedule.slot_after(now));
    }

    fn of_task(&self, id: Id) -> Option<Arc<Target>> {
        let running = self.running.values().find(|running| running.task.id() == id)?;
        Some(Arc::clone(&running.target))
    }
}

/// The time from one first probe to the next behind those at once: as [`FIRST_PACE`], but in all no more
/// than half of the shortest interval.
fn first_pace(new: &[Arc<Target>]) -> Duration {
    let shortest = new.iter().map(|target| target.check.timing.interval).min();
    let count = u32::try_from(new.len()).unwrap_or(u32::MAX);
    shortest.map_or(FIRST_PACE, |shortest| FIRST_PACE.min(shortest / 2 / count))
}

/// Whether a task for `old` also serves `new`: it does not care whether it began settled.
fn same(new: &Target, old: &Target) -> bool {
    (Arc::ptr_eq(&new.check, &old.check) || new.check == old.check)
        && new.destination == old.destination
}
