//! NSD, Knot and BIND as secondaries: on loopback, as the current user, with all of their files in a
//! directory of their own.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use tempfile::TempDir;

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Nsd,
    Knot,
    Bind,
}

/// The key of both sides.
pub(crate) const KEY: &str = "transfer";
/// Its secret in base64.
pub(crate) const SECRET: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
/// Another one.
pub(crate) const WRONG: &str = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=";

/// What a secondary is to do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order<'a> {
    pub(crate) kind: Kind,
    /// Where it is to answer.
    pub(crate) at: SocketAddr,
    pub(crate) primary: SocketAddr,
    pub(crate) zones: &'a [&'a str],
    /// The secret of [`KEY`], if messages are to be signed.
    pub(crate) secret: Option<&'a str>,
}

/// A running secondary; it is ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Peer {
    child: Child,
    dir: TempDir,
}

/// An address whose port is free, over UDP and TCP, and is not given to anybody who asks for any: the
/// system takes those from 32768 on.
pub(crate) fn free() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 12_000 + (std::process::id() % 10_000) as u16;
    for _ in 0..1_000 {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no free port");
}

impl Peer {
    /// Starts it; the packages of Debian have the programs.
    pub(crate) fn start(order: Order<'_>) -> Self {
        let dir = TempDir::new().unwrap();
        let (program, arguments, text) = match order.kind {
            Kind::Nsd => ("nsd", vec!["-d", "-c"], nsd(order, dir.path())),
            Kind::Knot => ("knotd", vec!["-c"], knot(order, dir.path())),
            Kind::Bind => ("named", vec!["-g", "-c"], bind(order, dir.path())),
        };
        let config = dir.path().join("config");
        fs::write(&config, text).unwrap();
        let log = fs::File::create(dir.path().join("output")).unwrap();
        // They stand where only root looks.
        let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
        let child = Command::new(program)
            .args(arguments)
            .arg(&config)
            .env("PATH", path)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{program}, of Debian's packages: {error}"));
        Self { child, dir }
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// What it said.
    pub(crate) fn said(&self) -> String {
        let read = |name| fs::read_to_string(self.dir.path().join(name)).unwrap_or_default();
        ["output", "log"].map(read).concat()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Politely, since NSD has children of its own.
        let id = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        for _ in 0..500 {
            if !self.runs() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- what the secondary said\n{}\n---", self.said());
        }
    }
}

fn nsd(order: Order<'_>, dir: &Path) -> String {
    let (dir, at, primary) = (dir.display(), order.at, order.primary);
    let mut text = format!(
        "server:\n ip-address: {}@{}\n username: \"\"\n chroot: \"\"\n zonesdir: \"{dir}\"\n \
         database: \"\"\n zonelistfile: \"{dir}/zone.list\"\n pidfile: \"{dir}/pid\"\n \
         xfrdfile: \"{dir}/xfrd\"\n xfrdir: \"{dir}\"\n logfile: \"{dir}/log\"\n verbosity: 2\n \
         server-count: 1\nremote-control:\n control-enable: no\n",
        at.ip(),
        at.port()
    );
    if let Some(secret) = order.secret {
        text +=
            &format!("key:\n name: \"{KEY}\"\n algorithm: hmac-sha256\n secret: \"{secret}\"\n");
    }
    let key = if order.secret.is_some() { KEY } else { "NOKEY" };
    for zone in order.zones {
        text += &format!(
            "zone:\n name: \"{zone}\"\n zonefile: \"{zone}.zone\"\n \
             request-xfr: {}@{} {key}\n allow-notify: 127.0.0.1 {key}\n \
             provide-xfr: 127.0.0.1 NOKEY\n",
            primary.ip(),
            primary.port()
        );
    }
    text
}

fn knot(order: Order<'_>, dir: &Path) -> String {
    let (dir, at, primary) = (dir.display(), order.at, order.primary);
    let (keys, key) = match order.secret {
        Some(secret) => (
            format!("key:\n  - id: {KEY}\n    algorithm: hmac-sha256\n    secret: {secret}\n"),
            format!("    key: {KEY}\n"),
        ),
        None => Default::default(),
    };
    let mut text = format!(
        "server:\n    listen: {}@{}\n    rundir: {dir}\n    pidfile: {dir}/pid\n\
         log:\n  - target: stderr\n    any: info\n\
         database:\n    storage: {dir}\n{keys}\
         remote:\n  - id: primary\n    address: {}@{}\n{key}\
         acl:\n  - id: told\n    address: 127.0.0.1\n    action: notify\n{key}\
         \x20 - id: asked\n    address: 127.0.0.1\n    action: transfer\n\
         template:\n  - id: default\n    storage: {dir}\nzone:\n",
        at.ip(),
        at.port(),
        primary.ip(),
        primary.port()
    );
    for zone in order.zones {
        text += &format!("  - domain: {zone}\n    master: primary\n    acl: [told, asked]\n");
    }
    text
}

fn bind(order: Order<'_>, dir: &Path) -> String {
    let (dir, at, primary) = (dir.display(), order.at, order.primary);
    let mut text = format!(
        "options {{ directory \"{dir}\"; listen-on port {} {{ {}; }}; listen-on-v6 {{ none; }}; \
         pid-file \"{dir}/pid\"; session-keyfile \"{dir}/session.key\"; lock-file none; \
         recursion no; notify no; dnssec-validation no; allow-transfer {{ 127.0.0.1; }}; }};\n\
         controls {{ }};\n",
        at.port(),
        at.ip()
    );
    if let Some(secret) = order.secret {
        text += &format!("key \"{KEY}\" {{ algorithm hmac-sha256; secret \"{secret}\"; }};\n");
    }
    let key = order.secret.map_or(String::new(), |_| format!("key \"{KEY}\""));
    for zone in order.zones {
        text += &format!(
            "zone \"{zone}\" {{ type secondary; file \"{dir}/{zone}.db\"; \
             primaries {{ {} port {} {key}; }}; }};\n",
            primary.ip(),
            primary.port()
        );
    }
    text
}
