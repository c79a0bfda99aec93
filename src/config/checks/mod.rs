//! `[checks.NAME]`: what is probed, how, and how often.

mod agent;
mod body;
mod calculated;
mod credentials;
mod dns;
mod exec;
mod grpc;
mod http;
mod icmp;
mod prometheus;
mod push;
mod tls;

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::pki_types::ServerName;

pub use credentials::CredentialFiles;
pub(super) use prometheus::url as prometheus_url;

use super::context::Spanned;
use super::defaults::{INTERVAL, timing};
use super::names;
use super::table::Table;
use super::value::Value;
use crate::model::{self, Calculated, Destination, Role, Timing};

/// A check, and where its parts were written.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// Its name.
    pub name: Spanned<Arc<str>>,
    /// What it does; shared by all pools that use it.
    pub spec: Arc<model::Check>,
    /// Its target, if it has one of its own.
    pub target: Option<Spanned<Destination>>,
    /// The names of the checks that a calculated one looks at.
    pub of: Vec<Spanned<String>>,
    /// The files of its credentials.
    pub files: CredentialFiles,
}

const TARGET_WANTED: &str = "an address or a host name, without a port";

const ROLES: [(&str, Role); 2] = [("route", Role::Route), ("monitor", Role::Monitor)];
/// So long before it expires a certificate may be told about.
const WARN_BEFORE: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(315_576_000);

const TYPES: &[(&str, Kind)] = &[
    ("http", Kind::Http),
    ("https", Kind::Https),
    ("tcp", Kind::Tcp),
    ("tls", Kind::Tls),
    ("agent", Kind::Agent),
    ("grpc", Kind::Grpc),
    ("calculated", Kind::Calculated),
    ("dns", Kind::Dns),
    ("icmp", Kind::Icmp),
    ("exec", Kind::Exec),
    ("prometheus", Kind::Prometheus),
    ("push", Kind::Push),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Http,
    Https,
    Tcp,
    Tls,
    Agent,
    Grpc,
    Calculated,
    Dns,
    Icmp,
    Exec,
    Prometheus,
    Push,
}

impl Kind {
    /// Whether what is asked is the address, or what stands for it.
    const fn connects(self) -> bool {
        !matches!(self, Self::Exec | Self::Prometheus | Self::Push)
    }
}

impl Check {
    pub(super) fn read_all(v: &Value<'_>, defaults: Timing) -> Option<Vec<Self>> {
        let entries = v.entries("a table of checks: [checks.web]")?;
        let read = entries.into_iter().map(|(name, place, v)| {
            let name = names::read(name, place, &v);
            let check = v.table(|t| Self::read(t, &name, defaults));
            check.unwrap_or_else(|| Self::unread(&name, defaults))
        });
        Some(read.collect())
    }

    fn read(t: &Table<'_>, name: &Spanned<Arc<str>>, defaults: Timing) -> Self {
        let wanted = "the kind of check: type = \"http\", for one";
        let Some(kind) = t.required("type", wanted, |v| v.word(TYPES)) else {
            t.tolerate();
            return Self::unread(name, defaults);
        };
        let mut spec = Self::common(t, name, defaults, kind);
        if kind == Kind::Calculated {
            let (of, at_least) = calculated::read(t);
            spec.probe = model::Probe::Calculated(Calculated { of: Vec::new(), at_least });
            return Self { of, ..Self::of(name, spec) };
        }
        let read = |v: &Value<'_>| v.parsed(TARGET_WANTED, destination).map(|to| v.with_place(to));
        let target = if kind.connects() { t.optional("target", read) } else { None };
        spec.target = target.clone().map(|to| to.value);
        let (mut port, mut files) = (0, CredentialFiles::default());
        let timeout = spec.timing.timeout;
        match kind {
            Kind::Http => {
                port = usual_port(t, 80);
                (spec.probe, files) = http::read(t, false, timeout);
            }
            Kind::Https => {
                port = usual_port(t, 443);
                (spec.probe, files) = http::read(t, true, timeout);
            }
            Kind::Tls => {
                port = usual_port(t, 443);
                (spec.probe, files) = tls::read(t);
            }
            Kind::Agent => (port, spec.probe) = (needed_port(t), agent::read(t)),
            Kind::Grpc => {
                port = needed_port(t);
                (spec.probe, files) = grpc::read(t);
            }
            Kind::Tcp | Kind::Calculated => (port, spec.probe) = (needed_port(t), tcp(t)),
            Kind::Dns => (port, spec.probe) = (usual_port(t, 53), dns::read(t)),
            Kind::Icmp => spec.probe = icmp::read(t),
            Kind::Exec => spec.probe = exec::read(t),
            Kind::Prometheus => spec.probe = prometheus::read(t),
            Kind::Push => spec.probe = push::read(t),
        }
        spec.port = port;
        Self { target, files, ..Self::of(name, spec) }
    }

