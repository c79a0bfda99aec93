//! What all servers said: for people by server, for programs as one array; and the exit code.

use std::io::{Write, stderr, stdout};

use serde::Serialize;
use serde_json::{Value, json};

use super::trouble::trouble;
use crate::cli::Failure;
use crate::cli::client::{Told, Trouble};
use crate::cli::style::{self, Paint, Tone};

/// For programs: `[{admin, ok, result or problem}]`.
pub(in crate::cli) fn told<T: Serialize>(all: &[Told<T>]) -> Value {
    let one = |told: &Told<T>| match &told.said {
        Ok(result) => json!({ "admin": told.admin, "ok": true, "result": result }),
        Err(trouble) => json!({ "admin": told.admin, "ok": false, "problem": trouble.json() }),
    };
    all.iter().map(one).collect()
}

/// Prints what was said; those that did it on standard output, the others on standard error.
///
/// # Errors
/// Not all did it.
pub(in crate::cli) fn print<T: Serialize>(
    all: &[Told<T>],
    json: bool,
    render: impl Fn(&str, &T, Paint) -> String,
) -> Result<(), Failure> {
    if json {
        let text = serde_json::to_string_pretty(&told(all))? + "\n";
        stdout().write_all(text.as_bytes())?;
    } else {
        let paint = Paint::stdout();
        let good = all.iter().filter_map(|told| Some((&told.admin, told.said.as_ref().ok()?)));
        for (at, (admin, result)) in good.enumerate() {
            let text = render(admin, result, paint);
            // What names its server itself needs no heading.
            let heading = (all.len() > 1 && !text.contains(admin.as_str()))
                .then(|| paint.tone(Tone::Strong, admin) + "\n");
            let gap = if at > 0 { "\n" } else { "" };
            stdout().write_all(format!("{gap}{}{text}", heading.unwrap_or_default()).as_bytes())?;
        }
        stdout().flush()?;
        stderr().write_all(complaints(all, Paint::stderr()).as_bytes())?;
    }
    outcome(all)
}

/// Those that did not do it, and how many they are.
fn complaints<T>(all: &[Told<T>], paint: Paint) -> String {
    let mut out = String::new();
    let error = style::error("error");
    for told in all {
        if let Err(why) = &told.said {
            out += &format!("{error}: {}: {}", told.admin, trouble(why, paint));
        }
    }
    let failed = all.iter().filter(|told| told.said.is_err()).count();
    if all.len() > 1 && failed > 0 {
        out += &format!("{error}: {failed} of {} servers did not do it\n", all.len());
    }
    out
}

/// Done by all; else 3 if none could be reached or answered, and 1 otherwise.
///
/// # Errors
/// Not all did it.
pub(in crate::cli) fn outcome<T>(all: &[Told<T>]) -> Result<(), Failure> {
    let unreachable =
        |told: &Told<T>| matches!(told.said, Err(Trouble::Unreachable(_) | Trouble::Silent(_)));
    if all.iter().all(|told| told.said.is_ok()) {
        return Ok(());
    }
    Err(Failure::Told(if all.iter().all(unreachable) { 3 } else { 1 }))
}
