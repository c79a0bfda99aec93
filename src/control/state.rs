//! What the single writer knows: each target's health, and what that makes of each pool.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::health::{Health, PoolHealth, pool_health};
use crate::model::{
    BindingId, Check, Destination, Endpoint, Family, Looked, Moment, PoolId, RegionId, Target,
    TargetId, probed,
};
use crate::routing::{Assembly, Forces, Inputs, PoolStanding, Snapshot, Standing};

use super::aliases::{Aliases, News};
use super::arrangement::Arrangement;
use super::calms::{ByName, Calms};
use super::memory::Memory;
use super::overrides::{Lapsed, Overrides};
use super::past::Past;
use super::plans::{Plans, Ttls, ttls, watches};
use super::self_check::SelfCheck;
use super::timeline::{Clocks, Timeline};
use super::timing::{Timing, smoothed};
use super::tracked::{Tracked, is_timed};

/// What is observed, by target, and what follows from it, by pool.
#[derive(Debug)]
pub struct State {
    /// What is configured, records with overrides of their own apart from the others.
    pub assembly: Arc<Assembly>,
    /// The same as it was loaded, but with the addresses of aliases; and how the one differs.
    pub(super) base: Arc<Assembly>,
    pub(super) arrangement: Arrangement,
    timeline: Timeline,
    /// How far the wall clock is ahead of it, in milliseconds.
    pub(super) wall_ahead: i128,
    pub(super) overrides: Overrides,
    pub(super) plans: Plans,
    /// The longest TTLs that each region has to do with.
    pub(super) ttls: Ttls,
    /// What had come to its end before the start.
    pub(super) lapsed: Vec<Lapsed>,
    pub(super) forces: Arc<Forces>,
    pub(super) targets: Vec<Tracked>,
    /// How many of them have not settled.
    pub(super) unsettled: usize,
    /// How many of them cannot be asked.
    pub(super) abstaining: usize,
    pub(super) by_id: HashMap<TargetId, usize>,
    /// For each pool: where the health of its (check, address) stands.
    members: Vec<HashMap<(Arc<str>, IpAddr), usize>>,
    /// What is served of each pool.
    pub(super) pools: Vec<PoolHealth>,
    pub(super) calms: Calms,
    pub(super) self_check: SelfCheck,
    pub(super) standings: Arc<Vec<Arc<PoolStanding>>>,
    /// For each region the targets that are probed where they are served.
    by_region: Vec<Vec<usize>>,
    timing: Timing,
    pub(super) memory: Memory,
    pub(super) aliases: Aliases,
    pub(super) next_id: u32,
}

/// What makes a target the same across a reload: timing may change, what is asked may not.
type Key = (Arc<str>, u64, Destination);

impl State {
    /// At the start of the process.
    pub fn new(assembly: Arc<Assembly>, past: &dyn Past, now: Instant) -> Self {
        let timeline = past.timeline();
        let mut overrides = past.overrides();
        let timeline = timeline.unwrap_or_else(|| Timeline::resume(None, &Clocks::read()));
        let lapsed = overrides.lapse(timeline.at(now));
        let mut state = Self {
            assembly: Arc::clone(&assembly),
            base: Arc::clone(&assembly),
            arrangement: Arrangement::default(),
            timeline,
            wall_ahead: 0,
            overrides,
            plans: past.plans(),
            ttls: Ttls::default(),
            lapsed,
            forces: Arc::default(),
            targets: Vec::new(),
            unsettled: 0,
            abstaining: 0,
            by_id: HashMap::new(),
            members: Vec::new(),
            pools: Vec::new(),
            calms: Calms::default(),
            self_check: SelfCheck::default(),
            standings: Arc::default(),
            by_region: Vec::new(),
            timing: Timing::default(),
            memory: Memory::default(),
            aliases: Aliases::of(&assembly, |name| past.alias(name)),
            next_id: 0,
        };
        let assembly = state.aliases.resolve(&assembly);
        let fresh = |check: &Check, at: &Destination| {
            past.health(check, at).unwrap_or(Health::unknown(now))
        };
        state.memory = Memory::new(&assembly, |record| past.last_good(&record.to_string()));
        let assembly = state.arrange(&assembly);
        state.memory = state.memory.carried(&state.base, &assembly);
        let rtts = assembly.regions.iter();
        let rtts = rtts.filter_map(|r| Some((Arc::clone(&r.name), past.rtt(&r.name)?))).collect();
        let recalled = past.calming();
        state.assembly = Arc::clone(&assembly);
        let moment = state.moment(now);
        let calms = recalled.into_iter().map(|(name, at, kept)| {
            let ago = moment.since(at);
            (name, state.recalled(&kept, ago, now))
        });
        let calms = calms.collect();
        state.adopt(assembly, &fresh, &rtts, &calms, now);
        state.force(now);
        state
    }

