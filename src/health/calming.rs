//! What time makes of a pool's health: a share that grows after a recovery, holding down what changes
//! too often, waiting for an operator. Pure: time comes in.
//!
//! One family of one pool is calmed by itself. A *transition* is a change between enough addresses
//! being up and not; what addresses say of themselves (degraded, a weight, a load) is none.

use std::time::{Duration, Instant};

use super::{FamilyHealth, Held};
use crate::model::{Calm, Damping, Failback, Ramp};

/// A ramp has no more steps than this.
const STEPS: u32 = 20;
/// Nor shorter ones.
const STEP: Duration = Duration::from_secs(1);

/// What is remembered of one family of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Calming {
    /// Whether enough addresses were up; `None`: that was never known.
    up: Option<bool>,
    /// Since when its share grows.
    ramping: Option<Instant>,
    /// The penalty for transitions, and when it was so.
    penalty: Option<(f64, Instant)>,
    damped: bool,
    awaiting: bool,
}

/// What has become of a pool by a step, to be told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Calmed {
    /// It is held down with this penalty.
    Damped(f64),
    /// It is held down no longer.
    Undamped,
    /// It has recovered and waits for an operator.
    Awaits,
    /// An operator has let it back.
    LetBack,
}

/// What is remembered across a restart, with times as ages.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct KeptCalming {
    /// Whether enough addresses were up.
    pub up: Option<bool>,
    /// For how long its share has grown.
    pub ramping: Option<Duration>,
    /// The penalty, as it is now.
    pub penalty: f64,
    /// Whether it is held down.
    pub damped: bool,
    /// Whether it waits for an operator.
    pub awaiting: bool,
}

impl Calming {
    /// Takes in what is seen now. `failed`: a probe of one of its addresses has just failed.
    pub fn step(
        &mut self,
        seen: &FamilyHealth,
        calm: &Calm,
        damping: Option<&Damping>,
        failed: bool,
        now: Instant,
    ) -> Option<Calmed> {
        let up = seen.spare > 0.0;
        // What is not known yet serves as up, and is no transition.
        let known = seen.settled || !up;
        if seen.count() == 0 || !known {
            return self.tick(calm, damping, now);
        }
        let was = self.up.replace(up);
        let mut told = None;
        if was.is_some_and(|was| was != up) {
            if let Some(damping) = damping {
                told = self.punish(damping, now);
            }
            self.ramping = None;
            self.awaiting = false;
            if up && calm.failback == Failback::Manual {
                self.awaiting = true;
                told = told.or(Some(Calmed::Awaits));
            } else if up {
                self.ramping = Some(now);
            }
        } else if failed && self.ramping.is_some() {
            self.ramping = Some(now);
        }
        told.or_else(|| self.tick(calm, damping, now))
    }

    /// Lets time do its part.
    pub fn tick(&mut self, calm: &Calm, damping: Option<&Damping>, now: Instant) -> Option<Calmed> {
        if self.ramping.is_some_and(|since| grown(calm.ramp, since, now).is_none()) {
            self.ramping = None;
        }
        if self.awaiting && calm.failback == Failback::Auto {
            self.awaiting = false;
            self.ramping = Some(now);
        }
        let Some(damping) = damping else {
            self.penalty = None;
            return std::mem::take(&mut self.damped).then_some(Calmed::Undamped);
        };
        let penalty = self.penalty(damping, now);
        if self.damped && penalty <= damping.below {
            self.damped = false;
            // What was held down comes back as what has recovered does.
            self.ramping = (self.up == Some(true) && !self.awaiting).then_some(now);
            return Some(Calmed::Undamped);
        }
        // What is next to nothing need not be remembered.
        if !self.damped && penalty < damping.below / 100.0 {
            self.penalty = None;
        }
        None
    }

    /// What it was seen to be was wrong: it is as it is now, and there was no transition to it.
    pub fn take_back(&mut self, seen: &FamilyHealth) {
        self.up = self.up.map(|_| seen.spare > 0.0);
    }

    /// An operator lets it back.
    pub fn let_back(&mut self, now: Instant) -> Option<Calmed> {
        if !std::mem::take(&mut self.awaiting) {
            return None;
        }
        self.ramping = Some(now);
        Some(Calmed::LetBack)
    }

