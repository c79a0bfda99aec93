//! What operators force: overrides, apart from what is configured and what is observed.
//!
//! An override stands on a region, or on a region within one record, by name, so that it stays when
//! the configuration is loaded again. It has one of two axes: a state, of which the most restrictive
//! counts, or a weight, of which a record's beats a region's, and then the newest.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{RegionId, Weight};
use crate::wire::Name;

/// A moment on the timeline of the stored state: milliseconds that go on across restarts, and that
/// setting the system's clock does not move.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Moment(pub u64);

impl Moment {
    /// So much later.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)))
    }

    /// From an earlier moment to this one; nothing when it is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// What one operator forces.
#[derive(Debug, Clone, PartialEq)]
pub struct Override {
    /// Its number; none is given twice.
    pub id: u64,
    /// The name of the region that it stands on.
    pub region: Arc<str>,
    /// The record in which it stands there; `None`: in all.
    pub record: Option<Name>,
    /// What is forced.
    pub force: Force,
    /// Who forces it.
    pub actor: String,
    /// Why.
    pub reason: Option<String>,
    /// Since when.
    pub since: Moment,
    /// When it ends by itself; a drain that went gradually returns as gradually from then on.
    pub until: Option<Moment>,
}

/// What is forced.
#[derive(Debug, Clone, PartialEq)]
pub enum Force {
    /// No share while any other pool of the tree is up.
    Drain(Move),
    /// Never a share.
    Down,
    /// As if up.
    Up,
    /// Another weight.
    Weight(Weight),
    /// Another region answers in its place.
    Shift(Arc<str>),
}

/// A drain or a return, at once or in steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Move {
    /// The part that was drained when it began, 0 to 1.
    pub from: f64,
    /// The part that is drained when it is done, 0 to 1.
    pub to: f64,
    /// When it began.
    pub since: Moment,
    /// How long it takes, in milliseconds; 0: it is done at once.
    pub over_ms: u64,
}

/// In how many steps a gradual move is made: the first at once, the last when it is done. Each step
/// is one publication.
pub const STEPS: u32 = 20;

impl Move {
    /// A drain of all, or a return, that begins now.
    #[must_use]
    pub fn new(from: f64, to: f64, since: Moment, over: Duration) -> Self {
        let over_ms = u64::try_from(over.as_millis()).unwrap_or(u64::MAX);
        Self { from, to, since, over_ms }
    }

    /// The part that is drained at a moment, 0 to 1.
    #[must_use]
    pub fn at(&self, now: Moment) -> f64 {
        let done = self.steps(now);
        self.from + (self.to - self.from) * f64::from(done) / f64::from(STEPS)
    }

    /// Whether all steps are made.
    #[must_use]
    pub fn is_done(&self, now: Moment) -> bool {
        self.steps(now) == STEPS
    }

    /// When the next step is due; `None`: all are made.
    #[must_use]
    pub fn next(&self, now: Moment) -> Option<Moment> {
        let done = self.steps(now);
        (done < STEPS).then(|| {
            // The least time after which that many steps are made.
            let gaps = u64::from(STEPS) - 1;
            let wait = (self.over_ms.saturating_mul(u64::from(done))).div_ceil(gaps);
            self.since.after(Duration::from_millis(wait))
        })
    }

    /// How many steps are made.
    fn steps(&self, now: Moment) -> u32 {
        let passed = now.0.saturating_sub(self.since.0);
        if passed >= self.over_ms {
            return STEPS;
        }
        let gaps = u128::from(STEPS) - 1;
        let made = u128::from(passed) * gaps / u128::from(self.over_ms) + 1;
        u32::try_from(made).unwrap_or(STEPS).min(STEPS)
    }
}

impl Force {
    /// The word of the command line and the API.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Drain(_) => "drain",
            Self::Down => "force-down",
            Self::Up => "force-up",
            Self::Weight(_) => "weight",
            Self::Shift(_) => "shift",
        }
    }
}

/// What operators make of one pool in one tree, all overrides together.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Forcing {
    /// As if up.
    pub up: bool,
    /// The part that is drained, 0 to 1.
    pub drained: f64,
    /// Never a share.
    pub down: bool,
    /// The weight that counts in place of any configured one.
    pub weight: Option<Weight>,
    /// Another region that answers in its place.
    pub shifted: Option<Shifted>,
    /// How soon something else is going to be forced; answers are kept no longer than that.
    pub flip: Option<Duration>,
}

/// That another region answers in a region's place, for a part of the answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shifted {
    /// The other region.
    pub to: RegionId,
    /// The part of the answers, 0 to 1.
    pub part: f64,
}

