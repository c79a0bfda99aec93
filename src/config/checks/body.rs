//! What http and https checks want of a body.

use serde_json::{Number, Value as Json};
use toml::de::DeValue;

use crate::config::value::Value;
use crate::model::Pattern;

/// A pattern in the syntax of the `regex` crate, of bounded size.
pub(super) fn pattern(v: &Value<'_>) -> Option<Pattern> {
    let wanted = "a regular expression";
    let text = v.string(wanted)?;
    match Pattern::new(&text) {
        Ok(pattern) => Some(pattern),
        Err(regex::Error::CompiledTooBig(_)) => {
            v.refuse("a regular expression that takes no more than 256 KiB when it is compiled")
        }
        // The last line says what is wrong; those before it draw where.
        Err(error) => {
            let told = error.to_string();
            let why = told.lines().last().unwrap_or_default().trim_start_matches("error: ");
            v.refuse_with(wanted, format!("the pattern cannot be read: {why}"))
        }
    }
}

/// JSON pointers and the values wanted there.
pub(super) fn json(v: &Value<'_>) -> Option<Vec<(String, Json)>> {
    let wanted = "a table of JSON pointers and values: { \"/status\" = \"ok\" }";
    let entries = v.entries(wanted)?;
    if entries.is_empty() {
        return v.refuse(wanted);
    }
    let read = entries.into_iter().filter_map(|(pointer, _, v)| {
        if !is_pointer(pointer) {
            let wanted = "a value at a JSON pointer (RFC 6901)";
            let hint = format!("{pointer:?} is none: begin with \"/\", write \"~\" as \"~0\"");
            return v.refuse_with(wanted, hint);
        }
        value(&v).map(|value| (pointer.to_owned(), value))
    });
    Some(read.collect())
}

/// RFC 6901 section 3.
fn is_pointer(text: &str) -> bool {
    let escapes = |part: &str| part.starts_with(['0', '1']);
    (text.is_empty() || text.starts_with('/')) && text.split('~').skip(1).all(escapes)
}

fn value(v: &Value<'_>) -> Option<Json> {
    let number = match v.tree {
        DeValue::String(text) => return Some(Json::String(text.to_string())),
        DeValue::Boolean(truth) => return Some(Json::Bool(*truth)),
        DeValue::Integer(_) => v.as_integer().map(Number::from),
        DeValue::Float(number) => number.as_str().parse().ok().and_then(Number::from_f64),
        _ => None,
    };
    match number {
        Some(number) => Some(Json::Number(number)),
        None => v.refuse("a text, a number, true or false"),
    }
}
