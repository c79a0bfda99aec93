//! The name of a question, made ready for lookup: lower-cased and hashed.
//!
//! Names are read eight octets at a time. The hash of a suffix is made when it is looked for: most
//! names are found as they are, and those that are not have few suffixes that an index could hold.

use super::NAME_MAX;

/// A name as an index looks it up. Fits a question of any length without allocating.
#[derive(Clone, Copy)]
pub struct Key {
    /// The octets, with room for reading the last of them a word at a time.
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
}

const WORD: usize = size_of::<u64>();
const ROOM: usize = NAME_MAX + 1 + WORD;
const SEED: u64 = 0x243f_6a88_85a3_08d3;
const FOLD: u64 = 0x9e37_79b9_7f4a_7c15;

impl Key {
    /// The empty key, that of the root; a place to [`Key::read`] into.
    pub const ROOT: Self = Self { lower: [0; ROOM], len: 1, labels: 0, hash: fold(SEED) };

    /// Reads the uncompressed name that starts `octets`, and returns its length in octets.
    ///
    /// `None` when it is cut short, over 255 octets, or has a compression pointer or another
    /// label type than plain ones (a question is never compressed).
    #[expect(clippy::arithmetic_side_effects, reason = "positions within the first 255 octets")]
    pub fn read(&mut self, octets: &[u8]) -> Option<usize> {
        let octets = octets.get(..octets.len().min(NAME_MAX))?;
        let (mut end, mut labels) = (0_usize, 0_u8);
        loop {
            match *octets.get(end)? {
                0 => break,
                len @ 1..=63 => {
                    labels += 1;
                    end += usize::from(len) + 1;
                }
                _ => return None,
            }
        }
        let len = end + 1;
        // Length octets are below `A`, so the whole name can be lowered without looking at labels.
        // What is read behind its end is not looked at.
        for (to, at) in self.lower.chunks_exact_mut(WORD).zip((0..len).step_by(WORD)) {
            to.copy_from_slice(&lowered(word(octets, at)).to_le_bytes());
        }
        self.len = len as u8;
        self.labels = labels;
        self.hash = self.hash_from(0);
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

    /// The hash of a suffix.
    #[must_use]
    pub fn hash_of(&self, suffix: Suffix) -> u64 {
        self.hash_from(usize::from(suffix.at))
    }

    /// How many labels there are, the root's not counted.
    #[must_use]
    pub const fn labels(&self) -> u8 {
        self.labels
    }

    /// All suffixes, the whole name first and the root last.
    pub fn suffixes(&self) -> impl Iterator<Item = Suffix> + '_ {
        let mut next = Some(Suffix { at: 0, labels: self.labels });
        std::iter::from_fn(move || {
            let suffix = next?;
            next = suffix.labels.checked_sub(1).map(|labels| {
                let len = self.lower.get(usize::from(suffix.at)).copied().unwrap_or_default();
                Suffix { at: suffix.at.saturating_add(len).saturating_add(1), labels }
            });
            Some(suffix)
        })
    }

