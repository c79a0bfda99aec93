//! The keys of prometheus checks.

use reqwest::Url;

use crate::config::table::Table;
use crate::config::value::Value;
use crate::model::{self, Comparison, FailWhen, PrometheusProbe};

const URL: &str = "a URL like http://127.0.0.1:9090";
const QUERY: &str = "a query of 1 to 4096 octets";
const FAIL_WHEN: &str = "a comparison (>, >=, <, <=, ==, !=) with a number: \"> 0.05\"";

/// What is asked of whom, and which figures are a failure.
pub(super) fn read(t: &Table<'_>) -> model::Probe {
    let query = t.required("query", QUERY, |v| {
        let fits = |text: &str| (1..=4096).contains(&text.len());
        v.parsed(QUERY, |text| fits(text).then(|| text.to_owned()))
    });
    let fail_when = t.required("fail_when", FAIL_WHEN, |v| v.parsed(FAIL_WHEN, FailWhen::parse));
    let nothing = FailWhen { comparison: Comparison::Above, figure: 0.0 };
    model::Probe::Prometheus(PrometheusProbe {
        url: t.required("url", URL, url).unwrap_or_default(),
        query: query.unwrap_or_default(),
        fail_when: fail_when.unwrap_or(nothing),
        token_file: t.optional("token_file", Value::file),
        ca_file: t.optional("ca_file", Value::file),
    })
}

pub(in crate::config) fn url(v: &Value<'_>) -> Option<String> {
    let Some(url) = v.text().and_then(|text| text.parse::<Url>().ok()) else {
        return v.refuse(URL);
    };
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return v.refuse(URL);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return v.refuse_with("a URL without a user", "a token goes into a file: token_file");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return v.refuse_with(URL, "the query is a key of its own; the path of the API is added");
    }
    Some(url.into())
}
