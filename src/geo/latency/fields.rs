//! A line of the table, taken apart.

use std::ops::Range;

/// The columns, as the line that may come first has them.
const COLUMNS: [&str; 3] = ["client", "region", "rtt_ms"];

/// A field, with the place where it was written.
pub(super) struct Field<'a> {
    pub(super) text: &'a str,
    pub(super) span: Range<usize>,
}

/// The fields of a line that begins at `start` of its text.
pub(super) fn fields(line: &str, start: usize) -> Vec<Field<'_>> {
    let mut at = start;
    let fields = line.split(',').map(|whole| {
        let begin = at + (whole.len() - whole.trim_start().len());
        at += whole.len() + 1;
        let text = whole.trim();
        let span = begin..begin + text.len();
        let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        Field { text: inner.map_or(text, str::trim), span }
    });
    fields.collect()
}

/// Whether a line names the columns.
pub(super) fn is_header(fields: &[Field<'_>]) -> bool {
    let texts = fields.iter().map(|field| field.text.to_ascii_lowercase());
    texts.eq(COLUMNS)
}
