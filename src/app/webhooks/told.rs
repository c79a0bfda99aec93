//! What is told of an event, and what is not.

use serde_json::{Value, json};

use crate::clock;
use crate::config::Topic;
use crate::control::views::{self, EventKind, EventView, Turn};
use crate::webhook::{self, Message};

/// What an event is about; `None`: it is not told.
pub(super) const fn topic(event: &EventView) -> Option<Topic> {
    Some(match event.kind {
        EventKind::Transition => Topic::Transition,
        EventKind::AllDown => Topic::AllDown,
        // A replaced database says nothing of the configuration, which has somebody who loads it.
        EventKind::Reload if event.actor.is_none() => return None,
        EventKind::Reload => Topic::ReloadFailed,
        EventKind::Certificate => Topic::Certificate,
        EventKind::Damping => Topic::Damping,
        EventKind::SelfCheck => Topic::SelfCheck,
        EventKind::Ejection => Topic::Ejection,
        EventKind::Failback => Topic::Failback,
        EventKind::Lookup => Topic::Lookup,
        EventKind::Plan => Topic::Plan,
        EventKind::Command | EventKind::OverrideEnded => Topic::Override,
        EventKind::Started | EventKind::ClockSet => return None,
    })
}

/// An event as it is told.
pub(super) fn message(event: EventView) -> Option<Message> {
    let topic = topic(&event)?;
    let data = serde_json::to_value(&event).ok()?;
    Some(Message {
        id: event.id.to_string(),
        kind: data.get("kind").and_then(Value::as_str).unwrap_or_default().into(),
        topic: Some(topic),
        turn: match event.turn {
            Turn::Neither => webhook::Turn::Neither,
            Turn::Worse => webhook::Turn::Worse,
            Turn::Better => webhook::Turn::Better,
        },
        time: event.time,
        subject: event.subject,
        region: event.region,
        record: event.record,
        text: event.text,
        reason: event.reason,
        data,
    })
}

/// What ends something of whose end there was no event.
pub(super) fn ended(began: &Message) -> Message {
    let (_, about) = began.key();
    let text = match began.topic {
        Some(Topic::Transition) => format!("{about} is up again, or not probed any more"),
        Some(Topic::Plan) => format!("{about}: it was given up a while ago"),
        Some(Topic::AllDown) => format!("{about}: no longer all down, or not served any more"),
        _ => format!("{about} is not configured any more"),
    };
    let time = views::time(clock::wall());
    let mut data = began.data.clone();
    if let Some(data) = data.as_object_mut() {
        data.insert("turn".into(), json!("better"));
        data.insert("text".into(), text.as_str().into());
        data.insert("time".into(), time.as_str().into());
    }
    let id = format!("{}-ended", began.id);
    Message { id, time, text, data, turn: webhook::Turn::Better, reason: None, ..began.clone() }
}

/// What is told to try a webhook; each has an id of its own.
#[must_use]
pub fn trial() -> Message {
    let time = views::time(clock::wall());
    let text = "this is a test of the webhook: nothing has happened";
    let id = format!("test-{:016x}", fastrand::u64(..));
    let data = json!({
        "id": 0, "time": time, "kind": "test", "text": text, "turn": "neither",
        "subject": "a test",
    });
    Message {
        id,
        time,
        kind: "test".into(),
        topic: None,
        turn: webhook::Turn::Neither,
        subject: Some("a test".into()),
        region: None,
        record: None,
        text: text.into(),
        reason: None,
        data,
    }
}
