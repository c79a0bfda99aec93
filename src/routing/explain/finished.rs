//! The finished answers of a record for one class, and the standing of its regions.

use std::net::IpAddr;

use crate::model::{Endpoint, Family, RegionId, Slot};
use crate::routing::inputs::PoolStanding;
use crate::routing::offer::Group;
use crate::routing::snapshot::{ClassSide, ServedRecord, Side};
use crate::wire::{Name, TailBuf, rtype};

use super::explanation::{Answers, Health, Region};
use super::path::{Path, told};

/// What a record serves to one class in one family.
#[derive(Debug, Clone, Copy)]
pub(super) struct Finished<'a> {
    pub(super) record: &'a ServedRecord,
    pub(super) side: &'a Side,
    pub(super) class: &'a ClassSide,
    /// The TTL of the zone's negative answers in seconds.
    pub(super) negative_ttl: u32,
    pub(super) scope: Option<u8>,
}

impl Finished<'_> {
    /// All answers, the most likely first.
    pub(super) fn answers(&self, path: &Path<'_>) -> Vec<Answers> {
        let shares = &self.class.distribution.shares;
        let mut answers: Vec<Answers> = match shares.as_slice() {
            [] => vec![self.answer(Group::Nodata, 1.0, path)],
            shares => {
                shares.iter().map(|&(group, share)| self.answer(group, share, path)).collect()
            }
        };
        answers.sort_by(|a, b| b.share.total_cmp(&a.share));
        answers
    }

    fn answer(&self, group: Group, share: f64, path: &Path<'_>) -> Answers {
        let ttl = self.record.ttl(self.class);
        let empty = TailBuf::default();
        let (regions, tail, most) = match group {
            Group::Nodata => (Vec::new(), &empty, 0),
            Group::Slot(slot) => {
                let members = match path.tree.slots.get(slot.index()) {
                    Some(_) => vec![slot],
                    None => path.ring(slot).to_vec(),
                };
                let names = members.iter().map(|slot| path.slot_name(*slot)).collect();
                let answer = self.side.answer(self.class, slot);
                let (tail, most) = answer.map_or((&empty, 0), |answer| (answer.tail, answer.most));
                (names, tail, most)
            }
        };
        let cname = cname(tail);
        let addresses = if cname.is_some() { Vec::new() } else { addresses(tail) };
        let not_looked_up = match group {
            Group::Slot(slot) if tail.count() == 0 => path.endpoint(slot).and_then(alias),
            _ => None,
        };
        let at_once = tail.count().min(self.record.max_answers).min(most);
        // A whole ring is the same set wherever it starts.
        let sets = if usize::from(at_once) < addresses.len() { addresses.len() } else { 1 };
        Answers {
            share,
            regions,
            ttl: if tail.count() == 0 { ttl.min(self.negative_ttl) } else { ttl },
            addresses,
            cname,
            not_looked_up,
            at_once,
            sets,
            probability: share / sets as f64,
            scope: self.scope,
        }
    }

    /// The regions that the tree leads to, in the order of the configuration.
    pub(super) fn regions(
        &self,
        path: &Path<'_>,
        left_out: impl Fn(RegionId) -> bool,
    ) -> Vec<Region> {
        let shares = &self.class.distribution.shares;
        let share_of = |slot: Slot| {
            let found = shares.iter().find(|(group, _)| *group == Group::Slot(slot));
            found.map_or(0.0, |(_, share)| *share)
        };
        let count = path.tree.slots.len();
        let rings = (count..).take(path.rings.len()).filter_map(|ring| u16::try_from(ring).ok());
        let rings: Vec<Slot> = rings.map(Slot).collect();
        let mut slots: Vec<_> = (0_u16..).map(Slot).zip(&path.tree.slots).collect();
        slots.retain(|(slot, region)| path.pool(*slot).is_some() || !left_out(**region));
        slots.sort_by_key(|(_, region)| **region);
        slots
            .into_iter()
            .map(|(slot, region)| {
                let pool = path.pool(slot);
                let standing = pool.map(|pool| pool.family(path.family));
                let in_ring = rings.iter().filter(|ring| path.ring(**ring).contains(&slot));
                Region {
                    name: path.slot_name(slot),
                    health: health(pool, path.family),
                    factor: standing.map_or(0.0, |standing| standing.h),
                    up: standing.map_or(0, |standing| standing.live.len()),
                    addresses: standing
                        .filter(|standing| !standing.is_unresolved())
                        .map_or(0, |standing| standing.count),
                    alias: path.endpoint(slot).and_then(alias),
                    cname: path.endpoint(slot).and_then(|endpoint| match endpoint {
                        Endpoint::Cname(name) => Some(name.to_string()),
                        Endpoint::Given | Endpoint::Alias(_) => None,
                    }),
                    weight: path.regions.get(region.index()).map_or(0, |region| region.weight.0),
                    weight_override: path.forcing(slot).weight.map(|weight| weight.0),
                    forced: told(path.forcing(slot).forced(0.0)),
                    drained: path.forcing(slot).drained,
                    shifted: path.shifted(slot),
                    share: share_of(slot),
                    // A sum of nothing would be -0.
                    ring_share: in_ring.map(|ring| share_of(*ring)).fold(0.0, |a, b| a + b),
                }
            })
            .collect()
    }
}

fn health(pool: Option<&PoolStanding>, family: Family) -> Health {
    match pool.map(|pool| pool.family(family)) {
        None => Health::NoPart,
        Some(standing) if standing.count == 0 => Health::NoAddress,
        Some(standing) if standing.is_unresolved() => Health::NotLookedUp,
        Some(standing) if standing.h > 0.0 => Health::Up,
        Some(_) => Health::Down,
    }
}

fn alias(endpoint: &Endpoint) -> Option<String> {
    match endpoint {
        Endpoint::Alias(name) => Some(name.to_string()),
        Endpoint::Given | Endpoint::Cname(_) => None,
    }
}

/// The target of a CNAME.
fn cname(tail: &TailBuf) -> Option<String> {
    let [(_, octets), _] = tail.ring(0, 1);
    let (_, data) = octets.split_first_chunk::<2>().filter(|_| tail.rtype() == rtype::CNAME)?;
    Name::from_wire(data).ok().map(|name| name.to_string())
}

/// The addresses of a tail, in ring order.
fn addresses(tail: &TailBuf) -> Vec<IpAddr> {
    let [(_, octets), _] = tail.ring(0, u16::MAX);
    let mut rest = octets;
    let mut found = Vec::new();
    while let Some((len, after)) = rest.split_first_chunk::<2>() {
        let len = usize::from(u16::from_be_bytes(*len));
        let Some((data, after)) = after.split_at_checked(len) else { break };
        rest = after;
        let v4 = data.first_chunk::<4>().filter(|_| len == 4).map(|octets| IpAddr::from(*octets));
        let v6 = data.first_chunk::<16>().map(|octets| IpAddr::from(*octets));
        found.extend(v4.or(v6));
    }
    found
}
