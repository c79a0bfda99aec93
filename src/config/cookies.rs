//! `[server.cookies]`: DNS cookies (RFC 7873).

use std::path::PathBuf;

use super::context::Spanned;
use super::value::Value;

/// Whether and with what server cookies are made.
#[derive(Debug, Clone, PartialEq)]
pub struct Cookies {
    /// Whether clients that send a cookie get one.
    pub enabled: bool,
    /// Where the secrets are that several nameservers share. `None`: a random one that nobody else
    /// has and that changes with each start.
    pub secret_file: Option<Spanned<PathBuf>>,
}

impl Default for Cookies {
    fn default() -> Self {
        Self { enabled: true, secret_file: None }
    }
}

impl Cookies {
    pub(super) fn read(v: &Value<'_>) -> Option<Self> {
        v.table(|t| {
            let mut cookies = Self::default();
            t.set("enabled", &mut cookies.enabled, Value::boolean);
            t.set("secret_file", &mut cookies.secret_file, |v| {
                v.file().map(|path| Some(v.with_place(path)))
            });
            cookies
        })
    }
}
