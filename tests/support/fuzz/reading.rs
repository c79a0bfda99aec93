//! A second reading of messages, plain and strict, to judge the server's by.

use std::ops::Range;

pub(crate) const OPT: u16 = 41;

/// A message that is sound from its header to its last octet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The octets of the question, the last if there are several.
    pub(crate) question: Option<Range<usize>>,
    pub(crate) qtype: u16,
    pub(crate) qclass: u16,
    /// The records of the answer, the authority and the additional section.
    pub(crate) sections: [Vec<Record>; 3],
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) owner: Vec<u8>,
    pub(crate) rtype: u16,
    pub(crate) class: u16,
    pub(crate) ttl: u32,
    pub(crate) data: Vec<u8>,
}

pub(crate) fn u16_at(octets: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(octets.get(at..at + 2)?.try_into().ok()?))
}

/// Reads a reply; pointers lead strictly backward, and nothing is behind the last record.
pub(crate) fn read(octets: &[u8]) -> Option<Reading> {
    read_by(octets, name)
}

/// Reads a request, in which pointers may lead anywhere: who only steps over records need not know.
pub(crate) fn read_request(octets: &[u8]) -> Option<Reading> {
    read_by(octets, stepped_over)
}

fn read_by(
    octets: &[u8],
    name: impl Fn(&[u8], usize) -> Option<(Vec<u8>, usize)>,
) -> Option<Reading> {
    let mut at = 12;
    let (mut question, mut qtype, mut qclass) = (None, 0, 0);
    for _ in 0..u16_at(octets, 4)? {
        let start = at;
        (_, at) = name(octets, at)?;
        (qtype, qclass) = (u16_at(octets, at)?, u16_at(octets, at + 2)?);
        at += 4;
        question = Some(start..at);
    }
    let mut sections = [const { Vec::new() }; 3];
    for (number, section) in sections.iter_mut().enumerate() {
        for _ in 0..u16_at(octets, 6 + 2 * number)? {
            let (owner, behind) = name(octets, at)?;
            let (rtype, class) = (u16_at(octets, behind)?, u16_at(octets, behind + 2)?);
            let ttl = u32::from(u16_at(octets, behind + 4)?) << 16;
            let ttl = ttl | u32::from(u16_at(octets, behind + 6)?);
            let data = behind + 10;
            at = data + usize::from(u16_at(octets, behind + 8)?);
            let data = octets.get(data..at)?.to_vec();
            section.push(Record { owner, rtype, class, ttl, data });
        }
    }
    (at == octets.len()).then_some(Reading { question, qtype, qclass, sections })
}

/// The name that starts there, uncompressed and as it was written, and where it ends.
pub(crate) fn name(octets: &[u8], start: usize) -> Option<(Vec<u8>, usize)> {
    let (mut at, mut end, mut wire) = (start, None, Vec::new());
    let mut lowest = start;
    loop {
        let len = *octets.get(at)?;
        match len {
            0..=63 => {
                wire.extend_from_slice(octets.get(at..at + usize::from(len) + 1)?);
                at += usize::from(len) + 1;
                if wire.len() > 255 {
                    return None;
                }
                if len == 0 {
                    return Some((wire, end.unwrap_or(at)));
                }
            }
            0xc0.. => {
                let to = usize::from(u16_at(octets, at)? & 0x3fff);
                end.get_or_insert(at + 2);
                if to >= lowest {
                    return None;
                }
                (at, lowest) = (to, to);
            }
            _ => return None,
        }
    }
}

/// What a name takes up where it stands.
fn stepped_over(octets: &[u8], start: usize) -> Option<(Vec<u8>, usize)> {
    let mut at = start;
    while at < start + 255 {
        match *octets.get(at)? {
            0 => return Some((octets[start..=at].to_vec(), at + 1)),
            len @ 1..=63 => at += usize::from(len) + 1,
            0xc0.. => return Some((octets.get(start..at + 2)?.to_vec(), at + 2)),
            _ => return None,
        }
    }
    None
}

/// The options of an OPT record's data, if they fill it.
pub(crate) fn options(mut data: &[u8]) -> Option<Vec<(u16, &[u8])>> {
    let mut found = Vec::new();
    while !data.is_empty() {
        let len = usize::from(u16_at(data, 2)?);
        found.push((u16_at(data, 0)?, data.get(4..4 + len)?));
        data = &data[4 + len..];
    }
    Some(found)
}

impl Reading {
    /// Its OPT records.
    pub(crate) fn opts(&self) -> impl Iterator<Item = &Record> {
        self.sections.iter().flatten().filter(|record| record.rtype == OPT)
    }
}
