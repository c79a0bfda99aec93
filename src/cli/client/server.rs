//! One admin server: a question, its answer, and what is done when the connection breaks.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Method, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::admin::Admin;
use super::trouble::{Problem, Trouble};

/// So often a question is asked when connections break in the middle of it.
const ATTEMPTS: u32 = 3;
/// Before the second attempt; before each later one twice as long.
const PAUSE: Duration = Duration::from_millis(100);

/// A question or a change.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Call {
    method: Method,
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
    body: Option<Value>,
    key: Option<String>,
    patience: Duration,
}

impl Call {
    /// A question: `["records", "app.example.com"]` below `/api/v1`.
    pub(in crate::cli) fn get(path: &[&str]) -> Self {
        let path = path.iter().map(ToString::to_string).collect();
        let (query, patience) = (Vec::new(), Duration::ZERO);
        Self { method: Method::GET, path, query, body: None, key: None, patience }
    }

    /// A change.
    pub(in crate::cli) fn post(path: &[&str], body: Value) -> Self {
        Self { method: Method::POST, body: Some(body), ..Self::get(path) }
    }

    /// With a parameter, if there is a value for it.
    pub(in crate::cli) fn with(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// With a key: sent twice it is done once.
    pub(in crate::cli) fn once(mut self, key: &str) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The answer may take so much longer than others do.
    pub(in crate::cli) fn patiently(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// What can be sent again after a connection broke: the server does it once at most.
    fn is_repeatable(&self) -> bool {
        self.method == Method::GET || self.key.is_some()
    }
}

/// An admin server.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Server {
    pub(super) admin: Admin,
    pub(super) client: Client,
    pub(super) token: Option<HeaderValue>,
    pub(super) actor: Option<HeaderValue>,
    pub(super) timeout: Duration,
}

impl Server {
    /// Where it is.
    pub(in crate::cli) fn admin(&self) -> &Admin {
        &self.admin
    }

    /// Asks, and reads the answer.
    pub(in crate::cli) async fn ask<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Trouble> {
        let mut pause = PAUSE;
        for attempt in 1.. {
            match self.send(call).await {
                Err(Trouble::Broken(_)) if call.is_repeatable() && attempt < ATTEMPTS => {}
                other => return read(&other?),
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        Err(Trouble::Broken("it was asked too often".into()))
    }

    /// The body of a good answer.
    async fn send(&self, call: &Call) -> Result<Vec<u8>, Trouble> {
        let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
        let url = self.admin.url(&path, &call.query);
        let timeout = self.timeout + call.patience;
        let mut request = self.client.request(call.method.clone(), url).timeout(timeout);
        for (name, value) in [("authorization", &self.token), ("x-trimtab-actor", &self.actor)] {
            if let Some(value) = value {
                request = request.header(name, value.clone());
            }
        }
        if let Some(key) = &call.key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        let told = |error: reqwest::Error| trouble(&error, timeout);
        let response = request.send().await.map_err(told)?;
        let (status, is_problem) = (response.status(), is_problem(&response));
        let body = response.bytes().await.map_err(told)?.to_vec();
        if status.is_success() {
            return Ok(body);
        }
        match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) if is_problem => Err(Trouble::Refused(Box::new(problem))),
            _ => Err(Trouble::Strange(format!(
                "HTTP {status} without a problem document: is it the admin address of a server of this version?"
            ))),
        }
    }
}

fn is_problem(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    kind.is_some_and(|kind| kind.starts_with(b"application/problem+json"))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Trouble> {
    serde_json::from_slice(body).map_err(|error| {
        Trouble::Strange(format!(
            "its answer cannot be read, so it may be of another version: {error}"
        ))
    })
}

/// What went wrong before there was an answer.
fn trouble(error: &reqwest::Error, timeout: Duration) -> Trouble {
    let why = innermost(error);
    if error.is_connect() {
        return Trouble::Unreachable(why);
    }
    if error.is_timeout() {
        let limit = humantime::format_duration(timeout);
        return Trouble::Silent(format!("no answer within {limit}"));
    }
    if error.is_builder() {
        return Trouble::Strange(why);
    }
    Trouble::Broken(format!("the connection broke before there was a whole answer: {why}"))
}

/// The cause of all, without the names of the layers that hand it on.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    let mut text = error.to_string();
    while let Some(error) = cause {
        text = error.to_string();
        cause = error.source();
    }
    // The system's number of the error says nothing to people.
    match text.rfind(" (os error ") {
        Some(at) => text.get(..at).unwrap_or(&text).to_lowercase(),
        None => text,
    }
}
