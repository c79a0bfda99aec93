//! What is wrong with something that a user wrote, and how it is told.
//!
//! Every reader of user input collects problems instead of stopping at the first. A problem says
//! where it is, which key it concerns, what was found, what is accepted, and what to do.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// A text that was read, kept so that problems can point into it.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// Where it came from, as the user named it.
    pub path: PathBuf,
    /// Its whole text.
    pub text: String,
}

/// Where a problem is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A byte range of a text that is at hand.
    Span(Arc<Source>, Range<usize>),
    /// A line of a file that was streamed; line and column count from 1.
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// A whole file or directory.
    File(PathBuf),
}

/// Whether a problem prevents the input from being used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The input is refused.
    Error,
    /// The input is used, but it probably does not say what was meant.
    Warning,
}

/// What to do about a file that cannot be read, when it may not be read: a server that has changed its
/// user is no longer the one who could.
#[must_use]
pub fn readable(error: &io::Error) -> Option<&'static str> {
    (error.kind() == io::ErrorKind::PermissionDenied).then_some(
        "the user that the server runs as (server.user, once it has started) must be allowed to read \
         it, and to enter its directories",
    )
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Error or warning.
    pub severity: Severity,
    /// Where it is.
    pub place: Place,
    /// The key or name that it concerns, as a dotted path: `regions.us-east.weight`.
    pub key: String,
    /// What was found there.
    pub found: String,
    /// What is accepted there.
    pub wanted: String,
    /// What to do about it, when there is something better to say than `wanted`.
    pub hint: Option<String>,
}

impl Problem {
    /// An error; add a hint with [`Problem::hint`].
    pub fn error(
        place: Place,
        key: impl Into<String>,
        found: impl Into<String>,
        wanted: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Error,
            place,
            key: key.into(),
            found: found.into(),
            wanted: wanted.into(),
            hint: None,
        }
    }

    /// A warning; add a hint with [`Problem::hint`].
    pub fn warning(
        place: Place,
        key: impl Into<String>,
        found: impl Into<String>,
        wanted: impl Into<String>,
    ) -> Self {
        Self { severity: Severity::Warning, ..Self::error(place, key, found, wanted) }
    }

    /// The same problem with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The file that it is in.
    #[must_use]
    pub fn path(&self) -> &Path {
        match &self.place {
            Place::Span(source, _) => &source.path,
            Place::Line { path, .. } | Place::File(path) => path,
        }
    }

    /// The report with the offending text underlined; with colours when `colour` is set.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = format!("{}: found {}", self.key, self.found);
        let wanted = format!("wanted {}", self.wanted);
        let mut group = match &self.place {
            Place::Span(source, span) => {
                let (lines, first, span) = lines(&source.text, span);
                level.primary_title(title).element(
                    Snippet::source(lines)
                        .line_start(first)
                        .path(source.path.display().to_string())
                        .annotation(AnnotationKind::Primary.span(span).label(wanted)),
                )
            }
            Place::Line { path, line, column } => level
                .primary_title(title)
                .element(
                    annotate_snippets::Origin::path(path.display().to_string())
                        .line(*line)
                        .char_column(*column),
                )
                .element(Level::NOTE.message(wanted)),
            Place::File(path) => level
                .primary_title(title)
                .element(annotate_snippets::Origin::path(path.display().to_string()))
                .element(Level::NOTE.message(wanted)),
        };
        if let Some(hint) = &self.hint {
            group = group.element(Level::HELP.message(hint.as_str()));
        }
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group]).to_string()
    }
}

/// One line, for logs: `trimtab.toml:12: regions.us-east.weight: found …, wanted …`.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path().display())?;
        match &self.place {
            Place::Span(source, span) => write!(f, ":{}", line_at(&source.text, span.start))?,
            Place::Line { line, .. } => write!(f, ":{line}")?,
            Place::File(_) => {}
        }
        write!(f, ": {}: found {}, wanted {}", self.key, self.found, self.wanted)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// What is wrong with one input, in the order in which it was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct Problems(pub Vec<Problem>);

/// Nobody reads more, and a generated file may have one a line.
const MOST: usize = 1000;

impl Problems {
    /// Adds one. Of those behind the first thousand only an error is kept, and only if there was none;
    /// that there are more is said once.
    pub fn push(&mut self, problem: Problem) {
        match self.0.len() {
            len if len < MOST => self.0.push(problem),
            MOST => {
                self.keep_an_error(&problem);
                let place = Place::File(problem.path().to_owned());
                let found = format!("more than {MOST} problems");
                let wanted = "fewer of them; the others are not shown";
                self.0.push(Problem::warning(place, "problems", found, wanted));
            }
            _ => self.keep_an_error(&problem),
        }
    }

    /// Without one, an input that must be refused would be used.
    fn keep_an_error(&mut self, problem: &Problem) {
        if problem.severity == Severity::Error && !self.any_error() {
            self.0.pop();
            self.0.insert(0, problem.clone());
        }
    }

    /// Adds all of another list.
    pub fn extend(&mut self, other: Self) {
        for problem in other.0 {
            self.push(problem);
        }
    }

    /// Whether any of them refuses the input.
    #[must_use]
    pub fn any_error(&self) -> bool {
        self.0.iter().any(|p| p.severity == Severity::Error)
    }

    /// How many of them refuse the input.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.0.iter().filter(|p| p.severity == Severity::Error).count()
    }

    /// How many of them only warn.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.0.len() - self.errors()
    }

    /// All reports, one below the other.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        self.0.iter().map(|p| p.render(colour)).collect::<Vec<_>>().join("\n\n")
    }
}

/// The lines of a text that a range of it is in, the number of the first, and where the range is in
/// them: what would be rendered of a long text would be no more, but all of it would be read.
fn lines<'a>(text: &'a str, span: &Range<usize>) -> (&'a str, usize, Range<usize>) {
    let end = span.end.min(text.len());
    let start = span.start.min(end);
    let from = text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let rest = text.get(end..).and_then(|behind| behind.find('\n'));
    let lines = text.get(from..rest.map_or(text.len(), |at| end + at)).unwrap_or_default();
    (lines, line_at(text, start), start - from..end - from)
}

/// The line of a position, from 1.
fn line_at(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    before.iter().filter(|&&octet| octet == b'\n').count() + 1
}

/// The line of a place, from 1, if it has one.
#[must_use]
pub fn line(place: &Place) -> Option<usize> {
    match place {
        Place::Span(source, span) => Some(line_at(&source.text, span.start)),
        Place::Line { line, .. } => Some(*line),
        Place::File(_) => None,
    }
}

/// The name in `known` that was most likely meant by `found`, if one is near enough to suggest.
#[must_use]
pub fn nearest<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(found, name), name))
        .filter(|(distance, name)| *distance <= 1 + found.len().max(name.len()) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests;
