//! A directory with a configuration, its zones and the server's state.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Stdio};

use tempfile::TempDir;

use super::pki::{HOST, pki};
use super::server::Server;
use super::target::{Kind, Target};
use crate::support::world;

/// What every configuration starts with. One worker, so that a test knows who answers.
const HEAD: &str = r#"version = 1
[server]
listen = ["127.0.0.1:0", "[::1]:0"]
workers = 1
[log]
format = "json"
[state]
dir = "state"
"#;
const ADMIN: &str = "[admin]\nlisten = \"127.0.0.1:0\"\n";
/// Where dynamic records live in most tests.
const ZONE: &str = r#"[zones."site.test"]
nameservers = { "ns1.site.test" = ["127.0.0.1"] }
"#;

/// The databases of the small world.
pub(crate) const WORLD: &str = "[geo]\ndatabases = [\"world.mmdb\", \"asn.mmdb\"]\n";

/// One nameserver's files.
#[derive(Debug)]
pub(crate) struct Site {
    dir: TempDir,
}

impl Site {
    /// The usual head, the zone site.test without a file, and `body`.
    pub(crate) fn new(body: &str) -> Self {
        let site = Self::bare("");
        site.configure(body);
        site
    }

    /// The same with more keys in `[server]`.
    pub(crate) fn of_server(keys: &str, body: &str) -> Self {
        let site = Self::bare("");
        let head = HEAD.replace("workers = 1\n", &format!("workers = 1\n{keys}\n"));
        site.write("trimtab.toml", &format!("{head}{ADMIN}{ZONE}{body}"));
        site
    }

    /// The same with the databases of the small world, which `geo` adds to: the rest of `[geo]`.
    pub(crate) fn of_world(geo: &str, body: &str) -> Self {
        let site = Self::new(&format!("{WORLD}{geo}\n{body}"));
        world::files().iter().for_each(|(name, octets)| site.write(name, octets));
        site
    }

    /// A configuration that is `text` and nothing else.
    pub(crate) fn bare(text: &str) -> Self {
        let site = Self { dir: TempDir::new().unwrap() };
        site.write("trimtab.toml", text);
        site.write("authority.pem", &pki().authority);
        site
    }

    /// Another body, behind the same head and zone.
    pub(crate) fn configure(&self, body: &str) {
        self.write("trimtab.toml", &format!("{HEAD}{ADMIN}{ZONE}{body}"));
    }

    /// Another body behind the head alone, with another `[admin]`.
    pub(crate) fn configure_admin(&self, admin: &str, body: &str) {
        self.write("trimtab.toml", &format!("{HEAD}[admin]\nlisten = {admin:?}\n{ZONE}{body}"));
    }

    /// The same with more keys in `[admin]`, among them where it listens.
    pub(crate) fn configure_access(&self, keys: &str, body: &str) {
        self.write("trimtab.toml", &format!("{HEAD}[admin]\n{keys}\n{ZONE}{body}"));
    }

    /// Writes a file that only its owner may use.
    pub(crate) fn write_private(&self, name: &str, contents: &str) {
        self.write(name, contents);
        self.set_mode(name, 0o600);
    }

    /// Says who may use one of its files.
    pub(crate) fn set_mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Writes one of its files.
    pub(crate) fn write(&self, name: &str, contents: &(impl AsRef<[u8]> + ?Sized)) {
        fs::write(self.path(name), contents).unwrap();
    }

    /// Adds to the end of one of its files.
    pub(crate) fn append(&self, name: &str, contents: &[u8]) {
        fs::OpenOptions::new()
            .append(true)
            .open(self.path(name))
            .unwrap()
            .write_all(contents)
            .unwrap();
    }

    /// Where one of its files is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The configuration.
    pub(crate) fn config(&self) -> PathBuf {
        self.path("trimtab.toml")
    }

    /// What https targets are trusted by.
    pub(crate) fn authority(&self) -> PathBuf {
        self.path("authority.pem")
    }

    /// The files in one of its directories.
    pub(crate) fn list(&self, dir: impl AsRef<Path>) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.dir.path().join(dir)).unwrap();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    }

    /// Starts the server and waits until it answers.
    #[track_caller]
    pub(crate) fn serve(&self) -> Server {
        Server::start(self, Stdio::null()).0
    }

    /// The same with its standard output, if that is piped.
    #[track_caller]
    pub(crate) fn serve_to(&self, stdout: Stdio) -> (Server, Option<ChildStdout>) {
        Server::start(self, stdout)
    }
}

/// The check `web`, quick, and a region for each target: `a`, `b`, `c`, … with equal weights.
pub(crate) fn quick(kind: Kind, port: u16, targets: &[Target]) -> String {
    let mut text = check("web", kind, port);
    for (target, name) in targets.iter().zip('a'..) {
        let ip = target.ip();
        let _ = write!(text, "[regions.{name}]\naddresses = [\"{ip}\"]\ncheck = \"web\"\n");
    }
    text
}

/// A check that finds out within 400 ms, and so does not stand in a test's way.
fn check(name: &str, kind: Kind, port: u16) -> String {
    let of_kind = match kind {
        Kind::Http => "type = \"http\"\npath = \"/healthz\"\nexpect_body = \"fine\"\n".into(),
        Kind::Https => format!("type = \"https\"\nhost = {HOST:?}\nexpect_body = \"fine\"\n"),
        Kind::Tcp => "type = \"tcp\"\n".to_owned(),
    };
    format!(
        "[checks.{name}]\n{of_kind}port = {port}\n\
         interval = \"200ms\"\ntimeout = \"180ms\"\nfall = 2\nrise = 2\n"
    )
}
