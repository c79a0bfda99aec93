//! The properties of `tests/support/fuzz`, without a fuzzer: the corpus that fuzzing left is replayed,
//! and a seeded generator goes on a little from there. `just fuzz TARGET` goes on for as long as you
//! like, with the fuzzer.

#[path = "support/fuzz/mod.rs"]
mod fuzz;

use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use fuzz::ask::{NOW, Way, answer};
use fuzz::reply::holds;
use fuzz::world::WORLDS;
use fuzz::worst::packets;
use fuzz::{PROPERTIES, Property};
use rstest::rstest;
use trimtab::dns::engine::Transport;

/// Shows the input when a property does not hold.
struct Input<'a>(&'a [u8]);

impl Drop for Input<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let hex: String = self.0.iter().map(|octet| format!("{octet:02x}")).collect();
            eprintln!("the input was {hex}\nthat is {:?}", String::from_utf8_lossy(self.0));
        }
    }
}

fn check(property: Property, input: &[u8]) {
    let shown = Input(input);
    property.1(shown.0);
}

fn property(name: &str) -> Property {
    *PROPERTIES.iter().find(|(of, _)| *of == name).expect("a property")
}

/// A line an input, in hexadecimal digits.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fuzz");
    let text = fs::read_to_string(dir.join(format!("{name}.hex"))).expect("a corpus");
    let octet = |pair: &[u8]| {
        let digits = std::str::from_utf8(pair).expect("digits");
        u8::from_str_radix(digits, 16).expect("two hexadecimal digits")
    };
    text.lines().map(|line| line.as_bytes().chunks(2).map(octet).collect()).collect()
}

#[rstest]
fn the_corpus_holds(
    #[values(
        "decoder", "engine", "options", "cookie", "limit", "zone", "config", "latency", "mmdb"
    )]
    name: &str,
) {
    let inputs = corpus(name);
    assert!(inputs.len() > 20, "only {} inputs", inputs.len());
    for input in &inputs {
        check(property(name), input);
    }
}

#[rstest]
#[case("decoder", 20_000)]
#[case("engine", 20_000)]
#[case("options", 10_000)]
#[case("cookie", 2_000)]
#[case("limit", 1_000)]
#[case("zone", 300)]
#[case("config", 200)]
#[case("latency", 2_000)]
#[case("mmdb", 1_000)]
fn what_is_like_the_corpus_holds(#[case] name: &str, #[case] times: usize) {
    let inputs = corpus(name);
    let mut rng = fastrand::Rng::with_seed(20);
    for _ in 0..times {
        let mut input = inputs[rng.usize(..inputs.len())].clone();
        for _ in 0..rng.usize(1..5) {
            mutate(&mut rng, &mut input, &inputs);
        }
        check(property(name), &input);
    }
}

/// The longest way through each loop that a packet can lead into, and what bounds it.
#[test]
fn the_worst_packets_are_answered_within_bounds() {
    let from = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mut answers = HashMap::new();
    for (what, transport, request) in packets() {
        let way = Way { transport, from, seed: 1, unix_secs: NOW };
        holds(&WORLDS[0].snapshot, way, &request);
        let reply = answer(&WORLDS[0].snapshot, way, &request, 0).expect("a reply");
        let count = u16::from_be_bytes([reply[6], reply[7]]);
        answers.insert((what, transport == Transport::Tcp), count);
    }
    for (what, expected) in [
        // As many names as a chain may have; of a DNAME, each with the CNAME that it makes.
        ("a chain of CNAMEs", 128),
        ("a chain of DNAMEs", 2 * 128),
        // Up to the last name that a compression pointer reaches.
        ("a chain of long CNAMEs", 73),
        // Each name once, and none that only gets longer.
        ("DNAMEs that lead to each other", 2 * 2),
        ("a DNAME that leads below itself", 2),
    ] {
        assert_eq!(answers[&(what, true)], expected, "{what}");
    }
}

/// What libFuzzer does, in small.
fn mutate(rng: &mut fastrand::Rng, input: &mut Vec<u8>, inputs: &[Vec<u8>]) {
    let mut range = |len: usize| {
        let from = rng.usize(..=len);
        from..(from + rng.usize(..=16)).min(len)
    };
    let here = range(input.len());
    let (at, other) = (here.start, &inputs[rng.usize(..inputs.len())]);
    match rng.u8(..6) {
        0 => drop(input.drain(here)),
        1 => input.insert(at, rng.u8(..)),
        2 => input.truncate(at),
        3 => input.extend_from_within(here),
        4 => {
            let from = rng.usize(..=other.len());
            let len = rng.usize(..=64).min(other.len() - from);
            input.splice(at..at, other[from..from + len].iter().copied());
        }
        _ => {
            if let Some(octet) = input.get_mut(at) {
                *octet ^= 1 << rng.u8(..8);
            }
        }
    }
}
