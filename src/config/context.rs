//! What the readers of one text share, and values that remember where they were written.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::ops::{Deref, Range, RangeInclusive};
use std::sync::Arc;

use super::read::{Incomplete, Known};
use super::syntax::Mended;
use crate::problem::{Place, Problem, Problems, Source};

/// A value with the place where it was written. Two are equal when their values are.
#[derive(Clone)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub place: Place,
}

impl<T: PartialEq> PartialEq for Spanned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Spanned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T> Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// What the readers of one text share.
pub(super) struct Context<'a> {
    pub(super) source: &'a Arc<Source>,
    pub(super) mended: &'a Mended,
    pub(super) problems: RefCell<Problems>,
    pub(super) incomplete: Cell<Incomplete>,
    /// Every key that some reader knows, by kind of table; a test holds the schema against it.
    pub(super) known: RefCell<Known>,
}

impl Context<'_> {
    pub(super) fn place(&self, span: &Range<usize>) -> Place {
        Place::Span(Arc::clone(self.source), self.mended.original(span))
    }

    /// Notes that something could not be read without which cross-checks would say wrong things.
    pub(super) fn lost(&self, what: impl FnOnce(&mut Incomplete)) {
        let mut incomplete = self.incomplete.get();
        what(&mut incomplete);
        self.incomplete.set(incomplete);
    }

    /// Reports a problem, unless the grammar of that very line is broken, which is said already.
    pub(super) fn report(&self, problem: Problem) {
        if let Place::Span(source, span) = &problem.place {
            let line = line_around(&source.text, span.start);
            if self.mended.mistakes.iter().any(|m| line.contains(&m.span.start)) {
                return;
            }
        }
        self.problems.borrow_mut().push(problem);
    }
}

/// From the start of the line that a position is in to its end, the end included.
fn line_around(text: &str, at: usize) -> RangeInclusive<usize> {
    let from = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let end = text.get(at..).and_then(|behind| behind.find('\n'));
    from..=end.map_or(text.len(), |end| at + end)
}
