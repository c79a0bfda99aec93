//! What an answer costs in the engine, from the octets of a query to those of its reply: without
//! limits, with the accounts of one client network, and with those of 65,536 in turn.
//!
//! `cargo bench --bench answer`

use std::fs;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use trimtab::app;
use trimtab::clock;
use trimtab::control::State;
use trimtab::dns::engine::{Located, Shared, Transport, Worker, finish, locate};
use trimtab::health::Health;
use trimtab::metrics::{Metrics, Proto};
use trimtab::model::{Check, Destination, Family};
use trimtab::routing::{Handle, Publisher, compile};

/// As many queries are located before the first is answered, as by the workers of UDP.
const BATCH: usize = 32;

const CONFIG: &str = r#"
version = 1
[regions.a]
addresses = ["192.0.2.10"]
[regions.b]
addresses = ["192.0.2.20"]
[zones."bench.test"]
file = "zone"
[[records]]
name = "app.bench.test"
policy = "weighted"
"#;
const ZONE: &str = "\
$TTL 60
@ SOA ns1 hostmaster 1 900 900 1800 60
@ NS ns1
ns1 A 192.0.2.53
www A 192.0.2.80
";

/// Whoever asks, all is counted, and nothing is kept back.
const LIMITS: &str = "[server.rate_limit]\ndry_run = true\nexempt = []\n";
const NO_LIMITS: &str = "[server.rate_limit]\nenabled = false\n";

fn nothing(_: &Check, _: &Destination) -> Option<Health> {
    None
}

fn tables(limits: &str) -> Handle {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("trimtab.toml");
    fs::write(&file, format!("{CONFIG}{limits}")).unwrap();
    fs::write(dir.path().join("zone"), ZONE).unwrap();
    let loaded = app::load(&file, &Default::default(), &mut |_, _| 0).unwrap();
    let state = State::new(loaded.assembly, &nothing, clock::now());
    Publisher::new(compile(None, &state.assembly, &state.inputs())).handle()
}

fn query(name: &str) -> Vec<u8> {
    let mut octets = vec![0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        octets.push(u8::try_from(label.len()).unwrap());
        octets.extend(label.as_bytes());
    }
    octets.extend([0, 0, 1, 0, 1]);
    octets
}

/// Answers `turns` batches; the networks of the clients repeat after `networks`.
fn answer(worker: &mut Worker, handle: &Handle, queries: &[Vec<u8>], networks: u32, turns: u64) {
    let snapshot = handle.current();
    let mut buffers = vec![[0; 512]; BATCH];
    let mut located: Vec<_> = (0..BATCH).map(|_| Located::default()).collect();
    let mut number = 0;
    for turn in 0..turns {
        worker.now.millis = turn / 1000;
        for (buffer, at) in buffers.iter_mut().zip(&mut located) {
            let query = &queries[number as usize % queries.len()];
            let client = Ipv4Addr::from_bits(0x0a00_0001 + ((number % networks) << 8));
            number = number.wrapping_add(1);
            buffer[..query.len()].copy_from_slice(query);
            locate(&snapshot, IpAddr::V4(client), query, at);
        }
        for (buffer, at) in buffers.iter_mut().zip(&located) {
            black_box(finish(&snapshot, at, Transport::Udp, buffer, worker));
        }
    }
}

fn answers(criterion: &mut Criterion) {
    let random: Vec<_> = (0..4096).map(|n| query(&format!("n{:05x}.bench.test", n * 77))).collect();
    for (what, queries) in [
        ("static", vec![query("www.bench.test")]),
        ("weighted", vec![query("app.bench.test")]),
        ("no such name", random),
    ] {
        let mut group = criterion.benchmark_group(format!("32 answers, {what}"));
        for (label, limits, networks) in [
            ("no limits", NO_LIMITS, 1),
            ("no limits, 65,536 networks", NO_LIMITS, 1 << 16),
            ("limits", LIMITS, 1),
            ("limits, 65,536 networks", LIMITS, 1 << 16),
        ] {
            let handle = tables(limits);
            let block = Metrics::new().block(Proto::Udp, Family::V4, false);
            let mut worker = Worker::new(block, 7, Arc::new(Shared::new().unwrap()));
            group.bench_function(label, |b| {
                b.iter_custom(|turns| {
                    let started = clock::now();
                    answer(&mut worker, &handle, &queries, networks, turns);
                    clock::now() - started
                });
            });
        }
    }
}

criterion_group!(benches, answers);
criterion_main!(benches);
