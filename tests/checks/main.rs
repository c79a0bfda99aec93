//! Checks against what they are made for: a nameserver of another make, Prometheus itself, the echo that
//! only who may send it gets.
//!
//! Not part of `cargo test`, which needs nothing but the toolchain: `just checks`, by root, with Debian's
//! packages nsd and prometheus.

#[allow(dead_code, unused_imports, reason = "the harness of the integration tests")]
#[path = "../integration/harness/mod.rs"]
mod harness;
mod icmp;
mod nameserver;
mod prometheus;
#[path = "../support/mod.rs"]
mod support;

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::Value;

use harness::{Http, Server, until};

/// A program that a test has started; it is ended when this is dropped, by its id.
struct Running(Child);

impl Running {
    /// Starts it; Debian's packages put some where only root looks. What it says goes to a file.
    fn start(program: &str, arguments: &[&str], log: &Path) -> Self {
        let log = std::fs::File::create(log).unwrap();
        let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new(program);
        command.args(arguments).env("PATH", path).stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        Self(command.spawn().unwrap_or_else(|error| panic!("{program}, of Debian: {error}")))
    }

    /// Ends it politely, since it may have children of its own.
    fn stop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.0);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.0.try_wait() {
            self.stop();
        }
    }
}

/// A port of loopback that is free over UDP and TCP, and is not given to anybody who asks for any.
fn free() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 22_000 + (std::process::id() % 10_000) as u16;
    for _ in 0..1_000 {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no free port");
}

/// Waits until what the server says of its first target of a check is as wanted.
#[track_caller]
fn seen(server: &Server, check: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let http = Http::new(server.admin);
    until(&format!("the check {check}: {what}"), || {
        let all = http.get(&format!("/checks?check={check}")).json();
        let first = all["items"][0].clone();
        wanted(&first).then_some(first)
    })
}
