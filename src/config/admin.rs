//! `[admin]`: where the HTTP side listens, and what it asks of whom.
//!
//! Beyond loopback there is no listening without a token, nor without TLS unless somebody says that a
//! proxy does it: a nameserver that strangers can drain would be worse than none.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::context::Spanned;
use super::server::socket;
use super::table::Table;
use super::value::Value;
use crate::problem::Problem;

/// The HTTP side.
#[derive(Debug, Clone, PartialEq)]
pub struct Admin {
    /// Where everything is served.
    pub listen: SocketAddr,
    /// Where `/metrics`, `/healthz` and `/readyz` are served as well, to everybody, if anywhere.
    pub metrics_listen: Option<SocketAddr>,
    /// The tokens that are asked for on [`Self::listen`]; `None`: none, on a loopback address.
    pub token_file: Option<Spanned<PathBuf>>,
    /// What [`Self::listen`] speaks TLS with; `None`: plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Plain HTTP beyond loopback is meant: a proxy does TLS.
    pub insecure: bool,
}

/// A certificate and its key, both in PEM.
#[derive(Debug, Clone, PartialEq)]
pub struct TlsFiles {
    /// The certificate, and behind it those that lead to an authority.
    pub cert: Spanned<PathBuf>,
    /// Its private key.
    pub key: Spanned<PathBuf>,
}

impl Default for Admin {
    fn default() -> Self {
        Self {
            listen: (IpAddr::V4(Ipv4Addr::LOCALHOST), 9953).into(),
            metrics_listen: None,
            token_file: None,
            tls: None,
            insecure: false,
        }
    }
}

const TOKEN_HINT: &str = "make one: (umask 077; openssl rand -hex 32 >admin.token), and set \
                          token_file = \"admin.token\"; metrics_listen serves /metrics, /healthz \
                          and /readyz on any address without one";
const TLS_HINT: &str = "set cert and key to files in PEM; or, where a proxy in front does TLS, \
                        insecure = true";

impl Admin {
    pub(super) fn read(v: &Value<'_>) -> Option<Self> {
        v.table(|t| {
            let mut admin = Self::default();
            let listen = t.optional("listen", |v| Some(v.with_place(socket(v)?)));
            t.set("metrics_listen", &mut admin.metrics_listen, |v| socket(v).map(Some));
            let file = |v: &Value<'_>| Some(v.with_place(v.file()?));
            admin.token_file = t.optional("token_file", file);
            let (cert, key) = (t.optional("cert", file), t.optional("key", file));
            t.set("insecure", &mut admin.insecure, Value::boolean);
            // What is there but cannot be read is reported already.
            let given = |key| t.peek(key).is_some();
            for (one, other) in [("cert", "key"), ("key", "cert")] {
                if given(one) && !given(other) {
                    t.missing(other, &format!("a file in PEM: {one} is of no use without it"));
                }
            }
            if let Some(listen) = &listen {
                admin.listen = listen.value;
                if !listen.ip().is_loopback() {
                    beyond_loopback(t, listen, given, admin.insecure);
                }
            }
            if admin.insecure && given("cert") && given("key") {
                needless(t);
            }
            admin.tls = cert.zip(key).map(|(cert, key)| TlsFiles { cert, key });
            admin
        })
    }
}

/// What must be there before others than this machine's may connect.
fn beyond_loopback(
    t: &Table<'_>,
    listen: &Spanned<SocketAddr>,
    given: impl Fn(&'static str) -> bool,
    insecure: bool,
) {
    let refuse = |found: &str, wanted: &str, hint: &str| {
        let found = format!("{} {found}", listen.value);
        t.report(Problem::error(listen.place.clone(), t.join("listen"), found, wanted).hint(hint));
    };
    if !given("token_file") {
        let wanted = "a token_file beside an address that others can reach, or a loopback address";
        refuse("without a token_file", wanted, TOKEN_HINT);
    }
    if !given("cert") && !given("key") && !insecure {
        let wanted = "cert and key beside an address that others can reach, or a loopback address";
        refuse("without TLS", wanted, TLS_HINT);
    }
}

/// Warns of a switch that changes nothing, and may have been meant to.
fn needless(t: &Table<'_>) {
    let place = t.peek("insecure").map_or_else(|| t.place(), |v| v.place());
    let wanted = "either TLS or insecure = true; TLS is what is spoken";
    let problem = Problem::warning(place, t.join("insecure"), "true beside cert and key", wanted);
    t.report(problem.hint("remove insecure, or cert and key"));
}
