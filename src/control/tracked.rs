//! A target with all that is known of it.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::health::{Health, LastResult, Observation, State as Judged};
use crate::model::{Asks, Check, Destination, PoolId, Target, TargetId};

/// So many results of each target are kept.
pub(super) const HISTORY: usize = 20;

/// A target with its health and the pools that depend on it.
#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) target: Arc<Target>,
    pub(super) health: Health,
    pub(super) since_start: Instant,
    /// The smoothed time to connect.
    pub(super) rtt: Option<Duration>,
    /// The pools, and the addresses of each that this target stands for.
    pub(super) pools: Vec<(PoolId, Vec<IpAddr>)>,
    /// Whether it fails only when this nameserver is cut off.
    pub(super) reference: bool,
    /// The plan that its query may give up; it is about no pool then.
    pub(super) watch: Option<u64>,
    /// Whether its latest probe failed, whatever was made of that.
    pub(super) failing: bool,
    /// Its last results, the oldest first.
    pub(super) history: VecDeque<LastResult>,
    /// When the certificate that it showed last expires.
    pub(super) expires: Option<SystemTime>,
    /// Whether it was told that it expires soon.
    pub(super) warned: bool,
}

impl Tracked {
    /// A target of no pool yet: as it was before, or with a health that `fresh` gives.
    pub(super) fn new(
        check: &Arc<Check>,
        destination: Destination,
        before: Option<Self>,
        next_id: &mut u32,
        now: Instant,
        fresh: &dyn Fn(&Check, &Destination) -> Health,
    ) -> Self {
        let mut tracked = before.unwrap_or_else(|| {
            let health = fresh(check, &destination);
            let (id, destination) = (TargetId(*next_id), destination.clone());
            let target = Target { id, check: Arc::clone(check), destination, settled: false };
            *next_id += 1;
            Self {
                target: Arc::new(target),
                health,
                since_start: now,
                rtt: None,
                pools: Vec::new(),
                reference: false,
                watch: None,
                failing: false,
                history: VecDeque::new(),
                expires: None,
                warned: false,
            }
        });
        let (id, settled) = (tracked.target.id, tracked.health.settled());
        tracked.target = Arc::new(Target { id, check: Arc::clone(check), destination, settled });
        tracked.pools.clear();
        tracked.reference = false;
        tracked.watch = None;
        tracked.rtt = tracked.rtt.filter(|_| is_timed(check));
        tracked
    }

    /// The query of a plan, which is about no pool.
    pub(super) fn query(
        (plan, check, destination): (u64, Arc<Check>, Destination),
        before: Option<Self>,
        next_id: &mut u32,
        now: Instant,
    ) -> Self {
        let unknown = |_: &Check, _: &Destination| Health::unknown(now);
        let tracked = Self::new(&check, destination, before, next_id, now, &unknown);
        Self { watch: Some(plan), ..tracked }
    }

    /// Whether it has not settled, and something may wait for that.
    pub(super) fn is_awaited(&self) -> bool {
        self.watch.is_none() && !self.health.settled()
    }

    /// Whether it serves as up: what is not known yet does.
    pub(super) fn is_up(&self) -> bool {
        self.health.state != Judged::Down
    }

    /// Whether it cannot be asked, and so decides nothing.
    pub(super) fn abstains(&self) -> bool {
        self.health.abstains(&self.target.check.timing)
    }

    /// The pools that depend on it.
    pub(super) fn pool_ids(&self) -> impl Iterator<Item = PoolId> {
        self.pools.iter().map(|(pool, _)| *pool)
    }

    /// Whether it tells, by failing along with all others, that this nameserver is cut off.
    pub(super) fn is_route(&self) -> bool {
        let check = &self.target.check;
        let over_the_network = check.probe.asks() == Asks::Address;
        !self.reference && !self.pools.is_empty() && check.decides() && over_the_network
    }

    /// Keeps a result, and what it says beside passing. Returns whether it shows a certificate that
    /// expires at another time.
    pub(super) fn keep(&mut self, seen: &Observation) -> bool {
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        let outcome = seen.outcome.clone();
        self.history.push_back(LastResult { at: seen.at, outcome, phases: seen.phases });
        self.failing = seen.outcome.passed().map_or(self.failing, |passed| !passed);
        let was = self.expires;
        self.expires = seen.report.expires.or(was);
        self.expires != was
    }
}

/// Whether connecting to what a check asks is connecting to what is served.
pub(super) fn is_timed(check: &Check) -> bool {
    check.target.is_none() && check.probe.asks() == Asks::Address
}
