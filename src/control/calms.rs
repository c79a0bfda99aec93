//! What time and caution make of each pool's health, between what is seen and what is served.
//!
//! In this order: what the addresses come to ([`crate::health::pool_health`]); regions that are kept
//! because too many fail ([`crate::health::kept`]); ramps, damping and waiting for an operator
//! ([`Calming`]).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::state::State;
use crate::health::{Calmed, Calming, FamilyHealth, Held, KeptCalming, PoolHealth, kept};
use crate::model::{Family, PoolId, RegionId};
use crate::routing::{Assembly, PoolStanding, Standing};

/// What is remembered of pools beside the health of their targets.
#[derive(Debug, Default)]
pub(super) struct Calms {
    /// What is seen of each pool.
    seen: Vec<PoolHealth>,
    /// By pool and family.
    pub(super) calming: Vec<[Calming; 2]>,
    /// The pools of which time alone will change something.
    busy: BTreeSet<PoolId>,
    /// By family: the regions that fail.
    failing: [BTreeMap<RegionId, Failing>; 2],
    /// By family: the regions that are kept although they fail.
    pub(super) kept: [BTreeSet<RegionId>; 2],
    /// By family: how many regions are probed.
    of: [usize; 2],
    /// The pools of each region.
    by_region: Vec<Vec<PoolId>>,
}

/// That a region fails.
#[derive(Debug, Clone, Copy)]
struct Failing {
    since: Instant,
    /// So many of its pools do: there may be one for each record.
    pools: usize,
}

/// Calming by pool name, for another assembly.
pub(super) type ByName = HashMap<String, [Calming; 2]>;

/// What has happened to pools, to be told, kept and stored.
#[derive(Debug, Default)]
pub(super) struct Turned {
    /// The pools that are served otherwise, each with its health before.
    pub(super) pools: Vec<(PoolId, PoolHealth)>,
    /// What calming has come to.
    pub(super) calmed: Vec<(PoolId, Family, Calmed)>,
    /// Pools of which something else is remembered.
    pub(super) remembered: Vec<PoolId>,
    /// The families in which other regions are kept.
    pub(super) kept: Vec<Family>,
}

impl Turned {
    /// Adds what has happened after it.
    pub(super) fn join(&mut self, later: Self) {
        self.pools.extend(later.pools);
        self.calmed.extend(later.calmed);
        self.remembered.extend(later.remembered);
        self.kept.extend(later.kept);
    }
}

/// Why a pool is judged again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// Time has passed, or something was seen.
    Time,
    /// A probe has just failed.
    Failure,
    /// What was seen is taken back: it counts as no transition.
    TakenBack,
}

impl Calms {
    /// What is remembered, by name.
    pub(super) fn by_name(&self, assembly: &Assembly) -> ByName {
        let all = (0..).map(PoolId).zip(&self.calming);
        let some = all.filter(|(_, calming)| **calming != <[Calming; 2]>::default());
        some.map(|(pool, calming)| (assembly.pool_name(pool), *calming)).collect()
    }

    /// The pools of a region.
    pub(super) fn of_region(&self, region: RegionId) -> &[PoolId] {
        self.by_region.get(region.index()).map_or(&[], Vec::as_slice)
    }

    /// How many regions fail in a family, and of how many.
    pub(super) fn failing(&self, family: Family) -> (usize, usize) {
        (self.failing[family.index()].len(), self.of[family.index()])
    }

    /// Takes in what is seen of a pool of a region. Returns whether the region begins or ends to fail in
    /// any family.
    fn see(&mut self, region: RegionId, pool: PoolId, is: PoolHealth, now: Instant) -> bool {
        let was = std::mem::replace(&mut self.seen[pool.index()], is);
        let mut changed = false;
        for family in Family::BOTH {
            let is = self.seen[pool.index()].of(family).fails;
            changed |= match (was.of(family).fails, is) {
                (false, true) => self.begins(region, family, now),
                (true, false) => self.ends(region, family),
                _ => false,
            };
        }
        changed
    }

    /// One more pool of a region fails. Returns whether it is the first.
    fn begins(&mut self, region: RegionId, family: Family, now: Instant) -> bool {
        let failing = self.failing[family.index()].entry(region);
        let failing = failing.or_insert(Failing { since: now, pools: 0 });
        failing.pools += 1;
        failing.pools == 1
    }

    /// One pool of a region fails no longer. Returns whether it was the last.
    fn ends(&mut self, region: RegionId, family: Family) -> bool {
        let failing = &mut self.failing[family.index()];
        if let Some(others) = failing.get_mut(&region).filter(|failing| failing.pools > 1) {
            others.pools -= 1;
            return false;
        }
        failing.remove(&region).is_some()
    }
}

