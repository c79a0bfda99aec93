//! Regions in bands of about the same figure: round-trip times, or distances.
//!
//! Bands are fixed by the figures alone. Health comes later: a band whose regions are all down is
//! passed over and no other moves, so that a failure moves only those who were there.

/// The positions of `figures` in bands, nearest first. A band begins with the least figure that
/// is left and takes in all that are at most `tolerance` above it.
///
/// Within a band positions ascend, for nothing depends on their order: so clients with the same
/// regions in the same bands get equal ones. Figures should be whole numbers of a fine unit
/// (nanoseconds, metres), so that differences are exact. What is no number comes last, each in a
/// band by itself.
///
/// ```
/// # use trimtab::routing::bands_of;
/// assert_eq!(bands_of(&[80.0, 22.0, 21.0, 12.0], 10.0), [vec![1, 2, 3], vec![0]]);
/// ```
#[must_use]
pub fn bands_of(figures: &[f64], tolerance: f64) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..figures.len()).collect();
    order.sort_by(|&a, &b| figures[a].total_cmp(&figures[b]));
    let mut bands: Vec<Vec<usize>> = Vec::new();
    let mut best = f64::NAN;
    for at in order {
        match bands.last_mut() {
            Some(band) if figures[at] - best <= tolerance => band.push(at),
            _ => {
                best = figures[at];
                bands.push(vec![at]);
            }
        }
    }
    for band in &mut bands {
        band.sort_unstable();
    }
    bands
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case::none(&[], 10.0, vec![])]
    #[case::one(&[5.0], 0.0, vec![vec![0]])]
    #[case::equal_ones_are_together(&[5.0, 3.0, 5.0, 3.0], 0.0, vec![vec![1, 3], vec![0, 2]])]
    #[case::just_within(&[20.0, 10.0], 10.0, vec![vec![0, 1]])]
    #[case::just_beyond(&[21.0, 10.0], 10.0, vec![vec![1], vec![0]])]
    // 12 to 22 is one band; 23 begins the next although 22 is near it.
    #[case::from_the_best_on(&[32.0, 22.0, 23.0, 12.0], 10.0, vec![vec![1, 3], vec![0, 2]])]
    #[case::no_number_comes_last(&[f64::NAN, 1.0, f64::NAN], 10.0, vec![vec![1], vec![0], vec![2]])]
    fn by_hand(#[case] figures: &[f64], #[case] tolerance: f64, #[case] want: Vec<Vec<usize>>) {
        assert_eq!(bands_of(figures, tolerance), want);
    }

    proptest! {
        #[test]
        fn each_stands_once_and_where_it_belongs(
            figures in prop::collection::vec(0_u32..100, 0..20),
            tolerance in 0_u32..30,
        ) {
            let real: Vec<f64> = figures.iter().map(|&f| f64::from(f)).collect();
            let bands = bands_of(&real, f64::from(tolerance));
            let mut all: Vec<usize> = bands.concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..figures.len()).collect::<Vec<_>>());
            let mut beyond = 0;
            for band in &bands {
                let best = band.iter().map(|&at| figures[at]).min().unwrap();
                prop_assert!(best >= beyond, "{:?}", bands);
                prop_assert!(band.iter().all(|&at| figures[at] <= best + tolerance));
                prop_assert!(band.is_sorted());
                beyond = best + tolerance + 1;
            }
        }
    }
}
