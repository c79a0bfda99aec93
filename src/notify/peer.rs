//! What one secondary has been told, and what it is to be told when: no socket, no clock.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::wire::{Name, is_newer, tsig};

use super::message::{Said, Sent};

/// How long an answer is waited for, before the message is sent once more or given up.
const WAIT_SECS: [u64; 6] = [1, 2, 4, 8, 16, 32];
/// How many messages may wait for an answer at once.
const WINDOW: usize = 32;

/// A secondary.
#[derive(Debug)]
pub(super) struct Peer {
    key: Option<Arc<tsig::Key>>,
    /// For each zone the last serial of which it was told or was not to be reached.
    told: HashMap<Name, u32>,
    /// The serials of which it is to be told as soon as there is room.
    news: BTreeMap<Name, u32>,
    /// What waits for an answer, and is sent again; never more than [`WINDOW`].
    sent: BTreeMap<Name, Waiting>,
    /// It did not answer when it was last told something.
    silent: bool,
    /// For each zone the code with which it refused.
    refused: HashMap<Name, u8>,
}

#[derive(Debug)]
struct Waiting {
    serial: u32,
    /// How often it was sent.
    tries: usize,
    message: Sent,
    until: Instant,
}

/// What came of telling a secondary of a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) zone: Name,
    pub(super) serial: u32,
    pub(super) result: Result,
    /// Whether the log should have it: it was otherwise before.
    pub(super) is_new: bool,
}

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Result {
    Answered,
    /// With a response code.
    Refused(u8),
    Unanswered,
}

impl Result {
    /// Its name in metrics.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused(_) => "refused",
            Self::Unanswered => "unanswered",
        }
    }
}

impl Peer {
    /// One that has been told nothing.
    pub(super) fn new(key: Option<Arc<tsig::Key>>) -> Self {
        let (told, news, sent, refused) = Default::default();
        Self { key, told, news, sent, silent: false, refused }
    }

    /// Takes over what zones there are. It is to be told of those that it does not know, and of
    /// serials that have grown.
    pub(super) fn plan(&mut self, zones: &[(Name, u32)]) {
        let serials: HashMap<&Name, u32> = zones.iter().map(|(name, at)| (name, *at)).collect();
        self.told.retain(|zone, _| serials.contains_key(zone));
        self.news.retain(|zone, _| serials.contains_key(zone));
        self.sent.retain(|zone, _| serials.contains_key(zone));
        self.refused.retain(|zone, _| serials.contains_key(zone));
        for (zone, serial) in zones {
            let sent = || self.sent.get(zone).map(|waiting| waiting.serial);
            let known = self.news.get(zone).copied().or_else(sent);
            let known = known.or_else(|| self.told.get(zone).copied());
            if known.is_none_or(|known| is_newer(*serial, known)) {
                self.sent.remove(zone);
                self.news.insert(zone.clone(), *serial);
            }
        }
    }

    /// What is to be sent now; `id` gives numbers that nobody can guess. `wall` is in seconds since
    /// 1970.
    pub(super) fn due(
        &mut self,
        now: Instant,
        wall: u64,
        mut id: impl FnMut() -> u16,
    ) -> Vec<Vec<u8>> {
        let over = |waiting: &Waiting| waiting.until <= now && waiting.tries < WAIT_SECS.len();
        let (again, sent) =
            std::mem::take(&mut self.sent).into_iter().partition(|(_, waiting)| over(waiting));
        self.sent = sent;
        // What is sent again keeps its room, so that nothing that is over waits for any.
        let again: BTreeMap<Name, Waiting> = again;
        let mut all: Vec<_> =
            again.into_iter().map(|(zone, was)| (zone, was.serial, was.tries)).collect();
        while self.sent.len() + all.len() < WINDOW
            && let Some((zone, serial)) = self.news.pop_first()
        {
            all.push((zone, serial, 0));
        }
        let send = |(zone, serial, tries)| {
            let wait = WAIT_SECS.get(tries)?;
            // Each its own, for an answer need not say what it answers.
            let id = loop {
                let id = id();
                if self.sent.values().all(|waiting| waiting.message.id != id) {
                    break id;
                }
            };
            let message = Sent::new(id, &zone, self.key.as_ref(), wall);
            let octets = message.octets.clone();
            let until = now + Duration::from_secs(*wait);
            self.sent.insert(zone, Waiting { serial, tries: tries + 1, message, until });
            Some(octets)
        };
        all.into_iter().filter_map(send).collect()
    }

