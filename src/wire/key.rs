//! The name of a question, made ready for lookup: lower-cased, hashed, with its label boundaries.
//!
//! The hash of a name is built from the root down, label by label, so that one pass over a name
//! gives the hash of every suffix: the search for the closest encloser costs no second reading.

use super::NAME_MAX;

/// A name as an index looks it up. Fits a question of any length without allocating.
#[derive(Clone, Copy)]
pub struct Key {
    /// The octets, with room for reading the last of them eight at a time.
    lower: [u8; ROOM],
    len: u8,
    labels: u8,
    hash: u64,
}

/// One suffix of a [`Key`]: the name itself, its parent, and so on up to the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suffix {
    /// Where it starts within the name.
    pub at: u8,
    /// How many labels it has, the root's not counted.
    pub labels: u8,
    /// Its hash, as [`hash_name`] gives it.
    pub hash: u64,
}

const WORD: usize = 8;
const ROOM: usize = NAME_MAX + 1 + WORD;
const SEED: u64 = 0x243f_6a88_85a3_08d3;
const FOLD: u64 = 0x9e37_79b9_7f4a_7c15;

impl Key {
    /// The empty key, that of the root; a place to [`Key::read`] into.
    pub const ROOT: Self = Self { lower: [0; ROOM], len: 1, labels: 0, hash: SEED };

    /// Reads the uncompressed name that starts `octets`, and returns its length in octets.
    ///
    /// `None` when it is cut short, over 255 octets, or has a compression pointer or another
    /// label type than plain ones (a question is never compressed).
    #[expect(clippy::arithmetic_side_effects, reason = "positions within the first 255 octets")]
    pub fn read(&mut self, octets: &[u8]) -> Option<usize> {
        let octets = octets.get(..octets.len().min(NAME_MAX))?;
        let mut starts = [0_u8; 128];
        let (mut at, mut labels) = (0_usize, 0_usize);
        loop {
            match *octets.get(at)? {
                0 => break,
                len @ 1..=63 => {
                    *starts.get_mut(labels)? = u8::try_from(at).ok()?;
                    labels += 1;
                    at += usize::from(len) + 1;
                }
                _ => return None,
            }
        }
        let len = at + 1;
        // Length octets are below `A`, so the whole name can be lowered without looking at labels.
        for (to, from) in self.lower.iter_mut().zip(octets.get(..len)?) {
            *to = from.to_ascii_lowercase();
        }
        let mut hash = SEED;
        let mut end = at;
        for &start in starts.get(..labels)?.iter().rev() {
            hash = step(hash, &self.lower, usize::from(start), end);
            end = usize::from(start);
        }
        self.hash = hash;
        self.len = u8::try_from(len).ok()?;
        self.labels = u8::try_from(labels).ok()?;
        Some(len)
    }

    /// The lower-cased octets, the root's zero included.
    #[must_use]
    pub fn as_wire(&self) -> &[u8] {
        self.lower.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// The hash of the whole name.
    #[must_use]
    pub const fn hash(&self) -> u64 {
        self.hash
    }

    /// How many labels there are, the root's not counted.
    #[must_use]
    pub const fn labels(&self) -> u8 {
        self.labels
    }

    /// Writes the suffixes to `out`, the root first and the whole name last, and returns them.
    pub fn suffixes<'a>(&self, out: &'a mut [Suffix; 128]) -> &'a [Suffix] {
        let wire = self.as_wire();
        let count = usize::from(self.labels);
        let mut at = 0_usize;
        for (labels, slot) in out.iter_mut().take(count + 1).rev().enumerate() {
            let left = u8::try_from(count.saturating_sub(labels)).unwrap_or_default();
            *slot = Suffix { at: u8::try_from(at).unwrap_or_default(), labels: left, hash: SEED };
            let len = usize::from(wire.get(at).copied().unwrap_or_default());
            at = at.saturating_add(len).saturating_add(1);
        }
        let mut hash = SEED;
        let mut end = usize::from(self.len).saturating_sub(1);
        for suffix in out.iter_mut().take(count + 1).skip(1) {
            let start = usize::from(suffix.at);
            hash = step(hash, &self.lower, start, end);
            suffix.hash = hash;
            end = start;
        }
        out.get(..=count).unwrap_or_default()
    }
}

/// The hash of a name in lower-case wire form.
#[must_use]
pub fn hash_name(wire: &[u8]) -> u64 {
    let mut key = Key::ROOT;
    let read = key.read(wire);
    debug_assert_eq!(read, Some(wire.len()));
    key.hash
}

/// Adds one label (its length octet included), which stands from `at` to `end`, in front of a
/// hashed suffix. What is behind `end` is read with the last octets and masked out: that is
/// cheaper than to copy a few octets of a length that is not known before.
#[inline]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "positions within a name, and the bits of fewer octets than a word has"
)]
fn step(mut hash: u64, octets: &[u8; ROOM], mut at: usize, end: usize) -> u64 {
    let word = |at: usize| {
        let word = octets.get(at..).and_then(|rest| rest.first_chunk::<WORD>());
        word.map_or(0, |word| u64::from_le_bytes(*word))
    };
    while at + WORD <= end {
        hash = fold(hash ^ word(at));
        at += WORD;
    }
    let left = end.saturating_sub(at);
    fold(hash ^ (word(at) & !(u64::MAX << (8 * left))))
}

#[inline]
const fn fold(value: u64) -> u64 {
    let product = (value as u128).wrapping_mul(FOLD as u128);
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;
    use crate::wire::Name;

    #[test]
    fn suffix_hashes_are_the_hashes_of_the_suffixes() {
        let mut key = Key::ROOT;
        let question = b"\x03WwW\x07eXample-and-longer"; // 7 is a lie: the label ends early
        assert_eq!(key.read(question), None);
        let name = Name::from_text("a.Longer-Label-Than-Eight.example.com").unwrap();
        assert_eq!(key.read(name.as_wire()), Some(name.as_wire().len()));
        let mut out = [Suffix { at: 0, labels: 0, hash: 0 }; 128];
        let suffixes = key.suffixes(&mut out);
        assert_eq!(suffixes.len(), 5);
        for suffix in suffixes {
            let wire = &name.as_wire()[usize::from(suffix.at)..];
            assert_eq!(suffix.hash, hash_name(wire));
            assert_eq!(usize::from(suffix.labels), Name::from_wire(wire).unwrap().labels());
        }
        assert_eq!(suffixes[4].hash, key.hash());
    }

    #[test]
    fn limits_are_exact() {
        let mut longest = Vec::new();
        for len in [63, 63, 63, 61] {
            longest.push(len);
            longest.extend(vec![b'x'; usize::from(len)]);
        }
        longest.push(0);
        assert_eq!(Key::ROOT.clone().read(&longest), Some(255));
        longest[192] = 62;
        longest.insert(193, b'x');
        assert_eq!(Key::ROOT.clone().read(&longest), None);
        let mut most = [1, b'a'].repeat(127);
        most.push(0);
        assert_eq!(Key::ROOT.clone().read(&most), Some(255));
        assert_eq!(Key::ROOT.clone().read(b"\x01a\xc0\x0c"), None);
        assert_eq!(Key::ROOT.clone().read(b"\x40"), None);
        assert_eq!(Key::ROOT.clone().read(b"\x00\x00\x01"), Some(1));
    }
}
