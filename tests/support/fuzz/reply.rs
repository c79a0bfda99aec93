//! What holds of every reply to anything.

use std::ops::Range;

use hickory_proto::op::Message;
use trimtab::dns::engine::Transport;
use trimtab::routing::Snapshot;

use super::ask::{Way, answer};
use super::edns::edns;
use super::reading::{self, Reading, read, u16_at};

/// Everything that holds of a request and its reply.
pub(crate) fn holds(snapshot: &Snapshot, way: Way, request: &[u8]) {
    let most = match way.transport {
        Transport::Udp => 4096,
        Transport::Tcp => 65535,
    };
    let request = &request[..request.len().min(most)];
    let reply = answer(snapshot, way, request, 0xaa);
    // Neither what is left in the buffer nor what was asked before has to do with it.
    assert_eq!(reply, answer(snapshot, way, request, 0x55), "the same seed, another reply");
    let Some(reply) = reply else {
        return assert!(is_silence(request), "no reply to {request:02x?}");
    };
    assert!(!is_silence(request), "a reply to {request:02x?}");
    let told = || format!("{:?}\nto {request:02x?}\nwas {reply:02x?}", way.transport);
    let read = read(&reply).unwrap_or_else(|| panic!("an unsound reply: {}", told()));
    if let Err(error) = Message::from_vec(&reply) {
        // Family 0 is sent back as it came; the codec does not know it.
        assert!(has_no_family(&read), "an unsound reply: {error}: {}", told());
    }
    header(request, &reply).unwrap_or_else(|what| panic!("{what}: {}", told()));
    let asked = reading::read_request(request);
    let asked = asked.as_ref();
    body(asked, request, &read, &reply).unwrap_or_else(|what| panic!("{what}: {}", told()));
    edns(snapshot, way, asked, &read, &reply).unwrap_or_else(|what| panic!("{what}: {}", told()));
    let limit = most_octets(snapshot, way, asked);
    assert!(reply.len() <= limit, "over {limit} octets: {}", told());
    if truncated(&reply) {
        assert!(read.sections[0].is_empty(), "a part of an answer: {}", told());
    }
    whole(snapshot, way, request, &reply, &read).unwrap_or_else(|e| panic!("{e}: {}", told()));
    in_any_case(snapshot, way, request, &reply, &read);
}

/// An EDNS Client Subnet without an address (RFC 7871 section 7.1.2 in practice).
fn has_no_family(read: &Reading) -> bool {
    let mut options = read.opts().filter_map(|opt| reading::options(&opt.data)).flatten();
    options.any(|(code, data)| code == 8 && data == [0; 4])
}

/// Too short for a header, or a response.
fn is_silence(request: &[u8]) -> bool {
    request.len() < 12 || request[2] & 0x80 != 0
}

pub(crate) fn truncated(reply: &[u8]) -> bool {
    reply[2] & 0x02 != 0
}

pub(crate) fn rcode(reply: &[u8], read: &Reading) -> u16 {
    let high = read.opts().next().map_or(0, |opt| opt.ttl >> 24) as u16;
    high << 4 | u16::from(reply[3] & 0x0f)
}

/// The id, the opcode, RD and CD are the request's; RA, AD and Z are off (RFC 1035 section 4.1.1).
pub(crate) fn header(request: &[u8], reply: &[u8]) -> Result<(), &'static str> {
    let same = |at: usize, bits: u8| request[at] & bits == reply[at] & bits;
    match () {
        () if request[..2] != reply[..2] => Err("another id"),
        () if reply[2] & 0x80 == 0 => Err("a reply that is none"),
        () if !same(2, 0x78) => Err("another opcode"),
        () if !same(2, 0x01) => Err("RD is not the request's"),
        () if !same(3, 0x10) => Err("CD is not the request's"),
        () if reply[3] & 0xe0 != 0 => Err("RA, AD or Z is set"),
        () => Ok(()),
    }
}

pub(crate) const NOERROR: u16 = 0;
pub(crate) const FORMERR: u16 = 1;
pub(crate) const NXDOMAIN: u16 = 3;
pub(crate) const NOTIMP: u16 = 4;
pub(crate) const YXDOMAIN: u16 = 6;
pub(crate) const BADVERS: u16 = 16;
pub(crate) const BADCOOKIE: u16 = 23;