    /// What was sent as often as it is, and not answered.
    pub(super) fn give_up(&mut self, now: Instant) -> Vec<Outcome> {
        let over = |waiting: &Waiting| waiting.tries == WAIT_SECS.len() && waiting.until <= now;
        let lost = self.sent.iter().filter(|(_, waiting)| over(waiting));
        let lost: Vec<Name> = lost.map(|(zone, _)| zone.clone()).collect();
        lost.into_iter().filter_map(|zone| self.done(zone, Result::Unanswered)).collect()
    }

    /// When there is something to do next.
    pub(super) fn next(&self, now: Instant) -> Option<Instant> {
        if self.sent.len() < WINDOW && !self.news.is_empty() {
            return Some(now);
        }
        self.sent.values().map(|waiting| waiting.until).min()
    }

    /// Takes a datagram for what it is; `None`: it answers nothing.
    pub(super) fn heard(&mut self, octets: &[u8], wall: u64) -> Option<Outcome> {
        let answer = |waiting: &Waiting| waiting.message.answer(octets, wall);
        let mut sent = self.sent.iter();
        let (zone, said) = sent.find_map(|(zone, waiting)| Some((zone, answer(waiting)?)))?;
        let result = match said {
            Said::Yes => Result::Answered,
            Said::No(rcode) => Result::Refused(rcode),
        };
        self.done(zone.clone(), result)
    }

