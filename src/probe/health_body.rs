//! How a target is by its own words in the body of a response: `application/health+json`
//! (draft-inadarei-api-health-check) and the health checks of the frameworks, which all have a `status`.

use serde_json::Value;

/// How a target calls itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    /// It is well.
    Well,
    /// It works, but not well: `status warn: disk nearly full`.
    Degraded(String),
    /// It does not work: `status fail: no database`.
    Failing(String),
}

const WELL: [&str; 4] = ["pass", "ok", "up", "healthy"];
const DEGRADED: [&str; 2] = ["warn", "degraded"];
const FAILING: [&str; 4] = ["fail", "error", "down", "unhealthy"];

/// What a body says.
///
/// # Errors
///
/// It says nothing of the kind, and what it says instead.
pub(super) fn told(body: &Value) -> Result<Told, String> {
    let Some(status) = body.get("status") else {
        return Err("body has no \"status\"".into());
    };
    let Some(status) = status.as_str() else {
        return Err("body has a \"status\" that is no text".into());
    };
    let word = status.to_ascii_lowercase();
    let output = body.get("output").and_then(Value::as_str).filter(|text| !text.is_empty());
    let said = || match output {
        None => format!("status {word}"),
        Some(output) => format!("status {word}: {output}"),
    };
    match word.as_str() {
        word if WELL.contains(&word) => Ok(Told::Well),
        word if DEGRADED.contains(&word) => Ok(Told::Degraded(said())),
        word if FAILING.contains(&word) => Ok(Told::Failing(said())),
        _ => {
            let status = super::reason::quoted(status);
            Err(format!("body has the status {status}, wanted pass, warn, fail or the like"))
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case(json!({ "status": "pass" }), Told::Well)]
    #[case(json!({ "status": "OK", "output": "fine" }), Told::Well)]
    #[case(json!({ "status": "UP" }), Told::Well)]
    #[case(json!({ "status": "Healthy" }), Told::Well)]
    #[case(json!({ "status": "Degraded" }), Told::Degraded("status degraded".into()))]
    #[case(json!({ "status": "warn", "output": "disk" }), Told::Degraded("status warn: disk".into()))]
    #[case(json!({ "status": "warn", "output": "" }), Told::Degraded("status warn".into()))]
    #[case(json!({ "status": "fail", "output": 5 }), Told::Failing("status fail".into()))]
    #[case(json!({ "status": "DOWN" }), Told::Failing("status down".into()))]
    #[case(json!({ "status": "error" }), Told::Failing("status error".into()))]
    #[case(json!({ "status": "Unhealthy" }), Told::Failing("status unhealthy".into()))]
    fn statuses(#[case] body: Value, #[case] wanted: Told) {
        assert_eq!(told(&body), Ok(wanted));
    }

    #[rstest]
    #[case(json!({}), "body has no \"status\"")]
    #[case(json!("pass"), "body has no \"status\"")]
    #[case(json!({ "status": 1 }), "body has a \"status\" that is no text")]
    #[case(
        json!({ "status": "fine" }),
        "body has the status \"fine\", wanted pass, warn, fail or the like"
    )]
    fn what_says_nothing(#[case] body: Value, #[case] why: &str) {
        assert_eq!(told(&body), Err(why.into()));
    }
}
