//! Who asked: the network that a query is from, and its country.

use std::collections::HashMap;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::app::clients::Clients;
use crate::atlas::Country;
use crate::geo::DatabaseError;
use crate::model::Tree;
use crate::routing::{self, Asker};

/// A client, as far as it is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Client {
    /// Its network: an IPv4 /24, an IPv6 /56, or less where its subnet was shorter.
    pub(super) network: IpNet,
    /// Where it is, if that is known.
    pub(super) country: Option<Country>,
}

/// All that asked, as far as there is room.
pub(super) struct Asking<'a> {
    clients: &'a Clients,
    trees: &'a [Tree],
    known: HashMap<(IpAddr, Option<(IpAddr, u8)>), Client>,
    /// How many queries each network asked, and how many of them move.
    networks: HashMap<IpNet, (u64, f64)>,
    /// Whether there were more networks than there is room for.
    pub(super) is_full: bool,
    most: usize,
}

/// So many clients are remembered, and so many networks told apart.
pub(super) const MOST: usize = 1_000_000;

impl<'a> Asking<'a> {
    /// Nobody as yet. Where clients are is looked up in these sources.
    pub(super) fn new(clients: &'a Clients, trees: &'a [Tree], most: usize) -> Self {
        let (known, networks) = Default::default();
        Self { clients, trees, known, networks, is_full: false, most }
    }

    /// Who that is.
    ///
    /// # Errors
    /// When a database is broken.
    pub(super) fn client(&mut self, asker: &Asker) -> Result<Client, DatabaseError> {
        let key = (asker.source, asker.subnet);
        if let Some(client) = self.known.get(&key) {
            return Ok(*client);
        }
        let Clients { geo, latency } = self.clients;
        let found = routing::Client::of(asker, self.trees, geo, latency)?;
        let network = network(found.prefix);
        let client = Client { network, country: found.attributed.attributes.country };
        if self.known.len() >= self.most {
            self.known.clear();
        }
        self.known.insert(key, client);
        Ok(client)
    }

    /// Counts a query of which this part moves.
    pub(super) fn count(&mut self, network: IpNet, moved: f64) {
        if self.networks.len() >= self.most && !self.networks.contains_key(&network) {
            self.is_full = true;
            return;
        }
        let (queries, sum) = self.networks.entry(network).or_default();
        *queries += 1;
        *sum += moved;
    }

    /// How many networks there are, and which part of them moves, when each counts once.
    pub(super) fn networks(&self) -> (usize, f64) {
        let count = self.networks.len();
        let mut parts: Vec<f64> =
            self.networks.values().map(|(queries, moved)| moved / *queries as f64).collect();
        // In an order that does not change from run to run.
        parts.sort_unstable_by(f64::total_cmp);
        (count, parts.iter().sum::<f64>() / count.max(1) as f64)
    }
}

fn network(prefix: IpNet) -> IpNet {
    let most = if prefix.addr().is_ipv4() { 24 } else { 56 };
    let shorter = IpNet::new(prefix.addr(), prefix.prefix_len().min(most));
    shorter.map_or(prefix, |net| net.trunc())
}
