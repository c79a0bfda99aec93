//! Requests in octets.

use std::net::IpAddr;

use domain::base::iana::{Class, Rtype};
use domain::base::message_builder::MessageBuilder;
use domain::rdata::tsig::Time48;
use domain::tsig;

use super::world::{KEY, SECRET};

pub(crate) const A: u16 = 1;
pub(crate) const SOA: u16 = 6;
pub(crate) const MX: u16 = 15;
pub(crate) const TXT: u16 = 16;
pub(crate) const AAAA: u16 = 28;
pub(crate) const IXFR: u16 = 251;
pub(crate) const AXFR: u16 = 252;
pub(crate) const ANY: u16 = 255;

const ARCOUNT: usize = 11;

/// A question of class IN, with RD.
pub(crate) fn query(name: &str, rtype: u16) -> Vec<u8> {
    let mut octets = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.').filter(|label| !label.is_empty()) {
        octets.push(u8::try_from(label.len()).expect("a label"));
        octets.extend(label.as_bytes());
    }
    octets.push(0);
    octets.extend(rtype.to_be_bytes());
    octets.extend([0, 1]);
    octets
}

/// The same of class CH.
pub(crate) fn chaos(name: &str) -> Vec<u8> {
    let mut octets = query(name, TXT);
    *octets.last_mut().expect("a class") = 3;
    octets
}

/// With an OPT record that has these options.
pub(crate) fn edns(mut octets: Vec<u8>, payload: u16, options: &[Vec<u8>]) -> Vec<u8> {
    octets[ARCOUNT] += 1;
    let data = options.concat();
    octets.extend([0, 0, 41]);
    octets.extend(payload.to_be_bytes());
    octets.extend([0; 4]);
    octets.extend(u16::try_from(data.len()).expect("a few options").to_be_bytes());
    octets.extend(data);
    octets
}

/// With an OPT record of a version that does not exist.
pub(crate) fn edns_1(octets: Vec<u8>) -> Vec<u8> {
    let version = octets.len() + 6;
    let mut octets = edns(octets, 1232, &[]);
    octets[version] = 1;
    octets
}

/// An option.
pub(crate) fn option(code: u16, data: &[u8]) -> Vec<u8> {
    let len = u16::try_from(data.len()).expect("a short option");
    [&code.to_be_bytes()[..], &len.to_be_bytes(), data].concat()
}

/// NSID (RFC 5001).
pub(crate) fn nsid() -> Vec<u8> {
    option(3, &[])
}

/// A client subnet (RFC 7871); the length is one of whole octets.
pub(crate) fn subnet(address: &str, len: u8) -> Vec<u8> {
    let (family, octets) = match address.parse().expect("an address") {
        IpAddr::V4(v4) => (1, v4.octets().to_vec()),
        IpAddr::V6(v6) => (2, v6.octets().to_vec()),
    };
    option(8, &[&[0, family, len, 0], &octets[..usize::from(len / 8)]].concat())
}

/// A cookie (RFC 7873): the client's part, and perhaps the server's.
pub(crate) fn cookie(server: &[u8]) -> Vec<u8> {
    option(10, &[b"a client", server].concat())
}

/// Of another opcode: STATUS.
pub(crate) fn status(mut octets: Vec<u8>) -> Vec<u8> {
    octets[2] |= 2 << 3;
    octets
}

/// A question for a zone, by a client that has a newer serial.
pub(crate) fn ixfr(name: &str) -> Vec<u8> {
    let mut octets = query(name, IXFR);
    octets[9] = 1;
    octets.extend([0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 0, 0, 22, 0, 0, 0, 0, 0, 9]);
    octets.extend([0; 16]);
    octets
}

/// A question that is signed (RFC 8945) at some time with some secret.
pub(crate) fn signed(name: &str, unix_secs: u32, secret: &[u8]) -> Vec<u8> {
    let key = KEY.parse().expect("a name");
    let key = tsig::Key::new(tsig::Algorithm::Sha256, secret, key, None, None).expect("a key");
    let mut builder = MessageBuilder::new_vec().question();
    builder.header_mut().set_id(7);
    let name: domain::base::Name<Vec<u8>> = name.parse().expect("a name");
    builder.push((name, Rtype::A, Class::IN)).expect("room");
    let mut builder = builder.additional();
    let now = Time48::from_u64(unix_secs.into());
    tsig::ClientTransaction::request(key, &mut builder, now).expect("room");
    builder.finish()
}

/// The secret that is known, and another.
pub(crate) fn secrets() -> [&'static [u8]; 2] {
    [SECRET, b"another one, of the same length!"]
}