    /// After a reload: targets that stay keep their health, new ones are newcomers.
    pub(super) fn reload(&mut self, assembly: Arc<Assembly>, now: Instant) {
        self.aliases = Aliases::of(&assembly, |name| self.aliases.get(name).cloned());
        self.replace(&assembly, now);
    }

    /// Takes over the addresses that aliases have by now, as a reload would. Returns whether any are
    /// others.
    pub(super) fn take_over_aliases(&mut self, now: Instant) -> bool {
        let stale = self.aliases.stale();
        if stale {
            let base = Arc::clone(&self.base);
            self.replace(&base, now);
        }
        stale
    }

    /// Has another assembly from now on.
    fn replace(&mut self, assembly: &Arc<Assembly>, now: Instant) {
        let assembly = self.aliases.resolve(assembly);
        let assembly = self.arrange(&assembly);
        self.memory = self.memory.carried(&self.assembly, &assembly);
        let rtts = self.timing.by_name(&self.assembly);
        let calms = self.calms.by_name(&self.assembly);
        self.adopt(assembly, &|_, _| Health::newcomer(now), &rtts, &calms, now);
        self.force(now);
    }

    /// What is forced.
    pub(super) fn forces(&self) -> &Forces {
        &self.forces
    }

    /// Takes in what looking a name up came to. Other addresses are in use from
    /// [`State::take_over_aliases`] on, another time to keep them at once.
    pub(super) fn looked(&mut self, looked: &Looked, now: Instant) -> Option<News> {
        let news = self.aliases.look(looked, self.moment(now))?;
        if news.other_ttl() {
            let own = Endpoint::Alias(looked.name.clone());
            for id in (0..self.pools.len() as u32).map(PoolId) {
                if self.assembly.pools[id.index()].endpoint == own {
                    let standing = self.stand(id);
                    Arc::make_mut(&mut self.standings)[id.index()] = standing;
                }
            }
        }
        Some(news)
    }

    /// The moment of an instant, on the timeline of the state.
    pub(super) fn moment(&self, now: Instant) -> Moment {
        self.timeline.at(now)
    }

    /// The targets that a pool depends on.
    pub(super) fn targets_of(&self, pool: PoolId) -> impl Iterator<Item = &Tracked> {
        let mut members: Vec<usize> = self.members[pool.index()].values().copied().collect();
        members.sort_unstable();
        members.dedup();
        members.into_iter().map(|at| &self.targets[at])
    }

