//! A text for a chat, as Slack takes it, and what is compatible with it.

use serde_json::json;

use super::lines;
use super::message::{Message, Turn};

pub(super) const CONTENT_TYPE: &str = "application/json; charset=utf-8";

/// How many events at most become one post.
pub(super) const MOST: usize = 20;
/// The longest line, in characters: 20 of them are far from the 40,000 at which Slack cuts a text off.
const LONGEST: usize = 1000;

/// The body: a line an event.
pub(super) fn body<'a>(instance: &str, messages: impl IntoIterator<Item = &'a Message>) -> Vec<u8> {
    let line = |message: &Message| {
        let sign = match message.turn {
            Turn::Worse => "🔴",
            Turn::Better => "🟢",
            Turn::Neither => "⚪",
        };
        let text = lines::one(&format!("{instance}: {}", message.text), LONGEST);
        format!("{sign} {}", escaped(&text))
    };
    let text: Vec<String> = messages.into_iter().map(line).collect();
    json!({ "text": text.join("\n") }).to_string().into_bytes()
}

/// Three characters would begin a link, a mention or an entity.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
