//! What is probed, how, and how often.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::TargetId;

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
