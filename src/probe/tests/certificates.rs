//! tls checks, own authorities, certificates that are shown, and when those of targets expire.

use std::time::SystemTime;

use rcgen::{CertificateParams, date_time_ymd};
use rstest::rstest;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::version::TLS12;

use super::tls::{Authority, NAME, https, serving};
use super::*;
use crate::model::{ClientCertificate, Credentials, Pem, TlsProbe, TlsVerify};

fn until_2040(params: &mut CertificateParams) {
    params.not_after = date_time_ymd(2040, 1, 1);
}

fn expired(params: &mut CertificateParams) {
    params.not_after = date_time_ymd(2001, 1, 1);
}

fn year(year: i32) -> Option<SystemTime> {
    Some(date_time_ymd(year, 1, 1).into())
}

fn handshake(credentials: Credentials) -> Probe {
    Probe::Tls(TlsProbe { host: NAME.into(), credentials })
}

/// An https probe with these credentials.
fn exchange(credentials: Credentials) -> Probe {
    let Probe::Http(probe) = https(TlsVerify::Full) else { panic!("it is one") };
    Probe::Http(HttpProbe { credentials, ..probe })
}

fn trusting(authority: &Authority) -> Credentials {
    Credentials { authorities: Some(Pem::from(authority.certificate.pem())), client: None }
}

/// The same, showing a certificate that `issuer` has signed.
fn showing(authority: &Authority, issuer: &Authority) -> Credentials {
    let (certificate, key) = issuer.signed("probe.example.com", |_| ());
    let (chain, key) = (Pem::from(certificate.pem()), Pem::from(key.serialize_pem()));
    Credentials { client: Some(ClientCertificate { chain, key }), ..trusting(authority) }
}

/// How a server speaks TLS 1.2 alone.
fn tls12(authority: &Authority) -> ServerConfig {
    let (certificate, key) = authority.signed(NAME, |_| ());
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .unwrap()
}

#[tokio::test]
async fn a_handshake_is_enough() {
    let authority = Authority::new("ours");
    let port = authority.server(NAME, until_2040).await;
    let (outcome, report) = told(&authority.tools(), handshake(Credentials::default()), port).await;
    assert_eq!((outcome, report.expires), (Outcome::Pass, year(2040)));
    let tls12 = serving(tls12(&authority)).await;
    let (outcome, phases) =
        probe_with(&authority.tools(), handshake(Credentials::default()), tls12, PATIENT).await;
    assert_eq!(outcome, Outcome::Pass);
    assert!(phases.connect.is_some() && phases.tls.is_some() && phases.first_byte.is_none());
}

#[tokio::test]
async fn a_target_that_says_nothing_after_the_handshake_passes() {
    let authority = Authority::new("ours");
    let config = authority.config(NAME, |_| (), None);
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let port = server(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let stream = acceptor.accept(stream).await.unwrap();
            // Neither read from nor closed until the end of the test.
            std::future::pending::<()>().await;
            drop(stream);
        }
    })
    .await;
    let tools = authority.tools();
    assert_eq!(told(&tools, handshake(Credentials::default()), port).await.0, Outcome::Pass);
}

#[tokio::test]
async fn bad_certificates_fail_and_tell_when_they_expired() {
    let (authority, stranger) = (Authority::new("ours"), Authority::new("theirs"));
    let tools = authority.tools();
    for (port, why, expires) in [
        (authority.server(NAME, expired).await, "TLS: certificate expired", year(2001)),
        (
            authority.server("other.example.com", until_2040).await,
            "TLS: certificate not valid for app.example.com",
            None,
        ),
        (stranger.server(NAME, until_2040).await, "TLS: certificate of an unknown issuer", None),
    ] {
        for probe in [handshake(Credentials::default()), https(TlsVerify::Full)] {
            let (outcome, report) = told(&tools, probe, port).await;
            assert_eq!((outcome, report.expires), (failed(why), expires));
        }
    }
}

#[rstest]
#[case::valid(until_2040, 2040)]
#[case::expired(expired, 2001)]
#[tokio::test]
async fn what_is_not_verified_tells_when_it_expires_too(
    #[case] change: fn(&mut CertificateParams),
    #[case] expires: i32,
) {
    let authority = Authority::new("ours");
    let port = authority.server(NAME, change).await;
    let (outcome, report) = told(&authority.tools(), https(TlsVerify::Off), port).await;
    assert_eq!((outcome, report.expires), (Outcome::Pass, year(expires)));
}

#[tokio::test]
async fn an_own_authority_is_trusted_instead_of_the_machines() {
    let (machines, own) = (Authority::new("machine's"), Authority::new("own"));
    let (ports, tools) =
        ([machines.server(NAME, |_| ()).await, own.server(NAME, |_| ()).await], machines.tools());
    let unknown = failed("TLS: certificate of an unknown issuer");
    for make in [handshake, exchange] {
        for (credentials, wanted) in [
            (Credentials::default(), [Outcome::Pass, unknown.clone()]),
            (trusting(&own), [unknown.clone(), Outcome::Pass]),
        ] {
            for (port, wanted) in ports.into_iter().zip(wanted) {
                assert_eq!(told(&tools, make(credentials.clone()), port).await.0, wanted);
            }
        }
    }
}

#[tokio::test]
async fn a_certificate_is_shown_to_who_asks_for_it() {
    let (authority, clients, stranger) =
        (Authority::new("ours"), Authority::new("clients'"), Authority::new("theirs"));
    let port = serving(authority.config(NAME, |_| (), Some(&clients))).await;
    let tools = authority.tools();
    for make in [handshake, exchange] {
        let (outcome, _) = told(&tools, make(showing(&authority, &clients)), port).await;
        assert_eq!(outcome, Outcome::Pass);
        let (outcome, _) = told(&tools, make(trusting(&authority)), port).await;
        let Outcome::Fail(why) = outcome else { panic!("{outcome:?}") };
        assert!(why.ends_with(": the target wants a client certificate"), "{why}");
        let (outcome, _) = told(&tools, make(showing(&authority, &stranger)), port).await;
        let Outcome::Fail(why) = outcome else { panic!("{outcome:?}") };
        assert!(why.contains("the target refused the handshake ("), "{why}");
    }
    // Who does not ask for it does not mind.
    let port = authority.server(NAME, |_| ()).await;
    let (outcome, _) = told(&tools, exchange(showing(&authority, &clients)), port).await;
    assert_eq!(outcome, Outcome::Pass);
}
