//! What a name of a random zone has.

use std::net::{Ipv4Addr, Ipv6Addr};

use trimtab::wire::{Name, rtype};

use super::{Maker, below};
use crate::zone::{Data, MX, Record, TXT, UNKNOWN, Zone};

const TTLS: [u32; 5] = [0, 30, 77, 300, 86_400];

impl Maker<'_> {
    /// A long chain of aliases, half of them in a circle.
    pub(super) fn aliases(&mut self, zone: &mut Zone) {
        let count = self.rng.usize(2..24);
        let label = |number: usize| format!("k{number}").into_bytes();
        let end = if self.rng.bool() { 0 } else { count };
        for number in 0..count {
            let next = if number + 1 == count { end } else { number + 1 };
            let names = below(&label(number), &zone.apex).zip(below(&label(next), &zone.apex));
            if let Some((owner, target)) = names {
                self.add(zone, &owner, rtype::CNAME, Data::Name(target));
            }
        }
    }

    /// Addresses, texts and others.
    pub(super) fn data(&mut self, zone: &mut Zone, owner: &Name) {
        let kinds = self.rng.u8(1..64);
        if kinds & 3 > 0 {
            self.addresses(zone, owner, kinds & 3);
        }
        if kinds & 4 > 0 {
            self.add(zone, owner, TXT, Data::Text("text".to_owned()));
        }
        if kinds & 24 == 24 {
            let target = self.target(zone);
            self.add(zone, owner, MX, Data::Mx(target));
        }
        if kinds & 48 == 48 || kinds & 63 == 8 || kinds & 63 == 16 || kinds & 63 == 32 {
            self.add(zone, owner, UNKNOWN, Data::Octets(vec![192, 0, kinds]));
        }
    }

    /// A (1), AAAA (2), or both, one or two of each, with one TTL.
    pub(super) fn addresses(&mut self, zone: &mut Zone, owner: &Name, families: u8) {
        let ttl = self.ttl();
        let mut push = |rtype, data| {
            zone.records.push(Record { owner: owner.clone(), ttl, rtype, data });
        };
        for _ in 0..self.rng.u8(1..3) {
            let last = self.rng.u8(..);
            if families & 1 > 0 {
                push(rtype::A, Data::V4(Ipv4Addr::new(192, 0, 2, last)));
            }
            if families & 2 > 0 {
                let v6 = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(last));
                push(rtype::AAAA, Data::V6(v6));
            }
        }
    }

    /// More than 512 octets, or more than 1232.
    pub(super) fn large(&mut self, zone: &mut Zone, owner: &Name) {
        let ttl = self.ttl();
        for number in 0..self.rng.u8(3..12) {
            let data = Data::Text(format!("{number}{}", "x".repeat(180)));
            zone.records.push(Record { owner: owner.clone(), ttl, rtype: TXT, data });
        }
    }

    pub(super) fn delegation(&mut self, zone: &mut Zone, owner: &Name) {
        for _ in 0..self.rng.u8(1..4) {
            self.nameserver(zone, owner);
        }
        if self.rng.u8(..3) == 0 {
            let tag = self.rng.u16(..);
            self.add(zone, owner, rtype::DS, Data::Ds(tag));
        }
        if self.rng.u8(..4) == 0 {
            // Hidden by the delegation.
            let hidden = self.name_below(owner, 2);
            if zone.at(&hidden).next().is_none() {
                self.data(zone, &hidden);
            }
        }
    }

    /// An NS record, and mostly the address that its target needs.
    pub(super) fn nameserver(&mut self, zone: &mut Zone, owner: &Name) {
        let is_apex = *owner == zone.apex;
        let target = match self.rng.u8(..10) {
            0..4 => below(b"ns", owner),
            4 => Some(self.name_below(owner, 2)),
            5 => below(b"ns", &zone.apex),
            6 | 7 => {
                let at = self.rng.usize(..zone.records.len());
                let other = zone.records[at].owner.clone();
                Some(self.name_below(&other, 1))
            }
            8 => Some(self.name_below(&zone.apex.clone(), 2)),
            _ => None,
        };
        let target = target.unwrap_or_else(|| Name::from_text("ns.invalid").expect("a name"));
        let ttl = zone.at(owner).find(|record| record.rtype == rtype::NS).map(|record| record.ttl);
        let data = Data::Name(target.clone());
        if zone.at(owner).any(|r| r.rtype == rtype::NS && r.data.target() == Some(&target)) {
            return;
        }
        match ttl {
            Some(ttl) => {
                zone.records.push(Record { owner: owner.clone(), ttl, rtype: rtype::NS, data });
            }
            None => self.add(zone, owner, rtype::NS, data),
        }
        let is_free = zone.at(&target).next().is_none() && target.is_within(&zone.apex);
        // No server takes a zone whose own nameserver has no address.
        if is_free && (is_apex || self.rng.u8(..10) < 8) {
            let families = self.rng.u8(1..4);
            self.addresses(zone, &target, families);
        }
    }

    pub(super) fn add(&mut self, zone: &mut Zone, owner: &Name, rtype: u16, data: Data) {
        let ttl = self.ttl();
        zone.records.push(Record { owner: owner.clone(), ttl, rtype, data });
    }

    pub(super) fn ttl(&mut self) -> u32 {
        TTLS[self.rng.usize(..TTLS.len())]
    }

    /// Where an alias or a mail exchanger leads to: mostly somewhere that matters.
    pub(super) fn target(&mut self, zone: &Zone) -> Name {
        let owners: Vec<&Name> = zone.records.iter().map(|record| &record.owner).collect();
        match self.rng.u8(..20) {
            0..10 => owners[self.rng.usize(..owners.len())].clone(),
            10..13 => {
                let owner = owners[self.rng.usize(..owners.len())].clone();
                self.name_below(&owner, 1)
            }
            13..16 => self.name_below(&zone.apex.clone(), 3),
            16..18 => {
                let other = self.apexes[self.rng.usize(..self.apexes.len())].clone();
                self.name_below(&other, 2)
            }
            18 => self.longest_below(&zone.apex.clone()),
            _ => Name::from_text("out.of.zone.invalid").expect("a name"),
        }
    }
}