/// The code, the question and the sections that a request can get.
fn body(
    asked: Option<&Reading>,
    request: &[u8],
    read: &Reading,
    reply: &[u8],
) -> Result<(), &'static str> {
    let (rcode, [answer, authority, _]) = (rcode(reply, read), &read.sections);
    let is_query = request[2] & 0x78 == 0;
    if ![0, 1, 3, 4, 5, 6, 16, 23].contains(&rcode) {
        return Err("an rcode that is never given");
    }
    if (rcode == NOTIMP) == is_query {
        return Err("NOTIMP to a query, or something else to what is none");
    }
    // One question, nothing in the answer and, but for IXFR, in the authority.
    let counts = [4, 6, 8].map(|at| u16_at(request, at).unwrap_or_default());
    let is_plain = matches!(counts, [1, 0, 0] | [1, 0, 1] | [0, 0, 0]);
    // A question's name is never compressed.
    let is_whole = |at: &Range<usize>| {
        reading::name(request, at.start).is_some_and(|(name, _)| name.len() + 4 == at.len())
    };
    let sound = asked.filter(|asked| is_plain && asked.question.as_ref().is_none_or(is_whole));
    if is_query && sound.is_none() && ![FORMERR, BADVERS].contains(&rcode) {
        return Err("something that cannot be read is not a FORMERR");
    }
    let echoed = read.question.as_ref().map(|at| &reply[at.clone()]);
    if let Some(sound) = sound.filter(|_| is_query) {
        let question = sound.question.as_ref().map(|at| &request[at.clone()]);
        if echoed != question {
            return Err("another question");
        }
    }
    if read.question.is_some() && request.get(12..12 + echoed.map_or(0, <[u8]>::len)) != echoed {
        return Err("a question that was not asked");
    }
    let has_data = !answer.is_empty() || !authority.is_empty();
    if ![NOERROR, NXDOMAIN, YXDOMAIN].contains(&rcode) && has_data {
        return Err("data in an error");
    }
    let authoritative = reply[2] & 0x04 != 0;
    if rcode == NXDOMAIN && (!authoritative || authority.len() != 1 || authority[0].rtype != 6) {
        return Err("an NXDOMAIN without AA or SOA");
    }
    Ok(())
}

/// The most octets that a reply may have (RFC 1035 section 4.2.1, RFC 6891 section 6.2.3).
fn most_octets(snapshot: &Snapshot, way: Way, asked: Option<&Reading>) -> usize {
    let most = usize::from(snapshot.options.udp_payload_max);
    match (way.transport, asked.and_then(|asked| asked.opts().next())) {
        (Transport::Tcp, _) => 65535,
        (Transport::Udp, Some(opt)) => usize::from(opt.class.max(512)).min(most),
        (Transport::Udp, None) => 512,
    }
}

/// Over UDP there is what there is over TCP, or TC says that there is more.
fn whole(
    snapshot: &Snapshot,
    way: Way,
    request: &[u8],
    reply: &[u8],
    read: &Reading,
) -> Result<(), &'static str> {
    if way.transport == Transport::Tcp {
        return Ok(());
    }
    let tcp = answer(snapshot, Way { transport: Transport::Tcp, ..way }, request, 0);
    let Some(tcp) = tcp else { return Err("a reply over UDP and none over TCP") };
    let Some(all) = reading::read(&tcp) else { return Err("an unsound reply over TCP") };
    let refused = |rcode| ![NOERROR, NXDOMAIN, YXDOMAIN].contains(&rcode);
    if refused(rcode(&tcp, &all)) || refused(rcode(reply, read)) {
        return Ok(());
    }
    if truncated(reply) {
        let is_less = truncated(&tcp) || tcp.len() > reply.len();
        return if is_less { Ok(()) } else { Err("truncated without need") };
    }
    if truncated(&tcp) || read.sections[..2] != all.sections[..2] {
        return Err("less over UDP than over TCP, and no TC");
    }
    Ok(())
}

/// A name in another case is answered alike but for the question (RFC 4343).
fn in_any_case(snapshot: &Snapshot, way: Way, request: &[u8], reply: &[u8], read: &Reading) {
    let Some(question) = &read.question else { return };
    let mut other = request.to_vec();
    let mut at = question.start;
    while at < question.end - 5 {
        let end = at + 1 + usize::from(other[at]);
        for octet in &mut other[at + 1..end] {
            *octet = match octet {
                b'a'..=b'z' => octet.to_ascii_uppercase(),
                b'A'..=b'Z' => octet.to_ascii_lowercase(),
                _ => *octet,
            };
        }
        at = end;
    }
    let other = answer(snapshot, way, &other, 0).unwrap_or_default();
    // A CNAME that a DNAME makes is in the case of the question (RFC 4343 section 4.1).
    let lower = |octets: &[u8]| octets.get(question.end..).map(<[u8]>::to_ascii_lowercase);
    let same = lower(&other) == lower(reply);
    assert!(same && other[..12] == reply[..12], "case matters: {reply:02x?}\nand {other:02x?}");
}
