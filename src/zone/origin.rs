//! The origin as `@` within data (RFC 1035 section 5.1), which the reader knows as an owner only.

use std::str::FromStr;

use domain::base::iana::Rtype;

use super::generic::may_hold_names;
use super::units::{gap_len, seconds, token_len};

/// The entry with the origin, as people write it, for each `@` in its data; `None` when there is
/// nothing to rewrite. Line breaks stay where they are. Texts, where `@` is a text, stay too.
pub(super) fn rewrite(entry: &[u8], origin: impl FnOnce() -> Option<String>) -> Option<Vec<u8>> {
    if !entry.iter().skip(1).any(|&octet| octet == b'@') {
        return None;
    }
    let (mut places, mut is_data, mut at) = (Vec::new(), false, 0);
    while let Some(rest) = entry.get(at..).filter(|rest| !rest.is_empty()) {
        let gap = gap_len(rest);
        let is_owner = at == 0 && gap == 0;
        at += gap;
        let rest = entry.get(at..).unwrap_or_default();
        let token = rest.get(..token_len(rest)).unwrap_or_default();
        if is_data && token == b"@" {
            places.push(at);
        }
        if !is_data && !is_owner && !is_before_type(token) {
            let rtype = std::str::from_utf8(token).ok().and_then(|t| Rtype::from_str(t).ok())?;
            if !may_hold_names(rtype.to_int()) {
                return None;
            }
            is_data = true;
        }
        at += token.len();
    }
    if places.is_empty() {
        return None;
    }
    let (origin, mut out, mut from) = (origin()?, Vec::new(), 0);
    for place in places {
        out.extend_from_slice(entry.get(from..place)?);
        out.extend_from_slice(origin.as_bytes());
        from = place + 1;
    }
    out.extend_from_slice(entry.get(from..)?);
    Some(out)
}

/// Whether a token between owner and type is a TTL or a class.
fn is_before_type(token: &[u8]) -> bool {
    let class = [&b"IN"[..], b"CH", b"HS"];
    seconds(token).is_some()
        || class.iter().any(|class| token.eq_ignore_ascii_case(class))
        || token.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"CLASS"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc1035_5_1_a_free_standing_at_sign_is_the_origin() {
        for (entry, wanted) in [
            ("www CNAME @\n", Some("www CNAME o.\n")),
            ("@ MX 10 @ ; @\n", Some("@ MX 10 o. ; @\n")),
            ("  1h IN MX ( 10\n @ )\n", Some("  1h IN MX ( 10\n o. )\n")),
            ("@ 60 soa @ a@b ( 1 2 3 4 5 )\n", Some("@ 60 soa o. a@b ( 1 2 3 4 5 )\n")),
            ("@ SRV 1 2 3 @\n", Some("@ SRV 1 2 3 o.\n")),
            ("@ TXT @\n", None),
            ("a CNAME \\@\n", None),
            ("a CNAME x@y\n", None),
            ("@ A 192.0.2.1\n", None),
            ("@ NS ns ; @\n", None),
            ("@ \n", None),
            ("@", None),
        ] {
            let text = rewrite(entry.as_bytes(), || Some("o.".to_owned()));
            assert_eq!(text.as_deref(), wanted.map(str::as_bytes), "{entry}");
        }
    }
}
