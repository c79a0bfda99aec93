//! The hash table behind the index of names: open addressing in buckets of one cache line.
//!
//! A bucket holds eight (tag, number) pairs. A name's bucket follows from the upper half of its
//! hash, its tag from the lower half; what does not fit goes to the next bucket. Nothing is ever
//! removed, so a bucket with room ends a search. With five names a bucket in the mean, almost
//! every search reads one line here, and a false tag sends one in a billion to a wrong entry,
//! where the octets of the name decide.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::todo,
    clippy::unimplemented,
    reason = "nothing that a packet says may reach a panic"
)]

/// From hashes to numbers; the caller says which number is meant.
#[derive(Debug)]
pub(super) struct Table {
    buckets: Box<[Bucket]>,
    used: usize,
}

const WAYS: usize = 8;
/// Names a bucket, in the mean, above which the table is to be rebuilt larger.
const CROWD: usize = 5;

#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
struct Bucket {
    /// 0 is a free place; places fill from the front.
    tags: [u32; WAYS],
    numbers: [u32; WAYS],
}

impl Table {
    /// A table for so many names.
    pub(super) fn with_room(names: usize) -> Self {
        let buckets = (names / CROWD).saturating_add(1).min(u32::MAX as usize);
        Self { buckets: vec![Bucket::default(); buckets].into(), used: 0 }
    }

    /// Whether it should be rebuilt before more is inserted.
    pub(super) fn is_crowded(&self) -> bool {
        self.used / CROWD >= self.buckets.len()
    }

    /// Enters a number; a second one under the same hash is kept beside the first.
    pub(super) fn insert(&mut self, hash: u64, number: u32) {
        let (tag, home) = (tag(hash), self.home(hash));
        let (before, from) = self.buckets.split_at_mut(home);
        for bucket in from.iter_mut().chain(before) {
            let mut places = bucket.tags.iter_mut().zip(&mut bucket.numbers);
            if let Some(free) = places.find(|(tag, _)| **tag == 0) {
                (*free.0, *free.1) = (tag, number);
                self.used = self.used.saturating_add(1);
                return;
            }
        }
        debug_assert!(false, "inserted into a full table");
    }

    /// The number under this hash for which `is` says yes.
    #[inline]
    pub(super) fn find(&self, hash: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        let tag = tag(hash);
        let (before, from) = self.buckets.split_at_checked(self.home(hash))?;
        for bucket in from.iter().chain(before) {
            for (&at, &number) in bucket.tags.iter().zip(&bucket.numbers) {
                if at == tag && is(number) {
                    return Some(number);
                }
            }
            if bucket.tags[WAYS - 1] == 0 {
                return None;
            }
        }
        None
    }

    /// Tells the processor that the bucket of this hash is about to be read.
    #[inline]
    pub(super) fn prefetch(&self, hash: u64) {
        if let Some(bucket) = self.buckets.get(self.home(hash)) {
            prefetch(bucket);
        }
    }

    /// The first number that may be meant by this hash, where it is likely to be; for prefetching.
    #[inline]
    pub(super) fn likely(&self, hash: u64) -> Option<u32> {
        let (tag, bucket) = (tag(hash), self.buckets.get(self.home(hash))?);
        let mut places = bucket.tags.iter().zip(&bucket.numbers);
        places.find(|(at, _)| **at == tag).map(|(_, number)| *number)
    }

    /// How many octets it takes.
    pub(super) fn octets(&self) -> usize {
        size_of_val(&*self.buckets)
    }

    /// The bucket where a search starts: the upper half of the hash, scaled.
    #[inline]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "32 bits by 32 bits, for there are no more buckets"
    )]
    fn home(&self, hash: u64) -> usize {
        (((hash >> 32) * self.buckets.len() as u64) >> 32) as usize
    }
}

/// Tells the processor that something is about to be read.
#[inline]
#[cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "the prefetch hint is an intrinsic that takes an address")
)]
pub(super) fn prefetch<T>(what: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint that reads nothing; the address is that of something alive.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(what).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = what;
}

#[inline]
const fn tag(hash: u64) -> u32 {
    let low = hash as u32;
    if low == 0 { 1 } else { low }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_holds_a_bucket() {
        assert_eq!((size_of::<Bucket>(), align_of::<Bucket>()), (64, 64));
    }

    #[test]
    fn what_was_entered_is_found_and_nothing_else() {
        let mut table = Table::with_room(1000);
        let hash = |n: u32| crate::wire::hash_name(&[4, (n >> 8) as u8, n as u8, 1, 2, 0]);
        for n in 0..1000 {
            assert!(!table.is_crowded());
            table.insert(hash(n), n);
        }
        for n in 0..1000 {
            assert_eq!(table.find(hash(n), |found| found == n), Some(n));
            assert_eq!(table.find(hash(n), |_| false), None);
        }
        for n in 1000..3000 {
            assert_eq!(table.find(hash(n), |found| found == n), None);
        }
    }

    #[test]
    fn overflow_wraps_around_and_equal_hashes_live_side_by_side() {
        let mut table = Table::with_room(5);
        assert_eq!(table.buckets.len(), 2);
        for n in 0..12 {
            table.insert(u64::MAX, n); // all at home in the last bucket
        }
        for n in 0..12 {
            assert_eq!(table.find(u64::MAX, |found| found == n), Some(n));
        }
        assert_eq!(table.find(u64::MAX, |found| found == 12), None);
        assert_eq!(table.find(0, |_| true), None);
        table.prefetch(u64::MAX);
        assert_eq!(table.likely(u64::MAX), Some(0));
        assert_eq!(table.likely(0), None);
    }
}
