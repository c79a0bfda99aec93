//! Walking names in wire form, for building; the answering path uses [`crate::wire::Key`].

use domain::base::iana::Rtype;

use crate::wire::{NAME_MAX, Name};

/// The name without its first label; `None` for the root.
pub(super) fn parent(wire: &[u8]) -> Option<&[u8]> {
    let (&len, rest) = wire.split_first()?;
    if len == 0 { None } else { rest.get(usize::from(len)..) }
}

/// The name, its parent, and so on up to the root.
pub(super) fn ancestors(wire: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::successors(Some(wire), |wire| parent(wire))
}

/// Whether it is exactly one name: the reader takes `a..b` for one with an empty label inside.
pub(super) fn is_whole(wire: &[u8]) -> bool {
    wire.len() <= NAME_MAX && ancestors(wire).any(|part| part == [0])
}

/// How many labels there are, the root's not counted.
pub(super) fn count(wire: &[u8]) -> u8 {
    u8::try_from(ancestors(wire).take(NAME_MAX).count().saturating_sub(1)).unwrap_or(u8::MAX)
}

/// Whether `name` is `apex` or below it; both in lower case.
pub(super) fn is_within(name: &[u8], apex: &[u8]) -> bool {
    name.ends_with(apex) && ancestors(name).any(|part| part.len() == apex.len())
}

/// Whether the first label is `*` (RFC 4592).
pub(super) fn is_wildcard(wire: &[u8]) -> bool {
    wire.starts_with(b"\x01*")
}

/// The name as people write it.
pub(super) fn show(wire: &[u8]) -> String {
    Name::from_wire(wire).map_or_else(|_| "?".to_owned(), |name| name.to_string())
}

/// The type as people write it: `CAA`, `TYPE65280`.
pub(super) fn show_type(rtype: u16) -> String {
    Rtype::from_int(rtype).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_walked_to_the_root() {
        let name = b"\x01*\x01a\x04test\x00";
        let parts: Vec<_> = ancestors(name).map(show).collect();
        assert_eq!(parts, ["*.a.test", "a.test", "test", "."]);
        assert_eq!((count(name), count(b"\x00")), (3, 0));
        assert!(is_whole(name) && !is_whole(b"\x01a\x00\x01b\x00") && !is_whole(b"\x01a"));
        assert!(is_wildcard(name) && !is_wildcard(b"\x02*a\x00"));
        assert!(is_within(name, b"\x04test\x00") && is_within(name, b"\x00"));
        // Ends with the same octets, but not at a label's start.
        assert!(!is_within(b"\x06\x01a\x04tes\x00", b"\x04tes\x00"));
        assert_eq!((show_type(257), show_type(65280)), ("CAA".into(), "TYPE65280".into()));
    }
}
