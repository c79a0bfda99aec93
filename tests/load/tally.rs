//! What is counted as wrong.

use crate::load::messages::Answer;
use crate::load::tally::{Expected, Tally};
use crate::load::waiting::Asked;

#[test]
fn what_is_not_expected_is_wrong() {
    let expected = Expected { rcode: Some(0), answers: Some(1..=2) };
    let mut tally = Tally { expected, ..Tally::default() };
    let asked = Asked { due: 7, sent: 10, ..Asked::default() };
    for (rcode, answers, wrong) in [(0, 1, 0), (0, 2, 0), (3, 1, 1), (0, 0, 2), (0, 3, 3)] {
        tally.answer(Answer { rcode, truncated: false, answers }, asked, 12);
        assert_eq!(tally.wrong, wrong);
    }
    assert_eq!((tally.received, tally.rcodes[0], tally.rcodes[3]), (5, 4, 1));
    assert_eq!((tally.latency.mean(), tally.since_sent.mean()), (5.0, 2.0));
}

#[test]
fn nothing_is_wrong_when_nothing_is_expected() {
    let mut tally = Tally::default();
    tally.answer(Answer { rcode: 5, truncated: true, answers: 0 }, Asked::default(), 5);
    assert_eq!((tally.wrong, tally.truncated), (0, 1));
}
