//! What has got worse and not better since: kept so that it can be said again, and ended where control
//! says nothing of an end.
//!
//! It does not where thousands of targets change at once, of which it tells the first, and where a
//! reload takes away what was down. So what is open is compared now and then with what is seen.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::sight::Sight;
use crate::config::Topic;
use crate::webhook::{Message, Turn};

/// So many are kept at most.
const KEPT: usize = 5000;

/// What has got worse and not better since.
#[derive(Debug, Default)]
pub(super) struct Open(BTreeMap<(Option<Topic>, String), Held>);

#[derive(Debug)]
struct Held {
    began: Arc<Message>,
    /// It was not seen the last time.
    doubted: bool,
}

impl Open {
    /// Takes a message for what it is; whether it changed anything.
    pub(super) fn note(&mut self, message: &Arc<Message>) -> bool {
        let (topic, about) = message.key();
        let key = (topic, about.to_owned());
        match message.turn {
            Turn::Neither => false,
            Turn::Better => self.0.remove(&key).is_some(),
            Turn::Worse => {
                if let Some(held) = self.0.get_mut(&key) {
                    held.doubted = false;
                    return false;
                }
                let fits = self.0.len() < KEPT;
                if fits {
                    self.0.insert(key, Held { began: Arc::clone(message), doubted: false });
                }
                fits
            }
        }
    }

    /// Removes what is not to be seen, and gives it: `patient`, once it was not to be seen twice, for an
    /// event may be on its way.
    pub(super) fn compare(&mut self, sight: &Sight, patient: bool) -> Vec<Arc<Message>> {
        let mut over = Vec::new();
        self.0.retain(|_, held| {
            let was = std::mem::replace(&mut held.doubted, !sight.shows(&held.began));
            let stays = !held.doubted || (patient && !was);
            if !stays {
                over.push(Arc::clone(&held.began));
            }
            stays
        });
        over
    }

    /// Whether something may have ended without an event.
    pub(super) fn is_doubted(&self) -> bool {
        self.0.values().any(|held| held.doubted)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of it.
    pub(super) fn all(&self) -> Vec<Arc<Message>> {
        self.0.values().map(|held| Arc::clone(&held.began)).collect()
    }
}
