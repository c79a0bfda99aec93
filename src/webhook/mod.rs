//! Webhooks: events are told over HTTP, in three formats, to whom the configuration names.
//!
//! [`Hooks`] is handed each event as a [`Message`], and never waits: each hook has a bounded queue and a
//! task of its own, so that one that is slow, or hangs, holds up nobody. What is sent when is decided in
//! `outbox` and `alarms`, which know neither sockets nor the time; what an answer means in `answer`. What
//! has happened, and what of it still holds, is for the caller to know.

mod alarms;
mod answer;
mod chat;
mod cloudevents;
mod hook;
mod hooks;
mod http;
mod lines;
mod message;
mod outbox;
mod signature;
mod task;
#[cfg(test)]
mod tests;

pub use answer::{Answer, Outcome, Reply};
pub use hook::{Authorities, Hook, NoTls, Request};
pub use hooks::Hooks;
pub use http::{Carrier, Http};
pub use message::{Message, Turn};
pub use signature::Secret;
