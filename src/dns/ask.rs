//! One question put to the engine without a socket, and its reply in words: what `resolve` shows of
//! names that are not dynamic, and how it finds the record behind a name.

use std::sync::Arc;

use domain::base::iana::{OptRcode, Rtype};
use domain::base::message::RecordSection;
use domain::base::opt::ClientSubnet;
use domain::base::wire::ParseError;
use domain::base::zonefile_fmt::{DisplayKind, ZonefileFmt};
use domain::base::{Message, ParsedName};
use domain::rdata::ZoneRecordData;
use serde::{Deserialize, Serialize};

use super::engine::{Located, Shared, Transport, Verdict, Worker, finish, locate, reply_max};
use crate::metrics::{Metrics, Proto};
use crate::model::{Family, RecordId};
use crate::routing::{Asker, Secret, Snapshot};
use crate::wire::{CLASS_IN, Key, Name, rtype};
use crate::zone::{EntryId, Found, Names};

/// A reply as people read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The response code: `NOERROR`, `NXDOMAIN`, …
    pub rcode: String,
    /// Whether the server speaks for the name.
    pub authoritative: bool,
    /// The records that answer.
    pub answer: Vec<RecordText>,
    /// The SOA of a negative answer, or the NS of a referral.
    pub authority: Vec<RecordText>,
    /// Addresses of nameservers.
    pub additional: Vec<RecordText>,
    /// The scope of the EDNS Client Subnet, if the reply has one.
    pub scope: Option<u8>,
}

/// A record in the presentation format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordText {
    /// The owner, without the final dot.
    pub name: String,
    /// The TTL in seconds.
    pub ttl: u32,
    /// The type's mnemonic, or `TYPE` and its number.
    #[serde(rename = "type")]
    pub rtype: String,
    /// The record data.
    pub data: String,
}

/// Where the engine's way through static names ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Led {
    /// The name at the end: the question's, or that of the last CNAME.
    pub name: Name,
    /// Whether the engine stopped before that name, for it is in another zone; who asked will ask
    /// for it again.
    pub anew: bool,
    /// The dynamic record that answers for the name, perhaps a wildcard.
    pub record: Option<RecordId>,
}

/// An engine that is asked without a socket, again and again.
#[derive(Debug)]
pub struct Desk {
    worker: Worker,
    buffer: Vec<u8>,
}

impl Desk {
    /// With counters that nobody reads.
    #[must_use]
    pub fn new() -> Self {
        let block = Metrics::new().block(Proto::Tcp, Family::V4, false);
        let shared = Arc::new(Shared::with_secret(Secret([0; 16])));
        Self { worker: Worker::new(block, 0, shared), buffer: Vec::new() }
    }

    /// Asks, over TCP so that nothing is cut. `None`: the engine gives no reply that can be read.
    #[must_use]
    pub fn ask(
        &mut self,
        snapshot: &Snapshot,
        name: &Name,
        qtype: u16,
        asker: &Asker,
    ) -> Option<Reply> {
        let request = request(name, qtype, asker);
        let mut at = Located::default();
        locate(snapshot, asker.source, &request, &mut at);
        let transport = Transport::Tcp;
        self.buffer.resize(reply_max(transport, snapshot.options.udp_payload_max), 0);
        self.buffer.get_mut(..request.len())?.copy_from_slice(&request);
        match finish(snapshot, &at, transport, &mut self.buffer, &mut self.worker) {
            Verdict::Reply(len) => read(self.buffer.get(..len)?).ok(),
            Verdict::Nothing | Verdict::Transfer => None,
        }
    }
}

impl Default for Desk {
    fn default() -> Self {
        Self::new()
    }
}

/// Asks once.
#[must_use]
pub fn ask(snapshot: &Snapshot, name: &Name, qtype: u16, asker: &Asker) -> Option<Reply> {
    Desk::new().ask(snapshot, name, qtype, asker)
}

