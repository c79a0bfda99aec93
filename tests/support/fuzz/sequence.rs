//! Requests that have to do with those before them.

use trimtab::dns::engine::Transport;
use trimtab::routing::Cookies;

use super::ask::{Bench, Way, answer, shared};
use super::dice::Dice;
use super::engine::way;
use super::query;
use super::reading::{self, read};
use super::reply::{BADCOOKIE, FORMERR, NOERROR, header, holds, rcode, truncated};
use super::world::{LIMITED, WORLDS};

/// A cookie is good for its client, from its address, in its time, and for nobody else (RFC 9018).
pub(crate) fn cookie(input: &[u8]) {
    let mut dice = Dice::new(input);
    let (world, way) = way(&mut dice);
    let greet = |way: Way, cookie: &[u8]| {
        let mut request = vec![1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 41, 4, 208, 0, 0, 0, 0];
        let option = query::with_head(10, cookie);
        request.extend((option.len() as u16).to_be_bytes());
        request.extend(option);
        holds(&world.snapshot, way, &request);
        let reply = answer(&world.snapshot, way, &request, 0).unwrap_or_default();
        let read = read(&reply).unwrap_or_else(|| panic!("an unsound reply: {reply:02x?}"));
        let mut options = read.opts().filter_map(|opt| reading::options(&opt.data)).flatten();
        let cookie = options.find(|(code, _)| *code == 10).map(|(_, data)| data.to_vec());
        (rcode(&reply, &read), cookie)
    };
    if world.snapshot.options.cookies == Cookies::Off {
        return assert_eq!(greet(way, &[0; 8]), (FORMERR, None));
    }
    let client: [u8; 8] = std::array::from_fn(|_| dice.octet());
    let (NOERROR, Some(mut made)) = greet(way, &client) else { panic!("no cookie is made") };
    let later = if dice.once_in(4) { dice.u32() } else { u32::from(dice.u16()).wrapping_sub(400) };
    let then = Way { unix_secs: way.unix_secs.wrapping_add(later), ..way };
    let is_good = later <= 3600 || later.wrapping_neg() <= 300;
    let expected = if is_good { NOERROR } else { BADCOOKIE };
    let (code, renewed) = greet(then, &made);
    assert_eq!(code, expected, "after {later} s");
    assert_eq!(greet(then, &renewed.unwrap_or_default()).0, NOERROR, "one that was just made");
    let (at, flip) = (dice.below(24), dice.octet().max(1));
    made[at] ^= flip;
    assert_eq!(greet(way, &made).0, BADCOOKIE, "octet {at} is another");
    let any = dice.take(64);
    let is_long_enough = matches!(any.len(), 8 | 16..=40);
    assert_eq!(greet(way, any).0 == FORMERR, !is_long_enough, "{} octets", any.len());
}

/// Under a limit of one reply a second there is the reply, or none, or one that is next to nothing.
pub(crate) fn limit(input: &[u8]) {
    let mut dice = Dice::new(input);
    let (_, way) = way(&mut dice);
    let way = Way { transport: Transport::Udp, ..way };
    let mut limited = Bench::new(way);
    limited.worker.shared = shared();
    let requests: Vec<_> = (0..3).map(|_| query::query(&mut dice)).collect();
    let mut sent = [0_u64; 3];
    for _ in 0..24 {
        let number = dice.below(3);
        let mut request = requests[number].clone();
        request.truncate(4096);
        limited.worker.now.millis += u64::from(dice.octet()) * 4;
        let len = limited.answer(&LIMITED.snapshot, &request);
        let Some(whole) = answer(&WORLDS[0].snapshot, way, &request, 0) else {
            assert_eq!(len, 0, "a reply where there is none");
            continue;
        };
        let reply = &limited.buffer[..len];
        if reply.is_empty() {
            continue;
        }
        let read = read(reply).unwrap_or_else(|| panic!("an unsound reply: {reply:02x?}"));
        header(&request, reply).unwrap_or_else(|what| panic!("{what}: {reply:02x?}"));
        let is_empty = read.sections.iter().flatten().all(|record| record.rtype == reading::OPT);
        if is_empty && (truncated(reply) || rcode(reply, &read) == BADCOOKIE) {
            // The server's part of a cookie is all that can be more.
            assert!(len <= request.len() + 16, "{len} octets for {}: {reply:02x?}", request.len());
        } else {
            // Draws differ; what was drawn from does not.
            assert_eq!(reply[3], whole[3], "{reply:02x?}\nfor {whole:02x?}");
            sent[number] += 1;
        }
    }
    // A burst of one, and one a second.
    let most = 1 + limited.worker.now.millis / 1000;
    let is_known = |request: &Vec<u8>| request.windows(4).any(|four| four == [0, 10, 0, 24]);
    for (sent, request) in sent.into_iter().zip(&requests) {
        assert!(sent <= most || is_known(request), "{sent} in {most} s: {request:02x?}");
    }
}
