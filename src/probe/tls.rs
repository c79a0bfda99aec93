//! TLS of https checks: two configurations for all of them, made once, and errors in plain words.
//!
//! Sessions are never resumed: a resumed one would not show the certificate again, and an
//! expired one would go unnoticed.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::client::{Resumption, WebPkiServerVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use super::attempt::{Attempt, Failure};
use super::reason;
use crate::model::TlsVerify;

/// Which authorities are trusted.
#[derive(Debug, Clone, Default)]
pub enum Roots {
    /// Those that this machine trusts, read once.
    #[default]
    Native,
    /// These.
    Given(Vec<CertificateDer<'static>>),
}

/// The TLS configurations.
#[derive(Debug)]
pub(super) struct Tls {
    roots: Roots,
    /// Made at the first use; its error is that of every probe that wants it.
    verifying: OnceCell<Result<Arc<ClientConfig>, Arc<str>>>,
    trusting: OnceCell<Result<Arc<ClientConfig>, Arc<str>>>,
}

impl Tls {
    pub(super) fn new(roots: Roots) -> Self {
        Self { roots, verifying: OnceCell::new(), trusting: OnceCell::new() }
    }

    /// The configuration for checks of this kind. The first call reads files, on a thread for it.
    ///
    /// # Errors
    ///
    /// There are no trusted roots on this machine.
    pub(super) async fn config(&self, verify: TlsVerify) -> Result<Arc<ClientConfig>, Failure> {
        let made = match verify {
            TlsVerify::Off => self.trusting.get_or_init(async || trusting()).await,
            TlsVerify::Full => {
                let make = async || {
                    let roots = self.roots.clone();
                    let made = tokio::task::spawn_blocking(move || verifying(roots)).await;
                    made.unwrap_or_else(|_defect| Err("the trusted roots cannot be read".into()))
                };
                self.verifying.get_or_init(make).await
            }
        };
        made.clone().map_err(|why| Failure::in_phase("TLS", why))
    }
}

/// The handshake with a server that calls itself `name`.
///
/// # Errors
///
/// `TLS: …`.
pub(super) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    stream: S,
    attempt: &mut Attempt,
) -> Result<TlsStream<S>, Failure> {
    let before = attempt.elapsed();
    let shaken = TlsConnector::from(config).connect(name.clone(), stream);
    match attempt.within(|| "TLS", shaken).await? {
        Ok(stream) => {
            attempt.phases.tls = Some(attempt.elapsed().saturating_sub(before));
            Ok(stream)
        }
        Err(error) => Err(Failure::in_phase("TLS", told(&error, &name))),
    }
}

fn verifying(roots: Roots) -> Result<Arc<ClientConfig>, Arc<str>> {
    let certificates = match roots {
        Roots::Given(given) => given,
        Roots::Native => rustls_native_certs::load_native_certs().certs,
    };
    let mut store = RootCertStore::empty();
    let (added, _unusable) = store.add_parsable_certificates(certificates);
    if added == 0 {
        return Err(
            "no trusted root certificates on this machine (install ca-certificates, then restart)"
                .into(),
        );
    }
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(store.into(), Arc::clone(&provider))
        .build()
        .map_err(|error| Arc::from(error.to_string()))?;
    configured(provider, verifier)
}

fn trusting() -> Result<Arc<ClientConfig>, Arc<str>> {
    let provider = Arc::new(ring::default_provider());
    configured(Arc::clone(&provider), Arc::new(Trusting(provider)))
}

fn configured(
    provider: Arc<CryptoProvider>,
    verifier: Arc<dyn ServerCertVerifier>,
) -> Result<Arc<ClientConfig>, Arc<str>> {
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Arc::from(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Any certificate will do: `verify_tls = false`.
#[derive(Debug)]
struct Trusting(Arc<CryptoProvider>);

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// What went wrong in a handshake.
fn told(error: &std::io::Error, name: &ServerName<'_>) -> String {
    let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) else {
        return reason::of_io(error);
    };
    match error {
        Error::InvalidCertificate(error) => refused(error, name),
        Error::AlertReceived(alert) => format!("the target refused the handshake ({alert:?})"),
        Error::PeerIncompatible(_) => "no TLS version or cipher in common".into(),
        Error::InvalidMessage(_) | Error::InappropriateMessage { .. } => {
            "the target does not speak TLS".into()
        }
        Error::NoApplicationProtocol => "the target does not offer HTTP/1.1".into(),
        other => other.to_string(),
    }
}

/// Why a certificate was refused.
fn refused(error: &CertificateError, name: &ServerName<'_>) -> String {
    use CertificateError as E;
    match error {
        E::Expired | E::ExpiredContext { .. } => "certificate expired".into(),
        E::NotValidYet | E::NotValidYetContext { .. } => "certificate not valid yet".into(),
        E::NotValidForName | E::NotValidForNameContext { .. } => {
            format!("certificate not valid for {}", name.to_str())
        }
        E::UnknownIssuer => "certificate of an unknown issuer".into(),
        E::Revoked => "certificate revoked".into(),
        E::BadSignature => "certificate with a bad signature".into(),
        E::BadEncoding => "certificate cannot be read".into(),
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => {
            "certificate is not for servers".into()
        }
        other => format!("certificate refused: {other}"),
    }
}
