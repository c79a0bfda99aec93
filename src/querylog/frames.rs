//! Frame Streams: how dnstap goes over a socket.
//!
//! A frame is its length, as 32 bits, and as many octets; a length of 0 announces a control frame. Both
//! sides introduce themselves: READY, ACCEPT, START, and at the end STOP, FINISH, as in the library
//! fstrm, whose `control.h` is the specification.

use std::io::{self, ErrorKind, Read, Write};

/// What the frames hold.
pub(super) const CONTENT: &[u8] = b"protobuf:dnstap.Dnstap";

/// Control frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Control {
    Accept = 1,
    Start = 2,
    Stop = 3,
    Ready = 4,
    Finish = 5,
}

/// The field of a control frame that tells what the frames hold.
const CONTENT_TYPE: u32 = 1;
/// The longest control frame (FSTRM_CONTROL_FRAME_LENGTH_MAX).
const CONTROL_MAX: usize = 512;

/// A control frame; all but STOP and FINISH tell what the frames hold.
pub(super) fn control(which: Control) -> Vec<u8> {
    let mut body = (which as u32).to_be_bytes().to_vec();
    if !matches!(which, Control::Stop | Control::Finish) {
        body.extend(CONTENT_TYPE.to_be_bytes());
        body.extend((CONTENT.len() as u32).to_be_bytes());
        body.extend(CONTENT);
    }
    [&0_u32.to_be_bytes()[..], &(body.len() as u32).to_be_bytes(), &body].concat()
}

/// Reads a control frame and refuses any other.
pub(super) fn expect(from: &mut impl Read, which: Control) -> io::Result<()> {
    let wrong = |what| io::Error::new(ErrorKind::InvalidData, what);
    let mut head = [0; 8];
    from.read_exact(&mut head)?;
    let [e3, e2, e1, e0, l3, l2, l1, l0] = head;
    let len = u32::from_be_bytes([l3, l2, l1, l0]) as usize;
    if u32::from_be_bytes([e3, e2, e1, e0]) != 0 || !(4..=CONTROL_MAX).contains(&len) {
        return Err(wrong("it does not speak Frame Streams"));
    }
    let mut body = vec![0; len];
    from.read_exact(&mut body)?;
    let (kind, fields) = body.split_first_chunk().ok_or_else(|| wrong("no control frame"))?;
    if u32::from_be_bytes(*kind) != which as u32 {
        return Err(wrong("it does not keep to the order of Frame Streams"));
    }
    // STOP and FINISH have no fields.
    let told = which != Control::Accept || has_content(fields);
    if told { Ok(()) } else { Err(wrong("it does not take dnstap")) }
}

/// Whether dnstap is among the contents that a control frame has; if it has none, all are meant.
fn has_content(mut fields: &[u8]) -> bool {
    let mut any = false;
    while let Some((&[k3, k2, k1, k0, l3, l2, l1, l0], rest)) = fields.split_first_chunk::<8>() {
        let len = u32::from_be_bytes([l3, l2, l1, l0]) as usize;
        let Some((value, rest)) = rest.split_at_checked(len) else { return false };
        if u32::from_be_bytes([k3, k2, k1, k0]) == CONTENT_TYPE {
            if value == CONTENT {
                return true;
            }
            any = true;
        }
        fields = rest;
    }
    !any
}

/// Introduces this side to one that takes frames.
pub(super) fn introduce(peer: &mut (impl Read + Write)) -> io::Result<()> {
    peer.write_all(&control(Control::Ready))?;
    expect(peer, Control::Accept)?;
    peer.write_all(&control(Control::Start))
}

/// Takes leave of it, so that it knows that nothing is missing.
pub(super) fn take_leave(peer: &mut (impl Read + Write)) -> io::Result<()> {
    peer.write_all(&control(Control::Stop))?;
    expect(peer, Control::Finish)
}

/// Appends a frame.
pub(super) fn frame(to: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let at = to.len();
    to.extend([0; 4]);
    write(to);
    let len = (to.len() - at - 4) as u32;
    to[at..at + 4].copy_from_slice(&len.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_frames_are_as_the_library_writes_them() {
        let ready = b"\0\0\0\0\0\0\0\x22\0\0\0\x04\0\0\0\x01\0\0\0\x16protobuf:dnstap.Dnstap";
        assert_eq!(control(Control::Ready), ready);
        assert_eq!(control(Control::Stop), b"\0\0\0\0\0\0\0\x04\0\0\0\x03");
    }

    #[test]
    fn only_who_takes_dnstap_is_accepted() {
        let accept = control(Control::Accept);
        assert!(expect(&mut &accept[..], Control::Accept).is_ok());
        let any = b"\0\0\0\0\0\0\0\x04\0\0\0\x01";
        assert!(expect(&mut &any[..], Control::Accept).is_ok());
        let other = b"\0\0\0\0\0\0\0\x11\0\0\0\x01\0\0\0\x01\0\0\0\x05other";
        assert!(expect(&mut &other[..], Control::Accept).is_err());
        assert!(expect(&mut &accept[..], Control::Finish).is_err());
        assert!(expect(&mut &b"HTTP/1.1 400 Bad Request\r\n"[..], Control::Accept).is_err());
        for len in 0..accept.len() {
            assert!(expect(&mut &accept[..len], Control::Accept).is_err(), "{len}");
        }
    }

    #[test]
    fn a_frame_has_its_length_in_front() {
        let mut to = b"before".to_vec();
        frame(&mut to, |to| to.extend_from_slice(b"frame"));
        assert_eq!(to, b"before\0\0\0\x05frame");
    }
}
