//! All hooks: each with its tray and its task.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::hook::Hook;
use super::http::Carrier;
use super::message::Message;
use super::task::{Task, Tray};
use crate::metrics::Metrics;

/// Tells all hooks; their tasks end with it, or when the server stops.
#[derive(Debug)]
pub struct Hooks<C> {
    carrier: C,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
    tasks: TaskTracker,
    hooks: BTreeMap<Arc<str>, One>,
}

#[derive(Debug)]
struct One {
    tray: Arc<Tray>,
    hook: watch::Sender<Arc<Hook>>,
    stop: CancellationToken,
}

impl<C: Carrier> Hooks<C> {
    /// None.
    #[must_use]
    pub fn new(carrier: C, metrics: Arc<Metrics>, stop: CancellationToken) -> Self {
        Self { carrier, metrics, stop, tasks: TaskTracker::new(), hooks: BTreeMap::new() }
    }

    /// Brings hooks into force; one whose name was there before keeps what waits for it. `open` is what
    /// is bad now. Must be called within a runtime.
    pub fn plan(&mut self, hooks: &[Arc<Hook>], open: &[Arc<Message>]) {
        self.hooks.retain(|name, one| {
            let stays = hooks.iter().any(|hook| hook.name == *name);
            if !stays {
                one.stop.cancel();
                let waiting = one.tray.len();
                tracing::info!("the webhook {name} is gone, with {waiting} events that waited");
            }
            stays
        });
        let names: Vec<&str> = hooks.iter().map(|hook| &*hook.name).collect();
        self.metrics.webhooks(&names);
        for hook in hooks {
            let one = match self.hooks.get(&hook.name) {
                Some(one) => one,
                None => {
                    let one = self.start(hook);
                    self.hooks.entry(Arc::clone(&hook.name)).or_insert(one)
                }
            };
            one.hook.send_replace(Arc::clone(hook));
            one.tray.change(hook, open);
        }
    }

    fn start(&self, hook: &Arc<Hook>) -> One {
        let tray = Arc::new(Tray::new(hook, Arc::clone(&self.metrics)));
        let (sender, receiver) = watch::channel(Arc::clone(hook));
        let stop = self.stop.child_token();
        let task = Task {
            tray: Arc::clone(&tray),
            hook: receiver,
            carrier: self.carrier.clone(),
            metrics: Arc::clone(&self.metrics),
            failing: false,
        };
        let end = stop.clone();
        self.tasks.spawn(async move { end.run_until_cancelled(task.run()).await });
        One { tray, hook: sender, stop }
    }

    /// Tells those who want to hear of it. Never waits.
    pub fn tell(&self, message: &Arc<Message>) {
        for one in self.hooks.values() {
            let hook = Arc::clone(&one.hook.borrow());
            if hook.wants(message) {
                one.tray.add(&hook, message);
            }
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hooks.is_empty()
    }

    /// Waits until all tasks have ended; call it after stopping.
    pub async fn stopped(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}
