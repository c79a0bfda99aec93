//! When queries are due.

use crate::load::pace::{End, Pace, Pacer};

const SECOND: u64 = 1_000_000_000;

fn sent_in_steps(mut pacer: Pacer, step: u64) -> Vec<u64> {
    let (mut now, mut due) = (0, Vec::new());
    while !pacer.is_over(now) {
        for _ in 0..pacer.due(now, 0) {
            let at = pacer.take(now);
            assert!(at <= now, "not before it is due");
            due.push(at);
        }
        now += step;
    }
    assert_eq!(pacer.sent(), due.len() as u64);
    due
}

#[test]
fn an_open_loop_sends_by_the_clock_however_seldom_it_looks() {
    for (rate, step) in [(1000.0, 1), (1000.0, 7), (3.0, 1), (60_000.0, 50), (7777.7, 1)] {
        let pacer = Pacer::new(Pace::Open { rate }, End::Nanos(SECOND), 1);
        let due = sent_in_steps(pacer, step * SECOND / 1000);
        assert_eq!(due.len() as f64, rate.ceil(), "{rate}");
        for (number, at) in due.iter().enumerate() {
            let wanted = number as f64 * 1e9 / rate;
            assert!((*at as f64 - wanted).abs() <= 1.0, "{rate}: {number} at {at}");
        }
    }
}

#[test]
fn an_open_loop_says_when_it_is_due_again() {
    let mut pacer = Pacer::new(Pace::Open { rate: 10.0 }, End::Nanos(SECOND), 1);
    assert_eq!((pacer.due(0, 0), pacer.take(0)), (1, 0));
    assert_eq!((pacer.due(0, 99), pacer.next()), (0, Some(SECOND / 10)));
    assert_eq!(pacer.due(SECOND / 10 - 1, 0), 0);
    assert_eq!(pacer.due(SECOND / 10, 0), 1);
}

#[test]
fn a_burst_is_due_together() {
    let pacer = Pacer::new(Pace::Open { rate: 1000.0 }, End::Queries(250), 100);
    let due = sent_in_steps(pacer, SECOND / 1000);
    let wanted = [vec![0; 100], vec![SECOND / 10; 100], vec![SECOND / 5; 50]].concat();
    assert_eq!(due, wanted);
}

#[test]
fn a_closed_loop_fills_the_places() {
    let mut pacer = Pacer::new(Pace::Closed { outstanding: 10 }, End::Queries(25), 1);
    assert_eq!((pacer.due(5, 0), pacer.due(5, 7), pacer.due(5, 10)), (10, 3, 0));
    assert_eq!((pacer.take(5), pacer.next()), (5, None));
    (0..20).for_each(|_| assert_eq!(pacer.take(6), 6));
    assert_eq!(pacer.due(7, 0), 4, "no more than are wanted");
    assert!(!pacer.is_over(u64::MAX));
    (0..4).for_each(|_| assert_eq!(pacer.take(8), 8));
    assert!(pacer.is_over(0));
}

#[test]
fn a_closed_loop_in_bursts_waits_for_places() {
    let pacer = Pacer::new(Pace::Closed { outstanding: 10 }, End::Nanos(SECOND), 5);
    let due = [0, 1, 5, 6, 10].map(|waiting| pacer.due(0, waiting));
    assert_eq!(due, [10, 5, 5, 0, 0]);
    assert_eq!(pacer.due(SECOND, 0), 0, "the time is over");
    let pacer = Pacer::new(Pace::Closed { outstanding: 10 }, End::Nanos(SECOND), 99);
    assert_eq!((pacer.due(0, 1), pacer.due(0, 0)), (0, 10), "a burst has room");
}
