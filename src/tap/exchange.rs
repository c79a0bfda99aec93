//! Hot: a query and its reply as they were on the wire, for dnstap.

use std::net::{IpAddr, SocketAddr};

use super::line::{Moment, Transport};
use super::octets::{Reader, Writer};

/// A query and its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange<'a> {
    /// When the query's batch came.
    pub at: Moment,
    /// What the query came over.
    pub transport: Transport,
    /// Where it came from.
    pub client: SocketAddr,
    /// Where it came to, as far as that is known.
    pub server: Option<SocketAddr>,
    /// The query, at most 65,535 octets.
    pub query: &'a [u8],
    /// The reply, as long; empty where a zone was sent.
    pub reply: &'a [u8],
}

/// Bits of the octet that says what there is.
const TCP: u8 = 1;
const SERVER: u8 = 2;

impl<'a> Exchange<'a> {
    /// Appends it, at most 128 KiB and 64 octets.
    pub fn write(&self, to: &mut Vec<u8>) {
        let mut to = Writer(to);
        let tcp = if self.transport == Transport::Tcp { TCP } else { 0 };
        to.u8(tcp | if self.server.is_some() { SERVER } else { 0 });
        to.u32(self.at.unix_secs);
        to.u32(self.at.nanos);
        for end in std::iter::once(self.client).chain(self.server) {
            to.address(end.ip());
            to.u16(end.port());
        }
        to.octets(self.query);
        to.octets(self.reply);
    }

    /// Reads it back; `None` when it is none.
    #[must_use]
    pub fn read(octets: &'a [u8]) -> Option<Self> {
        let mut from = Reader(octets);
        let bits = from.u8()?;
        let at = Moment { unix_secs: from.u32()?, nanos: from.u32()? };
        let mut end = || {
            let address: IpAddr = from.address()?;
            Some(SocketAddr::new(address, from.u16()?))
        };
        let client = end()?;
        let server = if bits & SERVER != 0 { Some(end()?) } else { None };
        let transport = if bits & TCP != 0 { Transport::Tcp } else { Transport::Udp };
        let (query, reply) = (from.octets()?, from.octets()?);
        Some(Self { at, transport, client, server, query, reply })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let longest = vec![7; usize::from(u16::MAX)];
        let exchange = Exchange {
            at: Moment { unix_secs: 1, nanos: 2 },
            transport: Transport::Tcp,
            client: "192.0.2.1:4321".parse().unwrap(),
            server: Some("[2001:db8::1]:53".parse().unwrap()),
            query: b"a query",
            reply: &longest,
        };
        let less = Exchange { transport: Transport::Udp, server: None, reply: &[], ..exchange };
        for exchange in [exchange, less] {
            let mut octets = Vec::new();
            exchange.write(&mut octets);
            assert_eq!(Exchange::read(&octets), Some(exchange));
            assert_eq!(Exchange::read(&octets[..octets.len() - 1]), None);
        }
    }
}
