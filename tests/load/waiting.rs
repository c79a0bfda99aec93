//! Queries that wait, by id and by age.

use std::collections::{HashMap, VecDeque};

use crate::load::waiting::{Asked, Found, MOST, Waiting};

fn asked(number: u32) -> Asked {
    Asked { due: u64::from(number), sent: u64::from(number), question: number, label: 0 }
}

fn answer(waiting: &mut Waiting, id: u16) -> Found {
    let found = waiting.find(id);
    if let Found::Waiting(_) = found {
        waiting.answered(id);
    }
    found
}

#[test]
fn an_answer_finds_its_query_once() {
    let mut waiting = Waiting::default();
    let (a, b) = (waiting.add(asked(1)), waiting.add(asked(2)));
    assert_ne!(a, b);
    assert_eq!(answer(&mut waiting, b), Found::Waiting(asked(2)));
    assert_eq!(answer(&mut waiting, b), Found::Duplicate);
    assert_eq!(answer(&mut waiting, 9), Found::Stray);
    assert_eq!(waiting.oldest(), Some(&asked(1)));
    waiting.give_up_oldest();
    assert_eq!((answer(&mut waiting, a), waiting.count()), (Found::Late, 0));
    assert_eq!(waiting.oldest(), None);
    waiting.give_up_oldest();
}

#[test]
fn an_id_that_waits_is_not_used_again() {
    let mut waiting = Waiting::default();
    let kept = waiting.add(asked(0));
    for number in 1..140_000 {
        let id = waiting.add(asked(number));
        assert_ne!(id, kept);
        assert_eq!(answer(&mut waiting, id), Found::Waiting(asked(number)));
    }
    assert_eq!(answer(&mut waiting, kept), Found::Waiting(asked(0)));
}

#[test]
fn all_ids_can_wait() {
    let mut waiting = Waiting::default();
    let ids: Vec<u16> = (0..MOST as u32).map(|number| waiting.add(asked(number))).collect();
    assert!(waiting.is_full());
    waiting.give_up_oldest();
    assert!(!waiting.is_full());
    assert_eq!(waiting.add(asked(7)), ids[0], "the one place that is free");
    for (number, id) in ids.iter().enumerate().skip(1).rev() {
        assert_eq!(answer(&mut waiting, *id), Found::Waiting(asked(number as u32)));
    }
}

/// The same by a map and a queue.
#[test]
fn any_order_of_asking_answering_and_giving_up() {
    let mut rng = fastrand::Rng::with_seed(3);
    let (mut waiting, mut by_id, mut queue) = (Waiting::default(), HashMap::new(), VecDeque::new());
    for number in 0..60_000 {
        // Between none and about a thousand outstanding.
        let many = number / 6_000 % 2 == 0;
        match rng.u8(..10) {
            choice if choice < if many { 6 } else { 4 } => {
                let id = waiting.add(asked(number));
                assert_eq!(by_id.insert(id, number), None);
                queue.push_back(id);
            }
            9 => {
                waiting.give_up_oldest();
                queue.pop_front().map(|id| by_id.remove(&id));
            }
            _ if !queue.is_empty() => {
                let id = queue.remove(rng.usize(..queue.len())).unwrap();
                let number = by_id.remove(&id).unwrap();
                assert_eq!(answer(&mut waiting, id), Found::Waiting(asked(number)));
            }
            _ => assert_eq!(waiting.oldest(), None),
        }
        assert_eq!(waiting.count(), queue.len());
        let oldest = queue.front().map(|id| by_id[id]);
        assert_eq!(waiting.oldest().map(|asked| asked.question), oldest);
    }
}
