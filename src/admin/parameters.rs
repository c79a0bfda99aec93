//! What a request says outside its body: parts of the path, parameters behind the question mark, headers
//! that go with any change.

use std::ops::RangeInclusive;
use std::time::Duration;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::fault::{BAD_PARAMETER, Fault};

/// The header by which a change that is sent twice is made once.
pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// The part of the path that names something.
#[derive(Debug)]
pub(super) struct Segment(pub(super) String);

/// Two such parts.
#[derive(Debug)]
pub(super) struct Segments(pub(super) String, pub(super) String);

/// What stands behind the question mark. A type's fields are texts, so that whatever is wrong with one
/// is told with its name.
#[derive(Debug)]
pub(super) struct Parameters<T>(pub(super) T);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let told = |error: PathRejection| Fault::new(BAD_PARAMETER, error.body_text());
        path.map(|Path(name)| Self(name)).map_err(told)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Segments {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let told = |error: PathRejection| Fault::new(BAD_PARAMETER, error.body_text());
        path.map(|Path((first, second))| Self(first, second)).map_err(told)
    }
}

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Parameters<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        let told = |error: QueryRejection| Fault::new(BAD_PARAMETER, error.body_text());
        Query::try_from_uri(&parts.uri).map(|Query(read)| Self(read)).map_err(told)
    }
}

/// A number within a range, or what stands for none.
pub(super) fn number(
    name: &str,
    text: Option<&str>,
    range: RangeInclusive<u64>,
) -> Result<Option<u64>, Fault> {
    let Some(text) = text else { return Ok(None) };
    let number = text.parse().ok().filter(|number| range.contains(number));
    let wanted = || format!("wanted a whole number from {} to {}", range.start(), range.end());
    number.map(Some).ok_or_else(|| Fault::parameter(name, wanted()))
}

/// Yes or no; nothing is no.
pub(super) fn switch(name: &str, text: Option<&str>) -> Result<bool, Fault> {
    match text {
        Some("true" | "1" | "") => Ok(true),
        None | Some("false" | "0") => Ok(false),
        Some(_) => Err(Fault::parameter(name, "wanted true or false")),
    }
}

/// A duration within a range; what is wrong is told as a sentence.
pub(super) fn duration(text: &str, range: RangeInclusive<Duration>) -> Result<Duration, String> {
    let show = humantime::format_duration;
    let parsed = humantime::parse_duration(text).ok().filter(|one| range.contains(one));
    parsed.ok_or_else(|| {
        format!(
            "wanted a duration from {} to {}, like \"30m\"",
            show(*range.start()),
            show(*range.end())
        )
    })
}

/// The key of a change, if it has one.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Fault> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(first) = values.next() else { return Ok(None) };
    let text = first.to_str().ok().filter(|text| {
        (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
    });
    match (text, values.next()) {
        (Some(text), None) => Ok(Some(text.into())),
        _ => Err(Fault::header(IDEMPOTENCY_KEY, "wanted one, of 1 to 128 visible characters")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_switches_are_within_what_they_may_be() {
        assert_eq!(number("limit", None, 1..=9).unwrap(), None);
        assert_eq!(number("limit", Some("9"), 1..=9).unwrap(), Some(9));
        for bad in ["0", "10", "-1", "1.5", "", " 1", "x", "99999999999999999999"] {
            assert!(number("limit", Some(bad), 1..=9).is_err(), "{bad:?}");
        }
        assert!(switch("force", Some("true")).unwrap() && !switch("force", None).unwrap());
        assert!(switch("force", Some("yes")).is_err());
        let day = Duration::from_secs(1)..=Duration::from_secs(86_400);
        assert_eq!(duration("1h 30m", day.clone()), Ok(Duration::from_secs(5400)));
        for bad in ["0s", "2days", "30", "", "soon"] {
            assert!(duration(bad, day.clone()).unwrap_err().contains("1s to 1day"), "{bad:?}");
        }
    }

    #[test]
    fn a_key_is_short_and_visible_and_alone() {
        let key = |values: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for value in values {
                let value = axum::http::HeaderValue::from_bytes(value).unwrap();
                headers.append(IDEMPOTENCY_KEY, value);
            }
            idempotency_key(&headers).map_err(|_| ())
        };
        assert_eq!(key(&[]), Ok(None));
        assert_eq!(key(&[b"a-1"]), Ok(Some("a-1".into())));
        for bad in [&[&b""[..]][..], &[b"a b"], &[b"\xff"], &[&[b'x'; 129]], &[b"a", b"a"]] {
            assert_eq!(key(bad), Err(()), "{bad:?}");
        }
    }
}
