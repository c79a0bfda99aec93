//! What the zones of a family say about the names of a reply, for reasons to rely on.

use trimtab::wire::{Name, rtype};

use crate::generate::below;
use crate::questions::Question;
use crate::reply::Reply;
use crate::zone::{Data, Family, Zone};

/// The aliases of a reply in order: the question's name, and each target.
pub(crate) struct Chain {
    pub(crate) names: Vec<Name>,
    /// Whether the last is one of those before.
    pub(crate) is_circle: bool,
}

impl Chain {
    /// Follows the CNAMEs of a reply.
    pub(crate) fn of(question: &Question, reply: &Reply) -> Self {
        let mut names = vec![question.name.clone()];
        loop {
            let last = &names[names.len() - 1];
            let alias =
                reply.answer.iter().find(|rr| rr.rtype == rtype::CNAME && rr.owner == *last);
            let Some(target) = alias.and_then(|rr| rr.target()) else {
                return Self { names, is_circle: false };
            };
            let is_circle = names.contains(&target);
            names.push(target);
            if is_circle {
                return Self { names, is_circle };
            }
        }
    }

    /// The name that the chain ends with.
    pub(crate) fn last(&self) -> &Name {
        &self.names[self.names.len() - 1]
    }

    /// The last name and the one before, when there is one.
    pub(crate) fn end(&self) -> Option<(&Name, &Name)> {
        match &self.names[..] {
            [.., before, last] => Some((before, last)),
            _ => None,
        }
    }
}

impl Zone {
    /// Whether a name exists by what the file says, be it as an empty non-terminal.
    pub(crate) fn exists(&self, name: &Name) -> bool {
        self.records.iter().any(|record| record.owner.is_within(name))
    }

    /// The name whose data answer for a name: itself, or the wildcard of its closest encloser.
    pub(crate) fn node(&self, name: &Name) -> Option<Name> {
        let mut up = std::iter::successors(Some(name.clone()), Name::parent);
        let encloser = up.find(|above| self.exists(above))?;
        if encloser == *name {
            return Some(encloser);
        }
        below(b"*", &encloser).filter(|wildcard| self.exists(wildcard))
    }
}

impl Family {
    /// The zones that a name is in, the outermost first.
    pub(crate) fn zones_of(&self, name: &Name) -> Vec<&Zone> {
        let mut zones: Vec<_> = self.zones.iter().filter(|z| name.is_within(&z.apex)).collect();
        zones.sort_by_key(|zone| zone.apex.labels());
        zones
    }

    /// The zone that a name is the apex of.
    pub(crate) fn apex(&self, name: &Name) -> Option<&Zone> {
        self.zones.iter().find(|zone| zone.apex == *name)
    }

    /// The TTL of the dynamic record that answers for a name.
    pub(crate) fn dynamic_ttl(&self, name: &Name) -> Option<u32> {
        let zone = self.zone_of(name)?;
        let node = zone.node(name).filter(|node| self.dynamic_in(zone).contains(node))?;
        let is_address = |data: &Data| matches!(data, Data::V4(_) | Data::V6(_));
        zone.at(&node).find(|record| is_address(&record.data)).map(|record| record.ttl)
    }

    /// Whether of a nested zone a name, one above it, or a wildcard for it, is in the file of an
    /// outer zone only.
    pub(crate) fn is_only_in_outer(&self, name: &Name) -> bool {
        let Some((own, outer)) = self.zones_of(name).split_last().map(|(z, o)| (*z, o.to_vec()))
        else {
            return false;
        };
        let up = std::iter::successors(Some(name.clone()), Name::parent);
        let is_outer =
            |name: &Name| !own.exists(name) && outer.iter().any(|zone| zone.exists(name));
        up.take_while(|above| above.labels() > own.apex.labels()).any(|above| {
            let wildcard = above.parent().and_then(|encloser| below(b"*", &encloser));
            is_outer(&above) || wildcard.is_some_and(|wildcard| is_outer(&wildcard))
        })
    }

    /// Whether a name, one above it, or a wildcard for it, is there only because a nested zone is
    /// below it.
    pub(crate) fn is_above_nested(&self, name: &Name) -> bool {
        let Some(own) = self.zone_of(name) else { return false };
        let up = std::iter::successors(Some(name.clone()), Name::parent);
        up.take_while(|above| above.labels() > own.apex.labels()).any(|above| {
            let wildcard = above.parent().and_then(|encloser| below(b"*", &encloser));
            [Some(above), wildcard].into_iter().flatten().any(|name| {
                let is_nested = |zone: &Zone| zone.apex.is_within(&name);
                !own.exists(&name) && self.zones.iter().any(is_nested)
            })
        })
    }
}
