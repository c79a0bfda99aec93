//! What an answer costs in the engine, from the octets of a query to those of its reply: reading it,
//! writing the reply, and the limits of replies around that. Batches of 32, as UDP workers have them.
//!
//! `cargo bench --bench engine`

use std::net::Ipv4Addr;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use trimtab::clock;
use trimtab::dns::engine::{Now, Transport};
use trimtab::metrics::Proto;
use trimtab::tap::Sink;

#[path = "../tests/support/answers/mod.rs"]
mod answers;

use answers::cases::Case;
use answers::desk::{BATCH, Desk};
use answers::kinds::kinds;
use answers::world::{Limits, World};

const NOW: Now = Now { unix_secs: 1_700_000_000, nanos: 0, millis: 0 };

fn desk(world: &World, transport: Transport) -> Desk {
    let proto = if transport == Transport::Udp { Proto::Udp } else { Proto::Tcp };
    Desk::new(world.worker(proto, NOW), transport)
}

/// `locate` alone, then `finish` alone, for each kind of answer.
fn halves(criterion: &mut Criterion) {
    let worlds = [Limits::Off, Limits::Count].map(|limits| (limits, World::new(limits)));
    let kinds = kinds(NOW.unix_secs);
    let mut group = criterion.benchmark_group("32 requests");
    group.throughput(Throughput::Elements(BATCH as u64));
    for (half, reads) in [("locate", true), ("finish", false)] {
        for case in &kinds {
            let (_, world) = worlds.iter().find(|(of, _)| *of == case.limits).expect("its limits");
            let (snapshot, mut desk) = (world.snapshot(), desk(world, case.transport));
            let all = || std::iter::repeat(case);
            group.bench_function(format!("{half}, {}", case.what), |bencher| {
                bencher.iter_custom(|turns| {
                    let mut took = Duration::ZERO;
                    for _ in 0..turns {
                        desk.receive(all());
                        let start = clock::now();
                        desk.locate(&snapshot, all());
                        let between = clock::now();
                        desk.finish(&snapshot, all());
                        took += if reads { between - start } else { clock::now() - between };
                    }
                    took
                });
            });
        }
    }
}

/// Whole answers, without limits and with them, to clients of one network and of 65,536 in turn.
fn limits(criterion: &mut Criterion) {
    let kinds = kinds(NOW.unix_secs);
    for what in ["static A", "weighted", "NXDOMAIN"] {
        let case = kinds.iter().find(|case| case.what == what).expect("a kind");
        let mut group = criterion.benchmark_group(format!("32 answers, {what}"));
        group.throughput(Throughput::Elements(BATCH as u64));
        for (limits, limited) in [(Limits::Off, "no limits"), (Limits::Count, "limits")] {
            let world = World::new(limits);
            let snapshot = world.snapshot();
            for networks in [1, 1 << 16] {
                let from = |n: u32| Ipv4Addr::from_bits(0x0a00_0001 + (n << 8));
                let one = |n| Case { from: from(n).into(), ..case.clone() };
                let cases: Vec<_> = (0..networks).map(one).collect();
                let mut desk = desk(&world, case.transport);
                let mut batches = cases.chunks(BATCH).cycle();
                group.bench_function(format!("{limited}, networks: {networks}"), |bencher| {
                    bencher.iter(|| {
                        desk.worker.now.millis += 1;
                        batches.next().map(|batch| desk.batch(&snapshot, batch))
                    });
                });
            }
        }
    }
}

/// Whole answers that are logged: on queues that are emptied in between, and on full ones.
fn logs(criterion: &mut Criterion) {
    let kinds = kinds(NOW.unix_secs);
    let case = kinds.iter().find(|case| case.what == "weighted").expect("a kind");
    let mut group = criterion.benchmark_group("32 answers, weighted, logged");
    group.throughput(Throughput::Elements(BATCH as u64));
    for (json, dnstap, full, what) in [
        (false, false, false, "nowhere"),
        (true, false, false, "as JSON"),
        (false, true, false, "as dnstap"),
        (true, true, false, "as both"),
        (true, true, true, "as both, lost"),
    ] {
        let world = World::new(Limits::Off);
        let world = if json || dnstap { world.logged(json, dnstap) } else { world };
        let (snapshot, mut desk) = (world.snapshot(), desk(&world, case.transport));
        let taps = &desk.worker.shared.taps;
        let mut queues: Vec<_> = Sink::ALL.into_iter().flat_map(|sink| taps.take(sink)).collect();
        let (batch, mut record) = (vec![case.clone(); BATCH], Vec::new());
        group.bench_function(what, |bencher| {
            bencher.iter_custom(|turns| {
                let mut took = Duration::ZERO;
                for _ in 0..turns {
                    let start = clock::now();
                    desk.batch(&snapshot, &batch);
                    took += clock::now() - start;
                    if !full {
                        queues.iter_mut().for_each(|queue| while queue.pop(&mut record) {});
                    }
                }
                took
            });
        });
    }
}

criterion_group!(benches, halves, limits, logs);
criterion_main!(benches);
