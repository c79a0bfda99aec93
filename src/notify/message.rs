//! The messages: what a secondary is sent, and what it says.

use std::sync::Arc;

use crate::wire::{CLASS_IN, Name, rtype, tsig};

/// The opcode (RFC 1996 section 3.12), where the header has it.
const OPCODE: u8 = 4 << 3;
const QR: u8 = 0x80;
const AA: u8 = 0x04;
/// Octets of a header.
const HEADER: usize = 12;
/// More than any message here has: header, question, signature.
const MAX: usize = 1232;

/// A message that waits for its answer.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    /// Its id.
    pub(super) id: u16,
    /// Its octets.
    pub(super) octets: Vec<u8>,
    signer: Option<tsig::Signer>,
}

/// What a secondary said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// It knows.
    Yes,
    /// It will not, with this response code.
    No(u8),
}

impl Sent {
    /// That a zone has a new serial (RFC 1996 section 3.7); signed at `now`, in seconds since 1970.
    pub(super) fn new(id: u16, zone: &Name, key: Option<&Arc<tsig::Key>>, now: u64) -> Self {
        let [i1, i0] = id.to_be_bytes();
        let mut octets = vec![i1, i0, OPCODE | AA, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        octets.extend_from_slice(zone.as_wire());
        octets.extend(rtype::SOA.to_be_bytes());
        octets.extend(CLASS_IN.to_be_bytes());
        let mut signer = key.map(|key| tsig::Signer::request(Arc::clone(key)));
        if let Some(signer) = &mut signer {
            let len = octets.len();
            octets.resize(MAX, 0);
            let end = signer.sign(&mut octets, len, now).unwrap_or(len);
            octets.truncate(end);
        }
        Self { id, octets, signer }
    }

    /// Reads a datagram as the answer; `None` when it is none.
    pub(super) fn answer(&self, octets: &[u8], now: u64) -> Option<Said> {
        let (header, _) = octets.split_first_chunk::<HEADER>()?;
        let [i1, i0, high, low, ..] = *header;
        let is_answer = u16::from_be_bytes([i1, i0]) == self.id && high & 0xf8 == QR | OPCODE;
        is_answer.then_some(())?;
        let said = match low & 0x0f {
            0 => Said::Yes,
            rcode => Said::No(rcode),
        };
        let signed = self.signer.as_ref().map(|signer| {
            tsig::Received::find(octets)
                .is_some_and(|at| signer.check_reply(octets, at, now).is_ok())
        });
        // A secondary that does not know the key says so without signing.
        (signed != Some(false) || said != Said::Yes).then_some(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn key(secret: &[u8]) -> Arc<tsig::Key> {
        Arc::new(tsig::Key::new(Name::from_text("k").unwrap(), tsig::Algorithm::Sha256, secret))
    }

    /// An answer with this code, signed if there is a key for it.
    fn answer(sent: &Sent, rcode: u8, key: Option<&Arc<tsig::Key>>) -> Vec<u8> {
        let at = HEADER + 6 + 4;
        let mut octets = sent.octets[..at].to_vec();
        octets[2] |= QR;
        octets[3] = rcode;
        octets[11] = 0;
        octets.resize(MAX, 0);
        let len = key.map_or(at, |key| {
            let request = tsig::Received::read(&sent.octets, at).unwrap();
            tsig::Signer::reply(key, &request).sign(&mut octets, at, NOW).unwrap()
        });
        octets.truncate(len);
        octets
    }

    #[test]
    fn rfc1996_3_7_the_question_is_the_zones_soa() {
        let sent = Sent::new(0x1234, &Name::from_text("test").unwrap(), None, NOW);
        let wanted = b"\x12\x34\x24\0\0\x01\0\0\0\0\0\0\x04test\0\0\x06\0\x01";
        assert_eq!(sent.octets, wanted);
        assert_eq!(sent.answer(&answer(&sent, 0, None), NOW), Some(Said::Yes));
        assert_eq!(sent.answer(&answer(&sent, 9, None), NOW), Some(Said::No(9)));
        let mut other = answer(&sent, 0, None);
        other[0] ^= 1;
        assert_eq!(sent.answer(&other, NOW), None, "another id");
        assert_eq!(sent.answer(&sent.octets, NOW), None, "no response");
        other[0] ^= 1;
        other[2] ^= OPCODE;
        assert_eq!(sent.answer(&other, NOW), None, "a response to a query");
        assert_eq!(sent.answer(b"\x12\x34", NOW), None);
    }

    #[test]
    fn the_answer_to_a_signed_one_must_be_signed_to_count() {
        let (ours, other) = (key(b"secret"), key(b"another"));
        let sent = Sent::new(7, &Name::from_text("test").unwrap(), Some(&ours), NOW);
        assert_eq!(sent.answer(&answer(&sent, 0, Some(&ours)), NOW), Some(Said::Yes));
        assert_eq!(sent.answer(&answer(&sent, 0, Some(&other)), NOW), None);
        assert_eq!(sent.answer(&answer(&sent, 0, None), NOW), None);
        assert_eq!(sent.answer(&answer(&sent, 9, None), NOW), Some(Said::No(9)));
    }
}
