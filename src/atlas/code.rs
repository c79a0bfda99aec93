//! Codes of places, valid in form by construction.

use std::fmt;
use std::str::FromStr;

/// A continent, by the two letters that geolocation databases use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Continent {
    /// AF
    Africa,
    /// AN
    Antarctica,
    /// AS
    Asia,
    /// EU
    Europe,
    /// NA
    NorthAmerica,
    /// OC
    Oceania,
    /// SA
    SouthAmerica,
}

impl Continent {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 7] = [
        Self::Africa,
        Self::Antarctica,
        Self::Asia,
        Self::Europe,
        Self::NorthAmerica,
        Self::Oceania,
        Self::SouthAmerica,
    ];

    /// Its two letters.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Africa => "AF",
            Self::Antarctica => "AN",
            Self::Asia => "AS",
            Self::Europe => "EU",
            Self::NorthAmerica => "NA",
            Self::Oceania => "OC",
            Self::SouthAmerica => "SA",
        }
    }
}

/// Two letters in the form of an ISO 3166-1 alpha-2 code, upper case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

/// An ISO 3166-2 code: a country, and one to three letters or digits, upper case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subdivision {
    country: Country,
    /// Filled up with zero octets.
    part: [u8; 3],
}

/// A text that has not the form of the code wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotACode;

impl Country {
    /// Its two letters.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Subdivision {
    /// From a country and the part behind the hyphen, in either case.
    ///
    /// # Errors
    /// When the part is not one to three ASCII letters and digits.
    pub fn new(country: Country, part: &str) -> Result<Self, NotACode> {
        let octets = part.as_bytes();
        if octets.is_empty() || octets.len() > 3 || !octets.iter().all(u8::is_ascii_alphanumeric) {
            return Err(NotACode);
        }
        let mut part = [0; 3];
        for (to, octet) in part.iter_mut().zip(octets) {
            *to = octet.to_ascii_uppercase();
        }
        Ok(Self { country, part })
    }

    /// Its country.
    #[must_use]
    pub const fn country(self) -> Country {
        self.country
    }

    /// The part behind the hyphen.
    #[must_use]
    pub fn part(&self) -> &str {
        let len = self.part.iter().take_while(|octet| **octet != 0).count();
        self.part.get(..len).and_then(|part| std::str::from_utf8(part).ok()).unwrap_or_default()
    }
}

impl FromStr for Continent {
    type Err = NotACode;

    /// From its two letters, in either case.
    fn from_str(text: &str) -> Result<Self, NotACode> {
        Self::ALL.into_iter().find(|c| c.code().eq_ignore_ascii_case(text)).ok_or(NotACode)
    }
}

impl FromStr for Country {
    type Err = NotACode;

    /// From two ASCII letters in either case; whether such a country exists is not asked.
    fn from_str(text: &str) -> Result<Self, NotACode> {
        match *text.as_bytes() {
            [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                Ok(Self([a.to_ascii_uppercase(), b.to_ascii_uppercase()]))
            }
            _ => Err(NotACode),
        }
    }
}

impl FromStr for Subdivision {
    type Err = NotACode;

    /// From `US-CA`, in either case; whether such a subdivision exists is not asked.
    fn from_str(text: &str) -> Result<Self, NotACode> {
        let (country, part) = text.split_once('-').ok_or(NotACode)?;
        Self::new(country.parse()?, part)
    }
}

impl fmt::Display for Continent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Subdivision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.country, self.part())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Subdivision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for NotACode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not such a code")
    }
}

impl std::error::Error for NotACode {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_in_either_case() {
        assert_eq!("eu".parse(), Ok(Continent::Europe));
        assert_eq!("de".parse::<Country>().map(|c| c.to_string()), Ok("DE".into()));
        assert_eq!("us-ca".parse::<Subdivision>().map(|s| s.to_string()), Ok("US-CA".into()));
        assert_eq!("GB-ENG".parse::<Subdivision>().map(|s| s.part().len()), Ok(3));
    }

    #[test]
    fn what_has_not_the_form_is_refused() {
        for text in ["", "D", "DEU", "D1", "ü"] {
            assert_eq!(text.parse::<Country>(), Err(NotACode), "{text}");
        }
        for text in ["US", "US-", "US-CALI", "U-CA", "US-C A", "-CA", "US-Ü"] {
            assert_eq!(text.parse::<Subdivision>(), Err(NotACode), "{text}");
        }
        assert_eq!("EUR".parse::<Continent>(), Err(NotACode));
    }
}
