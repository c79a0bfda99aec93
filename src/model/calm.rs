//! How a region's share follows its health: not at once, and not in full.

use std::sync::Arc;
use std::time::Duration;

use super::Check;

/// What becomes of a pool's health before it is served.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Calm {
    /// After a recovery it grows. `None`: it is full at once.
    pub ramp: Option<Ramp>,
    /// It shrinks with the load that its targets report.
    pub shed: Shed,
    /// Who lets it back after it was down.
    pub failback: Failback,
}

/// Growing after a recovery.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ramp {
    /// From the recovery to the full share; above 0.
    pub over: Duration,
    /// The factor that it begins with, 0 to 1.
    pub from: f64,
}

/// Shrinking with a reported load, linearly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shed {
    /// The load from which on it shrinks; 1 is what the region takes itself to bear.
    pub from: f64,
    /// The load at which nothing is left; above `from`.
    pub to: f64,
}

impl Default for Shed {
    fn default() -> Self {
        Self { from: 0.8, to: 1.0 }
    }
}

impl Shed {
    /// So much of the share is left at a load, 0 to 1, in steps of a twentieth: noise moves nothing.
    #[must_use]
    pub fn left(self, load: f64) -> f64 {
        let left = (self.to - load) / (self.to - self.from);
        if left.is_nan() { 1.0 } else { (left.clamp(0.0, 1.0) * 20.0).round() / 20.0 }
    }
}

/// Who lets a pool back after it was down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Failback {
    /// Its health does.
    #[default]
    Auto,
    /// An operator does.
    Manual,
}

/// Holding down what changes its state too often (as RFC 2439 does for routes).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Damping {
    /// A transition adds 1 to a penalty; above this it is held down.
    pub above: f64,
    /// It is let go when the penalty has decayed to this.
    pub below: f64,
    /// In this time half of the penalty decays.
    pub half_life: Duration,
    /// It is held no longer than this after its last transition.
    pub at_most: Duration,
}

/// What keeps failing probes from taking away too much.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Safety {
    /// At most this part of the regions may be out at once by probes alone, 0 to 1.
    pub max_ejected: f64,
}

impl Default for Safety {
    fn default() -> Self {
        Self { max_ejected: 1.0 }
    }
}

/// How health is judged as a whole, beside what each check and region says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Judging {
    /// Holding down what flaps. `None`: nothing is.
    pub damping: Option<Damping>,
    /// How far probes are trusted.
    pub safety: Safety,
    /// Checks with targets of their own that fail only when this nameserver is cut off; none: it never
    /// takes itself to be.
    pub references: Vec<Arc<Check>>,
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::little(0.3, 1.0)]
    #[case::at_the_border(0.8, 1.0)]
    #[case::half(0.9, 0.5)]
    #[case::in_steps(0.907, 0.45)]
    #[case::full(1.0, 0.0)]
    #[case::more(7.0, 0.0)]
    #[case::not_a_number(f64::NAN, 1.0)]
    fn the_share_shrinks_with_the_load(#[case] load: f64, #[case] left: f64) {
        assert_eq!(Shed::default().left(load), left);
    }
}