/// Follows the CNAMEs of a reply to the end, and finds the dynamic record there.
#[must_use]
pub fn led(snapshot: &Snapshot, name: &Name, reply: &Reply) -> Led {
    let names = &snapshot.names;
    let mut end = name.clone();
    // The chain stands in order. What a dynamic record answers is no part of it.
    let is_dynamic =
        |name: &Name| names.node(name).is_some_and(|n| names.entry(n).record().is_some());
    for cname in reply.answer.iter().filter(|record| record.rtype == "CNAME") {
        if is_dynamic(&end) {
            break;
        }
        if let Ok(target) = Name::from_text(&cname.data) {
            end = target;
        }
    }
    let node = names.node(&end);
    let zone = |name| Some(names.entry(above(names, name)?).zone());
    let answered = node.is_some_and(|node| {
        let record = names.entry(node).record();
        record.is_some() && zone(&end) == zone(name)
    });
    let record = node.and_then(|node| names.entry(node).record());
    Led { name: end, anew: record.is_some() && !answered, record }
}

/// The name's entry, or that of its closest encloser.
fn above(names: &Names, name: &Name) -> Option<EntryId> {
    let mut key = Key::ROOT;
    key.read(name.as_wire())?;
    match names.find(&key) {
        Found::Exact(at) | Found::Below { encloser: at, .. } => Some(at),
        Found::Outside => None,
    }
}

/// A query's octets, with the subnet of the asker if there is one (RFC 7871 section 6).
fn request(name: &Name, qtype: u16, asker: &Asker) -> Vec<u8> {
    let mut octets = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, u8::from(asker.subnet.is_some())];
    octets.extend(name.as_wire());
    octets.extend(qtype.to_be_bytes());
    octets.extend(CLASS_IN.to_be_bytes());
    let Some((address, len)) = asker.subnet else { return octets };
    let (family, address) = match address {
        std::net::IpAddr::V4(v4) => (1, v4.octets().to_vec()),
        std::net::IpAddr::V6(v6) => (2, v6.octets().to_vec()),
    };
    let address = address.get(..usize::from(len.div_ceil(8))).unwrap_or_default();
    let data = 4_u8.saturating_add(address.len() as u8);
    octets.push(0);
    octets.extend(rtype::OPT.to_be_bytes());
    octets.extend(1232_u16.to_be_bytes());
    octets.extend([0, 0, 0, 0, 0, data.saturating_add(4), 0, 8, 0, data, 0, family, len, 0]);
    octets.extend(address);
    octets
}

fn read(octets: &[u8]) -> Result<Reply, ParseError> {
    let message = Message::from_octets(octets).map_err(|_| ParseError::ShortInput)?;
    let answer = message.answer()?;
    let authority = message.authority()?;
    let additional = message.additional()?;
    let subnet = message.opt().and_then(|opt| opt.opt().first::<ClientSubnet>());
    Ok(Reply {
        rcode: match message.opt_rcode() {
            OptRcode::NOERROR => "NOERROR".into(),
            rcode => rcode.to_string().to_uppercase(),
        },
        authoritative: message.header().aa(),
        answer: texts(answer)?,
        authority: texts(authority)?,
        additional: texts(additional)?,
        scope: subnet.map(|subnet| subnet.scope_prefix_len()),
    })
}

fn texts<'a>(section: RecordSection<'a, &'a [u8]>) -> Result<Vec<RecordText>, ParseError> {
    let mut found = Vec::new();
    for record in section {
        let record = record?;
        if record.rtype() == Rtype::OPT {
            continue;
        }
        let Some(record) = record.into_record::<ZoneRecordData<_, ParsedName<_>>>()? else {
            continue;
        };
        found.push(RecordText {
            name: record.owner().to_string(),
            ttl: record.ttl().as_secs(),
            rtype: record.rtype().to_string(),
            data: record.data().display_zonefile(DisplayKind::Simple).to_string(),
        });
    }
    Ok(found)
}
