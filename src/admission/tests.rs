//! The table against one that looks at everything, and what it means under attack.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests"
)]

use std::collections::HashMap;

use proptest::prelude::*;
use rstest::rstest;

use super::*;

const FEW: Places = Places { all: 6, per_client: 2 };

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Enters connections one a second, named after their order; returns those that had to go.
fn enter(places: Places, from: &[&str]) -> Vec<usize> {
    let mut table = Table::default();
    let enter = |(n, from): (usize, &&str)| table.enter(address(from), n as u64, places, n).1;
    from.iter().enumerate().filter_map(enter).map(|displaced| displaced.what).collect()
}

#[rstest]
#[case::the_first_of_a_client(&["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.1"], &[0, 1])]
#[case::neighbours_are_others(&["192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.2"], &[])]
#[case::a_64_is_one_client(&["2001:db8::1", "2001:db8::2", "2001:db8::ffff:3"], &[0])]
#[case::the_next_64_is_another(&["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"], &[])]
#[case::rfc6052_translated_is_ipv4(&["64:ff9b::192.0.2.1", "64:ff9b::192.0.2.2", "64:ff9b::192.0.2.3"], &[])]
#[case::mapped_is_ipv4(&["::ffff:192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1"], &[0])]
fn of_a_client_the_longest_idle_goes(#[case] from: &[&str], #[case] displaced: &[usize]) {
    assert_eq!(enter(FEW, from), displaced);
}

#[rstest]
#[case::where_all_have_one_the_longest_idle(
    &["192.0.2.1", "192.1.2.1", "192.2.2.1", "192.3.2.1", "192.4.2.1", "192.5.2.1", "192.6.2.1"],
    &[0],
)]
#[case::a_24_displaces_itself(
    &["192.0.2.1", "192.1.2.1", "192.9.9.1", "192.9.9.2", "192.9.9.3", "192.9.9.4", "192.9.9.5"],
    &[2],
)]
#[case::a_48_displaces_itself(
    &["192.0.2.1", "192.1.2.1", "2001:db8::1", "2001:db8:0:1::", "2001:db8:0:2::", "2001:db8:0:3::",
      "2001:db8:0:4::", "2001:db8:0:5::"],
    &[2, 3],
)]
#[case::a_newcomer_takes_from_who_has_most(
    &["192.0.2.1", "192.0.2.2", "192.9.9.1", "192.9.9.2", "192.9.9.3", "192.9.9.4", "192.7.7.7"],
    &[2],
)]
#[case::of_two_that_have_as_many_the_longest_idle(
    &["192.0.2.1", "192.9.9.1", "192.9.9.2", "192.9.9.3", "192.0.2.2", "192.0.2.3", "192.7.7.7"],
    &[0],
)]
fn of_all_the_network_that_has_most_gives(#[case] from: &[&str], #[case] displaced: &[usize]) {
    assert_eq!(enter(FEW, from), displaced);
}

#[test]
fn who_was_heard_of_stays() {
    let mut table = Table::default();
    let (first, _) = table.enter(address("192.0.2.1"), 0, FEW, "first");
    table.enter(address("192.0.2.1"), 1, FEW, "second");
    table.heard(first, 2);
    let displaced = table.enter(address("192.0.2.1"), 3, FEW, "third").1;
    assert_eq!(displaced, Some(Displaced { what: "second", why: Why::Client }));
    assert_eq!(table.leave(first), Some("first"));
    assert_eq!(table.leave(first), None, "it has gone");
    assert_eq!(table.enter(address("192.0.2.1"), 4, FEW, "fourth").1, None);
}

#[test]
fn however_many_come_from_one_network_the_others_keep_theirs() {
    let places = Places { all: 100, per_client: 64 };
    let mut table = Table::default();
    let polite: Vec<Id> = (0..20)
        .map(|n| table.enter(address(&format!("198.51.{n}.1")), 0, places, "polite").0)
        .collect();
    for n in 0..100_000_u64 {
        // All addresses of a network, each of which has far fewer than it might.
        let from = address(&format!("192.0.2.{}", n % 256));
        let displaced = table.enter(from, n, places, "hostile").1;
        assert_eq!(displaced.is_some(), n >= 80);
        assert!(displaced.is_none_or(|it| it.what == "hostile" && it.why == Why::All));
    }
    assert_eq!(table.len(), 100);
    assert!(polite.into_iter().all(|id| table.leave(id) == Some("polite")));
}

