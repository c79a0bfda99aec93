//! What a prometheus check asks of a server, and which figures are a failure.

use std::fmt::{self, Write as _};
use std::path::PathBuf;

use super::placeholders::{ADDRESS, filled};
use crate::model::{Destination, Digest};

/// A query and what its result must not be.
#[derive(Debug, Clone, PartialEq)]
pub struct PrometheusProbe {
    /// Where the server is: a URL, below which its API lies.
    pub url: String,
    /// The query, with `{region}` and `{address}` in it.
    pub query: String,
    /// Which figures are a failure.
    pub fail_when: FailWhen,
    /// A file with a bearer token, read for each query.
    pub token_file: Option<PathBuf>,
    /// A file with the authorities of the server's certificate, in PEM; else those of this machine.
    pub ca_file: Option<PathBuf>,
}

impl PrometheusProbe {
    /// Whether it is about addresses, and not about regions as a whole.
    #[must_use]
    pub fn about_address(&self) -> bool {
        self.query.contains(ADDRESS)
    }

    /// The query for one destination. What is put in is good within double or single quotes.
    #[must_use]
    pub fn query(&self, destination: &Destination) -> String {
        let region = escaped(destination.region().unwrap_or_default());
        let address = destination.address().map(|at| at.to_string()).unwrap_or_default();
        filled(&self.query, &region, &address)
    }

    pub(super) fn digest(&self, digest: Digest) -> Digest {
        // How the server is reached and trusted says nothing of what is wanted.
        let Self { url, query, fail_when, token_file: _, ca_file: _ } = self;
        let FailWhen { comparison, figure } = fail_when;
        digest.text(url).text(query).text(comparison.label()).number(figure.to_bits())
    }
}

/// A text within a string literal of PromQL, whichever quotes it has: an escaped quote is good only within
/// its own kind, an octet by its number in both.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '"' | '\'' | '`' | '\0'..='\x1f' => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// A comparison with a figure: `> 0.05`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FailWhen {
    /// How a sample is compared.
    pub comparison: Comparison,
    /// With what: finite.
    pub figure: f64,
}

impl FailWhen {
    /// Reads `> 0.05`; `None`: it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        // The longer ones first.
        let (comparison, rest) = Comparison::ALL.into_iter().find_map(|comparison| {
            text.strip_prefix(comparison.label()).map(|rest| (comparison, rest))
        })?;
        let figure = rest.trim().parse::<f64>().ok().filter(|figure| figure.is_finite())?;
        Some(Self { comparison, figure })
    }

    /// Whether a sample is a failure.
    #[must_use]
    #[expect(clippy::float_cmp, reason = "who asks for equality gets it")]
    pub fn holds(self, sample: f64) -> bool {
        match self.comparison {
            Comparison::AtLeast => sample >= self.figure,
            Comparison::AtMost => sample <= self.figure,
            Comparison::Equal => sample == self.figure,
            Comparison::Unequal => sample != self.figure,
            Comparison::Above => sample > self.figure,
            Comparison::Below => sample < self.figure,
        }
    }
}

impl fmt::Display for FailWhen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.comparison.label(), self.figure)
    }
}

/// How a sample is compared with a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `>=`
    AtLeast,
    /// `<=`
    AtMost,
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `>`
    Above,
    /// `<`
    Below,
}

impl Comparison {
    /// All of them, none behind one that it begins with.
    const ALL: [Self; 6] =
        [Self::AtLeast, Self::AtMost, Self::Equal, Self::Unequal, Self::Above, Self::Below];

    /// As it is written.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::AtLeast => ">=",
            Self::AtMost => "<=",
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Above => ">",
            Self::Below => "<",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_are_read_and_hold() {
        for (text, failures) in [
            ("> 0.05", [false, false, true]),
            (">= 0.05", [false, true, true]),
            ("<0.05", [true, false, false]),
            (" <=  5e-2 ", [true, true, false]),
            ("== 0.05", [false, true, false]),
            ("!= 0.05", [true, false, true]),
        ] {
            let when = FailWhen::parse(text).unwrap();
            assert_eq!([0.0, 0.05, 0.1].map(|sample| when.holds(sample)), failures, "{text}");
        }
        assert_eq!(FailWhen::parse(">=1").unwrap().to_string(), ">= 1");
        for bad in ["", ">", "0.05", "> x", "=> 1", "= 1", "> NaN", "> inf", "> 1 2", "~ 1"] {
            assert_eq!(FailWhen::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_region_cannot_leave_its_quotes() {
        let probe = PrometheusProbe {
            url: String::new(),
            query: r#"up{region="{region}"} and on() x{ip='{address}'}"#.into(),
            fail_when: FailWhen { comparison: Comparison::Above, figure: 0.0 },
            token_file: None,
            ca_file: None,
        };
        let odd = Destination::Member {
            region: "a\"} or vector(1) #\\".into(),
            address: [192, 0, 2, 1].into(),
        };
        assert_eq!(
            probe.query(&odd),
            r#"up{region="a\x22} or vector(1) #\x5c"} and on() x{ip='192.0.2.1'}"#
        );
        assert!(probe.about_address());
    }
}
