//! Hot: reading a request. Strict about header, question and OPT; every other record is only
//! stepped over.

use std::net::{IpAddr, Ipv4Addr};

use crate::routing::{Options, Snapshot};
use crate::wire::{CLASS_IN, Key, NAME_MAX, rtype};

use super::asked::Asked;
use super::message::{CLASS_CH, Ede, HEADER, Opcode, PAYLOAD_MIN, Rcode, flags};

/// A request that has been read, and what is to become of it.
pub struct Located {
    /// The question's name, ready for lookup.
    pub(super) key: Key,
    /// What [`super::finish`] has to do.
    pub(super) next: Next,
    /// How many octets the request has.
    pub(super) len: usize,
    /// The end of the question within the message; 12 where there is none to echo.
    pub(super) question_end: usize,
    /// The type asked for.
    pub(super) qtype: u16,
    /// The client's EDNS, when it sent any that could be read.
    pub(super) edns: Option<Edns>,
    /// Where the request came from.
    pub(super) from: IpAddr,
    /// What its options ask for.
    pub(super) asked: Asked,
    /// Where the TSIG record starts that signs it (RFC 8945), if one does.
    pub(super) signed: Option<usize>,
    /// The serial that an IXFR's client has.
    pub(super) serial: Option<u32>,
}

/// What is to be done with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Too short, or a response: no answer at all.
    Drop(Dropped),
    /// An answer without data, and perhaps why.
    Refuse(Rcode, Option<Ede>),
    /// No question, but a cookie to look at (RFC 7873 section 5.4).
    Greet,
    /// A question of class CH, about the server itself (RFC 4892).
    Introduce,
    /// Send the zone of this name.
    Transfer,
    /// Look the name up.
    Answer,
}

/// Why a request gets no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dropped {
    /// Not even a header.
    Short,
    /// A response.
    Response,
}

/// What a client's OPT record says (RFC 6891).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edns {
    /// The largest UDP answer that it can take, in octets, at least 512.
    pub payload: u16,
    /// Whether it wants DNSSEC records (RFC 3225).
    pub dnssec_ok: bool,
}

impl Default for Located {
    fn default() -> Self {
        Self {
            key: Key::ROOT,
            next: Next::Drop(Dropped::Short),
            len: 0,
            question_end: HEADER,
            qtype: 0,
            edns: None,
            from: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            asked: Asked::default(),
            signed: None,
            serial: None,
        }
    }
}

/// Reads a request that came `from` there into `at`, and fetches the memory where its name will be
/// looked up.
pub fn locate(snapshot: &Snapshot, from: IpAddr, request: &[u8], at: &mut Located) {
    at.len = request.len();
    at.question_end = HEADER;
    at.qtype = 0;
    at.edns = None;
    at.from = from;
    at.asked = Asked::default();
    at.signed = None;
    at.serial = None;
    at.next = match read(request, &snapshot.options, at) {
        Ok(next) => {
            if next == Next::Answer {
                snapshot.names.prefetch(at.key.hash());
            }
            next
        }
        Err(next) => next,
    };
}

/// Fetches the rest of what will be read for the names of a batch. In an index that no cache holds,
/// a lookup would wait for each of these places in turn; so those of all names come at once.
pub fn fetch(snapshot: &Snapshot, located: &[Located]) {
    let names = &snapshot.names;
    let hashes = || located.iter().filter(|at| at.next == Next::Answer).map(|at| at.key.hash());
    hashes().for_each(|hash| names.prefetch_entry(hash));
    hashes().for_each(|hash| names.prefetch_owner(hash));
}

const FORMERR: Next = Next::Refuse(Rcode::FORMERR, None);

fn read(request: &[u8], options: &Options, at: &mut Located) -> Result<Next, Next> {
    let Some((header, body)) = request.split_first_chunk::<HEADER>() else {
        return Err(Next::Drop(Dropped::Short));
    };
    let [_, _, high, _, counts @ ..] = *header;
    let counts = halves(counts);
    let [questions, answers, authorities, additionals] = counts;
    if high & flags::QR != 0 {
        return Err(Next::Drop(Dropped::Response));
    }
    let mut rest = Rest { octets: body, len: request.len() };
    if Opcode(high >> 3 & 0x0f) != Opcode::QUERY {
        // What such a message looks like is not known; if it is like others, it may have an OPT.
        let _ = rest.opt_behind(counts, options, at);
        return Err(Next::Refuse(Rcode::NOTIMP, Some(Ede::NOT_SUPPORTED)));
    }
    if questions == 0 && (answers, authorities) == (0, 0) {
        rest.additional(additionals, options, at)?;
        return if at.asked.cookie.is_some() { Ok(Next::Greet) } else { Err(FORMERR) };
    }
    // One question (RFC 9619), and nothing in ANSWER; in AUTHORITY what an IXFR has of the zone.
    if questions != 1 || answers != 0 || authorities > 1 {
        let _ = rest.opt_behind(counts, options, at);
        return Err(FORMERR);
    }
    let name_len = at.key.read(rest.octets).ok_or(FORMERR)?;
    let behind = rest.octets.get(name_len..).and_then(|rest| rest.split_first_chunk::<4>());
    let (&[t1, t0, c1, c0], after) = behind.ok_or(FORMERR)?;
    rest.octets = after;
    at.question_end = rest.position();
    at.qtype = u16::from_be_bytes([t1, t0]);
    if authorities == 1 {
        let known = rest.record().ok_or(FORMERR)?;
        if (at.qtype, known.rtype) != (rtype::IXFR, rtype::SOA) {
            let _ = rest.additional(additionals, options, at);
            return Err(FORMERR);
        }
        at.serial = serial(known.data);
    }
    rest.additional(additionals, options, at)?;
    match (at.qtype, u16::from_be_bytes([c1, c0])) {
        (rtype::OPT | rtype::TSIG | rtype::NXNAME, _) => Err(FORMERR),
        // RFC 1995 section 3: the version that the client has.
        (rtype::IXFR, _) if at.serial.is_none() => Err(FORMERR),
        (rtype::AXFR | rtype::IXFR, CLASS_IN) => Ok(Next::Transfer),
        (_, CLASS_IN) => Ok(Next::Answer),
        (_, CLASS_CH) => Ok(Next::Introduce),
        _ => Err(Next::Refuse(Rcode::REFUSED, Some(Ede::NOT_AUTHORITATIVE))),
    }
}

