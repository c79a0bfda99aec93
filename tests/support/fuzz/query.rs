//! Queries that get far: sound ones in which some things are odd.

use super::dice::Dice;
use super::reading::OPT;
use super::world::OWNERS;

const TYPES: &[u16] =
    &[1, 28, 2, 5, 6, 16, 39, 255, 43, 15, 33, 65, 65280, 13, 41, 250, 251, 252, 128, 257];
/// AAAA and A again, since most of what is dynamic is behind them.
const COMMON: &[u16] = &[1, 1, 28, 28, 255, 16];

/// Names of class CH.
const SELF: &[&[u8]] = &[b"\x07version\x04bind\x00", b"\x02ID\x06server\x00"];

/// A query for a name of the world or beside one, whole or damaged.
pub(crate) fn query(dice: &mut Dice<'_>) -> Vec<u8> {
    let question = question(dice);
    let records = if dice.once_in(4) { dice.below(4) } else { 1 };
    let records: Vec<_> = (0..records).map(|_| record(dice)).collect();
    let mut message = dice.u16().to_be_bytes().to_vec();
    message.extend(flags(dice).to_be_bytes());
    let count = |dice: &mut Dice<'_>, right: usize| -> u16 {
        if dice.once_in(32) { dice.u16() } else { right as u16 }
    };
    for right in [1, 0, 0, records.len()] {
        message.extend(count(dice, right).to_be_bytes());
    }
    message.extend(question);
    message.extend(records.concat());
    damage(dice, &mut message);
    message
}

fn flags(dice: &mut Dice<'_>) -> u16 {
    match dice.octet() {
        0..=200 => 0x0100,
        201..=230 => dice.u16() & 0x07ff,
        _ => dice.u16(),
    }
}

fn question(dice: &mut Dice<'_>) -> Vec<u8> {
    let mut octets = name(dice);
    let of = if dice.once_in(2) { TYPES } else { COMMON };
    let qtype = if dice.once_in(16) { dice.u16() } else { *dice.one_of(of) };
    octets.extend(qtype.to_be_bytes());
    let class = if dice.once_in(16) { *dice.one_of(&[3, 4, 254, 255, 0, 2]) } else { 1_u16 };
    octets.extend(class.to_be_bytes());
    octets
}

/// A name that exists, or one below or beside it, in any case; at times too long.
fn name(dice: &mut Dice<'_>) -> Vec<u8> {
    let mut octets = Vec::new();
    if dice.once_in(32) {
        return dice.one_of(SELF).to_vec();
    }
    let above = dice.one_of(&OWNERS);
    for _ in 0..dice.octet().saturating_sub(160) / 16 {
        label(dice, &mut octets);
    }
    if dice.once_in(16) {
        // Beside: without the first label.
        octets.extend(above.get(usize::from(above[0]) + 1..).unwrap_or(&[0]));
    } else {
        octets.extend(above);
    }
    let cases = dice.u32();
    let mut at = 0;
    while let Some(&len) = octets.get(at).filter(|&&len| (1..=63).contains(&len)) {
        let end = (at + 1 + usize::from(len)).min(octets.len());
        for (number, octet) in octets[at + 1..end].iter_mut().enumerate() {
            if cases >> ((at + number) % 32) & 1 == 1 {
                *octet = octet.to_ascii_uppercase();
            }
        }
        at = end;
    }
    octets
}

fn label(dice: &mut Dice<'_>, octets: &mut Vec<u8>) {
    match dice.below(8) {
        0 => octets.extend(b"\x01x"),
        1 => octets.extend(b"\x01*"),
        2 => octets.extend(b"\x03www"),
        3 => octets.extend(b"\x01a".repeat(1 + dice.below(126))),
        4 => {
            octets.push(63);
            octets.extend([b'l'; 63]);
        }
        5 => octets.extend([2, 0, dice.octet()]),
        6 => octets.extend(b"\x03ent"),
        _ => {
            let len = 1 + dice.below(63);
            let taken = dice.take(len);
            octets.push(taken.len() as u8);
            octets.extend(taken);
        }
    }
}

