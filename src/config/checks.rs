//! `[checks.NAME]`: what is probed, how, and how often.

use std::net::IpAddr;
use std::sync::Arc;

use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, Uri};
use tokio_rustls::rustls::pki_types::ServerName;

use super::context::Spanned;
use super::defaults::timing;
use super::table::Table;
use super::value::Value;
use super::{later, names};
use crate::model::{self, Destination, HttpProbe, StatusRange, Timing, TlsVerify};

/// A check, and where its parts were written.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// Its name.
    pub name: Spanned<Arc<str>>,
    /// What it does; shared by all pools that use it.
    pub spec: Arc<model::Check>,
    /// Its target, if it has one of its own.
    pub target: Option<Spanned<Destination>>,
}

/// The most that is read of a body, in octets.
const BODY_MAX: usize = 5120;
const STATUS_WANTED: &str = "a status code or a range of them: \"204\" or \"200-299\"";
const TARGET_WANTED: &str = "an address or a host name, without a port";

const TYPES: [(&str, Kind); 3] = [("http", Kind::Http), ("https", Kind::Https), ("tcp", Kind::Tcp)];
const TYPES_LATER: [&str; 8] =
    ["tls", "dns", "grpc", "icmp", "exec", "prometheus", "push", "calculated"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Http,
    Https,
    Tcp,
}

impl Check {
    pub(super) fn read_all(v: &Value<'_>, defaults: Timing) -> Option<Vec<Self>> {
        let entries = v.entries("a table of checks: [checks.web]")?;
        let read = entries.into_iter().map(|(name, place, v)| {
            let name = names::read(name, place, &v);
            let check = v.table(|t| Self::read(t, &name, defaults));
            check.unwrap_or_else(|| Self::unread(&name, defaults))
        });
        Some(read.collect())
    }

    fn read(t: &Table<'_>, name: &Spanned<Arc<str>>, defaults: Timing) -> Self {
        let wanted = "type = \"http\", \"https\" or \"tcp\"";
        let Some(kind) = t.required("type", wanted, |v| v.word_or_later(&TYPES, &TYPES_LATER))
        else {
            t.tolerate();
            return Self::unread(name, defaults);
        };
        let timing = timing(t, defaults);
        let target = t.optional("target", |v| {
            v.parsed(TARGET_WANTED, destination).map(|to| v.with_place(to))
        });
        later::check(t);
        let (default_port, probe) = match kind {
            Kind::Tcp => (None, tcp(t)),
            Kind::Http => (Some(80), http(t, kind)),
            Kind::Https => (Some(443), http(t, kind)),
        };
        let port = match default_port {
            Some(port) => t.optional("port", |v| v.integer(1..=65535)).or(Some(port)),
            None => t.required("port", "a port from 1 to 65535", |v| v.integer(1..=65535)),
        };
        let spec = model::Check {
            name: Arc::clone(name),
            probe,
            port: port.unwrap_or(1),
            target: target.clone().map(|to| to.value),
            timing,
        };
        Self { name: name.clone(), spec: Arc::new(spec), target }
    }

    /// Stands for a check that cannot be read, so that references to it are not unknown.
    fn unread(name: &Spanned<Arc<str>>, timing: Timing) -> Self {
        let probe = model::Probe::Tcp;
        let spec = model::Check { name: Arc::clone(name), probe, port: 1, target: None, timing };
        Self { name: name.clone(), spec: Arc::new(spec), target: None }
    }
}

fn tcp(t: &Table<'_>) -> model::Probe {
    for key in ["path", "host", "method", "headers", "expect_status", "expect_body", "verify_tls"] {
        let hint = "a tcp check only connects; use type = \"http\" or \"https\"";
        t.misplaced(key, "a key of a tcp check", hint);
    }
    model::Probe::Tcp
}

