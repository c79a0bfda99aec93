//! The certificates and keys that checks trust and show, from the files that they name. A reload reads
//! them again; a check whose credentials have changed is another one to the prober, which begins to use
//! them at once, and the same to those who judge.

use std::path::PathBuf;
use std::sync::Arc;

use super::secrets;
use crate::config::{Check, Config, CredentialFiles, Spanned};
use crate::model::{ClientCertificate, Credentials, Pem, Probe};
use crate::probe::{CredentialsFault, check_credentials};
use crate::problem::{Place, Problem, Problems};

/// No file of authorities is longer, in octets; what systems trust takes a quarter of that.
const FILE_MAX: u64 = 1 << 20;

/// Reads the files of all checks into them; what is wrong with a file goes to `problems`.
pub(super) fn load(config: &mut Config, problems: &mut Problems) {
    for check in &mut config.checks {
        let name = Arc::clone(&check.name.value);
        if let Some(read) = read(&name, &check.files, problems) {
            put(check, read);
        }
    }
}

fn put(check: &mut Check, read: Credentials) {
    let credentials = match &mut Arc::make_mut(&mut check.spec).probe {
        Probe::Http(probe) => &mut probe.credentials,
        Probe::Tls(probe) => &mut probe.credentials,
        Probe::Grpc(probe) => &mut probe.credentials,
        _ => return,
    };
    *credentials = read;
}

/// What the files of a check hold; `None` when there are none or something is wrong with one.
fn read(name: &str, files: &CredentialFiles, problems: &mut Problems) -> Option<Credentials> {
    if *files == CredentialFiles::default() {
        return None;
    }
    let before = problems.errors();
    let open = |path: &Option<Spanned<PathBuf>>, key: &str, problems: &mut Problems| {
        let key = format!("checks.{name}.{key}");
        let read = secrets::read_up_to(&key, path.as_ref()?, FILE_MAX, problems);
        read.map(|(text, _)| Pem::from(text))
    };
    let authorities = open(&files.ca_file, "ca_file", problems);
    let chain = open(&files.client_cert, "client_cert", problems);
    let key = files.client_key.as_ref().and_then(|path| {
        secrets::read(&format!("checks.{name}.client_key"), path, problems).map(Pem::from)
    });
    if problems.errors() > before {
        return None;
    }
    let client = chain.zip(key).map(|(chain, key)| ClientCertificate { chain, key });
    let credentials = Credentials { authorities, client };
    match check_credentials(&credentials) {
        Ok(()) => Some(credentials),
        Err(fault) => {
            problems.0.extend(told(name, files, fault));
            None
        }
    }
}

/// What is wrong with which file.
fn told(name: &str, files: &CredentialFiles, fault: CredentialsFault) -> Option<Problem> {
    let chain = "the certificate in PEM, and behind it those that lead to an authority";
    let (key, path, found, wanted) = match fault {
        CredentialsFault::Authorities(found) => {
            ("ca_file", &files.ca_file, found, "the certificates of authorities in PEM")
        }
        CredentialsFault::Chain(found) => ("client_cert", &files.client_cert, found, chain),
        CredentialsFault::Key(found) => {
            ("client_key", &files.client_key, found, "the private key of client_cert in PEM")
        }
        CredentialsFault::Apart(found) => {
            let wanted = "the private key that belongs to the first certificate in client_cert";
            ("client_key", &files.client_key, format!("a key that cannot be used: {found}"), wanted)
        }
    };
    let place = Place::File(path.as_ref()?.value.clone());
    Some(Problem::error(place, format!("checks.{name}.{key}"), found, wanted))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use rcgen::{CertifiedKey, generate_simple_self_signed};

    use super::*;
    use crate::config;

    fn pair() -> (String, String) {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["probe.test".into()]).unwrap();
        (cert.pem(), signing_key.serialize_pem())
    }

    /// The checks of a configuration with these files beside it, and what was wrong.
    fn loaded(keys: &str, files: &[(&str, &str)]) -> (Config, Problems) {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(dir.path().join(name), text).unwrap();
            fs::set_permissions(dir.path().join(name), Permissions::from_mode(0o600)).unwrap();
        }
        let path = dir.path().join("trimtab.toml");
        let text = format!("version = 1\n[checks.web]\nhost = \"probe.test\"\n{keys}\n");
        fs::write(&path, text).unwrap();
        let (config, mut problems) = config::read(&path);
        let mut config = config.unwrap();
        load(&mut config, &mut problems);
        (config, problems)
    }

    const ALL: &str = "ca_file = \"ca.pem\"\nclient_cert = \"c.pem\"\nclient_key = \"c.key\"";

    #[test]
    fn files_become_credentials_of_every_kind_of_check() {
        let (certificate, key) = pair();
        let files = [("ca.pem", &*certificate), ("c.pem", &*certificate), ("c.key", &*key)];
        for kind in ["type = \"https\"", "type = \"tls\"", "type = \"grpc\"\ntls = true\nport = 1"]
        {
            let (config, problems) = loaded(&format!("{kind}\n{ALL}"), &files);
            assert!(problems.0.is_empty(), "{kind}: {problems}");
            let credentials = match &config.checks[0].spec.probe {
                Probe::Http(probe) => &probe.credentials,
                Probe::Tls(probe) => &probe.credentials,
                Probe::Grpc(probe) => &probe.credentials,
                other => panic!("{other:?}"),
            };
            let client = credentials.client.as_ref().unwrap();
            assert_eq!(client.key.as_bytes(), key.as_bytes());
            assert_eq!(credentials.authorities, Some(Pem::from(&*certificate)));
        }
    }

    #[test]
    fn what_is_wrong_is_told_of_the_right_file() {
        let ((certificate, key), (_, other)) = (pair(), pair());
        for (ca, chain, key, found) in [
            (None, &certificate, &key, "checks.web.ca_file: found"),
            (Some(&key), &certificate, &key, "checks.web.ca_file: found no certificate in PEM"),
            (Some(&certificate), &key, &key, "checks.web.client_cert: found no certificate in PEM"),
            (
                Some(&certificate),
                &certificate,
                &certificate,
                "checks.web.client_key: found no private",
            ),
            (
                Some(&certificate),
                &certificate,
                &other,
                "found a key that cannot be used: they are of",
            ),
        ] {
            let files = ca.into_iter().map(|ca| ("ca.pem", &**ca));
            let files: Vec<_> = files.chain([("c.pem", &**chain), ("c.key", &**key)]).collect();
            let (_, problems) = loaded(&format!("type = \"https\"\n{ALL}"), &files);
            assert_eq!(problems.errors(), 1, "{problems}");
            assert!(problems.to_string().contains(found), "{problems}");
            assert!(!problems.to_string().contains("BEGIN"), "{problems}");
        }
    }
}
