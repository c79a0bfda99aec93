//! Hot: reading a request. Strict about header, question and OPT; every other record is only
//! stepped over.

use std::net::{IpAddr, Ipv4Addr};

use crate::routing::{Options, Snapshot};
use crate::wire::{CLASS_IN, Key, NAME_MAX, rtype};

use super::message::{HEADER, OPT_LEN, Opcode, PAYLOAD_MIN, Rcode, flags};
use super::subnet::{self, Carried, Subnet};

/// A request that has been read, and what is to become of it.
pub struct Located {
    /// The question's name, ready for lookup.
    pub(super) key: Key,
    /// What [`super::finish`] has to do.
    pub(super) next: Next,
    /// The end of the question within the message; 12 where there is none to echo.
    pub(super) question_end: usize,
    /// The type asked for.
    pub(super) qtype: u16,
    /// The client's EDNS, when it sent any that could be read.
    pub(super) edns: Option<Edns>,
    /// Where the request came from.
    pub(super) from: IpAddr,
    /// What network it says that its client is in.
    pub(super) carried: Carried,
}

impl Located {
    /// Octets of the OPT record that the reply needs, but for an extended error.
    pub(super) fn opt_len(&self) -> usize {
        match (&self.edns, &self.carried) {
            (None, _) => 0,
            (Some(_), Carried::Subnet(subnet)) => OPT_LEN + subnet.len(),
            (Some(_), Carried::Nothing | Carried::Ignored) => OPT_LEN,
        }
    }
}

/// What is to be done with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Too short, or a response: no answer at all.
    Drop(Dropped),
    /// An answer without data.
    Refuse(Rcode),
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
            question_end: HEADER,
            qtype: 0,
            edns: None,
            from: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            carried: Carried::Nothing,
        }
    }
}

/// Reads a request that came `from` there into `at`, and fetches the memory where its name will be
/// looked up.
pub fn locate(snapshot: &Snapshot, from: IpAddr, request: &[u8], at: &mut Located) {
    at.question_end = HEADER;
    at.qtype = 0;
    at.edns = None;
    at.from = from;
    at.carried = Carried::Nothing;
    at.next = match read(request, &snapshot.options, at) {
        Ok(()) => {
            snapshot.names.prefetch(at.key.hash());
            Next::Answer
        }
        Err(next) => {
            if next == FORMERR {
                // Of what cannot be read nothing is sent back.
                at.carried = Carried::Nothing;
            }
            next
        }
    };
}

const FORMERR: Next = Next::Refuse(Rcode::FORMERR);

fn read(request: &[u8], options: &Options, at: &mut Located) -> Result<(), Next> {
    let Some((header, body)) = request.split_first_chunk::<HEADER>() else {
        return Err(Next::Drop(Dropped::Short));
    };
    let [_, _, high, _, qd1, qd0, an1, an0, ns1, ns0, ar1, ar0] = *header;
    if high & flags::QR != 0 {
        return Err(Next::Drop(Dropped::Response));
    }
    if Opcode(high >> 3 & 0x0f) != Opcode::QUERY {
        return Err(Next::Refuse(Rcode::NOTIMP));
    }
    // One question (RFC 9619), and nothing in ANSWER or AUTHORITY.
    if [qd1, qd0] != [0, 1] || [an1, an0, ns1, ns0] != [0; 4] {
        return Err(FORMERR);
    }
    let name_len = at.key.read(body).ok_or(FORMERR)?;
    let (&[t1, t0, c1, c0], rest) =
        body.get(name_len..).and_then(|rest| rest.split_first_chunk::<4>()).ok_or(FORMERR)?;
    at.question_end = HEADER + name_len + 4;
    at.qtype = u16::from_be_bytes([t1, t0]);
    additional(rest, u16::from_be_bytes([ar1, ar0]), options, at)?;
    match at.qtype {
        rtype::OPT | rtype::TSIG | rtype::NXNAME => return Err(FORMERR),
        rtype::AXFR | rtype::IXFR => return Err(Next::Refuse(Rcode::REFUSED)),
        _ => {}
    }
    if u16::from_be_bytes([c1, c0]) != CLASS_IN {
        return Err(Next::Refuse(Rcode::REFUSED));
    }
    Ok(())
}

/// Steps over the additional records; at most one of them is an OPT.
fn additional(
    mut rest: &[u8],
    count: u16,
    options: &Options,
    at: &mut Located,
) -> Result<(), Next> {
    let mut version = 0;
    for _ in 0..count {
        let (is_root, after) = skip_name(rest).ok_or(FORMERR)?;
        let (&[t1, t0, c1, c0, x, v, f1, f0, l1, l0], after) =
            after.split_first_chunk::<10>().ok_or(FORMERR)?;
        let len = usize::from(u16::from_be_bytes([l1, l0]));
        let (data, after) = after.split_at_checked(len).ok_or(FORMERR)?;
        if u16::from_be_bytes([t1, t0]) == rtype::OPT {
            if !is_root || at.edns.is_some() {
                return Err(FORMERR);
            }
            let _extended_rcode = x;
            version = v;
            at.edns = Some(Edns {
                payload: u16::from_be_bytes([c1, c0]).max(PAYLOAD_MIN),
                dnssec_ok: u16::from_be_bytes([f1, f0]) & flags::DO != 0,
            });
            at.carried = read_options(data, version, options)?;
        }
        rest = after;
    }
    match (rest, version) {
        ([], 0) => Ok(()),
        ([], _) => Err(Next::Refuse(Rcode::BADVERS)),
        _ => Err(FORMERR),
    }
}

/// Reads an OPT record's options, which fill it exactly (RFC 6891 section 6.1.2). Those that are
/// not known are stepped over, and so are all of another EDNS version.
fn read_options(mut data: &[u8], version: u8, options: &Options) -> Result<Carried, Next> {
    let mut carried = Carried::Nothing;
    while let Some((&[c1, c0, l1, l0], after)) = data.split_first_chunk::<4>() {
        let len = usize::from(u16::from_be_bytes([l1, l0]));
        let (option, after) = after.split_at_checked(len).ok_or(FORMERR)?;
        if u16::from_be_bytes([c1, c0]) == subnet::CODE && version == 0 {
            carried = match carried {
                Carried::Nothing | Carried::Ignored if !options.client_subnet => Carried::Ignored,
                Carried::Nothing => Carried::Subnet(Subnet::read(option).ok_or(FORMERR)?),
                Carried::Ignored | Carried::Subnet(_) => return Err(FORMERR),
            };
        }
        data = after;
    }
    if data.is_empty() { Ok(carried) } else { Err(FORMERR) }
}

/// What is behind a name that may be compressed, and whether the name is the root.
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
