//! What a target says of itself in header fields of a response.

use hyper::header::HeaderMap;

use super::attempt::{Attempt, Failure};
use super::reason;
use super::words::{Words, load};
use crate::model::HttpProbe;

/// Takes the load and the words of an agent. A field that is not there says nothing; nor does one
/// that is not understood, which is noted.
///
/// # Errors
///
/// The target says that it is down.
pub(super) fn read(
    probe: &HttpProbe,
    headers: &HeaderMap,
    attempt: &mut Attempt,
) -> Result<(), Failure> {
    if let Some((name, text)) = field(probe.load_header.as_deref(), headers) {
        attempt.report.load = load(text.trim());
        if attempt.report.load.is_none() {
            attempt.unclear = Some(unclear(name, &text, "a load such as 0.85 or 85%"));
        }
    }
    let Some((name, text)) = field(probe.weight_header.as_deref(), headers) else { return Ok(()) };
    let Some(words) = Words::read(&text) else {
        attempt.unclear = Some(unclear(name, &text, "words such as 75%, drain or maint"));
        return Ok(());
    };
    words.report(&mut attempt.report)
}

fn field<'a>(name: Option<&'a str>, headers: &HeaderMap) -> Option<(&'a str, String)> {
    let name = name?;
    let value = headers.get(name)?;
    Some((name, String::from_utf8_lossy(value.as_bytes()).into_owned()))
}

fn unclear(name: &str, text: &str, wanted: &str) -> std::sync::Arc<str> {
    reason::clean(&format!("the header {name} has {}, wanted {wanted}", reason::quoted(text)))
}
