//! A DNS client: messages by hickory-proto, OPT records and framing by hand.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use domain::base::iana::Rtype;
use domain::base::opt::UnknownOptData;
use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{Name, Record, RecordType};

/// How long an answer may take; none is ever lost on loopback.
const ANSWER: Duration = Duration::from_secs(2);
/// Octets of a header (RFC 1035 section 4.1.1).
pub(crate) const HEADER: usize = 12;

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) name: String,
    pub(crate) rtype: RecordType,
    /// The payload size of an OPT record; `None`: no OPT.
    pub(crate) edns: Option<u16>,
    /// The options in that record, as they are sent.
    pub(crate) options: Vec<u8>,
    /// Whether recursion is desired.
    pub(crate) rd: bool,
}

impl Question {
    /// Without EDNS, recursion not desired.
    pub(crate) fn new(name: &str, rtype: RecordType) -> Self {
        Self { name: name.to_owned(), rtype, edns: None, options: Vec::new(), rd: false }
    }

    /// For IPv4 addresses.
    pub(crate) fn a(name: &str) -> Self {
        Self::new(name, RecordType::A)
    }

    /// For IPv6 addresses.
    pub(crate) fn aaaa(name: &str) -> Self {
        Self::new(name, RecordType::AAAA)
    }

    /// With an OPT record that tells this payload size (RFC 6891 section 6.1.2).
    pub(crate) fn edns(self, payload: u16) -> Self {
        Self { edns: Some(payload), ..self }
    }

    /// With an OPT record that has these options, codes and lengths included.
    pub(crate) fn options(self, options: Vec<u8>) -> Self {
        Self { options, ..self }.edns(1232)
    }

    /// The message.
    pub(crate) fn wire(&self, id: u16) -> Vec<u8> {
        let mut name = Name::from_ascii(&self.name).unwrap();
        name.set_fqdn(true);
        let mut message = Message::query();
        message.metadata.id = id;
        message.metadata.recursion_desired = self.rd;
        message.add_query(Query::query(name, self.rtype));
        let mut octets = message.to_vec().unwrap();
        if let Some(payload) = self.edns {
            let [p1, p0] = payload.to_be_bytes();
            octets.extend([0, 0, 41, p1, p0, 0, 0, 0, 0]);
            octets.extend(u16::try_from(self.options.len()).unwrap().to_be_bytes());
            octets.extend(&self.options);
            octets[HEADER - 1] = 1;
        }
        octets
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// As it was sent.
    pub(crate) octets: Vec<u8>,
    /// As hickory reads it.
    pub(crate) message: Message,
}

impl Reply {
    /// Panics when it is not DNS.
    #[track_caller]
    pub(crate) fn read(octets: Vec<u8>) -> Self {
        let message = Message::from_vec(&octets)
            .unwrap_or_else(|error| panic!("a reply that cannot be read ({error}): {octets:?}"));
        Self { octets, message }
    }

    /// The options of its OPT record, by code, and what that says beside them; `None`: it has none.
    /// Panics when it has more than one.
    #[track_caller]
    pub(crate) fn opt(&self) -> Option<Opt> {
        let message = domain::base::Message::from_octets(&self.octets[..]).unwrap();
        let additional = message.additional().unwrap();
        let opts = additional.filter(|record| record.as_ref().unwrap().rtype() == Rtype::OPT);
        assert!(opts.count() <= 1, "more than one OPT: {:?}", self.octets);
        let opt = message.opt()?;
        let options = opt.opt().iter::<UnknownOptData<_>>().map(|option| {
            let option = option.unwrap();
            (option.code().to_int(), option.data().to_vec())
        });
        Some(Opt { version: opt.version(), dnssec_ok: opt.dnssec_ok(), options: options.collect() })
    }

    /// The response code with its extended bits, AA, TC, and the four counts.
    #[track_caller]
    pub(crate) fn header(&self) -> (u16, bool, bool, [u16; 4]) {
        let message = domain::base::Message::from_octets(&self.octets[..]).unwrap();
        let (header, counts) = (message.header(), message.header_counts());
        let counts = [counts.qdcount(), counts.ancount(), counts.nscount(), counts.arcount()];
        (message.opt_rcode().to_int(), header.aa(), header.tc(), counts)
    }

    /// The addresses in the answer section.
    pub(crate) fn addresses(&self) -> Vec<IpAddr> {
        self.message.answers.iter().filter_map(|record| record.data.ip_addr()).collect()
    }

    /// The TTL of the first record of the answer; panics when there is none.
    #[track_caller]
    pub(crate) fn ttl(&self) -> u32 {
        self.message.answers.first().unwrap_or_else(|| panic!("empty: {}", self.text())).ttl
    }

    /// One line for the header, one for each record: `an NAME TTL TYPE DATA`.
    pub(crate) fn text(&self) -> String {
        let header = &self.message.metadata;
        let mut text = format!("{:?}", header.response_code);
        for (flag, set) in [("aa", header.authoritative), ("tc", header.truncation)] {
            if set {
                text.push(' ');
                text.push_str(flag);
            }
        }
        let sections = [
            ("an", &self.message.answers),
            ("ns", &self.message.authorities),
            ("ar", &self.message.additionals),
        ];
        for (section, records) in sections {
            for Record { name, ttl, data, .. } in records {
                text.push_str(&format!("\n{section} {name} {ttl} {} {data}", data.record_type()));
            }
        }
        text
    }
}

/// What an OPT record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opt {
    pub(crate) version: u8,
    pub(crate) dnssec_ok: bool,
    /// Codes and data, in their order.
    pub(crate) options: Vec<(u16, Vec<u8>)>,
}

