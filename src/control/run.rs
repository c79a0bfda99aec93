//! The loop of the single writer: events in; snapshots, sentences, metrics and stored health out.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::apply::{Effects, Event, apply};
use super::counters::Counters;
use super::events::Events;
use super::helm::{Origin, Request};
use super::measured::Measured;
use super::noting::Noted;
use super::past::Past;
use super::plans::{Measure, Told};
use super::replies::Replies;
use super::requests::Storing;
use super::state::State;
use super::store::Store;
use super::tell;
use super::timeline::millis;
use super::turns::Itself;
use super::views::EventView;
use crate::clock;
use crate::health::{Held, Observation, PoolHealth};
use crate::metrics::{Live, Metrics};
use crate::model::{BindingId, Family, Looked, PoolId, RegionId, Target, TargetId};
use crate::routing::{Assembly, Handle, Publisher, Snapshot, compile};
use crate::wire::Name;

/// The least time from one publish to the next; the first change after a pause is published at
/// once.
const COALESCE: Duration = Duration::from_millis(100);
/// The least time between two looks at what probes have seen: what comes meanwhile is taken in at once,
/// so that thousands of checks do not wake this task thousands of times a second. What comes after a
/// pause is taken in as it comes.
const LOT: Duration = Duration::from_millis(10);
/// The most that is taken in at once.
const LOT_MAX: usize = 1024;
/// How often the loop tidies up.
const TICK: Duration = Duration::from_secs(1);
/// How often what is remembered is stored again although it has not changed, so that the store does
/// not take it for forgotten.
const RENEW: Duration = Duration::from_secs(3600);

/// What is told when the store's thread is not there to tell.
const LOST: &str = "the thread that writes the state has ended by a fault of this program";

/// What control is connected to.
pub struct Wiring {
    /// Where it counts.
    pub metrics: Arc<Metrics>,
    /// Where health is kept across restarts; `None`: nowhere.
    pub store: Option<Store>,
    /// What is to be probed.
    pub targets: watch::Sender<Arc<[Arc<Target>]>>,
    /// Whether every target has settled.
    pub settled: watch::Sender<bool>,
    /// What operators ask for.
    pub requests: mpsc::Receiver<Request>,
    /// The number of the newest event.
    pub events: watch::Sender<u64>,
    /// Tells the wall clock's time.
    pub wall: Wall,
    /// When the loop came round last, once a second; for a watchdog.
    pub alive: watch::Sender<Instant>,
    /// The names behind aliases, which are to be looked up.
    pub aliases: watch::Sender<Arc<[Name]>>,
    /// What looking them up came to.
    pub looked: mpsc::Receiver<Looked>,
}

/// Tells the wall clock's time.
pub type Wall = Box<dyn Fn() -> SystemTime + Send + Sync>;

impl fmt::Debug for Wiring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wiring").field("store", &self.store).finish_non_exhaustive()
    }
}

/// A configuration to take over, and whom to tell when it is published.
#[derive(Debug)]
pub struct Reloaded {
    /// What was loaded.
    pub assembly: Arc<Assembly>,
    /// Who had it loaded, for what is kept of it.
    pub origin: Origin,
    /// Hears the generation that serves it.
    pub done: oneshot::Sender<u64>,
}

/// Waits until the store has told what became of what it was given.
async fn stored(
    storing: &mut Option<(Storing, oneshot::Receiver<Result<(), String>>)>,
) -> Result<(), String> {
    match storing {
        Some((_, stored)) => stored.await.unwrap_or_else(|_| Err(LOST.into())),
        None => std::future::pending().await,
    }
}

/// The single writer.
#[derive(Debug)]
pub struct Control {
    pub(super) state: State,
    publisher: Publisher,
    pub(super) handle: Handle,
    pub(super) wiring: Wiring,
    counters: HashMap<TargetId, Counters>,
    pub(super) started: Instant,
    published: Instant,
    pub(super) pending: bool,
    renewed: Instant,
    pub(super) events: Events,
    pub(super) replies: Replies,
    /// The command that is being stored, and who tells when it is.
    pub(super) storing: Option<(Storing, oneshot::Receiver<Result<(), String>>)>,
    /// Events that wait until that is done.
    pub(super) held_back: Vec<EventView>,
    /// Transitions that wait for what they bring about, and how many more there are.
    pub(super) noted: Vec<Noted>,
    pub(super) more_noted: usize,
    /// What was told last of this nameserver's own view.
    pub(super) told: Itself,
    /// Who asks.
    pub(super) measured: Measured,
    /// How far the wall clock is ahead of the timeline of the state, in milliseconds.
    pub(super) offset: i128,
    /// What was told last of plans.
    pub(super) told_plans: Told,
    /// What drills measure.
    pub(super) measure: Measure,
}

