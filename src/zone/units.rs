//! Times with units (`1h30m`), which many master files use though RFC 1035 knows only seconds.
//!
//! The reader is asked first; only an entry that it refuses is rewritten here and asked again.

/// `90`, `1h30m`, `2W` in seconds; `None` when it is something else or over 2^32 - 1.
pub(super) fn seconds(text: &[u8]) -> Option<u32> {
    let mut total = 0_u32;
    let mut number: Option<u32> = None;
    for &octet in text {
        if octet.is_ascii_digit() {
            let digit = u32::from(octet - b'0');
            number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(digit)?);
            continue;
        }
        let unit = match octet.to_ascii_lowercase() {
            b's' => 1,
            b'm' => 60,
            b'h' => 3600,
            b'd' => 86_400,
            b'w' => 604_800,
            _ => return None,
        };
        total = total.checked_add(number.take()?.checked_mul(unit)?)?;
    }
    match number {
        // `90` is seconds; `1h30` is nothing that anyone agrees on.
        Some(number) if total == 0 && text.iter().all(u8::is_ascii_digit) => Some(number),
        Some(_) => None,
        None => (!text.is_empty()).then_some(total),
    }
}

/// The entry with its TTL, and the four times of an SOA, in plain seconds; `None` when there is
/// nothing to rewrite. Line breaks stay where they are.
pub(super) fn rewrite(entry: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(entry.len() + 16);
    let mut changed = false;
    let mut at = Position::Before;
    let mut rest = entry;
    let mut first = true;
    while !rest.is_empty() {
        let gap = gap_len(rest);
        let (blank, after) = rest.split_at(gap);
        out.extend_from_slice(blank);
        if after.is_empty() {
            break;
        }
        let (token, after) = after.split_at(token_len(after));
        let is_owner = std::mem::take(&mut first) && gap == 0;
        match if is_owner { None } else { at.time(token) } {
            Some(secs) if !token.iter().all(u8::is_ascii_digit) => {
                out.extend_from_slice(secs.to_string().as_bytes());
                changed = true;
            }
            _ => out.extend_from_slice(token),
        }
        rest = after;
    }
    changed.then_some(out)
}

/// Where in an entry a token stands.
enum Position {
    /// Between owner and type.
    Before,
    /// So many fields into the data of an SOA.
    Soa(usize),
    /// In other data, where nothing is a time.
    Data,
}

impl Position {
    /// The seconds that `token` means if a time may stand here; moves on.
    fn time(&mut self, token: &[u8]) -> Option<u32> {
        match self {
            Self::Data => None,
            Self::Soa(field) => {
                *field += 1;
                if *field > 3 { seconds(token) } else { None }
            }
            Self::Before => {
                let secs = seconds(token);
                let class = [&b"IN"[..], b"CH", b"HS"];
                if token.eq_ignore_ascii_case(b"SOA") {
                    *self = Self::Soa(0);
                } else if secs.is_none() && !class.iter().any(|c| token.eq_ignore_ascii_case(c)) {
                    *self = Self::Data;
                }
                secs
            }
        }
    }
}

/// Blanks, line breaks, parentheses and comments at the start.
pub(super) fn gap_len(text: &[u8]) -> usize {
    let mut comment = false;
    text.iter()
        .position(|&octet| match octet {
            b'\n' => {
                comment = false;
                false
            }
            _ if comment => false,
            b';' => {
                comment = true;
                false
            }
            b' ' | b'\t' | b'\r' | b'(' | b')' => false,
            _ => true,
        })
        .unwrap_or(text.len())
}

/// The token at the start; at least one octet when there is any.
pub(super) fn token_len(text: &[u8]) -> usize {
    let mut escaped = false;
    let quoted = text.first() == Some(&b'"');
    for (at, &octet) in text.iter().enumerate().skip(usize::from(quoted)) {
        if escaped {
            escaped = false;
        } else if octet == b'\\' {
            escaped = true;
        } else if quoted {
            if octet == b'"' {
                return at + 1;
            }
        } else if matches!(octet, b' ' | b'\t' | b'\r' | b'\n' | b'(' | b')' | b';' | b'"') {
            return at.max(1);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_add_up() {
        for (text, secs) in [
            ("0", Some(0)),
            ("90", Some(90)),
            ("1h30m", Some(5400)),
            ("2W", Some(1_209_600)),
            ("1d1s", Some(86_401)),
            ("4294967295", Some(u32::MAX)),
            ("4294967296", None),
            ("1h30", None),
            ("h", None),
            ("", None),
            ("1x", None),
            ("99999w", None),
        ] {
            assert_eq!(seconds(text.as_bytes()), secs, "{text}");
        }
    }

    #[test]
    fn only_times_are_rewritten() {
        let told = |text: &str| rewrite(text.as_bytes()).map(|t| String::from_utf8(t).unwrap());
        assert_eq!(told("1h 1h IN A 192.0.2.1\n"), Some("1h 3600 IN A 192.0.2.1\n".into()));
        assert_eq!(told("  IN 2m TXT 1h \"1h\"\n"), Some("  IN 120 TXT 1h \"1h\"\n".into()));
        assert_eq!(
            told("@ SOA 1h 2h ( 3 ; 1h\n 4h\n 5m 1w 60 )\n"),
            Some("@ SOA 1h 2h ( 3 ; 1h\n 14400\n 300 604800 60 )\n".into())
        );
        assert_eq!(told("a 60 IN A 192.0.2.1\n"), None);
        assert_eq!(told("a TXT 1h\n"), None);
    }
}
