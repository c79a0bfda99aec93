//! TLS of checks: one configuration for all that speak it in the same manner, made once, and errors in
//! plain words.
//!
//! Sessions are never resumed: a resumed one would not show the certificate again, and an
//! expired one would go unnoticed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

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
use tokio_rustls::rustls::sign::SingleCertAndKey;
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme,
};

use super::attempt::{Attempt, Failure};
use super::credentials::{authorities, certified};
use super::reason;
use crate::clock;
use crate::model::{Credentials, TlsVerify};

/// Which authorities are trusted.
#[derive(Debug, Clone, Default)]
pub enum Roots {
    /// Those that this machine trusts, read once.
    #[default]
    Native,
    /// These.
    Given(Vec<CertificateDer<'static>>),
}

/// How TLS is spoken.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Manner {
    pub(super) verify: TlsVerify,
    pub(super) credentials: Credentials,
    /// What is spoken over it.
    pub(super) over: Over,
}

impl Manner {
    /// That of an HTTP/1.1 client without anything of its own.
    pub(super) fn plain(verify: TlsVerify) -> Self {
        Self { verify, credentials: Credentials::default(), over: Over::Http1 }
    }
}

/// What is spoken over TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Over {
    /// Nothing in particular.
    Anything,
    /// HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

/// A configuration; its error is that of every probe that wants it.
type Made = Result<Arc<ClientConfig>, Arc<str>>;

/// The TLS configurations.
#[derive(Debug)]
pub(super) struct Tls {
    roots: Roots,
    /// What this machine trusts, read at the first use.
    native: OnceCell<Result<Arc<RootCertStore>, Arc<str>>>,
    /// Made at the first use.
    made: Mutex<HashMap<Manner, Entry>>,
}

#[derive(Debug)]
struct Entry {
    config: Arc<OnceCell<Made>>,
    used: Instant,
}

/// Longer than any interval: what was not used for so long belongs to no check any more.
const UNUSED: Duration = Duration::from_secs(2 * 60 * 60);

impl Tls {
    pub(super) fn new(roots: Roots) -> Self {
        Self { roots, native: OnceCell::new(), made: Mutex::default() }
    }

    /// The configuration for checks of this manner. The first call reads files, on a thread for it.
    ///
    /// # Errors
    ///
    /// There are no trusted roots on this machine.
    pub(super) async fn config(&self, manner: &Manner) -> Result<Arc<ClientConfig>, Failure> {
        let cell = self.cell(manner);
        let made = cell.get_or_init(async || self.make(manner).await).await;
        made.clone().map_err(|why| Failure::in_phase("TLS", why))
    }

    fn cell(&self, manner: &Manner) -> Arc<OnceCell<Made>> {
        let now = clock::now();
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = made.get_mut(manner) {
            entry.used = now;
            return Arc::clone(&entry.config);
        }
        made.retain(|_, entry| now.saturating_duration_since(entry.used) < UNUSED);
        let config = Arc::default();
        made.insert(manner.clone(), Entry { config: Arc::clone(&config), used: now });
        config
    }

    async fn make(&self, manner: &Manner) -> Made {
        let roots = match (manner.verify, &manner.credentials.authorities) {
            (TlsVerify::Off, _) => None,
            (TlsVerify::Full, Some(pem)) => Some(Arc::new(authorities(pem)?)),
            (TlsVerify::Full, None) => {
                let read = async || {
                    let roots = self.roots.clone();
                    let read = tokio::task::spawn_blocking(move || trusted(roots)).await;
                    read.unwrap_or_else(|_defect| Err("the trusted roots cannot be read".into()))
                };
                Some(self.native.get_or_init(read).await.clone()?)
            }
        };
        configured(roots, manner)
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
            attempt.report.expires = expiry(stream.get_ref().1);
            Ok(stream)
        }
        Err(error) => {
            attempt.report.expires = expired(&error);
            Err(Failure::in_phase("TLS", told(&error, &name)))
        }
    }
}

/// When the certificate that a server showed expires.
fn expiry(session: &ClientConnection) -> Option<SystemTime> {
    let certificate = session.peer_certificates()?.first()?;
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let secs = u64::try_from(certificate.validity().not_after.timestamp()).unwrap_or_default();
    UNIX_EPOCH.checked_add(Duration::from_secs(secs))
}

/// The same of one that was refused because it has expired.
fn expired(error: &std::io::Error) -> Option<SystemTime> {
    match error.get_ref()?.downcast_ref::<Error>()? {
        Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. }) => {
            UNIX_EPOCH.checked_add(Duration::from_secs(not_after.as_secs()))
        }
        _ => None,
    }
}

/// What this machine trusts.
fn trusted(roots: Roots) -> Result<Arc<RootCertStore>, Arc<str>> {
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
    Ok(Arc::new(store))
}

/// A configuration that trusts those for whom one of these vouches. Reads files where they are this
/// machine's.
pub(super) fn verifying(roots: Roots) -> Made {
    configured(Some(trusted(roots)?), &Manner::plain(TlsVerify::Full))
}

/// A configuration that trusts these, or anybody.
fn configured(roots: Option<Arc<RootCertStore>>, manner: &Manner) -> Made {
    let told = |error: Error| Arc::from(error.to_string());
    let provider = Arc::new(ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match roots {
        None => Arc::new(Trusting(Arc::clone(&provider))),
        Some(roots) => WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider))
            .build()
            .map_err(|error| Arc::from(error.to_string()))?,
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(told)?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match &manner.credentials.client {
        None => builder.with_no_client_auth(),
        Some(client) => {
            // Whoever loaded it has looked at it.
            let pair = certified(client).map_err(|_| "the client certificate cannot be used")?;
            builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(pair)))
        }
    };
    config.resumption = Resumption::disabled();
    config.alpn_protocols = match manner.over {
        Over::Anything => Vec::new(),
        Over::Http1 => vec![b"http/1.1".to_vec()],
        Over::Http2 => vec![b"h2".to_vec()],
    };
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
        Error::AlertReceived(alert) => reason::of_alert(*alert),
        Error::PeerIncompatible(_) => "no TLS version or cipher in common".into(),
        Error::InvalidMessage(_) | Error::InappropriateMessage { .. } => {
            "the target does not speak TLS".into()
        }
        Error::NoApplicationProtocol => "the target does not offer what is to be spoken".into(),
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
