//! Certificates of the https targets: an authority that the server is told to trust, and one that
//! it has never heard of. Made once a test process.

use std::sync::{Arc, OnceLock};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// The name that good certificates are for.
pub(crate) const HOST: &str = "app.site.test";

/// Everything that an https target may present.
pub(crate) struct Pki {
    /// The authority to trust, as PEM.
    pub(crate) authority: String,
    /// The one that nobody trusts, as PEM.
    pub(crate) stranger: String,
    /// Two certificates for [`HOST`] from the trusted one, each with its key, as PEM.
    pub(crate) pairs: [(String, String); 2],
    /// Good in every respect.
    pub(crate) good: Arc<ServerConfig>,
    /// Ended long ago.
    pub(crate) expired: Arc<ServerConfig>,
    /// For another name.
    pub(crate) wrong_name: Arc<ServerConfig>,
    /// Issued by the authority that nobody trusts.
    pub(crate) untrusted: Arc<ServerConfig>,
}

/// The certificates of this process.
pub(crate) fn pki() -> &'static Pki {
    static PKI: OnceLock<Pki> = OnceLock::new();
    PKI.get_or_init(|| {
        let (authority, trusted) = issuer("Trusted");
        let (stranger_pem, stranger) = issuer("Stranger");
        Pki {
            authority,
            stranger: stranger_pem,
            pairs: [pair(&trusted), pair(&trusted)],
            good: server(&trusted, HOST, |_| ()),
            expired: server(&trusted, HOST, |to| to.not_after = date_time_ymd(2001, 1, 1)),
            wrong_name: server(&trusted, "other.site.test", |_| ()),
            untrusted: server(&stranger, HOST, |_| ()),
        }
    })
}

fn issuer(name: &str) -> (String, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    (pem, Issuer::new(params, key))
}

fn pair(issuer: &Issuer<'static, KeyPair>) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![HOST.to_owned()]).unwrap();
    (params.signed_by(&key, issuer).unwrap().pem(), key.serialize_pem())
}

fn server(
    issuer: &Issuer<'static, KeyPair>,
    name: &str,
    change: impl FnOnce(&mut CertificateParams),
) -> Arc<ServerConfig> {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, issuer).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .unwrap();
    Arc::new(config)
}
