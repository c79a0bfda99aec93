//! Whom a question is asked for.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::routing::Asker;

/// Whom a question is asked for, as it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "as", content = "client")]
pub enum From {
    /// The source of the query.
    Source(IpAddr),
    /// The EDNS Client Subnet that the query carries.
    ClientSubnet(IpNet),
}

/// Why a text is neither an address nor a prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotFrom {
    /// It is something else.
    #[error("wanted an address (192.0.2.1, 2001:db8::1) or a prefix (192.0.2.0/24, 2001:db8::/48)")]
    Neither,
    /// It is no prefix but an address within one.
    #[error("bits are set behind the prefix's length: wanted {0}, or the address alone")]
    HostBits(IpNet),
}

impl From {
    /// As routing is asked. A query with a Client Subnet comes from whom nothing is known, and so
    /// does one for which nobody is named.
    #[must_use]
    pub fn asker(this: Option<Self>, client_subnet: bool) -> Asker {
        let nobody = Asker { source: Ipv4Addr::UNSPECIFIED.into(), subnet: None };
        match this {
            None => nobody,
            Some(Self::Source(source)) => Asker { source, subnet: None },
            Some(Self::ClientSubnet(net)) => {
                let subnet = client_subnet.then(|| (net.addr(), net.prefix_len()));
                Asker { subnet, ..nobody }
            }
        }
    }
}

impl FromStr for From {
    type Err = NotFrom;

    fn from_str(text: &str) -> Result<Self, NotFrom> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Source(address));
        }
        match text.parse::<IpNet>() {
            Ok(net) if net.trunc() == net => Ok(Self::ClientSubnet(net)),
            Ok(net) => Err(NotFrom::HostBits(net.trunc())),
            Err(_) => Err(NotFrom::Neither),
        }
    }
}

impl fmt::Display for From {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(address) => write!(f, "{address}, the source of the query"),
            Self::ClientSubnet(net) => write!(f, "{net}, the query's EDNS Client Subnet"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_source_and_a_prefix_a_subnet() {
        let asker = |text: &str| From::asker(text.parse().ok(), true);
        let nobody = From::asker(None, true);
        assert_eq!(asker("192.0.2.7").source.to_string(), "192.0.2.7");
        assert_eq!(asker("192.0.2.7").subnet, None);
        let subnet = asker("2001:db8::/48");
        assert_eq!(subnet.subnet, Some(("2001:db8::".parse().unwrap(), 48)));
        assert_eq!(subnet.source, nobody.source);
        assert_eq!(asker("192.0.2.7/32").subnet, Some(("192.0.2.7".parse().unwrap(), 32)));
        assert_eq!(From::asker("192.0.2.0/24".parse().ok(), false), nobody);
    }

    #[test]
    fn what_is_neither_is_refused_and_host_bits_are_put_right() {
        let error = |text: &str| text.parse::<From>().unwrap_err();
        assert_eq!(error("192.0.2.7/24"), NotFrom::HostBits("192.0.2.0/24".parse().unwrap()));
        for text in ["", "192.0.2", "192.0.2.0/33", "us-east", "2001:db8::/129", "192.0.2.0/"] {
            assert_eq!(error(text), NotFrom::Neither, "{text}");
        }
    }
}