    fn of(name: &Spanned<Arc<str>>, spec: model::Check) -> Self {
        let (of, files) = Default::default();
        Self { name: name.clone(), spec: Arc::new(spec), target: None, of, files }
    }

    /// The keys of every kind.
    fn common(
        t: &Table<'_>,
        name: &Spanned<Arc<str>>,
        defaults: Timing,
        kind: Kind,
    ) -> model::Check {
        let timing = match kind {
            Kind::Push => push::timing(t, defaults),
            _ => Self::timing(t, defaults),
        };
        let mut spec = model::Check::new(Arc::clone(name), model::Probe::Tcp, 0, timing);
        t.set("role", &mut spec.role, |v| v.word(&ROLES));
        t.set("degraded_factor", &mut spec.degraded_factor, |v| {
            v.number(0.0..=1.0, "a number from 0 to 1")
        });
        t.set("warn_before", &mut spec.warn_before, |v| v.duration(WARN_BEFORE));
        spec
    }

    /// How often and how patiently it is probed.
    fn timing(t: &Table<'_>, defaults: Timing) -> Timing {
        let mut timing = timing(t, defaults);
        t.set("fast_interval", &mut timing.fast, |v| v.duration(INTERVAL).map(Some));
        if let (Some(fast), Some(v)) = (timing.fast, t.peek("fast_interval"))
            && (fast > timing.interval || fast <= timing.timeout)
        {
            let (least, most) = (timing.timeout, timing.interval);
            let (least, most) =
                (humantime::format_duration(least), humantime::format_duration(most));
            v.refuse::<()>(format!(
                "a duration above the timeout of {least}, up to the interval of {most}"
            ));
        }
        timing
    }

    /// Stands for a check that cannot be read, so that references to it are not unknown.
    fn unread(name: &Spanned<Arc<str>>, timing: Timing) -> Self {
        let spec = model::Check::new(Arc::clone(name), model::Probe::Tcp, 1, timing);
        Self::of(name, spec)
    }
}

/// The port, where one is usual.
fn usual_port(t: &Table<'_>, usual: u16) -> u16 {
    t.optional("port", |v| v.integer(1..=65535)).unwrap_or(usual)
}

/// The port, where none is.
fn needed_port(t: &Table<'_>) -> u16 {
    t.required("port", "a port from 1 to 65535", |v| v.integer(1..=65535)).unwrap_or(1)
}

fn tcp(t: &Table<'_>) -> model::Probe {
    let keys = ["path", "host", "method", "headers", "expect_status", "expect_body", "verify_tls"];
    for key in keys.into_iter().chain(["expect_regex", "expect_json", "ca_file"]) {
        let hint = "a tcp check only connects; use type = \"http\" or \"https\"";
        t.misplaced(key, "a key of a tcp check", hint);
    }
    model::Probe::Tcp
}

pub(super) fn server_name(text: &str) -> Option<String> {
    ServerName::try_from(text).ok().map(|_| text.into())
}

fn destination(text: &str) -> Option<Destination> {
    match text.parse::<IpAddr>() {
        Ok(address) => Some(Destination::Address(address)),
        Err(_) => server_name(text).map(Destination::Name),
    }
}
