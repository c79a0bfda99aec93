//! Bodies of requests: JSON, of a limited size, within a limited time.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use tokio::time::timeout;

use super::fault::{
    BAD_JSON, BODY_TIMEOUT, BODY_TOO_LARGE, Fault, INTERNAL, INVALID_VALUE, WRONG_MEDIA_TYPE,
};

/// Octets of a body.
const MOST: usize = 1 << 20;
/// For all of it, from the end of the header.
const TIME: Duration = Duration::from_secs(10);

/// A body of JSON, received or to be sent.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

/// The same where there need be none.
#[derive(Debug)]
pub(super) struct MaybeJson<T>(pub(super) T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, _: &S) -> Result<Self, Fault> {
        let (parts, body) = request.into_parts();
        is_json(&parts.headers)?;
        read(&receive(&parts.headers, body).await?).map(Self)
    }
}

impl<S: Sync, T: DeserializeOwned + Default> FromRequest<S> for MaybeJson<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, _: &S) -> Result<Self, Fault> {
        let (parts, body) = request.into_parts();
        let octets = receive(&parts.headers, body).await?;
        if octets.is_empty() {
            return Ok(Self(T::default()));
        }
        is_json(&parts.headers)?;
        read(&octets).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
            Err(error) => {
                tracing::error!(%error, "a reply could not be written");
                Fault::new(INTERNAL, "the reply could not be written").into_response()
            }
        }
    }
}

fn is_json(headers: &HeaderMap) -> Result<(), Fault> {
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = said.and_then(|said| said.split(';').next()).unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let found = said.map_or("nothing".into(), |said| format!("{said:?}"));
    let detail = format!("Content-Type says {found}; send application/json");
    Err(Fault::new(WRONG_MEDIA_TYPE, detail))
}

async fn receive(headers: &HeaderMap, body: Body) -> Result<Bytes, Fault> {
    let too_large = || Fault::new(BODY_TOO_LARGE, format!("a body may have {MOST} octets"));
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if length.and_then(|length| length.parse::<u64>().ok()).is_some_and(|n| n > MOST as u64) {
        return Err(too_large());
    }
    match timeout(TIME, Limited::new(body, MOST).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        // Most likely nobody is there any more to hear of it.
        Ok(Err(error)) => Err(Fault::new(BAD_JSON, format!("the body broke off: {error}"))),
        Err(_) => {
            let detail = format!("the body was not there within {} s", TIME.as_secs());
            Err(Fault::new(BODY_TIMEOUT, detail))
        }
    }
}

fn read<T: DeserializeOwned>(octets: &[u8]) -> Result<T, Fault> {
    let mut text = serde_json::Deserializer::from_slice(octets);
    let read = serde_path_to_error::deserialize(&mut text).map_err(|error| {
        let field = error.path().to_string();
        (field, error.into_inner())
    });
    let read = read.and_then(|read| text.end().map(|()| read).map_err(|e| (".".into(), e)));
    read.map_err(|(field, error)| match error.classify() {
        Category::Data => {
            let fault = Fault::new(INVALID_VALUE, told(&field, &error));
            if field == "." { fault } else { fault.with("field", field) }
        }
        Category::Io | Category::Syntax | Category::Eof => Fault::new(BAD_JSON, error.to_string())
            .with("line", error.line())
            .with("column", error.column()),
    })
}

fn told(field: &str, error: &serde_json::Error) -> String {
    if field == "." { error.to_string() } else { format!("{field}: {error}") }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use hyper::body::Frame;

    use super::*;

    /// A body of which nothing ever comes.
    struct Silent;

    impl hyper::body::Body for Silent {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Pending
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let start = crate::clock::now();
        let fault = receive(&HeaderMap::new(), Body::new(Silent)).await.unwrap_err();
        assert_eq!(fault.into_response().status(), 408);
        assert_eq!(crate::clock::now() - start, TIME);
    }

    #[tokio::test]
    async fn a_length_that_is_said_is_enough_to_refuse() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_LENGTH, "1048577".parse().unwrap());
        let fault = receive(&headers, Body::new(Silent)).await.unwrap_err();
        assert_eq!(fault.into_response().status(), 413);
    }
}
