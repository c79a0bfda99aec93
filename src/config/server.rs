//! `[server]`: where DNS is listened to, and the limits of TCP.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::context::Spanned;
use super::cookies::Cookies;
use super::rate_limit::RateLimit;
use super::table::Table;
use super::transfer::Transfer;
use super::value::Value;
use crate::problem::Problem;

/// Sockets and limits of DNS.
#[derive(Debug, Clone, PartialEq)]
pub struct Server {
    /// The addresses that UDP and TCP listen on; at least one, none twice.
    pub listen: Vec<SocketAddr>,
    /// UDP threads for each address.
    pub workers: Workers,
    /// The user that root becomes once all sockets are open; `None`: nobody else.
    pub user: Option<Spanned<String>>,
    /// The largest answer over UDP, in octets, 512 to 4096.
    pub udp_payload_max: u16,
    /// What NSID (RFC 5001) and `id.server` (RFC 4892) tell, 1 to 128 octets; `None`: nothing.
    pub nsid: Option<String>,
    /// What `version.bind` (RFC 4892) tells, 1 to 255 octets; `None`: nothing.
    pub version_bind: Option<String>,
    /// The limits of TCP.
    pub tcp: Tcp,
    /// The limits of replies over UDP.
    pub rate_limit: RateLimit,
    /// DNS cookies.
    pub cookies: Cookies,
    /// Zones for secondaries.
    pub transfer: Transfer,
}

/// How many UDP threads there are for each address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workers {
    /// One a core.
    Auto,
    /// So many, 1 to 1024.
    Count(u16),
}

/// The limits of TCP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tcp {
    /// Connections at once, 1 to 1000000.
    pub max_connections: u32,
    /// Connections of one client (an IPv4 address, an IPv6 /64) at once, 1 to 1000000.
    pub max_per_client: u32,
    /// How long a connection may take for its first message, 100 ms to 1 h.
    pub first_message_timeout: Duration,
    /// How long a connection may be silent, 100 ms to 1 h.
    pub idle_timeout: Duration,
    /// Queries of a connection that are answered before their replies are sent, 1 to 1024.
    pub max_in_flight: u16,
}

impl Default for Server {
    fn default() -> Self {
        const PORT: u16 = 5300;
        Self {
            listen: vec![
                (IpAddr::V4(Ipv4Addr::LOCALHOST), PORT).into(),
                (IpAddr::V6(Ipv6Addr::LOCALHOST), PORT).into(),
            ],
            workers: Workers::Auto,
            user: None,
            udp_payload_max: 1232,
            nsid: None,
            version_bind: None,
            tcp: Tcp::default(),
            rate_limit: RateLimit::default(),
            cookies: Cookies::default(),
            transfer: Transfer::default(),
        }
    }
}

impl Default for Tcp {
    fn default() -> Self {
        Self {
            max_connections: 4096,
            max_per_client: 64,
            first_message_timeout: Duration::from_secs(3),
            idle_timeout: Duration::from_secs(10),
            max_in_flight: 16,
        }
    }
}

/// Connections at once.
pub(super) const CONNECTIONS: RangeInclusive<i64> = 1..=1_000_000;
/// Queries of a connection that are answered at once.
pub(super) const IN_FLIGHT: RangeInclusive<i64> = 1..=1024;
/// Octets of an answer over UDP: what every resolver takes, to what would surely be fragmented.
pub(super) const UDP_PAYLOAD: RangeInclusive<i64> = 512..=4096;

impl Server {
    pub(super) fn read(v: &Value<'_>) -> Option<Self> {
        v.table(|t| {
            let mut server = Self::default();
            t.set("listen", &mut server.listen, listen);
            t.set("workers", &mut server.workers, |v| match v.text() {
                Some("auto") => Some(Workers::Auto),
                Some(_) => v.refuse("\"auto\" or a whole number from 1 to 1024"),
                None => v.integer(1..=1024).map(Workers::Count),
            });
            t.set("user", &mut server.user, |v| user(v).map(Some));
            t.set("udp_payload_max", &mut server.udp_payload_max, |v| v.integer(UDP_PAYLOAD));
            t.set("nsid", &mut server.nsid, |v| told(v, 128).map(Some));
            t.set("version_bind", &mut server.version_bind, |v| told(v, 255).map(Some));
            t.set("tcp", &mut server.tcp, Tcp::read);
            t.set("cookies", &mut server.cookies, Cookies::read);
            t.set("rate_limit", &mut server.rate_limit, RateLimit::read);
            t.set("transfer", &mut server.transfer, Transfer::read);
            server
        })
    }
}

impl Tcp {
    fn read(v: &Value<'_>) -> Option<Self> {
        v.table(|t: &Table<'_>| {
            let mut tcp = Self::default();
            t.set("max_connections", &mut tcp.max_connections, |v| v.integer(CONNECTIONS));
            t.set("max_per_client", &mut tcp.max_per_client, |v| v.integer(CONNECTIONS));
            let range = Duration::from_millis(100)..=Duration::from_secs(3600);
            t.set("first_message_timeout", &mut tcp.first_message_timeout, |v| {
                v.duration(range.clone())
            });
            t.set("idle_timeout", &mut tcp.idle_timeout, |v| v.duration(range.clone()));
            t.set("max_in_flight", &mut tcp.max_in_flight, |v| v.integer(IN_FLIGHT));
            tcp
        })
    }
}

/// A text that is told to whom asks.
fn told(v: &Value<'_>, most: usize) -> Option<String> {
    let wanted = format!("a text of 1 to {most} octets; leave the key out to tell nothing");
    v.parsed(&wanted, |text| (1..=most).contains(&text.len()).then(|| text.into()))
}

/// The name of a user of the system; whether there is one, only the system knows.
fn user(v: &Value<'_>) -> Option<Spanned<String>> {
    const WANTED: &str = "the name of a user; leave the key out to stay who starts the server";
    let is_name = |text: &str| {
        let plain = |c: char| !c.is_whitespace() && !c.is_control() && !":/,".contains(c);
        !text.is_empty() && text.chars().all(plain) && text.parse::<u32>().is_err()
    };
    let name = v.parsed(WANTED, |text| is_name(text).then(|| text.to_owned()))?;
    Some(v.with_place(name))
}

fn listen(v: &Value<'_>) -> Option<Vec<SocketAddr>> {
    let list = v.list("a list of addresses with ports", |v| {
        socket(v).map(|address| v.with_place(address))
    })?;
    if v.elements().is_empty() {
        return v.refuse("at least one address with a port");
    }
    refuse_twice(v, &list);
    Some(list.into_iter().map(|address| address.value).collect())
}

/// An address with a port.
pub(super) fn socket(v: &Value<'_>) -> Option<SocketAddr> {
    let wanted = "an address with a port: \"192.0.2.1:53\" or \"[2001:db8::1]:53\"";
    v.parsed(wanted, |text| text.parse().ok())
}

/// Reports each element of a list that stands in it for a second time. Lists may be long.
pub(super) fn refuse_twice<T: std::fmt::Display>(v: &Value<'_>, list: &[Spanned<T>]) {
    let mut seen = HashSet::new();
    for one in list {
        let text = one.value.to_string();
        // Port 0 stands for any free port, so it is never the same one twice.
        let is_any_port = text.parse::<SocketAddr>().is_ok_and(|address| address.port() == 0);
        let found = format!("{text} for a second time");
        if !is_any_port && !seen.insert(text) {
            v.cx.report(Problem::error(one.place.clone(), &v.path, found, "each one once"));
        }
    }
}
