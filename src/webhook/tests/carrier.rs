//! A carrier that notes what it is to carry and when, and answers as the test says.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::super::{Answer, Carrier, Hook, Hooks, Reply, Request};
use crate::clock;
use crate::metrics::Metrics;

/// What becomes of a request.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// It is answered with this status.
    Status(u16),
    /// It is refused for so many seconds.
    Wait(u64),
    /// There is no answer, ever.
    Hang,
}

type Deed = Arc<dyn Fn(&str, usize) -> Act + Send + Sync>;

/// A request of a hook, and how long after the start it was.
#[derive(Debug, Clone)]
pub(super) struct Carried {
    pub(super) hook: String,
    pub(super) at: Duration,
    pub(super) request: Request,
}

impl Carried {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.request.body).unwrap()
    }
}

#[derive(Clone)]
pub(super) struct Noting {
    act: Deed,
    start: Instant,
    carried: Arc<Mutex<Vec<Carried>>>,
}

impl Carrier for Noting {
    async fn carry(&self, hook: &Hook, request: Request) -> Answer {
        let number = {
            let mut carried = self.carried.lock().unwrap();
            let of = carried.iter().filter(|one| *one.hook == *hook.name).count();
            let at = clock::now() - self.start;
            carried.push(Carried { hook: hook.name.to_string(), at, request });
            of
        };
        let (status, retry_after) = match (self.act)(&hook.name, number) {
            Act::Status(status) => (status, None),
            Act::Wait(secs) => (429, Some(secs.to_string())),
            Act::Hang => std::future::pending().await,
        };
        Ok(Reply { status, retry_after, body: String::new() })
    }
}

/// Hooks whose requests become what the test says: by the name of the hook and the number of the request,
/// from 0.
pub(super) struct World {
    pub(super) hooks: Hooks<Noting>,
    pub(super) metrics: Arc<Metrics>,
    carrier: Noting,
}

impl World {
    pub(super) fn new(act: impl Fn(&str, usize) -> Act + Send + Sync + 'static) -> Self {
        let carrier = Noting { act: Arc::new(act), start: clock::now(), carried: Arc::default() };
        let metrics = Metrics::new();
        let stop = CancellationToken::new();
        let hooks = Hooks::new(carrier.clone(), Arc::clone(&metrics), stop);
        Self { hooks, metrics, carrier }
    }

    /// All that was carried, up to so long after now.
    pub(super) async fn carried_within(&self, time: Duration) -> Vec<Carried> {
        tokio::time::sleep(time).await;
        self.carrier.carried.lock().unwrap().clone()
    }

    /// A sample of a metric of the hook `ops`.
    pub(super) fn metric(&self, name: &str, labels: &str) -> f64 {
        let series = format!("trimtab_webhook_{name}{{webhook=\"ops\"{labels}}} ");
        let text = self.metrics.text();
        let line = text.lines().find_map(|line| line.strip_prefix(&series));
        line.unwrap_or_else(|| panic!("no {series}")).parse().unwrap()
    }

    /// How many events of the hook `ops` came to this.
    pub(super) fn count(&self, result: &str) -> f64 {
        self.metric("deliveries_total", &format!(",result=\"{result}\""))
    }
}
