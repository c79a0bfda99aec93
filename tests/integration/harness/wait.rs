//! Waiting for something that can be seen, never for a length of time.

use std::thread::sleep;
use std::time::Duration;

use trimtab::clock::now;

/// How long anything may take before a test gives up: far more than it ever should.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// From one look to the next.
const GAP: Duration = Duration::from_millis(10);

/// Looks until there is something to see; panics with `what` when there never is.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(now() < deadline, "not within {} s: {what}", PATIENCE.as_secs());
        sleep(GAP);
    }
}