    /// Takes an assembly over, with all that is known of the targets that stay.
    fn adopt(
        &mut self,
        assembly: Arc<Assembly>,
        fresh: &dyn Fn(&Check, &Destination) -> Health,
        rtts: &HashMap<Arc<str>, Duration>,
        calms: &ByName,
        now: Instant,
    ) {
        let mut before: HashMap<Key, Tracked> = std::mem::take(&mut self.targets)
            .into_iter()
            .map(|t| (key(&t.target.check, &t.target.destination), t))
            .collect();
        let mut found: HashMap<Key, usize> = HashMap::new();
        let mut targets: Vec<Tracked> = Vec::new();
        let mut members = Vec::with_capacity(assembly.pools.len());
        for (number, pool) in assembly.pools.iter().enumerate() {
            let id = PoolId(number as u32);
            let mut of_pool = HashMap::new();
            let region = &assembly.regions[pool.region.index()].name;
            let checks = probed(&pool.checks);
            let addresses = Family::BOTH.into_iter().flat_map(|family| pool.addresses(family));
            for address in addresses {
                for check in &checks {
                    let destination = pool.destination(region, check, address);
                    let at = *found.entry(key(check, &destination)).or_insert_with_key(|key| {
                        let known = before.remove(key);
                        let next = &mut self.next_id;
                        let mut tracked = Tracked::new(check, destination, known, next, now, fresh);
                        let known = || rtts.get(region).copied().filter(|_| is_timed(check));
                        tracked.rtt = tracked.rtt.or_else(known);
                        targets.push(tracked);
                        targets.len() - 1
                    });
                    of_pool.insert((Arc::clone(&check.name), address), at);
                    match targets[at].pools.last_mut() {
                        Some((last, addresses)) if *last == id => addresses.push(address),
                        _ => targets[at].pools.push((id, vec![address])),
                    }
                }
            }
            members.push(of_pool);
        }
        for check in &assembly.judging.references {
            let Some(destination) = check.target.clone() else { continue };
            let at = *found.entry(key(check, &destination)).or_insert_with_key(|key| {
                let known = before.remove(key);
                let next = &mut self.next_id;
                targets.push(Tracked::new(check, destination, known, next, now, fresh));
                targets.len() - 1
            });
            targets[at].reference = true;
        }
        for watch in watches(&assembly, &self.plans) {
            let known = before.remove(&key(&watch.1, &watch.2));
            targets.push(Tracked::query(watch, known, &mut self.next_id, now));
        }
        self.by_id = targets.iter().enumerate().map(|(at, t)| (t.target.id, at)).collect();
        self.unsettled = targets.iter().filter(|tracked| tracked.is_awaited()).count();
        self.abstaining = targets.iter().filter(|tracked| tracked.abstains()).count();
        self.targets = targets;
        self.members = members;
        self.by_region = by_region(&assembly, &self.targets);
        self.timing = Timing::new(&assembly, |region| self.figure(region), rtts);
        self.ttls = ttls(&assembly);
        self.assembly = assembly;
        self.calm(calms, now);
        self.look_at_itself();
    }

    /// What is compiled into the next snapshot.
    #[must_use]
    pub fn inputs(&self) -> Inputs {
        Inputs {
            pools: Arc::clone(&self.standings),
            rtts: Arc::clone(&self.timing.in_force),
            last_good: Arc::clone(&self.memory.last_good),
            forces: Arc::clone(&self.forces),
        }
    }

    /// Takes in the time that a connection to a target took. Returns the regions with other
    /// figures by that, and whether what routing goes by has moved.
    pub(super) fn connected(
        &mut self,
        id: TargetId,
        took: Duration,
    ) -> (Vec<(RegionId, Duration)>, bool) {
        let assembly = Arc::clone(&self.assembly);
        let Some(timed) = self.find(id).filter(|t| is_timed(&t.target.check)) else {
            return (Vec::new(), false);
        };
        timed.rtt = Some(smoothed(timed.rtt, took));
        let Some(concerned) = assembly.timed() else { return (Vec::new(), false) };
        let mut regions: Vec<RegionId> = (timed.pools.iter())
            .map(|(pool, _)| assembly.pools[pool.index()].region)
            .filter(|region| concerned.region(*region))
            .collect();
        regions.sort_unstable();
        regions.dedup();
        let figures: Vec<(RegionId, Duration)> =
            regions.into_iter().filter_map(|r| Some((r, self.figure(r)?))).collect();
        let mut moved = false;
        for (region, figure) in &figures {
            moved |= self.timing.moves(&assembly, *region, *figure);
        }
        (figures, moved)
    }

