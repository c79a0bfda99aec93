//! What stands in a text for the region and the address that a probe is about.

use std::net::IpAddr;

use crate::model::Destination;

/// The token for the region's name.
pub(super) const REGION: &str = "{region}";
/// The token for the address.
pub(super) const ADDRESS: &str = "{address}";

/// Puts values in the place of `{region}` and `{address}`; all other braces stay as they are, and so
/// do tokens within what was put in.
#[must_use]
pub(super) fn filled(text: &str, region: &str, address: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let tokens = [(REGION, region), (ADDRESS, address)];
        let found = tokens
            .iter()
            .find_map(|(token, value)| from.strip_prefix(token).map(|behind| (behind, *value)));
        (rest, _) = match found {
            Some((behind, value)) => (behind, out.push_str(value)),
            None => (from.get(1..).unwrap_or_default(), out.push('{')),
        };
    }
    out.push_str(rest);
    out
}

impl Destination {
    /// The region's name, where it is about one.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        match self {
            Self::Region(region) | Self::Member { region, .. } => Some(region),
            Self::Address(_) | Self::Name(_) => None,
        }
    }

    /// The address, where it is about one.
    #[must_use]
    pub const fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Address(address) | Self::Member { address, .. } => Some(*address),
            Self::Region(_) | Self::Name(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_tokens_are_replaced() {
        let fill = |text| filled(text, "us-east", "192.0.2.1");
        assert_eq!(fill("x"), "x");
        assert_eq!(fill("{region}{address}"), "us-east192.0.2.1");
        assert_eq!(
            fill(r#"sum(rate(e{job="x",region="{region}"}[1m]))"#),
            r#"sum(rate(e{job="x",region="us-east"}[1m]))"#
        );
        for same in ["{", "{}", "{{", "{Region}", "{regions}", "{ region }", "{é}", "}{"] {
            assert_eq!(fill(same), same);
        }
        assert_eq!(fill("{{region}}"), "{us-east}");
        assert_eq!(filled("{region}", "{address}", "1"), "{address}", "once");
    }
}
