//! What a server of Prometheus's API answers: the figures of a reply, and what they mean for a target.

use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::attempt::Failure;
use crate::model::FailWhen;

/// Characters of a query in a reason.
const QUERY_SHOWN: usize = 60;

/// What a server answers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reply {
    status: String,
    #[serde(default)]
    data: Option<Data>,
    #[serde(default)]
    error_type: String,
    #[serde(default)]
    error: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    result: Value,
}

/// The figures of a reply.
///
/// # Errors
/// The server has an error, or it is not one of Prometheus's kind.
pub(super) fn read(status: StatusCode, body: &[u8]) -> Result<Vec<f64>, String> {
    let reply: Reply = match serde_json::from_slice(body) {
        Ok(reply) => reply,
        Err(_) if !status.is_success() => return Err(format!("HTTP {}", status.as_u16())),
        Err(_) => return Err("the reply is none of Prometheus's API".into()),
    };
    match reply.data {
        Some(data) if reply.status == "success" && status.is_success() => figures(&data),
        _ if reply.status == "error" => Err(format!("{}: {}", reply.error_type, reply.error)),
        _ => Err(format!("HTTP {}", status.as_u16())),
    }
}

fn figures(data: &Data) -> Result<Vec<f64>, String> {
    // A value is a pair of the time and the figure, which is a text.
    let figure = |pair: &Value| pair.get(1)?.as_str()?.parse::<f64>().ok();
    let found: Option<Vec<f64>> = match data.result_type.as_str() {
        "scalar" => figure(&data.result).map(|one| vec![one]),
        "vector" => {
            let samples = data.result.as_array();
            samples.and_then(|all| {
                all.iter().map(|sample| sample.get("value").and_then(figure)).collect()
            })
        }
        other => return Err(format!("the result is a {other}, wanted a scalar or a vector")),
    };
    found.ok_or_else(|| "the reply is none of Prometheus's API".into())
}

/// Compares the figures with what is a failure.
///
/// # Errors
/// `0.073 > 0.05 (sum(rate(...)))`; without a figure nothing is known.
pub(super) fn judge(samples: &[f64], fail_when: FailWhen, query: &str) -> Result<(), Failure> {
    let about = shortened(query);
    let failed: Vec<f64> = samples.iter().copied().filter(|one| fail_when.holds(*one)).collect();
    // What is no number is not unequal to one either.
    let failed: Vec<f64> = failed.into_iter().filter(|one| !one.is_nan()).collect();
    if let Some(first) = failed.first() {
        let first = shown(*first, fail_when.figure);
        let of = match samples.len() {
            1 => String::new(),
            all => format!("{} of {all} series: ", failed.len()),
        };
        return Err(Failure::target(&format!("{of}{first} {fail_when} ({about})")));
    }
    match samples {
        [] => Err(missing(&format!("no data ({about})"))),
        all if all.iter().all(|one| one.is_nan()) => Err(missing(&format!("NaN ({about})"))),
        _ => Ok(()),
    }
}

/// A figure with six digits, unless it then looks like another.
fn shown(figure: f64, than: f64) -> String {
    let rounded: f64 = format!("{figure:.5e}").parse().unwrap_or(figure);
    let same = rounded.to_bits() == than.to_bits() && figure.to_bits() != than.to_bits();
    if same { figure.to_string() } else { rounded.to_string() }
}

fn shortened(query: &str) -> String {
    match query.char_indices().nth(QUERY_SHOWN) {
        Some((at, _)) => format!("{}…", query.get(..at).unwrap_or_default()),
        None => query.into(),
    }
}

/// What keeps a server from an answer says nothing of the target.
pub(super) fn missing(why: &str) -> Failure {
    Failure::source(format_args!("Prometheus: {why}"))
}
