//! What checks need of this machine: programs, and files that they read when they ask.

use std::path::{Path, PathBuf};

use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

use super::secrets;
use crate::config::{Check, Config, Spanned};
use crate::model::Probe;
use crate::probe::find;
use crate::problem::{Place, Problem, Problems};

/// Looks whether all is there. A program may yet be installed, and so its absence is a warning.
pub(super) fn check(config: &Config, problems: &mut Problems) {
    for check in &config.checks {
        match &check.spec.probe {
            Probe::Exec(exec) => {
                if let Err(found) = find(exec.program()) {
                    let key = format!("checks.{}.command", check.name.value);
                    let wanted =
                        "a program that is there; until then nothing is known by this check";
                    problems.push(Problem::warning(check.name.place.clone(), key, found, wanted));
                }
            }
            Probe::Prometheus(asked) => {
                if let Some(path) = &asked.token_file {
                    let (key, path) = named(check, "token_file", path);
                    let _ = secrets::read(&key, &path, problems);
                }
                if let Some(path) = &asked.ca_file {
                    authorities(check, path, problems);
                }
            }
            _ => {}
        }
    }
}

fn named(check: &Check, key: &str, path: &Path) -> (String, Spanned<PathBuf>) {
    let path = Spanned { value: path.to_owned(), place: check.name.place.clone() };
    (format!("checks.{}.{key}", check.name.value), path)
}

fn authorities(check: &Check, path: &Path, problems: &mut Problems) {
    let (key, path) = named(check, "ca_file", path);
    let Some((text, _)) = secrets::read_with_mode(&key, &path, problems) else { return };
    let mut found = CertificateDer::pem_slice_iter(text.as_bytes());
    if !matches!(found.next(), Some(Ok(_))) {
        let wanted = "certificates of authorities in PEM";
        let place = Place::File(path.value);
        problems.push(Problem::error(place, key, "no certificate", wanted));
    }
}
