//! What has happened, a line each, and below it whose shares it changed.

use super::changes;
use super::times::{span, stamp};
use super::words::clean;
use crate::cli::style::{Paint, Tone};
use crate::control::views::{EventKind, EventView, Turn};

/// An event.
pub(in crate::cli) fn event(event: &EventView, paint: Paint) -> String {
    let text = clean(&event.text);
    let tone = match (event.kind, event.turn) {
        (EventKind::AllDown | EventKind::SelfCheck | EventKind::Ejection, _) => Tone::Bad,
        (EventKind::Transition, _) | (_, Turn::Worse) => Tone::Warn,
        _ => Tone::Plain,
    };
    // What the sentence has not said itself.
    let unsaid = |text_of: &Option<String>| {
        text_of.as_deref().map(clean).filter(|part| !part.is_empty() && !text.contains(part))
    };
    let mut more: Vec<String> = Vec::new();
    more.extend(unsaid(&event.actor).map(|actor| format!("by {actor}")));
    more.extend(unsaid(&event.reason));
    more.extend(event.lasted_secs.map(|secs| format!("after {}", span(secs))));
    let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join(", ")) };
    let head = paint.tone(Tone::Faint, &format!("{}  #{}", stamp(&event.time), event.id));
    let shares = changes::lines(&event.changes, event.records_changed, "    ");
    format!("{head}  {}{more}\n{shares}", paint.tone(tone, &text))
}
