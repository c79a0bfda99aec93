//! What waits for one hook, and when it is tried: no socket, no clock.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Things that wait, the oldest first; as many as there is room for.
#[derive(Debug)]
pub(super) struct Outbox<T> {
    waiting: VecDeque<(T, Instant)>,
    room: usize,
    /// So many of the first are being sent.
    sending: usize,
    /// In a row.
    failures: u32,
    /// Not before this, after a failure.
    not_before: Option<Instant>,
}

/// How to take what waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    /// So many at once.
    pub(super) most: usize,
    /// So long the first waits for company.
    pub(super) gather: Duration,
}

impl<T: Clone> Outbox<T> {
    /// With room for so many.
    pub(super) fn new(room: usize) -> Self {
        Self { waiting: VecDeque::new(), room, sending: 0, failures: 0, not_before: None }
    }

    /// Adds one. Where there is no room, the oldest that is not being sent goes; gives how many did.
    pub(super) fn push(&mut self, what: T, now: Instant) -> usize {
        self.waiting.push_back((what, now));
        self.shrink()
    }

    /// Has room for so many from here on; gives how many had to go.
    pub(super) fn set_room(&mut self, room: usize) -> usize {
        self.room = room;
        self.shrink()
    }

    fn shrink(&mut self) -> usize {
        let mut gone = 0;
        while self.waiting.len() > self.room.max(1).saturating_add(self.sending) {
            self.waiting.remove(self.sending);
            gone += 1;
        }
        gone
    }

    /// How many wait or are being sent.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// When there is something to send; `None`: nothing waits.
    pub(super) fn next(&self, manner: Manner) -> Option<Instant> {
        let (_, since) = self.waiting.front()?;
        let gathered = match self.waiting.len() >= manner.most {
            true => *since,
            false => *since + manner.gather,
        };
        Some(self.not_before.map_or(gathered, |not_before| not_before.max(gathered)))
    }

    /// Takes what is to be sent now, until [`Self::done`], [`Self::failed`] says what became of it.
    pub(super) fn take(&mut self, manner: Manner, now: Instant) -> Vec<T> {
        if self.next(manner).is_none_or(|next| next > now) {
            return Vec::new();
        }
        self.sending = self.waiting.len().min(manner.most);
        self.waiting.iter().take(self.sending).map(|(what, _)| what.clone()).collect()
    }

    /// What was taken is done with; gives how many that were.
    pub(super) fn done(&mut self) -> usize {
        let done = std::mem::take(&mut self.sending);
        self.waiting.drain(..done.min(self.waiting.len()));
        (self.failures, self.not_before) = (0, None);
        done
    }

    /// It failed, so many times in a row with this one.
    pub(super) fn count_failure(&mut self) -> u32 {
        self.failures = self.failures.saturating_add(1);
        self.failures
    }

    /// What was taken waits for so long, unless it has waited for long enough: gives how many are given
    /// up for that.
    pub(super) fn failed(&mut self, now: Instant, pause: Duration, longest: Duration) -> usize {
        (self.sending, self.not_before) = (0, Some(now + pause));
        let old = |since: &Instant| now.saturating_duration_since(*since) >= longest;
        let over = self.waiting.iter().take_while(|(_, since)| old(since)).count();
        self.waiting.drain(..over);
        over
    }

    /// Does not wait any longer than it has: things have changed.
    pub(super) fn hurry(&mut self) {
        self.not_before = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    const ONE: Manner = Manner { most: 1, gather: Duration::ZERO };
    const HOUR: Duration = Duration::from_secs(3600);

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn what_is_being_sent_is_not_pushed_out() {
        let now = clock::now();
        let mut outbox = Outbox::new(2);
        assert_eq!(outbox.push('a', now), 0);
        assert_eq!(outbox.take(ONE, now), ['a']);
        let gone: usize = "bcd".chars().map(|c| outbox.push(c, now)).sum();
        assert_eq!((gone, outbox.len()), (1, 3), "b, the oldest that waits");
        assert_eq!(outbox.done(), 1);
        assert_eq!(outbox.take(ONE, now), ['c']);
        // It failed, so that it waits like all others.
        assert_eq!(outbox.failed(now, secs(1), HOUR), 0);
        assert_eq!(outbox.push('e', now), 1);
        assert_eq!(outbox.take(ONE, now), [' '; 0], "not yet");
        assert_eq!(outbox.next(ONE), Some(now + secs(1)));
        assert_eq!(outbox.take(ONE, now + secs(1)), ['d']);
        assert_eq!(outbox.set_room(1), 0, "one being sent, one waiting");
        outbox.done();
        outbox.push('f', now);
        assert_eq!(outbox.len(), 1);
    }

    #[test]
    fn what_comes_together_goes_together() {
        let many = Manner { most: 3, gather: secs(1) };
        let (mut outbox, now) = (Outbox::new(9), clock::now());
        assert_eq!(outbox.next(many), None);
        outbox.push('a', now);
        outbox.push('b', now + secs(1) / 2);
        assert_eq!(outbox.next(many), Some(now + secs(1)));
        assert_eq!(outbox.take(many, now + secs(1)), ['a', 'b']);
        outbox.done();
        let gone: usize = "cdef".chars().map(|c| outbox.push(c, now)).sum();
        assert_eq!(gone, 0);
        assert_eq!(outbox.take(many, now), ['c', 'd', 'e'], "enough for one");
    }

    #[test]
    fn what_is_too_old_is_given_up_after_a_failure() {
        let (mut outbox, now) = (Outbox::new(9), clock::now());
        outbox.push('a', now);
        outbox.push('b', now + secs(5));
        outbox.push('c', now + secs(20));
        outbox.take(ONE, now);
        assert_eq!(outbox.failed(now + secs(9), secs(1), secs(10)), 0);
        outbox.take(ONE, now + secs(10));
        assert_eq!(outbox.failed(now + secs(16), secs(1), secs(10)), 2);
        assert_eq!(outbox.take(ONE, now + secs(20)), ['c']);
    }
}
