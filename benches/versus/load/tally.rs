//! What was sent, and what came back.

use std::ops::RangeInclusive;

use super::histogram::Histogram;
use super::messages::Answer;
use super::rcode;
use super::waiting::Asked;

/// What answers must be like.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    pub(crate) rcode: Option<u8>,
    pub(crate) answers: Option<RangeInclusive<u16>>,
}

impl Expected {
    fn allows(&self, answer: Answer) -> bool {
        self.rcode.is_none_or(|rcode| rcode == answer.rcode)
            && self.answers.as_ref().is_none_or(|range| range.contains(&answer.answers))
    }
}

/// Counts of a run. Each query sent is received or lost in the end.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) expected: Expected,
    pub(crate) received: u64,
    pub(crate) lost: u64,
    /// Answers to the question that are not as expected, and to another question; the former are
    /// received as well.
    pub(crate) wrong: u64,
    pub(crate) truncated: u64,
    /// Answers behind the time limit, answers to what was answered, and what answers nothing.
    pub(crate) late: u64,
    pub(crate) duplicate: u64,
    pub(crate) stray: u64,
    pub(crate) rcodes: [u64; rcode::COUNT],
    /// From when a query was due to its answer, in nanoseconds.
    pub(crate) latency: Histogram,
    /// From when it was sent: what generators tell that do not know when it was due.
    pub(crate) since_sent: Histogram,
    /// How much later than it was due a query was sent at worst: the generator's own fault.
    pub(crate) behind: u64,
}

impl Tally {
    /// Counts an answer that came now to what was asked.
    pub(crate) fn answer(&mut self, answer: Answer, asked: Asked, now: u64) {
        self.received += 1;
        self.wrong += u64::from(!self.expected.allows(answer));
        self.truncated += u64::from(answer.truncated);
        self.rcodes[usize::from(answer.rcode)] += 1;
        self.latency.add(now.saturating_sub(asked.due));
        self.since_sent.add(now.saturating_sub(asked.sent));
    }
}
