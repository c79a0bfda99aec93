//! Sending one request, and reading as much of the answer as is worth it.

use std::error::Error as _;
use std::future::Future;

use reqwest::header::RETRY_AFTER;
use reqwest::{Method, Response};

use super::answer::{Answer, Reply};
use super::hook::{Hook, Request};

/// Octets of a body that are read at most; the rest is left.
const BODY_MOST: usize = 4096;

/// Who brings requests to hooks.
pub trait Carrier: Clone + Send + Sync + 'static {
    /// Sends a request to a hook, within its time.
    fn carry(&self, hook: &Hook, request: Request) -> impl Future<Output = Answer> + Send;
}

/// HTTP.
#[derive(Debug, Clone, Copy, Default)]
pub struct Http;

impl Carrier for Http {
    async fn carry(&self, hook: &Hook, request: Request) -> Answer {
        let Request { url, headers, body } = request;
        let request = hook.client.request(Method::POST, url).headers(headers).body(body);
        match request.timeout(hook.timeout).send().await {
            Ok(response) => Ok(read(response).await),
            Err(error) => Err(reason(error, hook)),
        }
    }
}

async fn read(mut response: Response) -> Reply {
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let (status, retry_after) = (response.status().as_u16(), retry_after.map(Into::into));
    let mut body = Vec::new();
    // What breaks off here does not change what the status says.
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = BODY_MOST.saturating_sub(body.len());
        body.extend(chunk.iter().take(room));
        if chunk.len() >= room {
            break;
        }
    }
    Reply { status, retry_after, body: String::from_utf8_lossy(&body).into_owned() }
}

/// Why there is no answer, without the URL: it may be a secret.
fn reason(error: reqwest::Error, hook: &Hook) -> String {
    if error.is_timeout() {
        let limit = humantime::format_duration(hook.timeout);
        return format!("no answer within {limit}");
    }
    let what = if error.is_connect() { "cannot connect" } else { "the connection broke" };
    let error = error.without_url();
    let mut cause = error.source();
    let mut text = None;
    while let Some(error) = cause {
        text = Some(error.to_string());
        cause = error.source();
    }
    match text {
        Some(text) => format!("{what}: {text}"),
        None => what.into(),
    }
}
