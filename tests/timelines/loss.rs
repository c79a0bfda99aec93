//! What the default thresholds make of packets that are lost at random: how often a target is taken down
//! that is well, and how soon one is that is dead. By simulation; the figures of the documentation.

use std::time::{Duration, Instant};

use fastrand::Rng;
use trimtab::clock;
use trimtab::health::{Health, Observation, Outcome, Phases, Report, State, Vantage, judge};
use trimtab::model::{TargetId, Timing};

const TIMING: Timing = Timing {
    interval: Duration::from_secs(10),
    fast: None,
    timeout: Duration::from_secs(2),
    fall: 3,
    rise: 2,
};

/// How a probe gets through where each packet is lost with a probability.
#[derive(Clone, Copy)]
enum Probe {
    /// A question and an answer, tried once: what an ICMP echo is.
    Once,
    /// TCP as Linux does it: a SYN is sent again after 1 s, which fits into the time-out once more; then a
    /// request and a response, each sent again after 0.2, 0.6 and 1.4 s.
    Tcp,
}

impl Probe {
    fn passes(self, loss: f64, random: &mut Rng) -> bool {
        let mut through = |packets: i32| random.f64() < (1.0 - loss).powi(packets);
        match self {
            Self::Once => through(2),
            Self::Tcp => {
                let connected = [0.0, 1.0].into_iter().find(|_| through(2));
                let Some(at) = connected else { return false };
                let again = [0.0, 0.2, 0.6, 1.4];
                let mut at = at + 0.05;
                // The request, and then the response.
                for _ in 0..2 {
                    match again.into_iter().find(|_| through(1)) {
                        Some(later) => at += later + 0.025,
                        None => return false,
                    }
                }
                at < 2.0
            }
        }
    }
}

fn seen(pass: bool, at: Instant) -> Observation {
    Observation {
        target: TargetId(0),
        at,
        outcome: if pass { Outcome::Pass } else { Outcome::Fail("lost".into()) },
        report: Report::default(),
        phases: Phases::default(),
        gap: TIMING.interval,
        vantage: Vantage::Here,
    }
}

/// How often a target that is well went down in so many probes, and which part of the time it was down.
fn false_alarms(probe: Probe, loss: f64, probes: u64, random: &mut Rng) -> (u64, f64) {
    let now = clock::now();
    let mut health = Health { state: State::Up, ..Health::unknown(now) };
    let (mut alarms, mut down) = (0, 0_u64);
    for _ in 0..probes {
        let passed = probe.passes(loss, random);
        let (is, transition) = judge(now, health, &seen(passed, now), &TIMING);
        alarms += u64::from(transition.is_some_and(|to| to.to == State::Down));
        down += u64::from(is.state == State::Down);
        health = is;
    }
    (alarms, down as f64 / probes as f64)
}

/// The time from a death at a random moment of the interval until it is judged, with a time-out each.
fn detection(random: &mut Rng) -> f64 {
    let (start, mut at) = (clock::now(), random.f64() * 10.0);
    let mut health = Health { state: State::Up, ..Health::unknown(start) };
    loop {
        health = judge(start, health, &seen(false, start), &TIMING).0;
        if health.state == State::Down {
            return at + TIMING.timeout.as_secs_f64();
        }
        at += TIMING.interval.as_secs_f64();
    }
}

#[tokio::test]
async fn a_lost_packet_takes_nobody_down() {
    let mut random = Rng::with_seed(1);
    // Of 200,000 probes with 1 % loss 3 in a row fail with p³ each: 1.6 are expected of those that are
    // tried once (p = 1.99 %); more than 10 come with a probability below 1e-5.
    let (alarms, _) = false_alarms(Probe::Once, 0.01, 200_000, &mut random);
    assert!(alarms <= 10, "{alarms}");
    let (alarms, _) = false_alarms(Probe::Tcp, 0.05, 200_000, &mut random);
    assert!(alarms <= 10, "{alarms}");
}

#[tokio::test]
async fn a_dead_target_is_found_in_time() {
    let mut random = Rng::with_seed(2);
    let times: Vec<f64> = (0..10_000).map(|_| detection(&mut random)).collect();
    assert!(times.iter().all(|secs| (22.0..=32.0).contains(secs)));
}

/// The table of the documentation.
#[tokio::test]
#[ignore = "it simulates for a minute: see `just timelines`"]
async fn figures() {
    let mut random = Rng::with_seed(3);
    println!("loss  probe  a probe fails  false alarms, one in  down of the time");
    for loss in [0.01, 0.05, 0.20] {
        for (probe, name) in [(Probe::Once, "once"), (Probe::Tcp, "tcp")] {
            let probes = if loss < 0.02 { 100_000_000 } else { 20_000_000 };
            let failed = (0..1_000_000).filter(|_| !probe.passes(loss, &mut random)).count();
            let (alarms, down) = false_alarms(probe, loss, probes, &mut random);
            let days = probes as f64 * 10.0 / 86400.0 / (alarms.max(1) as f64);
            let least = if alarms == 0 { "more than " } else { "" };
            println!(
                "{:>3.0} %  {name:<5}  {:>10.4} %  {least}{days:>10.3} days ({alarms} seen)  {:.5} %",
                loss * 100.0,
                failed as f64 / 10_000.0,
                down * 100.0,
            );
        }
    }
    let mut times: Vec<f64> = (0..1_000_000).map(|_| detection(&mut random)).collect();
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    println!(
        "detection of a dead target: median {:.1} s, 99 % {:.1} s, worst {:.1} s",
        at(0.5),
        at(0.99),
        at(1.0)
    );
}
