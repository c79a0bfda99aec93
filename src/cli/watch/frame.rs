//! What a screen shows: the status of each server, and beneath it the latest events.

use std::collections::VecDeque;

use crate::cli::client::Told;
use crate::cli::show;
use crate::cli::style::{Paint, Tone};
use crate::control::views::Status;

/// The lines of a screen, of which there are at most `height`. The newest event is the last line.
pub(super) fn frame(
    all: &[Told<Status>],
    events: &VecDeque<String>,
    height: usize,
    paint: Paint,
) -> Vec<String> {
    let mut lines = Vec::new();
    for told in all {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        let text = match &told.said {
            Ok(status) => show::status(&told.admin, status, paint),
            Err(trouble) => {
                let head = paint.tone(Tone::Error, &told.admin);
                format!("{head}: {}", show::trouble(trouble, paint))
            }
        };
        lines.extend(text.lines().map(Into::into));
    }
    lines.truncate(height);
    // A blank line, the heading, and one event at least.
    let room = (height - lines.len()).saturating_sub(2);
    if room > 0 && !events.is_empty() {
        lines.push(String::new());
        lines.push(paint.tone(Tone::Strong, "events"));
        let skipped = events.len().saturating_sub(room);
        lines.extend(events.iter().skip(skipped).cloned());
    }
    lines
}
