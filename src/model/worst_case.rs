//! How long a failure can go unnoticed, in the worst case.

use std::time::Duration;

use super::Timing;

/// The longest time until a target that fails is down, and until the clients that a resolver
/// served from its cache are elsewhere, for a record with these TTLs in seconds.
///
/// A probe may just have passed when the target fails, and then `fall` of them must fail. The TTL
/// of what is answered in that time shrinks with each failure that is counted, so clients are late
/// either by the full TTL of an answer given before the first failure was seen, or by the shrunken
/// one of an answer given just before the target was down.
#[must_use]
pub fn worst_case(timing: Timing, ttl: u32, ttl_min: u32) -> (Duration, Duration) {
    let secs = |n: u32| Duration::from_secs(n.into());
    let detection = timing.interval * timing.fall + timing.timeout;
    let calm = timing.interval + timing.timeout + secs(ttl);
    let in_doubt = detection + secs(ttl_min).max(timing.interval);
    (detection, calm.max(in_doubt))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_cases_that_check_prints() {
        let secs = Duration::from_secs;
        let timing = Timing { interval: secs(10), fast: None, timeout: secs(2), fall: 3, rise: 2 };
        assert_eq!(worst_case(timing, 60, 10), (secs(32), secs(72)));
        assert_eq!(worst_case(timing, 5, 5), (secs(32), secs(42)));
        assert_eq!(worst_case(timing, 60, 60), (secs(32), secs(92)));
        let fast = Timing { interval: secs(1), timeout: Duration::from_millis(500), ..timing };
        assert_eq!(
            worst_case(fast, 5, 1),
            (Duration::from_millis(3500), Duration::from_millis(6500))
        );
    }
}