    fn done(&mut self, zone: Name, result: Result) -> Option<Outcome> {
        let serial = self.sent.remove(&zone)?.serial;
        self.told.insert(zone.clone(), serial);
        let silent = result == Result::Unanswered;
        let mut is_new = std::mem::replace(&mut self.silent, silent) != silent;
        match result {
            Result::Refused(rcode) => {
                is_new |= self.refused.insert(zone.clone(), rcode) != Some(rcode);
            }
            Result::Answered => is_new |= self.refused.remove(&zone).is_some(),
            Result::Unanswered => {}
        }
        Some(Outcome { zone, serial, result, is_new })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    fn zones(list: &[(&str, u32)]) -> Vec<(Name, u32)> {
        list.iter().map(|(name, serial)| (Name::from_text(name).unwrap(), *serial)).collect()
    }

    fn ids() -> impl FnMut() -> u16 {
        let mut last = 0;
        move || {
            last += 1;
            last
        }
    }

    /// The answer to a message.
    fn answer(to: &[u8], rcode: u8) -> Vec<u8> {
        let mut octets = to.to_vec();
        octets[2] |= 0x80;
        octets[3] = rcode;
        octets
    }

    fn told(outcome: Option<Outcome>) -> (u32, Result, bool) {
        let outcome = outcome.expect("an outcome");
        (outcome.serial, outcome.result, outcome.is_new)
    }

    #[test]
    fn only_serials_that_have_grown_are_told() {
        let (mut peer, now, mut id) = (Peer::new(None), clock::now(), ids());
        assert_eq!(peer.next(now), None);
        peer.plan(&zones(&[("a", 5), ("b", 1)]));
        assert_eq!(peer.next(now), Some(now));
        let sent = peer.due(now, 0, &mut id);
        assert_eq!(sent.len(), 2);
        assert_eq!(told(peer.heard(&answer(&sent[0], 0), 0)), (5, Result::Answered, false));
        assert_eq!(told(peer.heard(&answer(&sent[1], 0), 0)), (1, Result::Answered, false));
        assert_eq!(peer.heard(&answer(&sent[1], 0), 0), None, "a second time");
        peer.plan(&zones(&[("a", 4), ("b", 1)]));
        assert_eq!((peer.due(now, 0, &mut id).len(), peer.next(now)), (0, None));
        peer.plan(&zones(&[("a", 6), ("b", 1), ("c", 9)]));
        assert_eq!(peer.due(now, 0, &mut id).len(), 2, "a has grown, c is new");
        peer.plan(&zones(&[("b", 1)]));
        assert_eq!(peer.next(now), None, "what is gone is not told of any more");
    }

    #[test]
    fn rfc1996_3_6_what_is_not_answered_is_sent_again_less_and_less_often() {
        let (mut peer, start, mut id) = (Peer::new(None), clock::now(), ids());
        peer.plan(&zones(&[("a", 5)]));
        let mut now = start;
        let mut at = Vec::new();
        let mut lost = Vec::new();
        while let Some(next) = peer.next(now) {
            now = next;
            lost.extend(peer.give_up(now));
            let sent = peer.due(now, 0, &mut id);
            at.extend(sent.iter().map(|_| (now - start).as_secs()));
        }
        assert_eq!(at, [0, 1, 3, 7, 15, 31]);
        assert_eq!((now - start).as_secs(), 63);
        assert_eq!(told(lost.pop()), (5, Result::Unanswered, true));
        peer.plan(&zones(&[("a", 5)]));
        assert_eq!(peer.next(now), None, "given up until the serial grows");
        peer.plan(&zones(&[("a", 6)]));
        let sent = peer.due(now, 0, &mut id);
        assert_eq!(told(peer.heard(&answer(&sent[0], 0), 0)), (6, Result::Answered, true));
    }

    #[test]
    fn a_refusal_is_told_once_for_each_zone() {
        let (mut peer, now, mut id) = (Peer::new(None), clock::now(), ids());
        for (serial, rcode, wanted) in [
            (1, 9, (1, Result::Refused(9), true)),
            (2, 9, (2, Result::Refused(9), false)),
            (3, 5, (3, Result::Refused(5), true)),
            (4, 0, (4, Result::Answered, true)),
            (5, 0, (5, Result::Answered, false)),
        ] {
            peer.plan(&zones(&[("a", serial)]));
            let sent = peer.due(now, 0, &mut id);
            assert_eq!(told(peer.heard(&answer(&sent[0], rcode), 0)), wanted);
        }
    }

    #[test]
    fn what_is_sent_again_does_not_wait_for_what_is_new() {
        let (mut peer, mut now, mut id) = (Peer::new(None), clock::now(), ids());
        let old: Vec<(Name, u32)> =
            (0..WINDOW).map(|n| (Name::from_text(&format!("z{n}")).unwrap(), 1)).collect();
        peer.plan(&old);
        assert_eq!(peer.due(now, 0, &mut id).len(), WINDOW);
        // Comes first in every order, and yet has to wait for room.
        let new = [&zones(&[("a", 1)])[..], &old].concat();
        peer.plan(&new);
        let mut sent = 0;
        while let Some(next) = peer.next(now) {
            assert!(next > now, "no turning round and round");
            now = next;
            peer.give_up(now);
            sent += peer.due(now, 0, &mut id).len();
        }
        assert_eq!(sent, WINDOW * (WAIT_SECS.len() - 1) + WAIT_SECS.len());
    }

    #[test]
    fn messages_that_wait_at_once_have_ids_of_their_own() {
        let (mut peer, now) = (Peer::new(None), clock::now());
        peer.plan(&zones(&[("a", 1), ("b", 2)]));
        let mut ids = [7, 7, 7, 8].into_iter();
        let sent = peer.due(now, 0, || ids.next().unwrap());
        assert_eq!(told(peer.heard(&answer(&sent[1], 9), 0)), (2, Result::Refused(9), true));
        assert_eq!(told(peer.heard(&answer(&sent[0], 0), 0)), (1, Result::Answered, false));
    }

    #[test]
    fn a_serial_that_grows_meanwhile_is_told_in_place_of_the_one_before() {
        let (mut peer, now, mut id) = (Peer::new(None), clock::now(), ids());
        peer.plan(&zones(&[("a", 1)]));
        let first = peer.due(now, 0, &mut id);
        peer.plan(&zones(&[("a", 2)]));
        assert_eq!(peer.heard(&answer(&first[0], 0), 0), None, "that was about another serial");
        let second = peer.due(now, 0, &mut id);
        assert_eq!(second.len(), 1);
        assert_eq!(told(peer.heard(&answer(&second[0], 0), 0)), (2, Result::Answered, false));
        assert_eq!(peer.next(now), None);
    }

    #[test]
    fn a_thousand_zones_are_told_a_few_at_a_time() {
        let (mut peer, now, mut id) = (Peer::new(None), clock::now(), ids());
        let all: Vec<(Name, u32)> =
            (0..1000).map(|n| (Name::from_text(&format!("z{n}")).unwrap(), 1)).collect();
        peer.plan(&all);
        let mut answered = 0;
        while peer.next(now).is_some() {
            let sent = peer.due(now, 0, &mut id);
            assert!(!sent.is_empty() && sent.len() <= WINDOW);
            assert!(peer.next(now).is_none_or(|next| next > now), "no turning round and round");
            for message in sent {
                answered += u32::from(peer.heard(&answer(&message, 0), 0).is_some());
            }
        }
        assert_eq!(answered, 1000);
    }
}