/// The state that is forced on a pool: of several, the most restrictive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Forced {
    /// None.
    #[default]
    No,
    /// As if up.
    Up,
    /// No share while any other pool is up.
    Drained,
    /// Never a share.
    Down,
}

impl Forcing {
    /// Whether nothing is forced.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// What is forced, where a pool of which more than the part `cut` is drained counts as drained.
    #[must_use]
    pub fn forced(&self, cut: f64) -> Forced {
        match self {
            Self { down: true, .. } => Forced::Down,
            Self { drained, .. } if *drained > cut => Forced::Drained,
            Self { up: true, .. } => Forced::Up,
            _ => Forced::No,
        }
    }

    /// Takes in one more override, as it is at a moment. Of several weights the last one taken in
    /// counts. (A shift is for who knows the other region: [`Forcing::shifted`].)
    pub fn add(&mut self, force: &Force, now: Moment) {
        match force {
            Force::Shift(_) => {}
            Force::Drain(drain) => self.drained = self.drained.max(drain.at(now)),
            Force::Down => self.down = true,
            Force::Up => self.up = true,
            Force::Weight(weight) => self.weight = Some(*weight),
        }
    }

    /// Together with what is forced more closely: in one record.
    #[must_use]
    pub fn with(self, closer: Self) -> Self {
        Self {
            up: self.up || closer.up,
            drained: self.drained.max(closer.drained),
            down: self.down || closer.down,
            weight: closer.weight.or(self.weight),
            shifted: closer.shifted.or(self.shifted),
            flip: self.flip.into_iter().chain(closer.flip).min(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gradual_move_starts_at_once_and_ends_in_time() {
        let over = Duration::from_secs(190);
        let drain = Move::new(0.0, 1.0, Moment(1000), over);
        let at = |secs: u64| (drain.at(Moment(1000 + secs * 1000)) * 100.0).round() as u32;
        assert_eq!(
            [at(0), at(9), at(10), at(95), at(189), at(190), at(999)],
            [5, 5, 10, 50, 95, 100, 100]
        );
        // Each next step is where the part changes, and not before.
        let (mut now, mut steps) = (Moment(1000), 1);
        while let Some(next) = drain.next(now) {
            assert!(drain.at(Moment(next.0 - 1)) < drain.at(next), "{next:?}");
            (now, steps) = (next, steps + 1);
        }
        assert_eq!((steps, now), (STEPS, Moment(191_000)));
    }

    #[test]
    fn a_move_in_no_time_is_done() {
        let back = Move::new(0.4, 0.0, Moment(5), Duration::ZERO);
        assert_eq!(
            (back.at(Moment(5)), back.is_done(Moment(5)), back.next(Moment(5))),
            (0.0, true, None)
        );
        // A move that is shorter than its steps are many.
        let short = Move::new(0.0, 1.0, Moment(0), Duration::from_millis(3));
        let parts: Vec<f64> = (0..4).map(|ms| short.at(Moment(ms))).collect();
        assert!(parts.windows(2).all(|two| two[0] < two[1]) && parts[3] == 1.0, "{parts:?}");
    }

    #[test]
    fn the_most_restrictive_counts() {
        let now = Moment(7);
        let drain = |part| Force::Drain(Move::new(part, part, now, Duration::ZERO));
        let of = |forces: &[Force]| {
            let mut forcing = Forcing::default();
            forces.iter().for_each(|force| forcing.add(force, now));
            [0.0, 0.5].map(|cut| forcing.forced(cut))
        };
        use Forced::{Down, Drained, No, Up};
        assert_eq!(of(&[]), [No, No]);
        assert_eq!(of(&[Force::Up]), [Up, Up]);
        assert_eq!(of(&[Force::Up, drain(1.0)]), [Drained, Drained]);
        assert_eq!(
            of(&[drain(0.4), Force::Up, drain(0.3)]),
            [Drained, Up],
            "up where it is not drained"
        );
        assert_eq!(of(&[drain(1.0), Force::Down, Force::Up]), [Down, Down]);
    }

    #[test]
    fn a_records_weight_counts_before_a_regions_and_then_the_newest() {
        let mut all = Forcing::default();
        let mut own = Forcing::default();
        all.add(&Force::Weight(Weight(1)), Moment(0));
        all.add(&Force::Weight(Weight(2)), Moment(0));
        assert_eq!(all.with(own).weight, Some(Weight(2)));
        own.add(&Force::Weight(Weight(3)), Moment(0));
        assert_eq!(all.with(own).weight, Some(Weight(3)));
    }
}
