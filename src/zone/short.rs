//! The SOA of negative answers, as short as other nameservers send it.
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

/// An SOA's data, where names in the zone end in a pointer to the zone's name (RFC 1035 section
/// 4.1.4).
#[derive(Debug, Clone)]
pub struct ShortSoa {
    bytes: Vec<u8>,
    pointers: [Option<u16>; 2],
}

/// What is behind MNAME and RNAME: five numbers.
const NUMBERS: usize = 20;
/// A pointer that is still to be set.
const POINTER: [u8; 2] = [0xc0, 0];

impl ShortSoa {
    /// Of a zone without an SOA.
    pub(super) const NONE: Self = Self { bytes: Vec::new(), pointers: [None; 2] };

    /// Of uncompressed data, behind their length, at the zone's name in wire form.
    pub(super) fn new(soa: &[u8], apex: &[u8]) -> Self {
        Self::shortened(soa, apex).unwrap_or_else(|| Self { bytes: soa.to_vec(), ..Self::NONE })
    }

    fn shortened(soa: &[u8], apex: &[u8]) -> Option<Self> {
        let (names, numbers) =
            soa.get(2..)?.split_at_checked(soa.len().checked_sub(2 + NUMBERS)?)?;
        let (mname, rname) = names.split_at_checked(labels(names).last()?.checked_add(1)?)?;
        let (mut bytes, mut pointers) = (vec![0; 2], [None; 2]);
        for (name, pointer) in [mname, rname].into_iter().zip(&mut pointers) {
            let is_apex =
                |at: &usize| name.get(*at..).is_some_and(|n| n.eq_ignore_ascii_case(apex));
            match labels(name).find(is_apex).filter(|_| apex.len() > POINTER.len()) {
                Some(at) => {
                    bytes.extend_from_slice(name.get(..at)?);
                    *pointer = Some(u16::try_from(bytes.len()).ok()?);
                    bytes.extend_from_slice(&POINTER);
                }
                None => bytes.extend_from_slice(name),
            }
        }
        bytes.extend_from_slice(numbers);
        let len = u16::try_from(bytes.len().checked_sub(2)?).ok()?;
        bytes.first_chunk_mut().map(|first| *first = len.to_be_bytes())?;
        Some(Self { bytes, pointers })
    }

    /// The data behind their length; empty in an index built with problems.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where in these octets pointers to the zone's name stand.
    pub fn pointers(&self) -> impl Iterator<Item = usize> {
        self.pointers.into_iter().flatten().map(usize::from)
    }
}

/// Where the labels of the uncompressed name that `octets` start with are, the root's the last.
fn labels(octets: &[u8]) -> impl Iterator<Item = usize> {
    let mut next = Some(0_usize);
    std::iter::from_fn(move || {
        let at = next?;
        let len = usize::from(*octets.get(at)?);
        next = (len > 0).then(|| at.saturating_add(len).saturating_add(1));
        Some(at)
    })
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::wire::Name;

    fn soa(mname: &str, rname: &str) -> Vec<u8> {
        let names = [mname, rname].map(|name| Name::from_text(name).unwrap());
        let mut data = names.map(|name| name.as_wire().to_vec()).concat();
        data.extend(0..NUMBERS as u8);
        [(data.len() as u16).to_be_bytes().to_vec(), data].concat()
    }

    #[rstest::rstest]
    #[case::both("ns1.example.test", "admin.example.test", [Some(6), Some(14)])]
    #[case::in_another_case("ns1.EXAMPLE.test", "a.b.example.TEST", [Some(6), Some(12)])]
    #[case::the_zone_itself("example.test", "example.test", [Some(2), Some(4)])]
    #[case::one_elsewhere("ns1.other.test", "admin.example.test", [None, Some(24)])]
    #[case::not_at_a_label("ns1.anexample.test", "admin.test", [None, None])]
    fn names_in_the_zone_are_shortened(
        #[case] mname: &str,
        #[case] rname: &str,
        #[case] pointers: [Option<u16>; 2],
    ) {
        let apex = Name::from_text("example.test").unwrap();
        let whole = soa(mname, rname);
        let short = ShortSoa::new(&whole, apex.as_wire());
        assert_eq!(short.pointers, pointers);
        // Each pointer takes two octets instead of the fourteen of the name.
        let saved = 12 * short.pointers().count();
        assert_eq!(short.bytes().len(), whole.len() - saved);
        let len = u16::from_be_bytes(*short.bytes().first_chunk().unwrap());
        assert_eq!(usize::from(len) + 2, short.bytes().len());
        // Put back, the names make what it was made of.
        let mut long = short.bytes().to_vec();
        for at in short.pointers().collect::<Vec<_>>().into_iter().rev() {
            long.splice(at..at + 2, apex.as_wire().iter().copied());
        }
        assert!(long.get(2..).unwrap().eq_ignore_ascii_case(whole.get(2..).unwrap()));
    }

    #[test]
    fn what_is_no_longer_than_a_pointer_stays() {
        let whole = soa("ns1.test", ".");
        assert_eq!(ShortSoa::new(&whole, &[0]).bytes(), whole);
        assert_eq!(ShortSoa::new(&[], &[0]).bytes(), b"");
        assert_eq!(ShortSoa::new(&[0, 1, 7], &[0]).bytes(), [0, 1, 7]);
    }
}
