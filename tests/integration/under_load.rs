//! Flips of health and reloads under the load that the generator of `benches/versus` makes: no query
//! is lost, and no answer is any other than one that was right at the time.
//!
//! The tests that run with all others count, they do not time: so many flips, with as many queries
//! meanwhile as there are. Those with a load by the clock (`just under-load`) want a machine of their
//! own and a release build.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, spawn};

use clap::Parser;

use crate::harness::{Kind, Mode, Server, Site, quick, targets};
use crate::load;

const NAME: &str = "app.site.test";

/// The generator, one run after the other, until it is told to end.
struct Load {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<[u64; 3]>,
}

impl Load {
    /// `pace` are arguments of the generator. Every answer has one address.
    fn start(to: SocketAddr, pace: &str) -> Self {
        let questions = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(questions.path(), format!("{NAME} A\n")).unwrap();
        // Slow is not lost: a busy machine takes its time.
        let all = format!(
            "load --server {to} {pace} --sockets 4 --timeout 8000 --expect NOERROR \
             --expect-answers 1..1 --json --questions"
        );
        let path = questions.path().as_os_str().to_owned();
        let all = all.split(' ').map(Into::into).chain([path]);
        let args = load::args::Args::try_parse_from(all).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&stop);
        let thread = spawn(move || {
            let _questions = questions;
            let mut sum = [0; 3];
            while !end.load(Ordering::Relaxed) {
                let report: serde_json::Value =
                    serde_json::from_str(&load::run(&args).unwrap()).unwrap();
                for (sum, key) in sum.iter_mut().zip(["received", "lost", "wrong"]) {
                    *sum += report[key].as_u64().unwrap();
                }
            }
            sum
        });
        Self { stop, thread }
    }

    /// Ends it; nothing was lost or wrong. How many answers there were.
    #[track_caller]
    fn finish(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        let [received, lost, wrong] = self.thread.join().unwrap();
        assert_eq!((lost, wrong), (0, 0), "lost and wrong beside {received} answers");
        received
    }
}

/// Takes a region down and up again, so many times each.
fn flips(times: usize, pace: &str) {
    let (port, targets) = targets::<2>(Kind::Http);
    let record = format!("[[records]]\nname = \"{NAME}\"\npolicy = \"weighted\"\n");
    let site = Site::new(&(quick(Kind::Http, port, &targets) + &record));
    let server = site.serve();
    let series = r#"trimtab_region_up{region="b",family="ipv4"}"#;
    server.metric_becomes(series, 1.0);
    let load = Load::start(server.v4, pace);
    for _ in 0..times {
        for (mode, up) in [(Mode::Refuse, 0.0), (Mode::Ok, 1.0)] {
            targets[1].set(mode);
            server.metric_becomes(series, up);
        }
    }
    let answered = load.finish();
    assert!(answered > 0);
    println!("{} flips, {answered} answers", times * 2);
}

/// Loads changed configurations, so many times.
fn reloads(times: usize, pace: &str) {
    let configure = |site: &Site, weight: usize| {
        site.configure(&format!(
            "[regions.a]\naddresses = [\"192.0.2.1\"]\nweight = {weight}\n\
             [regions.b]\naddresses = [\"192.0.2.2\"]\n\
             [[records]]\nname = \"{NAME}\"\npolicy = \"weighted\"\n"
        ));
    };
    let site = Site::new("");
    configure(&site, 1);
    let server: Server = site.serve();
    let load = Load::start(server.v4, pace);
    for number in 0..times {
        configure(&site, 1 + number % 7);
        assert!(server.reload(), "reload {number}");
    }
    let answered = load.finish();
    assert!(answered > 0);
    println!("{times} reloads, {answered} answers");
}

#[test]
fn flips_of_health_lose_no_query() {
    flips(3, "--closed 64 --queries 500");
}

#[test]
fn reloads_lose_no_query() {
    reloads(20, "--closed 64 --queries 500");
}

#[test]
#[ignore = "wants a release build and a machine of its own: just under-load"]
fn flips_at_sixty_thousand_queries_a_second_lose_none() {
    flips(50, "--open 60000 --seconds 1");
}

#[test]
#[ignore = "wants a release build and a machine of its own: just under-load"]
fn a_thousand_reloads_at_sixty_thousand_queries_a_second_lose_none() {
    reloads(1000, "--open 60000 --seconds 1");
}
