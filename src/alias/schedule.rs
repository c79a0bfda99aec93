//! When a name is looked up again. Pure.

use std::time::Duration;

use crate::model::Looked;

/// After failures a name is looked up again after this at the latest, unless the least pause is longer.
const RETRY_MAX: Duration = Duration::from_secs(60);

/// How often names are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The least time from one look to the next.
    pub ttl_min: Duration,
    /// The longest.
    pub ttl_max: Duration,
}

impl Pace {
    /// A TTL within the bounds, in seconds.
    #[must_use]
    pub fn bounded(self, ttl_secs: u32) -> u32 {
        let secs = |time: Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
        ttl_secs.max(secs(self.ttl_min)).min(secs(self.ttl_max))
    }

    /// How long to wait after a look, the last `failures` of which in a row came to nothing: until what
    /// was found has run out, for a resolver that keeps it tells nothing new before; after a failure as
    /// long as the least pause, and twice as long each time.
    #[must_use]
    pub fn pause(self, looked: &Looked, failures: u32) -> Duration {
        let until_old = Duration::from_secs(self.bounded(looked.ttl_secs).into());
        if failures == 0 {
            return until_old;
        }
        let doubled = self.ttl_min.saturating_mul(1 << (failures - 1).min(16));
        let most = RETRY_MAX.min(self.ttl_max).max(self.ttl_min);
        let retry = doubled.min(most);
        match looked.ttl_secs {
            // Nothing was found that could run out.
            0 => retry,
            _ => retry.min(until_old),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::wire::Name;

    const fn pace(ttl_min: u64, ttl_max: u64) -> Pace {
        Pace { ttl_min: Duration::from_secs(ttl_min), ttl_max: Duration::from_secs(ttl_max) }
    }

    #[rstest]
    #[case::as_the_ttl_says(60, 0, 60)]
    #[case::not_below_the_floor(1, 0, 5)]
    #[case::not_at_once(0, 0, 5)]
    #[case::not_above_the_ceiling(86_400, 0, 3600)]
    #[case::a_failure(0, 1, 5)]
    #[case::another(0, 2, 10)]
    #[case::and_one_more(0, 3, 20)]
    #[case::not_for_ever(0, 9, 60)]
    #[case::nor_with_an_overflow(0, u32::MAX, 60)]
    #[case::one_family_alone_has_failed(30, 9, 30)]
    #[case::the_other_lasts_longer(300, 2, 10)]
    fn from_one_look_to_the_next(#[case] ttl: u32, #[case] failures: u32, #[case] wanted: u64) {
        let looked = Looked {
            name: Name::from_text("lb.example.net").unwrap(),
            v4: None,
            v6: None,
            ttl_secs: ttl,
            trouble: None,
        };
        assert_eq!(pace(5, 3600).pause(&looked, failures), Duration::from_secs(wanted));
    }

    #[rstest]
    #[case::the_floor_is_above_what_failures_come_to(pace(300, 3600), 4, 300)]
    #[case::the_ceiling_is_below(pace(5, 10), 4, 10)]
    fn bounds_hold_for_failures_as_well(
        #[case] pace: Pace,
        #[case] failures: u32,
        #[case] wanted: u64,
    ) {
        let name = Name::from_text("lb.example.net").unwrap();
        let looked = Looked { name, v4: None, v6: None, ttl_secs: 0, trouble: None };
        assert_eq!(pace.pause(&looked, failures), Duration::from_secs(wanted));
    }
}
