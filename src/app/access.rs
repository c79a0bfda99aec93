//! What the admin listener asks of whom, by the configuration and the files that it names.

use std::sync::Arc;

use super::secrets;
use crate::admin::{Access, TlsFault, Tokens, tls};
use crate::config::{Admin, Check, Config, Spanned, TlsFiles};
use crate::model::Probe;
use crate::problem::{Place, Problem, Problems};

const TOKENS: &str = "admin.token_file";
const CERTIFICATE: &str = "admin.cert";
const KEY: &str = "admin.key";

/// Reads tokens, certificate and key; what is wrong with a file goes to `problems`.
pub(super) fn load(config: &Config, problems: &mut Problems) -> Access {
    let push = config.checks.iter().filter_map(|check| push(check, problems)).collect();
    Access { push, ..of_operators(&config.admin, problems) }
}

/// The tokens of regions that report themselves to a check.
fn push(check: &Check, problems: &mut Problems) -> Option<(Arc<str>, Tokens)> {
    let Probe::Push(push) = &check.spec.probe else { return None };
    let key = format!("checks.{}.token_file", check.name.value);
    let path = Spanned { value: &push.token_file, place: check.name.place.clone() };
    let text = secrets::read_private(&key, &path, problems)?;
    Some((Arc::clone(&check.name), Tokens::parse(&key, &push.token_file, &text, problems)))
}

fn of_operators(admin: &Admin, problems: &mut Problems) -> Access {
    let tokens = admin.token_file.as_ref().map(|path| {
        let text = secrets::read_private(TOKENS, path, problems);
        // Nobody may do anything where the file cannot be used; but then nothing is served from this.
        text.map(|text| Tokens::parse(TOKENS, &path.value, &text, problems)).unwrap_or_default()
    });
    let tls = admin.tls.as_ref().and_then(|files| read_tls(files, problems));
    Access { tokens, tls, proxied: admin.insecure && admin.tls.is_none(), ..Access::default() }
}

fn read_tls(
    files: &TlsFiles,
    problems: &mut Problems,
) -> Option<Arc<tokio_rustls::rustls::ServerConfig>> {
    let certificate = secrets::read_with_mode(CERTIFICATE, &files.cert, problems);
    let key = secrets::read(KEY, &files.key, problems);
    let ((certificate, _), key) = certificate.zip(key)?;
    let error = |key, path: &Spanned<std::path::PathBuf>, found: String, wanted| {
        Problem::error(Place::File(path.value.clone()), key, found, wanted)
    };
    let fault = match tls(&certificate, &key) {
        Ok(tls) => return Some(tls),
        Err(fault) => fault,
    };
    problems.push(match fault {
        TlsFault::Certificate(found) => {
            let wanted = "the certificate in PEM, and behind it those that lead to an authority";
            error(CERTIFICATE, &files.cert, found, wanted)
        }
        TlsFault::Key(found) => {
            error(KEY, &files.key, found, "the private key of the certificate in PEM")
        }
        TlsFault::Apart(found) => {
            let wanted = "the private key that belongs to the first certificate in admin.cert";
            error(KEY, &files.key, format!("a key that cannot be used: {found}"), wanted)
                .hint("compare: openssl pkey -pubout -in KEY; openssl x509 -noout -pubkey -in CERT")
        }
    });
    None
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use rcgen::{CertifiedKey, generate_simple_self_signed};

    use super::*;

    const TOKEN: &str = "alice:0123456789012345678901234567890123456789\n";

    fn write(dir: &Path, name: &str, text: &str, mode: u32) -> Spanned<std::path::PathBuf> {
        let path = dir.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        Spanned { value: path, place: Place::File("trimtab.toml".into()) }
    }

    #[test]
    fn a_token_file_is_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        for (mode, errors) in [(0o600, 0), (0o400, 0), (0o640, 1), (0o604, 1), (0o660, 1)] {
            let path = write(dir.path(), &format!("{mode:o}"), TOKEN, mode);
            let admin = Admin { token_file: Some(path), ..Admin::default() };
            let mut problems = Problems::default();
            let access = of_operators(&admin, &mut problems);
            assert_eq!(problems.errors(), errors, "{mode:o}: {problems}");
            let holder = access.tokens.unwrap();
            let known = holder.holder(&TOKEN.trim_end().as_bytes()[6..]).is_some();
            assert_eq!(known, errors == 0, "{mode:o}");
            assert!(errors == 0 || problems.to_string().contains("chmod 600"), "{problems}");
        }
    }

    #[test]
    fn a_certificate_and_its_key_are_read_and_what_is_wrong_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let pair = || {
            let CertifiedKey { cert, signing_key } =
                generate_simple_self_signed(["admin.test".into()]).unwrap();
            (cert.pem(), signing_key.serialize_pem())
        };
        let ((certificate, key), (_, other)) = (pair(), pair());
        for (certificate, key, mode, errors, found) in [
            (&certificate, &key, 0o600, 0, ""),
            (&certificate, &key, 0o644, 0, "a file that everybody may use"),
            (&certificate, &other, 0o600, 1, "a key that cannot be used"),
            (&key, &key, 0o600, 1, "admin.cert"),
            (&certificate, &certificate, 0o600, 1, "admin.key: found no private key"),
        ] {
            let cert = write(dir.path(), "admin.crt", certificate, 0o644);
            let key = write(dir.path(), "admin.key", key, mode);
            let admin = Admin { tls: Some(TlsFiles { cert, key }), ..Admin::default() };
            let mut problems = Problems::default();
            let access = of_operators(&admin, &mut problems);
            assert_eq!((problems.errors(), access.tls.is_some()), (errors, errors == 0));
            assert!(problems.to_string().contains(found), "{problems}");
            assert!(!problems.to_string().contains("BEGIN"), "{problems}");
        }
    }
}