impl Control {
    /// Compiles and publishes the first snapshot, from what was known before.
    #[must_use]
    pub fn new(assembly: Arc<Assembly>, past: &dyn Past, wiring: Wiring) -> Self {
        let now = clock::now();
        let mut state = State::new(assembly, past, now);
        // Windows go by the wall clock, also in the first tables.
        state.set_wall_ahead(i128::from(millis((wiring.wall)())) - i128::from(state.moment(now).0));
        state.force(now);
        wiring.metrics.count_in(&state.assembly.tally);
        let measured = Measured::new(&state.assembly, now);
        let first = compile(None, &state.assembly, &state.inputs());
        let publisher = Publisher::new(first);
        let handle = publisher.handle();
        let mut control = Self {
            state,
            publisher,
            handle,
            wiring,
            counters: HashMap::new(),
            started: now,
            published: now,
            pending: false,
            renewed: now,
            events: Events::new(past.events()),
            replies: Replies::new(past.replies()),
            storing: None,
            held_back: Vec::new(),
            noted: Vec::new(),
            more_noted: 0,
            told: Itself::default(),
            measured,
            offset: 0,
            told_plans: Told::default(),
            measure: Measure::default(),
        };
        control.offset = control.clock_offset();
        control.note_start(past.trouble());
        let lapsed = std::mem::take(&mut control.state.lapsed);
        control.note_lapsed(lapsed);
        control.retarget();
        control.tell_published(None, now);
        control.renew(now);
        control
    }

