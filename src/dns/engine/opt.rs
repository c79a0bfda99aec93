//! Hot: the OPT record of a reply, and the options in it (RFC 6891 section 6.1).

use crate::routing::Options;
use crate::wire::rtype;

use super::Transport;
use super::asked::{KEEPALIVE, NSID};
use super::cookie::{self, Checked};
use super::message::{Ede, OPT_LEN, Rcode, flags};
use super::request::{Edns, Located};
use super::subnet::Subnet;

/// The most octets of the record, but for the error: NSID has up to 128, a subnet up to 16.
pub(super) const LEN_MAX: usize = OPT_LEN + (4 + 128) + cookie::OPTION_LEN + 6 + (8 + 16);

/// What a reply's OPT record says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opt<'a> {
    /// What the client's said.
    edns: Edns,
    /// The largest UDP message that is taken here, in octets.
    payload: u16,
    /// Which nameserver this is (RFC 5001).
    nsid: Option<&'a str>,
    /// The client's cookie and the server's.
    cookie: Option<Checked>,
    /// How long the connection may be idle, in units of 100 ms; 0: it had better be closed.
    keepalive: Option<u16>,
    /// The client's subnet, and how much of it the reply is for.
    pub(super) subnet: Option<(Subnet, u8)>,
    /// Where there is room for it.
    pub(super) error: Option<Ede>,
}

impl<'a> Opt<'a> {
    /// The record that answers the client's, if it sent one; the scope of its subnet is 0 as yet.
    pub(super) fn of(
        at: &Located,
        options: &'a Options,
        transport: Transport,
        crowded: bool,
        cookie: Option<Checked>,
    ) -> Option<Self> {
        let edns = at.edns?;
        let keepalive = at.asked.keepalive && transport == Transport::Tcp;
        Some(Self {
            edns,
            payload: options.udp_payload_max,
            nsid: options.nsid.as_deref().filter(|_| at.asked.nsid),
            cookie,
            keepalive: keepalive.then_some(if crowded { 0 } else { options.keepalive }),
            subnet: at.asked.subnet.subnet().map(|subnet| (subnet, 0)),
            error: None,
        })
    }

    /// Without what makes a reply longer than its request, but for the server's part of a cookie;
    /// there must be no error yet.
    pub(super) const fn shorten(&mut self) {
        self.nsid = None;
    }

    /// Octets of the record, but for the error.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "texts of a configuration, and options of fixed lengths"
    )]
    pub(super) fn len(&self) -> usize {
        OPT_LEN
            + self.nsid.map_or(0, |text| 4 + text.len())
            + self.cookie.map_or(0, |_| cookie::OPTION_LEN)
            + self.keepalive.map_or(0, |_| 6)
            + self.subnet.map_or(0, |(subnet, _)| subnet.len())
    }

    /// Writes the record and returns where it ends; `None` when there is no room for it.
    #[expect(clippy::arithmetic_side_effects, reason = "positions within a message")]
    pub(super) fn write(&self, rcode: Rcode, buffer: &mut [u8], at: usize) -> Option<usize> {
        let start = at + OPT_LEN;
        let mut options = Writer { buffer: &mut *buffer, at: start };
        if let Some(text) = self.nsid {
            options.option(NSID, &[text.as_bytes()])?;
        }
        if let Some(cookie) = &self.cookie {
            options.option(cookie::CODE, &[&cookie.reply])?;
        }
        if let Some(time) = self.keepalive {
            options.option(KEEPALIVE, &[&time.to_be_bytes()])?;
        }
        if let Some((subnet, scope)) = self.subnet {
            let (head, address) = subnet.option(scope);
            let address = address.get(..subnet.len().checked_sub(head.len())?)?;
            options.put(&head)?;
            options.put(address)?;
        }
        if let Some(Ede { code, text }) = self.error {
            // It only explains, so it may be missing.
            let _ = options.option(Ede::OPTION, &[&code.to_be_bytes(), text.as_bytes()]);
        }
        let end = options.at;
        let [p1, p0] = self.payload.to_be_bytes();
        let [f1, f0] = (if self.edns.dnssec_ok { flags::DO } else { 0 }).to_be_bytes();
        let [l1, l0] = ((end - start) as u16).to_be_bytes();
        let opt = [0, 0, rtype::OPT as u8, p1, p0, (rcode.0 >> 4) as u8, 0, f1, f0, l1, l0];
        buffer.get_mut(at..start)?.copy_from_slice(&opt);
        Some(end)
    }
}

/// Where the next octets go.
struct Writer<'a> {
    buffer: &'a mut [u8],
    at: usize,
}

impl Writer<'_> {
    #[expect(clippy::arithmetic_side_effects, reason = "positions within a message")]
    fn put(&mut self, octets: &[u8]) -> Option<()> {
        let end = self.at + octets.len();
        self.buffer.get_mut(self.at..end)?.copy_from_slice(octets);
        self.at = end;
        Some(())
    }

    /// An option of several parts; nothing of it when it has no room.
    #[expect(clippy::arithmetic_side_effects, reason = "positions within a message")]
    fn option(&mut self, code: u16, parts: &[&[u8]]) -> Option<()> {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        self.buffer.get(self.at..self.at + 4 + len)?;
        let ([c1, c0], [l1, l0]) = (code.to_be_bytes(), (len as u16).to_be_bytes());
        self.put(&[c1, c0, l1, l0])?;
        parts.iter().try_for_each(|part| self.put(part))
    }
}
