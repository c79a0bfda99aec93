//! A daemon as a child process: its port, its log, its start and its end.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use trimtab::clock::now;
use trimtab::wire::{CLASS_IN, Name, rtype};

use super::Refused;
use crate::reply::Reply;

/// How long a start or an end may take.
const PATIENCE: Duration = Duration::from_secs(60);
const GAP: Duration = Duration::from_millis(20);

/// A running daemon, which ends when this is dropped.
pub(super) struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
    /// Where it answers, UDP and TCP.
    pub(super) to: SocketAddr,
}

/// A port that was free a moment ago, over UDP and TCP.
pub(super) fn free_port() -> u16 {
    loop {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        if UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

impl Process {
    /// Starts a daemon that will answer at a port; both of its outputs go to a file in `dir`.
    pub(super) fn start(name: &'static str, daemon: &Command, dir: &Path, port: u16) -> Self {
        // So that it ends with the test, even when that is killed.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM", "--"]).arg(daemon.get_program());
        command.args(daemon.get_args());
        let log = dir.join("log");
        let out = fs::File::create(&log).expect("a file");
        let err = out.try_clone().expect("a file");
        let child = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn();
        let child = child.unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Self { name, child, log, to: SocketAddr::from((Ipv4Addr::LOCALHOST, port)) }
    }

    /// What it wrote so far.
    pub(super) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Panics when it has ended.
    pub(super) fn must_run(&mut self) {
        if let Ok(Some(status)) = self.child.try_wait() {
            panic!("{} has ended ({status}):\n{}", self.name, self.log());
        }
    }

    /// Waits until each zone is served, or the log says that it will not be; these are returned.
    pub(super) fn settle(&mut self, zones: &[(Name, PathBuf)]) -> Vec<Refused> {
        let deadline = now() + PATIENCE;
        let mut left: Vec<&(Name, PathBuf)> = zones.iter().collect();
        loop {
            self.must_run();
            left.retain(|(apex, _)| !serves(self.to, apex));
            let log = self.log();
            let why: Vec<String> = left.iter().filter_map(|zone| complaint(&log, zone)).collect();
            if why.len() == left.len() {
                let refused = left.iter().zip(why);
                return refused
                    .map(|((apex, _), why)| Refused { by: self.name, apex: apex.clone(), why })
                    .collect();
            }
            assert!(now() < deadline, "{} does not load {left:?}:\n{log}", self.name);
            sleep(GAP);
        }
    }
}

/// What a log says against a zone, which it names by its name or its file.
fn complaint(log: &str, (apex, file): &(Name, PathBuf)) -> Option<String> {
    let file = file.to_string_lossy();
    let names =
        [format!(" {apex}/"), format!(" {apex} "), format!("[{apex}.] "), file.into_owned()];
    let mut lines = log.lines().filter(|line| {
        let is_bad = ["error", "fail", "not loaded"].iter().any(|word| line.contains(word));
        is_bad && names.iter().any(|name| line.contains(name))
    });
    lines.next().map(str::to_owned)
}

/// Whether a zone's SOA is answered with authority.
fn serves(to: SocketAddr, apex: &Name) -> bool {
    // A socket of its own, so that no late answer is taken for that of another zone.
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    socket.connect(to).expect("loopback");
    socket.set_read_timeout(Some(Duration::from_millis(500))).expect("a time-out");
    let mut query = vec![0x5e, 0x77, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    query.extend(apex.as_wire());
    query.extend(rtype::SOA.to_be_bytes());
    query.extend(CLASS_IN.to_be_bytes());
    let mut buffer = [0; 4096];
    let answered = socket.send(&query).is_ok();
    let Some(len) = socket.recv(&mut buffer).ok().filter(|_| answered) else { return false };
    let reply = Reply::read(&buffer[..len]);
    reply.is_some_and(|reply| {
        reply.aa && reply.answer.iter().any(|rr| rr.owner == *apex && rr.rtype == rtype::SOA)
    })
}

impl Drop for Process {
    #[expect(unsafe_code, reason = "kill(2) has no safe wrapper here")]
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // SAFETY: no memory is involved; the child has not been waited for, so the id is its own.
            unsafe { libc::kill(self.child.id().cast_signed(), libc::SIGTERM) };
        }
        let deadline = now() + PATIENCE;
        while matches!(self.child.try_wait(), Ok(None)) && now() < deadline {
            sleep(GAP);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
