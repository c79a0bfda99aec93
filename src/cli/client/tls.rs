//! Whom the command line trusts: what the machine trusts, or the authority of `--ca` alone.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// The TLS of all connections.
///
/// # Errors
/// The file cannot be read or has no certificate; without one, the machine trusts nobody.
pub(super) fn config(ca: Option<&Path>) -> anyhow::Result<ClientConfig> {
    let mut store = RootCertStore::empty();
    match ca {
        Some(path) => {
            given(path, &mut store).with_context(|| format!("--ca {}", path.display()))?;
        }
        None => {
            let found = rustls_native_certs::load_native_certs().certs;
            let (added, _unusable) = store.add_parsable_certificates(found);
            if added == 0 {
                bail!(
                    "this machine has no trusted root certificates: give --ca, or install ca-certificates"
                );
            }
        }
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(store).with_no_client_auth())
}

fn given(path: &Path, store: &mut RootCertStore) -> anyhow::Result<()> {
    let text = std::fs::read(path)?;
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error| anyhow!("not a PEM file: {error}"))?;
        store.add(certificate).context("a certificate that cannot be trusted")?;
    }
    if store.is_empty() {
        bail!("no certificate in it; wanted a PEM file of authorities");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_read_and_what_is_none_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        let authority = rcgen::generate_simple_self_signed(["ops".to_string()]).unwrap();
        std::fs::write(&path, authority.cert.pem()).unwrap();
        assert!(config(Some(&path)).is_ok());

        let told = |text: &str| {
            std::fs::write(&path, text).unwrap();
            format!("{:#}", config(Some(&path)).unwrap_err())
        };
        let none = told("# nothing yet\n");
        assert!(none.starts_with("--ca ") && none.contains("no certificate in it"), "{none}");
        let broken = told("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n");
        assert!(broken.contains("not a PEM file"), "{broken}");
        std::fs::remove_file(&path).unwrap();
        assert!(config(Some(&path)).is_err());
    }
}
