//! What the configuration says to the engine beside names and shares.

use std::fmt;
use std::sync::Arc;

use super::rate_limit::RateLimit;
use super::transfers::Transfers;

/// Settings that shape replies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The largest answer over UDP, in octets, 512 to 4096.
    pub udp_payload_max: u16,
    /// Whether an EDNS Client Subnet decides who the client is.
    pub client_subnet: bool,
    /// What NSID (RFC 5001) and `id.server` (RFC 4892) are answered with, at most 128 octets.
    pub nsid: Option<Arc<str>>,
    /// What `version.bind` is answered with, at most 255 octets.
    pub version_bind: Option<Arc<str>>,
    /// How server cookies are made.
    pub cookies: Cookies,
    /// The limits of replies over UDP, if there are any.
    pub rate_limit: Option<RateLimit>,
    /// How long a TCP connection may be idle, in units of 100 ms (RFC 7828 section 3.1).
    pub keepalive: u16,
    /// Who may have whole zones.
    pub transfers: Arc<Transfers>,
}

/// How server cookies are made (RFC 7873).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cookies {
    /// Not at all: the option is ignored.
    Off,
    /// With a secret that this process drew for itself when it started.
    Own,
    /// With secrets that several nameservers share. The first makes cookies; any of them may have
    /// made those that come in (RFC 9018 section 5). At least one.
    Shared(Arc<[Secret]>),
}

/// What a server cookie is made with: the key of SipHash-2-4.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret(pub [u8; 16]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            udp_payload_max: 1232,
            client_subnet: true,
            nsid: None,
            version_bind: None,
            cookies: Cookies::Own,
            rate_limit: None,
            keepalive: 100,
            transfers: Arc::default(),
        }
    }
}