impl Opt {
    /// The data of the one option with this code.
    pub(crate) fn option(&self, code: u16) -> Option<&[u8]> {
        let mut found = self.options.iter().filter(|(of, _)| *of == code);
        let data = found.next().map(|(_, data)| data.as_slice());
        assert!(found.next().is_none(), "option {code} twice: {:?}", self.options);
        data
    }
}

/// An option as it is sent.
pub(crate) fn option(code: u16, data: &[u8]) -> Vec<u8> {
    let len = u16::try_from(data.len()).unwrap();
    [&code.to_be_bytes()[..], &len.to_be_bytes(), data].concat()
}

/// What a query is sent over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    Udp,
    Tcp,
}

/// Sends one request on a socket of its own and waits for the reply.
#[track_caller]
pub(crate) fn exchange(via: Via, to: SocketAddr, request: &[u8]) -> Reply {
    Reply::read(exchange_octets(via, to, request))
}

/// The same for a reply that hickory cannot read.
#[track_caller]
pub(crate) fn exchange_octets(via: Via, to: SocketAddr, request: &[u8]) -> Vec<u8> {
    let octets = match via {
        Via::Udp => {
            let client = Client::new(to);
            client.send(request);
            client.receive_octets()
        }
        Via::Tcp => {
            let mut client = TcpClient::new(to);
            client.send(&[request]);
            client.receive_octets().expect("the connection was closed without an answer")
        }
    };
    assert_eq!(octets[..2], request[..2], "the id of another request");
    octets
}

/// A client over UDP with one socket.
#[derive(Debug)]
pub(crate) struct Client {
    socket: UdpSocket,
    id: u16,
}

impl Client {
    pub(crate) fn new(to: SocketAddr) -> Self {
        let from: IpAddr = match to {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        };
        Self::at(from, to)
    }

    /// One that asks from an address of this machine.
    pub(crate) fn at(from: IpAddr, to: SocketAddr) -> Self {
        let socket = UdpSocket::bind((from, 0)).unwrap();
        socket.connect(to).unwrap();
        socket.set_read_timeout(Some(ANSWER)).unwrap();
        Self { socket, id: 0 }
    }

    /// Asks, and waits for the answer; panics when none comes.
    #[track_caller]
    pub(crate) fn ask(&mut self, question: &Question) -> Reply {
        self.id = self.id.wrapping_add(1);
        self.exchange(&question.wire(self.id))
    }

    #[track_caller]
    fn exchange(&self, request: &[u8]) -> Reply {
        self.send(request);
        let reply = self.receive();
        assert_eq!(reply.octets[..2], request[..2], "the id of another request");
        reply
    }

    /// Sends, and waits for nothing.
    pub(crate) fn send(&self, request: &[u8]) {
        self.socket.send(request).unwrap();
    }

    /// Waits for the next datagram; panics when none comes.
    #[track_caller]
    pub(crate) fn receive(&self) -> Reply {
        Reply::read(self.receive_octets())
    }

    #[track_caller]
    fn receive_octets(&self) -> Vec<u8> {
        let mut buffer = vec![0; 65_535];
        let len = self.socket.recv(&mut buffer);
        buffer.truncate(len.expect("a query was not answered within 2 s"));
        buffer
    }
}

/// A client over TCP with one connection.
#[derive(Debug)]
pub(crate) struct TcpClient {
    pub(crate) stream: TcpStream,
}

impl TcpClient {
    pub(crate) fn new(to: SocketAddr) -> Self {
        Self::try_new(to).unwrap()
    }

    /// One to somebody who may not be there.
    pub(crate) fn try_new(to: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(to)?;
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(super::wait::PATIENCE)).unwrap();
        Ok(Self { stream })
    }

    /// Sends all of these messages at once.
    pub(crate) fn send(&mut self, messages: &[&[u8]]) {
        let octets: Vec<u8> = messages.iter().flat_map(|message| framed(message)).collect();
        self.stream.write_all(&octets).unwrap();
    }

    /// The next message; `None` when the server has closed the connection.
    #[track_caller]
    pub(crate) fn receive(&mut self) -> Option<Reply> {
        self.receive_octets().map(Reply::read)
    }

    #[track_caller]
    fn receive_octets(&mut self) -> Option<Vec<u8>> {
        let mut len = [0; 2];
        match self.stream.read_exact(&mut len) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return None,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
            Err(error) => panic!("neither an answer nor an end: {error}"),
        }
        let mut octets = vec![0; usize::from(u16::from_be_bytes(len))];
        self.stream.read_exact(&mut octets).unwrap();
        Some(octets)
    }
}

/// A message with its length in front (RFC 1035 section 4.2.2).
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    let len = u16::try_from(message.len()).unwrap();
    [&len.to_be_bytes(), message].concat()
}