/// A record of the additional section: mostly an OPT.
fn record(dice: &mut Dice<'_>) -> Vec<u8> {
    if dice.once_in(8) {
        return other(dice);
    }
    let mut octets = if dice.once_in(32) { name(dice) } else { vec![0] };
    octets.extend(OPT.to_be_bytes());
    let payload = *dice.one_of(&[1232, 512, 4096, 0, 511, 65535, 600, 900]);
    octets.extend(u16::to_be_bytes(payload));
    let version = if dice.once_in(16) { dice.octet() } else { 0 };
    octets.extend([dice.octet(), version]);
    octets.extend(if dice.once_in(8) { dice.u16() } else { 0x8000 }.to_be_bytes());
    let data: Vec<_> = (0..dice.below(4)).flat_map(|_| option(dice)).collect();
    let len = if dice.once_in(32) { dice.u16() } else { data.len() as u16 };
    octets.extend(len.to_be_bytes());
    octets.extend(data);
    octets
}

/// A record that is only stepped over, or a signature.
fn other(dice: &mut Dice<'_>) -> Vec<u8> {
    let mut octets = match dice.below(4) {
        0 => vec![0xc0, 12],
        1 => vec![1, b'x', 0xc0, dice.octet()],
        2 => vec![0],
        _ => name(dice),
    };
    octets.extend(dice.one_of(&[1_u16, 250, 24, 6, 65535]).to_be_bytes());
    octets.extend([0, 1, 0, 0, 0, 0]);
    let len = dice.below(80);
    let data = dice.take(len);
    octets.extend((data.len() as u16).to_be_bytes());
    octets.extend(data);
    octets
}

/// An EDNS option with its code and length.
fn option(dice: &mut Dice<'_>) -> Vec<u8> {
    let (code, data) = match dice.below(6) {
        0 => (8, subnet(dice)),
        1 => {
            let len = *dice.one_of(&[8, 24, 16, 40, 7, 41, 0]);
            (10, dice.take(len).to_vec())
        }
        2 => (3, dice.take(4).to_vec()),
        3 => (11, if dice.once_in(4) { vec![0, 100] } else { Vec::new() }),
        4 => (12, vec![0; dice.below(64)]),
        _ => {
            let (code, len) = (dice.u16(), dice.below(16));
            (code, dice.take(len).to_vec())
        }
    };
    with_head(code, &data)
}

pub(crate) fn with_head(code: u16, data: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes()[..], &(data.len() as u16).to_be_bytes(), data].concat()
}

/// An EDNS Client Subnet (RFC 7871), mostly a sound one.
fn subnet(dice: &mut Dice<'_>) -> Vec<u8> {
    let family = *dice.one_of(&[1_u16, 2, 1, 2, 0, 3]);
    let longest = if family == 1 { 33 } else { 129 };
    let source = if family == 0 { 0 } else { dice.below(longest) as u8 };
    let mut address = match dice.below(6) {
        0 => vec![8, 8, 8, 8],
        1 => vec![2, 16, 8, 1],
        2 => vec![0x20, 0x01, 0x0d, 0xb8, 0x10],
        3 => vec![0x26, 0x00, 0x1f, 0x00],
        4 => vec![0x20, 0x02, 8, 8, 8, 8],
        _ => dice.take(16).to_vec(),
    };
    address.resize(usize::from(source).div_ceil(8), 0);
    if let Some(last) = address.last_mut()
        && !source.is_multiple_of(8)
    {
        *last &= 0xff << (8 - source % 8);
    }
    if dice.once_in(32) {
        address.push(dice.octet());
    }
    let scope = if dice.once_in(32) { dice.octet() } else { 0 };
    [&family.to_be_bytes()[..], &[source, scope], &address].concat()
}

/// Most messages stay as they are.
fn damage(dice: &mut Dice<'_>, message: &mut Vec<u8>) {
    match dice.octet() {
        240..=244 => message.truncate(dice.u16() as usize % (message.len() + 1)),
        245..=248 => message.extend(dice.take(16)),
        249..=255 => {
            let at = usize::from(dice.u16()) % message.len();
            message[at] = dice.octet();
        }
        _ => {}
    }
}
