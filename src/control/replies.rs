//! What was answered under an idempotency key, so that a command that comes twice is done once: also
//! after a restart, for a client that never heard of the first time.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::command::{Command, Done};
use crate::model::Digest;

/// How many are kept.
const KEPT: usize = 1000;

/// What was answered under a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The digest of the command, all but its key.
    pub command: u64,
    /// The order in which they came.
    pub number: u64,
    /// The answer.
    pub done: Done,
}

/// The last answers.
#[derive(Debug, Default)]
pub(super) struct Replies {
    by_key: HashMap<String, Reply>,
    order: VecDeque<String>,
    next: u64,
}

impl Replies {
    /// Those of an earlier process.
    #[must_use]
    pub(super) fn new(kept: HashMap<String, Reply>) -> Self {
        let mut order: Vec<(u64, String)> =
            kept.iter().map(|(key, reply)| (reply.number, key.clone())).collect();
        order.sort_unstable();
        let next = order.last().map_or(0, |(number, _)| number.saturating_add(1));
        Self { by_key: kept, order: order.into_iter().map(|(_, key)| key).collect(), next }
    }

    /// What was answered under a key.
    pub(super) fn get(&self, key: &str) -> Option<&Reply> {
        self.by_key.get(key)
    }

    /// The next reply, and the key that will not be kept any more by it.
    pub(super) fn next(&self, command: u64, done: &Done) -> (Reply, Option<String>) {
        let full = self.order.len() >= KEPT;
        let dropped = if full { self.order.front().cloned() } else { None };
        (Reply { command, number: self.next, done: done.clone() }, dropped)
    }

    /// Keeps the next reply under a key.
    pub(super) fn keep(&mut self, key: &str, command: u64, done: &Done) {
        let (reply, dropped) = self.next(command, done);
        self.next = self.next.saturating_add(1);
        if let Some(dropped) = dropped {
            self.order.pop_front();
            self.by_key.remove(&dropped);
        }
        self.by_key.insert(key.into(), reply);
        self.order.push_back(key.into());
    }
}

/// What makes two commands the same, beside their key. It is stored, so it must not change from one
/// version of the program to the next without good cause.
pub(super) fn digest(command: &Command) -> u64 {
    let Command { action, actor, reason, force, dry_run, key: _ } = command;
    let text = format!("{action:?} {:?} {reason:?} {force} {dry_run}", actor.name);
    Digest::new().text(&text).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_first() {
        let done = Done {
            generation: 1,
            dry_run: false,
            repeated: false,
            overrides: Vec::new(),
            plan: None,
            changes: Vec::new(),
            records_changed: 0,
            warnings: Vec::new(),
        };
        let mut replies = Replies::default();
        let mut dropped = Vec::new();
        for n in 0..KEPT + 2 {
            dropped.extend(replies.next(7, &done).1);
            replies.keep(&format!("k{n}"), 7, &done);
        }
        assert_eq!(dropped, ["k0", "k1"]);
        assert!(replies.get("k1").is_none() && replies.get("k2").is_some());
        // After a restart, in the same order.
        let again = Replies::new(replies.by_key.clone());
        assert_eq!(again.next(7, &done).1.as_deref(), Some("k2"));
    }
}
