//! The engine: every kind of answer, and snapshots that are replaced meanwhile.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use trimtab::dns::engine::{Now, Transport};
use trimtab::metrics::Proto;
use trimtab::routing::{Publisher, Snapshot};

use crate::answers::cases::{Case, cases};
use crate::answers::desk::Desk;
use crate::answers::reading::said;
use crate::answers::world::{Limits, World};
use crate::counting::calls;

const NOW: Now = Now { unix_secs: 1_700_000_000, millis: 0 };
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
    let cases = cases(NOW.unix_secs);
    let mut wrong = Vec::new();
    for limits in [Limits::Off, Limits::Count, Limits::Drop, Limits::Slip] {
        let world = World::new(limits);
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
