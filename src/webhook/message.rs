//! What is told: an event as plain data.

use serde_json::Value;

use crate::config::Topic;

/// An event that is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// What tells it from all others of this nameserver, and stays the same however often it is sent.
    pub id: String,
    /// When it was, in RFC 3339.
    pub time: String,
    /// Its kind, in the API's word: `all_down`.
    pub kind: String,
    /// What it is about; `None`: it is a test.
    pub topic: Option<Topic>,
    /// Whether something got worse or better.
    pub turn: Turn,
    /// What did, the same when it begins and when it ends.
    pub subject: Option<String>,
    /// The region that it is about.
    pub region: Option<String>,
    /// The record that it is about.
    pub record: Option<String>,
    /// It in a sentence.
    pub text: String,
    /// Why.
    pub reason: Option<String>,
    /// All of it, as the API has it.
    pub data: Value,
}

/// Whether something got worse or better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Neither.
    Neither,
    /// It begins to be as it should not.
    Worse,
    /// It is as it should be again.
    Better,
}

impl Message {
    /// What is common to the event that begins something and the one that ends it.
    #[must_use]
    pub fn key(&self) -> (Option<Topic>, &str) {
        let about = [&self.subject, &self.record, &self.region].into_iter().flatten().next();
        (self.topic, about.map_or("", String::as_str))
    }
}
