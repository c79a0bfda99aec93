//! What the admin listener asks of whom: tokens, and the TLS that it speaks. Replaced as a whole by a
//! reload, so that renewed certificates and other tokens need no restart.

use std::collections::HashMap;
use std::sync::Arc;

use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::tokens::Tokens;

/// What is asked of those who connect.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// The tokens of which one must be shown; `None`: none, whoever can connect may do everything.
    pub tokens: Option<Tokens>,
    /// The tokens of regions that report themselves, by check.
    pub push: HashMap<Arc<str>, Tokens>,
    /// What TLS is spoken with; `None`: plain HTTP.
    pub tls: Option<Arc<ServerConfig>>,
    /// Those who connect are a proxy, behind which many may be.
    pub proxied: bool,
}

/// What is wrong with a certificate or its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsFault {
    /// The certificate's file.
    Certificate(String),
    /// The key's file.
    Key(String),
    /// They do not belong together.
    Apart(String),
}

/// What TLS 1.2 and 1.3 are spoken with, from the texts of two files in PEM.
///
/// # Errors
/// When they have no certificate or no key, or those of different pairs.
pub fn tls(certificate: &str, key: &str) -> Result<Arc<ServerConfig>, TlsFault> {
    let found = |error: pem::Error| match error {
        pem::Error::NoItemsFound => "nothing of the kind in PEM".to_owned(),
        error => format!("broken PEM ({error:?})"),
    };
    let chain: Vec<_> = CertificateDer::pem_slice_iter(certificate.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| TlsFault::Certificate(found(error)))?;
    if chain.is_empty() {
        return Err(TlsFault::Certificate(found(pem::Error::NoItemsFound)));
    }
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
        // What is broken in a key is not told.
        .map_err(|_| TlsFault::Key("no private key in PEM".into()))?;
    let apart = |error: tokio_rustls::rustls::Error| TlsFault::Apart(error.to_string());
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(apart)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(apart)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertifiedKey, generate_simple_self_signed};

    use super::*;

    fn pair() -> (String, String) {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["admin.test".into()]).unwrap();
        (cert.pem(), signing_key.serialize_pem())
    }

    #[test]
    fn a_certificate_and_its_key_make_a_configuration() {
        let (certificate, key) = pair();
        let config = tls(&certificate, &key).unwrap();
        assert_eq!(config.alpn_protocols, [b"http/1.1"]);
        // One file with both is good for either.
        let both = format!("{key}{certificate}");
        assert!(tls(&both, &both).is_ok());
    }

    #[test]
    fn what_is_wrong_is_told_of_the_right_file() {
        let ((certificate, key), (_, other)) = (pair(), pair());
        let torn = certificate.replace("-----END", "---END");
        for (certificate, key, is) in [
            ("", &*key, "certificate"),
            (&key, &key, "certificate"),
            (&torn, &key, "certificate"),
            (&certificate, "", "key"),
            (&certificate, &certificate, "key"),
            (&certificate, &other, "apart"),
        ] {
            let fault = tls(certificate, key).unwrap_err();
            let found = match &fault {
                TlsFault::Certificate(_) => "certificate",
                TlsFault::Key(_) => "key",
                TlsFault::Apart(_) => "apart",
            };
            assert_eq!(found, is, "{fault:?}");
        }
    }
}
