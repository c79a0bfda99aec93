//! The keys of http and https checks.

use std::time::Duration;

use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, Uri};

use super::credentials::CredentialFiles;
use super::{body, server_name};
use crate::config::table::Table;
use crate::config::value::Value;
use crate::model::{self, HttpProbe, StatusRange, TlsVerify};

/// The most that is read of a body, in octets.
const BODY_MAX: usize = 5120;
const STATUS_WANTED: &str = "a status code or a range of them: \"204\" or \"200-299\"";

/// What is asked and wanted, over TLS or not, and the files that it takes.
pub(super) fn read(
    t: &Table<'_>,
    secure: bool,
    timeout: Duration,
) -> (model::Probe, CredentialFiles) {
    let mut probe = HttpProbe::default();
    t.set("method", &mut probe.method, method);
    t.set("path", &mut probe.path, path);
    t.set("host", &mut probe.host, host);
    t.set("headers", &mut probe.headers, headers);
    t.set("expect_status", &mut probe.expect_status, expect_status);
    t.set("expect_body", &mut probe.expect_body, |v| {
        let fits = |text: &str| (1..=BODY_MAX).contains(&text.len());
        v.parsed("a text of 1 to 5120 octets", |text| fits(text).then(|| Some(text.into())))
    });
    t.set("expect_regex", &mut probe.expect_regex, |v| body::pattern(v).map(Some));
    t.set("expect_json", &mut probe.expect_json, body::json);
    t.set("body", &mut probe.health, |v| v.word(&[("none", false), ("health", true)]));
    t.set("max_response_time", &mut probe.max_response_time, |v| {
        v.duration(Duration::from_millis(1)..=timeout).map(Some)
    });
    t.set("weight_header", &mut probe.weight_header, |v| field(v).map(Some));
    t.set("load_header", &mut probe.load_header, |v| field(v).map(Some));
    if probe.method == "HEAD" {
        let wants = ["expect_body", "expect_regex", "expect_json"];
        let wants = wants.into_iter().chain(probe.health.then_some("body"));
        for v in wants.filter_map(|key| t.peek(key)) {
            let hint = "HEAD is answered without a body";
            v.refuse_with::<()>("no such key with method = \"HEAD\"", hint);
        }
    }
    let mut files = CredentialFiles::default();
    if secure {
        let verify = tls(t);
        probe.tls = Some(verify);
        files = CredentialFiles::read(t, verify == TlsVerify::Full);
    } else {
        let (wanted, hint) = ("a key of an http check", "type = \"https\" speaks TLS");
        t.misplaced("verify_tls", wanted, hint);
        CredentialFiles::refuse(t, wanted, hint);
    }
    (model::Probe::Http(probe), files)
}

/// A host without a port.
pub(super) fn host(v: &Value<'_>) -> Option<Option<String>> {
    v.parsed("a host name or an address, without a port", server_name).map(Some)
}

/// The name of a header field.
fn field(v: &Value<'_>) -> Option<String> {
    v.parsed("the name of a header field: \"X-Load\"", |text| {
        text.parse::<HeaderName>().ok().map(|_| text.into())
    })
}

/// A certificate can only be held against a name that is given.
pub(super) fn tls(t: &Table<'_>) -> TlsVerify {
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
