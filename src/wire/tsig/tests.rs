//! Signed messages against another implementation, and what is not taken.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests"
)]

use std::sync::Arc;

use domain::base::iana::{Class, Rcode, Rtype};
use domain::base::{Message, MessageBuilder};
use domain::rdata::tsig::Time48;
use domain::tsig as peer;
use rstest::rstest;

use super::*;
use crate::wire::Name;

const NOW: u64 = 1_800_000_000;
const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

fn key(name: &str, algorithm: Algorithm, secret: &[u8]) -> Arc<Key> {
    Arc::new(Key::new(Name::from_text(name).unwrap(), algorithm, secret))
}

fn ours() -> Arc<Key> {
    key("transfer.example", Algorithm::Sha256, SECRET)
}

fn theirs(algorithm: peer::Algorithm) -> peer::Key {
    let name = "Transfer.Example.".parse().unwrap();
    peer::Key::new(algorithm, SECRET, name, None, None).unwrap()
}

fn time(secs: u64) -> Time48 {
    Time48::from_u64(secs)
}

/// An SOA query that the peer has signed.
fn request(algorithm: peer::Algorithm) -> (Vec<u8>, peer::ClientSequence<peer::Key>) {
    let mut builder = MessageBuilder::new_vec().question();
    builder.header_mut().set_id(4711);
    let name: domain::base::Name<Vec<u8>> = "example.".parse().unwrap();
    builder.push((name, Rtype::SOA, Class::IN)).unwrap();
    let mut builder = builder.additional();
    let signed = peer::ClientSequence::request(theirs(algorithm), &mut builder, time(NOW));
    (builder.finish(), signed.unwrap())
}

/// Where the record of such a query starts: behind header and question.
const AT: usize = 12 + 9 + 4;

/// A reply without records, in a buffer with room.
fn reply(request: &[u8]) -> (Vec<u8>, usize) {
    let mut reply = request[..AT].to_vec();
    reply[2] |= 0x80;
    reply[11] = 0;
    reply.resize(1000, 0);
    (reply, AT)
}

#[rstest]
#[case(Algorithm::Sha1, peer::Algorithm::Sha1)]
#[case(Algorithm::Sha256, peer::Algorithm::Sha256)]
#[case(Algorithm::Sha384, peer::Algorithm::Sha384)]
#[case(Algorithm::Sha512, peer::Algorithm::Sha512)]
fn rfc8945_5_3_1_a_peer_takes_one_reply_or_many(
    #[case] algorithm: Algorithm,
    #[case] its: peer::Algorithm,
) {
    let keys = [key("other", algorithm, b"x"), key("transfer.example", algorithm, SECRET)];
    let (message, mut client) = request(its);
    let received = Received::read(&message, AT).unwrap();
    let key = received.key(&keys).unwrap();
    assert_eq!(received.check(&message, key, NOW + 300), Ok(()));
    let mut signer = Signer::reply(key, &received);
    for _ in 0..5 {
        let (mut buffer, len) = reply(&message);
        let end = signer.sign(&mut buffer, len, NOW + 1).unwrap();
        assert_eq!(end - len, signer.room());
        buffer.truncate(end);
        let mut answer = Message::from_octets(buffer).unwrap();
        client.answer(&mut answer, time(NOW)).unwrap();
        assert_eq!(answer.header_counts().arcount(), 0, "without the record");
    }
    client.done().unwrap();
}

#[test]
fn a_peer_takes_requests_and_its_replies_are_checked() {
    let mut buffer = reply(&request(peer::Algorithm::Sha256).0).0;
    buffer[2] = 0;
    let mut signer = Signer::request(ours());
    let end = signer.sign(&mut buffer, AT, NOW).unwrap();
    buffer.truncate(end);
    let mut message = Message::from_octets(buffer).unwrap();
    let their = theirs(peer::Algorithm::Sha256);
    let server = peer::ServerTransaction::request(&their, &mut message, time(NOW));
    let builder = MessageBuilder::new_vec().start_answer(&message, Rcode::NOERROR).unwrap();
    let mut builder = builder.additional();
    server.unwrap().unwrap().answer(&mut builder, time(NOW)).unwrap();
    let mut answer = builder.finish();
    assert_eq!(signer.check_reply(&answer, AT, NOW), Ok(()));
    assert_eq!(signer.check_reply(&answer, AT, NOW + 301), Err(Error::BadTime));
    answer[3] ^= 1;
    assert_eq!(signer.check_reply(&answer, AT, NOW), Err(Error::BadSig));
    let other = Signer::request(key("other", Algorithm::Sha256, SECRET));
    assert_eq!(other.check_reply(&answer, AT, NOW), Err(Error::BadKey));
}