    #[inline]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "positions within a name, and the bits of at most a word"
    )]
    fn hash_from(&self, mut at: usize) -> u64 {
        let mut hash = SEED;
        let len = usize::from(self.len);
        while at + WORD < len {
            hash = fold(hash ^ word(&self.lower, at));
            at += WORD;
        }
        let behind = (at + WORD).saturating_sub(len).min(WORD - 1);
        fold(hash ^ (word(&self.lower, at) & (u64::MAX >> (8 * behind))))
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

/// The word that starts there, the first octet in its low bits; zeroes where the octets end.
#[inline]
#[expect(clippy::arithmetic_side_effects, reason = "the bits of fewer octets than a word has")]
fn word(octets: &[u8], at: usize) -> u64 {
    let rest = octets.get(at..).unwrap_or_default();
    match (rest.first_chunk(), octets.last_chunk()) {
        (Some(first), _) => u64::from_le_bytes(*first),
        (None, _) if rest.is_empty() => 0,
        (None, Some(last)) => u64::from_le_bytes(*last) >> (8 * (WORD - rest.len())),
        (None, None) => rest.iter().rev().fold(0, |word, &octet| word << 8 | u64::from(octet)),
    }
}

/// Makes the upper-case letters among eight octets lower-case, all at once.
#[inline]
#[expect(clippy::arithmetic_side_effects, reason = "no sum is over 8 bits, so none is carried")]
const fn lowered(word: u64) -> u64 {
    const EACH: u64 = u64::MAX / 0xff;
    let low = word & (EACH * 0x7f);
    // The high bit of each octet tells: `A` or behind it, and behind `Z`.
    let from_a = low + EACH * (0x80 - b'A' as u64);
    let behind_z = low + EACH * (0x80 - b'Z' as u64 - 1);
    let is_upper = from_a & !behind_z & !word & (EACH * 0x80);
    word | is_upper >> 2
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
        let suffixes: Vec<_> = key.suffixes().collect();
        assert_eq!(suffixes.len(), 5);
        for &suffix in &suffixes {
            let wire = &key.as_wire()[usize::from(suffix.at)..];
            assert_eq!(key.hash_of(suffix), hash_name(wire));
            assert_eq!(usize::from(suffix.labels), Name::from_wire(wire).unwrap().labels());
        }
        assert_eq!(key.hash_of(suffixes[0]), key.hash());
        assert_eq!(key.hash_of(suffixes[4]), Key::ROOT.hash());
    }

    #[test]
    fn what_is_behind_a_name_does_not_matter() {
        for len in 1..=63 {
            let mut octets = vec![len];
            octets.extend((0..len).map(|n| b'@' + n % 60));
            octets.push(0);
            let alone = hash_name(&octets.to_ascii_lowercase());
            // A key is read into again and again, so it holds the octets of another name.
            let mut key = Key::ROOT;
            assert_eq!(key.read(&longest()), Some(NAME_MAX));
            for behind in 0..20 {
                assert_eq!(key.read(&octets), Some(usize::from(len) + 2));
                assert_eq!(
                    key.suffixes().last().map(|root| key.hash_of(root)),
                    Some(hash_name(&[0]))
                );
                assert_eq!((key.hash(), key.labels()), (alone, 1), "{behind} octets behind");
                assert_eq!(key.as_wire(), &octets.to_ascii_lowercase()[..usize::from(len) + 2]);
                octets.push(b'A' + behind);
            }
        }
    }

    #[test]
    fn letters_alone_are_lowered() {
        for octet in 0..=u8::MAX {
            let word = u64::from_le_bytes([b'Z', octet, b'A', 0xff, octet, b'z', 0x80, octet]);
            let expected = word.to_le_bytes().map(|octet| octet.to_ascii_lowercase());
            assert_eq!(lowered(word).to_le_bytes(), expected);
        }
    }

    /// A name of 255 octets.
    fn longest() -> Vec<u8> {
        let labels = [63, 63, 63, 61].map(|len| [vec![len], vec![b'x'; usize::from(len)]].concat());
        [labels.concat(), vec![0]].concat()
    }

    #[test]
    fn limits_are_exact() {
        let mut longest = longest();
        assert_eq!(Key::ROOT.clone().read(&longest), Some(255));
        longest[192] = 62;
        longest.insert(193, b'x');
        assert_eq!(Key::ROOT.clone().read(&longest), None);
        let mut most = [1, b'a'].repeat(127);
        most.push(0);
        assert_eq!(Key::ROOT.clone().read(&most), Some(255));
        assert_eq!(Key::ROOT.clone().read(b"\x01a\xc0\x0c"), None);
        for other_type in 64..=u8::MAX {
            let octets = [vec![other_type], vec![b'x'; usize::from(other_type)], vec![0]].concat();
            assert_eq!(Key::ROOT.clone().read(&octets), None, "{other_type:#x}");
        }
        assert_eq!(Key::ROOT.clone().read(b"\x00\x00\x01"), Some(1));
    }
}
