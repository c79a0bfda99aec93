//! Certificates and keys of checks, from the texts of files in PEM.

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{InconsistentKeys, RootCertStore};

use crate::model::{ClientCertificate, Credentials, Pem};

/// What is wrong with credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialsFault {
    /// The certificates of authorities.
    Authorities(String),
    /// The certificate to show.
    Chain(String),
    /// Its key.
    Key(String),
    /// They do not belong together.
    Apart(String),
}

/// Reads credentials as probes will.
///
/// # Errors
///
/// What is wrong with which part of them.
pub fn check_credentials(credentials: &Credentials) -> Result<(), CredentialsFault> {
    if let Some(pem) = &credentials.authorities {
        authorities(pem).map_err(CredentialsFault::Authorities)?;
    }
    credentials.client.as_ref().map_or(Ok(()), |client| certified(client).map(drop))
}

/// The authorities of a file.
pub(super) fn authorities(pem: &Pem) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(pem)? {
        store
            .add(certificate)
            .map_err(|error| format!("a certificate that cannot be used: {error}"))?;
    }
    Ok(store)
}

/// A certificate to show, with its key.
pub(super) fn certified(client: &ClientCertificate) -> Result<CertifiedKey, CredentialsFault> {
    let chain = certificates(&client.chain).map_err(CredentialsFault::Chain)?;
    let key = PrivateKeyDer::from_pem_slice(client.key.as_bytes())
        // What is broken in a key is not told.
        .map_err(|_| CredentialsFault::Key("no private key in PEM".into()))?;
    match CertifiedKey::from_der(chain, key, &ring::default_provider()) {
        Ok(certified) => Ok(certified),
        Err(tokio_rustls::rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            Err(CredentialsFault::Apart("they are of different pairs".into()))
        }
        Err(error) => Err(CredentialsFault::Apart(error.to_string())),
    }
}

/// At least one.
fn certificates(pem: &Pem) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match read {
        Ok(found) if found.is_empty() => Err("no certificate in PEM".into()),
        Ok(found) => Ok(found),
        Err(pem::Error::NoItemsFound) => Err("no certificate in PEM".into()),
        Err(error) => Err(format!("broken PEM ({error:?})")),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertifiedKey as Pair, generate_simple_self_signed};

    use super::*;

    fn pair() -> (String, String) {
        let Pair { cert, signing_key } =
            generate_simple_self_signed(["probe.test".into()]).unwrap();
        (cert.pem(), signing_key.serialize_pem())
    }

    #[test]
    fn what_is_wrong_is_told_of_the_right_part() {
        let ((certificate, key), (_, other)) = (pair(), pair());
        let torn = certificate.replace("-----END", "---END");
        let empty = String::new();
        for (authorities, chain, key, is) in [
            (&certificate, &certificate, &key, None),
            (&empty, &certificate, &key, Some("authorities")),
            (&key, &certificate, &key, Some("authorities")),
            (&torn, &certificate, &key, Some("authorities")),
            (&certificate, &torn, &key, Some("chain")),
            (&certificate, &key, &key, Some("chain")),
            (&certificate, &certificate, &certificate, Some("key")),
            (&certificate, &certificate, &other, Some("apart")),
        ] {
            let [authorities, chain, key] = [authorities, chain, key].map(|t| Pem::from(&**t));
            let client = Some(ClientCertificate { chain, key });
            let told = check_credentials(&Credentials { authorities: Some(authorities), client });
            let told = told.err().map(|fault| match fault {
                CredentialsFault::Authorities(_) => "authorities",
                CredentialsFault::Chain(_) => "chain",
                CredentialsFault::Key(_) => "key",
                CredentialsFault::Apart(_) => "apart",
            });
            assert_eq!(told, is);
        }
    }
}
