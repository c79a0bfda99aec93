//! Data in the form of RFC 3597 (`\# 4 c0000201`), and which types a zone may hold.

use domain::base::ParsedName;
use domain::base::iana::Rtype;
use domain::base::rdata::{ComposeRecordData, ParseRecordData};
use domain::dep::octseq::Parser;
use domain::rdata::ZoneRecordData;

use crate::wire::rtype;

/// The data of a type as they are kept. Those of a known type are read, so that nothing can be
/// smuggled in that is not what it says; `None` when they are not.
pub(super) fn plain(rtype: u16, data: &[u8]) -> Option<Vec<u8>> {
    let mut parser = Parser::from_ref(data);
    let parsed: ZoneRecordData<_, ParsedName<_>> =
        ZoneRecordData::parse_rdata(Rtype::from_int(rtype), &mut parser).ok()??;
    if parser.remaining() > 0 {
        return None;
    }
    let mut plain = Vec::with_capacity(data.len());
    let Ok(()) = parsed.compose_rdata(&mut plain);
    Some(plain)
}

/// Whether the type exists in questions and messages only (RFC 6895 section 3.1).
pub(super) const fn is_meta(rtype: u16) -> bool {
    matches!(rtype, 0 | rtype::OPT | 128..=255)
}

/// Whether the text form of a type has names, where two dots in a row are a mistake.
pub(super) const fn may_hold_names(rtype: u16) -> bool {
    // Addresses, HINFO, TXT, SPF and CAA.
    !matches!(rtype, rtype::A | rtype::AAAA | 13 | 16 | 99 | 257)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_types_must_be_what_they_say() {
        assert_eq!(plain(1, &[192, 0, 2, 1]), Some(vec![192, 0, 2, 1]));
        assert_eq!(plain(1, &[192, 0, 2]), None);
        assert_eq!(plain(1, &[192, 0, 2, 1, 0]), None);
        assert_eq!(plain(5, b"\x01A\x00"), Some(b"\x01A\x00".to_vec()));
        assert_eq!(plain(5, b"\x02a\x00"), None);
        assert_eq!(plain(5, b"\xc0\x00"), None);
        assert_eq!(plain(65280, &[1, 2, 3]), Some(vec![1, 2, 3]));
        assert_eq!(plain(65280, &[]), Some(vec![]));
        assert!(is_meta(255) && is_meta(41) && is_meta(0) && !is_meta(257) && !is_meta(43));
    }
}
