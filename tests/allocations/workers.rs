//! The UDP workers: what they do around the engine allocates nothing either, and asks the system for
//! nothing but the two calls of a batch.

use std::fs;
use std::net::UdpSocket;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use trimtab::dns::engine::{Shared, Transport};
use trimtab::dns::{UdpWorkers, bind};
use trimtab::metrics::Proto;
use trimtab::model::Family;
use trimtab::routing::Publisher;

use crate::answers::cases::{Case, cases};
use crate::answers::reading::said;
use crate::answers::world::{Limits, World, shared};
use crate::counting::calls_of;
use crate::filter;

/// As many queries wait for a worker at once: more than a batch.
const AT_ONCE: usize = 40;

/// A worker, and a client who may ask it.
struct Served {
    world: World,
    publisher: Publisher,
    workers: UdpWorkers,
    client: UdpSocket,
    cases: Vec<Case>,
}

impl Served {
    fn new(logged: bool) -> Self {
        let world = World::new(Limits::Off);
        let world = if logged { world.logged(true, true) } else { world };
        let publisher = Publisher::new(world.snapshot());
        let shared: Arc<Shared> = shared();
        let sockets = bind("127.0.0.1:0".parse().expect("an address"), 1).expect("a socket");
        let block = |_| world.metrics.block(Proto::Udp, Family::V4, false);
        let workers = UdpWorkers::spawn(&sockets, &publisher.handle(), &shared, block);
        let client = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        client.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out");
        client.connect(sockets[0].local_addr().expect("an address")).expect("the worker");
        let cases = cases(shared.now().unix_secs).into_iter().filter(|case| {
            let local = case.from.is_loopback() && case.limits == Limits::Off;
            local && case.transport == Transport::Udp
        });
        let cases = cases.collect();
        Self { world, publisher, workers: workers.expect("a thread"), client, cases }
    }

    /// Asks for everything, and hands over what comes.
    fn ask(&self, mut answered: impl FnMut(&Case, &[u8])) {
        for (number, case) in self.cases.iter().enumerate() {
            self.client.send(&case.request).expect("room");
            let is_last = number + 1 == self.cases.len();
            if (number + 1) % AT_ONCE == 0 || is_last {
                let first = number / AT_ONCE * AT_ONCE;
                let asked = self.cases[first..=number].iter();
                for case in asked.filter(|case| case.replies != ["nothing"]) {
                    let mut reply = [0; 4096];
                    let len = self.client.recv(&mut reply).expect("a reply");
                    answered(case, &reply[..len]);
                }
            }
        }
    }
}

/// The thread of that name.
fn thread(name: &str) -> i32 {
    let tasks = fs::read_dir("/proc/self/task").expect("the threads of this process").flatten();
    let mut numbers = tasks.filter_map(|task| {
        let comm = fs::read_to_string(task.path().join("comm")).ok()?;
        let number = task.file_name().to_str()?.parse().ok()?;
        (comm.trim_end() == name).then_some(number)
    });
    numbers.next().expect("a thread of that name")
}

fn check(case: &Case, reply: &[u8]) {
    let said = said(&case.request, Some(reply));
    assert!(case.replies.contains(&said.as_str()), "{}: {said}", case.what);
}

#[test]
fn a_worker_allocates_and_frees_nothing_while_snapshots_are_replaced() {
    // One after the other, for they have the same names.
    [false, true].into_iter().for_each(allocates_and_frees_nothing);
}

fn allocates_and_frees_nothing(logged: bool) {
    let mut served = Served::new(logged);
    served.ask(check);
    let worker = thread("udp-0");
    let before = calls_of(worker);
    for round in 0..20 {
        let last = served.publisher.handle().current();
        let next = served.world.next(&last, "us", round % 2 == 1);
        drop(last);
        served.publisher.publish(next);
        served.ask(|_, _| ());
    }
    served.ask(check);
    assert_eq!(calls_of(worker), before);
    served.workers.stop();
    assert_eq!(served.publisher.sweep(), 0, "the worker has freed none of them, and holds none");
}

/// In a process of its own, for a filter of system calls is for ever: [`CHILD`] runs it.
#[test]
#[ignore = "another test runs it"]
fn under_a_filter() {
    let served = Served::new(std::env::var_os(LOGGED).is_some());
    served.ask(check);
    filter::install();
    // From here on, no thread may ask for memory: nothing is read but the header.
    for _ in 0..20 {
        served.ask(|case, reply| {
            if reply[..2] != case.request[..2] {
                filter::exit(1);
            }
        });
    }
    if std::env::var_os(FORBIDDEN).is_some() {
        std::thread::yield_now();
    }
    filter::exit(0);
}

const CHILD: &str = "workers::under_a_filter";
/// Has the child log its answers.
const LOGGED: &str = "TRIMTAB_LOGGED";
/// Has the child do what the filter forbids.
const FORBIDDEN: &str = "TRIMTAB_FORBIDDEN";

#[test]
fn a_worker_asks_the_system_for_nothing_but_a_batch() {
    let child = || {
        let mut child = Command::new(std::env::current_exe().expect("this program"));
        child.args(["--ignored", "--exact", CHILD, "--nocapture"]);
        child
    };
    let works = |child: &mut Command| {
        let output = child.output().expect("a child");
        assert!(output.status.success(), "{:?}: a signal 31 is another call", output);
    };
    works(&mut child());
    works(child().env(LOGGED, "1"));
    let output = child().env(FORBIDDEN, "1").output().expect("a child");
    assert_eq!(output.status.signal(), Some(libc::SIGSYS), "the filter forbids nothing");
}