    /// A region's round-trip time: the least of its targets'.
    pub(super) fn figure(&self, region: RegionId) -> Option<Duration> {
        self.by_region.get(region.index())?.iter().filter_map(|&at| self.targets[at].rtt).min()
    }

    /// The round-trip times of the regions for which they may decide anything.
    pub(super) fn figures(&self) -> Vec<(RegionId, Duration)> {
        let Some(timed) = self.assembly.timed() else { return Vec::new() };
        let regions = (0..self.by_region.len() as u16).map(RegionId);
        let concerned = regions.filter(|region| timed.region(*region));
        concerned.filter_map(|region| Some((region, self.figure(region)?))).collect()
    }

    /// Remembers what is good of the bindings that a snapshot was compiled anew for; returns those
    /// of which something else was remembered before.
    pub fn learn(
        &mut self,
        snapshot: &Snapshot,
        compiled: impl Iterator<Item = BindingId>,
    ) -> Vec<BindingId> {
        compiled.filter(|id| self.memory.learn(snapshot, *id, &self.pools)).collect()
    }

    /// What is to be probed.
    #[must_use]
    pub fn probe_list(&self) -> Arc<[Arc<Target>]> {
        self.targets.iter().map(|tracked| Arc::clone(&tracked.target)).collect()
    }

    /// Whether every target has settled and every alias was looked up, so that answers rest on something
    /// seen.
    #[must_use]
    pub fn settled(&self) -> bool {
        self.unsettled == 0 && self.aliases.settled()
    }

    /// The instant of the observation that has been waited for longest: the oldest of each
    /// target's last.
    #[must_use]
    pub fn oldest_observation(&self) -> Option<Instant> {
        let last = |t: &Tracked| t.health.last.as_ref().map_or(t.since_start, |last| last.at);
        self.targets.iter().map(last).min()
    }

    /// Where the target of an observation stands; `None` when a reload has removed it.
    pub(super) fn position(&self, id: TargetId) -> Option<usize> {
        self.by_id.get(&id).copied()
    }

    /// The target of an observation; `None` when a reload has removed it.
    pub(super) fn find(&mut self, id: TargetId) -> Option<&mut Tracked> {
        let at = self.position(id)?;
        self.targets.get_mut(at)
    }

    pub(super) fn judge_pool(&self, id: PoolId) -> PoolHealth {
        let pool = &self.assembly.pools[id.index()];
        let members = &self.members[id.index()];
        pool_health(pool, |check, address| {
            Some(&self.targets[*members.get(&(Arc::clone(&check.name), address))?].health)
        })
    }

    pub(super) fn stand(&self, id: PoolId) -> Arc<PoolStanding> {
        let pool = &self.assembly.pools[id.index()];
        Arc::new(PoolStanding::new(Family::BOTH.map(|family| {
            let health = self.pools[id.index()].of(family);
            let up = pool.addresses(family).zip(&health.live).filter(|(_, up)| **up);
            let live = up.map(|(address, _)| address).collect();
            let standing =
                Standing::new(pool, family, health.h, live, health.flip).held_back(health.spare);
            match self.aliases.of_pool(pool).and_then(|alias| alias.resolved.as_ref()) {
                Some(resolved) => standing.with_ttl(resolved.ttl_secs),
                None => standing,
            }
        })))
    }
}

fn by_region(assembly: &Assembly, targets: &[Tracked]) -> Vec<Vec<usize>> {
    let mut by_region = vec![Vec::new(); assembly.regions.len()];
    for (at, tracked) in targets.iter().enumerate() {
        if !is_timed(&tracked.target.check) {
            continue;
        }
        for (pool, _) in &tracked.pools {
            let of: &mut Vec<usize> = &mut by_region[assembly.pools[pool.index()].region.index()];
            if of.last() != Some(&at) {
                of.push(at);
            }
        }
    }
    by_region
}

fn key(check: &Check, destination: &Destination) -> Key {
    (Arc::clone(&check.name), check.definition(), destination.clone())
}
