//! What an answer costs below the engine, and what a change of health costs in a small server: the class
//! of a client, a draw, a compile, and its publication. Real databases are in `places`, large
//! configurations in `flip`.
//!
//! `cargo bench --bench routing`

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use trimtab::model::{Family, RecordId};
use trimtab::routing::{Asker, Pick, Publisher, Snapshot};

#[path = "../tests/support/answers/mod.rs"]
mod answers;

use answers::world::{Limits, World};

/// Clients, so many that no branch is foreseen.
const CLIENTS: usize = 1 << 14;

/// A dynamic record by its name.
fn record(world: &World, name: &str) -> RecordId {
    let mut names = world.assembly.records.iter().map(|record| record.name.to_string());
    let at = names.position(|of| of.trim_end_matches('.') == name).expect("a record of that name");
    RecordId(u32::try_from(at).expect("a small world"))
}

/// Clients anywhere, as they come themselves or as their resolvers tell.
fn askers(told: bool, family: Family) -> Vec<Asker> {
    let mut rng = fastrand::Rng::with_seed(7);
    let client = |_| {
        let (address, len): (IpAddr, u8) = match family {
            Family::V4 => (Ipv4Addr::from_bits(rng.u32(..) & 0x7fff_ff00).into(), 24),
            Family::V6 => {
                let prefix = (0x20_u128 << 120) | (u128::from(rng.u64(..)) << 56);
                (Ipv6Addr::from_bits(prefix & !0 << 72).into(), 56)
            }
        };
        let source = if told { Ipv4Addr::LOCALHOST.into() } else { address };
        Asker { source, subnet: told.then_some((address, len)) }
    };
    (0..CLIENTS).map(client).collect()
}

fn classes(criterion: &mut Criterion) {
    let world = World::new(Limits::Off);
    let snapshot = world.snapshot();
    let (record, _) =
        snapshot.side(record(&world, "geo.example.test"), Family::V4).expect("a side");
    let table = snapshot.places.table(record.tree).expect("it looks at clients");
    let mut group = criterion.benchmark_group("class of a client");
    for (what, told) in [("source", false), ("subnet", true)] {
        for family in Family::BOTH {
            let askers = askers(told, family);
            let mut next = askers.iter().cycle();
            group.bench_function(format!("{what}, {family:?}"), |bencher| {
                bencher.iter(|| next.next().map(|asker| table.find(black_box(asker))));
            });
        }
    }
}

fn draws(criterion: &mut Criterion) {
    let world = World::new(Limits::Off);
    let snapshot = world.snapshot();
    let pick = |name: &str| -> &Pick {
        let (_, side) = snapshot.side(record(&world, name), Family::V4).expect("a side");
        &side.class(0).expect("a class").distribution.pick
    };
    let mut group = criterion.benchmark_group("draw");
    for (what, name) in [("one", "order"), ("by share", "app"), ("sticky", "keep")] {
        let pick = pick(&format!("{name}.example.test"));
        let mut rng = fastrand::Rng::with_seed(7);
        group.bench_function(what, |bencher| {
            bencher.iter(|| black_box(pick).draw(rng.u64(..), rng.u64(..)));
        });
    }
}

fn changes(criterion: &mut Criterion) {
    let world = World::new(Limits::Off);
    let first = world.snapshot();
    let mut group = criterion.benchmark_group("change");
    group.bench_function("compile, from nothing", |bencher| bencher.iter(|| world.snapshot()));
    group.bench_function("compile, a region down", |bencher| {
        bencher.iter(|| world.next(black_box(&first), "us", false));
    });
    let mut publisher = Publisher::new(world.snapshot());
    let next = || -> Snapshot { world.next(&first, "us", false) };
    group.bench_function("publish, and free what was before", |bencher| {
        bencher.iter_batched(next, |next| publisher.publish(next), BatchSize::SmallInput);
    });
}

criterion_group!(benches, classes, draws, changes);
criterion_main!(benches);