#[test]
fn nothing_is_left_of_what_has_ended() {
    let mut table = Table::default();
    let ids: Vec<_> = (0..50)
        .map(|n| table.enter(address(&format!("192.0.{n}.1")), n, FEW, ()))
        .map(|(id, _)| id)
        .collect();
    ids.into_iter().for_each(|id| _ = table.leave(id));
    assert!(table.is_empty() && table.make_room().is_none());
    assert!(table.clients.is_empty() && table.networks.is_empty() && table.by_size.is_empty());
}

/// What can happen to a table.
#[derive(Debug, Clone)]
enum Event {
    Enter(IpAddr),
    Heard(usize),
    Leave(usize),
    MakeRoom,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let from = (0..4_u8, 0..3_u8, 0..2_u8, any::<bool>()).prop_map(|(a, b, c, v6)| {
        if v6 {
            address(&format!("2001:db8:{a}:{b}::{c}"))
        } else {
            address(&format!("192.0.{a}.{b}"))
        }
    });
    let event = prop_oneof![
        5 => from.prop_map(Event::Enter),
        3 => (0..30_usize).prop_map(Event::Heard),
        2 => (0..30_usize).prop_map(Event::Leave),
        1 => Just(Event::MakeRoom),
    ];
    proptest::collection::vec(event, 0..200)
}

/// The same rules, by looking at all connections: where each comes from, and when it was heard of.
#[derive(Default)]
struct Plain(HashMap<Id, (IpAddr, u64)>);

impl Plain {
    fn longest_idle(&self, keep: impl Fn(IpAddr) -> bool) -> Option<Id> {
        let among = self.0.iter().filter(|(_, (from, _))| keep(*from));
        among.min_by_key(|(id, (_, heard))| (*heard, **id)).map(|(id, _)| *id)
    }

    fn count(&self, keep: impl Fn(IpAddr) -> bool) -> usize {
        self.0.values().filter(|(from, _)| keep(*from)).count()
    }

    fn of_the_largest(&self) -> Option<Id> {
        let size = |from: IpAddr| self.count(|other| network(other) == network(from));
        let most = self.0.values().map(|(from, _)| size(*from)).max()?;
        self.longest_idle(|from| size(from) == most)
    }

    fn displaced(&self, by: IpAddr) -> Option<Id> {
        let same = |from: IpAddr| client(from) == client(by);
        if self.count(same) >= FEW.per_client {
            self.longest_idle(same)
        } else if self.0.len() >= FEW.all {
            self.of_the_largest()
        } else {
            None
        }
    }
}

proptest! {
    #[test]
    fn it_does_what_looking_at_everything_would(events in events()) {
        let (mut table, mut plain) = (Table::default(), Plain::default());
        let mut ids = Vec::new();
        for (now, event) in (0..).zip(events) {
            // Several within a tick.
            let now = now / 3;
            match event {
                Event::Enter(from) => {
                    let expected = plain.displaced(from);
                    let (id, displaced) = table.enter(from, now, FEW, ids.len());
                    prop_assert_eq!(displaced.map(|it| ids[it.what]), expected);
                    expected.map(|gone| plain.0.remove(&gone));
                    plain.0.insert(id, (from, now));
                    ids.push(id);
                }
                Event::Heard(n) => {
                    if let Some(&id) = ids.get(n) {
                        table.heard(id, now);
                        plain.0.entry(id).and_modify(|of| of.1 = now);
                    }
                }
                Event::Leave(n) => {
                    if let Some(&id) = ids.get(n) {
                        prop_assert_eq!(table.leave(id).is_some(), plain.0.remove(&id).is_some());
                    }
                }
                Event::MakeRoom => {
                    let expected = plain.of_the_largest();
                    prop_assert_eq!(table.make_room().map(|n| ids[n]), expected);
                    expected.map(|gone| plain.0.remove(&gone));
                }
            }
            prop_assert_eq!(table.len(), plain.0.len());
        }
    }
}
