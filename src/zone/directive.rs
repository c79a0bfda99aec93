//! Lines of a master file that start with `$`. Of them only `$TTL` (RFC 2308 section 4) is carried
//! out by us, because it may have units.

use super::units;

/// A line that starts with `$`.
pub(super) enum Directive {
    /// `$TTL`, and the seconds if they are right.
    Ttl(Option<u32>),
    /// `$ORIGIN` or `$INCLUDE`, which the reader knows.
    Known,
    /// Another.
    Unknown,
}

/// What a line's directive is; `None` when it is a record.
pub(super) fn directive(text: &[u8]) -> Option<Directive> {
    if text.first() != Some(&b'$') {
        return None;
    }
    let text = text.split(|&octet| octet == b';').next().unwrap_or_default();
    let mut words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let name = words.next()?.to_ascii_uppercase();
    Some(match name.as_slice() {
        b"$TTL" => match (words.next(), words.next()) {
            (Some(secs), None) => Directive::Ttl(units::seconds(secs)),
            _ => Directive::Ttl(None),
        },
        b"$ORIGIN" | b"$INCLUDE" => Directive::Known,
        _ => Directive::Unknown,
    })
}
