//! Colours, where a person reads: on a terminal, unless `NO_COLOR` is set (no-color.org).

use std::io::IsTerminal;

/// Whether standard error is shown with colours.
#[expect(clippy::disallowed_methods, reason = "NO_COLOR is an agreement between programs")]
pub(super) fn colour() -> bool {
    let refused = std::env::var("NO_COLOR").is_ok_and(|value| !value.is_empty());
    std::io::stderr().is_terminal() && !refused
}

/// A word that says that something went wrong.
pub(super) fn error(word: &str) -> String {
    if colour() { format!("\x1b[1;31m{word}\x1b[0m") } else { word.into() }
}
