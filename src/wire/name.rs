//! Owner names: uncompressed wire form, lower case, valid by construction.

use std::fmt;
use std::sync::Arc;

use domain::base::Name as TextName;

use super::NAME_MAX;

/// A domain name in lower-case, uncompressed wire form, ending with the root's zero octet.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Arc<[u8]>);

/// Why a text or a sequence of octets is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// A label or the whole is too long, empty or wrongly escaped.
    #[error("{0}")]
    Text(String),
    /// Labels run past the end, a label is over 63 octets, or there is something behind the root.
    #[error("not a name in wire form")]
    Wire,
}

impl Name {
    /// Reads a name as people write it, with or without the final dot. `\DDD` is the octet of that
    /// decimal number, and a backslash before any other character takes it as it is (RFC 1035
    /// section 5.1).
    ///
    /// # Errors
    /// When a label is empty or over 63 octets, the name is over 255, or an escape is wrong.
    pub fn from_text(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Text("a label is empty".into()));
        }
        let mut is_escaped = false;
        for c in text.chars() {
            let is_plain = c.is_ascii_alphanumeric() || "-_*.\\".contains(c);
            if !(is_plain || is_escaped && c.is_ascii_graphic()) {
                let text = format!("{c:?} is not for names; any octet may be written \\DDD");
                return Err(NameError::Text(text));
            }
            is_escaped = c == '\\' && !is_escaped;
        }
        let name = TextName::vec_from_str(text).map_err(|e| NameError::Text(e.to_string()))?;
        Self::from_wire(name.as_octets())
    }

    /// Takes an uncompressed name in wire form; upper case becomes lower case.
    ///
    /// # Errors
    /// When it is not exactly one name of at most 255 octets.
    pub fn from_wire(wire: &[u8]) -> Result<Self, NameError> {
        let mut rest = wire;
        loop {
            match rest.split_first() {
                Some((0, [])) if wire.len() <= NAME_MAX => break,
                Some((len @ 1..=63, labels)) => {
                    rest = labels.get(usize::from(*len)..).ok_or(NameError::Wire)?;
                }
                _ => return Err(NameError::Wire),
            }
        }
        // Length octets are at most 63 and so never change.
        Ok(Self(wire.iter().map(u8::to_ascii_lowercase).collect()))
    }

    /// The octets, the root's zero included.
    #[must_use]
    pub fn as_wire(&self) -> &[u8] {
        &self.0
    }

    /// The name without its first label; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        above(&self.0).map(|above| Self(above.into()))
    }

    /// Whether this name is `other` or below it.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        let mut rest = self.as_wire();
        loop {
            if rest == other.as_wire() {
                return true;
            }
            let Some(above) = above(rest) else { return false };
            rest = above;
        }
    }

    /// Whether the first label is `*` (RFC 4592).
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with(b"\x01*")
    }

    /// How many labels there are, the root's not counted.
    #[must_use]
    pub fn labels(&self) -> usize {
        std::iter::successors(above(&self.0), |rest| above(rest)).count()
    }
}

/// What is behind the first label; `None` for the root.
fn above(wire: &[u8]) -> Option<&[u8]> {
    let (&len @ 1.., rest) = wire.split_first()? else { return None };
    rest.get(usize::from(len)..)
}

/// Without the final dot, as in the configuration; the root is `.`.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.as_wire();
        if rest.len() == 1 {
            return f.write_str(".");
        }
        while let Some((&len @ 1..=63, tail)) = rest.split_first() {
            let Some((label, after)) = tail.split_at_checked(usize::from(len)) else { break };
            for &byte in label {
                match byte {
                    b'.' | b'\\' | b'"' | b';' | b'(' | b')' | b'@' | b'$' => {
                        write!(f, "\\{}", char::from(byte))?;
                    }
                    0x21..=0x7e => write!(f, "{}", char::from(byte))?,
                    _ => write!(f, "\\{byte:03}")?,
                }
            }
            rest = after;
            if rest.len() > 1 {
                f.write_str(".")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn text_and_wire_agree() {
        let name = Name::from_text("WWW.Example.com").unwrap();
        assert_eq!(name.as_wire(), b"\x03www\x07example\x03com\x00");
        assert_eq!(name.to_string(), "www.example.com");
        assert_eq!(Name::from_text("www.example.com.").unwrap(), name);
        assert_eq!(name.labels(), 3);
        assert_eq!(Name::from_text(".").unwrap().to_string(), ".");
        assert!(name.is_within(&Name::from_text("com").unwrap()));
        assert!(!name.is_within(&Name::from_text("ample.com").unwrap()));
        assert_eq!(name.parent().unwrap().to_string(), "example.com");
        assert_eq!(Name::from_text("*.a_b.x\\.y").unwrap().to_string(), "*.a_b.x\\.y");
    }

    #[test]
    fn rfc1035_5_1_escapes_are_decimal() {
        let name = Name::from_text("a\\032\\000\\255.\\065\\..\\\\x\\@").unwrap();
        assert_eq!(name.as_wire(), b"\x04a \x00\xff\x02a.\x03\\x@\x00");
        assert_eq!(name.to_string(), "a\\032\\000\\255.a\\..\\\\x\\@");
        assert_eq!(Name::from_text(&name.to_string()), Ok(name));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = ["a".repeat(64), "abcdefg.".repeat(40)];
        let short =
            ["a..b", ".a", "..", "", "a b", "a,b", "ä", "a\\", "a\\25", "a\\256", "a\\\\ b"];
        for text in short.into_iter().chain(long.iter().map(String::as_str)) {
            assert!(Name::from_text(text).is_err(), "{text}");
        }
        for wire in [&b""[..], b"\x03ww", b"\x00\x00", b"\xc0\x0c", b"\x01a"] {
            assert_eq!(Name::from_wire(wire), Err(NameError::Wire));
        }
    }
}
