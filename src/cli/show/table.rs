//! Columns: as wide as what is in them, with colours that take no room.

use crate::cli::style::{Paint, Tone};

/// What stands in a column of a row.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// In a colour.
    pub(in crate::cli) fn of(tone: Tone, text: impl Into<String>) -> Self {
        Self { text: super::clean(&text.into()), tone }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::of(Tone::Plain, text)
    }
}

/// Where the text of a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Align {
    Left,
    Right,
}

/// Rows of cells, and lines between them that keep to no column.
#[derive(Debug)]
pub(in crate::cli) struct Table {
    aligns: Vec<Align>,
    rows: Vec<Row>,
}

#[derive(Debug)]
enum Row {
    Cells(Vec<Cell>),
    Line(String),
}

impl Table {
    /// With these columns.
    pub(in crate::cli) fn new(aligns: &[Align]) -> Self {
        Self { aligns: aligns.to_vec(), rows: Vec::new() }
    }

    /// One more row; cells that are missing at its end are empty.
    pub(in crate::cli) fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.rows.push(Row::Cells(cells.into()));
    }

    /// The heads of the columns.
    pub(in crate::cli) fn heads<const N: usize>(&mut self, heads: [&str; N]) {
        self.row(heads.map(|head| Cell::of(Tone::Faint, head)));
    }

    /// A line as it is.
    pub(in crate::cli) fn line(&mut self, text: impl Into<String>) {
        self.rows.push(Row::Line(text.into()));
    }

    /// The text, each line indented by two.
    pub(in crate::cli) fn render(&self, paint: Paint) -> String {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| match row {
                Row::Cells(cells) => cells.get(column),
                Row::Line(_) => None,
            });
            cells.map(|cell| cell.text.chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..self.aligns.len()).map(width).collect();
        let mut out = String::new();
        for row in &self.rows {
            match row {
                Row::Line(text) => out += text,
                Row::Cells(cells) => out += &self.cells(cells, &widths, paint),
            }
            out.push('\n');
        }
        out
    }

    fn cells(&self, cells: &[Cell], widths: &[usize], paint: Paint) -> String {
        let last = cells.iter().rposition(|cell| !cell.text.is_empty()).unwrap_or_default();
        let mut line = String::from("  ");
        for (at, ((cell, width), align)) in cells.iter().zip(widths).zip(&self.aligns).enumerate() {
            let padding = " ".repeat(width.saturating_sub(cell.text.chars().count()));
            let text = paint.tone(cell.tone, &cell.text);
            match align {
                Align::Right => line += &format!("{padding}{text}"),
                Align::Left if at >= last => line += &text,
                Align::Left => line += &format!("{text}{padding}"),
            }
            if at >= last {
                break;
            }
            line += "  ";
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let mut table = Table::new(&[Align::Left, Align::Right, Align::Left]);
        table.heads(["region", "weight", "why"]);
        table.row(["us-east".into(), "70".into(), Cell::of(Tone::Bad, "down")]);
        table.line("    a line of its own");
        table.row(["ä".into(), "5".into(), "".into()]);
        let plain = "  region   weight  why\n  us-east      70  down\n    a line of its own\n  ä             5\n";
        assert_eq!(table.render(Paint::new(false)), plain);
        let painted = table.render(Paint::new(true));
        assert!(painted.contains("\x1b[31mdown\x1b[0m\n"), "{painted:?}");
        assert_eq!(anstrip(&painted), plain, "colours take no room");
    }

    fn anstrip(text: &str) -> String {
        let mut parts = text.split('\x1b');
        let first = parts.next().unwrap_or_default().to_string();
        parts.fold(first, |all, part| all + part.split_once('m').map_or("", |(_, rest)| rest))
    }
}
