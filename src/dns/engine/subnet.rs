//! Hot: EDNS Client Subnet (RFC 7871): read strictly, and sent back with a scope.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::wire::Family;

/// What a query says of the network that its client is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Carried {
    /// Nothing.
    #[default]
    Nothing,
    /// Something that is not looked at, for client subnets are not used here.
    Ignored,
    /// This network.
    Subnet(Subnet),
}

impl Carried {
    /// The network, if it is looked at.
    pub(super) const fn subnet(self) -> Option<Subnet> {
        match self {
            Self::Subnet(subnet) => Some(subnet),
            Self::Nothing | Self::Ignored => None,
        }
    }
}

/// A network as a client's resolver sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subnet {
    /// `None`: no address at all, and no family either.
    family: Option<Family>,
    /// The length of the prefix: SOURCE PREFIX-LENGTH.
    source: u8,
    /// The address, its bits behind the prefix zero; an IPv4 one in the first four octets.
    address: [u8; 16],
}

/// The option's code (RFC 7871 section 6).
pub(super) const CODE: u16 = 8;
/// Octets of code and length, and of family and prefix lengths.
const FIXED: usize = 8;

impl Subnet {
    /// Reads an option's data. `None` when it is malformed (RFC 7871 sections 6 and 7.1.2).
    ///
    /// Family 0 without an address is what some clients (getdns and stubby, older `dig`) send to
    /// say that their address is not to be used, and is taken for that.
    #[expect(clippy::arithmetic_side_effects, reason = "an address of at most 128 bits")]
    pub(super) fn read(data: &[u8]) -> Option<Self> {
        let (&[f1, f0, source, scope], sent) = data.split_first_chunk::<4>()?;
        let (family, longest) = match u16::from_be_bytes([f1, f0]) {
            0 => (None, 0),
            1 => (Some(Family::V4), 32),
            2 => (Some(Family::V6), 128),
            _ => return None,
        };
        if source > longest || scope != 0 || sent.len() != octets(source) {
            return None;
        }
        // Of the last octet the bits that the prefix does not cover, at most seven.
        let spare = sent.len() * 8 - usize::from(source);
        if sent.last().is_some_and(|last| (last.trailing_zeros() as usize) < spare) {
            return None;
        }
        let mut address = [0; 16];
        address.get_mut(..sent.len())?.copy_from_slice(sent);
        Some(Self { family, source, address })
    }

    /// The network's address and the length of its prefix. `None` when the client does not want
    /// to be known by it (RFC 7871 section 7.1.2).
    pub(super) const fn prefix(&self) -> Option<(IpAddr, u8)> {
        let [a, b, c, d, ..] = self.address;
        let v6 = Ipv6Addr::from_bits(u128::from_be_bytes(self.address));
        match self.family {
            _ if self.source == 0 => None,
            Some(Family::V4) => Some((IpAddr::V4(Ipv4Addr::new(a, b, c, d)), self.source)),
            _ => Some((IpAddr::V6(v6), self.source)),
        }
    }

    /// Octets of the option.
    #[expect(clippy::arithmetic_side_effects, reason = "an address of at most 128 bits")]
    pub(super) const fn len(&self) -> usize {
        FIXED + octets(self.source)
    }

    /// The option as it was sent but for the scope: its head, and the address in full, of which
    /// only what makes up [`Self::len`] is sent.
    #[expect(clippy::arithmetic_side_effects, reason = "the length is at least that of the head")]
    pub(super) const fn option(&self, scope: u8) -> ([u8; FIXED], &[u8; 16]) {
        let family = match self.family {
            None => 0,
            Some(Family::V4) => 1,
            Some(Family::V6) => 2,
        };
        let len = (self.len() - 4) as u8;
        ([0, CODE as u8, 0, len, 0, family, self.source, scope], &self.address)
    }
}

/// How many octets hold so many bits.
const fn octets(bits: u8) -> usize {
    (bits as usize).div_ceil(8)
}
