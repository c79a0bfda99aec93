//! The most that a packet can cost: what reading and answering it takes, without a socket.
//!
//! `cargo bench --bench worst`

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use trimtab::clock;

#[path = "../tests/support/fuzz/mod.rs"]
mod fuzz;

use fuzz::ask::{Bench, NOW, Way};
use fuzz::world::WORLDS;
use fuzz::worst::packets;

fn main() {
    let from = IpAddr::V4(Ipv4Addr::LOCALHOST);
    println!("{:<34}{:>10}{:>10}{:>12}{:>12}", "", "octets in", "out", "ns", "ns an octet");
    for (what, transport, request) in packets() {
        let way = Way { transport, from, seed: 1, unix_secs: NOW };
        let mut bench = Bench::new(way);
        let mut run = |times: u32| {
            let start = clock::now();
            let mut len = 0;
            for _ in 0..times {
                len = bench.answer(&WORLDS[0].snapshot, &request);
            }
            (clock::now() - start, len)
        };
        let (once, _) = run(100);
        let times = (Duration::from_millis(100).as_nanos() / (once / 100).as_nanos().max(1)) as u32;
        let (took, len) = (0..5).map(|_| run(times)).min().unwrap_or_default();
        let ns = took.as_nanos() as f64 / f64::from(times);
        let an_octet = ns / request.len() as f64;
        let what = format!("{what}, {transport:?}");
        println!("{what:<42}{:>7}{len:>8}{ns:>12.0}{an_octet:>9.1}", request.len());
    }
}
