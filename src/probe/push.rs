//! push checks: regions report themselves, and silence past a deadline is a failure.
//!
//! Whoever takes the reports hands them to [`Reports`]; a task for each (check, region) makes observations of
//! them. Of reports that come faster than they can be taken in only the last counts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use super::reason;
use crate::clock;
use crate::health::{Observation, Outcome, Phases, Report, Vantage};
use crate::model::{Probe, Target};

/// What a region says of itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Said {
    /// How it is.
    pub status: Standing,
    /// Why, in its own words.
    pub reason: Option<String>,
    /// The part of its usual share that it asks for, 0 to 1.
    pub weight: Option<f64>,
    /// How loaded it is; at 1 it is full.
    pub load: Option<f64>,
}

/// How a region says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standing {
    /// Well.
    #[default]
    Pass,
    /// It works, but not well.
    Warn,
    /// It does not work.
    Fail,
}

/// A report and when it came.
#[derive(Debug, Clone)]
struct Heard {
    at: Instant,
    said: Said,
}

/// Where reports arrive: one place for each (check, region) that is configured, and no others.
#[derive(Debug, Default)]
pub struct Reports(Mutex<Places>);

/// By check and region.
type Places = HashMap<Arc<str>, HashMap<Arc<str>, watch::Sender<Option<Heard>>>>;

impl Reports {
    fn places(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this check listens to this region.
    #[must_use]
    pub fn knows(&self, check: &str, region: &str) -> bool {
        self.places().get(check).is_some_and(|regions| regions.contains_key(region))
    }

    /// Takes a report; false: nobody listens to this region.
    pub fn hear(&self, check: &str, region: &str, said: Said) -> bool {
        let places = self.places();
        let Some(place) = places.get(check).and_then(|regions| regions.get(region)) else {
            return false;
        };
        place.send_replace(Some(Heard { at: clock::now(), said }));
        true
    }

    /// Has a place for each push check and region of these targets, and for nothing else. What was heard
    /// stays known.
    pub(super) fn keep(&self, targets: &[Arc<Target>]) {
        let mut wanted = Places::new();
        let mut places = self.places();
        for (check, region) in targets.iter().filter_map(|target| pair(target)) {
            let before = places.get_mut(check).and_then(|regions| regions.remove(region));
            let place = before.unwrap_or_else(|| watch::Sender::new(None));
            wanted.entry(check.into()).or_default().insert(region.into(), place);
        }
        *places = wanted;
    }

    /// What is heard of a target from now on, and the last that was; `None`: there is no place for it.
    fn listen(&self, target: &Target) -> Option<watch::Receiver<Option<Heard>>> {
        let (check, region) = pair(target)?;
        Some(self.places().get(check)?.get(region)?.subscribe())
    }
}

/// The check and region of a target that reports itself.
fn pair(target: &Target) -> Option<(&str, &str)> {
    match target.check.probe {
        Probe::Push(_) => Some((&*target.check.name, target.destination.region()?)),
        _ => None,
    }
}

/// Makes observations of what one region reports, until the task is aborted or nobody listens any more.
pub(super) async fn run(
    reports: Arc<Reports>,
    observations: mpsc::Sender<Observation>,
    target: Arc<Target>,
) {
    let Probe::Push(push) = &target.check.probe else { return };
    let Some(mut heard) = reports.listen(&target) else { return };
    let deadline = push.deadline;
    let mut since = clock::now();
    let mut silences = 0_u32;
    // What came before a reload may still hold.
    let mut news = heard.borrow_and_update().clone().filter(|one| since - one.at < deadline);
    loop {
        let (at, outcome, report) = match news.take() {
            Some(Heard { at, said }) => {
                (since, silences) = (at, 0);
                let (outcome, report) = seen(said);
                (at, outcome, report)
            }
            None => tokio::select! {
                biased;
                changed = heard.changed() => {
                    // Without a place nothing more can come: this task is about to be aborted.
                    if changed.is_err() {
                        return;
                    }
                    news = heard.borrow_and_update().clone();
                    continue;
                }
                () = tokio::time::sleep_until((since + deadline).into()) => {
                    since = clock::now();
                    silences = silences.saturating_add(1);
                    (since, silent(deadline.saturating_mul(silences)), Report::default())
                }
            },
        };
        let (phases, vantage) = (Phases::default(), Vantage::Here);
        let seen =
            Observation { target: target.id, at, outcome, report, phases, gap: deadline, vantage };
        if observations.send(seen).await.is_err() {
            return;
        }
    }
}

fn silent(so_long: Duration) -> Outcome {
    Outcome::Fail(format!("no report for {}", reason::told(so_long)).into())
}

fn seen(said: Said) -> (Outcome, Report) {
    let why = |word: &str| match &said.reason {
        Some(reason) => reason::clean(reason),
        None => word.into(),
    };
    let report = Report { weight: said.weight, load: said.load, ..Report::default() };
    match said.status {
        Standing::Pass => (Outcome::Pass, report),
        Standing::Warn => (Outcome::Pass, Report { degraded: Some(why("status warn")), ..report }),
        Standing::Fail => (Outcome::Fail(why("status fail")), report),
    }
}
