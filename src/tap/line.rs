//! Hot: what a line of the query log says of an answer.

use std::net::IpAddr;

use super::octets::{Reader, Writer};

/// A moment of the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    /// Seconds of Unix time; wraps around.
    pub unix_secs: u32,
    /// Nanoseconds within that second.
    pub nanos: u32,
}

/// What a query came over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
}

/// What was answered, and to whom. The regions stand behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// When the query's batch came.
    pub at: Moment,
    /// The snapshot that answered.
    pub generation: u64,
    /// What the query came over.
    pub transport: Transport,
    /// Where it came from.
    pub client: IpAddr,
    /// The EDNS Client Subnet that it carried, where those are used: an address and the length of its
    /// prefix.
    pub subnet: Option<(IpAddr, u8)>,
    /// Whether that decided the answer.
    pub by_subnet: bool,
    /// The opcode, 0 to 15.
    pub opcode: u8,
    /// The question, where one could be read.
    pub asked: Option<Asked<'a>>,
    /// The response code with its extended bits.
    pub rcode: u16,
    /// Whether the reply was cut short (TC).
    pub truncated: bool,
    /// The TTL in seconds of the addresses that the record below answered, or else of the reply's first
    /// record.
    pub ttl: Option<u32>,
    /// The dynamic record that answered, if one did.
    pub dynamic: Option<Dynamic<'a>>,
}

/// A question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The name in lower-case wire form.
    pub name: &'a [u8],
    /// The type.
    pub qtype: u16,
    /// The class.
    pub class: u16,
}

/// A dynamic record that answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dynamic<'a> {
    /// Its owner name in wire form, perhaps a wildcard's.
    pub record: &'a [u8],
    /// Which rule made the shares that were drawn from.
    pub reason: &'a str,
}

/// The regions that an answer is from.
#[derive(Debug, Clone)]
pub struct Regions<'a>(&'a [u8]);

/// Where a line ends at the latest, in octets: regions that would be behind it are left out.
const END: usize = 1 << 16;

/// Bits of the octet that says what there is.
const TCP: u8 = 1;
const SUBNET: u8 = 2;
const BY_SUBNET: u8 = 4;
const ASKED: u8 = 8;
const TRUNCATED: u8 = 16;
const TTL: u8 = 32;
const DYNAMIC: u8 = 64;

impl<'a> Line<'a> {
    /// Appends it and the names of the regions, at most 64 KiB.
    pub fn write<'r>(&self, regions: impl Iterator<Item = &'r str>, to: &mut Vec<u8>) {
        let start = to.len();
        let mut to = Writer(to);
        let bit = |is: bool, bit: u8| if is { bit } else { 0 };
        to.u8(bit(self.transport == Transport::Tcp, TCP)
            | bit(self.subnet.is_some(), SUBNET)
            | bit(self.by_subnet, BY_SUBNET)
            | bit(self.asked.is_some(), ASKED)
            | bit(self.truncated, TRUNCATED)
            | bit(self.ttl.is_some(), TTL)
            | bit(self.dynamic.is_some(), DYNAMIC));
        to.u32(self.at.unix_secs);
        to.u32(self.at.nanos);
        to.u64(self.generation);
        to.address(self.client);
        to.u8(self.opcode);
        to.u16(self.rcode);
        if let Some((address, len)) = self.subnet {
            to.address(address);
            to.u8(len);
        }
        if let Some(Asked { name, qtype, class }) = self.asked {
            to.octets(name);
            to.u16(qtype);
            to.u16(class);
        }
        if let Some(ttl) = self.ttl {
            to.u32(ttl);
        }
        if let Some(Dynamic { record, reason }) = self.dynamic {
            to.octets(record);
            to.octets(reason.as_bytes());
        }
        for region in regions {
            let len = to.0.len().saturating_sub(start).saturating_add(region.len());
            if len > END.saturating_sub(size_of::<u16>()) {
                break;
            }
            to.octets(region.as_bytes());
        }
    }

    /// Reads it back; `None` when it is none.
    #[must_use]
    pub fn read(octets: &'a [u8]) -> Option<(Self, Regions<'a>)> {
        let mut from = Reader(octets);
        let bits = from.u8()?;
        let has = |bit: u8| bits & bit != 0;
        let at = Moment { unix_secs: from.u32()?, nanos: from.u32()? };
        let generation = from.u64()?;
        let client = from.address()?;
        let (opcode, rcode) = (from.u8()?, from.u16()?);
        let subnet = if has(SUBNET) { Some((from.address()?, from.u8()?)) } else { None };
        let asked = if has(ASKED) {
            Some(Asked { name: from.octets()?, qtype: from.u16()?, class: from.u16()? })
        } else {
            None
        };
        let ttl = if has(TTL) { Some(from.u32()?) } else { None };
        let dynamic = if has(DYNAMIC) {
            Some(Dynamic { record: from.octets()?, reason: from.text()? })
        } else {
            None
        };
        let line = Self {
            at,
            generation,
            transport: if has(TCP) { Transport::Tcp } else { Transport::Udp },
            client,
            subnet,
            by_subnet: has(BY_SUBNET),
            opcode,
            asked,
            rcode,
            truncated: has(TRUNCATED),
            ttl,
            dynamic,
        };
        Some((line, Regions(from.0)))
    }
}

impl<'a> Iterator for Regions<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let mut from = Reader(self.0);
        let region = from.text()?;
        self.0 = from.0;
        Some(region)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    const NAME: &[u8] = b"\x03app\x04test\x00";

    fn full() -> Line<'static> {
        Line {
            at: Moment { unix_secs: 1_700_000_000, nanos: 123_456_789 },
            generation: u64::MAX,
            transport: Transport::Tcp,
            client: "2001:db8::1".parse().unwrap(),
            subnet: Some(("192.0.2.0".parse().unwrap(), 24)),
            by_subnet: true,
            opcode: 0,
            asked: Some(Asked { name: NAME, qtype: 28, class: 1 }),
            rcode: 3,
            truncated: true,
            ttl: Some(60),
            dynamic: Some(Dynamic { record: b"\x01*\x04test\x00", reason: "open" }),
        }
    }

    fn bare() -> Line<'static> {
        Line {
            transport: Transport::Udp,
            client: "192.0.2.7".parse().unwrap(),
            subnet: None,
            by_subnet: false,
            opcode: 4,
            asked: None,
            truncated: false,
            ttl: None,
            dynamic: None,
            ..full()
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for (line, regions) in [(full(), &["eu-west", "Ω"][..]), (bare(), &[]), (full(), &[])] {
            let mut octets = b"before".to_vec();
            line.write(regions.iter().copied(), &mut octets);
            let (read, of) = Line::read(&octets[6..]).unwrap();
            assert_eq!(read, line);
            assert_eq!(of.collect::<Vec<_>>(), regions);
        }
    }

    #[test]
    fn what_is_cut_short_is_no_line() {
        let mut octets = Vec::new();
        full().write(std::iter::empty(), &mut octets);
        for len in 0..octets.len() {
            assert_eq!(Line::read(&octets[..len]).map(|(line, _)| line), None, "{len}");
        }
    }

    #[test]
    fn regions_without_end_are_left_out() {
        let region = "r".repeat(1000);
        let mut octets = Vec::new();
        full().write(std::iter::repeat_n(region.as_str(), 1000), &mut octets);
        assert!(octets.len() <= END, "{}", octets.len());
        let (_, regions) = Line::read(&octets).unwrap();
        assert_eq!(regions.count(), 65);
    }
}
