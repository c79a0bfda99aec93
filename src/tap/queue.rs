//! Hot: queues of octets, one a thread and sink, and how their other ends get to who reads them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rtrb::{Consumer, Producer, RingBuffer};

/// Where what is said goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sink {
    /// Lines of JSON.
    Json,
    /// A socket that takes dnstap.
    Dnstap,
}

impl Sink {
    /// Both, in the order of their numbers.
    pub const ALL: [Self; 2] = [Self::Json, Self::Dnstap];
}

/// Octets that wait in one queue at most: some ten thousand lines, or two thousand queries with
/// their replies. The system gives the memory once it is used.
pub const QUEUE: usize = 1 << 20;

/// Octets in front of a record, which tell its length.
const HEAD: usize = size_of::<u32>();

/// There is no room for a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// The end of one answering thread.
#[derive(Debug)]
pub struct End {
    queues: [Producer<u8>; 2],
    /// A record in the making, with its length in front; it never grows.
    record: Vec<u8>,
}

/// The largest record: a query and its reply, and what is said of them.
const RECORD: usize = 2 * (u16::MAX as usize) + 1024;

impl End {
    /// Hands over what `write` appends, which must be no more than 128 KiB.
    ///
    /// # Errors
    /// When the queue has no room for it; then it is lost.
    pub fn push(&mut self, sink: Sink, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), Full> {
        let record = &mut self.record;
        record.clear();
        record.extend_from_slice(&[0; HEAD]);
        write(record);
        let len = u32::try_from(record.len().saturating_sub(HEAD)).map_err(|_| Full)?;
        record.get_mut(..HEAD).ok_or(Full)?.copy_from_slice(&len.to_le_bytes());
        let [json, dnstap] = &mut self.queues;
        let queue = match sink {
            Sink::Json => json,
            Sink::Dnstap => dnstap,
        };
        queue.push_entire_slice(record).map_err(|_| Full)
    }
}

/// The other end of one queue.
#[derive(Debug)]
pub struct Queue(Consumer<u8>);

impl Queue {
    /// Takes the oldest record into `record`; false when there is none.
    pub fn pop(&mut self, record: &mut Vec<u8>) -> bool {
        let mut head = [0; HEAD];
        // A record is handed over as a whole: behind its head is the rest.
        if self.0.pop_entire_slice(&mut head).is_err() {
            return false;
        }
        record.clear();
        record.resize(u32::from_le_bytes(head) as usize, 0);
        self.0.pop_entire_slice(record).is_ok()
    }

    /// Whether nothing waits, and nothing will: its thread has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        // In this order: what came before the end is there once the end is seen.
        self.0.is_abandoned() && self.0.is_empty()
    }
}

/// Where new answering threads leave the other ends of their queues.
#[derive(Debug, Default)]
pub struct Taps {
    new: [Mutex<Vec<Queue>>; 2],
}

impl Taps {
    /// An end for one answering thread. Allocates, and takes a lock: not for each answer.
    #[must_use]
    pub fn end(&self) -> End {
        let queues = [&self.new[0], &self.new[1]].map(|new| {
            let (producer, consumer) = RingBuffer::new(QUEUE);
            let mut new = lock(new);
            // Where nobody reads them, those whose threads have ended would add up.
            new.retain(|queue| !queue.is_over());
            new.push(Queue(consumer));
            producer
        });
        End { queues, record: Vec::with_capacity(RECORD) }
    }

    /// The queues of a sink that have come since the last time.
    pub fn take(&self, sink: Sink) -> Vec<Queue> {
        let [json, dnstap] = &self.new;
        std::mem::take(&mut *lock(match sink {
            Sink::Json => json,
            Sink::Dnstap => dnstap,
        }))
    }
}

fn lock(queues: &Mutex<Vec<Queue>>) -> MutexGuard<'_, Vec<Queue>> {
    queues.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]
mod tests {
    use super::*;

    fn push(end: &mut End, sink: Sink, octets: &[u8]) -> Result<(), Full> {
        end.push(sink, |record| record.extend_from_slice(octets))
    }

    #[test]
    fn records_come_out_whole_and_in_order_around_the_end_of_the_queue() {
        let taps = Taps::default();
        let mut end = taps.end();
        let [mut queue] = <[_; 1]>::try_from(taps.take(Sink::Json)).unwrap();
        assert!(taps.take(Sink::Json).is_empty(), "each is there once");
        let mut record = Vec::new();
        // Ten times as much as there is room for.
        for turn in 0..100_u8 {
            let octets = vec![turn; QUEUE / 10 - usize::from(turn) * 7];
            assert_eq!(push(&mut end, Sink::Json, &octets), Ok(()));
            assert_eq!(push(&mut end, Sink::Json, &[]), Ok(()));
            assert!(queue.pop(&mut record));
            assert_eq!(record, octets);
            assert!(queue.pop(&mut record));
            assert!(record.is_empty());
            assert!(!queue.pop(&mut record));
        }
    }

    #[test]
    fn what_has_no_room_is_lost_and_nothing_else_is() {
        let taps = Taps::default();
        let mut end = taps.end();
        let mut queues = taps.take(Sink::Dnstap);
        let octets = vec![1; 100_000];
        let taken = (0..20).take_while(|_| push(&mut end, Sink::Dnstap, &octets).is_ok()).count();
        assert_eq!(taken, QUEUE / (octets.len() + HEAD));
        assert_eq!(push(&mut end, Sink::Json, b"another queue"), Ok(()));
        assert_eq!(push(&mut end, Sink::Dnstap, b"a short one"), Ok(()));
        let mut record = Vec::new();
        let came = std::iter::from_fn(|| queues[0].pop(&mut record).then_some(record.len()));
        let came: Vec<_> = came.collect();
        assert_eq!(came, [vec![octets.len(); taken], vec![11]].concat());
    }

    #[test]
    fn the_largest_record_fits_without_more_memory() {
        let taps = Taps::default();
        let mut end = taps.end();
        let room = end.record.capacity();
        assert_eq!(push(&mut end, Sink::Dnstap, &vec![0; RECORD - HEAD]), Ok(()));
        assert_eq!(end.record.capacity(), room);
    }

    #[test]
    fn a_queue_is_over_when_its_thread_has_ended_and_it_is_read() {
        let taps = Taps::default();
        let mut end = taps.end();
        push(&mut end, Sink::Json, b"last").unwrap();
        drop(end);
        let mut json = taps.take(Sink::Json);
        assert!(!json[0].is_over());
        assert!(json[0].pop(&mut Vec::new()));
        assert!(json[0].is_over());
        // Of the others nobody has taken any; that of the thread that has ended is gone.
        let _end = taps.end();
        assert_eq!(taps.take(Sink::Dnstap).len(), 1);
    }
}
