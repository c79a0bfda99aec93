//! How far regions are, by the probes: smoothed, kept, and passed on only when it matters.

use std::sync::Arc;
use std::time::Duration;

use super::store::Store;
use super::tests::{Running, TIMING, assembly_of, check, nothing, start_with};
use crate::clock;
use crate::metrics::Metrics;
use crate::model::{Destination, OnAllDown};
use crate::routing::Assembly;

const TOLERANCE: Duration = Duration::from_millis(10);

/// Regions shared by latency.
fn regions(numbers: &[u8]) -> Arc<Assembly> {
    let regions: Vec<(u8, u8)> = numbers.iter().map(|n| (*n, 1)).collect();
    assembly_of(&regions, &check("web"), OnAllDown::Open, Some(TOLERANCE))
}

impl Running {
    /// A region's only address is connected to within so many milliseconds, so often.
    async fn connects(&self, region: u8, ms: u64, times: u32) {
        for _ in 0..times {
            tokio::time::advance(TIMING.interval).await;
            self.timed([192, 0, region, 1], true, Some(Duration::from_millis(ms))).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_nearest_band_is_served_when_all_are_known() {
    let server = start_with(regions(&[0, 1, 2]), &nothing, None);
    server.connects(0, 80, 1).await;
    server.connects(1, 20, 1).await;
    // Two of three are known: by weight.
    assert_eq!(server.served().0, [33, 33, 33]);
    server.connects(2, 30, 1).await;
    assert_eq!(server.served().0, [0, 50, 50]);
    // The nearest go down; their figures stay.
    for region in [1, 2] {
        for _ in 0..3 {
            server.seen([192, 0, region, 1], false).await;
        }
    }
    assert_eq!(server.served().0, [100, 0, 0]);
    server.connects(2, 30, 2).await;
    assert_eq!(server.served().0, [0, 0, 100]);
}

#[tokio::test(start_paused = true)]
async fn noise_publishes_nothing_and_a_move_does() {
    let server = start_with(regions(&[0, 1]), &nothing, None);
    server.connects(0, 20, 1).await;
    server.connects(1, 40, 1).await;
    let before = server.generation();
    for ms in [45, 35, 52, 30, 99] {
        server.connects(1, ms, 1).await;
        server.connects(1, 40, 2).await;
    }
    assert_eq!((server.generation(), server.served().0), (before, vec![100, 0]));
    // An eighth less each time, from about 40: 35, 31, 27. The third is more than ten away from what
    // is in force, and within ten of the other.
    server.connects(1, 0, 2).await;
    assert_eq!(server.generation(), before);
    server.connects(1, 0, 2).await;
    assert_eq!((server.generation(), server.served().0), (before + 1, vec![50, 50]));
}

#[tokio::test(start_paused = true)]
async fn a_reload_and_a_restart_go_on_from_what_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Store::open(dir.path(), Metrics::new()).unwrap();
    let server = start_with(regions(&[0, 1]), &nothing, Some(open().0));
    server.connects(0, 50, 1).await;
    server.connects(1, 20, 1).await;
    server.reload(regions(&[1, 0])).await;
    assert_eq!(server.served().0, [100, 0]);
    // Another question, so other targets, in the same regions.
    let mut other = (*check("web")).clone();
    other.port = 81;
    let assembly =
        assembly_of(&[(0, 1), (1, 1)], &Arc::new(other), OnAllDown::Open, Some(TOLERANCE));
    server.reload(assembly).await;
    assert_eq!(server.served().0, [0, 100]);
    server.stop().await;

    let (store, restored) = open();
    let past = restored.at(clock::now());
    let server = start_with(regions(&[0, 1]), &past, Some(store));
    assert_eq!(server.served().0, [0, 100]);
    // One slow connection is noise to what was smoothed before.
    server.connects(1, 90, 1).await;
    assert_eq!(server.served().0, [0, 100]);
    server.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_probed_elsewhere_says_nothing_of_the_way() {
    let mut elsewhere = (*check("web")).clone();
    elsewhere.target = Some(Destination::Address([203, 0, 113, 1].into()));
    let regions = [(0, 1), (1, 1)];
    let assembly = assembly_of(&regions, &Arc::new(elsewhere), OnAllDown::Open, Some(TOLERANCE));
    let server = start_with(assembly, &nothing, None);
    server.timed([203, 0, 113, 1], true, Some(Duration::from_millis(5))).await;
    assert!(server.handle.current().rtts.iter().all(Option::is_none));
}
