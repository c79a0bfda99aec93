//! The keys of tls checks.

use super::credentials::CredentialFiles;
use super::http;
use crate::config::table::Table;
use crate::model::{self, TlsProbe};

/// The name that the certificate must be for, and the files that it takes.
pub(super) fn read(t: &Table<'_>) -> (model::Probe, CredentialFiles) {
    let host = t.required("host", "the name that the certificate must be for", http::host);
    let files = CredentialFiles::read(t, true);
    t.misplaced("verify_tls", "a key of a tls check", "a tls check always verifies");
    let host = host.flatten().unwrap_or_default();
    (model::Probe::Tls(TlsProbe { host, ..TlsProbe::default() }), files)
}
