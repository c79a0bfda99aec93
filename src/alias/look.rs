//! Keeps one task a name, as the list of names says.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::ask::Asker;
use super::schedule::Pace;
use crate::model::Looked;
use crate::wire::Name;

/// So many names are looked up at once; the others wait for their turn.
const AT_ONCE: usize = 32;

/// The list of what is looked up; a new one replaces the old.
type Names = watch::Receiver<Arc<[Name]>>;

/// How names are looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The resolvers that are asked; none: those of the system.
    pub servers: Arc<[SocketAddr]>,
    /// How often.
    pub pace: Pace,
    /// How long one look may take.
    pub timeout: Duration,
}

/// Who looks names up. Dropping it does not stop it; its token does.
#[derive(Debug)]
pub struct Looker {
    supervisor: JoinHandle<()>,
    settings: watch::Sender<Settings>,
}

impl Looker {
    /// Looks `names` up, and whatever later lists of them say, until `shutdown`. What each look comes to
    /// goes to `looked`. A name that stays in the list is looked up again when its time comes.
    #[must_use]
    pub fn spawn(
        names: Names,
        looked: mpsc::Sender<Looked>,
        settings: Settings,
        shutdown: CancellationToken,
    ) -> Self {
        let settings = watch::Sender::new(settings);
        let supervising = supervise(names, settings.subscribe(), looked, shutdown);
        Self { supervisor: tokio::spawn(supervising), settings }
    }

    /// Looks names up so from now on: all of them at once, if anything is different.
    pub fn set(&self, settings: Settings) {
        self.settings.send_if_modified(|now| {
            let changed = *now != settings;
            *now = settings;
            changed
        });
    }

    /// Returns when nothing is looked up any more, after the token was cancelled.
    pub async fn stopped(self) {
        // An error is a defect that was reported when it happened.
        let _ = self.supervisor.await;
    }
}

async fn supervise(
    mut names: Names,
    mut settings: watch::Receiver<Settings>,
    looked: mpsc::Sender<Looked>,
    shutdown: CancellationToken,
) {
    let tasks = TaskTracker::new();
    let mut running: HashMap<Name, CancellationToken> = HashMap::new();
    let (mut of_all, mut asker) = (shutdown.child_token(), None);
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let wanted = Arc::clone(&names.borrow_and_update());
        if settings.has_changed().unwrap_or(false) || asker.is_none() {
            let settings = settings.borrow_and_update().clone();
            of_all.cancel();
            of_all = shutdown.child_token();
            running.clear();
            asker = Some(Arc::new((Asker::new(settings.clone()), settings.pace)));
        }
        let listed: HashSet<&Name> = wanted.iter().collect();
        running.retain(|name, token| {
            let stays = listed.contains(name);
            if !stays {
                token.cancel();
            }
            stays
        });
        for name in &*wanted {
            let Some(asker) = asker.clone().filter(|_| !running.contains_key(name)) else {
                continue;
            };
            let token = of_all.child_token();
            running.insert(name.clone(), token.clone());
            let keeping = keep(name.clone(), asker, Arc::clone(&turns), looked.clone());
            tasks.spawn(async move { token.run_until_cancelled(keeping).await });
        }
        tokio::select! {
            () = shutdown.cancelled() => break,
            changed = names.changed() => if changed.is_err() { break },
            changed = settings.changed() => {
                if changed.is_err() {
                    break;
                }
                settings.mark_changed();
            }
        }
    }
    of_all.cancel();
    tasks.close();
    tasks.wait().await;
}

/// Looks one name up for as long as somebody wants to hear of it.
async fn keep(
    name: Name,
    asker: Arc<(Asker, Pace)>,
    turns: Arc<Semaphore>,
    looked: mpsc::Sender<Looked>,
) {
    let (asker, pace) = &*asker;
    let mut failures: u32 = 0;
    loop {
        let found = {
            // It is never closed.
            let _turn = turns.acquire().await;
            asker.look(&name).await
        };
        failures = if found.trouble.is_some() { failures.saturating_add(1) } else { 0 };
        let pause = pace.pause(&found, failures);
        if looked.send(found).await.is_err() {
            return;
        }
        tokio::time::sleep(pause).await;
    }
}
