//! Hot: the OPT record of a reply, and the options in it (RFC 6891 section 6.1).

use crate::wire::rtype;

use super::message::{Ede, OPT_LEN, Rcode, flags};
use super::request::Edns;
use super::subnet::Subnet;

/// What a reply's OPT record says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opt {
    /// What the client's said.
    pub(super) edns: Edns,
    /// The largest UDP message that is taken here, in octets.
    pub(super) payload: u16,
    /// The client's subnet, and how much of it the reply is for.
    pub(super) subnet: Option<(Subnet, u8)>,
    /// For replies without records, which have the room.
    pub(super) error: Option<Ede>,
}

impl Opt {
    /// Writes the record and returns where it ends; `None` when there is no room for it.
    pub(super) fn write(self, rcode: Rcode, buffer: &mut [u8], at: usize) -> Option<usize> {
        let options = at + OPT_LEN;
        let mut end = options;
        if let Some((subnet, scope)) = self.subnet {
            let (head, address) = subnet.option(scope);
            let (to_head, to_address) =
                buffer.get_mut(end..end + subnet.len())?.split_at_mut_checked(head.len())?;
            to_head.copy_from_slice(&head);
            to_address.copy_from_slice(address.get(..to_address.len())?);
            end += subnet.len();
        }
        if let Some(Ede(code)) = self.error {
            let ([c1, c0], [e1, e0]) = (Ede::OPTION.to_be_bytes(), code.to_be_bytes());
            let option = [c1, c0, 0, 2, e1, e0];
            buffer.get_mut(end..end + option.len())?.copy_from_slice(&option);
            end += option.len();
        }
        let [p1, p0] = self.payload.to_be_bytes();
        let [f1, f0] = (if self.edns.dnssec_ok { flags::DO } else { 0 }).to_be_bytes();
        let [l1, l0] = ((end - options) as u16).to_be_bytes();
        let opt = [0, 0, rtype::OPT as u8, p1, p0, (rcode.0 >> 4) as u8, 0, f1, f0, l1, l0];
        buffer.get_mut(at..options)?.copy_from_slice(&opt);
        Some(end)
    }
}
