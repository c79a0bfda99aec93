//! Replies in a form that can be compared: sections as sets, names in lower case.

use std::collections::BTreeSet;
use std::fmt;

use trimtab::wire::{Name, rtype};

use crate::zone::MX;

/// What a server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) rcode: u16,
    pub(crate) aa: bool,
    pub(crate) tc: bool,
    pub(crate) answer: BTreeSet<Rr>,
    pub(crate) authority: BTreeSet<Rr>,
    pub(crate) additional: BTreeSet<Rr>,
    /// Whether a record is there twice in one section, which no RRset may have (RFC 2181 section 5).
    pub(crate) twice: bool,
    /// Octets of the message.
    pub(crate) len: usize,
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rr {
    pub(crate) owner: Name,
    pub(crate) rtype: u16,
    pub(crate) ttl: u32,
    /// Uncompressed, names in it in lower case.
    pub(crate) data: Vec<u8>,
}

impl Rr {
    /// The name that is the last of its data.
    pub(crate) fn target(&self) -> Option<Name> {
        let skip = match self.rtype {
            rtype::NS | rtype::CNAME | rtype::DNAME => 0,
            MX => 2,
            _ => return None,
        };
        Name::from_wire(self.data.get(skip..)?).ok()
    }
}

impl Reply {
    /// Reads a message; `None` when it is not one.
    pub(crate) fn read(message: &[u8]) -> Option<Self> {
        let header: &[u8; 12] = message.first_chunk()?;
        let count = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let mut at = 12;
        for _ in 0..count(4) {
            at = name(message, at)?.1 + 4;
        }
        let mut rcode = u16::from(header[3] & 15);
        let mut twice = false;
        let mut sections = [BTreeSet::new(), BTreeSet::new(), BTreeSet::new()];
        for (section, count) in sections.iter_mut().zip([count(6), count(8), count(10)]) {
            for _ in 0..count {
                let (rr, end) = record(message, at)?;
                at = end;
                match rr.rtype {
                    rtype::OPT => rcode |= (rr.ttl >> 24 << 4) as u16,
                    _ => twice |= !section.insert(rr),
                }
            }
        }
        let [answer, authority, additional] = sections;
        let (aa, tc) = (header[2] & 4 > 0, header[2] & 2 > 0);
        let len = message.len();
        (at == len).then_some(Self { rcode, aa, tc, answer, authority, additional, twice, len })
    }

    /// Whether two replies say the same, whatever their size.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        (self.rcode, self.aa, self.tc) == (other.rcode, other.aa, other.tc)
            && self.answer == other.answer
            && self.authority == other.authority
            && self.additional == other.additional
    }

    /// What a referral says: NS records in AUTHORITY, and no SOA.
    pub(crate) fn cut(&self) -> Option<&Name> {
        self.authority.iter().find(|rr| rr.rtype == rtype::NS).map(|rr| &rr.owner)
    }
}

fn record(message: &[u8], at: usize) -> Option<(Rr, usize)> {
    let (owner, at) = name(message, at)?;
    let &[t1, t0, _, _, a, b, c, d, l1, l0] = message.get(at..)?.first_chunk::<10>()?;
    let (from, rtype) = (at + 10, u16::from_be_bytes([t1, t0]));
    let end = from + usize::from(u16::from_be_bytes([l1, l0]));
    let fixed = |from: usize, to: usize| message.get(from..to).map(<[u8]>::to_vec);
    let data = match rtype {
        rtype::NS | rtype::CNAME | rtype::DNAME => name(message, from)?.0.as_wire().to_vec(),
        MX => [fixed(from, from + 2)?, name(message, from + 2)?.0.as_wire().to_vec()].concat(),
        rtype::SOA => {
            let (mname, at) = name(message, from)?;
            let (rname, at) = name(message, at)?;
            [mname.as_wire(), rname.as_wire(), &fixed(at, end)?].concat()
        }
        _ => fixed(from, end)?,
    };
    Some((Rr { owner, rtype, ttl: u32::from_be_bytes([a, b, c, d]), data }, end))
}

/// The name at a place in a message, and what is behind it.
fn name(message: &[u8], mut at: usize) -> Option<(Name, usize)> {
    let (mut wire, mut end) = (Vec::new(), None);
    while wire.len() < 256 {
        match *message.get(at)? {
            0 => {
                wire.push(0);
                return Some((Name::from_wire(&wire).ok()?, end.unwrap_or(at + 1)));
            }
            len @ 1..=63 => {
                wire.extend(message.get(at..=at + usize::from(len))?);
                at += usize::from(len) + 1;
            }
            high @ 0xc0.. => {
                end = end.or(Some(at + 2));
                let to = usize::from(high & 0x3f) << 8 | usize::from(*message.get(at + 1)?);
                at = Some(to).filter(|&to| to < at)?;
            }
            _ => return None,
        }
    }
    None
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rcode {}", self.rcode)?;
        for (flag, is_set) in [("aa", self.aa), ("tc", self.tc), ("TWICE", self.twice)] {
            if is_set {
                write!(f, " {flag}")?;
            }
        }
        write!(f, ", {} octets", self.len)?;
        let sections = [("an", &self.answer), ("ns", &self.authority), ("ar", &self.additional)];
        for (section, records) in sections {
            for rr in records {
                write!(f, "\n      {section} {} {} TYPE{} ", rr.owner, rr.ttl, rr.rtype)?;
                match rr.target() {
                    Some(target) => write!(f, "{target}")?,
                    None if rr.data.len() > 40 => write!(f, "{} octets", rr.data.len())?,
                    None => write!(f, "{:02x?}", rr.data)?,
                }
            }
        }
        Ok(())
    }
}
