//! Cuts a master file into entries, so that it is streamed and one bad entry does not end it.
//!
//! An entry is a line, or several when a parenthesis is open at a line's end (RFC 1035 section
//! 5.1). What is in an entry is the business of the reader.

use std::io::{self, BufRead};

/// The entries of a master file, one after the other.
pub(super) struct Entries<R> {
    input: R,
    /// Lines read so far.
    lines: usize,
    text: Vec<u8>,
}

/// The text of one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    /// The number of its first line, from 1.
    pub(super) line: usize,
    /// All of its lines, each with its newline, comments included.
    pub(super) text: &'a [u8],
    /// Whether it is whole.
    pub(super) end: End,
}

/// How an entry ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// As it should.
    Whole,
    /// With a quoted string that runs past its line.
    OpenQuote,
    /// With a quote within a word, as `a"b`, which the reader cannot take.
    QuoteInWord,
    /// With a parenthesis that is open at the end of the file, or for more than [`ENTRY_MAX`].
    OpenParenthesis,
}

impl Entry<'_> {
    /// Whether there are two dots in a row outside of quotes, comments and escapes, which the
    /// reader would let pass.
    pub(super) fn has_empty_label(self) -> bool {
        let (mut quoted, mut comment, mut dots) = (false, false, 0);
        let mut octets = self.text.iter();
        while let Some(&octet) = octets.next() {
            dots = if octet == b'.' && !quoted && !comment { dots + 1 } else { 0 };
            match octet {
                b'\n' => comment = false,
                _ if comment => {}
                b'\\' => {
                    octets.next();
                }
                b'"' => quoted = !quoted,
                b';' if !quoted => comment = true,
                _ if dots > 1 => return true,
                _ => {}
            }
        }
        false
    }
}

/// No entry is longer; the longest record has 65535 octets of data.
pub(super) const ENTRY_MAX: usize = 1 << 20;

impl<R: BufRead> Entries<R> {
    pub(super) const fn new(input: R) -> Self {
        Self { input, lines: 0, text: Vec::new() }
    }

    /// The next entry; lines that are blank or hold only a comment are passed over.
    pub(super) fn next(&mut self) -> io::Result<Option<Entry<'_>>> {
        self.text.clear();
        let mut state = State::default();
        let mut line = self.lines + 1;
        let end = loop {
            let from = self.text.len();
            if self.input.read_until(b'\n', &mut self.text)? == 0 {
                break if state.depth > 0 { End::OpenParenthesis } else { End::Whole };
            }
            if self.text.last() != Some(&b'\n') {
                self.text.push(b'\n');
            }
            self.lines += 1;
            if self.lines == 1 && self.text.starts_with(b"\xef\xbb\xbf") {
                self.text.drain(..3); // what some editors put before UTF-8
            }
            state.read(self.text.get(from..).unwrap_or_default());
            if state.quoted {
                break End::OpenQuote;
            }
            if state.glued {
                break End::QuoteInWord;
            }
            if state.depth > 0 && self.text.len() > ENTRY_MAX {
                break End::OpenParenthesis;
            }
            if state.depth == 0 {
                if state.seen {
                    break End::Whole;
                }
                self.text.clear();
                line = self.lines + 1;
            }
        };
        let is_end = self.text.is_empty();
        Ok((!is_end).then_some(Entry { line, text: &self.text, end }))
    }
}

/// What the lines of an entry so far leave open.
#[derive(Default)]
struct State {
    depth: usize,
    quoted: bool,
    /// Whether a quote began or ended within a word.
    glued: bool,
    /// Whether there was anything but blanks and comments.
    seen: bool,
}

impl State {
    fn read(&mut self, line: &[u8]) {
        let mut octets = line.iter();
        let mut before = b' ';
        while let Some(&octet) = octets.next() {
            let last = std::mem::replace(&mut before, octet);
            match octet {
                b'\\' => {
                    self.seen = true;
                    // The octet behind it stands for itself, unless it ends the line.
                    if octets.as_slice().first().is_some_and(|&next| next != b'\n') {
                        octets.next();
                    }
                }
                b'"' => {
                    let next = octets.as_slice().first().copied().unwrap_or(b' ');
                    // SVCB has `key="value"` (RFC 9460 section 2.1).
                    self.glued |=
                        if self.quoted { !is_gap(next) } else { !is_gap(last) && last != b'=' };
                    self.quoted = !self.quoted;
                    self.seen = true;
                }
                _ if self.quoted => {}
                b';' => return,
                b'(' => {
                    self.depth += 1;
                    self.seen = true;
                }
                b')' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.seen = true;
                }
                b' ' | b'\t' | b'\r' | b'\n' => {}
                _ => self.seen = true,
            }
        }
    }
}

/// Whether an octet may stand between two words.
const fn is_gap(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n' | b'(' | b')' | b';')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<(usize, String, End)> {
        let mut entries = Entries::new(text.as_bytes());
        let mut all = Vec::new();
        while let Some(entry) = entries.next().unwrap() {
            all.push((entry.line, String::from_utf8_lossy(entry.text).into_owned(), entry.end));
        }
        all
    }

    #[test]
    fn entries_are_cut_where_parentheses_close() {
        let text = "\u{feff}; first\n\na A 1 ; ( no\n  \nb SOA ( 1 ; )\n 2 )\n\tTXT \"(;\\\"\"\nc \\( \\\" A";
        assert_eq!(
            cut(text),
            [
                (3, "a A 1 ; ( no\n".into(), End::Whole),
                (5, "b SOA ( 1 ; )\n 2 )\n".into(), End::Whole),
                (7, "\tTXT \"(;\\\"\"\n".into(), End::Whole),
                (8, "c \\( \\\" A\n".into(), End::Whole),
            ]
        );
        assert_eq!(cut(""), []);
        assert_eq!(cut("; only\n\n"), []);
    }

    #[test]
    fn two_dots_are_an_empty_label() {
        for (text, is_empty) in [
            ("a..b", true),
            ("x NS a. ; ..\n ..", true),
            ("a.b. c.", false),
            ("a\\..b \"..\" ; ..", false),
        ] {
            let entry = Entry { line: 1, text: text.as_bytes(), end: End::Whole };
            assert_eq!(entry.has_empty_label(), is_empty, "{text}");
        }
    }

    #[test]
    fn what_is_left_open_is_said() {
        assert_eq!(
            cut("a TXT \"x\nb A 1\n"),
            [(1, "a TXT \"x\n".into(), End::OpenQuote), (2, "b A 1\n".into(), End::Whole)]
        );
        for (text, end) in [
            ("a TXT x\"y\"\n", End::QuoteInWord),
            ("a TXT \"x\"y\n", End::QuoteInWord),
            ("a TXT \"x\"\"y\"\n", End::QuoteInWord),
            ("a TXT (\"x\")\n", End::Whole),
            ("a HTTPS 1 . alpn=\"h2\";\n", End::Whole),
        ] {
            assert_eq!(cut(text)[0].2, end, "{text}");
        }
        assert_eq!(cut("a (\nb\n"), [(1, "a (\nb\n".into(), End::OpenParenthesis)]);
        let long = format!("a (\n{}", "x\n".repeat(ENTRY_MAX));
        assert_eq!(cut(&long)[0].2, End::OpenParenthesis);
    }
}
