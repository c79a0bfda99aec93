//! https against good and bad certificates.

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::*;
use crate::model::TlsVerify;

pub(super) const NAME: &str = "app.example.com";

pub(super) struct Authority {
    pub(super) certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    pub(super) fn tools(&self) -> Tools {
        tools(Roots::Given(vec![self.certificate.der().clone()]))
    }

    /// A server whose certificate is for `name`, after `change`; its port.
    pub(super) async fn server(
        &self,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> u16 {
        serving(self.config(name, change, None)).await
    }

    /// How a server speaks TLS that has such a certificate, and wants of clients one that `clients`
    /// has signed.
    pub(super) fn config(
        &self,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
        clients: Option<&Self>,
    ) -> ServerConfig {
        let (certificate, key) = self.signed(name, change);
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(clients) => {
                let mut roots = RootCertStore::empty();
                roots.add(clients.certificate.der().clone()).unwrap();
                let provider = Arc::new(ring::default_provider());
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        builder.with_single_cert(vec![certificate.der().clone()], key).unwrap()
    }

    /// A certificate for `name`, after `change`, and its key.
    pub(super) fn signed(
        &self,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> (Certificate, KeyPair) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }
}

/// A server of HTTP over this TLS; its port.
pub(super) async fn serving(config: ServerConfig) -> u16 {
    let acceptor = TlsAcceptor::from(Arc::new(config));
    server(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            read_request(&mut stream).await;
            let response = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
            stream.write_all(response).await.unwrap();
            hold(stream).await;
        }
    })
    .await
}

pub(super) fn https(verify: TlsVerify) -> Probe {
    Probe::Http(HttpProbe {
        tls: Some(verify),
        host: Some(NAME.into()),
        expect_body: Some("ok".into()),
        ..http()
    })
}

#[tokio::test]
async fn a_good_certificate_passes_again_and_again() {
    let authority = Authority::new("ours");
    let (port, tools) = (authority.server(NAME, |_| ()).await, authority.tools());
    for _ in 0..3 {
        let (outcome, phases) = probe_with(&tools, https(TlsVerify::Full), port, PATIENT).await;
        assert_eq!(outcome, Outcome::Pass);
        assert!(phases.tls.is_some() && phases.first_byte.is_some());
    }
}

#[tokio::test]
async fn bad_certificates_fail_unless_nothing_is_verified() {
    let (authority, stranger) = (Authority::new("ours"), Authority::new("theirs"));
    let expired = |params: &mut CertificateParams| params.not_after = date_time_ymd(2001, 1, 1);
    let early = |params: &mut CertificateParams| params.not_before = date_time_ymd(3001, 1, 1);
    let bad = [
        (authority.server(NAME, expired).await, "TLS: certificate expired"),
        (authority.server(NAME, early).await, "TLS: certificate not valid yet"),
        (
            authority.server("other.example.com", |_| ()).await,
            "TLS: certificate not valid for app.example.com",
        ),
        (stranger.server(NAME, |_| ()).await, "TLS: certificate of an unknown issuer"),
    ];
    let tools = authority.tools();
    for (port, reason) in bad {
        let (outcome, phases) = probe_with(&tools, https(TlsVerify::Full), port, PATIENT).await;
        assert_eq!(outcome, failed(reason));
        assert!(phases.connect.is_some() && phases.tls.is_none());
        let (outcome, _) = probe_with(&tools, https(TlsVerify::Off), port, PATIENT).await;
        assert_eq!(outcome, Outcome::Pass, "{reason}");
    }
}

#[tokio::test]
async fn without_a_host_the_certificate_must_be_for_the_address() {
    let authority = Authority::new("ours");
    let port = authority.server("127.0.0.1", |_| ()).await;
    let probe = Probe::Http(HttpProbe { tls: Some(TlsVerify::Full), ..http() });
    let (outcome, _) = probe_with(&authority.tools(), probe, port, PATIENT).await;
    assert_eq!(outcome, Outcome::Pass);
}

#[tokio::test]
async fn a_target_without_tls() {
    let tools = Authority::new("ours").tools();
    let port = server(|mut stream| async move {
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        hold(stream).await;
    })
    .await;
    let (outcome, _) = probe_with(&tools, https(TlsVerify::Full), port, PATIENT).await;
    assert_eq!(outcome, failed("TLS: the target does not speak TLS"));
}

#[tokio::test]
async fn a_target_that_hangs_in_the_handshake() {
    let tools = Authority::new("ours").tools();
    let port = server(hold).await;
    let (outcome, phases) = probe_with(&tools, https(TlsVerify::Full), port, BRIEF).await;
    assert_eq!(outcome, failed("TLS: timed out after 150 ms"));
    assert!(phases.connect.is_some());
}

#[tokio::test]
async fn a_target_that_closes_in_the_handshake() {
    let tools = Authority::new("ours").tools();
    let port = server(|mut stream| async move {
        // What is unread at the end would make it a reset.
        let _ = stream.read(&mut [0; 4096]).await;
    })
    .await;
    let (outcome, _) = probe_with(&tools, https(TlsVerify::Full), port, PATIENT).await;
    assert_eq!(outcome, failed("TLS: connection closed"));
}

#[tokio::test]
async fn a_machine_that_trusts_nobody_says_so() {
    let authority = Authority::new("ours");
    let port = authority.server(NAME, |_| ()).await;
    let (outcome, _) = probe_port(https(TlsVerify::Full), port, PATIENT).await;
    let reason =
        "TLS: no trusted root certificates on this machine (install ca-certificates, then restart)";
    assert_eq!(outcome, failed(reason));
    assert_eq!(probe_port(https(TlsVerify::Off), port, PATIENT).await.0, Outcome::Pass);
}

#[tokio::test]
async fn a_host_that_no_certificate_can_be_for() {
    let authority = Authority::new("ours");
    let port = authority.server(NAME, |_| ()).await;
    for (verify, expected) in [
        (TlsVerify::Full, failed("TLS: no certificate can be for \"_ _\"")),
        (TlsVerify::Off, Outcome::Pass),
    ] {
        let probe =
            Probe::Http(HttpProbe { tls: Some(verify), host: Some("_ _".into()), ..http() });
        assert_eq!(probe_with(&authority.tools(), probe, port, PATIENT).await.0, expected);
    }
}
