//! Hooks as a whole: on paused time with a carrier of the test, and over real sockets.

mod bodies;
mod carrier;
mod changes;
mod repeating;
mod sockets;
mod timeline;

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::{Authorities, Hook, Message, Turn};
use crate::config::{Topic, WebhookFormat};

/// A hook with all at its default.
fn hook(name: &str, format: WebhookFormat) -> Hook {
    Hook {
        name: name.into(),
        instance: "ns1.example.net".into(),
        url: "http://ops.test/hook".parse().unwrap(),
        format,
        topics: Topic::ALL.map(|(_, topic)| topic).into(),
        secrets: Vec::new(),
        authorization: None,
        client: Authorities::None.client().unwrap(),
        timeout: Duration::from_secs(5),
        queue: 1000,
        retry_for: Duration::from_secs(3600),
        repeat: Duration::from_secs(60),
    }
}

/// A target that goes down or comes up.
fn transition(id: u64, turn: Turn) -> Arc<Message> {
    let word = if turn == Turn::Worse { "down" } else { "up" };
    let text = format!("127.0.1.2 is {word}: web: HTTP 503, wanted 200-299; <eu> & co.");
    let turn_word = if turn == Turn::Worse { "worse" } else { "better" };
    Arc::new(Message {
        id: id.to_string(),
        time: format!("2026-11-30T12:00:{id:02}Z"),
        kind: "transition".into(),
        topic: Some(Topic::Transition),
        turn,
        subject: Some("127.0.1.2: web".into()),
        region: Some("eu-west".into()),
        record: None,
        text: text.clone(),
        reason: Some("web: HTTP 503, wanted 200-299".into()),
        data: json!({ "id": id, "kind": "transition", "text": text, "turn": turn_word }),
    })
}

/// The same about another target.
fn about(subject: &str, message: &Message) -> Arc<Message> {
    Arc::new(Message { subject: Some(subject.into()), ..message.clone() })
}
