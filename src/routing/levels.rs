//! What each slot of a tree is worth, in both families, under one reading of health.
//!
//! The same tree is walked with other levels when all is down: "as if all were up" is a level of
//! 1 everywhere, not another walk.

use std::time::Duration;

use crate::model::{Family, Forced, Slot, Weight};

use super::inputs::PoolStanding;

/// One slot's part in a walk.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Level {
    /// Whether its pool has any address of the family, up or not; by family.
    pub(super) has: [bool; 2],
    /// Its health factor from 0 to 1, by family.
    pub(super) h: [f64; 2],
    /// Whether it is an alias of which nothing is known.
    pub(super) unresolved: bool,
}

/// The levels of a tree's slots under each reading.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Health {
    judged: Vec<Level>,
    /// Empty when nothing is drained or held back: then it is as judged.
    undrained: Vec<Level>,
    remembered: Vec<Level>,
    any_live: Vec<Level>,
    all_up: Vec<Level>,
    /// This nameserver's own round-trip time to each slot's region; where none is known, the end may
    /// be missing.
    pub(super) rtts: Vec<Option<Duration>>,
    /// The weight that is forced on each slot's place; where none is, the end may be missing.
    pub(super) weights: Vec<Option<Weight>>,
    /// What is forced on each slot; where nothing is, the end may be missing.
    forced: Vec<Forced>,
    /// Which slots are answered for by others.
    pub(super) stands: Stands,
}

/// Which slot answers in a slot's place: another one where a region is shifted, else itself. The place
/// stays what it is, with its weight and order; what is behind it is the other region's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Stands(Vec<(Slot, Slot)>);

impl Stands {
    /// Of places, each with the slot that answers there.
    pub(super) const fn new(of: Vec<(Slot, Slot)>) -> Self {
        Self(of)
    }

    /// What answers in a slot's place.
    pub(super) fn at(&self, place: Slot) -> Slot {
        self.0.iter().find(|(own, _)| *own == place).map_or(place, |(_, by)| *by)
    }

    /// What answers in several places, each once, in the order of the places.
    pub(super) fn all(&self, places: &[Slot]) -> Vec<Slot> {
        let mut all = Vec::with_capacity(places.len());
        for by in places.iter().map(|place| self.at(*place)) {
            // Most have nothing shifted, and stand once as it is.
            if self.0.is_empty() || !all.contains(&by) {
                all.push(by);
            }
        }
        all
    }

    /// The places that others answer for, each with the slot that does.
    pub(super) fn pairs(&self) -> &[(Slot, Slot)] {
        &self.0
    }
}

impl Health {
    /// Of pools in slot order, `None` taking no part, and what is forced on each, of which the end may
    /// be missing.
    pub(super) fn new(pools: &[Option<&PoolStanding>], forced: Vec<Forced>) -> Self {
        let read = |reading| {
            let force = |slot| forced.get(slot).copied().unwrap_or_default();
            let pools = pools.iter().enumerate();
            pools.map(|(slot, pool)| level(*pool, reading, force(slot))).collect()
        };
        let held_back = |pool: &PoolStanding| {
            Family::BOTH.iter().any(|family| pool.family(*family).is_held_back())
        };
        let spares =
            forced.contains(&Forced::Drained) || pools.iter().flatten().any(|pool| held_back(pool));
        Self {
            judged: read(Reading::Judged),
            undrained: if spares { read(Reading::Undrained) } else { Vec::new() },
            remembered: read(Reading::Remembered),
            any_live: read(Reading::AnyLive),
            all_up: read(Reading::AllUp),
            rtts: Vec::new(),
            weights: Vec::new(),
            forced,
            stands: Stands::default(),
        }
    }

    /// Whether any pool is drained, or held back.
    pub(super) fn any_spare(&self) -> bool {
        !self.undrained.is_empty()
    }

    /// Remembers the health factor of a slot; one that is not remembered was down. What is forced up
    /// or down is so whatever is remembered.
    pub(super) fn remember(&mut self, slot: usize, family: Family, h: f64) {
        if matches!(self.forced.get(slot), Some(Forced::Up | Forced::Down)) {
            return;
        }
        if let Some(level) = self.remembered.get_mut(slot).filter(|l| l.has[family.index()]) {
            level.h[family.index()] = h;
        }
    }

    /// The levels under a reading.
    pub(super) fn levels(&self, reading: Reading) -> &[Level] {
        match reading {
            Reading::Judged => &self.judged,
            Reading::Undrained if self.any_spare() => &self.undrained,
            Reading::Undrained => &self.judged,
            Reading::Remembered => &self.remembered,
            Reading::AnyLive => &self.any_live,
            Reading::AllUp => &self.all_up,
        }
    }
}

/// How health is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reading {
    /// As judged, and what is drained or held back as if down.
    Judged,
    /// As judged, drained and held back or not.
    Undrained,
    /// As it was when it was last good.
    Remembered,
    /// Up where any address is up, whatever the pool's own judgement.
    AnyLive,
    /// Up wherever there is an address.
    AllUp,
}

impl Reading {
    /// All, the best of them first.
    pub(super) const ALL: [Self; 5] =
        [Self::Judged, Self::Undrained, Self::Remembered, Self::AnyLive, Self::AllUp];
}

fn level(pool: Option<&PoolStanding>, reading: Reading, forced: Forced) -> Level {
    let mut level = Level::default();
    let Some(pool) = pool else { return level };
    for family in Family::BOTH {
        let standing = pool.family(family);
        let has = standing.count > 0;
        level.unresolved |= standing.is_unresolved();
        let h = match (forced, reading) {
            (Forced::Down, _) | (Forced::Drained, Reading::Judged) => 0.0,
            // Whatever is wanted of it, there is nothing that it could serve.
            (Forced::Up, _) | (_, Reading::AllUp) if standing.is_unresolved() => 0.0,
            (Forced::Up, _) => 1.0,
            (_, Reading::Undrained) if standing.is_held_back() => standing.spare,
            (_, Reading::Judged | Reading::Undrained) => standing.h,
            (_, Reading::Remembered) => 0.0,
            (_, Reading::AnyLive) => f64::from(u8::from(!standing.live.is_empty())),
            (_, Reading::AllUp) => 1.0,
        };
        level.has[family.index()] = has;
        level.h[family.index()] = if has { h } else { 0.0 };
    }
    level
}

/// Looks a slot up; one that is not there has nothing.
pub(super) fn of(levels: &[Level], slot: Slot) -> Level {
    levels.get(slot.index()).copied().unwrap_or_default()
}
