//! The two address families.

use std::net::IpAddr;

use super::rtype;

/// The address family that a question asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// A.
    V4,
    /// AAAA.
    V6,
}

impl Family {
    /// Both, in the order in which they are shown.
    pub const BOTH: [Self; 2] = [Self::V4, Self::V6];

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::V4 => Self::V6,
            Self::V6 => Self::V4,
        }
    }

    /// 0 for IPv4, 1 for IPv6.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The family of an address.
    #[must_use]
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// The family that a question of this type asks for.
    #[must_use]
    pub const fn asked_by(qtype: u16) -> Option<Self> {
        match qtype {
            rtype::A => Some(Self::V4),
            rtype::AAAA => Some(Self::V6),
            _ => None,
        }
    }

    /// The label of metrics and the word of logs: `ipv4`, `ipv6`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::V4 => "ipv4",
            Self::V6 => "ipv6",
        }
    }

    /// The word of sentences: `IPv4`, `IPv6`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }
}
