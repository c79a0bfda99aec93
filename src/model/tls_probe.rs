//! What tls checks ask, and what every probe over TLS trusts and shows.

use std::fmt;
use std::sync::Arc;

use super::Digest;

/// A TLS handshake; the certificate's chain and name are always verified.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct TlsProbe {
    /// The server name that is asked for and that the certificate must be for.
    pub host: String,
    /// What is trusted and shown.
    pub credentials: Credentials,
}

impl TlsProbe {
    pub(super) fn digest(&self, digest: Digest) -> Digest {
        self.credentials.digest(digest.text(&self.host))
    }
}

/// Whether the certificate of a target must be valid for its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TlsVerify {
    /// Chain and name are verified.
    Full,
    /// Any certificate will do.
    Off,
}

/// What is trusted and shown over TLS.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Credentials {
    /// The certificates of authorities that are trusted instead of those that the machine trusts.
    pub authorities: Option<Pem>,
    /// What is shown to a target that asks for it.
    pub client: Option<ClientCertificate>,
}

impl Credentials {
    /// Whether there are any counts, and not which: certificates are renewed all the time.
    pub(super) fn digest(&self, mut digest: Digest) -> Digest {
        if self.authorities.is_some() {
            digest = digest.text("authorities");
        }
        if self.client.is_some() {
            digest = digest.text("client");
        }
        digest
    }
}

/// A certificate of this side.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientCertificate {
    /// The certificate, and behind it those that lead to an authority.
    pub chain: Pem,
    /// Its private key.
    pub key: Pem,
}

/// The text of a PEM file, which is never shown.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Pem(Arc<str>);

impl Pem {
    /// The text.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl<T: Into<Arc<str>>> From<T> for Pem {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pem(..)")
    }
}
