//! The values of closed label sets, and how a number on the wire finds its counter.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::todo,
    clippy::unimplemented,
    reason = "nothing that a packet says may reach a panic"
)]

/// The transport of a request: the label `proto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Proto {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
}

impl Proto {
    /// Both, in the order in which they are shown.
    pub const ALL: [Self; 2] = [Self::Udp, Self::Tcp];

    /// The value of the label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        }
    }
}

/// Why a message got no reply: the label `reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DropReason {
    /// Shorter than a header, 12 octets.
    Short,
    /// A response (QR = 1), not a query.
    Response,
    /// The reply was over a rate limit.
    RateLimit,
    /// The system refused to send the reply.
    Send,
    /// The system failed to receive.
    Receive,
    /// A fault of ours: the worker was restarted.
    Panic,
}

impl DropReason {
    /// All, in the order of their counters.
    pub const ALL: [Self; 6] =
        [Self::Short, Self::Response, Self::RateLimit, Self::Send, Self::Receive, Self::Panic];

    /// The value of the label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Response => "response",
            Self::RateLimit => "rate_limit",
            Self::Send => "send",
            Self::Receive => "receive",
            Self::Panic => "panic",
        }
    }
}

/// What a client's DNS cookie was worth: the label `cookie`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CookieStanding {
    /// It had no server cookie in it yet.
    New,
    /// Its server cookie was made here, or with the same secret.
    Valid,
    /// Its server cookie was of another maker, for another address, or too old.
    Wrong,
}

impl CookieStanding {
    /// All, in the order of their counters.
    pub const ALL: [Self; 3] = [Self::New, Self::Valid, Self::Wrong];

    /// The value of the label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Valid => "valid",
            Self::Wrong => "wrong",
        }
    }
}

/// How a connection over TCP ended: the label `reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// The client closed it.
    Client,
    /// No whole message came in the time for the first one.
    FirstMessage,
    /// No whole message came in the time since the one before.
    Idle,
    /// The client did not read its replies in time.
    Unread,
    /// Something came that is not a query.
    NotDns,
    /// Its place was given to another connection of the same client.
    PerClient,
    /// Its place was given to any other connection.
    Pressure,
    /// The server stops.
    Stop,
    /// A reset, an error of the network, or a fault of ours.
    Error,
}

impl End {
    /// All, in the order of their counters.
    pub const ALL: [Self; 9] = [
        Self::Client,
        Self::FirstMessage,
        Self::Idle,
        Self::Unread,
        Self::NotDns,
        Self::PerClient,
        Self::Pressure,
        Self::Stop,
        Self::Error,
    ];

    /// The value of the label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::FirstMessage => "first_message",
            Self::Idle => "idle",
            Self::Unread => "unread",
            Self::NotDns => "not_dns",
            Self::PerClient => "per_client",
            Self::Pressure => "pressure",
            Self::Stop => "stop",
            Self::Error => "error",
        }
    }
}

/// Which limit a reply was over: the label `limit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limit {
    /// That of answers for one name and type.
    Responses,
    /// That of errors and of names that do not exist.
    Errors,
}

impl Limit {
    /// Both, in the order of their counters.
    pub const ALL: [Self; 2] = [Self::Responses, Self::Errors];

    /// The value of the label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Responses => "responses",
            Self::Errors => "errors",
        }
    }
}

/// What became of a reply over a limit: the label `action`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LimitAction {
    /// It was not sent.
    Dropped,
    /// It was sent without records: the client is to ask over TCP, or with the cookie it got.
    Slipped,
    /// It was sent: limits were only tried.
    DryRun,
}

impl LimitAction {
    /// All, in the order of their counters.
    pub const ALL: [Self; 3] = [Self::Dropped, Self::Slipped, Self::DryRun];

    /// The value of the label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Dropped => "dropped",
            Self::Slipped => "slipped",
            Self::DryRun => "dry_run",
        }
    }
}

/// Where the query log goes: the label `sink`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogSink {
    /// Lines of JSON.
    Json,
    /// A socket that takes dnstap.
    Dnstap,
}

impl LogSink {
    /// Both, in the order of their counters.
    pub const ALL: [Self; 2] = [Self::Json, Self::Dnstap];

    /// The value of the label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Dnstap => "dnstap",
        }
    }
}

