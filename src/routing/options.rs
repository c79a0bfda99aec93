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
    /// Which answers are logged, if any are.
    pub logged: Option<Logged>,
}

/// Which answers are logged, and where; at least somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Logged {
    /// Those for which 32 random bits come out as no more than this.
    pub threshold: u32,
    /// As lines of JSON.
    pub json: bool,
    /// As dnstap.
    pub dnstap: bool,
}

impl Logged {
    /// The threshold for a share of all answers, above 0 and up to 1.
    #[must_use]
    pub fn threshold(share: f64) -> u32 {
        // Conversions of numbers beyond what there are cut to the last.
        ((share * 2_f64.powi(32)).ceil() as u32).wrapping_sub(u32::from(share < 1.0))
    }
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
            logged: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_all_numbers_is_up_to_its_threshold() {
        let of = |share| u64::from(Logged::threshold(share)) + 1;
        assert_eq!(of(1.0), 1 << 32);
        assert_eq!(of(0.5), 1 << 31);
        assert_eq!(of(0.25), 1 << 30);
        assert_eq!(of(1e-12), 1, "never none");
        assert_eq!(of(0.1), 429_496_730);
    }
}
