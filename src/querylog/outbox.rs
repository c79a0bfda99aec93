//! What is on its way to a sink: records as they will be written, and how far that has got.

use std::collections::VecDeque;

/// As much waits here before no more is taken from the queues, in octets.
const FULL: usize = 256 << 10;

/// Records in order. Positions count from the first octet that there ever was.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    octets: Vec<u8>,
    /// The position of the first of those octets.
    start: u64,
    /// How far they are written.
    written: u64,
    /// Up to where whole records are.
    whole: u64,
    /// Where the records end that are not written to their ends.
    ends: VecDeque<u64>,
}

impl Outbox {
    /// Adds what `write` appends as one record.
    pub(super) fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let done = (self.written - self.start) as usize;
        if done * 2 > self.octets.len() || done == self.octets.len() {
            self.octets.drain(..done);
            self.start = self.written;
        }
        let before = self.octets.len();
        write(&mut self.octets);
        if self.octets.len() > before {
            self.ends.push_back(self.start + self.octets.len() as u64);
        }
    }

    /// Whether it has enough for now.
    pub(super) fn is_full(&self) -> bool {
        self.rest().len() >= FULL
    }

    /// What is still to be written.
    pub(super) fn rest(&self) -> &[u8] {
        &self.octets[(self.written - self.start) as usize..]
    }

    /// How many records are not written to their ends.
    pub(super) fn records(&self) -> usize {
        self.ends.len()
    }

    /// So many octets more are written; returns how many records are by that.
    pub(super) fn advance(&mut self, octets: usize) -> u64 {
        self.written += octets as u64;
        let mut records = 0;
        while let Some(end) = self.ends.front().copied().filter(|end| *end <= self.written) {
            self.ends.pop_front();
            self.whole = end;
            records += 1;
        }
        records
    }

    /// Gives up a record that is written in part: what it was written to has gone. Tells whether
    /// there was one.
    pub(super) fn skip_torn(&mut self) -> bool {
        let torn = self.written > self.whole;
        if torn && let Some(end) = self.ends.pop_front() {
            (self.written, self.whole) = (end, end);
        }
        torn
    }

    /// Gives up all; tells how many records that are.
    pub(super) fn clear(&mut self) -> u64 {
        let lost = self.ends.len() as u64;
        *self = Self::default();
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(outbox: &mut Outbox, text: &str) {
        outbox.add(|to| to.extend_from_slice(text.as_bytes()));
    }

    #[test]
    fn records_are_counted_when_their_last_octet_is_written() {
        let mut outbox = Outbox::default();
        ["one\n", "two\n", "three\n"].into_iter().for_each(|text| add(&mut outbox, text));
        assert_eq!(outbox.advance(3), 0);
        assert_eq!(outbox.advance(6), 2);
        assert_eq!(outbox.rest(), b"hree\n");
        add(&mut outbox, "four\n");
        assert_eq!(outbox.rest(), b"hree\nfour\n");
        assert_eq!(outbox.advance(10), 2);
        assert_eq!((outbox.rest(), outbox.records()), (&b""[..], 0));
    }

    #[test]
    fn of_a_torn_record_nothing_more_is_written() {
        let mut outbox = Outbox::default();
        ["one\n", "two\n"].into_iter().for_each(|text| add(&mut outbox, text));
        assert!(!outbox.skip_torn(), "nothing is torn before it is begun");
        assert_eq!(outbox.advance(1), 0);
        assert!(outbox.skip_torn());
        assert_eq!(outbox.rest(), b"two\n");
        assert!(!outbox.skip_torn());
        assert_eq!(outbox.advance(4), 1);
        assert!(!outbox.skip_torn(), "nor is one that is whole");
        add(&mut outbox, "three\n");
        assert_eq!(outbox.clear(), 1);
        assert_eq!(outbox.rest(), b"");
    }

    #[test]
    fn it_is_full_by_what_is_not_written() {
        let mut outbox = Outbox::default();
        outbox.add(|to| to.resize(FULL, 0));
        assert!(outbox.is_full());
        outbox.advance(1);
        assert!(!outbox.is_full());
    }
}
