//! A query and its reply as dnstap messages, AUTH_QUERY and AUTH_RESPONSE (`dnstap.proto` of
//! <https://dnstap.info>).

use std::net::{IpAddr, SocketAddr};

use prost::Message as _;

use super::Client;
use super::frames::frame;
use super::json::blurred;
use crate::tap::{Exchange, Transport};

/// What goes into a frame.
#[derive(Clone, PartialEq, prost::Message)]
struct Dnstap {
    #[prost(bytes = "vec", optional, tag = "1")]
    identity: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "2")]
    version: Option<Vec<u8>>,
    #[prost(message, optional, tag = "14")]
    message: Option<Message>,
    #[prost(int32, required, tag = "15")]
    kind: i32,
}

/// A DNS message. Whether it is a query or a reply, all that is known of the query is in it.
#[derive(Clone, PartialEq, prost::Message)]
struct Message {
    #[prost(int32, required, tag = "1")]
    kind: i32,
    #[prost(int32, optional, tag = "2")]
    socket_family: Option<i32>,
    #[prost(int32, optional, tag = "3")]
    socket_protocol: Option<i32>,
    #[prost(bytes = "vec", optional, tag = "4")]
    query_address: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "5")]
    response_address: Option<Vec<u8>>,
    #[prost(uint32, optional, tag = "6")]
    query_port: Option<u32>,
    #[prost(uint32, optional, tag = "7")]
    response_port: Option<u32>,
    #[prost(uint64, optional, tag = "8")]
    query_time_sec: Option<u64>,
    #[prost(fixed32, optional, tag = "9")]
    query_time_nsec: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "10")]
    query_message: Option<Vec<u8>>,
    #[prost(uint64, optional, tag = "12")]
    response_time_sec: Option<u64>,
    #[prost(fixed32, optional, tag = "13")]
    response_time_nsec: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "14")]
    response_message: Option<Vec<u8>>,
}

/// Dnstap.Type
const MESSAGE: i32 = 1;
/// Message.Type
const AUTH_QUERY: i32 = 1;
const AUTH_RESPONSE: i32 = 2;
/// SocketFamily
const INET: i32 = 1;
const INET6: i32 = 2;
/// SocketProtocol
const UDP: i32 = 1;
const TCP: i32 = 2;

/// What goes with each message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// What this nameserver calls itself.
    pub identity: Option<String>,
    /// What it says that it is.
    pub version: Option<String>,
    /// How much is told of clients' addresses; messages are whole.
    pub client: Client,
}

impl Sender {
    /// Appends frames with the query, and with the reply if there is one.
    pub(super) fn write(&self, exchange: &Exchange<'_>, to: &mut Vec<u8>) {
        let (sec, nsec) = (Some(exchange.at.unix_secs.into()), Some(exchange.at.nanos));
        let whole = self.client == Client::Address;
        let query = Message {
            kind: AUTH_QUERY,
            socket_family: Some(if exchange.client.is_ipv4() { INET } else { INET6 }),
            socket_protocol: Some(match exchange.transport {
                Transport::Udp => UDP,
                Transport::Tcp => TCP,
            }),
            query_address: Some(octets(blurred(exchange.client.ip(), self.client))),
            query_port: whole.then_some(exchange.client.port().into()),
            response_address: exchange.server.map(|server| octets(server.ip())),
            response_port: exchange.server.map(|server: SocketAddr| server.port().into()),
            query_time_sec: sec,
            query_time_nsec: nsec,
            query_message: Some(exchange.query.to_vec()),
            ..Message::default()
        };
        let reply = (!exchange.reply.is_empty()).then(|| Message {
            kind: AUTH_RESPONSE,
            query_message: None,
            response_time_sec: sec,
            response_time_nsec: nsec,
            response_message: Some(exchange.reply.to_vec()),
            ..query.clone()
        });
        for message in std::iter::once(query).chain(reply) {
            let dnstap = Dnstap {
                identity: self.identity.clone().map(String::into_bytes),
                version: self.version.clone().map(String::into_bytes),
                message: Some(message),
                kind: MESSAGE,
            };
            frame(to, |to| {
                // It only fails for want of room, of which a vector has enough.
                let _ = dnstap.encode(to);
            });
        }
    }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().into(),
        IpAddr::V6(v6) => v6.octets().into(),
    }
}
