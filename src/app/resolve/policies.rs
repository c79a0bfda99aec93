//! Policies with their references followed; circles, and nesting without end.

use std::fmt::Write as _;

use super::Resolver;
use super::names::{AllDown, Named};
use crate::config::{PolicyKind, Spanned};
use crate::model::{MissingFamily, RegionId, Weight};

/// How deep policies may be nested: what derives shares goes as deep.
const DEPTH_MAX: usize = 32;

/// How many regions and policies there may be below one, each counted as often as it is reached:
/// what derives shares goes every way.
const WAYS_MAX: u64 = 1_000_000;

/// A policy whose references are followed. What they did not find is left out.
#[derive(Debug, Clone)]
pub(super) enum Plan {
    Weighted(Vec<(Named, Weight)>),
    Failover { tiers: Vec<Vec<(Named, Weight)>>, spill: bool, missing: MissingFamily },
}

impl Plan {
    /// What it leads to, in the order of the configuration.
    pub(super) fn members(&self) -> impl Iterator<Item = Named> + '_ {
        let (one, tiers) = match self {
            Self::Weighted(members) => (Some(members), None),
            Self::Failover { tiers, .. } => (None, Some(tiers)),
        };
        one.into_iter().chain(tiers.into_iter().flatten()).flatten().map(|(named, _)| *named)
    }
}

impl Resolver<'_> {
    /// Follows the references of all policies.
    pub(super) fn policies(&mut self) {
        let config = self.config;
        for policy in &config.policies {
            let key = format!("policies.{}", policy.name.value);
            let plan = match &policy.kind {
                PolicyKind::Weighted { weights: None } => Plan::Weighted(self.every_region()),
                PolicyKind::Weighted { weights: Some(weights) } => {
                    let key = format!("{key}.weights");
                    let member = |(name, weight): &(Spanned<String>, Weight)| {
                        Some((self.named(name, &key, &[])?, *weight))
                    };
                    Plan::Weighted(weights.iter().filter_map(member).collect())
                }
                PolicyKind::Failover { order, spill, missing_family } => {
                    let key = format!("{key}.order");
                    let tiers = order.iter().map(|tier| {
                        tier.iter().filter_map(|name| self.own_weight(name, &key)).collect()
                    });
                    let tiers = tiers.collect();
                    Plan::Failover { tiers, spill: *spill, missing: *missing_family }
                }
            };
            self.plans.push(plan);
        }
        Walk { state: vec![State::New; self.plans.len()], path: Vec::new() }.all(self);
    }

    /// Every region at its own weight.
    pub(super) fn every_region(&self) -> Vec<(Named, Weight)> {
        let regions = (0..=u16::MAX).zip(&self.config.regions);
        regions.map(|(id, region)| (Named::Region(RegionId(id)), region.weight)).collect()
    }

    /// A member with the region's own weight, or the one that any policy has as a member.
    fn own_weight(&mut self, name: &Spanned<String>, key: &str) -> Option<(Named, Weight)> {
        let named = self.named(name, key, &[])?;
        let weight = match named {
            Named::Region(id) => self.config.regions.get(id.index())?.weight,
            Named::Policy(_) => Weight::DEFAULT,
        };
        Some((named, weight))
    }

    /// What records do when all is down, where they say nothing else.
    pub(super) fn default_all_down(&mut self) {
        let all_down = &self.config.defaults.on_all_down;
        if let Some(all_down) = self.all_down(all_down, "defaults.on_all_down") {
            if let AllDown::Instead(named) = all_down {
                self.used.note(named);
            }
            self.default_all_down = all_down;
        }
    }
}

#[derive(Clone, Copy)]
enum State {
    New,
    /// On the path.
    Open,
    /// Has been walked, and leads so many policies deep, to so many nodes.
    Done(usize, u64),
}

/// A walk over everything that policies lead to.
struct Walk {
    state: Vec<State>,
    path: Vec<usize>,
}

impl Walk {
    fn all(mut self, r: &mut Resolver<'_>) {
        for policy in 0..self.state.len() {
            let State::New = self.state[policy] else { continue };
            let (depth, ways) = self.depth(policy, r);
            let (found, wanted) = if depth > DEPTH_MAX {
                let wanted = format!("policies nested at most {DEPTH_MAX} deep");
                ("policies within policies, deeper than that", wanted)
            } else if ways > WAYS_MAX {
                let wanted = format!("at most {WAYS_MAX}, each counted as often as it is reached");
                ("too many regions and policies below it", wanted)
            } else {
                continue;
            };
            let name = &r.config.policies[policy].name;
            r.error(&name.place, format!("policies.{}", name.value), found, wanted, None);
            r.buildable = false;
        }
    }

    /// How many policies deep `policy` leads, itself included, and to how many nodes; stops where it
    /// is too deep anyway.
    fn depth(&mut self, policy: usize, r: &mut Resolver<'_>) -> (usize, u64) {
        match self.state[policy] {
            State::Done(depth, ways) => return (depth, ways),
            State::Open => {
                self.circle(policy, r);
                return (0, 0);
            }
            State::New if self.path.len() > DEPTH_MAX => return (0, 0),
            State::New => {}
        }
        self.state[policy] = State::Open;
        self.path.push(policy);
        let (mut below, mut ways) = (0, 1_u64);
        for member in r.plans[policy].members().collect::<Vec<_>>() {
            let (deep, many) = match member {
                Named::Policy(member) => self.depth(member, r),
                Named::Region(_) => (0, 1),
            };
            below = below.max(deep);
            ways = ways.saturating_add(many);
        }
        self.path.pop();
        self.state[policy] = State::Done(below + 1, ways);
        (below + 1, ways)
    }

    /// Reports the part of the path that leads from a policy back to itself.
    fn circle(&self, policy: usize, r: &mut Resolver<'_>) {
        let start = self.path.iter().position(|&p| p == policy).unwrap_or(0);
        let name = |at: usize| &r.config.policies[at].name;
        let mut circle = String::from("the circle ");
        for &at in &self.path[start..] {
            let _ = write!(circle, "{} → ", name(at).value);
        }
        circle += name(policy);
        let (place, key) = (name(policy).place.clone(), format!("policies.{}", name(policy).value));
        r.error(&place, key, circle, "policies that do not lead back to themselves", None);
        r.buildable = false;
    }
}
