//! Buckets, and quantiles by them.

use crate::load::histogram::{Histogram, bucket, middle};

#[test]
fn small_values_are_counted_exactly() {
    for value in 0..256 {
        assert_eq!(middle(bucket(value)), value);
    }
}

#[test]
fn the_middle_of_a_bucket_is_within_four_tenths_of_a_percent() {
    let mut rng = fastrand::Rng::with_seed(1);
    for bits in 8..64 {
        for _ in 0..100 {
            let value = 1 << bits | rng.u64(..1 << bits);
            let off = middle(bucket(value)).abs_diff(value);
            assert!(off as f64 <= value as f64 * 0.004, "{value}: off by {off}");
        }
    }
    assert!(bucket(u64::MAX) < Histogram::default().buckets.len());
}

#[test]
fn buckets_follow_each_other() {
    for value in 0..100_000_u64 {
        let (this, next) = (bucket(value), bucket(value + 1));
        assert!(next == this || next == this + 1, "{value}");
    }
}

#[test]
fn quantiles_are_those_of_the_sorted_values() {
    let mut rng = fastrand::Rng::with_seed(2);
    let mut values: Vec<u64> = (0..10_000).map(|_| 1 << rng.u32(5..30)).collect();
    values.iter_mut().for_each(|value| *value += rng.u64(..*value));
    let mut histogram = Histogram::default();
    values.iter().for_each(|value| histogram.add(*value));
    values.sort_unstable();
    for (part, at) in [(0.5, 4999), (0.9, 8999), (0.99, 9899), (0.999, 9989), (1.0, 9999)] {
        let (found, wanted) = (histogram.quantile(part), values[at]);
        let off = found.abs_diff(wanted) as f64 / wanted as f64;
        assert!(off <= 0.004, "{part}: {found} instead of {wanted}");
    }
    assert_eq!((histogram.min(), histogram.max()), (values[0], values[9999]));
    let mean = values.iter().sum::<u64>() as f64 / 1e4;
    assert!((histogram.mean() - mean).abs() < 1.0);
}

#[test]
fn nothing_counted_is_all_zero() {
    let none = Histogram::default();
    assert_eq!((none.min(), none.quantile(0.5), none.max(), none.mean()), (0, 0, 0, 0.0));
}