/// The serial in the data of an SOA, which is behind two names and before four other numbers.
fn serial(soa: &[u8]) -> Option<u32> {
    let (_, numbers) = soa.split_last_chunk::<20>()?;
    numbers.first_chunk().map(|serial| u32::from_be_bytes(*serial))
}

/// Numbers of 16 bits from their octets.
const fn halves([a1, a0, b1, b0, c1, c0, d1, d0]: [u8; 8]) -> [u16; 4] {
    [
        u16::from_be_bytes([a1, a0]),
        u16::from_be_bytes([b1, b0]),
        u16::from_be_bytes([c1, c0]),
        u16::from_be_bytes([d1, d0]),
    ]
}

/// What has not been read of a message.
struct Rest<'a> {
    octets: &'a [u8],
    /// Octets of the whole message.
    len: usize,
}

/// A record that was stepped over.
struct Record<'a> {
    is_root: bool,
    rtype: u16,
    class: u16,
    ttl: [u8; 4],
    data: &'a [u8],
}

impl<'a> Rest<'a> {
    /// Where it starts within the message.
    const fn position(&self) -> usize {
        self.len.saturating_sub(self.octets.len())
    }

    /// Steps over a record. `None`: it is cut short.
    fn record(&mut self) -> Option<Record<'a>> {
        let (is_root, after) = skip_name(self.octets)?;
        let (&[y1, y0, c1, c0, t3, t2, t1, t0, l1, l0], after) = after.split_first_chunk::<10>()?;
        let len = usize::from(u16::from_be_bytes([l1, l0]));
        let (data, after) = after.split_at_checked(len)?;
        self.octets = after;
        let (rtype, class) = (u16::from_be_bytes([y1, y0]), u16::from_be_bytes([c1, c0]));
        Some(Record { is_root, rtype, class, ttl: [t3, t2, t1, t0], data })
    }

    /// Reads the additional records, behind which nothing is; at most one of them is an OPT, and
    /// only the last may be a TSIG (RFC 8945 section 5.1).
    fn additional(&mut self, count: u16, options: &Options, at: &mut Located) -> Result<(), Next> {
        let mut version = 0;
        for left in (0..count).rev() {
            let position = self.position();
            let record = self.record().ok_or(FORMERR)?;
            match record.rtype {
                rtype::OPT if !record.is_root || at.edns.is_some() => return Err(FORMERR),
                rtype::OPT => {
                    let [_extended_rcode, v, f1, f0] = record.ttl;
                    version = v;
                    at.edns = Some(Edns {
                        payload: record.class.max(PAYLOAD_MIN),
                        dnssec_ok: u16::from_be_bytes([f1, f0]) & flags::DO != 0,
                    });
                    // What the options of another version mean is not known.
                    if version == 0 {
                        at.asked.read(record.data, options).map_err(|_| FORMERR)?;
                    }
                }
                rtype::TSIG if left > 0 => return Err(FORMERR),
                rtype::TSIG => at.signed = Some(position),
                _ => {}
            }
        }
        match (self.octets, version) {
            ([], 0) => Ok(()),
            ([], _) => Err(Next::Refuse(Rcode::BADVERS, None)),
            _ => Err(FORMERR),
        }
    }

    /// Looks for the OPT record of a message that is refused as a whole, for its reply has one too
    /// then (RFC 6891 section 7). Whatever else is wrong no longer matters.
    fn opt_behind(&mut self, counts: [u16; 4], options: &Options, at: &mut Located) -> Option<()> {
        let [questions, answers, authorities, additionals] = counts;
        for _ in 0..questions {
            let (_, after) = skip_name(self.octets)?;
            self.octets = after.get(4..)?;
        }
        for _ in (0..answers).chain(0..authorities) {
            self.record()?;
        }
        let read = self.additional(additionals, options, at).ok();
        // What is refused for its header alone is refused whoever has signed it, if that is what a
        // record that looks like a signature means there.
        at.signed = None;
        read
    }
}

/// What is behind a name that may be compressed, and whether the name is the root.
#[expect(clippy::arithmetic_side_effects, reason = "positions within a name")]
fn skip_name(octets: &[u8]) -> Option<(bool, &[u8])> {
    let mut at = 0;
    loop {
        match *octets.get(at)? {
            0 => return Some((at == 0, octets.get(at + 1..)?)),
            len @ 1..=63 => at += usize::from(len) + 1,
            0xc0.. => return Some((false, octets.get(at + 2..)?)),
            _ => return None,
        }
        if at >= NAME_MAX {
            return None;
        }
    }
}
