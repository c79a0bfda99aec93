//! Webhooks, wired: from the configuration to hooks, and from control's events to what they are told.
//!
//! Control pushes nothing and waits for nobody: a task follows its events by their numbers, as the API's
//! long poll does, on a thread that is there once there is a hook.

mod feed;
mod open;
mod settings;
mod sight;
#[cfg(test)]
mod tests;
mod told;

pub use settings::{Instance, hooks};
pub use told::trial;

use std::io;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::threads::Threads;
use crate::control::Helm;
use crate::metrics::Metrics;
use crate::routing::Handle;
use crate::webhook::{Hook, Hooks, Http};
use feed::{Feed, Sources};

/// Tells hooks of what happens.
#[derive(Debug)]
pub(super) struct Webhooks {
    sources: Sources,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
    plan: watch::Sender<Vec<Arc<Hook>>>,
    running: Option<(Threads, JoinHandle<()>)>,
    /// The server has not told anybody of its start yet.
    first: bool,
}

impl Webhooks {
    /// Tells nobody yet.
    pub(super) fn new(
        helm: Helm,
        handle: Handle,
        metrics: Arc<Metrics>,
        stop: CancellationToken,
    ) -> Self {
        let (plan, _) = watch::channel(Vec::new());
        let sources = Sources { helm, handle };
        Self { sources, metrics, stop, plan, running: None, first: true }
    }

    /// Tells these from here on. The first call tells of all that has happened since the start.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(super) fn set(&mut self, hooks: Vec<Arc<Hook>>) -> io::Result<()> {
        let since_start = std::mem::take(&mut self.first);
        let any = !hooks.is_empty();
        self.plan.send_replace(hooks);
        if self.running.is_some() || !any {
            return Ok(());
        }
        let threads = Threads::webhooks()?;
        let hooks = Hooks::new(Http, Arc::clone(&self.metrics), self.stop.child_token());
        let feed = Feed::new(self.sources.clone(), hooks, self.plan.subscribe());
        let task = {
            let _theirs = threads.enter();
            tokio::spawn(feed.run(since_start, self.stop.clone()))
        };
        self.running = Some((threads, task));
        Ok(())
    }

    /// Waits until nobody is told anything any more; call it after stopping.
    pub(super) async fn stopped(&mut self) {
        if let Some((_threads, task)) = self.running.take() {
            // A task that panicked has ended as well.
            let _ = task.await;
        }
    }
}
