//! CloudEvents 1.0 in the JSON format, structured mode: an event a message.

use serde_json::json;

use super::message::Message;

pub(super) const CONTENT_TYPE: &str = "application/cloudevents+json; charset=utf-8";

/// What tells a message from those of all nameservers.
pub(super) fn id(instance: &str, message: &Message) -> String {
    format!("{instance}-{}", message.id)
}

/// The body.
pub(super) fn body(instance: &str, message: &Message) -> Vec<u8> {
    let mut event = json!({
        "specversion": "1.0",
        "id": id(instance, message),
        "source": format!("/trimtab/{instance}"),
        "type": format!("io.trimtab.{}", message.kind),
        "time": message.time,
        "datacontenttype": "application/json",
        "data": message.data,
    });
    if let (Some(subject), Some(event)) = (&message.subject, event.as_object_mut()) {
        event.insert("subject".into(), subject.as_str().into());
    }
    event.to_string().into_bytes()
}
