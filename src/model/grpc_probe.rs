//! What grpc checks ask.

use super::{Credentials, Digest, TlsVerify};

/// One call of `grpc.health.v1.Health/Check`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct GrpcProbe {
    /// The service asked about; empty: the server as a whole.
    pub service: String,
    /// `Some` for TLS: whether the certificate's chain and name are verified.
    pub tls: Option<TlsVerify>,
    /// The authority and the TLS server name; else the address probed.
    pub host: Option<String>,
    /// What is trusted and shown over TLS.
    pub credentials: Credentials,
}

impl GrpcProbe {
    pub(super) fn digest(&self, digest: Digest) -> Digest {
        let tls = match self.tls {
            None => "plain",
            Some(TlsVerify::Full) => "verified",
            Some(TlsVerify::Off) => "unverified",
        };
        let digest = digest.text(&self.service).text(tls).maybe(self.host.as_deref());
        self.credentials.digest(digest)
    }
}