    /// Whether time alone will change something.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        self.ramping.is_some() || self.damped || self.penalty.is_some() || self.awaiting
    }

    /// What is served of what is seen.
    #[must_use]
    pub fn served(&self, seen: FamilyHealth, calm: &Calm, now: Instant) -> FamilyHealth {
        if seen.spare == 0.0 {
            return seen;
        }
        let held = match () {
            () if self.damped => Some(Held::Damped),
            () if self.awaiting => Some(Held::Awaiting),
            () => None,
        };
        if seen.held.is_some() {
            return seen;
        }
        if held.is_some() {
            return FamilyHealth { h: 0.0, flip: None, held, ..seen };
        }
        match self.ramping.and_then(|since| grown(calm.ramp, since, now)) {
            Some((part, next)) => FamilyHealth {
                h: seen.h * part,
                flip: seen.flip.into_iter().chain([next]).min(),
                held: Some(Held::Ramping),
                ..seen
            },
            None => seen,
        }
    }

    /// How far its share has grown, for how long, and of how long.
    #[must_use]
    pub fn ramp(&self, calm: &Calm, now: Instant) -> Option<(f64, Duration, Duration)> {
        let (part, _) = grown(calm.ramp, self.ramping?, now)?;
        Some((part, now.saturating_duration_since(self.ramping?), calm.ramp?.over))
    }

    /// The penalty as it is now.
    #[must_use]
    pub fn penalty(&self, damping: &Damping, now: Instant) -> f64 {
        let Some((penalty, at)) = self.penalty else { return 0.0 };
        let halves = now.saturating_duration_since(at).div_duration_f64(damping.half_life);
        penalty * (-halves).exp2()
    }

    fn punish(&mut self, damping: &Damping, now: Instant) -> Option<Calmed> {
        let longest = damping.at_most.div_duration_f64(damping.half_life);
        let ceiling = (damping.below * longest.exp2()).max(damping.above);
        let penalty = (self.penalty(damping, now) + 1.0).min(ceiling);
        self.penalty = Some((penalty, now));
        if self.damped || penalty < damping.above {
            return None;
        }
        self.damped = true;
        Some(Calmed::Damped(penalty))
    }

    /// What is worth remembering across a restart; `None`: nothing is.
    #[must_use]
    pub fn kept(&self, damping: Option<&Damping>, now: Instant) -> Option<KeptCalming> {
        self.is_busy().then(|| KeptCalming {
            up: self.up,
            ramping: self.ramping.map(|since| now.saturating_duration_since(since)),
            penalty: damping.map_or(0.0, |damping| self.penalty(damping, now)),
            damped: self.damped,
            awaiting: self.awaiting,
        })
    }

    /// What was remembered, `ago` before now.
    #[must_use]
    pub fn restored(
        kept: &KeptCalming,
        damping: Option<&Damping>,
        ago: Duration,
        now: Instant,
    ) -> Self {
        let before = |age: Duration| now.checked_sub(age).unwrap_or(now);
        let mut calming = Self {
            up: kept.up,
            ramping: kept.ramping.map(|age| before(age.saturating_add(ago))),
            penalty: None,
            damped: kept.damped && damping.is_some(),
            awaiting: kept.awaiting,
        };
        if let Some(damping) = damping.filter(|_| kept.penalty.is_finite() && kept.penalty > 0.0) {
            let halves = ago.div_duration_f64(damping.half_life);
            calming.penalty = Some((kept.penalty * (-halves).exp2(), now));
        }
        calming
    }
}

/// How far a share has grown, and how long it stays so; `None`: it is full.
fn grown(ramp: Option<Ramp>, since: Instant, now: Instant) -> Option<(f64, Duration)> {
    let Ramp { over, from } = ramp?;
    let step = (over / STEPS).max(STEP);
    let age = now.saturating_duration_since(since);
    if age >= over {
        return None;
    }
    let steps = over.as_nanos().div_ceil(step.as_nanos());
    let done = age.as_nanos() / step.as_nanos();
    let part = from + (1.0 - from) * (done as f64 / steps as f64);
    let done = u32::try_from(done).unwrap_or(u32::MAX);
    let next = step.saturating_mul(done.saturating_add(1)).min(over);
    Some((part, next.saturating_sub(age)))
}

#[cfg(test)]
mod tests;
