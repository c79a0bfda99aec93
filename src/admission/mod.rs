//! Who may hold a connection, and who gives his up when there are too many.
//!
//! A newcomer is never refused: of a client that has its share the connection that has been idle
//! longest goes, and when all places are taken it is the one that has been idle longest in the
//! network that has most. So whoever opens many connections displaces himself, however fast he is,
//! and a client with few loses one only where all have few.
//!
//! Everything is a plain table with the time as an argument: a change costs the logarithm of what
//! is open. Closing what has to go is left to the caller.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::todo,
    clippy::unimplemented,
    reason = "nothing that a packet says may reach a panic"
)]

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::model::canonical;

/// How many connections there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places {
    /// Of all.
    pub all: usize,
    /// Of one client: an IPv4 address, or an IPv6 /64, which is one host's to choose from.
    pub per_client: usize,
}

/// The number of a connection in its table; none is given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(u64);

/// The open connections; `T` is what the caller needs to close one.
#[derive(Debug)]
pub struct Table<T> {
    open: HashMap<Id, Open<T>>,
    clients: HashMap<IpAddr, Queue>,
    networks: HashMap<IpAddr, Queue>,
    /// Every network; the last one has most, and of several such the longest idle connection.
    by_size: BTreeSet<(usize, Reverse<Idle>, IpAddr)>,
    next: u64,
}

/// A connection that has to go.
#[derive(Debug, PartialEq, Eq)]
pub struct Displaced<T> {
    /// What it was entered with.
    pub what: T,
    /// Why it has to.
    pub why: Why,
}

/// Which limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// That of one client.
    Client,
    /// That of all.
    All,
}

#[derive(Debug)]
struct Open<T> {
    client: IpAddr,
    network: IpAddr,
    heard: u64,
    what: T,
}

/// Connections in the order in which they were last heard of.
type Queue = BTreeSet<Idle>;

/// A connection in a queue: when it was last heard of, and which it is.
type Idle = (u64, Id);

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            open: HashMap::new(),
            clients: HashMap::new(),
            networks: HashMap::new(),
            by_size: BTreeSet::new(),
            next: 0,
        }
    }
}

impl<T> Table<T> {
    /// How many connections are open.
    #[must_use]
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Enters a connection that came `from` there, and takes out the one that gives way to it.
    pub fn enter(
        &mut self,
        from: IpAddr,
        now: u64,
        places: Places,
        what: T,
    ) -> (Id, Option<Displaced<T>>) {
        let (client, network) = (client(from), network(from));
        let of_client = self.clients.get(&client);
        let displaced = if of_client.is_some_and(|queue| queue.len() >= places.per_client) {
            let longest = of_client.and_then(BTreeSet::first).map(|(_, id)| *id);
            longest.and_then(|id| self.leave(id)).map(|what| Displaced { what, why: Why::Client })
        } else if self.open.len() >= places.all {
            self.make_room().map(|what| Displaced { what, why: Why::All })
        } else {
            None
        };
        let id = Id(self.next);
        self.next = self.next.wrapping_add(1);
        self.open.insert(id, Open { client, network, heard: now, what });
        self.clients.entry(client).or_default().insert((now, id));
        self.requeue(network, |queue| _ = queue.insert((now, id)));
        (id, displaced)
    }

    /// Something came over a connection.
    pub fn heard(&mut self, id: Id, now: u64) {
        let Some(open) = self.open.get_mut(&id) else { return };
        let (was, is) = ((open.heard, id), (now, id));
        open.heard = now;
        let (client, network) = (open.client, open.network);
        if let Some(queue) = self.clients.get_mut(&client) {
            queue.remove(&was);
            queue.insert(is);
        }
        self.requeue(network, |queue| {
            queue.remove(&was);
            queue.insert(is);
        });
    }

    /// Takes out a connection that has ended.
    pub fn leave(&mut self, id: Id) -> Option<T> {
        let open = self.open.remove(&id)?;
        let gone = (open.heard, id);
        if let Some(queue) = self.clients.get_mut(&open.client) {
            queue.remove(&gone);
            if queue.is_empty() {
                self.clients.remove(&open.client);
            }
        }
        self.requeue(open.network, |queue| _ = queue.remove(&gone));
        Some(open.what)
    }

    /// Takes out the longest idle connection of the network that has most.
    pub fn make_room(&mut self) -> Option<T> {
        let (_, Reverse((_, id)), _) = *self.by_size.last()?;
        self.leave(id)
    }

    /// Changes a network's queue, and with it the network's place among the others.
    fn requeue(&mut self, network: IpAddr, change: impl FnOnce(&mut Queue)) {
        let queue = self.networks.entry(network).or_default();
        let place =
            |queue: &Queue| queue.first().map(|longest| (queue.len(), Reverse(*longest), network));
        let was = place(queue);
        change(queue);
        let is = place(queue);
        if is.is_none() {
            self.networks.remove(&network);
        }
        if was != is {
            if let Some(was) = was {
                self.by_size.remove(&was);
            }
            self.by_size.extend(is);
        }
    }
}

/// Whom the limit counts as one client.
fn client(from: IpAddr) -> IpAddr {
    prefix(from, 32, 64)
}

/// What is likely to be in one hand: what the smallest announced network has in common, and what a
/// site is given (RFC 6177).
fn network(from: IpAddr) -> IpAddr {
    prefix(from, 24, 48)
}

fn prefix(of: IpAddr, v4_len: u32, v6_len: u32) -> IpAddr {
    match canonical(of) {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(v4_len)).unwrap_or_default();
            Ipv4Addr::from_bits(v4.to_bits() & mask).into()
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(v6_len)).unwrap_or_default();
            Ipv6Addr::from_bits(v6.to_bits() & mask).into()
        }
    }
}
