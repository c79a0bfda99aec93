//! What regions report of themselves. They are no operators: each check has tokens of its own, and nothing
//! else is asked of them.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde_json::Value;

use super::Api;
use super::bodies::{Push, PushStatus};
use crate::admin::body::MaybeJson;
use crate::admin::fault::{Fault, NOTHING_PUSHED};
use crate::admin::guard::Guard;
use crate::admin::parameters::Segments;
use crate::probe::{Said, Standing};

/// Characters of a reason.
const REASON: usize = 500;
const WEIGHT: &str = "wanted a number from 0 to 1, or a percentage like \"75%\"";

/// A region's report of itself, for a check of the type push. Shown is a token of the check's token_file. An
/// empty body is a pass.
#[utoipa::path(post, path = "/push/{check}/{region}", request_body = Option<Push>,
    params(("check", Path, description = "The check's name"), ("region", Path, description = "The region's name")),
    responses((status = NO_CONTENT, description = "It is taken in")))]
pub(super) async fn push(
    State(api): State<Api>,
    Extension(guard): Extension<Arc<Guard>>,
    Segments(check, region): Segments,
    parts: Parts,
    MaybeJson(pushed): MaybeJson<Push>,
) -> Result<StatusCode, Fault> {
    let known = api.reports.knows(&check, &region);
    guard.admit_region(&parts, known.then_some(&*check)).await?;
    if api.reports.hear(&check, &region, said(pushed)?) {
        return Ok(StatusCode::NO_CONTENT);
    }
    let detail = format!("no region {region:?} reports itself to a check {check:?}");
    Err(Fault::new(NOTHING_PUSHED, detail))
}

fn said(pushed: Push) -> Result<Said, Fault> {
    let status = match pushed.status.unwrap_or_default() {
        PushStatus::Pass => Standing::Pass,
        PushStatus::Warn => Standing::Warn,
        PushStatus::Fail => Standing::Fail,
    };
    let long = pushed.reason.as_ref().is_some_and(|text| text.chars().count() > REASON);
    if long {
        return Err(Fault::field("reason", format!("wanted at most {REASON} characters")));
    }
    let reason = pushed.reason.filter(|text| !text.trim().is_empty());
    let weight = pushed
        .weight
        .as_ref()
        .map(|value| weight(value).ok_or_else(|| Fault::field("weight", WEIGHT)));
    let weight = weight.transpose()?;
    let load = pushed.load.filter(|load| !(0.0..=1000.0).contains(load));
    if load.is_some() {
        return Err(Fault::field("load", "wanted a number from 0 to 1000; 1 is full"));
    }
    Ok(Said { status, reason, weight, load: pushed.load })
}

fn weight(value: &Value) -> Option<f64> {
    let percent =
        |text: &str| text.strip_suffix('%')?.trim().parse::<f64>().ok().map(|n| n / 100.0);
    let weight = value.as_f64().or_else(|| value.as_str().and_then(percent));
    weight.filter(|weight| (0.0..=1.0).contains(weight))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: Value) -> Result<Said, u16> {
        use axum::response::IntoResponse;
        let pushed = serde_json::from_value(body).map_err(|_| 0_u16)?;
        said(pushed).map_err(|fault| fault.into_response().status().as_u16())
    }

    #[test]
    fn reports_are_read() {
        assert_eq!(read(json!({})), Ok(Said::default()));
        let warn = json!({"status": "warn", "reason": "disk", "weight": "75%", "load": 0.4});
        let said = Said {
            status: Standing::Warn,
            reason: Some("disk".into()),
            weight: Some(0.75),
            load: Some(0.4),
        };
        assert_eq!(read(warn), Ok(said));
        assert_eq!(read(json!({"weight": 0.5})).unwrap().weight, Some(0.5));
        assert_eq!(read(json!({"weight": 1, "reason": " "})).unwrap().reason, None);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for weight in [json!(1.5), json!(-1), json!("101%"), json!("0.5"), json!([]), json!("NaN%")]
        {
            assert_eq!(read(json!({ "weight": weight })), Err(422), "{weight}");
        }
        assert_eq!(read(json!({"load": -0.1})), Err(422));
        assert_eq!(read(json!({"reason": "x".repeat(501)})), Err(422));
        assert_eq!(read(json!({"status": "bad"})), Err(0));
        assert_eq!(read(json!({"state": "pass"})), Err(0));
    }
}
