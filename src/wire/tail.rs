//! A tail: an RRset without its owner, ready to be copied behind one.
//!
//! Owner, class and TTL are written on copy, so one tail serves a name, a wildcard and the end of
//! a CNAME chain alike.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Family, Name, rtype};

/// An RRset's type, TTL and record data, borrowed from where it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tail<'a> {
    /// The type.
    pub rtype: u16,
    /// How many records there are.
    pub count: u16,
    /// The TTL in seconds.
    pub ttl: u32,
    /// For each record its length (two octets, network order) and its uncompressed data.
    pub bytes: &'a [u8],
}

impl<'a> Tail<'a> {
    /// The records' data, one after the other.
    pub fn rdata(self) -> impl Iterator<Item = &'a [u8]> {
        let mut rest = self.bytes;
        std::iter::from_fn(move || {
            let (len, after) = rest.split_first_chunk::<2>()?;
            let (data, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
            rest = after;
            Some(data)
        })
    }
}

/// The addresses of a pool or ring in one family, as RRset data of equal size; or one CNAME.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TailBuf {
    rtype: u16,
    stride: u16,
    count: u16,
    bytes: Box<[u8]>,
}

impl TailBuf {
    /// Of IPv4 addresses.
    #[must_use]
    pub fn v4(addresses: impl IntoIterator<Item = Ipv4Addr>) -> Self {
        Self::of(rtype::A, addresses.into_iter().map(|a| a.octets()))
    }

    /// Of IPv6 addresses.
    #[must_use]
    pub fn v6(addresses: impl IntoIterator<Item = Ipv6Addr>) -> Self {
        Self::of(rtype::AAAA, addresses.into_iter().map(|a| a.octets()))
    }

    /// Of the addresses of one family in a list.
    #[must_use]
    pub fn of_family(family: Family, addresses: &[IpAddr]) -> Self {
        let v4 = addresses.iter().filter_map(|a| match a {
            IpAddr::V4(v4) => Some(*v4),
            IpAddr::V6(_) => None,
        });
        let v6 = addresses.iter().filter_map(|a| match a {
            IpAddr::V6(v6) => Some(*v6),
            IpAddr::V4(_) => None,
        });
        match family {
            Family::V4 => Self::v4(v4),
            Family::V6 => Self::v6(v6),
        }
    }

    /// Of the target of a CNAME.
    #[must_use]
    pub fn cname(target: &Name) -> Self {
        let data = target.as_wire();
        let len = data.len() as u16;
        let bytes = len.to_be_bytes().iter().chain(data).copied().collect();
        Self { rtype: rtype::CNAME, stride: len.saturating_add(2), count: 1, bytes }
    }

    /// The first address of each, then the second of each, and so on: any run of consecutive
    /// ones is spread over as many of them as can be. All must be of one family. Also, for each
    /// address, the position of the part that it is from.
    #[must_use]
    pub fn interleaved(parts: &[&Self]) -> (Self, Vec<usize>) {
        let Some(first) = parts.iter().find(|part| part.count > 0) else {
            return (Self::default(), Vec::new());
        };
        let stride = usize::from(first.stride);
        let rounds = parts.iter().map(|part| usize::from(part.count)).max().unwrap_or_default();
        let (mut bytes, mut from) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            for (part, tail) in parts.iter().enumerate() {
                if let Some(octets) = tail.bytes.chunks_exact(stride).nth(round) {
                    bytes.extend_from_slice(octets);
                    from.push(part);
                }
            }
        }
        from.truncate(usize::from(u16::MAX));
        let count = from.len() as u16;
        (Self { rtype: first.rtype, stride: first.stride, count, bytes: bytes.into() }, from)
    }

    fn of<const N: usize>(rtype: u16, addresses: impl Iterator<Item = [u8; N]>) -> Self {
        let mut bytes = Vec::new();
        let mut count = 0;
        for (octets, number) in addresses.zip(1..=u16::MAX) {
            bytes.extend([0, N as u8]);
            bytes.extend(octets);
            count = number;
        }
        Self { rtype, stride: const { N as u16 + 2 }, count, bytes: bytes.into() }
    }

    /// The data of each, in order.
    pub fn data(&self) -> impl Iterator<Item = &[u8]> {
        Tail { rtype: self.rtype, count: self.count, ttl: 0, bytes: &self.bytes }.rdata()
    }

    /// How many addresses there are.
    #[must_use]
    pub const fn count(&self) -> u16 {
        self.count
    }

    /// A or AAAA, or CNAME.
    #[must_use]
    pub const fn rtype(&self) -> u16 {
        self.rtype
    }

    /// `most` consecutive addresses from `start` on, wrapping around: how many there are up to
    /// the end and their octets, then from the beginning; either part may be empty.
    #[must_use]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "`start` and `take` are at most `count`, so all of it lies within the octets"
    )]
    pub fn ring(&self, start: u16, most: u16) -> [(u16, &[u8]); 2] {
        let take = most.min(self.count);
        let start = start.min(self.count);
        let first = take.min(self.count - start);
        let part = |from: u16, count: u16| {
            let stride = usize::from(self.stride);
            let from = usize::from(from) * stride;
            let octets = self.bytes.get(from..from + usize::from(count) * stride);
            (count, octets.unwrap_or_default())
        };
        [part(start, first), part(0, take - first)]
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_ring_wraps_around() {
        let tail = TailBuf::v4((1..=3).map(|n| Ipv4Addr::new(192, 0, 2, n)));
        let last = |part: &[u8]| part.chunks(6).map(|c| c[5]).collect::<Vec<_>>();
        let [(_, a), (_, b)] = tail.ring(2, 2);
        assert_eq!((last(a), last(b)), (vec![3], vec![1]));
        let [(_, a), (_, b)] = tail.ring(0, 8);
        assert_eq!((last(a), last(b)), (vec![1, 2, 3], vec![]));
        let [(_, a), (_, b)] = tail.ring(1, 3);
        assert_eq!((last(a), last(b)), (vec![2, 3], vec![1]));
        assert!(
            TailBuf::default().ring(0, 8).iter().all(|(n, octets)| *n == 0 && octets.is_empty())
        );
    }

    #[test]
    fn interleaving_spreads() {
        let pool = |n, count| TailBuf::v4((1..=count).map(|i| Ipv4Addr::new(10, 0, n, i)));
        let (ring, from) = TailBuf::interleaved(&[&pool(1, 2), &TailBuf::default(), &pool(2, 1)]);
        assert_eq!(from, [0, 2, 0]);
        let [(3, all), (0, _)] = ring.ring(0, 8) else { panic!("three and none") };
        let seen: Vec<_> = all.chunks(6).map(|c| (c[4], c[5])).collect();
        assert_eq!(seen, [(1, 1), (2, 1), (1, 2)]);
    }

    #[test]
    fn rdata_are_read_back() {
        let bytes = [0, 1, 7, 0, 0, 0, 2, 8, 9];
        let tail = Tail { rtype: 16, count: 3, ttl: 60, bytes: &bytes };
        assert_eq!(tail.rdata().collect::<Vec<_>>(), [&[7][..], &[], &[8, 9]]);
    }
}
