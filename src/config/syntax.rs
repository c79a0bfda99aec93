//! From text to a tree of tables and values, however broken the text is.
//!
//! The `toml` crate recovers from most mistakes, but not from all: at a key without a value it
//! stops, and behind an unclosed header it takes keys for parts of that header. Such a line is
//! mended in a copy of the text and the copy is parsed, so that everything behind it is judged as
//! well. The mistake itself is reported all the same.

use std::ops::Range;

use toml::de::{DeTable, Error};

/// How often a text is mended before the rest of it is given up.
const MENDED_MAX: usize = 100;
/// More mistakes than this are not told.
const MISTAKES_MAX: usize = 1000;

/// One mistake against the grammar, at a range of the original text.
pub(super) struct Mistake {
    /// Where, in the original text.
    pub(super) span: Range<usize>,
    /// What is wrong, in the parser's words.
    pub(super) message: String,
}

/// A text that can be parsed to its end, and how it differs from the original.
pub(super) struct Mended {
    text: String,
    /// Positions in `text` of characters that the original does not have, ascending.
    inserted: Vec<usize>,
    /// What is wrong with the original.
    pub(super) mistakes: Vec<Mistake>,
}

impl Mended {
    /// Mends `original` as far as is needed to see all of it.
    pub(super) fn new(original: &str) -> Self {
        let mut mended = Self { text: original.into(), inserted: Vec::new(), mistakes: Vec::new() };
        for _ in 0..MENDED_MAX {
            let (_, errors) = DeTable::parse_recoverable(&mended.text);
            let Some((span, repair)) = errors.iter().find_map(|e| repair(&mended.text, e)) else {
                mended.note(&errors);
                return mended;
            };
            let fatal = errors.iter().filter(|e| e.span().as_ref() == Some(&span)).cloned();
            mended.note(&fatal.collect::<Vec<_>>());
            mended.apply(span.start, repair);
        }
        mended
    }

    /// The tree of the mended text.
    pub(super) fn tree(&self) -> DeTable<'_> {
        DeTable::parse_recoverable(&self.text).0.into_inner()
    }

    /// The range of the original that a range of the mended text stands for.
    pub(super) fn original(&self, span: &Range<usize>) -> Range<usize> {
        let back = |at: usize| at - self.inserted.iter().take_while(|&&i| i < at).count();
        back(span.start)..back(span.end)
    }

    fn note(&mut self, errors: &[Error]) {
        for error in errors {
            let span = self.original(&error.span().unwrap_or_default());
            let message = error.message().to_owned();
            if self.mistakes.len() >= MISTAKES_MAX {
                return;
            }
            // What follows from a mistake on the same spot says nothing new.
            if self.mistakes.iter().all(|m| m.span.start != span.start) {
                self.mistakes.push(Mistake { span, message });
            }
        }
    }

    fn apply(&mut self, at: usize, repair: Repair) {
        match repair {
            Repair::Insert(text) => {
                self.text.insert_str(at, text);
                for position in &mut self.inserted {
                    *position += if *position >= at { text.len() } else { 0 };
                }
                self.inserted.extend(at..at + text.len());
                self.inserted.sort_unstable();
            }
            Repair::Blank(line) => {
                let blank = " ".repeat(line.len());
                self.text.replace_range(line, &blank);
            }
        }
    }
}

/// A change that lets the parser go on.
enum Repair {
    /// The missing end of a header.
    Insert(&'static str),
    /// This range becomes blanks.
    Blank(Range<usize>),
}

fn repair(text: &str, error: &Error) -> Option<(Range<usize>, Repair)> {
    let span = error.span()?;
    let before = text.get(..span.start)?;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let end = text.get(span.start..)?.find('\n').map_or(text.len(), |at| span.start + at);
    let line = text.get(start..end)?;
    if error.message().starts_with("key with no value") {
        return (!line.trim().is_empty()).then_some((span, Repair::Blank(start..end)));
    }
    if error.message().starts_with("unclosed") && line.trim_start().starts_with('[') {
        let double = line.trim_start().starts_with("[[");
        let closer = match (double, line.trim_end().ends_with(']')) {
            (true, false) => "]]",
            _ => "]",
        };
        return Some((span, Repair::Insert(closer)));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of each key of the root that was found behind a mistake, at its original place.
    fn keys(original: &str) -> (Vec<String>, Vec<String>) {
        let mended = Mended::new(original);
        let tree = mended.tree();
        let mut spans: Vec<_> = tree.keys().map(|k| mended.original(&k.span())).collect();
        spans.sort_by_key(|s| s.start);
        let keys = spans.into_iter().map(|s| original[s].to_owned()).collect();
        let mistakes = mended.mistakes.iter();
        (keys, mistakes.map(|m| format!("{}: {}", m.span.start, m.message)).collect())
    }

    #[test]
    fn what_is_behind_a_mistake_is_read_at_its_place() {
        let (found, mistakes) = keys("[a\nx = 1\n[[b]\ny = 2\n[c]\nlost here\nz = 3\n[d\n[e]\n");
        assert_eq!(found, ["a", "b", "c", "d", "e"]);
        assert_eq!(mistakes.len(), 4, "{mistakes:?}");
        assert!(mistakes[0].starts_with("2: unclosed"), "{mistakes:?}");
    }

    #[test]
    fn a_good_text_stays_as_it_is() {
        let mended = Mended::new("a = 1\n[b]\nc = 2\n");
        assert!(mended.mistakes.is_empty());
        assert_eq!(mended.original(&(6..9)), 6..9);
    }

    #[test]
    fn a_text_of_mistakes_only_ends() {
        let mended = Mended::new(&"lost\n".repeat(1000));
        assert!(!mended.mistakes.is_empty());
        let mended = Mended::new(&"a = 1\n".repeat(2000));
        assert_eq!(mended.mistakes.len(), MISTAKES_MAX);
    }
}