fn http(t: &Table<'_>, kind: Kind) -> model::Probe {
    let mut probe = HttpProbe {
        tls: None,
        method: Method::GET.to_string(),
        path: "/".into(),
        host: None,
        headers: Vec::new(),
        expect_status: vec![StatusRange { first: 200, last: 299 }],
        expect_body: None,
    };
    t.set("method", &mut probe.method, method);
    t.set("path", &mut probe.path, path);
    t.set("host", &mut probe.host, |v| {
        v.parsed("a host name or an address, without a port", server_name).map(Some)
    });
    t.set("headers", &mut probe.headers, headers);
    t.set("expect_status", &mut probe.expect_status, expect_status);
    t.set("expect_body", &mut probe.expect_body, |v| {
        let fits = |text: &str| (1..=BODY_MAX).contains(&text.len());
        v.parsed("a text of 1 to 5120 octets", |text| fits(text).then(|| Some(text.into())))
    });
    if probe.method == "HEAD"
        && let Some(v) = t.peek("expect_body")
    {
        v.refuse_with::<()>(
            "no such key with method = \"HEAD\"",
            "HEAD is answered without a body",
        );
    }
    if kind == Kind::Https {
        probe.tls = Some(tls(t));
    } else {
        let hint = "type = \"https\" speaks TLS";
        t.misplaced("verify_tls", "a key of an http check", hint);
    }
    later::http_check(t);
    model::Probe::Http(probe)
}

/// A certificate can only be held against a name that is given.
fn tls(t: &Table<'_>) -> TlsVerify {
    let mut verify = true;
    t.set("verify_tls", &mut verify, Value::boolean);
    if verify && t.peek("host").is_none() {
        t.missing("host", "the name that the certificate must be for, or verify_tls = false");
    }
    if verify { TlsVerify::Full } else { TlsVerify::Off }
}

fn method(v: &Value<'_>) -> Option<String> {
    let words = [Method::GET, Method::HEAD, Method::OPTIONS, Method::POST, Method::PUT];
    let words: Vec<_> = words.iter().map(|m| (m.as_str(), m)).collect();
    v.word(&words).map(ToString::to_string)
}

fn path(v: &Value<'_>) -> Option<String> {
    v.parsed("a path with its query, starting with \"/\", without \"#\"", |text| {
        let good = text.starts_with('/') && !text.contains('#') && text.parse::<Uri>().is_ok();
        good.then(|| text.into())
    })
}

fn server_name(text: &str) -> Option<String> {
    ServerName::try_from(text).ok().map(|_| text.into())
}

fn destination(text: &str) -> Option<Destination> {
    match text.parse::<IpAddr>() {
        Ok(address) => Some(Destination::Address(address)),
        Err(_) => server_name(text).map(Destination::Name),
    }
}

fn headers(v: &Value<'_>) -> Option<Vec<(String, String)>> {
    let entries = v.entries("a table of header fields: { \"X-Probe\" = \"trimtab\" }")?;
    Some(entries.into_iter().filter_map(|(name, _, v)| header(name, &v)).collect())
}

fn header(name: &str, v: &Value<'_>) -> Option<(String, String)> {
    let Ok(field) = name.parse::<HeaderName>() else {
        return v.refuse(format!(
            "a field whose name has only the characters of a token; {name:?} has others"
        ));
    };
    match field.as_str() {
        "host" => return v.refuse_with("a field other than Host", "the key \"host\" sets it"),
        "connection" | "content-length" | "transfer-encoding" | "upgrade" | "te" => {
            return v
                .refuse("a field that does not steer the connection: those are set by the probe");
        }
        _ => {}
    }
    v.parsed("a text without control characters", |text| {
        text.parse::<HeaderValue>().ok().map(|_| (name.into(), text.into()))
    })
}

fn expect_status(v: &Value<'_>) -> Option<Vec<StatusRange>> {
    let list = v.list("a list of status codes and ranges: [\"200-299\", \"404\"]", |v| {
        if v.tree.is_integer() {
            return v.integer(100..=599).map(|code| StatusRange { first: code, last: code });
        }
        v.parsed(STATUS_WANTED, status_range)
    })?;
    match v.elements().is_empty() {
        true => v.refuse("at least one status code"),
        false => Some(list),
    }
}

fn status_range(text: &str) -> Option<StatusRange> {
    let code = |text: &str| text.parse::<u16>().ok().filter(|c| (100..=599).contains(c));
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let range = StatusRange { first: code(first)?, last: code(last)? };
    (range.first <= range.last).then_some(range)
}
