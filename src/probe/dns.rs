//! dns checks: one question over UDP, asked once more when no answer comes, and over TCP when the answer does
//! not fit.
//!
//! The question has recursion desired, so that resolvers can be asked as well; nameservers do not mind. It
//! has no EDNS, which old ones refuse. Only the address that was asked is listened to.

use std::fmt::Display;
use std::io;
use std::net::{IpAddr, SocketAddr};

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use ipnet::IpNet;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UdpSocket;

use super::attempt::{Attempt, Failure};
use super::connect::{Lookups, connect, one_address};
use super::reason;
use crate::clock;
use crate::model::{DnsProbe, Target};

/// Octets of a message over UDP without EDNS are 512 at most; a longer one is read to be understood.
const UDP_MAX: usize = 4096;

/// Asks, and compares the answer with what is wanted.
///
/// # Errors
/// `NXDOMAIN`, `answer lacks 192.0.2.1 (has 192.0.2.7)`, `answer: timed out after 2 s`, and the like.
pub(super) async fn exchange(
    probe: &DnsProbe,
    target: &Target,
    allow: &[IpNet],
    lookups: &Lookups,
    attempt: &mut Attempt,
) -> Result<(), Failure> {
    let (query, octets) = question(probe)?;
    let address = one_address(target, allow, lookups, attempt).await?;
    let at = SocketAddr::new(address, target.check.port);
    let mut reply = over_udp(at, &query, &octets, attempt).await?;
    if reply.metadata.truncation {
        reply = over_tcp(target, allow, lookups, &octets, attempt).await?;
        if !answers(&reply, &query) {
            return Err(Failure::target("the reply over TCP is to another question"));
        }
    }
    judge(probe, &query, &reply)
}

fn question(probe: &DnsProbe) -> Result<(Message, Vec<u8>), Failure> {
    let defect = |error: &dyn Display| Failure::in_phase("question", error);
    let name = Name::from_ascii(&probe.name).map_err(|error| defect(&error))?;
    let mut message = Message::query();
    message.metadata.id = fastrand::u16(..);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name, RecordType::from(probe.rtype)));
    let octets = message.to_vec().map_err(|error| defect(&error))?;
    Ok((message, octets))
}

/// Sends the question, and again when half of the time that is left is over without an answer.
async fn over_udp(
    at: SocketAddr,
    query: &Message,
    octets: &[u8],
    attempt: &mut Attempt,
) -> Result<Message, Failure> {
    let socket = connected(at).await.map_err(|error| failed(&error))?;
    let patience = attempt.left() / 2;
    let sent = clock::now();
    let mut heard = None;
    let reply = async {
        socket.send(octets).await?;
        match tokio::time::timeout(patience, listen(&socket, query, &mut heard)).await {
            Ok(reply) => reply,
            Err(_silence) => {
                socket.send(octets).await?;
                listen(&socket, query, &mut heard).await
            }
        }
    };
    let reply = attempt.within(|| "answer", reply).await;
    attempt.phases.first_byte = heard.map(|at| at.saturating_duration_since(sent));
    match reply? {
        Ok(Ok(reply)) => Ok(reply),
        Ok(Err(odd)) => Err(Failure::in_phase("answer", odd)),
        Err(error) => Err(failed(&error)),
    }
}

