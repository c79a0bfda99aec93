//! The engine from octets to octets, one request at a time.

use std::net::IpAddr;

use trimtab::dns::engine::Transport;

use super::ask::{NOW, Way};
use super::dice::Dice;
use super::query;
use super::reply::holds;
use super::world::{WORLDS, World};

/// A request as it is, over the transport that the first octet says.
pub(crate) fn decoder(input: &[u8]) {
    let Some((first, request)) = input.split_first() else { return };
    let (world, way) = way(&mut Dice::new(&[*first, 0, 0]));
    holds(&world.snapshot, way, request);
}

/// A query that is mostly sound.
pub(crate) fn engine(input: &[u8]) {
    let mut dice = Dice::new(input);
    let (world, way) = way(&mut dice);
    let request = query::query(&mut dice);
    holds(&world.snapshot, way, &request);
}

/// The data of an OPT record, in a query for a name that looks at the client.
pub(crate) fn options(input: &[u8]) {
    let mut dice = Dice::new(input);
    let (world, way) = way(&mut dice);
    let data = dice.take(4096);
    let mut request = vec![7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    request.extend(b"\x03geo\x07example\x04test\x00\x00\x01\x00\x01");
    request.extend([0, 0, 41, 4, 208, 0, 0, 0, 0]);
    request.extend((data.len() as u16).to_be_bytes());
    request.extend(data);
    holds(&world.snapshot, way, &request);
}

/// What a request is put to, and how.
pub(crate) fn way(dice: &mut Dice<'_>) -> (&'static World, Way) {
    let first = dice.octet();
    let transport = if first & 1 == 0 { Transport::Udp } else { Transport::Tcp };
    let from = dice.one_of(&[
        [0x7f00_0001, 0],
        [0x0808_0808, 0],
        [0x0210_0801, 0],
        [0x2600_1f00, 1],
        [0x2001_0db8, 2],
    ]);
    let from = match *from {
        [v4, 0] => IpAddr::V4(v4.into()),
        [high, low] => IpAddr::V6((u128::from(high) << 96 | u128::from(low)).into()),
    };
    let worlds = &*WORLDS;
    let world = &worlds[usize::from(first >> 1) % worlds.len()];
    (world, Way { transport, from, seed: dice.octet().into(), unix_secs: NOW })
}
