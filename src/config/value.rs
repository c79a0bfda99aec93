//! Values of the tree, read into types: each reader reports what it cannot take and says what it
//! would take, and the reading goes on.

use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::DeValue;

use super::context::{Context, Spanned};
use super::table::Table;
use crate::problem::{Place, Problem};

/// One value of the tree.
#[derive(Clone)]
pub(super) struct Value<'a> {
    pub(super) cx: &'a Context<'a>,
    /// Its key as a dotted path, as a person would write it.
    pub(super) path: String,
    /// The same with `*` for names that the user chose: the kind of table.
    pub(super) kind: String,
    pub(super) span: Range<usize>,
    pub(super) tree: &'a DeValue<'a>,
}

impl<'a> Value<'a> {
    pub(super) fn place(&self) -> Place {
        self.cx.place(&self.span)
    }

    pub(super) fn with_place<T>(&self, value: T) -> Spanned<T> {
        Spanned { value, place: self.place() }
    }

    /// Reports that something else is wanted here.
    pub(super) fn refuse<T>(&self, wanted: impl Into<String>) -> Option<T> {
        self.cx.report(Problem::error(self.place(), &self.path, self.found(), wanted));
        None
    }

    /// The same with advice.
    pub(super) fn refuse_with<T>(
        &self,
        wanted: impl Into<String>,
        hint: impl Into<String>,
    ) -> Option<T> {
        let problem = Problem::error(self.place(), &self.path, self.found(), wanted).hint(hint);
        self.cx.report(problem);
        None
    }

    /// The value as it is told in a problem.
    pub(super) fn found(&self) -> String {
        match self.tree {
            DeValue::Table(t) if t.is_empty() => "an empty table".into(),
            DeValue::Table(_) => "a table".into(),
            DeValue::Array(a) if a.is_empty() => "an empty list".into(),
            DeValue::Array(_) => "a list".into(),
            DeValue::String(text) => shorten(&format!("{text:?}")),
            DeValue::Integer(n) => n.to_string(),
            DeValue::Float(n) => n.as_str().into(),
            DeValue::Boolean(b) => b.to_string(),
            DeValue::Datetime(d) => format!("the date {d}"),
        }
    }

    pub(super) fn text(&self) -> Option<&'a str> {
        self.tree.as_str()
    }

    pub(super) fn string(&self, wanted: &str) -> Option<String> {
        self.text().map(Into::into).or_else(|| self.refuse(wanted))
    }

    /// A text that `f` can make something of.
    pub(super) fn parsed<T>(&self, wanted: &str, f: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        self.text().and_then(f).or_else(|| self.refuse(wanted))
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        self.tree.as_bool().or_else(|| self.refuse("true or false"))
    }

    pub(super) fn as_integer(&self) -> Option<i64> {
        let number = self.tree.as_integer()?;
        i64::from_str_radix(number.as_str(), number.radix()).ok()
    }

    pub(super) fn integer<T: TryFrom<i64>>(&self, range: RangeInclusive<i64>) -> Option<T> {
        let number = self.as_integer().filter(|n| range.contains(n));
        number.and_then(|n| T::try_from(n).ok()).or_else(|| {
            self.refuse(format!("a whole number from {} to {}", range.start(), range.end()))
        })
    }

    /// A number, whole or not.
    pub(super) fn number(&self, range: RangeInclusive<f64>, wanted: &str) -> Option<f64> {
        let float = self.tree.as_float().and_then(|n| n.as_str().parse::<f64>().ok());
        #[expect(clippy::cast_precision_loss, reason = "such numbers are measured, not counted")]
        let number = float.or_else(|| self.as_integer().map(|n| n as f64));
        number.filter(|n| range.contains(n)).or_else(|| self.refuse(wanted))
    }

    pub(super) fn duration(&self, range: RangeInclusive<Duration>) -> Option<Duration> {
        let show = humantime::format_duration;
        let wanted = format!("a duration from {} to {}", show(*range.start()), show(*range.end()));
        if let Some(n) = self.as_integer() {
            return self.refuse_with(wanted, format!("write the unit: \"{n}s\" or \"{n}ms\""));
        }
        self.parsed(&wanted, |text| {
            humantime::parse_duration(text).ok().filter(|d| range.contains(d))
        })
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let wanted = || quoted(words);
        let Some(text) = self.text() else { return self.refuse(wanted()) };
        if let Some((_, value)) = words.iter().find(|(name, _)| *name == text) {
            return Some(*value);
        }
        match crate::problem::nearest(text, words.iter().map(|(name, _)| *name)) {
            Some(near) => self.refuse_with(wanted(), format!("did you mean \"{near}\"?")),
            None => self.refuse(wanted()),
        }
    }

    /// A file or directory, relative to the directory of the configuration.
    pub(super) fn file(&self) -> Option<PathBuf> {
        let base = self.cx.source.path.parent().unwrap_or(Path::new(""));
        self.parsed("a path", |text| (!text.is_empty()).then(|| base.join(text)))
    }

    /// A list; elements that cannot be read are reported and left out.
    pub(super) fn list<T>(
        &self,
        wanted: &str,
        f: impl Fn(&Value<'a>) -> Option<T>,
    ) -> Option<Vec<T>> {
        match self.tree.as_array() {
            Some(_) => Some(self.elements().iter().filter_map(f).collect()),
            None if self.text().is_some() => {
                self.refuse_with(wanted, format!("put it in brackets: [{}]", self.found()))
            }
            None => self.refuse(wanted),
        }
    }

    /// The elements of a list; of anything else: itself.
    pub(super) fn elements(&self) -> Vec<Value<'a>> {
        match self.tree {
            DeValue::Array(elements) => elements
                .iter()
                .map(|e| Value { span: e.span(), tree: e.get_ref(), ..self.clone() })
                .collect(),
            _ => vec![self.clone()],
        }
    }

    /// The entries of a table whose keys are names that the user chose, in the order of the file:
    /// each with the place of its key.
    pub(super) fn entries(&self, wanted: &str) -> Option<Vec<(&'a str, Place, Value<'a>)>> {
        match self.tree.as_table() {
            Some(entries) => Some(Table::new(self.clone(), entries).named()),
            None => self.refuse(wanted),
        }
    }

    /// Reads a table and refuses every key that `f` did not ask for.
    pub(super) fn table<T>(&self, f: impl FnOnce(&Table<'a>) -> T) -> Option<T> {
        let Some(entries) = self.tree.as_table() else { return self.refuse("a table") };
        let table = Table::new(self.clone(), entries);
        let read = f(&table);
        table.finish();
        Some(read)
    }
}

/// `"a", "b" or "c"`.
fn quoted<T>(words: &[(&str, T)]) -> String {
    let words: Vec<_> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
    list_of(&words, "or")
}

/// `a, b or c`.
pub(super) fn list_of<T: AsRef<str>>(names: &[T], last: &str) -> String {
    match names {
        [] => "nothing".into(),
        [one] => one.as_ref().into(),
        [most @ .., end] => {
            let most: Vec<_> = most.iter().map(AsRef::as_ref).collect();
            format!("{} {last} {}", most.join(", "), end.as_ref())
        }
    }
}

fn shorten(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…\"", &text[..at]),
        None => text.into(),
    }
}
