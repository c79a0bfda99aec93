//! How far probes are trusted: when too many regions fail at once, it is more likely that this
//! nameserver sees wrongly than that they are all out. Pure.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::model::{RegionId, Safety};

/// Of the regions that fail, each with the instant since when, those that are kept in service: the
/// last ones, beyond the part of all (`of`, those that are probed) that may be out. Two that fail
/// since the same instant are taken in the order of the configuration.
#[must_use]
pub fn kept(
    failing: impl IntoIterator<Item = (RegionId, Instant)>,
    of: usize,
    safety: Safety,
) -> BTreeSet<RegionId> {
    let mut failing: Vec<(Instant, RegionId)> =
        failing.into_iter().map(|(region, since)| (since, region)).collect();
    failing.sort_unstable();
    // A hair more, so that a third of three is one. The cast saturates.
    let may_be_out = (of as f64 * safety.max_ejected + 1e-9).floor() as usize;
    failing.into_iter().skip(may_be_out).map(|(_, region)| region).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rstest::rstest;

    use super::*;
    use crate::clock;

    /// `failing` the seconds since when each region fails, `-` for one that does not.
    #[rstest]
    #[case::none_fails("- - - -", 0.5, "")]
    #[case::as_many_as_may("3 - 1 -", 0.5, "")]
    #[case::the_last_are_kept("3 2 1 -", 0.5, "0")]
    #[case::all_fail("3 2 1 0", 0.5, "0 1")]
    #[case::at_the_same_time("5 5 5 5", 0.25, "1 2 3")]
    #[case::nobody_may("5 - - -", 0.0, "0")]
    #[case::all_may("5 5 5 5", 1.0, "")]
    #[case::a_third_of_three("5 6 -", 1.0 / 3.0, "1")]
    #[case::less_than_one("5 - -", 0.3, "0")]
    fn the_last_to_fail_are_kept(
        #[case] failing: &str,
        #[case] max_ejected: f64,
        #[case] expected: &str,
    ) {
        let start = clock::now();
        let each: Vec<&str> = failing.split(' ').collect();
        let at = (0..).map(RegionId).zip(&each).filter_map(|(region, secs)| {
            Some((region, start + Duration::from_secs(secs.parse().ok()?)))
        });
        let kept = kept(at, each.len(), Safety { max_ejected });
        let expected: BTreeSet<RegionId> =
            expected.split_whitespace().map(|n| RegionId(n.parse().unwrap())).collect();
        assert_eq!(kept, expected);
    }
}
