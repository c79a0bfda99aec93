//! What is remembered, through doubt, reloads and restarts.

use std::sync::Arc;

use tokio::time::advance;

use super::store::Store;
use super::tests::{Running, TIMING, assembly_of, check, nothing, start_with};
use crate::clock;
use crate::metrics::Metrics;
use crate::model::{Family, OnAllDown, RecordId};
use crate::routing::{Assembly, Reason};

fn regions(numbers: &[u8]) -> Arc<Assembly> {
    let regions: Vec<(u8, u8)> = numbers.iter().map(|n| (*n, 1)).collect();
    assembly_of(&regions, &check("web"), OnAllDown::LastGood, None)
}

impl Running {
    pub(super) fn reason(&self) -> Reason {
        let snapshot = self.handle.current();
        let (_, side) = snapshot.side(RecordId(0), Family::V4).unwrap();
        side.class(0).unwrap().distribution.reason
    }

    /// A region's only address is seen so often.
    pub(super) async fn turn(&self, region: u8, pass: bool, times: u32) {
        for _ in 0..times {
            advance(TIMING.interval).await;
            self.seen([192, 0, region, 1], pass).await;
        }
    }

    async fn all_up(&self, regions: &[u8]) {
        for region in regions {
            self.turn(*region, true, 1).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn all_down_goes_back_to_the_last_good() {
    let server = start_with(regions(&[0, 1, 2]), &nothing, None);
    server.all_up(&[0, 1, 2]).await;
    server.turn(0, false, 3).await;
    assert_eq!(server.served().0, [0, 50, 50]);
    server.turn(1, false, 3).await;
    server.turn(2, false, 3).await;
    // When nothing was in doubt, region 0 was down, and 1 then as well.
    assert_eq!((server.served().0, server.reason()), (vec![0, 0, 100], Reason::LastGood));
    assert_eq!(server.served().1, 10);
    assert!(server.metrics.text().contains("trimtab_record_all_down{record=\"app.test\"} 1"));
    server.turn(0, true, 2).await;
    assert_eq!((server.served().0, server.reason()), (vec![100, 0, 0], Reason::Available));
    assert!(server.metrics.text().contains("trimtab_record_all_down{record=\"app.test\"} 0"));
    // That is the last good one now.
    server.turn(0, false, 3).await;
    assert_eq!((server.served().0, server.reason()), (vec![100, 0, 0], Reason::LastGood));
}

#[tokio::test(start_paused = true)]
async fn what_is_in_doubt_is_not_good() {
    let server = start_with(regions(&[0, 1]), &nothing, None);
    server.all_up(&[0, 1]).await;
    // One failure of region 1 is enough doubt for what region 0's fall leaves not to be good.
    server.turn(1, false, 1).await;
    server.turn(0, false, 3).await;
    assert_eq!(server.served().0, [0, 100]);
    server.turn(1, false, 2).await;
    assert_eq!((server.served().0, server.reason()), (vec![50, 50], Reason::LastGood));
}

#[tokio::test(start_paused = true)]
async fn what_was_never_seen_is_not_good() {
    let server = start_with(regions(&[0, 1]), &nothing, None);
    server.turn(0, false, 3).await;
    assert_eq!(server.served().0, [0, 100]);
    server.turn(1, false, 3).await;
    assert_eq!((server.served().0, server.reason()), (vec![50, 50], Reason::Open));
}

#[tokio::test(start_paused = true)]
async fn a_reload_keeps_it_by_name() {
    let server = start_with(regions(&[0, 1, 2]), &nothing, None);
    server.all_up(&[0, 1, 2]).await;
    server.turn(0, false, 3).await;
    // Another order, region 2 gone, region 3 new and not seen yet.
    server.reload(regions(&[3, 1, 0])).await;
    server.turn(1, false, 3).await;
    server.turn(3, false, 3).await;
    assert_eq!((server.served().0, server.reason()), (vec![0, 100, 0], Reason::LastGood));
    // Nothing is left of what was good.
    server.reload(regions(&[3, 0])).await;
    assert_eq!((server.served().0, server.reason()), (vec![50, 50], Reason::Open));
}

#[tokio::test(start_paused = true)]
async fn a_restart_goes_on_from_what_was_stored() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Store::open(dir.path(), Metrics::new()).unwrap();
    let server = start_with(regions(&[0, 1, 2]), &nothing, Some(open().0));
    server.all_up(&[0, 1, 2]).await;
    server.turn(0, false, 3).await;
    server.turn(1, false, 3).await;
    server.turn(2, false, 3).await;
    assert_eq!(server.served().0, [0, 0, 100]);
    server.stop().await;

    // The judged health is too old to be worth anything; what was last good is not.
    let (store, restored) = open();
    let later = restored.moment(clock::now()).after(40 * TIMING.interval);
    let past = restored.at_moment(clock::now(), later);
    let server = start_with(regions(&[0, 2]), &past, Some(store));
    assert_eq!((server.served().0, server.reason()), (vec![50, 50], Reason::Available));
    server.turn(0, false, 3).await;
    server.turn(2, false, 3).await;
    assert_eq!((server.served().0, server.reason()), (vec![0, 100], Reason::LastGood));
}
