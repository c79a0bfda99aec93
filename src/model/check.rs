//! What is probed, how, and how often.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::{Digest, TargetId};

/// A configured check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// What is asked and what must be answered.
    pub probe: Probe,
    /// The port, 1 to 65535.
    pub port: u16,
    /// Probed instead of the served address.
    pub target: Option<Destination>,
    /// How often, how long, and how many results decide.
    pub timing: Timing,
}

impl Check {
    /// Where a probe for this served address connects to: `target`, or the address itself.
    #[must_use]
    pub fn destination(&self, address: IpAddr) -> Destination {
        self.target.clone().unwrap_or(Destination::Address(address))
    }

    /// A number that stands for what is asked and what is wanted, but not for the timing: health
    /// that was stored is that of this check only if the numbers are equal. The same in every
    /// version of the program, as long as nothing is added to a check.
    #[must_use]
    pub fn definition(&self) -> u64 {
        let Self { name: _, probe, port, target, timing: _ } = self;
        let target = target.as_ref().map(ToString::to_string).unwrap_or_default();
        let digest = Digest::new().number(u64::from(*port)).text(&target);
        match probe {
            Probe::Tcp => digest.text("tcp"),
            Probe::Http(http) => http.digest(digest.text("http")),
        }
        .finish()
    }
}

/// What a probe does once it is connected.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Probe {
    /// Connecting is enough.
    Tcp,
    /// An HTTP/1.1 request.
    Http(HttpProbe),
}

/// One HTTP request and what is wanted of the response.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HttpProbe {
    /// `Some` for https: whether the certificate's chain and name are verified.
    pub tls: Option<TlsVerify>,
    /// The method.
    pub method: String,
    /// The path with its query, starting with `/`.
    pub path: String,
    /// The Host header and the TLS server name; else the address probed.
    pub host: Option<String>,
    /// Further header fields, in the order of the configuration.
    pub headers: Vec<(String, String)>,
    /// Accepted status codes.
    pub expect_status: Vec<StatusRange>,
    /// A text that must be within the first 5120 bytes of the body.
    pub expect_body: Option<String>,
}

impl HttpProbe {
    fn digest(&self, digest: Digest) -> Digest {
        let Self { tls, method, path, host, headers, expect_status, expect_body } = self;
        let tls = match tls {
            None => "plain",
            Some(TlsVerify::Full) => "verified",
            Some(TlsVerify::Off) => "unverified",
        };
        let mut digest = digest.text(tls).text(method).text(path).maybe(host.as_deref());
        digest = digest.number(headers.len() as u64);
        for (name, value) in headers {
            digest = digest.text(name).text(value);
        }
        digest = digest.number(expect_status.len() as u64);
        for range in expect_status {
            digest = digest.number(u64::from(range.first)).number(u64::from(range.last));
        }
        digest.maybe(expect_body.as_deref())
    }
}

/// Whether the certificate of an https target must be valid for `host`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TlsVerify {
    /// Chain and name are verified.
    Full,
    /// Any certificate will do.
    Off,
}

/// An inclusive range of status codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StatusRange {
    /// The first, 100 to 599.
    pub first: u16,
    /// The last, not below the first.
    pub last: u16,
}

impl StatusRange {
    /// Whether `status` is in it.
    #[must_use]
    pub const fn contains(self, status: u16) -> bool {
        self.first <= status && status <= self.last
    }
}

impl fmt::Display for StatusRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

/// How often a target is probed and how many results change its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Timing {
    /// From the start of one probe to the start of the next.
    pub interval: Duration,
    /// From connect to the last byte wanted; below the interval.
    pub timeout: Duration,
    /// Consecutive failures before down, 1 to 100.
    pub fall: u32,
    /// Consecutive successes before up, 1 to 100.
    pub rise: u32,
}

/// Where a probe connects to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Destination {
    /// An address.
    Address(IpAddr),
    /// A host name, looked up by the system's resolver for each probe.
    Name(String),
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

/// One (check, destination): the unit that is probed and judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Stable for as long as the process lives.
    pub id: TargetId,
    /// The check.
    pub check: Arc<Check>,
    /// Where it connects to.
    pub destination: Destination,
    /// Whether its state is known already (from a store or from before a reload), so that a
    /// first failure need not be checked again quickly.
    pub settled: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check() -> Check {
        Check {
            name: "web".into(),
            probe: Probe::Http(HttpProbe {
                tls: Some(TlsVerify::Full),
                method: "GET".into(),
                path: "/healthz".into(),
                host: Some("app.example.com".into()),
                headers: vec![("X-Probe".into(), "trimtab".into())],
                expect_status: vec![StatusRange { first: 200, last: 299 }],
                expect_body: None,
            }),
            port: 443,
            target: None,
            timing: Timing {
                interval: Duration::from_secs(10),
                timeout: Duration::from_secs(2),
                fall: 3,
                rise: 2,
            },
        }
    }

    fn http(change: impl FnOnce(&mut HttpProbe)) -> Check {
        let mut changed = check();
        if let Probe::Http(http) = &mut changed.probe {
            change(http);
        }
        changed
    }

    #[test]
    fn the_timing_and_the_name_are_no_part_of_the_definition() {
        let mut other = check();
        other.name = "renamed".into();
        other.timing.interval = Duration::from_secs(5);
        other.timing.fall = 9;
        assert_eq!(other.definition(), check().definition());
    }

    #[test]
    fn whatever_is_asked_or_wanted_is() {
        let changed = [
            check(),
            Check { port: 8443, ..check() },
            Check { probe: Probe::Tcp, ..check() },
            Check { target: Some(Destination::Name("other".into())), ..check() },
            http(|http| http.tls = None),
            http(|http| http.tls = Some(TlsVerify::Off)),
            http(|http| http.method = "HEAD".into()),
            http(|http| http.path = "/".into()),
            http(|http| http.host = None),
            http(|http| http.host = Some(String::new())),
            http(|http| http.headers.clear()),
            http(|http| http.headers = vec![("X-Probet".into(), "rimtab".into())]),
            http(|http| http.expect_status.clear()),
            http(|http| http.expect_body = Some(String::new())),
        ];
        let definitions: std::collections::HashSet<u64> =
            changed.iter().map(Check::definition).collect();
        assert_eq!(definitions.len(), changed.len());
    }

    #[test]
    fn the_definition_outlives_the_program() {
        // Stored health is lost on an upgrade when this number changes: do it knowingly.
        assert_eq!(format!("{:016x}", check().definition()), "3867f3764f149e0e");
    }

    #[test]
    fn a_target_stands_in_for_every_address() {
        let address = IpAddr::from([192, 0, 2, 1]);
        assert_eq!(check().destination(address), Destination::Address(address));
        let target = Destination::Name("probe.example.com".into());
        let other = Check { target: Some(target.clone()), ..check() };
        assert_eq!(other.destination(address), target);
    }
}
