//! How many probes are under way at once when every target hangs.

use super::Timing;

/// The number of probes that must be able to run at once for every target to keep its interval
/// while all of them hang: a quarter more than Σ timeout ÷ interval, rounded up.
#[must_use]
pub fn probes_at_once(timings: impl IntoIterator<Item = Timing>) -> usize {
    let busy: f64 = timings
        .into_iter()
        .filter(|timing| !timing.interval.is_zero())
        .map(|timing| timing.timeout.div_duration_f64(timing.interval))
        .sum();
    // The sum of equal parts may be a hair above what it should be; the cast saturates.
    (busy * 1.25 - 1e-6).ceil() as usize
}
