//! A line of JSON about an answer: `docs/query-log.md` says what each field means.

use std::fmt::{Display, Write as _};
use std::net::IpAddr;
use std::time::{Duration, UNIX_EPOCH};

use domain::base::iana::{Class, OptRcode, Rtype};
use ipnet::IpNet;
use serde::{Serialize, Serializer};

use super::Client;
use crate::tap::{Line, Regions, Transport};
use crate::wire::CLASS_IN;

/// The fields in their order.
#[derive(Serialize)]
struct Fields<'a> {
    #[serde(serialize_with = "shown")]
    time: humantime::Rfc3339Timestamp,
    transport: &'static str,
    #[serde(serialize_with = "shown")]
    client: Told,
    #[serde(skip_serializing_if = "Option::is_none")]
    subnet: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opcode: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    rtype: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    rcode: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    regions: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<u32>,
    generation: u64,
}

/// What is told of an address.
enum Told {
    Address(IpAddr),
    Network(IpNet),
}

impl Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Network(network) => network.fmt(f),
        }
    }
}

fn shown<S: Serializer>(value: &impl Display, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

/// The network of an address: its first `len` bits, but no more than are told of clients.
fn network(address: IpAddr, len: u8, client: Client) -> Option<IpNet> {
    let most = match (client, address) {
        (Client::Address, _) => len,
        (Client::Subnet, IpAddr::V4(_)) => 24,
        (Client::Subnet, IpAddr::V6(_)) => 56,
    };
    IpNet::new(address, len.min(most)).ok().map(|network| network.trunc())
}

/// The address that stands for the client: its own, or the first of its network.
pub(super) fn blurred(address: IpAddr, client: Client) -> IpAddr {
    network(address, width(address), client).map_or(address, |network| network.addr())
}

const fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Appends the line, with its end.
pub(super) fn write(line: &Line<'_>, regions: Regions<'_>, client: Client, to: &mut Vec<u8>) {
    let since = Duration::new(line.at.unix_secs.into(), line.at.nanos);
    let told = match client {
        Client::Address => Told::Address(line.client),
        Client::Subnet => match network(line.client, width(line.client), client) {
            Some(network) => Told::Network(network),
            None => Told::Address(line.client),
        },
    };
    let subnet = line.subnet.and_then(|(address, len)| network(address, len, client));
    let asked = line.asked.as_ref();
    let fields = Fields {
        time: humantime::format_rfc3339_millis(UNIX_EPOCH + since),
        transport: match line.transport {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
        },
        client: told,
        subnet: subnet.map(|subnet| subnet.to_string()),
        decided_by: line.by_subnet.then_some("subnet"),
        opcode: (line.opcode != 0).then_some(line.opcode),
        name: asked.map(|asked| name(asked.name)),
        rtype: asked.map(|asked| Rtype::from_int(asked.qtype).to_string()),
        class: asked
            .filter(|asked| asked.class != CLASS_IN)
            .map(|asked| Class::from_int(asked.class).to_string()),
        rcode: rcode(line.rcode),
        truncated: line.truncated,
        record: line.dynamic.map(|dynamic| name(dynamic.record)),
        regions: line.dynamic.map(|_| regions.collect()),
        reason: line.dynamic.map(|dynamic| dynamic.reason),
        ttl: line.ttl,
        generation: line.generation,
    };
    // Nothing of it can fail to be written to memory.
    let _ = serde_json::to_writer(&mut *to, &fields);
    to.push(b'\n');
}

/// A name without its final dot. What is not usual in names is written as `\DDD`, so that it is a name
/// to whoever reads it, this program's own commands included.
fn name(wire: &[u8]) -> String {
    let mut text = String::with_capacity(wire.len());
    let mut rest = wire;
    while let Some((&len @ 1..=63, tail)) = rest.split_first() {
        let Some((label, after)) = tail.split_at_checked(usize::from(len)) else { break };
        if !text.is_empty() {
            text.push('.');
        }
        for &octet in label {
            match octet {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'*' => {
                    text.push(octet.into());
                }
                _ => _ = write!(text, "\\{octet:03}"),
            }
        }
        rest = after;
    }
    if text.is_empty() { ".".into() } else { text }
}

/// The code's mnemonic in capitals, or its number.
fn rcode(code: u16) -> String {
    OptRcode::masked_from_int(code).to_string().to_uppercase()
}
