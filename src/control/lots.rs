//! What is seen in quick succession is taken in together, and nothing of it is lost.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::store::Store;
use super::tests::{Running, assembly_of, check, nothing, start_with};
use crate::clock;
use crate::health::State;
use crate::metrics::Metrics;
use crate::model::{Destination, OnAllDown};

const EAST: [u8; 4] = [192, 0, 0, 1];
const WEST: [u8; 4] = [192, 0, 1, 1];

fn start() -> Running {
    let assembly = assembly_of(&[(0, 1), (1, 1)], &check("web"), OnAllDown::Open, None);
    start_with(assembly, &nothing, None)
}

/// How many results of a region are counted.
fn counted(server: &Running, region: &str, result: &str) -> Option<u32> {
    let labels = format!("{{region=\"{region}\",check=\"web\",result=\"{result}\"}} ");
    let text = server.metrics.text();
    let value = text.split_once(&format!("trimtab_check_results_total{labels}"))?.1;
    value.split_once('\n')?.0.parse().ok()
}

async fn millis(ms: u64) {
    sleep(Duration::from_millis(ms)).await;
}

#[tokio::test(start_paused = true)]
async fn after_a_pause_a_result_counts_at_once_and_the_next_ones_together() {
    let server = start();
    millis(100).await;
    server.told(EAST, true, None).await;
    millis(1).await;
    assert_eq!(counted(&server, "r0", "pass"), Some(1));
    for _ in 0..3 {
        server.told(EAST, true, None).await;
        server.told(WEST, false, None).await;
        millis(1).await;
    }
    assert_eq!((counted(&server, "r0", "pass"), counted(&server, "r1", "fail")), (Some(1), None));
    millis(10).await;
    assert_eq!(
        (counted(&server, "r0", "pass"), counted(&server, "r1", "fail")),
        (Some(4), Some(3))
    );
}

#[tokio::test(start_paused = true)]
async fn what_all_of_a_lot_come_to_is_published_once() {
    let server = start();
    for address in [EAST, WEST] {
        server.seen(address, true).await;
        server.seen(address, false).await;
        server.seen(address, false).await;
    }
    let before = server.generation();
    millis(1000).await;
    server.told(EAST, false, None).await;
    server.told(WEST, false, None).await;
    millis(50).await;
    assert_eq!(server.generation(), before + 1, "one region is never seen to be down alone");
    assert!(server.served().2, "all are down");
}

#[tokio::test(start_paused = true)]
async fn what_changes_nothing_does_not_put_off_what_does() {
    let server = start();
    server.seen(EAST, true).await;
    for pass in [true, true, false, false, false] {
        server.told(EAST, false, None).await;
        server.told(WEST, pass, None).await;
        millis(11).await;
    }
    // West's first success was published, and all else waits for a while to pass.
    server.told(EAST, false, None).await;
    millis(100).await;
    assert!(server.served().2, "all are down");
    let before = server.generation();
    millis(1000).await;
    assert_eq!(server.generation(), before);
}

#[tokio::test(start_paused = true)]
async fn a_reload_goes_on_counting() {
    let server = start();
    server.seen(EAST, true).await;
    server.seen(WEST, true).await;
    // The other region goes, and comes back with new counters.
    let east = assembly_of(&[(0, 1)], &check("web"), OnAllDown::Open, None);
    server.reload(east).await;
    server.seen(EAST, true).await;
    assert_eq!((counted(&server, "r0", "pass"), counted(&server, "r1", "pass")), (Some(2), None));
    let both = assembly_of(&[(0, 1), (1, 1)], &check("web"), OnAllDown::Open, None);
    server.reload(both).await;
    server.seen(WEST, true).await;
    assert_eq!(
        (counted(&server, "r0", "pass"), counted(&server, "r1", "pass")),
        (Some(2), Some(1))
    );
}

#[tokio::test(start_paused = true)]
async fn a_region_that_comes_to_a_target_counts_from_then_on() {
    let mut elsewhere = (*check("web")).clone();
    elsewhere.target = Some(Destination::Address([203, 0, 113, 1].into()));
    let elsewhere = Arc::new(elsewhere);
    let of = |regions: &[(u8, u8)]| assembly_of(regions, &elsewhere, OnAllDown::Open, None);
    let server = start_with(of(&[(0, 1)]), &nothing, None);
    for (regions, counts) in [
        (vec![(0, 1)], (Some(1), None)),
        (vec![(0, 1), (1, 1)], (Some(2), Some(1))),
        (vec![(1, 1)], (None, Some(2))),
        (vec![(0, 1), (1, 1)], (Some(1), Some(3))),
    ] {
        server.reload(of(&regions)).await;
        server.seen([203, 0, 113, 1], true).await;
        assert_eq!((counted(&server, "r0", "pass"), counted(&server, "r1", "pass")), counts);
    }
}

#[tokio::test(start_paused = true)]
async fn all_have_settled_when_the_last_has() {
    let server = start();
    assert!(!server.has_settled());
    server.seen(EAST, true).await;
    server.seen(EAST, false).await;
    assert!(!server.has_settled());
    for _ in 0..3 {
        server.seen(WEST, false).await;
    }
    assert!(server.has_settled());
    let more = assembly_of(&[(0, 1), (1, 2)], &check("web"), OnAllDown::Open, None);
    for _ in 0..2 {
        server.reload(Arc::clone(&more)).await;
        assert!(!server.has_settled(), "there is a new one");
    }
    server.seen([192, 0, 1, 2], true).await;
    assert!(server.has_settled());
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_its_turn_at_the_end_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Store::open(dir.path(), Metrics::new()).unwrap();
    let web = check("web");
    let assembly = assembly_of(&[(0, 1), (1, 1)], &web, OnAllDown::Open, None);
    let server = start_with(assembly, &nothing, Some(open().0));
    server.seen(EAST, true).await;
    server.told(EAST, false, None).await;
    millis(1).await;
    // Less than a lot later, and then the end.
    for _ in 0..3 {
        server.told(EAST, false, None).await;
    }
    server.stop().await;
    let at = Destination::Address(EAST.into());
    let restored = open().1;
    let (now, moment) = (clock::now(), restored.moment(clock::now()));
    let stored = restored.health(&web, &at, now, moment).unwrap();
    assert_eq!((stored.state, stored.failures), (State::Down, 4), "with what changed nothing");
}
