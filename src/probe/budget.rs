//! How many probes all targets together may make beyond the ordinary ones: what is in doubt is probed
//! faster, and the cost must not grow without bound when everything is in doubt at once.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The time for which the budget is.
const SECOND: Duration = Duration::from_secs(1);

/// So many grants in any second, and no more.
#[derive(Debug)]
pub(super) struct Budget(Mutex<Granted>);

#[derive(Debug)]
struct Granted {
    most: usize,
    /// Those of the last second, the oldest first.
    recent: VecDeque<Instant>,
}

impl Budget {
    pub(super) fn new(most: u32) -> Self {
        let budget = Self(Mutex::new(Granted { most: 0, recent: VecDeque::new() }));
        budget.resize(most);
        budget
    }

    /// Makes it so many a second.
    pub(super) fn resize(&self, most: u32) {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).most = most;
    }

    /// Whether one more probe may be made; if so, it counts.
    pub(super) fn grant(&self, now: Instant) -> bool {
        let mut granted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let old = |at: &Instant| now.saturating_duration_since(*at) >= SECOND;
        while granted.recent.front().is_some_and(old) {
            granted.recent.pop_front();
        }
        let room = granted.recent.len() < granted.most;
        if room {
            granted.recent.push_back(now);
        }
        room
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn no_second_has_more() {
        let (start, budget) = (clock::now(), Budget::new(3));
        let at = |ms| budget.grant(start + Duration::from_millis(ms));
        let granted = [0, 0, 500, 600, 999, 1000, 1001, 1002, 1499, 1500, 1501].map(at);
        assert_eq!(
            granted,
            [true, true, true, false, false, true, true, false, false, true, false]
        );
    }

    #[test]
    fn it_can_change_and_be_none() {
        let (start, budget) = (clock::now(), Budget::new(0));
        assert!(!budget.grant(start));
        budget.resize(2);
        assert_eq!([(); 3].map(|()| budget.grant(start)), [true, true, false]);
        budget.resize(1);
        assert!(!budget.grant(start));
        assert!(budget.grant(start + SECOND));
    }
}
