//! The keys of all checks over TLS: files of certificates. What is in them is read with everything else
//! that a configuration refers to.

use std::path::PathBuf;

use crate::config::context::Spanned;
use crate::config::table::Table;

/// The files of a check's credentials.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CredentialFiles {
    /// The certificates of authorities in PEM, trusted instead of those that the machine trusts.
    pub ca_file: Option<Spanned<PathBuf>>,
    /// The certificate that is shown, with its chain, in PEM.
    pub client_cert: Option<Spanned<PathBuf>>,
    /// Its key in PEM.
    pub client_key: Option<Spanned<PathBuf>>,
}

impl CredentialFiles {
    /// Reads the names of files; a check that verifies nothing trusts no authority.
    pub(super) fn read(t: &Table<'_>, verifies: bool) -> Self {
        let file = |key| t.optional(key, |v| v.file().map(|path| v.with_place(path)));
        let files = Self {
            ca_file: file("ca_file"),
            client_cert: file("client_cert"),
            client_key: file("client_key"),
        };
        if !verifies && let Some(v) = t.peek("ca_file") {
            let hint = "without verification any certificate will do";
            v.refuse_with::<()>("no such key with verify_tls = false", hint);
        }
        match (&files.client_cert, &files.client_key) {
            (Some(_), None) if t.peek("client_key").is_none() => {
                t.missing("client_key", "the private key of client_cert, a file in PEM");
            }
            (None, Some(_)) if t.peek("client_cert").is_none() => {
                t.missing("client_cert", "the certificate of client_key, a file in PEM");
            }
            _ => {}
        }
        files
    }

    /// Refuses the keys in a check that does not speak TLS.
    pub(super) fn refuse(t: &Table<'_>, wanted: &str, hint: &str) {
        for key in ["ca_file", "client_cert", "client_key"] {
            t.misplaced(key, wanted, hint);
        }
    }
}
