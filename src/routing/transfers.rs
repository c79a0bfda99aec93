//! Who may have whole zones, and what they get of names that have no fixed answer.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use crate::model::{Endpoint, Family, Slot};
use crate::problem::Problems;
use crate::wire::{TailBuf, tsig};
use crate::zone::Names;

use super::assembly::{Assembly, Parts};
use super::compile::compile;
use super::inputs::{Inputs, PoolStanding};
use super::options::Options;
use super::places::Places;
use super::snapshot::Side;

/// Who may have whole zones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transfers {
    /// Networks from which anybody may.
    pub allow: Vec<IpNet>,
    /// The keys that requests may be signed with.
    pub keys: Vec<Arc<tsig::Key>>,
    /// Those of them whose holders may, from anywhere.
    pub holders: Vec<Arc<tsig::Key>>,
    /// What they get of zones with dynamic names.
    pub dynamic: Dynamic,
}

/// What a transfer has of dynamic names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Dynamic {
    /// Zones with such names are not transferred.
    #[default]
    Refuse,
    /// No addresses of those names.
    Omit,
    /// Fixed addresses for each record, by [`crate::model::RecordId`].
    Snapshot(Arc<[Fixed]>),
}

/// What a dynamic name has in a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// The TTL in seconds.
    pub ttl: u32,
    /// The addresses, IPv4 first; either may be none.
    pub family: [TailBuf; 2],
}

/// The most addresses of one name and family: secondaries refuse RRsets of more than 100 records.
const MOST: usize = 100;

impl Transfers {
    /// Whether a request may have a zone: it comes from an allowed network, or one of the keys has
    /// signed it.
    #[must_use]
    pub fn allows(&self, from: IpAddr, key: Option<&Arc<tsig::Key>>) -> bool {
        let from = from.to_canonical();
        self.allow.iter().any(|net| net.contains(&from))
            || key.is_some_and(|key| self.holders.iter().any(|holder| Arc::ptr_eq(holder, key)))
    }
}

/// What each record would answer if every region were up: all addresses that it could then give to
/// anybody. Those of aliases and the targets of CNAMEs are left out: nobody knows them beforehand, and
/// a name has one CNAME at most.
#[must_use]
pub fn fixed(parts: &Parts, places: &Arc<Places>) -> Vec<Fixed> {
    let names = Arc::new(Names::build(Vec::new(), &[], &mut Problems::default()));
    let places = Arc::clone(places);
    let assembly = Assembly::new(parts.clone(), names, places, Options::default(), |_, _| 0);
    let assembly = &Arc::new(assembly);
    let up = assembly.pools.iter().map(|pool| Arc::new(PoolStanding::assumed(pool, true)));
    let snapshot = compile(None, assembly, &Inputs::of(up.collect()));
    let served = assembly.records.iter().zip(&*snapshot.records);
    served
        .map(|(record, served)| {
            let binding = &assembly.bindings[record.binding.index()];
            let family = Family::BOTH.map(|family| {
                let slots = slots(snapshot.bindings[record.binding.index()].side(family));
                let pools = slots.iter().filter_map(|slot| *binding.pools.get(slot.index())?);
                let pools = pools.map(|pool| &assembly.pools[pool.index()]);
                let given = pools.filter(|pool| pool.endpoint == Endpoint::Given);
                let parts = given.map(|pool| pool.addresses(family));
                let parts: Vec<Vec<IpAddr>> = parts.map(Iterator::collect).collect();
                TailBuf::of_family(family, &in_turn(&parts))
            });
            Fixed { ttl: served.ttl, family }
        })
        .collect()
}

/// The regions' slots that some class draws from.
fn slots(side: &Side) -> BTreeSet<Slot> {
    let regions = side.tails.len();
    let of_class = side.classes().iter().flat_map(|class| {
        let rings = class.distribution.rings.iter().enumerate();
        let drawn: BTreeSet<Slot> = class.distribution.slots().collect();
        let ring = |at: usize| drawn.iter().any(|slot| slot.index() == regions + at);
        let members = rings.filter(|(at, _)| ring(*at)).flat_map(|(_, ring)| ring.members.clone());
        let members: Vec<Slot> = members.collect();
        drawn.into_iter().filter(|slot| slot.index() < regions).chain(members).collect::<Vec<_>>()
    });
    of_class.collect()
}

/// The first of each, then the second of each, and so on; each once, and not more than are taken.
fn in_turn(parts: &[Vec<IpAddr>]) -> Vec<IpAddr> {
    let (mut all, mut seen) = (Vec::new(), BTreeSet::new());
    for round in 0..parts.iter().map(Vec::len).max().unwrap_or_default() {
        let next = parts.iter().filter_map(|part| part.get(round).copied());
        all.extend(next.filter(|address| seen.insert(*address)));
    }
    all.truncate(MOST);
    all
}
