//! What http and https checks ask, and what they want of the response.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use regex::bytes::{Regex, RegexBuilder};
use serde_json::Value;

use super::{Credentials, Digest, TlsVerify};

/// No compiled pattern takes more, in octets; nor does what it remembers while it searches.
const PATTERN_MAX: usize = 256 << 10;

/// One HTTP request and what is wanted of the response.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpProbe {
    /// `Some` for https: whether the certificate's chain and name are verified.
    pub tls: Option<TlsVerify>,
    /// What is trusted and shown over TLS.
    pub credentials: Credentials,
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
    /// A pattern that must match within the first 5120 bytes of the body.
    pub expect_regex: Option<Pattern>,
    /// The body is JSON that has these values: texts, numbers or truth values at JSON pointers (RFC 6901).
    pub expect_json: Vec<(String, Value)>,
    /// The longest time from the request to the last octet wanted.
    pub max_response_time: Option<Duration>,
    /// The body is JSON and tells by its `status` how the target is.
    pub health: bool,
    /// The header field in which the target says how much it wants, in the words of an agent.
    pub weight_header: Option<String>,
    /// The header field in which the target says how loaded it is.
    pub load_header: Option<String>,
}

impl Default for HttpProbe {
    /// `GET /` over plain HTTP, wanting 200-299.
    fn default() -> Self {
        Self {
            tls: None,
            credentials: Credentials::default(),
            method: "GET".into(),
            path: "/".into(),
            host: None,
            headers: Vec::new(),
            expect_status: vec![StatusRange { first: 200, last: 299 }],
            expect_body: None,
            expect_regex: None,
            expect_json: Vec::new(),
            max_response_time: None,
            health: false,
            weight_header: None,
            load_header: None,
        }
    }
}

impl HttpProbe {
    pub(super) fn digest(&self, digest: Digest) -> Digest {
        let tls = match self.tls {
            None => "plain",
            Some(TlsVerify::Full) => "verified",
            Some(TlsVerify::Off) => "unverified",
        };
        let mut digest =
            digest.text(tls).text(&self.method).text(&self.path).maybe(self.host.as_deref());
        digest = digest.number(self.headers.len() as u64);
        for (name, value) in &self.headers {
            digest = digest.text(name).text(value);
        }
        digest = digest.number(self.expect_status.len() as u64);
        for range in &self.expect_status {
            digest = digest.number(u64::from(range.first)).number(u64::from(range.last));
        }
        self.later(digest.maybe(self.expect_body.as_deref()))
    }

    /// What was added later: it counts only where it is there, so that the numbers of all other checks
    /// stay as they are.
    fn later(&self, mut digest: Digest) -> Digest {
        if let Some(pattern) = &self.expect_regex {
            digest = digest.text("regex").text(pattern.as_str());
        }
        for (pointer, value) in &self.expect_json {
            digest = digest.text("json").text(pointer).text(&value.to_string());
        }
        if let Some(longest) = self.max_response_time {
            let longest = u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX);
            digest = digest.text("time").number(longest);
        }
        if self.health {
            digest = digest.text("health");
        }
        for (what, name) in [("weight", &self.weight_header), ("load", &self.load_header)] {
            if let Some(name) = name {
                digest = digest.text(what).text(name);
            }
        }
        self.credentials.digest(digest)
    }
}

/// A regular expression of bounded size.
#[derive(Debug, Clone)]
pub struct Pattern(Arc<Regex>);

impl Pattern {
    /// Compiles a pattern in the syntax of the `regex` crate.
    ///
    /// # Errors
    ///
    /// What is wrong with it, or that it is too large.
    pub fn new(text: &str) -> Result<Self, regex::Error> {
        let mut builder = RegexBuilder::new(text);
        builder.size_limit(PATTERN_MAX).dfa_size_limit(PATTERN_MAX);
        builder.build().map(|regex| Self(Arc::new(regex)))
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether it matches anywhere; the time is linear to the length.
    #[must_use]
    pub fn is_within(&self, octets: &[u8]) -> bool {
        self.0.is_match(octets)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
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