#[rstest]
#[case::another_name(key("transfer.examples", Algorithm::Sha256, SECRET))]
#[case::another_algorithm(key("transfer.example", Algorithm::Sha512, SECRET))]
fn rfc8945_5_2_1_a_key_is_a_name_and_an_algorithm(#[case] key: Arc<Key>) {
    let (message, _) = request(peer::Algorithm::Sha256);
    let received = Received::read(&message, AT).unwrap();
    assert_eq!(received.key([&key]), Err(Error::BadKey));
    let (mut buffer, len) = reply(&message);
    let end = received.refuse(&mut buffer, len, Error::BadKey).unwrap();
    assert_eq!(end - len, received.refusal_room());
    let refused = Received::read(&buffer, len).unwrap();
    assert_eq!((refused.mac.len, buffer[11]), (0, 1));
    assert!(buffer[..end].ends_with(&[0x12, 0x67, 0, 17, 0, 0]), "the id and BADKEY");
}

#[test]
fn rfc8945_5_2_2_every_octet_is_covered() {
    let (message, _) = request(peer::Algorithm::Sha256);
    let key = ours();
    for at in 0..message.len() {
        let mut wrong = message.clone();
        wrong[at] ^= 0x40;
        let checked = Received::read(&wrong, AT).map(|received| {
            let key = received.key([&key])?;
            received.check(&wrong, key, NOW)
        });
        // The id may change on the way: the original one counts. So may the case of names.
        let is_letter = message[at].is_ascii_alphabetic() && wrong[at].is_ascii_alphabetic();
        assert!(at < 2 || is_letter || checked != Some(Ok(())), "octet {at}: {checked:?}");
    }
    let other = Arc::new(Key::new(key.name().clone(), key.algorithm(), b"another secret"));
    let received = Received::read(&message, AT).unwrap();
    assert_eq!(received.check(&message, &other, NOW), Err(Error::BadSig));
}

#[rstest]
#[case(NOW - 300, Ok(()))]
#[case(NOW + 300, Ok(()))]
#[case(NOW - 301, Err(Error::BadTime))]
#[case(NOW + 301, Err(Error::BadTime))]
#[case(0, Err(Error::BadTime))]
fn rfc8945_5_2_3_clocks_may_differ_by_the_fudge(
    #[case] now: u64,
    #[case] wanted: Result<(), Error>,
) {
    let (message, _) = request(peer::Algorithm::Sha256);
    let received = Received::read(&message, AT).unwrap();
    assert_eq!(received.check(&message, &ours(), now), wanted);
}

#[test]
fn rfc8945_5_2_3_badtime_is_signed_and_tells_the_time() {
    let (message, _) = request(peer::Algorithm::Sha256);
    let received = Received::read(&message, AT).unwrap();
    let (mut buffer, len) = reply(&message);
    let key = ours();
    let mut signer = Signer::reply(&key, &received);
    let end = signer.sign_error(&mut buffer, len, Error::BadTime, &received, NOW + 999).unwrap();
    assert_eq!(end - len, signer.room() + 6);
    let told = Received::read(&buffer, len).unwrap();
    assert_eq!(told.time, NOW, "the client's time, so that the client finds it right");
    assert_eq!(told.check_reply(&buffer, &key, &received.mac, NOW), Ok(()));
    assert_eq!(buffer[end - 6..end], (NOW + 999).to_be_bytes()[2..], "and the server's");
    // What is signed, octet by octet: the peer takes the other data for eight of them.
    let mut signed = [&[0, 32], received.mac.as_slice(), &buffer[..11], &[0]].concat();
    signed.extend(&buffer[12..len]);
    signed.extend(b"\x08transfer\x07example\0\0\xff\0\0\0\0\x0bhmac-sha256\0");
    signed.extend(&NOW.to_be_bytes()[2..]);
    signed.extend(&[1, 44, 0, 18, 0, 6]);
    signed.extend(&(NOW + 999).to_be_bytes()[2..]);
    let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET);
    ring::hmac::verify(&secret, &signed, told.mac.as_slice()).unwrap();
}

