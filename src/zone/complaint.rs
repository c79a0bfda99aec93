//! Turns what the reader says about an entry into what a person needs to mend it.

use super::entries::{ENTRY_MAX, End};

/// A problem within an entry, before it is known which file it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    /// Lines below the entry's first.
    pub(super) line: usize,
    /// From 1.
    pub(super) column: usize,
    pub(super) found: String,
    pub(super) wanted: String,
    pub(super) hint: Option<String>,
}

/// What the reader said, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Lines below the entry's first.
    line: usize,
    /// From 1; behind the offending token or at its start.
    column: usize,
    message: String,
}

impl Refusal {
    /// Takes the reader's error apart (`LINE:COLUMN: message`); it has read `before` lines.
    pub(super) fn of(error: &str, before: usize) -> Self {
        let mut parts = error.splitn(3, ':');
        let mut number = || parts.next().and_then(|part| part.parse::<usize>().ok());
        let (line, column) = (number().unwrap_or(1), number().unwrap_or(1));
        let message = parts.next().unwrap_or(error).trim().to_owned();
        Self { line: line.saturating_sub(before + 1), column, message }
    }
}

/// What to say of a refused entry.
pub(super) fn of(text: &[u8], refusal: &Refusal) -> Complaint {
    let (line, column, token) = locate(text, refusal);
    let token =
        token.map_or_else(|| "the end of the line".to_owned(), |token| format!("`{token}`"));
    let message = refusal.message.split(':').next().unwrap_or_default().trim();
    let (found, wanted, hint) = match message {
        "expected rtype" => (
            token,
            "a TTL, a class or a record type".to_owned(),
            Some("a type that has no name here is written TYPE and its number"),
        ),
        "unknown record type with concrete data" => (
            token,
            "data as `\\# LENGTH HEX` (RFC 3597)".to_owned(),
            Some("this type is served, but its text form is not known"),
        ),
        "unexpected end of entry" | "short buffer" => {
            (token, "more data for this type".to_owned(), None)
        }
        "trailing tokens" => {
            (token, "the end of the record".to_owned(), Some("a text with blanks is put in quotes"))
        }
        "missing last owner" => (
            "a line that starts with a blank, and no name before it".to_owned(),
            "a name at the start of the line".to_owned(),
            None,
        ),
        "unbalanced parens" => {
            ("`)` without `(`".to_owned(), "parentheses in pairs".to_owned(), None)
        }
        "bad name" => (
            token,
            "a name: labels of 1 to 63 octets between dots, at most 255 octets in all".to_owned(),
            None,
        ),
        "bad charstr" => (token, "texts of at most 255 octets each".to_owned(), None),
        "bad symbol" => {
            (token, "printable ASCII; other octets are written \\DDD, in decimal".to_owned(), None)
        }
        _ => match message.strip_prefix("expected ") {
            Some(wanted) => {
                let article =
                    if wanted.starts_with(['a', 'e', 'i', 'o', 'u', 'I']) { "an" } else { "a" };
                (token, format!("{article} {wanted}"), None)
            }
            None => (
                format!("{token} ({})", refusal.message),
                "data that fit the type".to_owned(),
                None,
            ),
        },
    };
    Complaint { line, column, found, wanted, hint: hint.map(str::to_owned) }
}

/// What to say of two dots in a row.
pub(super) fn of_empty_label() -> Complaint {
    let found = "an empty label (`..`)".to_owned();
    let wanted = "names with something between their dots".to_owned();
    Complaint { line: 0, column: 1, found, wanted, hint: None }
}

/// What to say of an entry that does not end.
pub(super) fn of_end(end: End) -> Option<Complaint> {
    let (found, wanted) = match end {
        End::Whole => return None,
        End::OpenQuote => ("a quote that is not closed", "a quote closed on its line".to_owned()),
        End::QuoteInWord => {
            ("a quote within a word", "blanks before and behind a quoted text".to_owned())
        }
        End::OpenParenthesis => (
            "a parenthesis that is not closed",
            format!("it closed before the end, within {} KiB", ENTRY_MAX >> 10),
        ),
    };
    Some(Complaint { line: 0, column: 1, found: found.to_owned(), wanted, hint: None })
}

/// What to say of a `$TTL` that is wrong.
pub(super) fn of_ttl(text: &[u8]) -> Complaint {
    let found = format!("`{}`", first_line(text));
    let wanted = "$TTL and a time, as 3600 or 1h30m".to_owned();
    Complaint { line: 0, column: 1, found, wanted, hint: None }
}

/// What to say of a line that starts with `$` and is none of the known.
pub(super) fn of_directive(text: &[u8]) -> Complaint {
    let found = format!("`{}`", first_line(text));
    let hint = found.to_ascii_uppercase().starts_with("`$GENERATE");
    let hint = hint.then(|| "write the records out; a wildcard often does the same".to_owned());
    let wanted = "$ORIGIN, $TTL or $INCLUDE".to_owned();
    Complaint { line: 0, column: 1, found, wanted, hint }
}

fn first_line(text: &[u8]) -> String {
    let line = text.split(|&octet| octet == b'\n').next().unwrap_or_default();
    shorten(String::from_utf8_lossy(line).trim())
}

/// Line, column and text of the offending token; no text at a line's end.
fn locate(text: &[u8], refusal: &Refusal) -> (usize, usize, Option<String>) {
    let lines: Vec<&[u8]> = text.trim_ascii_end().split(|&octet| octet == b'\n').collect();
    let last = lines.len().saturating_sub(1);
    let line = lines.get(refusal.line.min(last)).copied().unwrap_or_default();
    let end = line.trim_ascii_end().len();
    if matches!(refusal.message.as_str(), "unexpected end of entry" | "short buffer") {
        return (last, lines.last().map_or(0, |l| l.trim_ascii_end().len()) + 1, None);
    }
    let is_part =
        |at: usize| line.get(at).is_some_and(|o| !o.is_ascii_whitespace() && !b"();".contains(o));
    // The reader stands in the token, right behind it, or, where it judges a whole name, at the
    // start of the next one.
    let is_past = refusal.line > last || refusal.message == "bad name";
    let mut at = if refusal.line > last { end } else { refusal.column.saturating_sub(1).min(end) };
    let is_start = is_part(at) && (at == 0 || !is_part(at - 1));
    if !is_part(at) || (is_past && is_start) {
        while at > 0 && !is_part(at - 1) {
            at -= 1;
        }
        at = at.saturating_sub(1);
    }
    let mut from = at;
    while from > 0 && is_part(from - 1) {
        from -= 1;
    }
    let to = (at..end).find(|&at| !is_part(at)).unwrap_or(end);
    let token = line.get(from..to).filter(|token| !token.is_empty());
    (refusal.line.min(last), from + 1, token.map(|token| shorten(&String::from_utf8_lossy(token))))
}

fn shorten(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