/// What became of a request for a whole zone: the label `result`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransferResult {
    /// All of it was sent.
    Sent,
    /// The client has the current serial (or asked over UDP), and got the SOA alone.
    Soa,
    /// Not from there, not with that key, or not with its dynamic names.
    Refused,
    /// It was begun, but the client went away or did not read.
    Broken,
}

impl TransferResult {
    /// All, in the order of their counters.
    pub const ALL: [Self; 4] = [Self::Sent, Self::Soa, Self::Refused, Self::Broken];

    /// The value of the label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Soa => "soa",
            Self::Refused => "refused",
            Self::Broken => "broken",
        }
    }
}

/// A query type or a response code on the wire, and the label under which it is counted.
type Code = (u16, &'static str);

/// The label of every code that has none of its own.
pub(super) const OTHER: &str = "other";

/// The query types with a counter of their own (IANA's DNS parameters).
pub(super) const TYPES: [Code; 17] = [
    (1, "A"),
    (28, "AAAA"),
    (2, "NS"),
    (6, "SOA"),
    (5, "CNAME"),
    (16, "TXT"),
    (15, "MX"),
    (33, "SRV"),
    (12, "PTR"),
    (257, "CAA"),
    (65, "HTTPS"),
    (64, "SVCB"),
    (43, "DS"),
    (48, "DNSKEY"),
    (251, "IXFR"),
    (252, "AXFR"),
    (255, "ANY"),
];

/// The response codes with a counter of their own, extended ones included (RFC 6891).
pub(super) const RCODES: [Code; 10] = [
    (0, "NOERROR"),
    (1, "FORMERR"),
    (2, "SERVFAIL"),
    (3, "NXDOMAIN"),
    (4, "NOTIMP"),
    (5, "REFUSED"),
    (6, "YXDOMAIN"),
    (9, "NOTAUTH"),
    (16, "BADVERS"),
    (23, "BADCOOKIE"),
];

/// For each code up to the largest known one, the position of its counter; the last counter is
/// that of all other codes.
#[expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a mistake here is found when this is compiled"
)]
const fn index<const LEN: usize>(codes: &[Code]) -> [u8; LEN] {
    let mut table = [codes.len() as u8; LEN];
    let mut at = 0;
    while at < codes.len() {
        table[codes[at].0 as usize] = at as u8;
        at += 1;
    }
    table
}

static TYPE_INDEX: [u8; 258] = index(&TYPES);
static RCODE_INDEX: [u8; 24] = index(&RCODES);

/// The position of a query type's counter, at most `TYPES.len()`.
#[inline]
pub(super) fn type_index(qtype: u16) -> usize {
    TYPE_INDEX.get(usize::from(qtype)).map_or(TYPES.len(), |&at| usize::from(at))
}

/// The position of a response code's counter, at most `RCODES.len()`.
#[inline]
pub(super) fn rcode_index(rcode: u16) -> usize {
    RCODE_INDEX.get(usize::from(rcode)).map_or(RCODES.len(), |&at| usize::from(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_code_has_its_own_counter_and_the_rest_share_one() {
        for (at, (code, _)) in TYPES.iter().enumerate() {
            assert_eq!(type_index(*code), at);
        }
        for (at, (code, _)) in RCODES.iter().enumerate() {
            assert_eq!(rcode_index(*code), at);
        }
        for unknown in [0, 3, 99, 258, u16::MAX] {
            assert_eq!(type_index(unknown), TYPES.len());
        }
        for unknown in [7, 15, 22, 24, u16::MAX] {
            assert_eq!(rcode_index(unknown), RCODES.len());
        }
    }

    #[test]
    fn closed_sets_are_listed_in_the_order_of_their_counters() {
        for (at, reason) in DropReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, at);
        }
        for (at, end) in End::ALL.into_iter().enumerate() {
            assert_eq!(end as usize, at);
        }
        for (at, limit) in Limit::ALL.into_iter().enumerate() {
            assert_eq!(limit as usize, at);
        }
        for (at, action) in LimitAction::ALL.into_iter().enumerate() {
            assert_eq!(action as usize, at);
        }
        for (at, result) in TransferResult::ALL.into_iter().enumerate() {
            assert_eq!(result as usize, at);
        }
    }
}
