//! Colours, where a person reads: on a terminal, unless `NO_COLOR` is set (no-color.org).

use std::io::IsTerminal;

/// Whether what is written to a stream is shown with colours.
#[expect(clippy::disallowed_methods, reason = "NO_COLOR is an agreement between programs")]
fn colour_on(stream: &impl IsTerminal) -> bool {
    let refused = std::env::var("NO_COLOR").is_ok_and(|value| !value.is_empty());
    stream.is_terminal() && !refused
}

/// Whether standard error is shown with colours.
pub(super) fn colour() -> bool {
    colour_on(&std::io::stderr())
}

/// A word that says that something went wrong, for standard error.
pub(super) fn error(word: &str) -> String {
    Paint::new(colour()).tone(Tone::Error, word)
}

/// What a text means to its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// Nothing special.
    Plain,
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
    /// To be looked at.
    Warn,
    /// A heading.
    Strong,
    /// Beside the point.
    Faint,
    /// Something went wrong.
    Error,
}

/// With colours, or without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Paint(bool);

impl Paint {
    /// With colours or not.
    pub(super) const fn new(colours: bool) -> Self {
        Self(colours)
    }

    /// As standard output is read.
    pub(super) fn stdout() -> Self {
        Self(colour_on(&std::io::stdout()))
    }

    /// As standard error is read.
    pub(super) fn stderr() -> Self {
        Self(colour())
    }

    /// A text in its colour.
    pub(super) fn tone(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Plain => return text.into(),
            _ if !self.0 || text.is_empty() => return text.into(),
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Warn => "33",
            Tone::Strong => "1",
            Tone::Faint => "2",
            Tone::Error => "1;31",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}
