//! The keys of http and https checks.

use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, Uri};

use super::server_name;
use crate::config::table::Table;
use crate::config::value::Value;
use crate::model::{self, HttpProbe, StatusRange, TlsVerify};

/// The most that is read of a body, in octets.
const BODY_MAX: usize = 5120;
const STATUS_WANTED: &str = "a status code or a range of them: \"204\" or \"200-299\"";

/// What is asked and wanted, over TLS or not.
pub(super) fn read(t: &Table<'_>, secure: bool) -> model::Probe {
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
    if secure {
        probe.tls = Some(tls(t));
    } else {
        let hint = "type = \"https\" speaks TLS";
        t.misplaced("verify_tls", "a key of an http check", hint);
    }
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
