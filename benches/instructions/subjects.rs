//! What is counted: a batch of each kind of answer, and what a change of health costs.

use std::hint::black_box;

use trimtab::dns::engine::{Now, Transport};
use trimtab::metrics::Proto;
use trimtab::routing::Publisher;

use crate::answers::cases::{Case, cases};
use crate::answers::desk::{BATCH, Desk};
use crate::answers::kinds::kinds;
use crate::answers::world::{Limits, World};

const NOW: Now = Now { unix_secs: 1_700_000_000, nanos: 0, millis: 0 };

/// Does everything once; calls `counted` with the name of each subject before it is measured.
pub(crate) fn run(mut counted: impl FnMut(&str)) {
    let worlds = [Limits::Off, Limits::Count].map(|limits| (limits, World::new(limits)));
    let mut answer = |what: &str, batch: &[Case]| {
        let [first, ..] = batch else { panic!("no case {what}") };
        let (_, world) = worlds.iter().find(|(of, _)| *of == first.limits).expect("its limits");
        let proto = if first.transport == Transport::Udp { Proto::Udp } else { Proto::Tcp };
        let mut desk = Desk::new(world.worker(proto, NOW), first.transport);
        let snapshot = world.snapshot();
        desk.batch(&snapshot, batch);
        counted(what);
        let all = || batch.iter().cycle();
        desk.receive(all());
        measured(&mut || {
            desk.locate(&snapshot, all());
            desk.finish(&snapshot, all());
        });
    };
    for case in kinds(NOW.unix_secs) {
        answer(case.what, std::slice::from_ref(&case));
    }
    let mixed = |case: &Case| case.limits == Limits::Off && case.transport == Transport::Udp;
    let mixed: Vec<_> = cases(NOW.unix_secs).into_iter().filter(mixed).take(BATCH).collect();
    answer("one of each kind", &mixed);
    let weighted: Vec<_> =
        kinds(NOW.unix_secs).into_iter().filter(|case| case.what == "weighted").collect();
    logged("weighted, logged as JSON", (true, false), &weighted, &mut counted);
    logged("weighted, logged as dnstap", (false, true), &weighted, &mut counted);
    flip(&worlds[0].1, counted);
}

/// A batch that is logged, on queues that have room.
fn logged(
    what: &str,
    (json, dnstap): (bool, bool),
    batch: &[Case],
    counted: &mut impl FnMut(&str),
) {
    let [first, ..] = batch else { panic!("no case for {what}") };
    let world = World::new(Limits::Off).logged(json, dnstap);
    let mut desk = Desk::new(world.worker(Proto::Udp, NOW), first.transport);
    let snapshot = world.snapshot();
    desk.batch(&snapshot, batch);
    counted(what);
    let all = || batch.iter().cycle();
    desk.receive(all());
    measured(&mut || {
        desk.locate(&snapshot, all());
        desk.finish(&snapshot, all());
    });
}

/// From one health to another: compiled, published, and what was before let go.
fn flip(world: &World, mut counted: impl FnMut(&str)) {
    let first = world.snapshot();
    let mut second = None;
    counted("compile");
    measured(&mut || second = Some(world.next(black_box(&first), "us", false)));
    let mut publisher = Publisher::new(first);
    counted("publish");
    measured(&mut || publisher.publish(second.take().expect("what was compiled")));
}

/// What is counted is what this function does. It is one function, for callgrind has to know its name.
#[inline(never)]
fn measured(work: &mut dyn FnMut()) {
    work();
    // So that the call is none from which there is no return.
    black_box(());
}
