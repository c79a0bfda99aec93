//! The engine: every kind of answer, and snapshots that are replaced meanwhile.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use trimtab::dns::engine::{Now, Transport};
use trimtab::metrics::Proto;
use trimtab::routing::{Publisher, Snapshot};
use trimtab::tap::Sink;

use crate::answers::cases::{Case, cases};
use crate::answers::desk::Desk;
use crate::answers::reading::said;
use crate::answers::world::{Limits, World};
use crate::counting::calls;

const NOW: Now = Now { unix_secs: 1_700_000_000, nanos: 0, millis: 0 };
/// Enough for every draw to come out in every way.
const TURNS: usize = 200;

fn desk(world: &World, transport: Transport) -> Desk {
    let proto = if transport == Transport::Udp { Proto::Udp } else { Proto::Tcp };
    Desk::new(world.worker(proto, NOW), transport)
}

/// Answers again and again; returns the replies in words, and how often memory was allocated or freed.
fn answer(case: &Case, snapshot: &Snapshot, desk: &mut Desk) -> (BTreeSet<String>, u64) {
    // The first replies are within the limits, where there are any.
    for _ in 0..3 {
        desk.answer(snapshot, case);
    }
    let (mut replies, mut counted) = (BTreeSet::new(), 0);
    for _ in 0..TURNS {
        let before = calls();
        let reply = desk.answer(snapshot, case);
        counted += calls() - before;
        replies.insert(said(&case.request, reply));
    }
    (replies, counted)
}

#[test]
fn no_kind_of_answer_allocates_or_frees() {
    no_kind_allocates_or_frees(|world| world);
}

#[test]
fn no_kind_of_answer_that_is_logged_allocates_or_frees() {
    no_kind_allocates_or_frees(|world| world.logged(true, true));
}

#[test]
fn what_is_answered_there_is_really_logged() {
    let world = World::new(Limits::Off).logged(true, true);
    let (snapshot, mut desk) = (world.snapshot(), desk(&world, Transport::Udp));
    let mut queues = Sink::ALL.map(|sink| desk.worker.shared.taps.take(sink).remove(0));
    let (mut record, cases) = (Vec::new(), cases(NOW.unix_secs));
    let of_udp = |case: &&Case| case.limits == Limits::Off && case.transport == Transport::Udp;
    for case in cases.iter().filter(of_udp) {
        let replied = desk.answer(&snapshot, case).is_some();
        let logged = queues.each_mut().map(|queue| queue.pop(&mut record));
        assert_eq!(logged, [replied; 2], "{}", case.what);
    }
}

#[test]
fn nor_does_one_that_is_lost_to_a_full_queue() {
    let world = World::new(Limits::Off).logged(true, true);
    let (snapshot, mut desk) = (world.snapshot(), desk(&world, Transport::Udp));
    let cases = cases(NOW.unix_secs);
    let case = cases.iter().find(|case| case.limits == Limits::Off).expect("some case");
    let mut counted = 0;
    for _ in 0..20_000 {
        let before = calls();
        desk.answer(&snapshot, case);
        counted += calls() - before;
    }
    assert_eq!(counted, 0);
    let lost = r#"trimtab_query_log_dropped_total{sink="dnstap",reason="full"} 0"#;
    assert!(!world.metrics.text().contains(lost), "there was room for all");
}

fn no_kind_allocates_or_frees(of: impl Fn(World) -> World) {
    let cases = cases(NOW.unix_secs);
    let mut wrong = Vec::new();
    for limits in [Limits::Off, Limits::Count, Limits::Drop, Limits::Slip] {
        let world = of(World::new(limits));
        let snapshot = world.snapshot();
        for case in cases.iter().filter(|case| case.limits == limits) {
            // Whoever asks for the first time, for none owes what another was sent.
            let (replies, calls) = answer(case, &snapshot, &mut desk(&world, case.transport));
            if calls > 0 || replies != case.replies.iter().map(ToString::to_string).collect() {
                wrong.push(format!("{}: {calls} calls, {replies:?}", case.what));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_answer_allocates_or_frees_while_snapshots_are_replaced() {
    let world = World::new(Limits::Off);
    let mut publisher = Publisher::new(world.snapshot());
    let cases: Vec<_> = cases(NOW.unix_secs);
    let cases =
        cases.iter().filter(|case| (case.limits, case.transport) == (Limits::Off, Transport::Udp));
    let (stop, loaded) = (AtomicBool::new(false), AtomicU64::new(0));
    let handle = publisher.handle();
    std::thread::scope(|scope| {
        let answering = scope.spawn(|| {
            let mut reader = handle.reader();
            let mut desk = desk(&world, Transport::Udp);
            let mut counted = 0;
            // The first turn is not a warm one.
            for case in cases.clone() {
                desk.answer(reader.load(), case);
            }
            for case in cases.cycle() {
                if stop.load(Ordering::Acquire) {
                    break;
                }
                let before = calls();
                let snapshot = reader.load();
                loaded.store(snapshot.generation, Ordering::Release);
                desk.answer(snapshot, case);
                counted += calls() - before;
            }
            counted
        });
        for generation in 2..=300 {
            let before = publisher.handle().current();
            let snapshot = world.next(&before, "us", generation % 2 == 0);
            drop(before);
            assert_eq!(snapshot.generation, generation);
            publisher.publish(snapshot);
            // At times several are replaced before the reader sees one.
            while generation % 3 == 0 && loaded.load(Ordering::Acquire) < generation {
                std::thread::yield_now();
            }
        }
        stop.store(true, Ordering::Release);
        assert_eq!(answering.join().expect("it does not panic"), 0);
    });
    assert_eq!(publisher.sweep(), 0, "what is not held is freed by the publisher");
}