/// A socket that hears nobody but this address.
async fn connected(at: SocketAddr) -> io::Result<UdpSocket> {
    let any: IpAddr = match at {
        SocketAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(at).await?;
    Ok(socket)
}

fn failed(error: &io::Error) -> Failure {
    match reason::is_local(error) {
        true => Failure::local(error),
        false if error.kind() == io::ErrorKind::ConnectionRefused => {
            Failure::target("port unreachable: nothing answers DNS there")
        }
        false => Failure::in_phase("answer", reason::of_io(error)),
    }
}

/// The first message with the question's id, or what is odd about it; others are late, or forged.
async fn listen(
    socket: &UdpSocket,
    query: &Message,
    heard: &mut Option<std::time::Instant>,
) -> io::Result<Result<Message, &'static str>> {
    let mut buffer = vec![0; UDP_MAX];
    loop {
        let length = socket.recv(&mut buffer).await?;
        let octets = buffer.get(..length).unwrap_or_default();
        if octets.get(..2) != Some(&query.metadata.id.to_be_bytes()) {
            continue;
        }
        *heard = Some(clock::now());
        return Ok(match Message::from_vec(octets) {
            Ok(reply) if answers(&reply, query) => Ok(reply),
            Ok(_) => Err("the reply is to another question"),
            Err(_) => Err("not a DNS message"),
        });
    }
}

/// Whether a message is a reply to this question. Some errors come without it.
fn answers(reply: &Message, query: &Message) -> bool {
    let code = reply.metadata.response_code;
    reply.metadata.message_type == MessageType::Response
        && reply.metadata.op_code == OpCode::Query
        && reply.metadata.id == query.metadata.id
        && (reply.queries == query.queries
            || reply.queries.is_empty() && code != ResponseCode::NoError)
}

async fn over_tcp(
    target: &Target,
    allow: &[IpNet],
    lookups: &Lookups,
    octets: &[u8],
    attempt: &mut Attempt,
) -> Result<Message, Failure> {
    let mut stream = connect(target, allow, lookups, attempt).await?;
    let sent = clock::now();
    let mut first = None;
    let asked = async {
        let length = u16::try_from(octets.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let framed = [&length.to_be_bytes(), octets].concat();
        stream.write_all(&framed).await?;
        let length = stream.read_u16().await?;
        first = Some(clock::now());
        let mut reply = vec![0; usize::from(length)];
        stream.read_exact(&mut reply).await?;
        io::Result::Ok(reply)
    };
    let reply = attempt.within(|| "answer over TCP", asked).await?;
    attempt.phases.first_byte = first.map(|at| at.saturating_duration_since(sent));
    let reply =
        reply.map_err(|error| Failure::in_phase("answer over TCP", reason::of_io(&error)))?;
    Message::from_vec(&reply).map_err(|_| Failure::in_phase("answer over TCP", "not a DNS message"))
}

fn judge(probe: &DnsProbe, query: &Message, reply: &Message) -> Result<(), Failure> {
    let code = reply.metadata.response_code;
    if code != ResponseCode::NoError {
        return Err(Failure::target(&told(code)));
    }
    let rtype = RecordType::from(probe.rtype);
    let class = query.queries.first().map(Query::query_class);
    let there: Vec<&RData> = (reply.answers.iter())
        .filter(|record| record.record_type() == rtype && Some(record.dns_class) == class)
        .map(|record| &record.data)
        .collect();
    if there.is_empty() && probe.expect.is_empty() {
        return Err(Failure::target(&format!("no {rtype} record in the answer")));
    }
    let has = |wanted: &str| {
        RData::try_from_str(rtype, wanted).is_ok_and(|wanted| there.iter().any(|at| **at == wanted))
    };
    let Some(lacks) = probe.expect.iter().find(|wanted| !has(wanted)) else { return Ok(()) };
    let mut all: Vec<String> = there.iter().map(ToString::to_string).collect();
    all.sort_unstable();
    let all = if all.is_empty() { "none".into() } else { all.join(", ") };
    Err(Failure::target(&format!("answer lacks {lacks} (has {all})")))
}

/// A response code, as the field calls it.
fn told(code: ResponseCode) -> String {
    match u16::from(code) {
        1 => "FORMERR".into(),
        2 => "SERVFAIL".into(),
        3 => "NXDOMAIN".into(),
        4 => "NOTIMP".into(),
        5 => "REFUSED".into(),
        9 => "NOTAUTH".into(),
        number => format!("response code {number}"),
    }
}