impl State {
    /// Takes over the pools of an assembly, with what is remembered of them.
    pub(super) fn calm(&mut self, known: &ByName, now: Instant) {
        let assembly = Arc::clone(&self.assembly);
        let all = || (0..assembly.pools.len() as u32).map(PoolId);
        let mut by_region = vec![Vec::new(); assembly.regions.len()];
        for (pool, spec) in all().zip(&assembly.pools) {
            by_region[spec.region.index()].push(pool);
        }
        let probed = |pools: &Vec<PoolId>, family| {
            let probed = |pool: &PoolId| {
                let spec = &assembly.pools[pool.index()];
                spec.count(family) > 0 && spec.checks.iter().any(|check| check.decides())
            };
            pools.iter().any(probed)
        };
        let of = Family::BOTH.map(|f| by_region.iter().filter(|pools| probed(pools, f)).count());
        let named = |pool| known.get(&assembly.pool_name(pool)).copied().unwrap_or_default();
        self.calms = Calms {
            seen: all().map(|pool| self.judge_pool(pool)).collect(),
            calming: all().map(named).collect(),
            of,
            by_region,
            ..Calms::default()
        };
        for (pool, spec) in all().zip(&assembly.pools) {
            for family in Family::BOTH {
                if self.calms.seen[pool.index()].of(family).fails {
                    // Those that failed first stay those, whatever was loaded meanwhile.
                    let down = self.targets_of(pool).filter(|tracked| !tracked.is_up());
                    let since = down.map(|tracked| tracked.health.since).min().unwrap_or(now);
                    self.calms.begins(spec.region, family, since);
                }
            }
        }
        self.keep_regions();
        self.pools =
            all().map(|pool| self.serve(pool, Cause::Time, now, &mut Turned::default())).collect();
        self.standings = Arc::new(all().map(|pool| self.stand(pool)).collect());
    }

    /// Judges pools again; `failed`: because a probe has just failed.
    pub(super) fn refresh(&mut self, pools: &[PoolId], failed: bool, now: Instant) -> Turned {
        self.rejudge(pools, if failed { Cause::Failure } else { Cause::Time }, now)
    }

    fn rejudge(&mut self, pools: &[PoolId], cause: Cause, now: Instant) -> Turned {
        let (mut turned, mut recount) = (Turned::default(), false);
        for pool in pools {
            let is = self.judge_pool(*pool);
            let region = self.assembly.pools[pool.index()].region;
            recount |= self.calms.see(region, *pool, is, now);
        }
        let mut also: BTreeSet<PoolId> = BTreeSet::new();
        if recount {
            for (family, region) in self.keep_regions() {
                also.extend(self.calms.by_region[region.index()].iter().copied());
                if !turned.kept.contains(&family) {
                    turned.kept.push(family);
                }
            }
        }
        for pool in pools {
            also.remove(pool);
            self.reserve(*pool, cause, now, &mut turned);
        }
        for pool in also {
            self.reserve(pool, Cause::Time, now, &mut turned);
        }
        turned
    }

    /// Judges pools again whose targets are as they were: nothing has happened.
    pub(super) fn restore(&mut self, pools: &[PoolId], now: Instant) -> Turned {
        self.rejudge(pools, Cause::TakenBack, now)
    }

    /// Lets time do its part.
    pub(super) fn pass_time(&mut self, now: Instant) -> Turned {
        let mut turned = Turned::default();
        for pool in self.calms.busy.clone() {
            self.reserve(pool, Cause::Time, now, &mut turned);
        }
        turned
    }

    /// The standings with the pools of a region let back, and their ramps done.
    pub(super) fn standings_let_back(&self, region: RegionId) -> Arc<Vec<Arc<PoolStanding>>> {
        let mut standings = Vec::clone(&self.standings);
        for pool in &self.calms.by_region[region.index()] {
            let family = Family::BOTH.map(|family| {
                let is = self.standings[pool.index()].family(family).clone();
                let held = self.pools[pool.index()].of(family).held;
                let h = self.calms.seen[pool.index()].of(family).h;
                if held == Some(Held::Awaiting) { Standing { h, ..is } } else { is }
            });
            standings[pool.index()] = Arc::new(PoolStanding::new(family));
        }
        Arc::new(standings)
    }

    /// What will be stored of the pools of a region when they are let back.
    pub(super) fn calming_let_back(
        &self,
        region: RegionId,
    ) -> Vec<(String, [Option<KeptCalming>; 2])> {
        let (now, damping) = (crate::clock::now(), self.assembly.judging.damping.as_ref());
        let pools = self.calms.by_region[region.index()].iter();
        let kept = pools.map(|pool| {
            let calming = self.calms.calming[pool.index()].map(|mut calming| {
                calming.let_back(now);
                calming.kept(damping, now)
            });
            (self.assembly.pool_name(*pool), calming)
        });
        kept.collect()
    }