    /// For those who answer from what is published.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Runs until told to stop. What has been seen by then is stored, too.
    pub async fn run(
        mut self,
        mut observations: mpsc::Receiver<Observation>,
        mut reloads: mpsc::Receiver<Reloaded>,
        stop: CancellationToken,
    ) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let (mut lot, mut next_lot) = (Vec::new(), clock::now());
        loop {
            let seen = async {
                tokio::time::sleep_until(next_lot.into()).await;
                observations.recv_many(&mut lot, LOT_MAX).await
            };
            let due = tokio::time::Instant::from_std(self.published + COALESCE);
            let idle = self.storing.is_none();
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                stored = stored(&mut self.storing), if !idle => {
                    if let Some((storing, _)) = self.storing.take() {
                        self.stored(storing, stored);
                    }
                }
                Some(reloaded) = reloads.recv() => self.reload(reloaded),
                Some(looked) = self.wiring.looked.recv() => self.take_look(looked),
                () = tokio::time::sleep_until(due), if self.pending => self.publish(),
                Some(request) = self.wiring.requests.recv(), if idle => self.request(request),
                _ = tick.tick() => self.tidy(),
                1.. = seen => {
                    self.observe(lot.drain(..));
                    next_lot = clock::now() + LOT;
                }
            }
        }
        // Whoever gave a command hears what became of it.
        if let Some((storing, stored)) = self.storing.take() {
            let result = stored.await.unwrap_or_else(|_| Err(LOST.into()));
            self.stored(storing, result);
        }
        // What still waits for its turn may be what takes a target down.
        observations.close();
        while let Ok(observation) = observations.try_recv() {
            self.take_in(observation, clock::now());
        }
        if let Some(store) = self.wiring.store.take() {
            store.close();
        }
    }

    /// Takes in what was seen, and publishes what follows from all of it.
    fn observe(&mut self, lot: impl Iterator<Item = Observation>) {
        let now = clock::now();
        lot.for_each(|observation| self.take_in(observation, now));
        if self.pending && now.saturating_duration_since(self.published) >= COALESCE {
            self.publish();
        }
        if !self.pending {
            self.keep_noted(None, &self.handle.current());
        }
    }

    fn take_in(&mut self, observation: Observation, now: Instant) {
        let passed = observation.outcome.passed();
        let took = observation.phases.total;
        let effects = apply(&mut self.state, Event::Observed(observation), now);
        let Some(id) = effects.observed else { return };
        self.count(id, passed, took);
        if self.state.position(id).is_some_and(|at| self.state.targets[at].watch.is_some()) {
            // It is about a plan, which looks at it when it is stepped.
            return;
        }
        self.store(id, &effects);
        for (region, rtt) in &effects.timed {
            self.keep_rtt(*region, *rtt);
        }
        if let Some(moved) = &effects.transition {
            let sentence = tell::moved(&self.state, moved);
            self.note_moved(moved, sentence);
        }
        self.note_effects(id, &effects, now);
        if let Some(at) = self.state.position(id).filter(|_| effects.certificate) {
            self.show_certificate(&self.state.targets[at]);
        }
        self.watch_certificate(id);
        self.pending |= effects.publish;
        if effects.transition.is_some() {
            self.tell_settled();
        }
    }

    fn reload(&mut self, Reloaded { assembly, origin, done }: Reloaded) {
        let before = self.handle.current();
        self.wiring.metrics.count_in(&assembly.tally);
        apply(&mut self.state, Event::Reloaded(assembly), clock::now());
        self.publish();
        self.measured.carry(&before.assembly, &self.state.assembly, clock::now());
        self.note_reload(&origin, Some(&before));
        drop(before);
        self.retarget();
        self.wiring.metrics.retain(&self.live());
        // Names may be others now.
        self.renew(clock::now());
        // Whoever asked may have gone; the reload has happened all the same.
        let _ = done.send(self.handle.current().generation);
    }

    pub(super) fn publish(&mut self) {
        let now = clock::now();
        let before = self.handle.current();
        let moved = self.state.take_over_aliases(now);
        let snapshot = compile(Some(&before), &self.state.assembly, &self.state.inputs());
        self.publisher.publish(snapshot);
        self.published = now;
        self.pending = false;
        self.tell_published(Some(&before), now);
        if moved {
            self.retarget();
            self.wiring.metrics.retain(&self.live());
        }
    }

    fn tell_published(&mut self, before: Option<&Snapshot>, now: Instant) {
        let after = self.handle.current();
        let metrics = &self.wiring.metrics;
        metrics.published(after.generation, now);
        for (binding, down) in tell::all_down_news(before, &after) {
            for record in after.assembly.records_of(binding) {
                metrics.record_all_down(&record.name.to_string(), down);
            }
        }
        self.remember(before, &after);
        self.keep_noted(before, &after);
        self.note_all_down(before, &after);
    }

    /// Remembers what was compiled anew and is good. It is looked at only when all is down, which it
    /// is not where something is learnt: so the next snapshot is soon enough for it.
    fn remember(&mut self, before: Option<&Snapshot>, after: &Snapshot) {
        let compiled = tell::rebuilt(before, after).map(|(id, _)| id);
        for id in self.state.learn(after, compiled) {
            self.keep_last_good(id);
        }
    }

    fn keep_rtt(&self, region: RegionId, rtt: Duration) {
        if let Some(store) = &self.wiring.store {
            store.keep_rtt(&self.state.assembly.regions[region.index()].name, rtt);
        }
    }

    fn keep_last_good(&self, id: BindingId) {
        let assembly = &self.state.assembly;
        let (Some(store), Some(good)) = (&self.wiring.store, self.state.memory.of(assembly, id))
        else {
            return;
        };
        // Whichever of its records is there at the next start finds it by its own name or another's.
        if let Some(record) = assembly.records_of(id).next() {
            store.keep_last_good(&record.name.to_string(), &good);
        }
    }

    /// Passes on what is to be probed, and shows what is configured.
    pub(super) fn retarget(&mut self) {
        self.counters.clear();
        self.wiring.targets.send_replace(self.state.probe_list());
        let names = self.state.aliases.all().map(|(name, _)| name.clone()).collect::<Arc<[Name]>>();
        self.wiring.aliases.send_if_modified(|was| {
            let changed = *was != names;
            *was = names;
            changed
        });
        self.show_aliases();
        let assembly = Arc::clone(&self.state.assembly);
        for region in &assembly.regions {
            self.region(region.pool, None);
        }
        for tracked in &self.state.targets {
            self.show_certificate(tracked);
        }
        self.show_overrides();
        self.show_plans();
        self.tell_settled();
        self.tell_itself();
    }

    pub(super) fn tell_settled(&self) {
        let settled = self.state.settled();
        self.wiring.settled.send_if_modified(|was| std::mem::replace(was, settled) != settled);
    }

    /// Counts one probe's result for each region whose pools it concerns.
    fn count(&mut self, id: TargetId, passed: Option<bool>, took: Duration) {
        let assembly = Arc::clone(&self.state.assembly);
        let metrics = &self.wiring.metrics;
        let Some(tracked) = self.state.find(id) else { return };
        let up = tracked.is_up();
        let new = || Counters::new(metrics, &assembly, tracked);
        self.counters.entry(id).or_insert_with(new).count(passed, took, up);
    }

    fn store(&mut self, id: TargetId, effects: &Effects) {
        let Some(store) = &self.wiring.store else { return };
        let Some(tracked) = self.state.find(id) else { return };
        let at_once = effects.transition.is_some();
        store.keep(&tracked.target.check, &tracked.target.destination, &tracked.health, at_once);
    }

    /// Shows a region's own pool; counts a transition when it was another before.
    pub(super) fn region(&self, id: PoolId, was: Option<&PoolHealth>) {
        let assembly = &self.state.assembly;
        let region = &assembly.regions[assembly.pools[id.index()].region.index()];
        if region.pool != id {
            return;
        }
        let metrics = &self.wiring.metrics;
        let is = &self.state.pools[id.index()];
        let mut told = None;
        for family in Family::BOTH.into_iter().filter(|family| is.of(*family).count() > 0) {
            let up = is.of(family).h > 0.0;
            metrics.region_up(&region.name, family, up);
            let held = is.of(family).held.map(Held::label);
            metrics.region_health(&region.name, family, is.of(family).h, held);
            let changed = was.is_some_and(|was| (was.of(family).h > 0.0) != up);
            if changed && told != Some(up) {
                told = Some(up);
                metrics.region_transition(&region.name, up);
            }
        }
    }

    /// The series that the configuration in force has.
    fn live(&self) -> Live {
        let mut live = Live::default();
        let assembly = &self.state.assembly;
        for region in &assembly.regions {
            let of_family = |f: &Family| assembly.pools[region.pool.index()].count(*f) > 0;
            let families = Family::BOTH.into_iter().filter(of_family);
            live.regions.extend(families.map(|family| (Arc::clone(&region.name), family)));
            live.weights.insert(Arc::clone(&region.name));
        }
        for tracked in &self.state.targets {
            for (pool, addresses) in &tracked.pools {
                let region = &assembly.regions[assembly.pools[pool.index()].region.index()];
                live.checks.extend(addresses.iter().map(|address| {
                    let check = Arc::clone(&tracked.target.check.name);
                    let shown = assembly.pools[pool.index()].shown(*address);
                    (Arc::clone(&region.name), check, shown)
                }));
            }
        }
        live.aliases.extend(self.state.aliases.all().map(|(name, _)| name.to_string()));
        live.records.extend(assembly.records.iter().map(|record| record.name.to_string()));
        live.columns.extend(assembly.served.iter().flat_map(|record| record.columns.iter()));
        live
    }

    fn tidy(&mut self) {
        self.wiring.alive.send_replace(clock::now());
        self.publisher.sweep();
        self.measured.tick(clock::now());
        self.advance_overrides();
        self.step_plans();
        self.pass_time();
        self.watch_clock();
        self.wiring.metrics.oldest_observation(self.state.oldest_observation());
        let now = clock::now();
        if now.saturating_duration_since(self.renewed) >= RENEW {
            self.renew(now);
        }
    }

    /// Lets time do its part in what is calmed.
    fn pass_time(&mut self) {
        let now = clock::now();
        let turned = self.state.pass_time(now);
        self.pending |= !turned.pools.is_empty();
        self.take_turn(&turned, now);
    }

    /// Stores again what is remembered.
    fn renew(&mut self, now: Instant) {
        self.renewed = now;
        for (region, rtt) in self.state.figures() {
            self.keep_rtt(region, rtt);
        }
        for id in self.state.memory.all() {
            self.keep_last_good(id);
        }
        for pool in self.state.busy() {
            self.keep_calming(pool, now);
        }
        for (name, alias) in self.state.aliases.all() {
            if let Some(store) = &self.wiring.store {
                store.keep_alias(name, alias);
            }
        }
    }
}
