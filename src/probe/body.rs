//! The body of a response: no more of it is read than the check needs, and never more than 5120 bytes.

use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;

use super::attempt::{Attempt, Failure};
use super::health_body::{self, Told};
use super::{http, reason};
use crate::model::HttpProbe;

/// So much of a body is looked at.
const BODY_MAX: usize = 5120;

/// What was read of a body.
#[derive(Debug, Default)]
pub(super) struct Body {
    octets: Vec<u8>,
    /// There is more.
    cut: bool,
}

impl Body {
    /// Reads as much as matters to a check.
    ///
    /// # Errors
    ///
    /// `body: …`
    pub(super) async fn read(
        probe: &HttpProbe,
        mut body: Incoming,
        attempt: &Attempt,
    ) -> Result<Self, Failure> {
        // Of a pattern or JSON nothing can be said before the end.
        let whole = probe.health || probe.expect_regex.is_some() || !probe.expect_json.is_empty();
        let wanted = probe.expect_body.as_deref().filter(|_| !whole).map(str::as_bytes);
        let mut read = Self::default();
        if !whole && wanted.is_none_or(<[u8]>::is_empty) {
            return Ok(read);
        }
        let reading = async {
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|e| Failure::in_phase("body", http::told(&e)))?;
                if let Some(data) = frame.data_ref()
                    && read.take(data, wanted)
                {
                    break;
                }
            }
            Ok(())
        };
        attempt.within(|| "body", reading).await??;
        Ok(read)
    }

    /// Adds what came in; whether it is enough.
    fn take(&mut self, data: &[u8], wanted: Option<&[u8]>) -> bool {
        let before = self.octets.len();
        let room = BODY_MAX - before;
        self.octets.extend(data.iter().take(room));
        self.cut |= data.len() > room;
        // What was searched before needs no second look, but a match may straddle the border.
        let found = wanted.is_some_and(|wanted| {
            let from = before.saturating_sub(wanted.len().saturating_sub(1));
            contains(self.octets.get(from..).unwrap_or_default(), wanted)
        });
        found || self.cut || wanted.is_some() && self.octets.len() >= BODY_MAX
    }

    /// Holds it against everything that a check wants of it.
    ///
    /// # Errors
    ///
    /// What it lacks, or that the target calls itself failing by it.
    pub(super) fn judge(&self, probe: &HttpProbe, attempt: &mut Attempt) -> Result<(), Failure> {
        let within =
            if self.octets.len() >= BODY_MAX { " within its first 5120 bytes" } else { "" };
        if let Some(wanted) = &probe.expect_body
            && !contains(&self.octets, wanted.as_bytes())
        {
            let wanted = reason::quoted(wanted);
            return Err(Failure::target(&format!("body lacks {wanted}{within}")));
        }
        if let Some(pattern) = &probe.expect_regex
            && !pattern.is_within(&self.octets)
        {
            let pattern = reason::quoted(pattern.as_str());
            return Err(Failure::target(&format!("body does not match {pattern}{within}")));
        }
        if probe.expect_json.is_empty() && !probe.health {
            return Ok(());
        }
        let json = self.json().map_err(|why| Failure::target(&why))?;
        for (pointer, wanted) in &probe.expect_json {
            compare(&json, pointer, wanted)?;
        }
        if !probe.health {
            return Ok(());
        }
        match health_body::told(&json).map_err(|why| Failure::target(&why))? {
            Told::Well => Ok(()),
            Told::Degraded(why) => {
                attempt.report.degraded = Some(reason::clean(&why));
                Ok(())
            }
            Told::Failing(why) => Err(Failure::target(&why)),
        }
    }

    /// Why the target calls itself failing, if it does.
    pub(super) fn failing(&self) -> Option<String> {
        match health_body::told(&self.json().ok()?) {
            Ok(Told::Failing(why)) => Some(why),
            _ => None,
        }
    }

    fn json(&self) -> Result<Value, String> {
        if self.cut {
            return Err("body is longer than the 5120 bytes that are read of JSON".into());
        }
        serde_json::from_slice(&self.octets).map_err(|error| format!("body is not JSON: {error}"))
    }
}

fn contains(octets: &[u8], wanted: &[u8]) -> bool {
    wanted.is_empty() || octets.windows(wanted.len()).any(|window| window == wanted)
}

/// Holds the value at a pointer against the one that is wanted.
fn compare(json: &Value, pointer: &str, wanted: &Value) -> Result<(), Failure> {
    let found = match json.pointer(pointer) {
        Some(found) if same(found, wanted) => return Ok(()),
        Some(Value::Object(_)) => "an object".into(),
        Some(Value::Array(_)) => "a list".into(),
        Some(Value::String(text)) => reason::quoted(text),
        Some(other) => other.to_string(),
        None => "nothing".into(),
    };
    let place = if pointer.is_empty() { "its root" } else { pointer };
    Err(Failure::target(&format!("body has {found} at {place}, wanted {wanted}")))
}

/// Whether two values are the same; `1` and `1.0` are.
fn same(found: &Value, wanted: &Value) -> bool {
    let broken = found.is_f64() || wanted.is_f64();
    found == wanted || broken && found.is_number() && found.as_f64() == wanted.as_f64()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case("/status", json!("ok"), None)]
    #[case("/checks/0/up", json!(true), None)]
    #[case("/checks/0/up", json!("true"), Some("body has true at /checks/0/up, wanted \"true\""))]
    #[case("/checks/1/up", json!(true), Some("body has nothing at /checks/1/up, wanted true"))]
    #[case("/checks/0", json!(true), Some("body has an object at /checks/0, wanted true"))]
    #[case("/checks", json!(1), Some("body has a list at /checks, wanted 1"))]
    #[case("/status", json!("Ok"), Some("body has \"ok\" at /status, wanted \"Ok\""))]
    #[case("", json!(1), Some("body has an object at its root, wanted 1"))]
    #[case("/a~1b", json!(1), None)]
    #[case("/m~0n", json!(2.0), None)]
    #[case("/m~0n", json!(2.5), Some("body has 2 at /m~0n, wanted 2.5"))]
    #[case("/half", json!(0.5), None)]
    #[case("/none", json!(0), Some("body has null at /none, wanted 0"))]
    #[case("/big", json!(9_007_199_254_740_992_u64), Some(
        "body has 9007199254740993 at /big, wanted 9007199254740992"
    ))]
    fn rfc6901_values_at_pointers(
        #[case] pointer: &str,
        #[case] wanted: Value,
        #[case] why: Option<&str>,
    ) {
        let body = json!({
            "status": "ok", "checks": [{ "up": true }], "a/b": 1, "m~n": 2, "half": 0.5, "none": null,
            "big": 9_007_199_254_740_993_u64,
        });
        let wanted = compare(&body, pointer, &wanted);
        assert_eq!(wanted.err(), why.map(Failure::target));
    }
}