    /// An operator lets the pools of a region back. `None`: none of them waits, or it is not there
    /// any more.
    pub(super) fn let_back(&mut self, region: &str, now: Instant) -> Option<Turned> {
        let mut ids = (0..).map(RegionId).zip(&self.assembly.regions);
        let (region, _) = ids.find(|(_, one)| *one.name == *region)?;
        let mut turned = Turned::default();
        for pool in self.calms.by_region.get(region.index()).cloned().unwrap_or_default() {
            for family in Family::BOTH {
                let calming = &mut self.calms.calming[pool.index()][family.index()];
                if let Some(calmed) = calming.let_back(now) {
                    turned.calmed.push((pool, family, calmed));
                }
            }
            if turned.calmed.iter().any(|(back, ..)| *back == pool) {
                turned.remembered.push(pool);
                self.reserve(pool, Cause::Time, now, &mut turned);
            }
        }
        (!turned.calmed.is_empty()).then_some(turned)
    }

    /// The pools of a region that wait for an operator.
    pub(super) fn waits(&self, region: RegionId) -> bool {
        let pools = self.calms.by_region.get(region.index());
        pools.into_iter().flatten().any(|pool| {
            let held = |family| self.pools[pool.index()].of(family).held;
            Family::BOTH.into_iter().any(|family| held(family) == Some(Held::Awaiting))
        })
    }

    /// The pools of which time alone will change something.
    pub(super) fn busy(&self) -> Vec<PoolId> {
        self.calms.busy.iter().copied().collect()
    }

    /// What is remembered of a pool's calming, to be stored.
    pub(super) fn kept_calming(&self, pool: PoolId, now: Instant) -> [Option<KeptCalming>; 2] {
        let damping = self.assembly.judging.damping.as_ref();
        self.calms.calming[pool.index()].map(|calming| calming.kept(damping, now))
    }

    /// What is stored of a pool's calming, as of now.
    pub(super) fn recalled(
        &self,
        kept: &[Option<KeptCalming>; 2],
        ago: Duration,
        now: Instant,
    ) -> [Calming; 2] {
        let damping = self.assembly.judging.damping.as_ref();
        kept.map(|kept| {
            kept.map_or_else(Calming::default, |k| Calming::restored(&k, damping, ago, now))
        })
    }

    /// Which regions are kept although they fail; returns those for which that has changed.
    fn keep_regions(&mut self) -> Vec<(Family, RegionId)> {
        let safety = self.assembly.judging.safety;
        let mut changed = Vec::new();
        for family in Family::BOTH {
            let at = family.index();
            let failing = self.calms.failing[at].iter();
            let failing = failing.map(|(region, failing)| (*region, failing.since));
            let is = kept(failing, self.calms.of[at], safety);
            let was = std::mem::replace(&mut self.calms.kept[at], is);
            let other = was.symmetric_difference(&self.calms.kept[at]);
            changed.extend(other.map(|region| (family, *region)));
        }
        changed
    }

    fn reserve(&mut self, pool: PoolId, cause: Cause, now: Instant, turned: &mut Turned) {
        let is = self.serve(pool, cause, now, turned);
        let was = std::mem::replace(&mut self.pools[pool.index()], is);
        if was == self.pools[pool.index()] {
            return;
        }
        let standing = self.stand(pool);
        Arc::make_mut(&mut self.standings)[pool.index()] = standing;
        turned.pools.push((pool, was));
    }

    /// What is served of a pool by what is seen of it.
    fn serve(
        &mut self,
        pool: PoolId,
        cause: Cause,
        now: Instant,
        turned: &mut Turned,
    ) -> PoolHealth {
        let spec = &self.assembly.pools[pool.index()];
        let damping = self.assembly.judging.damping.as_ref();
        let seen = &self.calms.seen[pool.index()];
        let kept = Family::BOTH.map(|f| self.calms.kept[f.index()].contains(&spec.region));
        let mut busy = false;
        let calming = &mut self.calms.calming[pool.index()];
        let family = Family::BOTH.map(|family| {
            let mut seen = seen.of(family).clone();
            if kept[family.index()] && seen.fails {
                seen = all_the_same(seen);
            }
            let calming = &mut calming[family.index()];
            let was = *calming;
            if cause == Cause::TakenBack {
                calming.take_back(&seen);
            }
            let failed = cause == Cause::Failure;
            if let Some(calmed) = calming.step(&seen, &spec.calm, damping, failed, now) {
                turned.calmed.push((pool, family, calmed));
            }
            if was != *calming && !turned.remembered.contains(&pool) {
                turned.remembered.push(pool);
            }
            busy |= calming.is_busy();
            calming.served(seen, &spec.calm, now)
        });
        if busy {
            self.calms.busy.insert(pool);
        } else {
            self.calms.busy.remove(&pool);
        }
        PoolHealth { family }
    }
}

/// What fails, but is served all the same.
fn all_the_same(seen: FamilyHealth) -> FamilyHealth {
    FamilyHealth {
        h: 1.0,
        spare: 1.0,
        live: vec![true; seen.live.len()],
        flip: None,
        held: Some(Held::Kept),
        ..seen
    }
}
