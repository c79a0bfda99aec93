//! One table of the tree: it knows which of its keys somebody asked for, and refuses the others.

use std::cell::{Cell, RefCell};
use std::ops::Range;

use toml::de::DeTable;

use super::read::Incomplete;
use super::value::{Value, list_of};
use crate::problem::{Place, Problem, nearest};

/// A table that is being read.
pub(super) struct Table<'a> {
    at: Value<'a>,
    /// The dotted path, for problems; empty for the root.
    pub(super) path: String,
    /// The kind of table, for the test that compares reader and schema.
    kind: String,
    entries: &'a DeTable<'a>,
    asked: RefCell<Vec<&'static str>>,
    /// Keys that are refused already.
    refused: RefCell<Vec<String>>,
    /// Its other keys are not judged.
    tolerant: Cell<bool>,
}

impl<'a> Table<'a> {
    pub(super) fn new(at: Value<'a>, entries: &'a DeTable<'a>) -> Self {
        let (path, kind) = (at.path.clone(), at.kind.clone());
        let (asked, refused) = Default::default();
        Self { at, path, kind, entries, asked, refused, tolerant: Cell::new(false) }
    }

    /// Leaves its other keys alone: what they may be is not known.
    pub(super) fn tolerate(&self) {
        self.tolerant.set(true);
    }

    /// Where the table begins.
    pub(super) fn place(&self) -> Place {
        self.at.place()
    }

    /// Notes that something is missing without which cross-checks would say wrong things.
    pub(super) fn lost(&self, what: impl FnOnce(&mut Incomplete)) {
        self.at.cx.lost(what);
    }

    pub(super) fn report(&self, problem: Problem) {
        self.at.cx.report(problem);
    }

    /// The value of a key, if it is there.
    pub(super) fn get(&self, key: &'static str) -> Option<Value<'a>> {
        self.asked.borrow_mut().push(key);
        self.peek(key)
    }

    /// The same without accepting the key.
    pub(super) fn peek(&self, key: &str) -> Option<Value<'a>> {
        let (name, value) = self.entries.get_key_value(key)?;
        Some(self.value(name.get_ref(), value, key))
    }

    /// Puts the value of a key in the place of its default, if it is there and can be read.
    pub(super) fn set<T>(
        &self,
        key: &'static str,
        slot: &mut T,
        f: impl FnOnce(&Value<'a>) -> Option<T>,
    ) {
        if let Some(value) = self.get(key).and_then(|v| f(&v)) {
            *slot = value;
        }
    }

    /// Reads a key that may be absent.
    pub(super) fn optional<T>(
        &self,
        key: &'static str,
        f: impl FnOnce(&Value<'a>) -> Option<T>,
    ) -> Option<T> {
        self.get(key).and_then(|v| f(&v))
    }

    /// Reads a key that must be there.
    pub(super) fn required<T>(
        &self,
        key: &'static str,
        wanted: &str,
        f: impl FnOnce(&Value<'a>) -> Option<T>,
    ) -> Option<T> {
        match self.get(key) {
            Some(value) => f(&value),
            None => {
                self.missing(key, wanted);
                None
            }
        }
    }

    /// Reports that a key is missing, unless broken grammar in this table may have hidden it.
    pub(super) fn missing(&self, key: &str, wanted: &str) {
        let extent = self.extent();
        if self.at.cx.mended.mistakes.iter().any(|m| extent.contains(&m.span.start)) {
            return;
        }
        let place = match self.path.as_str() {
            "" => Place::File(self.at.cx.source.path.clone()),
            _ => self.place(),
        };
        self.report(Problem::error(place, self.join(key), "nothing", wanted));
    }

    /// From the table's header to the next header.
    fn extent(&self) -> Range<usize> {
        let Place::Span(source, span) = self.place() else { return 0..0 };
        let rest = source.text.get(span.end..).unwrap_or_default();
        span.start..rest.find("\n[").map_or(source.text.len(), |at| span.end + at) + 1
    }

    /// A key that belongs somewhere else: refused with the advice given.
    pub(super) fn misplaced(&self, key: &str, wanted: &str, hint: &str) -> bool {
        let Some((name, _)) = self.entries.get_key_value(key) else { return false };
        let place = self.at.cx.place(&name.span());
        let found = format!("the key \"{key}\"");
        self.report(Problem::error(place, self.join(key), found, wanted).hint(hint));
        self.refused.borrow_mut().push(key.into());
        true
    }

    /// All entries in the order of the file, for tables whose keys are names that the user chose:
    /// each with the place of its key.
    pub(super) fn named(&self) -> Vec<(&'a str, Place, Value<'a>)> {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        entries
            .into_iter()
            .map(|(name, value)| {
                let place = self.at.cx.place(&name.span());
                (name.get_ref().as_ref(), place, self.value(name.get_ref(), value, "*"))
            })
            .collect()
    }

    /// Refuses every key that nobody asked for.
    pub(super) fn finish(self) {
        let (asked, refused) = (self.asked.borrow(), self.refused.borrow());
        self.at.cx.known.borrow_mut().entry(self.kind.clone()).or_default().extend(asked.iter());
        let known = || asked.iter().copied();
        for (name, _) in self.entries {
            if self.tolerant.get() {
                break;
            }
            let key = name.get_ref().as_ref();
            if known().any(|k| k == key) || refused.iter().any(|k| k == key) {
                continue;
            }
            let mut sorted = asked.clone();
            sorted.sort_unstable();
            sorted.dedup();
            let problem = Problem::error(
                self.at.cx.place(&name.span()),
                self.join(key),
                format!("the key \"{key}\""),
                format!("one of {}", list_of(&sorted, "or")),
            );
            let near = nearest(key, known());
            self.report(match near {
                Some(near) => problem.hint(format!("did you mean \"{near}\"?")),
                None => problem,
            });
        }
    }

    fn value(
        &self,
        name: &str,
        value: &'a toml::Spanned<toml::de::DeValue<'a>>,
        kind: &str,
    ) -> Value<'a> {
        let mine = &self.kind;
        let kind = if mine.is_empty() { kind.into() } else { format!("{mine}.{kind}") };
        let path = self.join(name);
        Value { cx: self.at.cx, path, kind, span: value.span(), tree: value.get_ref() }
    }

    /// The dotted path of one of its keys.
    pub(super) fn join(&self, key: &str) -> String {
        let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let key = match !key.is_empty() && key.chars().all(bare) {
            true => key.to_owned(),
            false => format!("{key:?}"),
        };
        if self.path.is_empty() { key } else { format!("{}.{key}", self.path) }
    }
}