/// The request with a MAC of another length, its first octets those of the right one.
fn cut(message: &[u8], len: usize) -> Vec<u8> {
    let mut cut = message.to_vec();
    // Behind the owner (18), type to length (10), algorithm (13), time and fudge (8).
    let size = AT + 18 + 10 + 13 + 8;
    assert_eq!(cut[size..size + 2], [0, 32]);
    cut[size + 1] = len as u8;
    let mac = size + 2..size + 2 + 32;
    let octets: Vec<u8> = message[mac.clone()].iter().chain(&[0; 64]).take(len).copied().collect();
    cut.splice(mac, octets);
    cut[AT + 18 + 9] = (usize::from(cut[AT + 18 + 9]) + len - 32) as u8;
    cut
}

#[rstest]
#[case::none(0, Error::Form)]
#[case::less_than_half(15, Error::Form)]
#[case::half(16, Error::BadTrunc)]
#[case::nearly_all(31, Error::BadTrunc)]
#[case::more_than_there_can_be(33, Error::Form)]
fn rfc8945_5_2_4_only_whole_macs_are_taken(#[case] len: usize, #[case] error: Error) {
    let (message, _) = request(peer::Algorithm::Sha256);
    let short = cut(&message, len);
    let received = Received::read(&short, AT).unwrap();
    assert_eq!(received.check(&short, &ours(), NOW), Err(error));
    if error == Error::BadTrunc {
        let mut wrong = short.clone();
        wrong[AT + 52] ^= 1;
        let received = Received::read(&wrong, AT).unwrap();
        assert_eq!(received.check(&wrong, &ours(), NOW), Err(Error::BadSig));
    }
}

#[rstest]
#[case::less_than_ten(9, Error::Form)]
#[case::ten(10, Error::BadTrunc)]
fn rfc8945_5_2_2_1_no_mac_has_less_than_ten_octets(#[case] len: usize, #[case] error: Error) {
    let (message, _) = request(peer::Algorithm::Sha1);
    // Behind the owner, type to length, the algorithm's shorter name, time and fudge.
    let size = AT + 18 + 10 + 11 + 8;
    assert_eq!(message[size..size + 2], [0, 20]);
    let mut short = message.clone();
    short.drain(size + 2 + len..size + 2 + 20);
    (short[size + 1], short[AT + 18 + 9]) = (len as u8, message[AT + 18 + 9] - (20 - len as u8));
    let received = Received::read(&short, AT).unwrap();
    let key = key("transfer.example", Algorithm::Sha1, SECRET);
    assert_eq!(received.check(&short, &key, NOW), Err(error));
}

#[test]
fn what_is_cut_short_or_leads_in_circles_is_no_record() {
    let (message, _) = request(peer::Algorithm::Sha256);
    for len in 0..message.len() {
        assert!(Received::read(&message[..len], AT).is_none(), "{len} octets");
    }
    let tail = &message[AT + 18..];
    let with = |name: &[u8]| [&message[..AT], name, tail].concat();
    assert!(Received::read(&with(b"\xc0\x19"), AT).is_none(), "to itself");
    assert!(Received::read(&with(b"\xc0\x1b"), AT).is_none(), "forward");
    let received = Received::read(&with(b"\x08TRANSFER\xc0\x0c"), AT).unwrap();
    assert_eq!(received.name.as_wire(), b"\x08TRANSFER\x07example\0");
    let long = [&message[..12], &[[63; 64]; 5].concat(), b"\0", tail].concat();
    assert!(Received::read(&long, 12).is_none());
}

#[test]
fn there_must_be_room() {
    let (message, _) = request(peer::Algorithm::Sha256);
    let received = Received::read(&message, AT).unwrap();
    let (mut buffer, len) = reply(&message);
    let signer = Signer::reply(&ours(), &received);
    for room in 0..signer.room() {
        assert_eq!(signer.clone().sign(&mut buffer[..len + room], len, NOW), None);
    }
    assert!(signer.clone().sign(&mut buffer[..len + signer.room()], len, NOW).is_some());
}
